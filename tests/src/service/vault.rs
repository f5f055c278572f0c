//! A mount of Vault.

use std::collections::BTreeMap;

use seed_servers::{Answer, Client};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Members, UnderTest};

/// Members as they are written: `1.50` must not become `1.5`.
type Raw = BTreeMap<String, Box<RawValue>>;

/// A mount of KV version 2.
#[derive(Debug)]
pub struct Vault {
    client: Client,
    address: String,
    token: String,
    mount: String,
}

impl Vault {
    /// The mount at a place, seen with a token that may do everything there.
    pub fn new(address: &str, token: &str, mount: &str) -> Self {
        Self {
            client: Client::new(address, None),
            address: address.to_owned(),
            token: token.to_owned(),
            mount: mount.to_owned(),
        }
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Answer, String> {
        let headers = [
            ("X-Vault-Token", &*self.token),
            ("Content-Type", "application/json"),
        ];
        let path = format!("/v1/{}/{path}", self.mount);
        self.client.send(method, &path, &headers, body)
    }

    /// Every name below a folder.
    fn names(&self, folder: &str, names: &mut Vec<String>) -> Result<(), String> {
        let answer = self.call("LIST", &format!("metadata/{folder}"), &Value::Null)?;
        if answer.status == 404 {
            return Ok(());
        }
        let list = answer.success()?;
        let keys = list.pointer("/data/keys").and_then(Value::as_array);
        for key in keys.into_iter().flatten().filter_map(Value::as_str) {
            let name = format!("{folder}{key}");
            if name.ends_with('/') {
                self.names(&name, names)?;
            } else {
                names.push(name);
            }
        }
        Ok(())
    }
}

impl UnderTest for Vault {
    fn kind(&self) -> &'static str {
        "vault"
    }

    fn settings(&self) -> Value {
        json!({"address": self.address, "mount": self.mount})
    }

    fn variables(&self) -> Vec<(String, String)> {
        let variables = [("VAULT_ADDR", &self.address), ("VAULT_TOKEN", &self.token)];
        variables
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .to_vec()
    }

    fn marks(&self) -> Result<BTreeMap<String, Value>, String> {
        let mut names = Vec::new();
        self.names("", &mut names)?;
        let marks = names.into_iter().map(|name| {
            let metadata = self.call("GET", &format!("metadata/{name}"), &Value::Null)?;
            let metadata = metadata.success()?;
            Ok((name, metadata.get("data").cloned().unwrap_or_default()))
        });
        marks.collect()
    }

    fn versions(&self) -> Result<BTreeMap<String, usize>, String> {
        let marks = self.marks()?.into_iter();
        let versions = marks.map(|(name, mark)| {
            let version = mark.get("current_version").and_then(Value::as_u64);
            let version = version.and_then(|version| usize::try_from(version).ok());
            version
                .map(|version| (name, version))
                .ok_or_else(|| "metadata without a version".to_owned())
        });
        versions.collect()
    }

    fn forget(&self, name: &str) -> Result<(), String> {
        let answer = self.call("DELETE", &format!("metadata/{name}"), &Value::Null)?;
        answer.success().map(drop)
    }

    fn delete(&self, name: &str) -> Result<bool, String> {
        let answer = self.call("DELETE", &format!("data/{name}"), &Value::Null)?;
        answer.success().map(|_| true)
    }

    fn put(&self, name: &str, text: &str) -> Result<(), String> {
        let headers = [("X-Vault-Token", &*self.token)];
        let path = format!("/v1/{}/data/{name}", self.mount);
        let body = format!("{{\"data\": {text}}}");
        let answer = self.client.send_text("POST", &path, &headers, body)?;
        answer.success().map(drop)
    }

    fn text(&self, _name: &str) -> Result<Option<String>, String> {
        Ok(None)
    }

    fn members(&self, name: &str) -> Result<Members, String> {
        let answer = self.call("GET", &format!("data/{name}"), &Value::Null)?;
        answer.success()?;
        let unread = |err: serde_json::Error| err.to_string();
        let inside = |raw: &Raw, name: &str| raw.get(name).map(|raw| raw.get().to_owned());
        let whole: Raw = serde_json::from_slice(&answer.body).map_err(unread)?;
        let outer = inside(&whole, "data").ok_or("no data")?;
        let outer: Raw = serde_json::from_str(&outer).map_err(unread)?;
        let data = inside(&outer, "data").ok_or("no data in the data")?;
        let data: Raw = serde_json::from_str(&data).map_err(unread)?;
        let members = data.into_iter();
        Ok(members
            .map(|(name, raw)| (name, raw.get().to_owned()))
            .collect())
    }

    fn property(&self) -> Option<&'static str> {
        Some("value")
    }
}
