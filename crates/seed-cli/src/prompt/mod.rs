//! Asking a person for a value, without echo.

mod ask;
mod editor;
mod interrupt;
mod tty;
mod words;

pub(crate) use ask::{Answer, Asker};
pub(crate) use words::Question;
