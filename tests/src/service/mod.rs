//! Backends as scenarios see them: where `seed` finds one, and what it holds, read over its own protocol without any
//! code of `seed`. A real server and a stand-in are looked at in the same way.

mod aws_sm;
mod kubernetes;
mod under_test;
mod vault;

pub use aws_sm::AwsSm;
pub use kubernetes::Kubernetes;
pub use under_test::{Members, UnderTest, many, races};
pub use vault::Vault;
