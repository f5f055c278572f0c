//! `seed emit`.

use std::io::Read as _;
use std::path::Path;

use seed_core::manifest::Output;
use seed_core::name::ValueId;
use seed_core::resolve::{Availability, Resolved};

use super::manifests;
use crate::args::EmitArgs;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::load;
use crate::render;
use crate::terminal::Terminal;

pub(super) fn run(args: &EmitArgs, terminal: Terminal) -> Result<Exit> {
    let loaded = load::contract(&args.contract)?;
    let session = loaded.resolve(&args.contract, args.manifests.manifests_for.as_deref())?;
    session.warn(terminal);
    let available = available(&session.resolved, args)?;
    let open = session.resolved.values().any(|(_, value)| {
        value.activity.is_active() && value.optional && !available.has(&value.id)
    });
    let output = manifests::make(&session.resolved, &args.manifests, available)?;
    let exit = if let Some(directory) = &args.check {
        check(&output, directory, terminal)?
    } else if let Some(directory) = &args.out {
        let written = manifests::write(&output, directory)?;
        terminal.note(&format!(
            "{} and kustomization.yaml in {}: {} written, {} unchanged.",
            render::count(output.manifests.len(), "manifest", "manifests"),
            directory.display(),
            written.changed,
            written.unchanged,
        ));
        for path in written.stale {
            terminal.note(&format!(
                "  {path} is ours and no longer wanted; remove it."
            ));
        }
        Exit::Done
    } else {
        terminal.data(&manifests::stream(&output))?;
        Exit::Done
    };
    for skipped in &output.skipped {
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

fn check(output: &Output, directory: &Path, terminal: Terminal) -> Result<Exit> {
    let diff = manifests::compare(output, directory)?;
    if diff.is_empty() {
        terminal.note(&format!("{} is up to date.", directory.display()));
        return Ok(Exit::Done);
    }
    terminal.data(&diff)?;
    terminal.note(&format!(
        "{} differs; run `seed emit --out {0}`.",
        directory.display()
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
                return Err(CliError::usage(format!(
                    "`{id}` is not declared under `secrets`"
                )));
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
