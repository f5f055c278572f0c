//! From a resolved contract to values, documents and files.
//!
//! A value is made once, from its source and the values that it names; it is put into the form in which its backend
//! stores it; and it is read back from that form, so that others can be made from it. Nothing here remembers a value,
//! and no error contains one.

mod fill;
mod make;
mod preflight;
mod render;
mod store;

pub(crate) use fill::fill;
pub use fill::{FillError, Values};
pub(crate) use make::formed;
pub use make::{Maker, ProduceError, accept, newline_change};
pub use preflight::{PreflightError, preflight, try_given};
pub use render::{RenderError, render_file};
pub use store::{ReadBackError, StoreError, document, read_back};
