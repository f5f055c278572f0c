//! One age-encrypted file on this machine as a store.
//!
//! The file is what `age -d -i IDENTITY FILE` opens: a line that names the format, then one line of JSON for each
//! entry, with its labels and every version that it ever had, values in base64. The identity is made on the first
//! write, not before; whoever has it can read the store, and without it nobody can.
//!
//! A change is made under an exclusive lock on content that was just read, and becomes visible as a whole: a new file
//! is written beside the old one, synced, and renamed over it. Changes that are asked for at the same time are written
//! together, and each is answered only when it is on disk. A second process waits its turn.
//!
//! This crate reads no environment and asks nobody: where the file and the identity are is told to it.

mod calls;
mod config;
mod disk;
mod entry;
mod error;
mod file;
mod identity;
#[cfg(test)]
mod power;
mod provider;
mod queue;
mod store;

pub use config::Config;
pub use provider::Local;
