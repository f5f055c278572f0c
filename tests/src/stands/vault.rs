//! Vault: the mount `secret`.

use std::collections::BTreeMap;

use seed_fakes::vault::Vault;
use seed_fakes::{Answer, Fault, Request, Server, Service as _, When};
use serde_json::{Value, json};

use super::stand::{Kept, Stand, members, with_single};
use crate::service::{self, UnderTest};

const MOUNT: &str = "secret";

impl Stand for Vault {
    const CREDENTIAL: &'static str = Self::TOKEN;

    fn empty() -> Self {
        Self::new()
    }

    fn under_test(url: &str) -> Result<Box<dyn UnderTest>, String> {
        Ok(Box::new(service::Vault::new(url, Self::TOKEN, MOUNT)))
    }

    fn kept(&self) -> BTreeMap<String, Kept> {
        let one = |(name, versions): (String, usize)| {
            let answer = self.answer(&Request {
                method: "GET".to_owned(),
                path: format!("/v1/{MOUNT}/data/{name}"),
                query: String::new(),
                headers: vec![("x-vault-token".to_owned(), Self::TOKEN.to_owned())],
                body: Vec::new(),
            });
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let fields = body.pointer("/data/data").map(members).unwrap_or_default();
            let fields = with_single(fields);
            (name, Kept { versions, fields })
        };
        self.versions("", MOUNT).into_iter().map(one).collect()
    }

    fn put(&self, name: &str, fields: &[(&str, &str)]) {
        let members = fields.iter().map(|(field, value)| match *field {
            "" => ("value".to_owned(), json!(value)),
            field => (field.to_owned(), json!(value)),
        });
        Self::put(self, name, &Value::Object(members.collect()));
    }

    fn documented_errors() -> Vec<(&'static str, &'static str, Answer)> {
        seed_fakes::vault::documented_errors()
    }

    fn deny(server: &Server<Self>, name: &str) {
        let denied = json!({"errors": ["1 error occurred:\n\t* permission denied\n\n"]});
        for operation in ["subkeys", "read", "write", "patch", "metadata"] {
            let fault = Fault::Answer(Answer::json(403, &denied));
            server.fault(When::about(operation, &format!("/{name}")), fault, None);
        }
    }

    fn expire(&self) {
        Self::expire(self, Self::TOKEN);
    }
}
