//! What all trials need: names, values that would be recognised anywhere, and expectations.

use std::any::Any;
use std::error::Error as _;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libtest_mimic::Failed;
use seed_core::backend::{Description, Guarantee, Kind};
use seed_core::document::{Document, FieldValue, Fields};
use seed_core::inventory::{Depth, Presence, Version, Wanted};
use seed_core::name::SecretName;

use super::suite::Subject;
use crate::{Error, ErrorKind, Marks, Provider, Result, Stored, WantedShape};

/// How a trial ends.
pub(super) type Outcome = std::result::Result<(), Failed>;

/// One trial's subject, and names that nobody else uses.
pub(super) struct Bench<P> {
    pub(super) provider: Arc<P>,
    pub(super) description: Description,
    prefix: String,
    _guard: Option<Box<dyn Any + Send + Sync>>,
}

impl<P: Provider> Bench<P> {
    pub(super) fn new(subject: Subject<P>, description: Description) -> Self {
        // The standard library seeds each of these from the system.
        let run = RandomState::new().hash_one(0);
        Self {
            provider: subject.provider,
            description,
            prefix: format!("t{run:016x}-"),
            _guard: subject.guard,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        self.description.kind
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A name of this trial. `suffix` has lower-case letters and digits only.
    pub(super) fn name(&self, suffix: &str) -> std::result::Result<SecretName, Failed> {
        let name = format!("{}{suffix}", self.prefix);
        Ok(self.kind().existing_name(&name)?)
    }

    pub(super) async fn create(&self, name: &SecretName, document: &Document) -> Result<Version> {
        self.provider.create(name, document, &marks()).await
    }

    /// Creates an entry with the fields `a` and `b`.
    pub(super) async fn create_two_fields(&self, name: &SecretName) -> Result<Version> {
        let two = fields(&[("a", "first"), ("b", "second")]);
        self.create(name, &Document::Fields(two)).await
    }

    pub(super) async fn read_fields(
        &self,
        name: &SecretName,
    ) -> std::result::Result<(Fields, Version), Failed> {
        let stored = self.provider.read(name, WantedShape::Fields).await?;
        match stored.document {
            Document::Fields(fields) => Ok((fields, stored.version)),
            Document::Single(_) => Err("one value was read where several were wanted".into()),
        }
    }

    /// Checks that exactly these fields are stored, as text.
    pub(super) async fn holds_fields(
        &self,
        name: &SecretName,
        wanted: &[(&str, &str)],
    ) -> std::result::Result<Version, Failed> {
        let (stored, version) = self.read_fields(name).await?;
        let mut names: Vec<&str> = stored.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        let wanted_names: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
        ensure(names == wanted_names, || {
            format!("the fields are {names:?}, not {wanted_names:?}")
        })?;
        for (name, text) in wanted {
            let value = stored.get(name).map(|field| field.value().expose());
            ensure(value == Some(canary(text).as_bytes()), || {
                format!("the field {name} has another value")
            })?;
        }
        Ok(version)
    }

    /// Checks that exactly this value is stored.
    pub(super) async fn holds(
        &self,
        name: &SecretName,
        bytes: &[u8],
    ) -> std::result::Result<Version, Failed> {
        let stored = self.provider.read(name, WantedShape::Single).await?;
        ensure(is_single(&stored, bytes), || {
            format!("{name} has another value")
        })?;
        Ok(stored.version)
    }

    /// Checks that nothing is stored under `name`, by looking and by reading.
    pub(super) async fn holds_nothing(&self, name: &SecretName) -> Outcome {
        let presence = self.look(name, Depth::Metadata).await?;
        ensure(presence == Presence::Absent, || {
            format!("{name} is {presence:?}, not absent")
        })?;
        let read = self.provider.read(name, WantedShape::Single).await;
        refused(read, &[ErrorKind::NotFound])
    }

    pub(super) async fn look(
        &self,
        name: &SecretName,
        depth: Depth,
    ) -> std::result::Result<Presence, Failed> {
        let wanted = wanted(name, &[], depth)?;
        let inventory = self.provider.inventory(&[wanted]).await?;
        let answer = inventory.get(name).cloned();
        answer.ok_or_else(|| format!("{name} was asked and not answered").into())
    }
}

pub(super) fn wanted(
    name: &SecretName,
    fields: &[&str],
    depth: Depth,
) -> std::result::Result<Wanted, Failed> {
    let fields: std::result::Result<_, _> = fields.iter().map(|field| field.parse()).collect();
    Ok(Wanted {
        name: name.clone(),
        fields: fields?,
        depth,
    })
}

pub(super) fn marks() -> Marks {
    Marks::of("conformance")
}

/// A value that would be recognised wherever it got to.
pub(super) fn canary(text: &str) -> String {
    format!("{CANARY}-{text}")
}

/// One value of [`canary`].
pub(super) fn single(text: &str) -> Document {
    Document::Single(canary(text).into())
}

/// Several values of [`canary`], as text.
pub(super) fn fields(pairs: &[(&str, &str)]) -> Fields {
    let mut fields = Fields::new();
    for (name, text) in pairs {
        // Names are constants of the trials, and different ones.
        let _new = fields.insert(*name, FieldValue::Text(canary(text).into()));
    }
    fields
}

pub(super) fn is_single(stored: &Stored, bytes: &[u8]) -> bool {
    matches!(&stored.document, Document::Single(value) if value.expose() == bytes)
}

pub(super) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if holds {
        Ok(())
    } else {
        Err(otherwise().into())
    }
}

/// Checks that a call failed in one of these ways, and that no text of the error has a value.
pub(super) fn refused<T>(result: Result<T>, kinds: &[ErrorKind]) -> Outcome {
    let Err(error) = result else {
        return Err(format!("it succeeded, and should have failed with {kinds:?}").into());
    };
    ensure(kinds.contains(&error.kind()), || {
        format!("it failed with {error:?}, not with {kinds:?}")
    })?;
    keeps_quiet(&error)
}

fn keeps_quiet(error: &Error) -> Outcome {
    ensure(!leaks(&format!("{error} {error:?} {error:#?}")), || {
        "the error has a value".to_owned()
    })?;
    let mut source = error.source();
    while let Some(cause) = source {
        ensure(!leaks(&format!("{cause} {cause:?}")), || {
            "a source of the error has a value".to_owned()
        })?;
        source = cause.source();
    }
    Ok(())
}

/// Tells whether a text has a value of [`canary`], plain or in a form that is easily turned back.
pub(super) fn leaks(text: &str) -> bool {
    let bytes = format!("{:?}", CANARY.as_bytes());
    let hex: Vec<String> = CANARY.bytes().map(|b| format!("{b:02x}")).collect();
    // Whole groups of three bytes only: those are the same whatever follows.
    let base64 = STANDARD.encode(CANARY);
    let bytes = bytes.trim_matches(['[', ']']);
    [CANARY, bytes, &hex.concat(), &base64]
        .iter()
        .any(|form| text.contains(form))
}

/// Whether writers exclude each other.
pub(super) fn excludes(guarantee: Guarantee) -> bool {
    match guarantee {
        Guarantee::Atomic | Guarantee::Claimed => true,
        Guarantee::Converging => false,
    }
}

/// Twelve bytes, so that its base64 has no padding.
const CANARY: &str = "canary7Qx2Vd";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_recognised_in_every_form() {
        let value = canary("x");
        for text in [
            format!("got {value}"),
            format!("{:?}", value.as_bytes()),
            STANDARD.encode(&value),
        ] {
            assert!(leaks(&text), "{text}");
        }
        assert!(!leaks("create `canary`: refused"));
    }

    #[test]
    fn an_error_whose_source_has_the_value_is_found_out() {
        use crate::Operation;
        let error = Error::new(ErrorKind::Invalid, Operation::Create, "refused");
        assert!(keeps_quiet(&error).is_ok());
        let leaky = error.caused_by(std::io::Error::other(canary("x")));
        assert!(keeps_quiet(&leaky).is_err());
    }
}
