//! Azure Key Vault: all of one vault. It is served with TLS, without which no client sends it a token.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use seed_fakes::{Answer, Authority, AzureKv, Server};
use serde_json::{Value, json};

use super::stand::{Kept, Stand, members};
use crate::service::{self, UnderTest};

impl Stand for AzureKv {
    const CREDENTIAL: &'static str = service::AzureKv::CLIENT_SECRET;

    fn empty() -> Self {
        Self::new()
    }

    fn serve(self) -> Server<Self> {
        Server::start_tls(self, authority())
    }

    fn under_test(url: &str) -> Result<Box<dyn UnderTest>, String> {
        let service = service::AzureKv::new(url, &authority().pem())?;
        Ok(Box::new(service))
    }

    fn kept(&self) -> BTreeMap<String, Kept> {
        let one = |name: String| {
            let text = self.value(&name).unwrap_or_default();
            let fields = match serde_json::from_str::<Value>(&text) {
                Ok(object @ Value::Object(_)) => members(&object),
                Ok(_) | Err(_) => BTreeMap::from([(String::new(), text.into_bytes())]),
            };
            let versions = self.versions(&name).len();
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
        for operation in ["GetSecret", "GetSecretVersions", "SetSecret"] {
            server.service().deny(operation, Some(name));
        }
    }

    fn expire(&self) {
        self.revoke();
    }
}

/// Whose certificates the stand-ins with TLS have.
fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(Authority::new)
}
