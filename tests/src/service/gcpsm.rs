//! Google Secret Manager: all global secrets of one project.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seed_servers::Client;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Members, UnderTest};

/// All global secrets of one project.
#[derive(Debug)]
pub struct GcpSm {
    client: Client,
    address: String,
    machine: String,
}

const SECRETS: &str = "/v1/projects/ai-lab/secrets";

impl GcpSm {
    /// What proves that a machine is what it says it is; its metadata server gives it.
    pub const TOKEN: &'static str = seed_fakes::GcpSm::TOKEN;

    /// What is at a place, asked from a machine with a metadata server at that host and port.
    pub fn new(address: &str, machine: &str) -> Self {
        Self {
            client: Client::new(address, None),
            address: address.to_owned(),
            machine: machine.to_owned(),
        }
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let authorization = format!("Bearer {}", Self::TOKEN);
        let headers = [
            ("Content-Type", "application/json"),
            ("Authorization", &*authorization),
        ];
        let path = format!("{SECRETS}{path}");
        self.client.send(method, &path, &headers, body)?.success()
    }
}

impl UnderTest for GcpSm {
    fn kind(&self) -> &'static str {
        "gcpsm"
    }

    fn settings(&self) -> Value {
        json!({"project": "ai-lab", "endpoint": self.address})
    }

    fn variables(&self) -> Vec<(String, String)> {
        let variables = [
            (
                "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER",
                &*self.address,
            ),
            ("GCE_METADATA_HOST", &*self.machine),
        ];
        variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
    }

    fn marks(&self) -> Result<BTreeMap<String, Value>, String> {
        let mut list = self.call("GET", "?pageSize=25000", &Value::Null)?;
        let mut marks = BTreeMap::new();
        let Some(list) = list.get_mut("secrets").and_then(Value::as_array_mut) else {
            return Ok(marks);
        };
        for secret in list {
            let name = secret
                .get("name")
                .and_then(Value::as_str)
                .ok_or("no name")?;
            let name = name.rsplit('/').next().unwrap_or_default().to_owned();
            let versions = self.call("GET", &format!("/{name}/versions"), &Value::Null)?;
            marks.insert(name, json!({"secret": secret, "versions": versions}));
        }
        Ok(marks)
    }

    fn versions(&self) -> Result<BTreeMap<String, usize>, String> {
        let marks = self.marks()?.into_iter();
        let versions = marks.map(|(name, mark)| {
            let versions = mark.get("versions").and_then(|list| list.get("totalSize"));
            let versions = versions.and_then(Value::as_u64).unwrap_or_default();
            (name, usize::try_from(versions).unwrap_or_default())
        });
        Ok(versions.collect())
    }

    fn forget(&self, name: &str) -> Result<(), String> {
        self.call("DELETE", &format!("/{name}"), &Value::Null)
            .map(drop)
    }

    fn delete(&self, _: &str) -> Result<bool, String> {
        Ok(false)
    }

    fn put(&self, name: &str, text: &str) -> Result<(), String> {
        let secret = json!({"replication": {"automatic": {}}});
        self.call("POST", &format!("?secretId={name}"), &secret)?;
        let version = json!({"payload": {"data": STANDARD.encode(text)}});
        self.call("POST", &format!("/{name}:addVersion"), &version)
            .map(drop)
    }

    fn text(&self, name: &str) -> Result<Option<String>, String> {
        let answer = self.call(
            "GET",
            &format!("/{name}/versions/latest:access"),
            &Value::Null,
        )?;
        let data = answer
            .get("payload")
            .and_then(|payload| payload.get("data"));
        let data = data.and_then(Value::as_str).ok_or("no data")?;
        let bytes = STANDARD.decode(data).map_err(|err| err.to_string())?;
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|err| err.to_string())
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

    fn writes_each(&self) -> usize {
        2
    }
}
