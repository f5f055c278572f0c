//! One file per subcommand.

mod apply;
mod check;
mod completions;
mod emit;
mod files;
mod get;
mod man;
mod plan;
mod run;
mod schema;
mod set;
mod verify;

pub(crate) use run::run;
