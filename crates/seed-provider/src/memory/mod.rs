//! A backend in memory, for tests.

mod kept;
mod provider;
mod state;

pub use provider::Memory;
