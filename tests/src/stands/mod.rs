//! The services that keep values, played by their stand-ins: what tests may do to one behind the client's back, and a
//! directory from which `seed` is sent there.

mod aws_sm;
mod azure_kv;
mod gcpsm;
mod kubernetes;
mod logged;
mod stand;
mod vault;
mod world;

pub use logged::Logged;
pub use stand::{Kept, Stand};
pub use world::World;
