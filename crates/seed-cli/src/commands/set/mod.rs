//! `seed set`.

mod bonds;
mod copies;
mod flow;
mod key;
mod source;
mod store;
mod told;

pub(super) use flow::run;
