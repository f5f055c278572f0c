//! `seed verify`.

use std::collections::{BTreeMap, BTreeSet};

use seed_core::inventory::Depth;
use seed_core::judge::{Verification, verify};
use seed_core::name::ValueId;
use seed_core::plan::Plan;
use seed_engine::Providers;

use crate::args::{Format, VerifyArgs};
use crate::backends::{Backends, Verbs};
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::file_check::{self, CheckedFile, FileState};
use crate::load::Session;
use crate::session::Wishes;
use crate::terminal::Terminal;
use crate::{load, render, secret_files, select, session};

pub(super) fn run(args: &VerifyArgs, terminal: Terminal) -> Result<Exit> {
    let session = load::contract(&args.contract)?
        .including(&args.cluster)
        .resolve_values(&args.contract)?;
    session.warn(terminal);
    let wishes = Wishes {
        unchecked: select::named(&session.resolved, "--skip-check", &args.skip_check)?,
        selection: select::selection(&session.resolved, &args.select)?,
        ..Wishes::default()
    };
    let backends = Backends::open(&session, &args.contract, &args.run, Verbs::default(), None)?;
    backends.used(terminal, |backends| {
        tell(&session, backends, args, &wishes, terminal)
    })
}

fn tell(
    session: &Session,
    backends: &mut Backends,
    args: &VerifyArgs,
    wishes: &Wishes,
    terminal: Terminal,
) -> Result<Exit> {
    let found = session::block_on_reading(async {
        backends.confirm_reads(terminal).await?;
        backends.identify().await?;
        look(session, &backends.providers, args, wishes, terminal).await
    })?;
    let asked = backends.asked();
    let (resolved, title) = (&session.resolved, &session.loaded.path);
    match args.output.format {
        Format::Json => terminal.json(&render::verify_json(
            resolved,
            &found.verification,
            &found.files,
            &asked,
            &found.failures,
        ))?,
        Format::Text => {
            let title = render::title(resolved, title, &asked.places);
            let (values, files) = (&found.verification, &found.files);
            let text = render::verify_text(resolved, &found.plan, values, files);
            terminal.data(&format!("{title}\n{text}"))?;
        }
    }
    Ok(session::tell(&found.failures, terminal).unwrap_or_else(|| exit(&found)))
}

/// Everything that was found.
struct Found {
    plan: Plan,
    verification: Verification,
    files: Vec<CheckedFile>,
    failures: Vec<CliError>,
}

impl Found {
    fn files(&self, state: FileState) -> usize {
        let files = self.files.iter();
        files.filter(|file| file.state() == state).count()
    }

    fn unread(&self) -> usize {
        let counts = self.verification.counts();
        counts.unread + counts.not_judged + self.files(FileState::NotJudged)
    }
}

async fn look(
    session: &Session,
    providers: &Providers,
    args: &VerifyArgs,
    wishes: &Wishes,
    terminal: Terminal,
) -> Result<Found> {
    let resolved = &session.resolved;
    let mut seen = session::look(resolved, providers, Depth::Fields, wishes).await;
    session::refuse_blind(&mut seen, providers, terminal)?;
    let states: BTreeMap<_, _> = seen
        .plan
        .steps
        .iter()
        .filter_map(|step| Some((step.id.clone(), step.state.clone()?)))
        .collect();
    let selection = &wishes.selection;
    let selected = resolved.order.iter().filter(|id| selection.has(id));
    let needed = secret_files::needs(resolved, selection);
    let wanted: BTreeSet<ValueId> = selected.cloned().chain(needed).collect();
    let concurrency = args.run.concurrency;
    let known = seed_engine::know(resolved, providers, states, wanted, concurrency).await;
    let files = secret_files::concerned(resolved, selection);
    let mut found = Found {
        verification: verify(resolved, known.stored(), selection, &wishes.unchecked),
        files: files
            .filter_map(|file| file_check::check(resolved, &session.root, file, &known.read))
            .collect(),
        plan: seen.plan,
        failures: seen.failures,
    };
    // What could not be read hides what may be wrong with it.
    if found.unread() > 0 && found.failures.is_empty() {
        let message = "not everything could be read, so not everything was verified";
        found.failures.push(CliError::failed(message));
    }
    Ok(found)
}

fn exit(found: &Found) -> Exit {
    let counts = found.verification.counts();
    let values = counts.broken + counts.placeholder + counts.drifted + counts.blocked;
    match values + found.files(FileState::Drifted) + found.files(FileState::Exposed) {
        0 => Exit::Done,
        1.. => Exit::Blocked,
    }
}
