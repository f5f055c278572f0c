//! `seed files`.

use seed_core::plan::Selection;

use crate::args::{FilesArgs, Format};
use crate::backends::{Backends, Verbs};
use crate::error::Result;
use crate::exit::Exit;
use crate::load::Session;
use crate::secret_files::{self, FileFate};
use crate::terminal::Terminal;
use crate::{load, render, session};

pub(super) fn run(args: &FilesArgs, terminal: Terminal) -> Result<Exit> {
    let session = load::contract(&args.contract)?.resolve_values(&args.contract)?;
    session.warn(terminal);
    secret_files::refuse_shared(&session.resolved, &session.root, &Selection::ALL)?;
    let backends = Backends::open(&session, &args.contract, &args.run, Verbs::default(), None)?;
    backends.used(terminal, |backends| {
        write(&session, backends, args, terminal)
    })
}

fn write(
    session: &Session,
    backends: &mut Backends,
    args: &FilesArgs,
    terminal: Terminal,
) -> Result<Exit> {
    let needs = secret_files::needs(&session.resolved, &Selection::ALL);
    let (read, failures) = session::block_on_reading(async {
        backends.confirm_reads(terminal).await?;
        backends.identify().await?;
        Ok(session::read(&session.resolved, &backends.providers, &needs).await)
    })?;
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
        Format::Json => terminal.json(&render::files_json(
            &session.resolved,
            &files,
            &backends.asked(),
            &failures,
        ))?,
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
