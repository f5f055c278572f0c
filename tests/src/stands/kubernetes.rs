//! Kubernetes: the Secrets of the namespace `seed`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seed_fakes::{Answer, Kubernetes, Server};
use serde_json::{Value, json};

use super::stand::{Kept, Stand, members, with_single};
use crate::service::{self, UnderTest};

const NAMESPACE: &str = "seed";

impl Stand for Kubernetes {
    const CREDENTIAL: &'static str = Self::TOKEN;

    fn empty() -> Self {
        Self::with_namespaces(&[NAMESPACE])
    }

    fn under_test(url: &str) -> Result<Box<dyn UnderTest>, String> {
        let service = service::Kubernetes::new(url, None, Self::TOKEN, "test", NAMESPACE)?;
        Ok(Box::new(service))
    }

    fn kept(&self) -> BTreeMap<String, Kept> {
        let one = |(name, versions): (String, usize)| {
            let secret = self.secret(NAMESPACE, &name).unwrap_or_default();
            let data = secret.get("data").map(members).unwrap_or_default();
            let data = data.into_iter();
            let fields = data
                .map(|(key, text)| (key, STANDARD.decode(text).unwrap_or_default()))
                .collect();
            let fields = with_single(fields);
            (name, Kept { versions, fields })
        };
        self.versions(NAMESPACE).into_iter().map(one).collect()
    }

    fn put(&self, name: &str, fields: &[(&str, &str)]) {
        let data = fields.iter().map(|(field, value)| {
            let key = if field.is_empty() { "value" } else { field };
            (key.to_owned(), json!(STANDARD.encode(value)))
        });
        let data = Value::Object(data.collect());
        let secret = json!({"metadata": {"name": name}, "type": "Opaque", "data": data});
        Self::put(self, NAMESPACE, secret);
    }

    fn documented_errors() -> Vec<(&'static str, &'static str, Answer)> {
        Self::documented_errors()
    }

    /// A role that names each Secret but this one: such a role can allow neither lists nor who creates what.
    fn deny(server: &Server<Self>, name: &str) {
        let service = server.service();
        service.deny("list", "secrets", "");
        service.deny("get", "secrets", name);
        service.deny("patch", "secrets", name);
    }

    fn expire(&self) {
        self.revoke_token();
    }
}
