//! `seed completions`.

use clap::CommandFactory as _;

use crate::args::{App, CompletionsArgs};
use crate::error::Result;
use crate::exit::Exit;
use crate::terminal::Terminal;

pub(super) fn run(args: &CompletionsArgs, terminal: Terminal) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut App::command(), "seed", &mut script);
    terminal.bytes(&script)?;
    Ok(Exit::Done)
}
