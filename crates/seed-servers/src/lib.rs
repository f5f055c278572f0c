//! Real servers, started for tests only: Vault, etcd with kube-apiserver, External Secrets Operator beside
//! that, and moto for AWS; and where other people's clients
//! are.
//!
//! `tests/servers/build.sh` (`make servers`) builds them into a cache and is the one place that knows where they are. A
//! server that is not there is an error that names that command, so that a test which needs one fails; at home such tests
//! are ignored until they are asked for (`make e2e`).
//!
//! Each server listens on 127.0.0.1 only, on free ports, is waited for until it answers, and ends with the value that
//! stands for it; the `shared` one of a test process ends with that process, however that ends. A test takes a
//! mount, a namespace or a prefix of its own, so that many share one server.

mod eso;
mod guard;
mod http;
mod kubernetes;
mod moto;
mod programs;
mod record;
mod recording;
mod vault;

pub use eso::Operator;
pub use http::{Answer, Client};
pub use kubernetes::{AuditLog, KubeApiserver, Namespace, User};
pub use moto::Moto;
pub use programs::official_clients;
pub use record::{Record, Served};
pub use recording::Recording;
pub use vault::{AuditDevice, Mount, Vault};
