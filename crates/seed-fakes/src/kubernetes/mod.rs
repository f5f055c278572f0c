//! The part of the Kubernetes API that is about Secrets and their namespaces.
//!
//! Statuses, limits and lists are those of kube-apiserver 1.36: the list of a namespace that does not exist is empty, a
//! patch without a `resourceVersion` writes over anything, and a body that is no JSON comes back in the refusal.

mod documented;
mod objects;
mod service;
mod status;

pub use service::Kubernetes;
