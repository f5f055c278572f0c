//! Secrets of one Kubernetes namespace as a secret backend.
//!
//! [`Cluster`] is one API server as one user: kube finds it, authenticates and speaks TLS; requests are sent and read
//! here, because kube's own ways to do that send again, wait without an end, and print bodies.

mod cluster;

pub use cluster::{Access, Answer, Call, Cluster, ConfigError, Content};
