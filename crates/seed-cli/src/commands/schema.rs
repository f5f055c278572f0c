//! `seed schema`.

use crate::error::Result;
use crate::exit::Exit;
use crate::terminal::Terminal;

pub(super) fn run(terminal: Terminal) -> Result<Exit> {
    terminal.bytes(seed_core::contract::schema().as_bytes())?;
    Ok(Exit::Done)
}
