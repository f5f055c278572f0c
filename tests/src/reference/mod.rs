//! The pages below `docs/reference` that are made from what the program says about itself.

mod commands;
mod pages;

pub use pages::{pages, write};
