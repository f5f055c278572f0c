//! `seed man`.

use clap::CommandFactory as _;

use crate::args::{App, ManArgs};
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::terminal::Terminal;

pub(super) fn run(args: &ManArgs, terminal: Terminal) -> Result<Exit> {
    let Some(directory) = &args.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(App::command())
            .render(&mut page)
            .map_err(|err| CliError::bug("a manual page cannot be made").because(&err))?;
        terminal.bytes(&page)?;
        return Ok(Exit::Done);
    };
    std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(App::command(), directory))
        .map_err(|err| CliError::file("write manual pages into", directory, &err))?;
    Ok(Exit::Done)
}
