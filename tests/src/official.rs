//! The official clients of services, in Python, as people install them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use seed_fakes::Service;
use seed_servers::official_clients;

use crate::cli::{Outcome, Sealed};
use crate::outside::Outside;
use crate::shared;

/// A client with the scenarios that drive it, in a directory's variables.
#[derive(Debug)]
pub struct Client {
    python: Sealed,
    script: PathBuf,
    root: PathBuf,
}

impl Client {
    /// Prepares to run a file of `tests/clients` as `seed` is run there.
    pub fn new<S: Service>(outside: &Outside<S>, script: &str) -> Result<Self, String> {
        let root = outside.workspace.root().to_path_buf();
        let authority = root.join("authority.pem");
        // Each library of Python has a word of its own for the authorities and the proxy.
        let python = outside
            .program(&official_clients()?)?
            .variable("REQUESTS_CA_BUNDLE", &authority)
            .variable("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", &authority)
            .variable("https_proxy", outside.proxy.url())
            .variable("NO_PROXY", "127.0.0.1")
            .variable("GCE_METADATA_HOST", outside.server.address().to_string())
            .variable("PYTHONDONTWRITEBYTECODE", "1");
        let script = shared::repository()?.join("tests/clients").join(script);
        Ok(Self {
            python,
            script,
            root,
        })
    }

    fn arguments(&self, arguments: &[&str]) -> Vec<String> {
        let script = [self.script.display().to_string()];
        let arguments = arguments.iter().map(|argument| (*argument).to_owned());
        script.into_iter().chain(arguments).collect()
    }

    /// Runs it with these arguments.
    pub fn run(&self, arguments: &[&str]) -> Result<Outcome, String> {
        self.python.run(&self.root, self.arguments(arguments))
    }

    /// Stores values.
    pub fn store(&self, transport: &[&str], values: &BTreeMap<&str, &str>) -> Result<(), String> {
        let values = serde_json::to_vec(values).map_err(|err| err.to_string())?;
        let arguments = self.arguments(&[&["store"], transport].concat());
        let outcome = self.python.feed(&self.root, arguments, &values)?;
        outcome.success().map(drop)
    }

    /// Reads values.
    pub fn read(
        &self,
        transport: &[&str],
        names: &[&str],
    ) -> Result<BTreeMap<String, String>, String> {
        let printed = self
            .run(&[&["read"], transport, names].concat())?
            .success()?;
        serde_json::from_str(&printed).map_err(|err| err.to_string())
    }
}
