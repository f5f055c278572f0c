//! `seed files`.

use seed_core::plan::Selection;

use crate::args::{FilesArgs, Format};
use crate::env::Environment;
use crate::error::Result;
use crate::exit::Exit;
use crate::secret_files::{self, FileFate};
use crate::terminal::Terminal;
use crate::{load, registry, render, session};

pub(super) fn run(args: &FilesArgs, terminal: Terminal) -> Result<Exit> {
    let session = load::contract(&args.contract)?.resolve_values(&args.contract)?;
    session.warn(terminal);
    secret_files::refuse_shared(&session.resolved, &session.root, &Selection::ALL)?;
    let providers = registry::open(
        &session.resolved,
        &session.root,
        &args.run,
        &Environment::read(),
    )?;
    let needs = secret_files::needs(&session.resolved, &Selection::ALL);
    let (read, failures) = session::block_on(session::read(&session.resolved, &providers, &needs))?;
    if let Some(failure) = session::fail(failures, terminal) {
        return Err(failure);
    }
    let (files, failures) = secret_files::write(
        &session.resolved,
        &session.root,
        &read,
        args.force,
        &Selection::ALL,
    );
    match args.output.format {
        Format::Json => terminal.json(&render::files_json(&session.resolved, &files, &failures))?,
        Format::Text => {
            if session.resolved.files.is_empty() {
                terminal.note("The contract has no files for this environment.");
            }
            terminal.data(&render::files(&files))?;
        }
    }
    Ok(match session::tell(&failures, terminal) {
        Some(exit) if !secret_files::any_written(&files) => exit,
        Some(_) => Exit::Partial,
        None => exit(&files),
    })
}

/// A file that somebody changed has drifted; one whose value is missing waits for it.
pub(super) fn exit(files: &[(String, FileFate)]) -> Exit {
    if files.iter().any(|(_, fate)| *fate == FileFate::Differs) {
        Exit::Blocked
    } else {
        Exit::Done
    }
}
