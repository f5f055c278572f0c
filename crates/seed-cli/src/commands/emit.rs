//! `seed emit`.

use std::io::Read as _;
use std::path::Path;

use seed_core::manifest::Output;
use seed_core::name::ValueId;
use seed_core::resolve::{Availability, Resolved};

use crate::args::{EmitArgs, Format};
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::manifests::{self, Change, Emitted};
use crate::terminal::Terminal;
use crate::{load, render, select};

pub(super) fn run(args: &EmitArgs, terminal: Terminal) -> Result<Exit> {
    let loaded = load::contract(&args.contract)?;
    let session = loaded.resolve(&args.contract, args.manifests.manifests_for.as_deref())?;
    session.warn(terminal);
    let resolved = &session.resolved;
    let available = available(resolved, args)?;
    let open = resolved.values().any(|(_, value)| {
        value.activity.is_active() && value.optional && !available.has(&value.id)
    });
    let output = manifests::make(resolved, &args.manifests, available)?;
    let skipped = output.skipped.clone();
    let exit = match (&args.check, &args.out) {
        (Some(directory), _) => check(resolved, &output, directory, args, terminal)?,
        (None, Some(directory)) => {
            let emitted = manifests::write(resolved, output, directory, args.prune)?;
            tell(resolved, &emitted, args, terminal)?;
            Exit::Done
        }
        (None, None) => {
            match args.output.format {
                Format::Json => terminal.json(&render::texts_json(resolved, &output))?,
                Format::Text => terminal.bytes(manifests::stream(&output).as_bytes())?,
            }
            Exit::Done
        }
    };
    for skipped in skipped {
        terminal.note(&format!(
            "  not written: {} ({})",
            skipped.secret, skipped.reason
        ));
    }
    if open {
        terminal.note(
            "Optional keys are taken for present with `--with-optional KEY`, or `--present` and the JSON of `seed plan`.",
        );
    }
    Ok(exit)
}

/// Says what became of the files of a directory.
fn tell(resolved: &Resolved, emitted: &Emitted, args: &EmitArgs, terminal: Terminal) -> Result<()> {
    if args.output.format == Format::Json {
        terminal.json(&render::written_json(resolved, emitted))?;
    }
    let written = &emitted.written;
    terminal.note(&format!(
        "{} and kustomization.yaml in {}: {} written, {} unchanged.",
        render::count(emitted.output.manifests.len(), "manifest", "manifests"),
        emitted.directory.display(),
        written.changed.len(),
        written.unchanged.len(),
    ));
    for path in &written.pruned {
        terminal.note(&format!("  removed: {path}"));
    }
    for path in &written.stale {
        terminal.note(&format!(
            "  {path} is ours and no longer wanted; `--prune` removes it."
        ));
    }
    Ok(())
}

fn check(
    resolved: &Resolved,
    output: &Output,
    directory: &Path,
    args: &EmitArgs,
    terminal: Terminal,
) -> Result<Exit> {
    let found = manifests::compare(resolved, output, directory)?;
    match args.output.format {
        Format::Json => terminal.json(&render::differences_json(
            resolved, output, directory, &found,
        ))?,
        Format::Text => {
            let diffs: String = found.iter().map(|found| found.diff.as_str()).collect();
            terminal.data(&diffs)?;
        }
    }
    let shown = directory.display();
    if found.is_empty() {
        terminal.note(&format!("{shown} is up to date."));
        return Ok(Exit::Done);
    }
    let stale = found.iter().any(|found| found.change == Change::Stale);
    let prune = if stale { " --prune" } else { "" };
    terminal.note(&format!(
        "{shown} differs; run `seed emit --out {shown}{prune}`."
    ));
    Ok(Exit::Pending)
}

/// The optional values that the command line says are there.
fn available(resolved: &Resolved, args: &EmitArgs) -> Result<Availability> {
    let mut ids = Vec::new();
    for id in &args.with_optional {
        match resolved.value(id) {
            Some(value) if value.optional || !value.activity.is_active() => ids.push(id.clone()),
            Some(_) => {
                return Err(CliError::usage(format!("`{id}` is not optional")).hint(
                    "`--with-optional` is for values that the contract marks `optional: true`",
                ));
            }
            None => {
                let message = format!("`{id}` is not declared under `secrets`");
                return Err(select::undeclared(resolved, &id.to_string(), message));
            }
        }
    }
    if let Some(path) = &args.present {
        ids.extend(present(path)?);
    }
    Ok(ids.into_iter().collect())
}

/// What a plan says is there.
fn present(path: &Path) -> Result<Vec<ValueId>> {
    let text = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.map_err(|err| {
        CliError::usage(format!("cannot read `{}`", path.display())).because(&err)
    })?;
    let wrong = || {
        CliError::usage(format!(
            "`{}` is not what `seed plan --format json` writes",
            path.display()
        ))
    };
    let plan: serde_json::Value =
        serde_json::from_str(&text).map_err(|err| wrong().because(&err))?;
    if plan.get("version").and_then(serde_json::Value::as_u64) != Some(1) {
        return Err(wrong());
    }
    let steps = plan
        .get("steps")
        .and_then(serde_json::Value::as_array)
        .ok_or_else(wrong)?;
    let there = |step: &&serde_json::Value| {
        matches!(
            step.get("state").and_then(serde_json::Value::as_str),
            Some("present" | "exists")
        )
    };
    steps
        .iter()
        .filter(there)
        .map(|step| {
            let key = step
                .get("key")
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default();
            key.parse().map_err(|_| wrong())
        })
        .collect()
}
