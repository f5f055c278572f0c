//! The verbs.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use seed_core::backend::{Description, Kind};
use seed_core::document::{self, Document, FieldValue, Fields, ShapeError};
use seed_core::inventory::{Inventory, Version, Wanted};
use seed_core::name::SecretName;
use seed_core::secret::SecretValue;
use seed_provider::{
    Error, ErrorKind, Identity, Marks, Operation, Provider, Replace, Restore, Result, Stored,
    Versions, WantedShape,
};
use vaultrs::api::kv2::requests::UndeleteSecretVersionsRequest;

use crate::answer::{Answer, Words};
use crate::body::{self, Seen};
use crate::calls::Call;
use crate::fault::Ask;
use crate::vault::{CAPABILITIES, Vault};

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for Vault {
    fn describe(&self) -> Description {
        Description {
            kind: Kind::Vault,
            place: self.place.words(),
            identity: None,
            confirm: self.place.confirm(),
            capabilities: CAPABILITIES,
        }
    }

    async fn identify(&self) -> Result<Identity> {
        let session = self.session(Operation::Identify).await?;
        let who = session.who.clone();
        Ok(Identity { who })
    }

    fn notes(&self) -> Vec<String> {
        self.notes.all()
    }

    async fn inventory(&self, wanted: &[Wanted]) -> Result<Inventory> {
        self.look_up(wanted).await
    }

    async fn read(&self, name: &SecretName, shape: WantedShape) -> Result<Stored> {
        let ask = Ask::read(Operation::Read, Some(name));
        let (object, version) = self.fetch(ask, name, None).await?;
        stored(ask, &object, version, shape)
    }

    async fn create(
        &self,
        name: &SecretName,
        document: &Document,
        _marks: &Marks,
    ) -> Result<Version> {
        // Labels are metadata of their own here: a second call, and a permission that nothing else needs.
        let ask = Ask::write(Operation::Create, name);
        let object = body::object(ask, document)?;
        let answer = self.put(ask, name, 0, &object).await?;
        if answer.is_success() {
            return written(ask, &answer);
        }
        let refused = ask.refused(&answer);
        // To a token that may create and not update, Vault says so of every name that exists.
        let denied = refused.kind() == ErrorKind::Denied;
        if !denied && refused.kind() != ErrorKind::Conflict {
            return Err(refused);
        }
        Err(match self.look_at_taken(ask, denied).await {
            Ok(Seen::Live(..)) => {
                ask.of(&answer, ErrorKind::AlreadyExists, "something of that name exists")
            }
            Ok(Seen::Nothing) | Err(_) if denied => refused,
            Ok(Seen::Deleted(version)) => ask.of(
                &answer,
                ErrorKind::Conflict,
                format!("version {version} is deleted and can come back; restore it, or delete its metadata for good"),
            ),
            Ok(Seen::Destroyed(version)) => ask.of(
                &answer,
                ErrorKind::Conflict,
                format!("version {version} is destroyed and holds the name; delete its metadata for good"),
            ),
            Ok(Seen::Nothing) => ask.of(&answer, ErrorKind::Conflict, GONE),
            Err(unseen) => ask.of(&answer, ErrorKind::Conflict, taken_unseen(&unseen)),
        })
    }

    async fn add_fields(
        &self,
        name: &SecretName,
        new: &Fields,
        expected: &Version,
    ) -> Result<Version> {
        let ask = Ask::write(Operation::AddFields, name);
        let cas = number(ask, expected)?;
        if body::size(new) > Kind::Vault.rule().max_bytes {
            return Err(ask.error(ErrorKind::Invalid, body::TOO_LARGE));
        }
        // A merge patch takes a null for "remove", and looks for members of an object to merge with.
        let only_text = new
            .iter()
            .all(|(_, value)| matches!(value, FieldValue::Text(_)));
        if only_text
            && !self.without_patch.load(Ordering::Relaxed)
            && let Some(version) = self.patch(ask, name, new, cas).await?
        {
            return Ok(version);
        }
        self.grow(ask, name, new, cas).await
    }
}

#[async_trait]
impl Replace for Vault {
    async fn replace(
        &self,
        name: &SecretName,
        document: &Document,
        expected: &Version,
    ) -> Result<Version> {
        let ask = Ask::write(Operation::Replace, name);
        let cas = number(ask, expected)?;
        let object = body::object(ask, document)?;
        let answer = self.put(ask, name, cas, &object).await?;
        if answer.words() != Words::CasMismatch || answer.is_success() {
            return written(ask, &answer);
        }
        match self.look(ask).await {
            Ok(Seen::Nothing) => Err(ask.of(&answer, ErrorKind::NotFound, NOTHING)),
            Ok(Seen::Live(..) | Seen::Deleted(_) | Seen::Destroyed(_)) | Err(_) => {
                Err(ask.refused(&answer))
            }
        }
    }
}

#[async_trait]
impl Restore for Vault {
    async fn restore(&self, name: &SecretName) -> Result<()> {
        let ask = Ask::write(Operation::Restore, name);
        let version = match self.look(ask).await? {
            Seen::Live(..) => return Ok(()),
            Seen::Nothing => return Err(ask.error(ErrorKind::NotFound, NOTHING)),
            Seen::Destroyed(version) => {
                let message = format!("version {version} is destroyed and cannot come back");
                return Err(ask.error(ErrorKind::NotFound, message));
            }
            Seen::Deleted(version) => version,
        };
        let request = || UndeleteSecretVersionsRequest {
            mount: self.place.mount.clone(),
            path: name.to_string(),
            versions: vec![version],
        };
        let answer = self.ask_as(ask, request).await?;
        if !answer.is_success() {
            return Err(ask.refused(&answer));
        }
        // A standby may lag behind; each look waits its turn.
        for _ in 0..LOOKS {
            // It has happened, so a look that fails is no failure of it.
            if matches!(self.look(ask).await, Ok(Seen::Live(..))) {
                return Ok(());
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        let message = "it was restored, and cannot be read yet; run the command again";
        Err(ask.error(ErrorKind::Indeterminate, message))
    }
}

#[async_trait]
impl Versions for Vault {
    async fn read_version(
        &self,
        name: &SecretName,
        version: &Version,
        shape: WantedShape,
    ) -> Result<Stored> {
        let ask = Ask::read(Operation::ReadVersion, Some(name));
        let wanted = number(ask, version)?;
        let (object, found) = self.fetch(ask, name, Some(wanted)).await?;
        if found != wanted {
            return Err(ask.error(ErrorKind::Unexpected, "another version was answered"));
        }
        stored(ask, &object, found, shape)
    }
}

impl Vault {
    /// The text of an entry's object, and its version.
    async fn fetch(
        &self,
        ask: Ask<'_>,
        name: &SecretName,
        version: Option<u64>,
    ) -> Result<(SecretValue, u64)> {
        let ask = Ask {
            writes: false,
            ..ask
        };
        let call = || {
            let call = Call::get(self.path("data", name));
            match version {
                Some(version) => call.query(format!("version={version}")),
                None => call,
            }
        };
        let answer = self.ask_as(ask, call).await?;
        if answer.is_success() {
            return body::read(&answer).ok_or_else(|| ask.unreadable(&answer));
        }
        Err(match body::seen(&answer) {
            Some(Seen::Deleted(version)) => ask.of(
                &answer,
                ErrorKind::NotFound,
                format!("version {version} is deleted"),
            ),
            Some(Seen::Destroyed(version)) => ask.of(
                &answer,
                ErrorKind::NotFound,
                format!("version {version} is destroyed"),
            ),
            Some(Seen::Live(..) | Seen::Nothing) | None => ask.refused(&answer),
        })
    }

    /// What holds a name that could not be created. A refusal alone does not tell that anything is there: it may be
    /// deleted by now, or be the word of something that is not Vault.
    async fn look_at_taken(&self, ask: Ask<'_>, denied: bool) -> Result<Seen> {
        let mut seen = self.look(ask).await;
        for _ in 1..LOOKS_AT_TAKEN {
            // A standby may lag behind; of what is denied, nothing is to be expected.
            if denied || !matches!(seen, Ok(Seen::Nothing)) {
                break;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
            seen = self.look(ask).await;
        }
        seen
    }

    /// Writes a version if the current one is `cas`.
    async fn put(
        &self,
        ask: Ask<'_>,
        name: &SecretName,
        cas: u64,
        object: &SecretValue,
    ) -> Result<Answer> {
        let body = body::write(cas, object);
        self.ask_as(ask, || Call::post(self.path("data", name), &body))
            .await
    }

    /// Adds fields without reading any value. `None` where that is not allowed.
    async fn patch(
        &self,
        ask: Ask<'_>,
        name: &SecretName,
        new: &Fields,
        cas: u64,
    ) -> Result<Option<Version>> {
        match self.look(ask).await? {
            Seen::Live(version, names) if version == cas => {
                refuse_existing(ask, new, |field| names.contains(field))?;
            }
            seen @ (Seen::Live(..) | Seen::Deleted(_) | Seen::Destroyed(_) | Seen::Nothing) => {
                return Err(changed(ask, &seen));
            }
        }
        let object = document::encode(&Document::Fields(copy(new)));
        let object = object.map_err(|err| of_shape(ask, err))?;
        let body = body::write(cas, &object);
        let answer = self
            .ask_as(ask, || Call::patch(self.path("data", name), &body))
            .await?;
        if answer.is_success() {
            return written(ask, &answer).map(Some);
        }
        let refused = ask.refused(&answer);
        let mount = &self.place.mount;
        let instead =
            "entries were read and written as a whole to add fields, other fields as they were";
        if refused.kind() == ErrorKind::Denied {
            self.notes
                .tell(format!("`patch` is denied on `{mount}/data/…`; {instead}"));
            return Ok(None);
        }
        if refused.kind() == ErrorKind::Unsupported {
            self.without_patch.store(true, Ordering::Relaxed);
            self.notes.tell(format!(
                "the server has no `patch` for `{mount}`; {instead}"
            ));
            return Ok(None);
        }
        if answer.status != 404 {
            return Err(refused);
        }
        // The server has no words of its own for a patch of what is gone.
        match self.look(ask).await? {
            Seen::Live(version, _) if version == cas => Err(refused),
            seen @ (Seen::Live(..) | Seen::Deleted(_) | Seen::Destroyed(_) | Seen::Nothing) => {
                Err(changed(ask, &seen))
            }
        }
    }

    /// Adds fields to the text of what is stored, and writes the whole of it.
    async fn grow(
        &self,
        ask: Ask<'_>,
        name: &SecretName,
        new: &Fields,
        cas: u64,
    ) -> Result<Version> {
        let (object, version) = match self.fetch(ask, name, None).await {
            Ok(found) => found,
            Err(err) if err.kind() == ErrorKind::NotFound => {
                return Err(changed(ask, &self.look(ask).await?));
            }
            Err(err) => return Err(err),
        };
        if version != cas {
            return Err(ask.error(ErrorKind::Conflict, CHANGED));
        }
        let grown = document::splice(&object, new).map_err(|err| of_shape(ask, err))?;
        let fields = document::decode_fields(&grown).map_err(|err| of_shape(ask, err))?;
        if body::size(&fields) > Kind::Vault.rule().max_bytes {
            return Err(ask.error(ErrorKind::Invalid, body::TOO_LARGE));
        }
        written(ask, &self.put(ask, name, cas, &grown).await?)
    }
}

fn stored(ask: Ask<'_>, object: &SecretValue, version: u64, shape: WantedShape) -> Result<Stored> {
    Ok(Stored {
        document: body::decode(ask, object, shape)?,
        version: Version::new(version.to_string()),
    })
}

fn written(ask: Ask<'_>, answer: &Answer) -> Result<Version> {
    if !answer.is_success() {
        return Err(ask.refused(answer));
    }
    let version = body::written(answer).ok_or_else(|| ask.unreadable(answer))?;
    Ok(Version::new(version.to_string()))
}

/// Our versions are Vault's, from 1 on: 0 would create.
fn number(ask: Ask<'_>, version: &Version) -> Result<u64> {
    let number = version.as_str().parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| {
        ask.error(
            ErrorKind::Conflict,
            "the expected version is none of Vault's",
        )
    })
}

fn refuse_existing(ask: Ask<'_>, new: &Fields, exists: impl Fn(&str) -> bool) -> Result<()> {
    if new.iter().any(|(field, _)| exists(field)) {
        return Err(of_shape(ask, ShapeError::FieldExists));
    }
    Ok(())
}

/// Why fields cannot be added to what was seen.
fn changed(ask: Ask<'_>, seen: &Seen) -> Error {
    match seen {
        Seen::Nothing => ask.error(ErrorKind::NotFound, NOTHING),
        Seen::Live(..) => ask.error(ErrorKind::Conflict, CHANGED),
        Seen::Deleted(version) => {
            let message = format!("version {version} is deleted; restore it first");
            ask.error(ErrorKind::Conflict, message)
        }
        Seen::Destroyed(version) => {
            let message = format!(
                "version {version} is destroyed; delete its metadata for good, and it is made anew"
            );
            ask.error(ErrorKind::Conflict, message)
        }
    }
}

/// What is told of a name that is taken, when it cannot be seen by what.
fn taken_unseen(unseen: &Error) -> String {
    format!(
        "the server answered 400: the name is taken; what holds it cannot be seen: {}",
        unseen.message()
    )
}

fn of_shape(ask: Ask<'_>, err: ShapeError) -> Error {
    let (kind, message) = match err {
        ShapeError::FieldExists => (
            ErrorKind::AlreadyExists,
            "a field that was to be added exists",
        ),
        ShapeError::NotText => (ErrorKind::Invalid, "Vault takes text only in a field"),
        ShapeError::Duplicate | ShapeError::NotAnObject => (
            ErrorKind::WrongShape,
            "what is stored is not a set of fields",
        ),
    };
    ask.error(kind, message)
}

fn copy(fields: &Fields) -> Fields {
    Fields::new().with(fields)
}

const NOTHING: &str = "nothing is stored under that name";
const GONE: &str = "the server answered 400 as if the name were taken, and shows nothing there: it was deleted meanwhile, or this is not Vault's word; run the command again";
const CHANGED: &str = "it was changed meanwhile; run the command again";
const LOOKS: u32 = 20;
const LOOKS_AT_TAKEN: u32 = 8;
const BETWEEN_LOOKS: std::time::Duration = std::time::Duration::from_millis(250);
