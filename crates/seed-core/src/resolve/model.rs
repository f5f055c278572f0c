//! The contract for one environment, with nothing left to decide but what is there.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::text::{Alternative, ResolvedPart, ResolvedText};
use crate::backend::Kind;
use crate::contract::{Creation, Deletion, PaceOverride, Refresh, StoreKind};
use crate::facts::Facts;
use crate::name::{EntryKey, FieldName, SecretName, ValueId};
use crate::value::{Checks, Derivation, Encode, Form, Newline, Placeholders, Recipe};

/// What a contract is resolved for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The environment's name, if there is one.
    pub env: Option<String>,
    /// All facts, defaults included.
    pub facts: Facts,
    /// Where values are kept, in place of the contract's `backend`.
    pub backend: Option<String>,
    /// What manifests read from, in place of the backend that values are kept in.
    pub manifests_for: Option<String>,
    /// Nobody asks for manifests: what only they need is not looked at.
    pub values_only: bool,
    /// Secrets are written to the cluster too.
    pub cluster: bool,
}

/// The contract for one environment.
#[derive(Debug)]
pub struct Resolved {
    /// The contract's name.
    pub contract: String,
    /// The environment, if there is one.
    pub env: Option<String>,
    /// Base of every path, relative to the contract's directory.
    pub root: String,
    /// The backends in use, by name.
    pub backends: BTreeMap<String, ResolvedBackend>,
    /// Where values are kept.
    pub backend: String,
    /// What manifests read from; `None` when that could only be `local`, which is no store.
    pub manifests_for: Option<String>,
    /// The store that manifests refer to.
    pub store: Option<ResolvedStore>,
    /// What is put on every object of the manifests.
    pub emit: ResolvedEmit,
    /// Entries in the contract's order, inactive ones included.
    pub entries: IndexMap<EntryKey, ResolvedEntry>,
    /// Active values, every one after those that it is made from.
    pub order: Vec<ValueId>,
    /// Secrets in the contract's order, one for each namespace.
    pub targets: Vec<ResolvedTarget>,
    /// Files in the contract's order, active ones only.
    pub files: Vec<ResolvedFile>,
    /// The cluster, when Secrets are written to it too.
    pub cluster: Option<ResolvedCluster>,
}

/// The cluster that the Secrets are in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ResolvedCluster {
    /// A context of the kubeconfig.
    pub context: Option<String>,
    /// The address that the context must have.
    pub server: Option<String>,
    /// For each value that is kept in no backend, the keys of Secrets that hold it and nothing else, in the contract's
    /// order.
    pub keepers: BTreeMap<ValueId, Vec<ValueId>>,
}

/// A backend in use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResolvedBackend {
    /// Its name in the contract.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The adapter's own settings.
    pub settings: BTreeMap<String, String>,
    /// Before every stored name.
    pub prefix: String,
    /// Tags on every stored object.
    pub labels: BTreeMap<String, String>,
    /// Calls a minute.
    pub pace: PaceOverride,
    /// The store that reads from it.
    pub store: Option<ResolvedStore>,
    /// External Secrets Operator's own block of the provider.
    pub auth: Option<Value>,
    /// Annotations of the service accounts that `auth` names, where they are the contract's to make.
    pub service_account: Option<BTreeMap<String, String>>,
}

/// What the contract puts on every object of its manifests.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ResolvedEmit {
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
}

impl ResolvedEmit {
    /// The metadata of an object that no target describes.
    pub(crate) fn metadata(&self, name: &str, namespace: Option<&str>) -> Map<String, Value> {
        let mut metadata = Map::from_iter([("name".to_owned(), json!(name))]);
        if let Some(namespace) = namespace {
            metadata.insert("namespace".to_owned(), json!(namespace));
        }
        for (key, texts) in [("labels", &self.labels), ("annotations", &self.annotations)] {
            if !texts.is_empty() {
                metadata.insert(key.to_owned(), json!(texts));
            }
        }
        metadata
    }
}

/// A (Cluster)SecretStore.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ResolvedStore {
    /// Namespaced or not.
    pub kind: StoreKind,
    /// Its name.
    pub name: String,
}

/// Whether something is needed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Activity {
    /// It is.
    Active,
    /// It is not, for this reason.
    Inactive(String),
}

impl Activity {
    /// Whether it is needed.
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Active)
    }
}

/// Where an entry is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// In a backend.
    Backend {
        /// Its name in the contract.
        backend: String,
        /// What it is.
        kind: Kind,
        /// The stored name.
        name: SecretName,
    },
    /// In no backend: only in Secrets that `seed` writes itself.
    Nowhere,
}

/// One backend entry.
#[derive(Debug)]
pub struct ResolvedEntry {
    /// Its key in the contract.
    pub key: EntryKey,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it is needed.
    pub activity: Activity,
    /// Where its values are kept. `None` for an inactive entry, whose place is not worked out.
    pub place: Option<Place>,
    /// Where manifests read it. `None` when there is no such place.
    pub manifest_place: Option<Place>,
    /// Tags on the stored object.
    pub labels: BTreeMap<String, String>,
    /// The map key of a single value on vault and kubernetes.
    pub value_key: FieldName,
    /// Whether it declares `fields`.
    pub has_fields: bool,
    /// Its one value, or one for each field in the contract's order.
    pub values: Vec<ResolvedValue>,
}

/// One value.
#[derive(Debug)]
pub struct ResolvedValue {
    /// Which one.
    pub id: ValueId,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it is needed.
    pub activity: Activity,
    /// Where it comes from. `None` for an inactive value, whose parameters are not worked out.
    pub source: Option<ResolvedSource>,
    /// Text before a generated or provided value.
    pub prefix: String,
    /// Text after a generated or provided value.
    pub suffix: String,
    /// What must hold.
    pub checks: Checks,
    /// Final line feed.
    pub newline: Option<Newline>,
    /// What the application reads.
    pub form: Option<Form>,
    /// How it is stored.
    pub encode: Option<Encode>,
    /// What rotation may do.
    pub rotate: ResolvedRotate,
    /// Absent is fine.
    pub optional: bool,
    /// Texts that stand for "not yet".
    pub placeholders: Placeholders,
}

/// Where a value comes from.
#[derive(Debug)]
pub enum ResolvedSource {
    /// Text around other values.
    Compose(ResolvedText),
    /// Made from another value.
    Derive {
        /// How.
        derivation: Derivation,
        /// From which.
        of: ValueId,
    },
    /// Must not exist, for this reason.
    Forbidden(String),
    /// A random value, made once.
    Generate {
        /// How.
        recipe: Recipe,
        /// Used instead, when given.
        provide: Option<Provided>,
    },
    /// A running service writes it later.
    Mint {
        /// Which.
        by: String,
    },
    /// A person or another system gives it.
    Provide(Provided),
    /// A literal that is not secret.
    Value(String),
}

/// How a person or another system gives a value.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Provided {
    /// Shown to the person.
    pub how: Option<String>,
    /// Where to get it.
    pub url: Option<String>,
    /// A variable that may hold it.
    pub env: Option<String>,
    /// A file that may hold it.
    pub file: Option<String>,
}

/// What rotation may do.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum ResolvedRotate {
    /// Asks first, with this reason.
    Careful(String),
    /// At any time.
    #[default]
    Free,
    /// Never.
    Never,
    /// Together with these, itself left out.
    With(Vec<ValueId>),
}

/// One Kubernetes Secret in one namespace.
#[derive(Debug)]
pub struct ResolvedTarget {
    /// The target's key as written in the contract.
    pub key: String,
    /// The namespace.
    pub namespace: String,
    /// The Secret's name.
    pub secret: String,
    /// The `ExternalSecret`'s name.
    pub manifest_name: String,
    /// Whether it is wanted.
    pub activity: Activity,
    /// The Secret's keys; those whose values are inactive are in `left_out`.
    pub data: IndexMap<String, TargetValue>,
    /// Keys left out because a value is inactive, with the reason.
    pub left_out: Vec<(String, String)>,
    /// Active entries whose fields all go in.
    pub extract: Vec<EntryKey>,
    /// The Secret's type.
    pub kind: Option<String>,
    /// The Secret's labels.
    pub labels: BTreeMap<String, String>,
    /// The Secret's annotations.
    pub annotations: BTreeMap<String, String>,
    /// Whether the Secret can be changed.
    pub immutable: Option<bool>,
    /// The `ExternalSecret`'s labels, defaults included.
    pub manifest_labels: BTreeMap<String, String>,
    /// The `ExternalSecret`'s annotations, defaults included.
    pub manifest_annotations: BTreeMap<String, String>,
    /// The store, when it is not the contract's.
    pub store: Option<ResolvedStore>,
    /// Who owns the Secret.
    pub creation: Creation,
    /// What happens to the Secret.
    pub deletion: Deletion,
    /// When it is read again.
    pub refresh: Refresh,
    /// How often, in Go's canonical form.
    pub interval: String,
    /// Who reads it only at start.
    pub restart: Vec<String>,
    /// Who makes it instead of us.
    pub made_by: Option<String>,
    /// External Secrets Operator's own template block.
    pub template: Option<Value>,
    /// A JSON merge patch on the `ExternalSecret`.
    pub patch: Option<Value>,
    /// Written to the cluster by `seed` itself.
    pub direct: bool,
}

/// What is under one key of a Secret.
#[derive(Debug)]
pub enum TargetValue {
    /// Text with values in it.
    Text(ResolvedText),
    /// Fed by no backend key.
    Unfed,
}

/// A file that holds values.
#[derive(Debug)]
pub struct ResolvedFile {
    /// Its path below `root`.
    pub path: String,
    /// What is in it.
    pub tree: Tree,
}

/// The content of a file, with values still to be filled in.
#[derive(Debug)]
pub enum Tree {
    /// `KEY="value"` lines.
    Dotenv(Vec<(String, ResolvedText)>),
    /// A JSON document.
    Json(Branch),
    /// Text.
    Text(ResolvedText),
    /// A YAML document.
    Yaml(Branch),
}

/// A node of a JSON or YAML document.
#[derive(Debug)]
pub enum Branch {
    /// A leaf that is no text.
    Fixed(Value),
    /// A list.
    List(Vec<Self>),
    /// A mapping.
    Map(Vec<(String, Self)>),
    /// Text with values in it.
    Text(ResolvedText),
}

impl Resolved {
    /// Looks a value up.
    pub fn value(&self, id: &ValueId) -> Option<&ResolvedValue> {
        self.entries
            .get(&id.entry)?
            .values
            .iter()
            .find(|value| value.id == *id)
    }

    /// Whether no backend keeps a value.
    pub fn is_kept_nowhere(&self, id: &ValueId) -> bool {
        let entry = self.entries.get(&id.entry);
        entry.is_some_and(|entry| matches!(entry.place, Some(Place::Nowhere)))
    }

    /// The keys of Secrets that hold a value which no backend keeps.
    pub fn keepers(&self, id: &ValueId) -> &[ValueId] {
        let cluster = self.cluster.as_ref();
        let keepers = cluster.and_then(|cluster| cluster.keepers.get(id));
        keepers.map_or(&[], Vec::as_slice)
    }

    /// The target of a Secret that is written to the cluster directly.
    pub fn direct_target(&self, key: &EntryKey) -> Option<&ResolvedTarget> {
        let secret = key.as_secret()?;
        let mut targets = self.targets.iter().filter(|target| target.is_delivered());
        targets.find(|target| target.name() == secret)
    }

    /// Every value, in the contract's order, inactive ones included.
    pub fn values(&self) -> impl Iterator<Item = (&ResolvedEntry, &ResolvedValue)> {
        self.entries
            .values()
            .flat_map(|entry| entry.values.iter().map(move |value| (entry, value)))
    }
}

impl ResolvedTarget {
    /// `namespace/name` of the Secret.
    pub fn name(&self) -> String {
        format!("{}/{}", self.namespace, self.secret)
    }

    /// Whether `seed` writes it to the cluster itself, when it is told to.
    pub fn is_delivered(&self) -> bool {
        self.direct && self.made_by.is_none() && self.activity.is_active()
    }
}

impl Place {
    /// The stored name, if it is in a backend.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Backend { name, .. } => Some(name.as_str()),
            Self::Nowhere => None,
        }
    }
}

impl ResolvedValue {
    /// A text that is this value and nothing else.
    pub fn as_text(&self) -> ResolvedText {
        let id = self.id.clone();
        let alternative = if self.optional {
            Alternative::Optional(id)
        } else {
            Alternative::Required(id)
        };
        ResolvedText::new([ResolvedPart::Value {
            alternatives: vec![alternative],
            filters: Vec::new(),
        }])
    }

    /// The values that this one is made from, in the order in which they are read. Optional ones may be absent.
    pub fn reads(&self) -> Vec<&ValueId> {
        match &self.source {
            Some(ResolvedSource::Compose(text)) => text.values().collect(),
            Some(ResolvedSource::Derive { of, .. }) => vec![of],
            Some(
                ResolvedSource::Forbidden(_)
                | ResolvedSource::Generate { .. }
                | ResolvedSource::Mint { .. }
                | ResolvedSource::Provide(_)
                | ResolvedSource::Value(_),
            )
            | None => Vec::new(),
        }
    }

    /// Whether it must not exist.
    pub fn is_forbidden(&self) -> bool {
        matches!(self.source, Some(ResolvedSource::Forbidden(_)))
    }

    /// Whether nobody has to act while it is absent: it is optional, or a service writes it later.
    pub fn may_be_absent(&self) -> bool {
        self.optional || matches!(self.source, Some(ResolvedSource::Mint { .. }))
    }

    /// Whether the value may be bytes that are no text.
    pub fn is_binary(&self) -> bool {
        matches!(&self.source, Some(ResolvedSource::Generate { recipe, .. }) if recipe.is_binary())
    }

    /// Whether it is stored as base64 in a backend of this kind.
    pub fn is_stored_base64(&self, kind: Kind) -> bool {
        let native = if self.id.field.is_some() {
            kind.stores_binary_fields()
        } else {
            kind.stores_binary()
        };
        self.encode.is_some() || (self.is_binary() && !native)
    }
}

impl Branch {
    /// Calls `visit` for every text below.
    pub fn each_text<'t>(&'t self, visit: &mut dyn FnMut(&'t ResolvedText)) {
        match self {
            Self::Fixed(_) => {}
            Self::List(items) => items.iter().for_each(|item| item.each_text(visit)),
            Self::Map(members) => members
                .iter()
                .for_each(|(_, member)| member.each_text(visit)),
            Self::Text(text) => visit(text),
        }
    }
}
