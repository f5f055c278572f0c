//! AWS Secrets Manager (JSON 1.1), and the one call of STS that tells whose credentials are used.
//!
//! As the API reference and the user guide have it; where moto differs (names, sizes, empty values, what is scheduled for
//! deletion, 20 names at once), this is the documentation's side.

mod documented;
mod identity;
mod listing;
mod login;
mod secrets;
mod service;
mod store;
mod versions;

pub use service::AwsSm;
