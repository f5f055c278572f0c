//! Azure Key Vault: all secrets of one vault.

use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;

use seed_servers::Client;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Members, UnderTest};

/// All secrets of one vault, and the place that gives tokens for it, which is at the same address.
#[derive(Debug)]
pub struct AzureKv {
    client: Client,
    address: String,
    token: OnceLock<String>,
    /// Where the file is that names whose certificates are good.
    authority: TempDir,
    /// What stands between `seed` and the vault.
    proxy: Option<String>,
}

const VERSION: &str = "api-version=2025-07-01";

impl AzureKv {
    /// What proves that an application is what it says it is.
    pub const CLIENT_SECRET: &'static str = seed_fakes::AzureKv::CLIENT_SECRET;

    /// What is at a place whose certificate `authority` has signed (PEM).
    pub fn new(address: &str, authority: &str) -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(|err| err.to_string())?;
        fs::write(directory.path().join("authority.pem"), authority)
            .map_err(|err| err.to_string())?;
        Ok(Self {
            client: Client::new(address, Some(authority.as_bytes())),
            address: address.to_owned(),
            token: OnceLock::new(),
            authority: directory,
            proxy: None,
        })
    }

    /// The same, which `seed` reaches through a proxy, under its own name and with the cloud's own place to log in.
    #[must_use]
    pub fn behind(mut self, proxy: &str) -> Self {
        self.proxy = Some(proxy.to_owned());
        self
    }

    fn token(&self) -> Result<String, String> {
        if let Some(token) = self.token.get() {
            return Ok(token.clone());
        }
        let form = format!(
            "grant_type=client_credentials&scope=https%3A%2F%2Fvault.azure.net%2F.default&client_id={}&client_secret={}",
            seed_fakes::AzureKv::CLIENT,
            Self::CLIENT_SECRET
        );
        let path = format!("/{}/oauth2/v2.0/token", seed_fakes::AzureKv::TENANT);
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let answer = self.client.send_text("POST", &path, &headers, form)?;
        let answer = answer.success()?;
        let token = answer.get("access_token").and_then(Value::as_str);
        let token = token.ok_or("no token")?.to_owned();
        Ok(self.token.get_or_init(|| token).clone())
    }

    /// Calls what is at this path with its query.
    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let authorization = format!("Bearer {}", self.token()?);
        let headers = [
            ("Content-Type", "application/json"),
            ("Authorization", &*authorization),
        ];
        self.client.send(method, path, &headers, body)?.success()
    }

    /// All pages of a list.
    fn list(&self, path: &str) -> Result<Vec<Value>, String> {
        let mut next = format!("/{path}?{VERSION}");
        let mut all = Vec::new();
        loop {
            let page = self.call("GET", &next, &Value::Null)?;
            let items = page.get("value").and_then(Value::as_array);
            all.extend(items.ok_or("a page without a list")?.iter().cloned());
            let Some(link) = page.get("nextLink").and_then(Value::as_str) else {
                return Ok(all);
            };
            let (_, link) = link.split_once("://").ok_or("the next page is nowhere")?;
            let here = self.address.split_once("://");
            let link = here.and_then(|(_, here)| link.strip_prefix(here));
            link.ok_or("the next page is elsewhere")?
                .clone_into(&mut next);
        }
    }

    fn one(&self, path: &str, method: &str, body: &Value) -> Result<Value, String> {
        self.call(method, &format!("/{path}?{VERSION}"), body)
    }
}

impl UnderTest for AzureKv {
    fn kind(&self) -> &'static str {
        "azure-kv"
    }

    fn settings(&self) -> Value {
        // Under the service's own name no shorter one is taken.
        let pause = if self.proxy.is_some() { "4s" } else { "1s" };
        json!({"vault": self.address, "pause": pause})
    }

    fn variables(&self) -> Vec<(String, String)> {
        let file = self.authority.path().join("authority.pem");
        let variables = [
            ("SSL_CERT_FILE", file.display().to_string()),
            match &self.proxy {
                Some(proxy) => ("HTTPS_PROXY", proxy.clone()),
                None => ("AZURE_AUTHORITY_HOST", self.address.clone()),
            },
            ("AZURE_TENANT_ID", seed_fakes::AzureKv::TENANT.to_owned()),
            ("AZURE_CLIENT_ID", seed_fakes::AzureKv::CLIENT.to_owned()),
            ("AZURE_CLIENT_SECRET", Self::CLIENT_SECRET.to_owned()),
        ];
        variables
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec()
    }

    fn marks(&self) -> Result<BTreeMap<String, Value>, String> {
        let mut marks = BTreeMap::new();
        for secret in self.list("secrets")? {
            let name = name(&secret)?;
            let versions = self.list(&format!("secrets/{name}/versions"))?;
            marks.insert(name, json!({"secret": secret, "versions": versions}));
        }
        for secret in self.list("deletedsecrets")? {
            marks.insert(name(&secret)?, json!({"deleted": secret}));
        }
        Ok(marks)
    }

    fn versions(&self) -> Result<BTreeMap<String, usize>, String> {
        let marks = self.marks()?.into_iter();
        let versions = marks.filter_map(|(name, mark)| {
            let versions = mark.get("versions").and_then(Value::as_array)?;
            Some((name, versions.len()))
        });
        Ok(versions.collect())
    }

    fn forget(&self, name: &str) -> Result<(), String> {
        self.delete(name)?;
        self.one(&format!("deletedsecrets/{name}"), "DELETE", &Value::Null)
            .map(drop)
    }

    fn delete(&self, name: &str) -> Result<bool, String> {
        self.one(&format!("secrets/{name}"), "DELETE", &Value::Null)
            .map(|_| true)
    }

    fn put(&self, name: &str, text: &str) -> Result<(), String> {
        let body = json!({"value": text});
        self.one(&format!("secrets/{name}"), "PUT", &body).map(drop)
    }

    fn text(&self, name: &str) -> Result<Option<String>, String> {
        let answer = self.one(&format!("secrets/{name}"), "GET", &Value::Null)?;
        let text = answer.get("value").and_then(Value::as_str);
        text.map(|text| Some(text.to_owned()))
            .ok_or_else(|| "no text".into())
    }

    fn members(&self, name: &str) -> Result<Members, String> {
        let text = self.text(name)?.unwrap_or_default();
        let members: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(&text).map_err(|err| err.to_string())?;
        let members = members.into_iter();
        Ok(members
            .map(|(name, raw)| (name, raw.get().to_owned()))
            .collect())
    }

    fn property(&self) -> Option<&'static str> {
        None
    }
}

fn name(secret: &Value) -> Result<String, String> {
    let id = secret.get("id").and_then(Value::as_str);
    let name = id.and_then(|id| id.rsplit('/').next());
    name.map(str::to_owned).ok_or_else(|| "no name".into())
}
