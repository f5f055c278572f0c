//! What an `ExternalSecret` means: the Secret that comes of it, whatever way it is written.

mod duration;
mod external_secret;
mod fields;
mod target;
mod template;

pub use duration::GoDuration;
pub use external_secret::{Meaning, Store};
pub use template::{Piece, Source, Text};
