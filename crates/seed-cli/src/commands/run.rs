//! From the subcommand to its file.

use super::{apply, check, completions, emit, files, get, man, plan, schema};
use crate::args::Command;
use crate::error::Result;
use crate::exit::Exit;
use crate::terminal::Terminal;

/// Runs a subcommand.
pub(crate) fn run(command: Command, terminal: Terminal) -> Result<Exit> {
    match command {
        Command::Plan(args) => plan::run(&args, terminal),
        Command::Apply(args) => apply::run(&args, terminal),
        Command::Emit(args) => emit::run(&args, terminal),
        Command::Check(args) => check::run(&args, terminal),
        Command::Get(args) => get::run(&args, terminal),
        Command::Files(args) => files::run(&args, terminal),
        Command::Schema => schema::run(terminal),
        Command::Completions(args) => completions::run(&args, terminal),
        Command::Man(args) => man::run(&args, terminal),
    }
}
