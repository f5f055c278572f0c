//! A stand-in, and a directory whose contract leads there.

use std::collections::BTreeMap;

use seed_fakes::Server;
use serde_json::Value;

use super::Stand;
use crate::cli::Outcome;
use crate::service::{UnderTest, contract};
use crate::workspace::Workspace;

/// A stand-in, and a directory with a contract whose values are kept in it.
#[derive(Debug)]
pub struct World<S> {
    /// The stand-in, to look at and to hurt.
    pub server: Server<S>,
    /// The same as a backend, looked at over its own protocol: each look is a request.
    pub backend: Box<dyn UnderTest>,
    /// Where `seed` runs.
    pub workspace: Workspace,
}

impl<S: Stand> World<S> {
    /// Starts an empty stand-in, and writes a contract with these lines below `secrets`, and what follows them.
    pub fn new(secrets: &str) -> Result<Self, String> {
        Self::on(S::empty().serve(), &Value::Null, secrets)
    }

    /// Puts a contract before a stand-in that runs already, with further settings of its backend, or others.
    pub fn on(server: Server<S>, settings: &Value, secrets: &str) -> Result<Self, String> {
        let backend = S::under_test(&server.url())?;
        let workspace = backend.workspace()?;
        workspace.write("seed.yaml", &contract(&*backend, settings, secrets)?)?;
        Ok(Self {
            server,
            backend,
            workspace,
        })
    }

    /// An outcome, with names for the address of the stand-in and for ids of requests, which it counts as they come.
    pub fn shown(&self, outcome: &Outcome) -> String {
        let address = self.server.address().to_string();
        let text = outcome.to_string().replace(&address, "$ADDRESS");
        let mut pieces = text.split(ID);
        let mut shown = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            shown.push_str("$ID");
            shown.push_str(piece.get(12..).unwrap_or_default());
        }
        shown
    }

    /// Every value that is kept, as references of the contract name them: `entry`, or `entry#field`.
    pub fn values(&self) -> BTreeMap<String, Vec<u8>> {
        let mut values = BTreeMap::new();
        for (name, kept) in self.server.service().kept() {
            for (field, value) in kept.fields {
                let key = match field.as_str() {
                    "" => name.clone(),
                    field => format!("{name}#{field}"),
                };
                values.insert(key, value);
            }
        }
        values
    }
}

/// How every id of a request begins at the stand-ins.
const ID: &str = "00000000-0000-4000-8000-";
