//! What every backend under test can tell and do.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::environment;
use crate::workspace::Workspace;

/// The members of one stored map, each as the JSON text that it is stored as.
pub type Members = BTreeMap<String, String>;

/// A backend as a scenario sees it.
pub trait UnderTest: fmt::Debug + Sync {
    /// The word for its kind in a contract.
    fn kind(&self) -> &'static str;

    /// Its settings in a contract.
    fn settings(&self) -> Value;

    /// The variables with which `seed` gets in.
    fn variables(&self) -> Vec<(String, String)>;

    /// Every stored name, and what any write to it changes.
    fn marks(&self) -> Result<BTreeMap<String, Value>, String>;

    /// Every stored name, and how often it was written.
    fn versions(&self) -> Result<BTreeMap<String, usize>, String>;

    /// Removes an entry for good.
    fn forget(&self, name: &str) -> Result<(), String>;

    /// Removes an entry so that it can be restored. Tells whether the service can do that at all.
    fn delete(&self, name: &str) -> Result<bool, String>;

    /// Stores a JSON object as somebody else would: as it is, or each member of it.
    fn put(&self, name: &str, text: &str) -> Result<(), String>;

    /// The whole of an entry that was stored as one text, to the byte, where the service stores such.
    fn text(&self, name: &str) -> Result<Option<String>, String>;

    /// What an entry has.
    fn members(&self, name: &str) -> Result<Members, String>;

    /// What a manifest must say of a single value beside the stored name.
    fn property(&self) -> Option<&'static str>;

    /// How many writes it takes to create an entry.
    fn writes_each(&self) -> usize {
        1
    }

    /// Prepares a workspace whose `seed` can get in.
    fn workspace(&self) -> Result<Workspace, String> {
        let variables = self.variables().into_iter();
        Ok(
            variables.fold(Workspace::new()?, |workspace, (name, value)| {
                workspace.variable(&name, value)
            }),
        )
    }
}

/// How often runs meet where a race takes long: what the variable `RACES` says, or once.
pub fn races() -> Result<usize, String> {
    let Some(races) = environment::variable("RACES") else {
        return Ok(1);
    };
    let count = races.to_str().and_then(|races| races.parse().ok());
    count.ok_or_else(|| "`RACES` is no number".into())
}
