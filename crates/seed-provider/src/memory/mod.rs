//! A backend in memory, for tests.

mod claims;
mod kept;
mod provider;
mod shelf;
mod state;

pub use provider::Memory;
pub use shelf::{Shelf, ShelfRun};
