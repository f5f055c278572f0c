//! One request.

use http::Method;
use seed_core::name::SecretName;
use seed_provider::Operation;
use zeroize::Zeroizing;

/// A request, and what a message about it says.
#[derive(Clone)]
pub struct Call {
    pub(super) operation: Operation,
    pub(super) name: Option<SecretName>,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) accept: &'static str,
    pub(super) body: Option<(Content, Zeroizing<Vec<u8>>)>,
    /// The permission, as people grant it: `create on secrets in the namespace llm`.
    pub(super) needs: String,
}

/// The form of a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Content {
    /// An object.
    Json,
    /// A JSON merge patch.
    MergePatch,
}

impl Call {
    /// Asks for what is at `path`, which begins with `/api` and may have a query.
    pub fn get(operation: Operation, path: impl Into<String>) -> Self {
        Self::new(operation, Method::GET, path.into())
    }

    /// Creates the object in `body` below `path`.
    pub fn post(operation: Operation, path: impl Into<String>, body: Zeroizing<Vec<u8>>) -> Self {
        let mut call = Self::new(operation, Method::POST, path.into());
        call.body = Some((Content::Json, body));
        call
    }

    /// Merges `body` into the object at `path`.
    pub fn patch(operation: Operation, path: impl Into<String>, body: Zeroizing<Vec<u8>>) -> Self {
        let mut call = Self::new(operation, Method::PATCH, path.into());
        call.body = Some((Content::MergePatch, body));
        call
    }

    /// Names the entry that it is about.
    #[must_use]
    pub fn about(mut self, name: &SecretName) -> Self {
        self.name = Some(name.clone());
        self
    }

    /// Names the permission that it needs, as people grant it.
    #[must_use]
    pub fn needing(mut self, permission: impl Into<String>) -> Self {
        self.needs = permission.into();
        self
    }

    /// Asks for names, labels and the like only, so that no value leaves the server.
    #[must_use]
    pub fn metadata_only(mut self) -> Self {
        let path = self.path.split('?').next().unwrap_or_default();
        self.accept = if path.ends_with("/secrets") {
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
        } else {
            "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
        };
        self
    }

    fn new(operation: Operation, method: Method, path: String) -> Self {
        Self {
            operation,
            name: None,
            method,
            path,
            accept: "application/json",
            body: None,
            needs: "what it needs".to_owned(),
        }
    }
}

/// An allow-list: a body has values.
impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
