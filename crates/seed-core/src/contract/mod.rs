//! The secret contract: its text, its shape, and everything that can be wrong with it.

pub(crate) mod reader;
