//! `--values`: a file with values, or stdin.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use seed_core::given::{Format, Found, read_values};
use zeroize::Zeroizing;

use super::Way;
use super::collector::Collector;
use crate::git::{self, Fate};
use crate::terminal::Terminal;

/// Most bytes that are read from one file: as much as the largest entry that any backend stores.
const LARGEST: usize = 1 << 20;

pub(super) fn take(collector: &mut Collector<'_>, paths: &[PathBuf], terminal: Terminal) {
    let mut stdin = false;
    for path in paths {
        if path.as_os_str() != "-" {
            take_file(collector, path, terminal);
        } else if std::mem::replace(&mut stdin, true) {
            collector.refuse("`--values -` stands there twice, and stdin can be read only once");
        } else if io::stdin().is_terminal() {
            collector.refuse(
                "`--values -` reads stdin, which is a terminal: it would show what you type",
            );
            collector.hint("send a file or the output of another program to stdin");
        } else {
            take_from(collector, io::stdin().lock(), "stdin", None);
        }
    }
}

fn take_file(collector: &mut Collector<'_>, path: &Path, terminal: Terminal) {
    let shown = path.display().to_string();
    // Links are followed: whoever runs this named the path, and `<(…)` of a shell is a link.
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = match opened {
        Ok(opened) => opened,
        Err(err) => return collector.refuse(format!("cannot read `{shown}`: {err}")),
    };
    if metadata.is_dir() {
        return collector.refuse(format!(
            "`{shown}` is a directory, and a file with values is wanted"
        ));
    }
    if metadata.is_file() {
        warn(&shown, path, metadata.mode(), terminal);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    take_from(collector, file, &shown, Format::of_name(&name));
}

fn take_from(collector: &mut Collector<'_>, from: impl Read, shown: &str, format: Option<Format>) {
    let bytes = match read(from) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return collector.refuse(too_large(shown)),
        Err(err) => return collector.refuse(format!("cannot read `{shown}`: {err}")),
    };
    let (found, faults) = read_values(&bytes, format, &collector.keys);
    for fault in faults {
        let place = fault
            .place
            .map_or_else(String::new, |place| format!(":{place}"));
        collector.refuse(format!("{shown}{place}: {}", fault.reason));
    }
    for Found { id, place, value } in found {
        let path = shown.to_owned();
        collector.take(id, Way::File { path, place }, value);
    }
}

/// Reads everything, or gives `None` when there is too much. The buffer never moves, so it leaves no copy behind.
pub(crate) fn read(from: impl Read) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST + 1));
    let mut from = from.take(LARGEST as u64 + 1);
    from.read_to_end(&mut bytes)?;
    Ok((bytes.len() <= LARGEST).then_some(bytes))
}

pub(crate) fn too_large(shown: &str) -> String {
    format!(
        "`{shown}` has more than {LARGEST} bytes, which is more than any backend stores in one entry"
    )
}

/// Says when others can read a file with values, or git would take it.
pub(crate) fn warn(shown: &str, path: &Path, mode: u32, terminal: Terminal) {
    if mode & 0o077 != 0 {
        let advice = format!("`chmod 600 {shown}` keeps it to you");
        terminal.note(&format!(
            "warning: other users can read `{shown}`; {advice}"
        ));
    }
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    match git::fate(&path) {
        Fate::Private => {}
        Fate::Tracked { .. } => terminal.note(&format!(
            "warning: git tracks `{shown}`, so its values are in the repository; `git rm --cached {shown}` takes it out of the next commit"
        )),
        Fate::Unignored { line } => terminal.note(&format!(
            "warning: git would take `{shown}` into a commit; add the line `{line}` to .gitignore"
        )),
        Fate::Unknown { reason } => {
            terminal.note(&format!("warning: whether git would take `{shown}` is not known: {reason}"));
        }
    }
}
