//! The Secrets of one namespace.

use std::collections::BTreeMap;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seed_servers::{Answer, Client};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Members, UnderTest};

/// A namespace.
#[derive(Debug)]
pub struct Kubernetes {
    client: Client,
    token: String,
    context: String,
    namespace: String,
    /// Where history begins.
    since: Option<String>,
    kubeconfig: TempDir,
}

impl Kubernetes {
    /// A namespace of the server at a place, whose certificate `authority` has signed (PEM; none for a stand-in without
    /// TLS), seen with a token that may do everything there. `seed` finds it as a context of that name.
    pub fn new(
        address: &str,
        authority: Option<&str>,
        token: &str,
        context: &str,
        namespace: &str,
    ) -> Result<Self, String> {
        let cluster = match authority {
            Some(pem) => {
                json!({"server": address, "certificate-authority-data": STANDARD.encode(pem)})
            }
            None => json!({"server": address}),
        };
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": token}}],
            "contexts": [{"name": context, "context": {"cluster": "test", "user": "admin"}}],
        });
        let kubeconfig = tempfile::tempdir().map_err(|err| err.to_string())?;
        fs::write(kubeconfig.path().join("config"), config.to_string())
            .map_err(|err| err.to_string())?;
        Ok(Self {
            client: Client::new(address, authority.map(str::as_bytes)),
            token: token.to_owned(),
            context: context.to_owned(),
            namespace: namespace.to_owned(),
            since: None,
            kubeconfig,
        })
    }

    /// Counts writes from now on, by the history that a real server tells.
    pub fn with_history(mut self) -> Result<Self, String> {
        let list = self.list()?;
        let version = list.pointer("/metadata/resourceVersion");
        self.since = version.and_then(Value::as_str).map(str::to_owned);
        Ok(self)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Answer, String> {
        let bearer = format!("Bearer {}", self.token);
        let headers = [
            ("Authorization", &*bearer),
            ("Content-Type", "application/json"),
        ];
        let path = format!("/api/v1/namespaces/{}/{path}", self.namespace);
        self.client.send(method, &path, &headers, body)
    }

    fn list(&self) -> Result<Value, String> {
        self.call("GET", "secrets", &Value::Null)?.success()
    }

    fn data(&self, name: &str) -> Result<Value, String> {
        let secret = self.call("GET", &format!("secrets/{name}"), &Value::Null)?;
        let secret = secret.success()?;
        Ok(secret.get("data").cloned().unwrap_or_default())
    }
}

impl UnderTest for Kubernetes {
    fn kind(&self) -> &'static str {
        "kubernetes"
    }

    fn settings(&self) -> Value {
        json!({"context": self.context, "namespace": self.namespace})
    }

    fn variables(&self) -> Vec<(String, String)> {
        let path = self.kubeconfig.path().join("config");
        vec![("KUBECONFIG".to_owned(), path.display().to_string())]
    }

    fn marks(&self) -> Result<BTreeMap<String, Value>, String> {
        let list = self.list()?;
        let items = list.get("items").and_then(Value::as_array);
        let marks = items.ok_or("no items")?.iter().map(|item| {
            let metadata = item.get("metadata").cloned().unwrap_or_default();
            let name = metadata.get("name").and_then(Value::as_str);
            Ok((name.ok_or("no name")?.to_owned(), metadata))
        });
        marks.collect()
    }

    fn versions(&self) -> Result<BTreeMap<String, usize>, String> {
        let since = self.since.as_ref().ok_or("no history was begun")?;
        let path = format!("secrets?watch=true&timeoutSeconds=2&resourceVersion={since}");
        let events = self.call("GET", &path, &Value::Null)?;
        events.success()?;
        let mut versions = BTreeMap::new();
        for event in serde_json::Deserializer::from_slice(&events.body).into_iter::<Value>() {
            let event = event.map_err(|err| err.to_string())?;
            let name = event
                .pointer("/object/metadata/name")
                .and_then(Value::as_str);
            let name = name.ok_or("an event about nothing")?.to_owned();
            *versions.entry(name).or_default() += 1;
        }
        Ok(versions)
    }

    fn forget(&self, name: &str) -> Result<(), String> {
        let answer = self.call("DELETE", &format!("secrets/{name}"), &Value::Null)?;
        answer.success().map(drop)
    }

    fn delete(&self, _name: &str) -> Result<bool, String> {
        Ok(false)
    }

    fn put(&self, name: &str, text: &str) -> Result<(), String> {
        let members: BTreeMap<String, Value> =
            serde_json::from_str(text).map_err(|err| err.to_string())?;
        let data: BTreeMap<String, String> = members
            .into_iter()
            .map(|(name, value)| {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                (name, STANDARD.encode(text))
            })
            .collect();
        let body = json!({"metadata": {"name": name}, "data": data});
        self.call("POST", "secrets", &body)?.success().map(drop)
    }

    fn text(&self, _name: &str) -> Result<Option<String>, String> {
        Ok(None)
    }

    fn members(&self, name: &str) -> Result<Members, String> {
        let data = self.data(name)?;
        let data = data.as_object().ok_or("no data")?.iter();
        Ok(data
            .map(|(name, value)| (name.clone(), value.to_string()))
            .collect())
    }

    fn property(&self) -> Option<&'static str> {
        Some("value")
    }
}
