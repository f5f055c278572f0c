//! Google Secret Manager: the global secrets of one project, and the metadata server of a machine in it.

use std::collections::BTreeMap;
use std::time::Duration;

use seed_fakes::{Answer, GcpSm, Server};
use serde_json::{Value, json};

use super::stand::{Kept, Stand, members};
use crate::service::{self, UnderTest};

impl Stand for GcpSm {
    const CREDENTIAL: &'static str = service::GcpSm::TOKEN;

    fn empty() -> Self {
        Self::new()
    }

    fn under_test(url: &str) -> Result<Box<dyn UnderTest>, String> {
        Ok(Box::new(service::GcpSm::new(url)))
    }

    fn kept(&self) -> BTreeMap<String, Kept> {
        let one = |name: String| {
            let text = self.value(&name);
            let fields = match text.as_deref().map(serde_json::from_str::<Value>) {
                Some(Ok(object @ Value::Object(_))) => members(&object),
                Some(_) => BTreeMap::from([(String::new(), text.unwrap_or_default().into_bytes())]),
                None => BTreeMap::new(),
            };
            let versions = self.versions(&name);
            (name, Kept { versions, fields })
        };
        // A secret without a version is kept by nobody: it has no value.
        let kept = self.names().into_iter().map(one);
        kept.filter(|(_, kept)| kept.versions > 0).collect()
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
        for operation in [
            "GetSecret",
            "ListSecretVersions",
            "AccessSecretVersion",
            "CreateSecret",
            "UpdateSecret",
            "AddSecretVersion",
        ] {
            server.service().deny(operation, Some(name));
        }
    }

    fn expire(&self) {
        Self::expire(self);
    }

    fn outlive_claims(&self) {
        self.advance(Duration::from_mins(3));
    }
}
