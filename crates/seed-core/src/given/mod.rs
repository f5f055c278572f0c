//! Values that people give: which key a name means, and what a file with values says.
//!
//! Of a file with values nothing is ever shown but places, and names that the contract has too: what stands where a name
//! should may be a value.

mod dotenv;
mod file;
mod format;
mod json;
mod keys;
mod variables;
mod yaml;

pub use file::{Fault, Found, Place, read_values};
pub use format::Format;
pub use keys::{KeyError, Keys};
pub use variables::reader_of;
