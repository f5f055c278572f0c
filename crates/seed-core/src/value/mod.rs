//! Values: how they are drawn, derived, checked and formed.
//!
//! A value passes through its forms in one order: given or drawn → [`Newline`] → [`Checks`] → [`affix`] (`prefix` and
//! `suffix`) → [`Form`] → stored → [`Encode`]. So a check sees a value before anything is put around it.
//!
//! Everything here is a function of its arguments. What is said about a value, in errors and in plans, never contains
//! the value or a part of it.

mod check;
mod choice;
mod derive;
mod deviation;
mod expected;
mod filter;
mod form;
mod generate;
mod pem;
mod placeholder;
mod prove;
mod recipe;
mod url;

pub use check::{Checks, Pattern, Violation};
pub use derive::{BcryptVersion, Derivation, DeriveError, derive, verify};
pub use deviation::{Deviation, deviation};
pub use filter::{FilterError, apply};
pub use form::{
    Encode, Form, Newline, NewlineChange, affix, apply_newline, decode_base64, encode_base64,
    escape_newlines, is_armored, strip_affixes, trim_final_newline, unescape_all_newlines,
    unescape_newlines,
};
pub use generate::{DRAWS, DrawError, draw, generate};
pub use pem::Pem;
pub use placeholder::Placeholders;
pub use prove::Proof;
pub use recipe::{Alphabet, Password, Recipe, RecipeError, Shape};
pub use url::{UrlCheck, Userinfo};
