//! One API server: how it is found, who we are there, and how single requests are sent and answered.

mod access;
mod answer;
mod call;
mod connection;
mod failure;
mod kubeconfig;
mod login;
mod plugin;
mod proxy;

pub use access::{Access, ConfigError};
pub use answer::Answer;
pub use call::{Call, Content};
pub use connection::Cluster;
