//! AWS Secrets Manager below a prefix.

use std::collections::BTreeMap;

use seed_servers::Client;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Members, UnderTest};

/// All secrets of one region.
#[derive(Debug)]
pub struct AwsSm {
    client: Client,
    address: String,
    prefix: String,
}

const REGION: &str = "eu-central-1";
const KEY_ID: &str = "AKIAIOSFODNN7EXAMPLE";

impl AwsSm {
    /// What proves that a person is who they say they are.
    pub const SECRET_ACCESS_KEY: &'static str = "secret-access-key-of-a-test";

    /// What begins with `prefix` at a place; `seed` is told to put that before its keys. Without one it is all.
    pub fn new(address: &str, prefix: &str) -> Self {
        Self {
            client: Client::new(address, None),
            address: address.to_owned(),
            prefix: prefix.to_owned(),
        }
    }

    fn call(&self, operation: &str, body: &Value) -> Result<Value, String> {
        let scope = format!("{KEY_ID}/20260101/{REGION}/secretsmanager/aws4_request");
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let headers = [
            ("X-Amz-Target", &*format!("secretsmanager.{operation}")),
            ("Content-Type", "application/x-amz-json-1.1"),
            ("Authorization", &authorization),
        ];
        self.client.send("POST", "/", &headers, body)?.success()
    }
}

impl UnderTest for AwsSm {
    fn kind(&self) -> &'static str {
        "aws-sm"
    }

    fn settings(&self) -> Value {
        let mut settings = json!({
            "region": REGION,
            "account": "123456789012",
            "endpoint": self.address,
        });
        if let (false, Some(settings)) = (self.prefix.is_empty(), settings.as_object_mut()) {
            settings.insert("prefix".to_owned(), json!(self.prefix));
        }
        settings
    }

    fn variables(&self) -> Vec<(String, String)> {
        let variables = [
            ("AWS_ENDPOINT_URL", &*self.address),
            ("AWS_ACCESS_KEY_ID", KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", Self::SECRET_ACCESS_KEY),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec()
    }

    fn marks(&self) -> Result<BTreeMap<String, Value>, String> {
        let mut marks = BTreeMap::new();
        let mut next = Value::Null;
        loop {
            let mut page = json!({"MaxResults": 100, "IncludePlannedDeletion": true});
            if let (Value::String(_), Some(page)) = (&next, page.as_object_mut()) {
                page.insert("NextToken".to_owned(), next);
            }
            let mut answer = self.call("ListSecrets", &page)?;
            let list = answer.get_mut("SecretList").and_then(Value::as_array_mut);
            for secret in list.ok_or("no list")? {
                // A look changes it.
                secret
                    .as_object_mut()
                    .ok_or("no object")?
                    .remove("LastAccessedDate");
                let name = secret
                    .get("Name")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                if name.starts_with(&self.prefix) {
                    marks.insert(name.to_owned(), secret.clone());
                }
            }
            next = answer.get("NextToken").cloned().unwrap_or_default();
            if next.is_null() {
                return Ok(marks);
            }
        }
    }

    fn versions(&self) -> Result<BTreeMap<String, usize>, String> {
        let marks = self.marks()?.into_iter();
        let versions = marks.map(|(name, mark)| {
            let versions = mark
                .get("SecretVersionsToStages")
                .and_then(Value::as_object);
            versions
                .map(|versions| (name, versions.len()))
                .ok_or_else(|| "a secret without versions".to_owned())
        });
        versions.collect()
    }

    fn forget(&self, name: &str) -> Result<(), String> {
        let body = json!({"SecretId": name, "ForceDeleteWithoutRecovery": true});
        self.call("DeleteSecret", &body).map(drop)
    }

    fn delete(&self, name: &str) -> Result<bool, String> {
        let body = json!({"SecretId": name, "RecoveryWindowInDays": 7});
        self.call("DeleteSecret", &body).map(|_| true)
    }

    fn put(&self, name: &str, text: &str) -> Result<(), String> {
        let body = json!({"Name": name, "SecretString": text});
        self.call("CreateSecret", &body).map(drop)
    }

    fn text(&self, name: &str) -> Result<Option<String>, String> {
        let answer = self.call(
            "GetSecretValue",
            &json!({"SecretId": name, "VersionStage": "AWSCURRENT"}),
        )?;
        let text = answer.get("SecretString").and_then(Value::as_str);
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
