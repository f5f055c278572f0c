//! The `seed` command: arguments, environment, terminal, files and exit codes. What it does is in the other crates.

mod args;
mod commands;
mod confirm;
mod disk;
mod env;
mod error;
mod exit;
mod git;
mod load;
mod progress;
mod registry;
mod render;
mod secret_files;
mod session;
mod terminal;
mod trace;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::App;
use crate::terminal::Terminal;

fn main() -> ExitCode {
    let app = App::parse();
    terminal::color(app.global.color);
    let terminal = Terminal {
        quiet: app.global.quiet,
    };
    trace::start(app.global.verbose);
    match commands::run(app.command, terminal) {
        Ok(exit) => exit.into(),
        Err(err) => {
            terminal.error(&render::error(&err));
            err.exit().into()
        }
    }
}
