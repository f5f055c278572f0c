//! Contracts and facts files, read whole: bounded, and as UTF-8.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::str::Utf8Error;

use seed_core::diagnostic::Position;
use seed_core::yaml::Limits;

/// Why a file is not read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// The system's own words.
    Io(io::Error),
    /// It has more bytes than a contract or facts may have.
    TooLarge,
    /// It is something else than UTF-8 text.
    NotText {
        /// `:line:column` of the first byte that is not UTF-8.
        place: String,
        /// What it probably is, and what to do.
        hint: &'static str,
    },
}

/// Reads a file. Never more than one byte beyond the limit, whatever the file is and however large it is.
pub(crate) fn read(path: &Path) -> Result<String, Unreadable> {
    let limit = Limits::default().bytes;
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let file = File::open(path).map_err(Unreadable::Io)?;
    file.take(most)
        .read_to_end(&mut bytes)
        .map_err(Unreadable::Io)?;
    if bytes.len() > limit {
        return Err(Unreadable::TooLarge);
    }
    String::from_utf8(bytes).map_err(|err| not_text(err.as_bytes(), err.utf8_error()))
}

/// The limit, as people write it.
pub(crate) fn limit() -> String {
    format!("{} MiB", Limits::default().bytes >> 20)
}

fn not_text(bytes: &[u8], err: Utf8Error) -> Unreadable {
    let before = bytes.get(..err.valid_up_to()).unwrap_or_default();
    let before = String::from_utf8_lossy(before);
    let at = Position::of(&before, before.len());
    Unreadable::NotText {
        place: format!(":{}:{}", at.line, at.column),
        hint: if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            "it looks like UTF-16; save it as UTF-8"
        } else {
            "save it as UTF-8"
        },
    }
}
