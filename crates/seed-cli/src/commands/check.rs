//! `seed check`.

use seed_core::diagnostic::{Diagnostic, Severity};
use seed_core::resolve::NO_ENVIRONMENT;

use crate::args::CheckArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::load;
use crate::render;
use crate::terminal::Terminal;

pub(super) fn run(args: &CheckArgs, terminal: Terminal) -> Result<Exit> {
    let loaded = load::contract(&args.contract)?;
    loaded.warn(&loaded.warnings, terminal);
    let resolved = loaded.resolved(&args.contract, args.contract.backend.clone(), None);
    let (resolved, warnings) = match resolved {
        Err(err) if lacks_environment_only(&err) => {
            terminal.data(&format!(
                "{}: the contract is sound. Facts, names and conditions are checked with `--env NAME`.\n",
                loaded.path
            ))?;
            return Ok(Exit::Done);
        }
        resolved => resolved?,
    };
    loaded.warn(&warnings, terminal);
    let mut backends = vec![resolved.backend.clone()];
    if args.all_backends {
        for name in loaded
            .contract
            .backends
            .keys()
            .filter(|name| **name != resolved.backend)
        {
            let checked = loaded.resolved(&args.contract, Some(name.clone()), None);
            checked.map_err(|err| on_backend(err, name, terminal))?;
            backends.push(name.clone());
        }
    }
    let active = resolved
        .entries
        .values()
        .filter(|entry| entry.activity.is_active())
        .count();
    let targets = resolved
        .targets
        .iter()
        .filter(|target| target.activity.is_active())
        .count();
    let env = resolved
        .env
        .as_ref()
        .map_or_else(String::new, |env| format!(" for env {env}"));
    terminal.data(&format!(
        "{}: sound{env}, on {}. {} of {} and {} are active.\n",
        loaded.path,
        backends.join(", "),
        active,
        render::count(resolved.entries.len(), "secret", "secrets"),
        render::count(targets, "target", "targets"),
    ))?;
    Ok(Exit::Done)
}

/// Whether all that is wrong is that nobody named an environment.
fn lacks_environment_only(err: &CliError) -> bool {
    match err {
        CliError::Text { diagnostics, .. } => {
            let lacks = |found: &Diagnostic| found.message.ends_with(NO_ENVIRONMENT);
            diagnostics
                .iter()
                .filter(|found| found.severity == Severity::Error)
                .all(lacks)
        }
        CliError::Plain(_) => false,
    }
}

fn on_backend(err: CliError, name: &str, terminal: Terminal) -> CliError {
    terminal.note(&format!("with `--backend {name}`:"));
    err
}
