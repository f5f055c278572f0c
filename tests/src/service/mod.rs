//! Backends as scenarios see them: where `seed` finds one, how it gets in, and what is held there, read over the
//! service's own protocol without any code of `seed`. This is the one place that knows a service's settings and
//! credentials, of a real server as of a stand-in.

mod aws_sm;
mod azure_kv;
mod contract;
mod gcpsm;
mod kubernetes;
mod under_test;
mod vault;

pub use aws_sm::AwsSm;
pub use azure_kv::AzureKv;
pub use contract::{contract, many, unpaced};
pub use gcpsm::GcpSm;
pub use kubernetes::Kubernetes;
pub use under_test::{Members, UnderTest, races};
pub use vault::Vault;
