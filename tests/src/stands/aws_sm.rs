//! AWS Secrets Manager: all of one region, without a prefix.

use std::collections::BTreeMap;

use seed_fakes::{Answer, AwsSm, Server};
use serde_json::{Value, json};

use super::stand::{Kept, Stand, members};
use crate::service::{self, UnderTest};

impl Stand for AwsSm {
    const CREDENTIAL: &'static str = service::AwsSm::SECRET_ACCESS_KEY;

    fn empty() -> Self {
        Self::new()
    }

    fn under_test(url: &str) -> Result<Box<dyn UnderTest>, String> {
        Ok(Box::new(service::AwsSm::new(url, "")))
    }

    fn kept(&self) -> BTreeMap<String, Kept> {
        let one = |name: String| {
            let text = self.value(&name).unwrap_or_default();
            let fields = match serde_json::from_str::<Value>(&text) {
                Ok(object @ Value::Object(_)) => members(&object),
                Ok(_) | Err(_) => BTreeMap::from([(String::new(), text.into_bytes())]),
            };
            let versions = self.stages(&name).len();
            (name, Kept { versions, fields })
        };
        self.names().into_iter().map(one).collect()
    }

    fn put(&self, name: &str, fields: &[(&str, &str)]) {
        if let [("", value)] = fields {
            Self::put(self, name, value);
            return;
        }
        let members = fields.iter();
        let members = members.map(|(field, value)| ((*field).to_owned(), json!(value)));
        Self::put(self, name, &Value::Object(members.collect()).to_string());
    }

    fn documented_errors() -> Vec<(&'static str, &'static str, Answer)> {
        Self::documented_errors()
    }

    fn deny(server: &Server<Self>, name: &str) {
        for action in [
            "DescribeSecret",
            "GetSecretValue",
            "CreateSecret",
            "PutSecretValue",
        ] {
            server.service().deny(action, Some(name));
        }
    }

    fn expire(&self) {
        Self::expire(self);
    }
}
