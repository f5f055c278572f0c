//! `seed apply`.

use std::path::Path;

use seed_core::inventory::Depth;
use seed_core::name::ValueId;
use seed_core::plan::Action;
use seed_core::report::{Fate, Report, Verdict};
use seed_core::resolve::{Availability, Resolved};
use seed_engine::{Providers, Unread};

use super::files;
use crate::args::{ApplyArgs, Format};
use crate::backends::{Asked, Backends, Verbs};
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::load::Session;
use crate::manifests::Emitted;
use crate::secret_files::{self, FileFate};
use crate::select::Named;
use crate::session::{Seen, Wishes};
use crate::signals::{self, Signals};
use crate::terminal::Terminal;
use crate::{asking, given, load, manifests, render, restoring, select, session};

pub(super) fn run(args: &ApplyArgs, terminal: Terminal) -> Result<Exit> {
    let manifests_for = args.manifests.manifests_for.as_deref();
    let loaded = load::contract(&args.contract)?.including(&args.cluster);
    let session = if args.emit.is_some() || manifests_for.is_some() {
        loaded.resolve(&args.contract, manifests_for)?
    } else {
        loaded.resolve_values(&args.contract)?
    };
    session.warn(terminal);
    let mut wishes = Wishes {
        unchecked: select::named(&session.resolved, "--skip-check", &args.skip_check)?,
        selection: select::selection(&session.resolved, &args.select)?,
        concurrency: args.run.concurrency,
        compare: true,
        ..Wishes::default()
    };
    given::collect(&session, &args.given, &mut wishes, terminal)?;
    // What can be known to be wrong is looked at before the first write, the manifests included.
    secret_files::refuse_shared(&session.resolved, &session.root, &wishes.selection)?;
    if let Some(directory) = &args.emit {
        let output = manifests::make(&session.resolved, &args.manifests, Availability::default())?;
        manifests::refuse_foreign(&output, directory)?;
    }
    // Only a run that fills placeholders is given a verb that could overwrite.
    wishes.fill = args.fill_placeholders;
    let verbs = Verbs {
        replace: args.fill_placeholders,
        restore: !args.restore.is_empty(),
        create_namespace: args.create_namespace,
    };
    let restore = select::restored(&session.resolved, &args.restore, &wishes.selection)?;
    let backends = Backends::open(&session, &args.contract, &args.run, verbs, None)?;
    restoring::refuse_unable(&session.resolved, &backends, &restore)?;
    backends.used(terminal, |backends| {
        let running = carry_out(&session, backends, args, &mut wishes, &restore, terminal);
        let applied = session::block_on(running)??;
        after(
            &session,
            args,
            &wishes,
            applied,
            &backends.asked(),
            terminal,
        )
    })
}

/// What a run did.
struct Applied {
    report: Report,
    files: Vec<(String, FileFate)>,
    failures: Vec<CliError>,
}

async fn carry_out(
    session: &Session,
    backends: &mut Backends,
    args: &ApplyArgs,
    wishes: &mut Wishes,
    restore: &[Named],
    terminal: Terminal,
) -> Result<Applied> {
    let resolved = &session.resolved;
    let mut signals = Signals::listen()?;
    let looking = look(session, backends, args, wishes, terminal);
    let mut seen = signals::or_stop(&mut signals, looking).await?;
    let providers = &backends.providers;
    session::refuse_blind(&mut seen, providers, terminal)?;
    session::refuse_wrong(resolved, &seen.plan, wishes)?;
    let restored =
        restoring::restore(resolved, backends, restore, &mut seen, wishes, &mut signals).await;
    if !signals.received() {
        let asks = !args.no_input && terminal.can_ask();
        complete(resolved, &mut seen, wishes, asks, terminal)
            .map_err(|err| restoring::after(err, &restored))?;
    }
    let mut report =
        session::apply(resolved, &seen, wishes, backends, &mut signals, terminal).await;
    restoring::tell(&mut report, &restored);
    let (files, unwritten) = write_files(session, providers, wishes, &report, &mut signals).await;
    let failures = seen.failures.into_iter().chain(unwritten);
    Ok(Applied {
        report,
        files,
        failures: failures.collect(),
    })
}

/// Asks for what is missing, if anybody can be asked, and tries what can be known to be wrong.
fn complete(
    resolved: &Resolved,
    seen: &mut Seen,
    wishes: &mut Wishes,
    asks: bool,
    terminal: Terminal,
) -> Result<()> {
    session::refuse_wrong(resolved, &seen.plan, wishes)?;
    if asks && asking::is_needed(&seen.plan) {
        asking::ask(resolved, seen, wishes, terminal)?;
        session::refuse_wrong(resolved, &seen.plan, wishes)?;
    }
    given::tell(resolved, &seen.plan, wishes, terminal);
    Ok(())
}

/// Says whom the run is about to write to, and looks at what is there.
async fn look(
    session: &Session,
    backends: &mut Backends,
    args: &ApplyArgs,
    wishes: &Wishes,
    terminal: Terminal,
) -> Result<Seen> {
    let resolved = &session.resolved;
    let ApplyArgs { yes, no_input, .. } = *args;
    backends.confirm_writes(yes, no_input, terminal).await?;
    backends.identify().await?;
    if args.output.format == Format::Text {
        let title = render::title(resolved, &session.loaded.path, &backends.places());
        terminal.data(&format!("{title}\n"))?;
    }
    Ok(session::look(resolved, &backends.providers, Depth::Fields, wishes).await)
}

/// Writes the contract's files from what is there now. A run that is stopped reads nothing more.
async fn write_files(
    session: &Session,
    providers: &Providers,
    wishes: &Wishes,
    report: &Report,
    signals: &mut Signals,
) -> (Vec<(String, FileFate)>, Vec<CliError>) {
    let (resolved, selection) = (&session.resolved, &wishes.selection);
    let is_readable = readable(report);
    let needs = secret_files::needs(resolved, selection).into_iter();
    let needs = needs.filter(is_readable).collect();
    let read = if signals.received() {
        None
    } else {
        tokio::select! {
            read = session::read(resolved, providers, &needs) => Some(read),
            () = signals.next() => None,
        }
    };
    let Some((mut read, unread)) = read else {
        return (secret_files::cancelled(resolved, selection), Vec::new());
    };
    let missing = known_missing(report).map(|id| (id, Unread::Absent));
    read.unread.extend(missing);
    let (files, unwritten) = secret_files::write(resolved, &session.root, &read, false, selection);
    (files, unread.into_iter().chain(unwritten).collect())
}

/// Tells which values are there now.
fn readable(report: &Report) -> impl Fn(&ValueId) -> bool + use<> {
    let there: std::collections::BTreeSet<_> = report
        .outcomes
        .iter()
        .filter(|outcome| {
            matches!(
                outcome.fate,
                Fate::Created
                    | Fate::Filled
                    | Fate::Kept { .. }
                    | Fate::Left(Action::NotSelected { there: true })
                    | Fate::Lost { .. }
                    | Fate::Restored { .. }
            )
        })
        .map(|outcome| outcome.id.clone())
        .collect();
    move |id| there.contains(id)
}

/// Optional values of which it is certain that they are not there.
fn known_missing(report: &Report) -> impl Iterator<Item = ValueId> {
    report
        .outcomes
        .iter()
        .filter_map(|outcome| match &outcome.fate {
            Fate::Left(Action::Minted { .. } | Action::Optional) => Some(outcome.id.clone()),
            Fate::Cancelled
            | Fate::Created
            | Fate::Failed(_)
            | Fate::Filled
            | Fate::Kept { .. }
            | Fate::Left(_)
            | Fate::Lost { .. }
            | Fate::Restored { .. }
            | Fate::Skipped { .. }
            | Fate::Uncertain(_) => None,
        })
}

fn after(
    session: &Session,
    args: &ApplyArgs,
    wishes: &Wishes,
    mut applied: Applied,
    asked: &Asked,
    terminal: Terminal,
) -> Result<Exit> {
    let resolved = &session.resolved;
    let emitted = args.emit.as_deref();
    let emitted = emitted.and_then(|directory| {
        emit(resolved, args, &applied.report, directory)
            .map_err(|err| applied.failures.push(err))
            .ok()
    });
    match args.output.format {
        Format::Json => {
            terminal.json(&render::report_json(
                resolved,
                &applied.report,
                &wishes.unchecked,
                &applied.files,
                emitted.as_ref(),
                asked,
                &applied.failures,
            ))?;
        }
        Format::Text => {
            let mut text = render::report_text(&applied.report, &wishes.unchecked);
            text.push_str(&render::next_steps(resolved, &applied.report));
            text.push_str(&render::missing(resolved, &applied.report));
            if !applied.files.is_empty() {
                text.push_str(&format!(
                    "\n  Files:\n{}",
                    indent(&render::files(&applied.files))
                ));
            }
            if let Some(emitted) = &emitted {
                text.push_str(&manifests::describe(resolved, emitted));
            }
            text.push_str(&render::made_by_others(resolved));
            terminal.data(&text)?;
        }
    }
    let wrote = applied.report.wrote_anything()
        || applied.report.uncertain()
        || secret_files::any_written(&applied.files);
    Ok(match session::tell(&applied.failures, terminal) {
        Some(exit) if !wrote => exit,
        Some(_) => Exit::Partial,
        None => exit(&applied.report, &applied.files, args.missing_ok),
    })
}

/// Writes the manifests of what is there now.
fn emit(
    resolved: &Resolved,
    args: &ApplyArgs,
    report: &Report,
    directory: &Path,
) -> Result<Emitted> {
    let there = readable(report);
    let available = resolved
        .values()
        .map(|(_, value)| value.id.clone())
        .filter(there)
        .collect();
    let output = manifests::make(resolved, &args.manifests, available)?;
    manifests::write(resolved, output, directory, false)
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn exit(report: &Report, files: &[(String, FileFate)], missing_ok: bool) -> Exit {
    let cancelled = files.iter().any(|(_, fate)| *fate == FileFate::Cancelled);
    match report.verdict() {
        Verdict::Partial => Exit::Partial,
        Verdict::Failed => Exit::Failed,
        Verdict::Blocked | Verdict::Waiting | Verdict::Done if cancelled => {
            if report.wrote_anything() {
                Exit::Partial
            } else {
                Exit::Failed
            }
        }
        Verdict::Blocked => Exit::Blocked,
        Verdict::Waiting | Verdict::Done if files::exit(files) != Exit::Done => files::exit(files),
        Verdict::Waiting if !missing_ok => Exit::Waiting,
        Verdict::Waiting | Verdict::Done => Exit::Done,
    }
}
