//! How an adapter sends its single requests.

mod patience;
mod policy;
mod send;

pub use policy::Policy;
pub use send::{Requests, Turns};
