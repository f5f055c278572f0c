//! What every stand-in can tell and do, without a request in its log.

use std::collections::BTreeMap;
use std::fmt;

use seed_fakes::{Answer, Server, Service};
use serde_json::Value;

use crate::service::UnderTest;

/// A stand-in that `seed` can be pointed at.
pub trait Stand: Service + Sized {
    /// A person's credential, which is to be seen nowhere.
    const CREDENTIAL: &'static str;

    /// How many writes it takes to create an entry.
    const WRITES_EACH: usize = 1;

    /// One that keeps nothing yet.
    fn empty() -> Self;

    /// Starts it, in the way in which a client talks to it.
    fn serve(self) -> Server<Self> {
        Server::start(self)
    }

    /// The backend that the stand-in at this place is: how `seed` is told of it and gets in.
    fn under_test(url: &str) -> Result<Box<dyn UnderTest>, String>;

    /// Everything that is kept, by its stored name.
    fn kept(&self) -> BTreeMap<String, Kept>;

    /// Keeps an entry with these fields, as somebody else would.
    fn put(&self, name: &str, fields: &[(&str, &str)]);

    /// Every documented error of every call: the operation, what is wrong, and the answer.
    fn documented_errors() -> Vec<(&'static str, &'static str, Answer)>;

    /// Denies every call about one name.
    fn deny(server: &Server<Self>, name: &str);

    /// The credential is good no more.
    fn expire(&self);

    /// The names under which there is a place for a value and no value yet.
    fn shells(&self) -> Vec<String> {
        Vec::new()
    }

    /// Lets as much of the service's own time pass as somebody waits for a run that may have died.
    fn outlive_claims(&self) {}
}

/// An entry as the service keeps it. Never shown: it has values.
#[derive(Clone, Eq, PartialEq)]
pub struct Kept {
    /// How often it was written.
    pub versions: usize,
    /// By field; one value alone is the field with an empty name.
    pub fields: BTreeMap<String, Vec<u8>>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept")
            .field("versions", &self.versions)
            .finish_non_exhaustive()
    }
}

/// The members of an object, each as text or else as its JSON.
pub(super) fn members(object: &Value) -> BTreeMap<String, Vec<u8>> {
    let members = object.as_object().into_iter().flatten();
    let bytes = |value: &Value| {
        let text = value.as_str().map(str::to_owned);
        text.unwrap_or_else(|| value.to_string()).into_bytes()
    };
    members
        .map(|(name, value)| (name.clone(), bytes(value)))
        .collect()
}

/// Fields where a single value is the member `value`.
pub(super) fn with_single(members: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let members = members.into_iter();
    let named = members.map(|(name, value)| match name.as_str() {
        "value" => (String::new(), value),
        _ => (name, value),
    });
    named.collect()
}
