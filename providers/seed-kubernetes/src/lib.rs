//! Secrets of one Kubernetes namespace as a secret backend.
//!
//! An entry is one Secret of the type `Opaque`: a value alone stands under the key `value`, fields under their own
//! names. A Secret is created by POST, which the server refuses where one exists; it is changed by a merge patch that
//! names the `resourceVersion` that was seen. What others keep is read, and never written into.
//!
//! [`Cluster`] is one API server as one user: kube finds it, authenticates and speaks TLS; requests are sent and read
//! here, because kube's own ways to do that send again, wait without an end, and print bodies.
//!
//! This crate must not read variables of seed's own, or print.

mod backend;
mod cluster;
mod delivery;
mod form;
mod labels;
mod look;
mod object;
mod owner;
mod place;

pub use backend::{CAPABILITIES, Config, Kubernetes};
pub use cluster::{Access, Answer, Call, Cluster, ConfigError, Content};
pub use delivery::{Delivery, DeliveryConfig};
pub use form::Form;
pub use labels::is_key as is_mark;
