//! The contract as it is written: nothing decided, nothing expanded, everything with its place.

use indexmap::IndexMap;

use crate::backend::Kind;
use crate::condition::Condition;
use crate::diagnostic::Spanned;
use crate::facts::Facts;
use crate::name::{EntryKey, FieldName};
use crate::text::Template;
use crate::value::{Encode, Form, Newline, Placeholders};
use crate::yaml::Node;

/// Text that may refer to facts and the environment only.
pub type Setting = Spanned<Template>;

/// A whole contract.
#[derive(Clone, Debug, PartialEq)]
pub struct Contract {
    /// A DNS label.
    pub name: Spanned<String>,
    /// Base of every path, relative to the contract's directory.
    pub root: Option<Setting>,
    /// The environment when none is named otherwise.
    pub env: Option<Spanned<String>>,
    /// Files with facts.
    pub config_files: Vec<Setting>,
    /// Facts below those of the files.
    pub defaults: Facts,
    /// Named conditions.
    pub conditions: IndexMap<String, Spanned<Condition>>,
    /// Which of `backends` is in use.
    pub backend: Option<Setting>,
    /// Places where values are kept.
    pub backends: IndexMap<String, Spanned<Backend>>,
    /// The store that every `ExternalSecret` refers to.
    pub store: Option<Spanned<StoreRef>>,
    /// The cluster that the Secrets are in.
    pub cluster: Option<Spanned<Cluster>>,
    /// Defaults for all targets.
    pub emit: EmitDefaults,
    /// Backend entries.
    pub secrets: IndexMap<EntryKey, Spanned<Entry>>,
    /// Kubernetes Secrets, by `namespace/name` as written.
    pub targets: IndexMap<String, Spanned<Target>>,
    /// Files that hold values, by path as written.
    pub files: IndexMap<String, Spanned<File>>,
}

/// One of `backends`.
#[derive(Clone, Debug, PartialEq)]
pub struct Backend {
    /// What it is.
    pub kind: Kind,
    /// The adapter's own settings: text by name.
    pub settings: IndexMap<String, Setting>,
    /// Before every stored name.
    pub prefix: Option<Setting>,
    /// Tags on every stored object.
    pub labels: IndexMap<String, Setting>,
    /// Calls a minute.
    pub pace: PaceOverride,
    /// The store that reads from it, where it is not the contract's.
    pub store: Option<Spanned<BackendStore>>,
}

/// `pace: {reads, writes}`, calls a minute.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PaceOverride {
    /// Reads a minute.
    pub reads: Option<u32>,
    /// Writes a minute.
    pub writes: Option<u32>,
}

/// The store of one backend.
#[derive(Clone, Debug, PartialEq)]
pub struct BackendStore {
    /// Kind and name; the contract's `store` fills what is left out.
    pub reference: Option<StoreRef>,
    /// External Secrets Operator's own block of the provider, word for word.
    pub auth: Option<Node>,
    /// Annotations of the service accounts that `auth` names, where they are the contract's to make.
    pub service_account: Option<IndexMap<String, Setting>>,
}

/// A (Cluster)SecretStore.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreRef {
    /// Namespaced or not.
    pub kind: StoreKind,
    /// Its name.
    pub name: Setting,
}

/// The two kinds of store.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum StoreKind {
    /// For the whole cluster.
    ClusterSecretStore,
    /// In the namespace of the `ExternalSecret`.
    SecretStore,
}

/// The cluster that the Secrets are in.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// A context of the kubeconfig.
    pub context: Option<Setting>,
    /// The address that the context must have.
    pub server: Option<Setting>,
}

/// Defaults for all targets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EmitDefaults {
    /// Labels of every emitted object.
    pub labels: IndexMap<String, Setting>,
    /// Annotations of every emitted object.
    pub annotations: IndexMap<String, Setting>,
    /// How often it is read again.
    pub interval: Option<Spanned<String>>,
    /// When it is read again.
    pub refresh: Option<Refresh>,
    /// What happens to the Secret.
    pub deletion: Option<Deletion>,
}

/// One backend entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What it is for.
    pub description: Option<Spanned<String>>,
    /// Whether it is needed.
    pub when: Option<Spanned<Condition>>,
    /// One value or several.
    pub content: Content,
    /// The stored name, when it is not prefix and key.
    pub key: Option<Setting>,
    /// The backend, when it is not the contract's; `none` keeps it in no backend.
    pub backend: Option<Setting>,
    /// Tags on the stored object.
    pub labels: IndexMap<String, Setting>,
    /// The map key of a single value on vault and kubernetes.
    pub value_key: Option<Spanned<FieldName>>,
}

/// What an entry holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Several values.
    Fields(IndexMap<FieldName, Spanned<Field>>),
    /// One value.
    Single(Box<ValueSpec>),
}

/// One field of an entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// What it is for.
    pub description: Option<Spanned<String>>,
    /// Whether it is needed.
    pub when: Option<Spanned<Condition>>,
    /// Where it comes from and what it looks like.
    pub value: Box<ValueSpec>,
}

/// Where a value comes from and what it looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueSpec {
    /// Where it comes from.
    pub source: Spanned<Source>,
    /// Text before a generated value.
    pub prefix: Option<Setting>,
    /// Text after a generated value.
    pub suffix: Option<Setting>,
    /// What must hold; expanded before it is read.
    pub check: Option<Node>,
    /// Final line feed.
    pub newline: Option<Newline>,
    /// What the application reads.
    pub form: Option<Form>,
    /// How it is stored.
    pub encode: Option<Encode>,
    /// What rotation may do.
    pub rotate: Rotate,
    /// Absent is fine.
    pub optional: bool,
    /// Texts that stand for "not yet".
    pub placeholder: Option<Placeholders>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// The first case that holds.
    Cases(Vec<Case>),
    /// Text around other entries.
    Compose(Spanned<Template>),
    /// Made from another entry; its parameters are expanded before they are read.
    Derive {
        /// The mapping under `derive`.
        parameters: Node,
        /// What it reads, known without expansion.
        of: Spanned<crate::text::Subject>,
    },
    /// Must not exist, for this reason.
    Forbidden(Spanned<String>),
    /// A random value, made once; its parameters are expanded before they are read.
    Generate {
        /// What stands under `generate`.
        parameters: Node,
        /// Used instead, when given.
        provide: Option<Provide>,
    },
    /// A running service writes it later.
    Mint {
        /// Which.
        by: Spanned<String>,
    },
    /// A person or another system gives it.
    Provide(Provide),
    /// A literal that is not secret.
    Value(Setting),
}

/// One of `cases`.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Whether it is this one; the last may have none.
    pub when: Option<Spanned<Condition>>,
    /// What then holds. Its source is not `Cases`.
    pub value: Box<ValueSpec>,
}

/// How a person or another system gives a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Provide {
    /// Shown to the person.
    pub how: Option<Setting>,
    /// Where to get it.
    pub url: Option<Setting>,
    /// A variable that may hold it.
    pub env: Option<Spanned<String>>,
    /// A file that may hold it.
    pub file: Option<Setting>,
}

/// What rotation may do.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Rotate {
    /// Asks first, with this reason.
    Careful(Spanned<String>),
    /// At any time.
    #[default]
    Free,
    /// Never.
    Never,
    /// Together with these.
    With(Vec<Spanned<crate::text::Subject>>),
}

/// One Kubernetes Secret, in one or several namespaces.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// `namespace/name` or `{a,b}/name`.
    pub key: Setting,
    /// Whether it is wanted.
    pub when: Option<Spanned<Condition>>,
    /// The Secret's keys. `None` only under `made-by`: fed by no backend key.
    pub data: IndexMap<String, Spanned<Option<Template>>>,
    /// Entries whose fields all go in under their own names.
    pub extract: Vec<Spanned<EntryKey>>,
    /// The Secret's type.
    pub kind: Option<Setting>,
    /// The Secret's labels.
    pub labels: IndexMap<String, Setting>,
    /// The Secret's annotations.
    pub annotations: IndexMap<String, Setting>,
    /// Whether the Secret can be changed.
    pub immutable: Option<bool>,
    /// The `ExternalSecret`'s own name.
    pub manifest_name: Option<Setting>,
    /// The `ExternalSecret`'s own labels.
    pub manifest_labels: IndexMap<String, Setting>,
    /// The `ExternalSecret`'s own annotations.
    pub manifest_annotations: IndexMap<String, Setting>,
    /// The store, when it is not the contract's.
    pub store: Option<Spanned<StoreRef>>,
    /// Who owns the Secret.
    pub creation: Option<Creation>,
    /// What happens to the Secret.
    pub deletion: Option<Deletion>,
    /// When it is read again.
    pub refresh: Option<Refresh>,
    /// How often it is read again.
    pub interval: Option<Spanned<String>>,
    /// Who reads it only at start.
    pub restart: Vec<Spanned<String>>,
    /// Who makes it instead of us.
    pub made_by: Option<Spanned<String>>,
    /// External Secrets Operator's own template block.
    pub template: Option<Node>,
    /// A JSON merge patch on the `ExternalSecret`.
    pub patch: Option<Node>,
    /// Written to the cluster by `seed` itself.
    pub direct: bool,
}

/// External Secrets Operator's `creationPolicy`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Creation {
    /// The Secret is made, and merged into if it exists.
    CreateOrMerge,
    /// Only keys are written into a Secret that exists.
    Merge,
    /// Nothing is written.
    None,
    /// The Secret belongs to the `ExternalSecret`.
    Owner,
    /// The Secret stays when the `ExternalSecret` goes.
    Orphan,
}

/// External Secrets Operator's `deletionPolicy`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deletion {
    /// The Secret goes when the backend's entries go.
    Delete,
    /// Only the keys go.
    Merge,
    /// The Secret stays.
    Retain,
}

/// External Secrets Operator's `refreshPolicy`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refresh {
    /// Once.
    CreatedOnce,
    /// When the manifest changes.
    OnChange,
    /// Every interval.
    Periodic,
}

/// A file that holds values.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// Its path below `root`.
    pub path: Setting,
    /// Whether it is wanted.
    pub when: Option<Spanned<Condition>>,
    /// What is in it.
    pub content: FileContent,
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq)]
pub enum FileContent {
    /// `KEY="value"` lines.
    Dotenv(Node),
    /// A JSON document.
    Json(Node),
    /// Text.
    Text(Spanned<Template>),
    /// A YAML document.
    Yaml(Node),
}

impl StoreKind {
    /// The word in the contract and in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClusterSecretStore => "ClusterSecretStore",
            Self::SecretStore => "SecretStore",
        }
    }

    pub(crate) const WORDS: [(&'static str, Self); 2] = [
        ("ClusterSecretStore", Self::ClusterSecretStore),
        ("SecretStore", Self::SecretStore),
    ];
}

impl Creation {
    /// External Secrets Operator's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreateOrMerge => "CreateOrMerge",
            Self::Merge => "Merge",
            Self::None => "None",
            Self::Owner => "Owner",
            Self::Orphan => "Orphan",
        }
    }

    pub(crate) const WORDS: [(&'static str, Self); 5] = [
        ("Owner", Self::Owner),
        ("Orphan", Self::Orphan),
        ("Merge", Self::Merge),
        ("None", Self::None),
        ("CreateOrMerge", Self::CreateOrMerge),
    ];
}

impl Deletion {
    /// External Secrets Operator's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "Delete",
            Self::Merge => "Merge",
            Self::Retain => "Retain",
        }
    }

    pub(crate) const WORDS: [(&'static str, Self); 3] = [
        ("Retain", Self::Retain),
        ("Delete", Self::Delete),
        ("Merge", Self::Merge),
    ];
}

impl Refresh {
    /// External Secrets Operator's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreatedOnce => "CreatedOnce",
            Self::OnChange => "OnChange",
            Self::Periodic => "Periodic",
        }
    }

    pub(crate) const WORDS: [(&'static str, Self); 3] = [
        ("Periodic", Self::Periodic),
        ("OnChange", Self::OnChange),
        ("CreatedOnce", Self::CreatedOnce),
    ];
}
