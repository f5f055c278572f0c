//! `seed schema`.

use crate::error::Result;
use crate::exit::Exit;
use crate::terminal::Terminal;

pub(super) fn run(terminal: Terminal) -> Result<Exit> {
    terminal.data(seed_core::contract::schema())?;
    Ok(Exit::Done)
}
