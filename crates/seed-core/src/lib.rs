//! The pure core of `seed`: from the text of a contract to a plan, values and manifests.
//!
//! Everything here is a function of its arguments. There is no file, socket, clock, environment variable or async
//! code; randomness and the time are passed in. What touches the world is in the crates around this one.

pub mod backend;
pub mod condition;
mod condition_words;
pub mod contract;
pub mod diagnostic;
pub mod document;
pub mod duration;
pub mod facts;
pub mod given;
pub mod inventory;
pub mod judge;
pub mod manifest;
pub mod name;
pub mod plan;
pub mod produce;
pub mod report;
pub mod resolve;
pub mod secret;
pub mod text;
pub mod value;
pub mod yaml;
