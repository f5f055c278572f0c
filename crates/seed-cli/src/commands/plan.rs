//! `seed plan`.

use seed_core::inventory::Depth;
use seed_core::plan::{Plan, Summary};

use crate::args::{PlanArgs, PlanFormat};
use crate::backends::{Asked, Backends, Verbs};
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::load::Session;
use crate::session::Wishes;
use crate::terminal::Terminal;
use crate::{given, load, render, select, session};

pub(super) fn run(args: &PlanArgs, terminal: Terminal) -> Result<Exit> {
    let session = load::contract(&args.contract)?
        .including(&args.cluster)
        .resolve_values(&args.contract)?;
    session.warn(terminal);
    let mut wishes = Wishes {
        selection: select::selection(&session.resolved, &args.select)?,
        deep: args.deep,
        compare: depth(args) == Depth::Fields,
        ..Wishes::default()
    };
    if args.offline {
        let plan = session::as_if_nothing_existed(&session.resolved, &wishes);
        show(&session, &plan, None, &[], args, terminal)?;
        return Ok(Exit::Done);
    }
    wishes.promised = given::expected(&session, &wishes.selection, terminal)?;
    let backends = Backends::open(&session, &args.contract, &args.run, Verbs::default(), None)?;
    backends.used(terminal, |backends| {
        look(&session, backends, args, &wishes, terminal)
    })
}

fn look(
    session: &Session,
    backends: &mut Backends,
    args: &PlanArgs,
    wishes: &Wishes,
    terminal: Terminal,
) -> Result<Exit> {
    let resolved = &session.resolved;
    let looking = async {
        backends.confirm_reads(terminal).await?;
        backends.identify().await?;
        Ok(session::look(resolved, &backends.providers, depth(args), wishes).await)
    };
    let mut seen = session::block_on_reading(looking)?;
    session::refuse_blind(&mut seen, &backends.providers, terminal)?;
    given::tell(resolved, &seen.plan, wishes, terminal);
    let asked = backends.asked();
    let failures = &seen.failures;
    show(session, &seen.plan, Some(&asked), failures, args, terminal)?;
    if let Some(exit) = session::tell(failures, terminal) {
        return Ok(exit);
    }
    Ok(if args.exit_code {
        pending(seen.plan.summary())
    } else {
        Exit::Done
    })
}

/// Prints a plan. Without `asked`, no backend was.
fn show(
    session: &Session,
    plan: &Plan,
    asked: Option<&Asked>,
    failures: &[CliError],
    args: &PlanArgs,
    terminal: Terminal,
) -> Result<()> {
    let (resolved, path) = (&session.resolved, &session.loaded.path);
    match (args.format, asked) {
        (PlanFormat::Json, _) => terminal.json(&render::plan_json(resolved, plan, asked, failures)),
        (PlanFormat::Markdown, _) => {
            let places = asked.map(|asked| asked.places.as_slice());
            terminal.data(&render::plan_markdown(resolved, plan, places))
        }
        (PlanFormat::Text, Some(asked)) => {
            let title = render::title(resolved, path, &asked.places);
            let plan = render::plan_text(resolved, plan, Environment::is_set);
            let guarantees = render::guarantees(&asked.places);
            terminal.data(&format!("{title}\n{plan}{guarantees}"))
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
