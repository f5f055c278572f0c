//! Secrets in any namespace of one cluster, written to where they are read.
//!
//! Each namespace is proven and looked at like the one of a backend, and what is wrong with one says nothing about
//! another. A name is `namespace/name`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use seed_core::backend::{Confirm, Description, Kind};
use seed_core::document::{Document, Fields};
use seed_core::inventory::{Inventory, Presence, Version, Wanted};
use seed_core::name::SecretName;
use seed_provider::{
    Error, ErrorKind, Identity, Marks, Operation, Policy, Provider, Result, Stored, WantedShape,
};

use crate::backend::{CAPABILITIES, Kubernetes};
use crate::cluster::{Access, Cluster, ConfigError};
use crate::form::Form;

/// Which Secrets, and where.
#[derive(Clone, Debug, Default)]
pub struct DeliveryConfig {
    /// Which API server.
    pub access: Access,
    /// Whether namespaces that do not exist are created with their first Secret.
    pub create_namespaces: bool,
    /// The Secrets, by namespace and name.
    pub secrets: BTreeMap<(String, String), Form>,
}

/// Secrets in the namespaces of one cluster.
pub struct Delivery {
    cluster: Arc<Cluster>,
    namespaces: BTreeMap<String, Kubernetes>,
    confirm: Confirm,
}

impl Delivery {
    /// Finds the API server. Reads files, and makes no call.
    pub fn new(config: DeliveryConfig, policy: Policy) -> Result<Self, ConfigError> {
        let cluster = Arc::new(Cluster::find(&config.access, policy)?);
        let named = config.access.context.is_some() || config.access.server.is_some();
        let mut forms: BTreeMap<String, BTreeMap<String, Form>> = BTreeMap::new();
        for ((namespace, name), form) in config.secrets {
            forms.entry(namespace).or_default().insert(name, form);
        }
        let namespaces = forms.into_iter().map(|(namespace, forms)| {
            let cluster = Arc::clone(&cluster);
            let create = config.create_namespaces;
            let of = Kubernetes::one_of_several(cluster, namespace.clone(), create, forms);
            (namespace, of)
        });
        Ok(Self {
            namespaces: namespaces.collect(),
            cluster,
            confirm: if named {
                Confirm::Never
            } else {
                Confirm::BeforeWrites
            },
        })
    }

    /// The namespace of a Secret, and its name there.
    fn at(&self, operation: Operation, name: &SecretName) -> Result<(&Kubernetes, SecretName)> {
        let found = name
            .as_str()
            .split_once('/')
            .and_then(|(namespace, inner)| {
                let inner = Kind::Kubernetes.existing_name(inner).ok()?;
                Some((self.namespaces.get(namespace)?, inner))
            });
        found.ok_or_else(|| {
            let message = "it is none of the contract's Secrets";
            Error::new(ErrorKind::Invalid, operation, message).about(name)
        })
    }

    /// Looks at one namespace. What is wrong with it is told of each of its Secrets.
    async fn look(
        &self,
        namespace: &Kubernetes,
        wanted: &[&Wanted],
    ) -> Result<(Vec<(SecretName, Presence)>, Option<Error>)> {
        let mut inner = Vec::new();
        for wanted in wanted {
            let (_, name) = self.at(Operation::Inventory, &wanted.name)?;
            inner.push(Wanted {
                name,
                ..(*wanted).clone()
            });
        }
        let looked = namespace.look(&inner).await;
        let answers = wanted.iter().zip(&inner).map(|(wanted, inner)| {
            let presence = match &looked {
                Ok(found) => found.get(&inner.name).cloned(),
                Err(err) => Some(unseen(err)),
            };
            let presence = presence.unwrap_or(Presence::Unknown {
                reason: "the API server gave no answer for it".to_owned(),
            });
            (wanted.name.clone(), presence)
        });
        let answers = answers.collect();
        Ok((answers, looked.err()))
    }
}

/// What a namespace that cannot be looked at says of its Secrets. One that is not there has none, and takes none.
fn unseen(err: &Error) -> Presence {
    let reason = match err.request_id() {
        Some(id) => format!("{} (request id {id})", err.message()),
        None => err.message().to_owned(),
    };
    match err.kind() {
        ErrorKind::Misplaced => Presence::Disabled { reason },
        ErrorKind::Denied => Presence::Hidden { reason },
        ErrorKind::AlreadyExists
        | ErrorKind::Conflict
        | ErrorKind::Indeterminate
        | ErrorKind::Invalid
        | ErrorKind::NotFound
        | ErrorKind::RateLimited { .. }
        | ErrorKind::Unauthenticated
        | ErrorKind::Unavailable
        | ErrorKind::Unexpected
        | ErrorKind::Unsupported
        | ErrorKind::WrongShape => Presence::Unknown { reason },
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("cluster", &self.cluster)
            .field("namespaces", &self.namespaces.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Provider for Delivery {
    fn describe(&self) -> Description {
        let server = self.cluster.server();
        let place = match self.cluster.context() {
            Some(context) => format!("the cluster of the context {context} ({server})"),
            None => format!("this pod's cluster ({server})"),
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
        // Namespaces are proven one by one when they are looked at: one that is missing blocks its own Secrets.
        let who = match self.namespaces.values().next() {
            Some(any) => any.who().await?,
            None => None,
        };
        Ok(Identity { who })
    }

    fn notes(&self) -> Vec<String> {
        let own = self.namespaces.values().flat_map(Kubernetes::own_notes);
        self.cluster.notes().iter().cloned().chain(own).collect()
    }

    async fn inventory(&self, wanted: &[Wanted]) -> Result<Inventory> {
        let mut by_namespace: BTreeMap<&str, Vec<&Wanted>> = BTreeMap::new();
        for wanted in wanted {
            let (namespace, _) = self.at(Operation::Inventory, &wanted.name)?;
            let of = by_namespace.entry(&namespace.namespace).or_default();
            of.push(wanted);
        }
        let looks: Vec<_> = by_namespace
            .iter()
            .filter_map(|(namespace, wanted)| {
                Some(self.look(self.namespaces.get(*namespace)?, wanted))
            })
            .collect();
        let looked: Vec<_> = stream::iter(looks)
            .buffer_unordered(self.cluster.concurrency())
            .collect()
            .await;
        let (mut inventory, mut failed) = (Inventory::new(), Vec::new());
        let namespaces = looked.len();
        for part in looked {
            let (answers, err) = part?;
            failed.extend(err);
            for (name, presence) in answers {
                inventory.insert(name, presence);
            }
        }
        // What no namespace can tell is a failure of the cluster; a missing one is told of its Secrets.
        let of_all = failed.len() == namespaces;
        let told = |err: &Error| err.kind() != ErrorKind::Misplaced;
        match failed.into_iter().find(told) {
            Some(err) if of_all || err.kind() == ErrorKind::Unauthenticated => Err(err),
            Some(_) | None => Ok(inventory),
        }
    }

    async fn read(&self, name: &SecretName, shape: WantedShape) -> Result<Stored> {
        let (namespace, inner) = self.at(Operation::Read, name)?;
        let read = namespace.read(&inner, shape).await;
        read.map_err(|err| err.about(name))
    }

    async fn create(
        &self,
        name: &SecretName,
        document: &Document,
        marks: &Marks,
    ) -> Result<Version> {
        let (namespace, inner) = self.at(Operation::Create, name)?;
        let created = namespace.create(&inner, document, marks).await;
        created.map_err(|err| err.about(name))
    }

    async fn add_fields(
        &self,
        name: &SecretName,
        new: &Fields,
        expected: &Version,
    ) -> Result<Version> {
        let (namespace, inner) = self.at(Operation::AddFields, name)?;
        let added = namespace.add_fields(&inner, new, expected).await;
        added.map_err(|err| err.about(name))
    }
}
