//! From the subcommand to its file, and from what it came to to an exit code.

use super::{apply, check, completions, emit, files, get, man, plan, schema, set, verify};
use crate::args::{Command, Format};
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::render;
use crate::terminal::Terminal;

/// Runs a subcommand, and says why it failed: to people on stderr, to programs on stdout as well.
pub(crate) fn run(command: Command, terminal: Terminal) -> Exit {
    let format = command.format();
    dispatch(command, terminal).unwrap_or_else(|err| fail(&err, format, terminal))
}

fn dispatch(command: Command, terminal: Terminal) -> Result<Exit> {
    match command {
        Command::Plan(args) => plan::run(&args, terminal),
        Command::Apply(args) => apply::run(&args, terminal),
        Command::Emit(args) => emit::run(&args, terminal),
        Command::Check(args) => check::run(&args, terminal),
        Command::Verify(args) => verify::run(&args, terminal),
        Command::Set(args) => set::run(&args, terminal),
        Command::Get(args) => get::run(&args, terminal),
        Command::Files(args) => files::run(&args, terminal),
        Command::Schema => schema::run(terminal),
        Command::Completions(args) => completions::run(&args, terminal),
        Command::Man(args) => man::run(&args, terminal),
    }
}

fn fail(err: &CliError, format: Format, terminal: Terminal) -> Exit {
    terminal.error(&render::error(err));
    match format {
        // When stdout is gone as well, the exit code is all that is left.
        Format::Json => drop(terminal.json(&render::failure(err))),
        Format::Text => {}
    }
    err.exit()
}
