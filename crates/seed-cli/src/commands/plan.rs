//! `seed plan`.

use seed_core::inventory::Depth;
use seed_core::plan::Summary;

use crate::args::{Format, PlanArgs};
use crate::env::Environment;
use crate::error::Result;
use crate::exit::Exit;
use crate::session::Wishes;
use crate::terminal::Terminal;
use crate::{load, registry, render, select, session};

pub(super) fn run(args: &PlanArgs, terminal: Terminal) -> Result<Exit> {
    let session = load::contract(&args.contract)?.resolve(&args.contract, None)?;
    session.warn(terminal);
    let wishes = Wishes {
        selection: select::selection(&session.resolved, &args.select)?,
        ..Wishes::default()
    };
    let providers = registry::open(
        &session.resolved,
        &session.root,
        &args.run,
        &Environment::read(),
    )?;
    let looking = session::look(&session.resolved, &providers, depth(args), &wishes);
    let mut seen = session::block_on(looking)?;
    session::refuse_blind(&mut seen, &providers, terminal)?;
    let places = registry::describe(&providers);
    match args.output.format {
        Format::Json => {
            let (resolved, failures) = (&session.resolved, &seen.failures);
            let plan = render::plan_json(resolved, &seen.plan, &places, failures);
            terminal.json(&plan)?;
        }
        Format::Text => {
            let places: Vec<_> = places.into_iter().map(|(_, place)| place).collect();
            let title = render::title(&session.resolved, &session.loaded.path, &places);
            terminal.data(&format!(
                "{title}\n{}",
                render::plan_text(&session.resolved, &seen.plan)
            ))?;
        }
    }
    if let Some(exit) = session::tell(&seen.failures, terminal) {
        return Ok(exit);
    }
    Ok(if args.exit_code {
        pending(seen.plan.summary())
    } else {
        Exit::Done
    })
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
