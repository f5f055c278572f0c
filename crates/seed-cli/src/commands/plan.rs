//! `seed plan`.

use seed_core::backend::Description;
use seed_core::inventory::Depth;
use seed_core::plan::{Plan, Summary};

use crate::args::{PlanArgs, PlanFormat};
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::load::Session;
use crate::session::Wishes;
use crate::terminal::Terminal;
use crate::{given, load, registry, render, select, session};

pub(super) fn run(args: &PlanArgs, terminal: Terminal) -> Result<Exit> {
    let session = load::contract(&args.contract)?.resolve_values(&args.contract)?;
    session.warn(terminal);
    let mut wishes = Wishes {
        selection: select::selection(&session.resolved, &args.select)?,
        deep: args.deep,
        ..Wishes::default()
    };
    if args.offline {
        let plan = session::as_if_nothing_existed(&session.resolved, &wishes);
        show(&session, &plan, None, &[], args, terminal)?;
        return Ok(Exit::Done);
    }
    wishes.promised = given::expected(&session, &wishes.selection, terminal)?;
    let providers = registry::open(
        &session.resolved,
        &session.root,
        &args.run,
        &Environment::read(),
    )?;
    let looking = session::look(&session.resolved, &providers, depth(args), &wishes);
    let mut seen = session::block_on(looking)?;
    session::refuse_blind(&mut seen, &providers, terminal)?;
    given::tell(&session.resolved, &seen.plan, &wishes, terminal);
    let places = registry::describe(&providers);
    let failures = &seen.failures;
    show(
        &session,
        &seen.plan,
        Some(&places),
        failures,
        args,
        terminal,
    )?;
    if let Some(exit) = session::tell(failures, terminal) {
        return Ok(exit);
    }
    Ok(if args.exit_code {
        pending(seen.plan.summary())
    } else {
        Exit::Done
    })
}

/// Prints a plan. Without `places`, no backend was asked.
fn show(
    session: &Session,
    plan: &Plan,
    places: Option<&[(String, Description)]>,
    failures: &[CliError],
    args: &PlanArgs,
    terminal: Terminal,
) -> Result<()> {
    let (resolved, path) = (&session.resolved, &session.loaded.path);
    match (args.format, places) {
        (PlanFormat::Json, _) => {
            terminal.json(&render::plan_json(resolved, plan, places, failures))
        }
        (PlanFormat::Markdown, _) => terminal.data(&render::plan_markdown(resolved, plan, places)),
        (PlanFormat::Text, Some(places)) => {
            let places: Vec<_> = places.iter().map(|(_, place)| place.clone()).collect();
            let title = render::title(resolved, path, &places);
            let plan = render::plan_text(resolved, plan, Environment::is_set);
            terminal.data(&format!("{title}\n{plan}"))
        }
        (PlanFormat::Text, None) => {
            let title = render::title_offline(resolved, path);
            // No variable is looked at, not even whether it is set.
            let plan = render::plan_text(resolved, plan, |_| false);
            terminal.data(&format!("{title}\n{plan}"))
        }
    }
}

fn depth(args: &PlanArgs) -> Depth {
    match (args.quick, args.no_read) {
        (true, _) => Depth::Quick,
        (false, true) => Depth::Metadata,
        (false, false) => Depth::Fields,
    }
}

fn pending(summary: Summary) -> Exit {
    match summary {
        Summary { blocked: 1.., .. } => Exit::Blocked,
        // What waits for a person has that person's value before it; what waits for a service waits for nobody.
        Summary { ask: 1.., .. } => Exit::Waiting,
        Summary { create: 1.., .. } => Exit::Pending,
        Summary { .. } => Exit::Done,
    }
}
