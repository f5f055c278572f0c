//! Stand-ins of the services, for tests only: faithful where the services are documented or were measured, and cruel on
//! request.
//!
//! A stand-in is a [`Service`]: it turns one request into one answer, all at once, and holds what is stored. [`Server`]
//! puts it on a free port of 127.0.0.1 with or without TLS, logs every request ([`Log`]), waits before it answers
//! ([`Server::set_latency`]), refuses what comes too fast ([`Quota`]) and does the [`Fault`]s that a test plans.
//! It runs on threads of its own, so that a test may be async or not, and stops when it is dropped.
//!
//! A [`Proxy`] brings clients to stand-ins that ask the services by their own names, and nowhere else.
//!
//! Each stand-in is held to the suite that its backend's adapter must pass, as the real server is.

mod aws_sm;
mod azure_kv;
mod fault;
mod garble;
mod gcpsm;
mod kubernetes;
mod log;
mod message;
mod proxy;
mod quota;
mod server;
mod tls;
pub mod vault;
mod wire;

pub use aws_sm::AwsSm;
pub use azure_kv::{AzureKv, Patch, StoredVersion};
pub use fault::{Fault, When};
pub use gcpsm::GcpSm;
pub use kubernetes::Kubernetes;
pub use log::{Call, Log};
pub use message::{Answer, Request};
pub use proxy::Proxy;
pub use quota::{Clock, Quota};
pub use server::{Server, Service};
pub use tls::Authority;
