//! `seed check`.

use seed_core::diagnostic::{Diagnostic, Diagnostics, Severity};
use seed_core::resolve::{NO_ENVIRONMENT, Resolved};

use crate::args::{CheckArgs, ContractArgs, Format};
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::load::{self, Loaded};
use crate::render::{self, Checked, Checks};
use crate::terminal::Terminal;

pub(super) fn run(args: &CheckArgs, terminal: Terminal) -> Result<Exit> {
    let loaded = match load::contract(&args.contract) {
        Ok(loaded) => loaded,
        Err(err) => return refuse(err, None, args, terminal),
    };
    loaded.warn(&loaded.warnings, terminal);
    let mut found = Checks {
        path: loaded.path.clone(),
        contract: loaded.contract.name.value.clone(),
        warnings: render::diagnostics_json(&loaded.path, &loaded.source, &loaded.warnings),
        checked: None,
    };
    match with_facts(&loaded, &args.contract, args.all_backends, terminal) {
        Ok(Some((checked, warnings))) => {
            loaded.warn(&warnings, terminal);
            let warnings = render::diagnostics_json(&loaded.path, &loaded.source, &warnings);
            found.warnings.extend(warnings);
            found.checked = Some(checked);
        }
        Ok(None) => {}
        Err(err) => return refuse(err, Some(&found), args, terminal),
    }
    match args.output.format {
        Format::Json => terminal.json(&render::sound_json(&found))?,
        Format::Text => terminal.data(&render::sound(&found))?,
    }
    Ok(Exit::Done)
}

/// Says what is wrong. The document says as well that the contract is not sound, and what was odd before.
fn refuse(
    err: CliError,
    found: Option<&Checks>,
    args: &CheckArgs,
    terminal: Terminal,
) -> Result<Exit> {
    match args.output.format {
        Format::Text => Err(err),
        Format::Json => {
            terminal.json(&render::unsound_json(&err, found))?;
            terminal.error(&render::error(&err));
            Ok(err.exit())
        }
    }
}

/// Checks what facts decide. `None` when no environment is known, and nothing else is wrong.
fn with_facts(
    loaded: &Loaded,
    args: &ContractArgs,
    all_backends: bool,
    terminal: Terminal,
) -> Result<Option<(Checked, Diagnostics)>> {
    let resolved = loaded.resolved(args, args.backend.clone(), None);
    let (resolved, warnings) = match resolved {
        Err(err) if lacks_environment_only(&err) => return Ok(None),
        resolved => resolved?,
    };
    let mut backends = vec![resolved.backend.clone()];
    if all_backends {
        let others = loaded.contract.backends.keys();
        for name in others.filter(|name| **name != resolved.backend) {
            let checked = loaded.resolved(args, Some(name.clone()), None);
            checked.map_err(|err| on_backend(err, name, terminal))?;
            backends.push(name.clone());
        }
    }
    Ok(Some((counted(&resolved, backends), warnings)))
}

fn counted(resolved: &Resolved, backends: Vec<String>) -> Checked {
    let entries = resolved.entries.values();
    let targets = resolved.targets.iter();
    Checked {
        env: resolved.env.clone(),
        backends,
        secrets: resolved.entries.len(),
        active_secrets: entries.filter(|entry| entry.activity.is_active()).count(),
        active_targets: targets.filter(|target| target.activity.is_active()).count(),
    }
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
