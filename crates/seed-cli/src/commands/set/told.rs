//! What is said at the end.

use crate::args::Format;
use crate::backends::Asked;
use crate::commands::files;
use crate::error::Result;
use crate::exit::Exit;
use crate::load::Session;
use crate::render::{self, Told};
use crate::session;
use crate::terminal::Terminal;

pub(super) fn tell(
    told: &Told,
    session: &Session,
    key: &seed_core::name::ValueId,
    asked: &Asked,
    format: Format,
    terminal: Terminal,
) -> Result<Exit> {
    match format {
        Format::Json => terminal.json(&render::set_json(&session.resolved, key, told, asked))?,
        Format::Text => terminal.data(&render::set_text(key, told))?,
    }
    Ok(match session::tell(&told.failures, terminal) {
        Some(exit) if !told.wrote() => exit,
        Some(_) => Exit::Partial,
        None => files::exit(&told.files),
    })
}
