//! The pages below `docs/reference` that are made from what the program says about itself.

mod codes;
mod commands;
mod contract;
mod guarantees;
mod pages;
mod variables;

pub use pages::{examples, pages, readme, write};
