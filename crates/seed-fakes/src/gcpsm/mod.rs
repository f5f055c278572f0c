//! Google Secret Manager: one store, and REST and gRPC on it.
//!
//! As the API reference and the guides have it, and as strict where public emulators are not: etags that change with every
//! update and are checked, names, sizes, labels, annotations, checksums, replication, version numbers that never come
//! again, and a `latest` that is the newest version whatever its state.

mod clock;
mod documented;
mod filter;
mod grpc;
mod messages;
mod rest;
mod service;
mod status;
mod store;
mod tokens;
mod versions;

pub use service::GcpSm;
