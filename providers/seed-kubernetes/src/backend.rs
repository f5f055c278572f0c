//! The verbs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use seed_core::backend::{Capabilities, Confirm, Description, Guarantee, Kind, Pace};
use seed_core::document::{Document, Fields};
use seed_core::inventory::{Inventory, Version, Wanted};
use seed_core::name::SecretName;
use seed_core::secret::SecretValue;
use seed_provider::{
    Error, ErrorKind, Identity, Marks, Operation, Policy, Provider, Replace, Result, Stored,
    WantedShape,
};
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use crate::cluster::{Access, Call, Cluster, ConfigError};
use crate::form::{Form, OPAQUE};
use crate::labels;
use crate::object::{self, Dropped, Encoded, SINGLE, Secret};
use crate::owner;
use crate::place::{Proven, refused_mark};

/// Where Secrets are kept.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Which API server.
    pub access: Access,
    /// The namespace; that of the context without one.
    pub namespace: Option<String>,
    /// Whether a namespace that does not exist is created with the first Secret.
    pub create_namespace: bool,
}

/// What every API server promises.
pub const CAPABILITIES: Capabilities = Capabilities {
    create: Guarantee::Atomic,
    add_fields: Guarantee::Atomic,
    concurrency: NonZeroUsize::MIN.saturating_add(31),
    pace: Pace {
        reads: None,
        writes: None,
    },
};

/// Secrets of one namespace.
pub struct Kubernetes {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) namespace: String,
    pub(crate) create_namespace: bool,
    pub(crate) proven: OnceCell<Proven>,
    pub(crate) created: OnceCell<()>,
    /// Whether the set-up calls ask as whom they are made.
    pub(crate) asks_who: bool,
    /// How Secrets are made that are not like all others, by their names.
    forms: BTreeMap<String, Form>,
    confirm: Confirm,
    notes: Mutex<BTreeSet<String>>,
}

impl Kubernetes {
    /// Finds the API server and the namespace. Reads files, and makes no call.
    pub fn new(config: &Config, policy: Policy) -> Result<Self, ConfigError> {
        let cluster = Cluster::find(&config.access, policy)?;
        let named = config.access.context.is_some() || config.access.server.is_some();
        // The credential is the context's own, so only what is written where needs a word.
        let confirm = if named && config.namespace.is_some() {
            Confirm::Never
        } else {
            Confirm::BeforeWrites
        };
        let namespace = config.namespace.as_deref().or(cluster.namespace());
        let namespace = namespace.unwrap_or("default").to_owned();
        if !is_namespace(&namespace) {
            return Err(ConfigError::new(
                format!("`{namespace}` is no name of a namespace"),
                "it has at most 63 small letters, digits and `-`, with a letter or digit at both ends",
            ));
        }
        Ok(Self {
            cluster: Arc::new(cluster),
            namespace,
            create_namespace: config.create_namespace,
            asks_who: true,
            forms: BTreeMap::new(),
            proven: OnceCell::new(),
            created: OnceCell::new(),
            confirm,
            notes: Mutex::default(),
        })
    }

    /// One namespace of several on a server.
    pub(crate) fn one_of_several(
        cluster: Arc<Cluster>,
        namespace: String,
        create_namespace: bool,
        forms: BTreeMap<String, Form>,
    ) -> Self {
        Self {
            cluster,
            namespace,
            create_namespace,
            proven: OnceCell::new(),
            created: OnceCell::new(),
            asks_who: false,
            forms,
            confirm: Confirm::Never,
            notes: Mutex::default(),
        }
    }

    /// Notes of this namespace alone.
    pub(crate) fn own_notes(&self) -> Vec<String> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.iter().cloned().collect()
    }

    /// The type that a Secret has when it is ours.
    pub(crate) fn kind_of(&self, name: &str) -> &str {
        let form = self.forms.get(name);
        form.and_then(|form| form.kind.as_deref()).unwrap_or(OPAQUE)
    }

    pub(crate) fn note(&self, note: String) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.insert(note);
    }

    /// Where all Secrets are.
    pub(crate) fn path(&self) -> String {
        format!("/api/v1/namespaces/{}/secrets", self.namespace)
    }

    /// Asks for one Secret.
    pub(crate) fn get(&self, operation: Operation, name: &SecretName) -> Call {
        Call::get(operation, format!("{}/{name}", self.path()))
            .about(name)
            .needing(self.needs("get"))
    }

    /// A permission, as people grant it.
    pub(crate) fn needs(&self, verb: &str) -> String {
        format!("`{verb}` on secrets in the namespace `{}`", self.namespace)
    }

    /// Reads one Secret, with or without its values.
    async fn fetch<T: serde::de::DeserializeOwned>(
        &self,
        operation: Operation,
        name: &SecretName,
    ) -> Result<Secret<T>> {
        let call = self.get(operation, name);
        let answer = self.cluster.send(&call).await?;
        if answer.says_not_found("secrets", name.as_str()) {
            let message = "nothing is there";
            return Err(Error::new(ErrorKind::NotFound, operation, message).about(name));
        }
        let secret: Secret<T> = self.cluster.object(&call, &answer)?;
        self.check(&call, &answer, name, secret)
    }

    /// Checks that an object is the Secret that was asked for.
    fn check<T>(
        &self,
        call: &Call,
        answer: &crate::cluster::Answer,
        name: &SecretName,
        secret: Secret<T>,
    ) -> Result<Secret<T>> {
        let Secret { kind, metadata, .. } = &secret;
        let right = kind.as_deref() == Some("Secret")
            && metadata.name == name.as_str()
            && metadata.namespace == self.namespace
            && !metadata.resource_version.is_empty();
        if right {
            Ok(secret)
        } else {
            Err(self.cluster.unreadable(call, answer))
        }
    }

    /// Changes a Secret that is still of this version. `gone` are keys that go.
    async fn patch(
        &self,
        operation: Operation,
        name: &SecretName,
        data: &[(&str, &SecretValue)],
        gone: &[String],
        expected: &str,
    ) -> Result<Version> {
        let mut head = Map::new();
        // Without it the server would write over whatever is there.
        head.insert("metadata".to_owned(), json!({"resourceVersion": expected}));
        let path = format!("{}/{name}?fieldManager=seed", self.path());
        let call = Call::patch(operation, path, object::body(head, data, gone))
            .about(name)
            .needing(self.needs("patch"));
        let answer = self.cluster.send(&call).await?;
        if answer.says_not_found("secrets", name.as_str()) {
            let message = "nothing is there any more";
            return Err(Error::new(ErrorKind::NotFound, operation, message).about(name));
        }
        let secret = self.cluster.object(&call, &answer)?;
        let secret: Secret<Dropped> = self.check(&call, &answer, name, secret)?;
        Ok(Version::new(secret.metadata.resource_version))
    }

    /// Fills a Secret that somebody made without any value; fails with `AlreadyExists` when there is one.
    async fn fill(&self, name: &SecretName, data: &[(&str, &SecretValue)]) -> Result<Version> {
        for _ in 0..ROUNDS {
            let version = self.empty_version(name).await?;
            match self
                .patch(Operation::Create, name, data, &[], version.as_str())
                .await
            {
                // Somebody else may have filled it, or only labelled it.
                Err(err) if err.kind() == ErrorKind::Conflict => {}
                filled => return filled,
            }
        }
        let message = "it is changed again and again; run this again";
        Err(Error::new(ErrorKind::Conflict, Operation::Create, message).about(name))
    }

    /// The version of a Secret without any value that may be filled.
    async fn empty_version(&self, name: &SecretName) -> Result<Version> {
        let operation = Operation::Create;
        let error = |kind, message: String| Err(Error::new(kind, operation, message).about(name));
        let taken = || {
            error(
                ErrorKind::AlreadyExists,
                "something of that name exists".to_owned(),
            )
        };
        let there: Secret<Dropped> = match self.fetch(operation, name).await {
            Err(err) if err.kind() == ErrorKind::NotFound => {
                let message = "it was there, and is gone again; run this again".to_owned();
                return error(ErrorKind::Conflict, message);
            }
            // It exists, whatever we may see of it.
            Err(err) if err.kind() == ErrorKind::Denied => return taken(),
            there => there?,
        };
        if owner::is_going(&there.metadata) {
            let message = format!("it {}; run this again when it is gone", owner::GOING);
            return error(ErrorKind::Conflict, message);
        }
        if !there.is_empty() {
            return taken();
        }
        if let Some(why) = owner::refuses(&there, self.kind_of(name.as_str())) {
            let message = format!("it is empty and {why}, so nothing is written into it");
            return error(ErrorKind::Conflict, message);
        }
        Ok(Version::new(there.metadata.resource_version))
    }
}

/// How often a Secret may change under us before we give it up.
const ROUNDS: usize = 10;

impl fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubernetes")
            .field("cluster", &self.cluster)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Provider for Kubernetes {
    fn describe(&self) -> Description {
        let server = self.cluster.server();
        let place = match self.cluster.context() {
            Some(context) => {
                format!("namespace {}, context {context} ({server})", self.namespace)
            }
            None => format!(
                "namespace {} of this pod's cluster ({server})",
                self.namespace
            ),
        };
        Description {
            kind: Kind::Kubernetes,
            place,
            identity: self.cluster.user().map(str::to_owned),
            confirm: self.confirm,
            capabilities: CAPABILITIES,
        }
    }

    async fn identify(&self) -> Result<Identity> {
        Ok(self.proven().await?.identity.clone())
    }

    fn notes(&self) -> Vec<String> {
        let notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        self.cluster
            .notes()
            .iter()
            .chain(&*notes)
            .cloned()
            .collect()
    }

    async fn inventory(&self, wanted: &[Wanted]) -> Result<Inventory> {
        self.look(wanted).await
    }

    async fn read(&self, name: &SecretName, shape: WantedShape) -> Result<Stored> {
        let operation = Operation::Read;
        if self.is_void().await? {
            let message = "nothing is there";
            return Err(Error::new(ErrorKind::NotFound, operation, message).about(name));
        }
        let secret: Secret<Encoded> = self.fetch(operation, name).await?;
        let version = Version::new(secret.metadata.resource_version.clone());
        let fields = secret.into_fields();
        let document = match shape {
            WantedShape::Fields => Document::Fields(fields),
            WantedShape::Single => {
                let only = fields.get(SINGLE).filter(|_| fields.len() == 1);
                let single = only.map(|value| Document::Single(value.value().duplicate()));
                single.ok_or_else(|| {
                    let message = "several values are stored, not one";
                    Error::new(ErrorKind::WrongShape, operation, message).about(name)
                })?
            }
        };
        Ok(Stored { document, version })
    }

    async fn create(
        &self,
        name: &SecretName,
        document: &Document,
        marks: &Marks,
    ) -> Result<Version> {
        let operation = Operation::Create;
        let data = object::data(document);
        refuse(operation, name, &data)?;
        let metadata = labels::metadata(name.as_str(), marks);
        let mut metadata = metadata.map_err(|key| refused_mark(&key).about(name))?;
        let form = self.forms.get(name.as_str());
        form.inspect(|form| form.annotate(&mut metadata));
        self.make_namespace(marks)
            .await
            .map_err(|err| err.about(name))?;
        let mut head = secret_head(metadata, self.kind_of(name.as_str()));
        if let Some(immutable) = form.and_then(|form| form.immutable) {
            head.insert("immutable".to_owned(), json!(immutable));
        }
        let path = format!("{}?fieldManager=seed", self.path());
        let call = Call::post(operation, path, object::body(head, &data, &[]))
            .about(name)
            .needing(self.needs("create"));
        let answer = self.cluster.send(&call).await?;
        if answer.says_already_exists("secrets", name.as_str()) {
            return self.fill(name, &data).await;
        }
        if answer.says_not_found("namespaces", &self.namespace) {
            let message = format!(
                "the namespace `{}` does not exist any more; create it, and run this again",
                self.namespace
            );
            return Err(Error::new(ErrorKind::Misplaced, operation, message).about(name));
        }
        let secret = self.cluster.object(&call, &answer)?;
        let secret: Secret<Dropped> = self.check(&call, &answer, name, secret)?;
        Ok(Version::new(secret.metadata.resource_version))
    }

    async fn add_fields(
        &self,
        name: &SecretName,
        new: &Fields,
        expected: &Version,
    ) -> Result<Version> {
        let operation = Operation::AddFields;
        let data = object::values(new);
        refuse(operation, name, &data)?;
        let there = self.to_change(operation, name, expected).await?;
        let keys = there.keys();
        if let Some((key, _)) = data.iter().find(|(key, _)| keys.contains(*key)) {
            let message = format!("it has the field `{key}` already; nothing was added");
            return Err(Error::new(ErrorKind::AlreadyExists, operation, message).about(name));
        }
        self.patch(operation, name, &data, &[], expected.as_str())
            .await
    }
}

#[async_trait]
impl Replace for Kubernetes {
    async fn replace(
        &self,
        name: &SecretName,
        document: &Document,
        expected: &Version,
    ) -> Result<Version> {
        let operation = Operation::Replace;
        let data = object::data(document);
        refuse(operation, name, &data)?;
        let there = self.to_change(operation, name, expected).await?;
        let stays = |key: &String| data.iter().any(|(new, _)| new == key);
        let gone: Vec<String> = there.keys().into_iter().filter(|key| !stays(key)).collect();
        self.patch(operation, name, &data, &gone, expected.as_str())
            .await
    }
}

impl Kubernetes {
    /// What is there, if it may be changed and is what was seen.
    async fn to_change(
        &self,
        operation: Operation,
        name: &SecretName,
        expected: &Version,
    ) -> Result<Secret<Dropped>> {
        self.proven().await?;
        let there: Secret<Dropped> = self.fetch(operation, name).await?;
        let kind = self.kind_of(name.as_str());
        writable(operation, name, (&there, kind), expected)?;
        Ok(there)
    }
}

/// Checks that what is there may be written into, and is what was seen.
fn writable(
    operation: Operation,
    name: &SecretName,
    (there, kind): (&Secret<Dropped>, &str),
    expected: &Version,
) -> Result<()> {
    let error = |kind, message: String| Err(Error::new(kind, operation, message).about(name));
    if there.metadata.resource_version != expected.as_str() {
        return error(
            ErrorKind::Conflict,
            "it was changed meanwhile; look again".to_owned(),
        );
    }
    match owner::refuses(there, kind) {
        Some(why) => error(
            ErrorKind::Denied,
            format!("it {why}, so nothing is written into it; change it where it comes from"),
        ),
        None => Ok(()),
    }
}

/// Refuses what no API server takes, before a call.
fn refuse(operation: Operation, name: &SecretName, data: &[(&str, &SecretValue)]) -> Result<()> {
    let error =
        |message: String| Err(Error::new(ErrorKind::Invalid, operation, message).about(name));
    let plain = |key: &str| {
        key.bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"-._".contains(&c))
    };
    let dots = |key: &str| key == "." || key.starts_with("..");
    let wrong = |key: &str| key.is_empty() || key.len() > 253 || !plain(key) || dots(key);
    if let Some((key, _)) = data.iter().find(|(key, _)| wrong(key)) {
        return error(format!("`{key}` is no key of a Secret"));
    }
    let most = Kind::Kubernetes.rule().max_bytes;
    if data.iter().map(|(_, value)| value.len()).sum::<usize>() > most {
        return error(format!(
            "it is larger than the {most} bytes that a Secret takes"
        ));
    }
    Ok(())
}

fn secret_head(metadata: Map<String, Value>, kind: &str) -> Map<String, Value> {
    let mut head = Map::new();
    head.insert("apiVersion".to_owned(), json!("v1"));
    head.insert("kind".to_owned(), json!("Secret"));
    head.insert("metadata".to_owned(), Value::Object(metadata));
    head.insert("type".to_owned(), json!(kind));
    head
}

fn is_namespace(name: &str) -> bool {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 63
        && name.starts_with(edge)
        && name.ends_with(edge)
        && name.chars().all(|c| edge(c) || c == '-')
}
