//! Google Secret Manager: the global secrets of one project, and the metadata server of a machine in it.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use seed_fakes::{Answer, GcpSm, Server};
use serde_json::{Value, json};

use super::stand::{Kept, Stand, members};
use crate::service::{self, UnderTest};

impl Stand for GcpSm {
    const CREDENTIAL: &'static str = service::GcpSm::TOKEN;
    const WRITES_EACH: usize = 2;

    fn empty() -> Self {
        Self::new()
    }

    fn under_test(url: &str) -> Result<Box<dyn UnderTest>, String> {
        // A metadata server knows no TLS.
        let machine = match url.strip_prefix("http://") {
            Some(host) => host.to_owned(),
            None => machine().to_owned(),
        };
        Ok(Box::new(service::GcpSm::new(url, &machine)))
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

    fn shells(&self) -> Vec<String> {
        let mut names = self.names();
        names.retain(|name| self.versions(name) == 0);
        names
    }

    fn outlive_claims(&self) {
        self.advance(Duration::from_mins(3));
    }
}

/// A metadata server for all tests of a program whose own stand-in knows only TLS.
fn machine() -> &'static str {
    static MACHINE: OnceLock<(Server<GcpSm>, String)> = OnceLock::new();
    let start = || {
        let server = Server::start(GcpSm::new());
        let address = server.address().to_string();
        (server, address)
    };
    &MACHINE.get_or_init(start).1
}
