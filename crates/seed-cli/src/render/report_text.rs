//! A report for people.

use std::collections::BTreeSet;
use std::fmt;

use seed_core::name::ValueId;
use seed_core::plan::{Action, Blocked, State};
use seed_core::report::{Counts, Failure, Fate, Report};
use seed_core::resolve::{Resolved, ResolvedSource};

use super::words::{hanging, sentence};
use crate::secret_files::FileFate;
use crate::{advice, session};

/// What became of every value that somebody has to know about, then the counts.
pub(crate) fn report(report: &Report, unchecked: &BTreeSet<ValueId>) -> String {
    let values = report.values().filter_map(|outcome| {
        let mut words = words(&outcome.fate);
        if matches!(outcome.fate, Fate::Created | Fate::Filled) && unchecked.contains(&outcome.id) {
            words.push_str(", not checked");
        }
        if outcome.contested {
            words.push_str(contested(&outcome.fate));
        }
        Some((head(&outcome.fate, &outcome.id)?, words))
    });
    let secrets = report.secrets().into_iter().filter_map(|(name, fate)| {
        let words =
            if let Fate::Left(Action::Blocked(Blocked::State(State::Disabled { reason }))) = fate {
                reason.clone()
            } else {
                words(fate)
            };
        Some((head(fate, &format!("Secret {name}"))?, words))
    });
    let lines: Vec<(String, String)> = values.chain(secrets).collect();
    let width = lines
        .iter()
        .map(|(head, _)| head.len())
        .max()
        .unwrap_or_default();
    let mut text: String = lines
        .iter()
        .map(|(head, words)| format!("{head:<width$}  {}\n", hanging(words, width + 2)))
        .collect();
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&counts(report.counts()));
    text
}

/// A mark and a key, for outcomes worth a line.
fn head(fate: &Fate, what: &dyn fmt::Display) -> Option<String> {
    let mark = match fate {
        Fate::Created | Fate::Filled | Fate::Restored { .. } => '+',
        Fate::Kept { given: true } | Fate::Lost { given: false } => '=',
        Fate::Cancelled
        | Fate::Failed(_)
        | Fate::Lost { given: true }
        | Fate::Skipped { .. }
        | Fate::Uncertain(_)
        | Fate::Left(Action::Blocked(_) | Action::Create) => '!',
        Fate::Left(Action::Wait {
            optional: false, ..
        }) => '>',
        Fate::Left(
            Action::Ask
            | Action::Keep
            | Action::Minted { .. }
            | Action::NotNeeded(_)
            | Action::NotSelected { .. }
            | Action::Optional
            | Action::Wait { optional: true, .. },
        )
        | Fate::Kept { given: false } => return None,
    };
    Some(format!("  {mark} {what}"))
}

fn words(fate: &Fate) -> String {
    match fate {
        Fate::Cancelled => "not tried: the run was stopped".to_owned(),
        Fate::Created => "created".to_owned(),
        Fate::Filled => "stored in the place of a placeholder".to_owned(),
        Fate::Failed(failure) => format!("failed: {}", because(failure)),
        Fate::Kept { given: true } => "exists; given, not used".to_owned(),
        Fate::Kept { given: false } => "exists".to_owned(),
        Fate::Left(Action::Blocked(why)) => why.to_string(),
        Fate::Left(Action::Wait { on, .. }) => {
            let on: Vec<String> = on.iter().map(ToString::to_string).collect();
            format!("waits for {}", on.join(", "))
        }
        Fate::Left(action) => action.as_str().to_owned(),
        Fate::Lost { given: false } => "created by somebody else meanwhile; kept".to_owned(),
        Fate::Lost { given: true } => {
            "created by somebody else meanwhile; yours was not stored".to_owned()
        }
        Fate::Restored { given: true } => "restored; given, not used".to_owned(),
        Fate::Restored { given: false } => "restored".to_owned(),
        Fate::Skipped { because, reason } => {
            let reason = reason
                .as_ref()
                .map_or_else(String::new, |reason| format!(": {reason}"));
            format!("not tried, because of {because}{reason}")
        }
        Fate::Uncertain(failure) => format!("uncertain: {}", because(failure)),
    }
}

/// What to add when somebody else wrote the value at the same time.
fn contested(fate: &Fate) -> &'static str {
    match fate {
        Fate::Created | Fate::Filled => {
            "; somebody else wrote it at the same time, and yours stands"
        }
        Fate::Lost { .. } => "; both had written it, and theirs was first",
        Fate::Cancelled
        | Fate::Failed(_)
        | Fate::Kept { .. }
        | Fate::Left(_)
        | Fate::Restored { .. }
        | Fate::Skipped { .. }
        | Fate::Uncertain(_) => "; somebody else wrote it at the same time",
    }
}

fn because(failure: &Failure) -> String {
    let request = failure
        .request_id
        .as_ref()
        .map_or_else(String::new, |id| format!(" (request id {id})"));
    format!("{}{request}", failure.message)
}

fn counts(counts: Counts) -> String {
    let exist = counts.kept + counts.lost;
    let parts = sentence(&[
        (counts.created, "created"),
        (counts.restored, "restored"),
        (exist, if exist == 1 { "exists" } else { "exist" }),
        (counts.failed, "failed"),
        (counts.uncertain, "uncertain"),
        (counts.dropped, "not stored"),
        (counts.skipped + counts.cancelled, "not tried"),
        (counts.ask, "for you to provide"),
        (counts.wait, "waiting"),
        (counts.blocked, "blocked"),
        (counts.minted, "written later"),
        (counts.optional, "optional"),
        (counts.not_needed, "not needed"),
        (counts.not_selected, "not selected"),
    ]);
    let parts = parts.unwrap_or_else(|| "the contract has no secrets".to_owned());
    format!("Applied: {parts}.\n")
}

/// What to do about what failed, where its own line does not say it.
pub(crate) fn next_steps(resolved: &Resolved, report: &Report) -> String {
    let mut steps: Vec<(&str, Vec<String>)> = Vec::new();
    for outcome in &report.outcomes {
        let (Fate::Failed(failure) | Fate::Uncertain(failure)) = &outcome.fate else {
            continue;
        };
        let kind = session::kind_of(resolved, &outcome.id);
        let Some(step) = advice::after(kind, failure) else {
            continue;
        };
        // A step that the line has is not said twice.
        if failure.message.contains(step) {
            continue;
        }
        let key = outcome.id.to_string();
        match steps.iter_mut().find(|(said, _)| *said == step) {
            Some((_, keys)) => keys.push(key),
            None => steps.push((step, vec![key])),
        }
    }
    let lines = steps
        .iter()
        .map(|(step, keys)| format!("    {}: {step}\n", some(keys)));
    let lines: String = lines.collect();
    if lines.is_empty() {
        return lines;
    }
    format!("\n  What to do next:\n{lines}")
}

/// The first of many keys, and how many more there are.
fn some(keys: &[String]) -> String {
    let shown: Vec<&str> = keys.iter().take(SHOWN).map(String::as_str).collect();
    match keys.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

const SHOWN: usize = 3;

/// What a person still has to give, with where to get it. Optional values are listed after the others.
pub(crate) fn missing(resolved: &Resolved, report: &Report) -> String {
    let of = |wanted: fn(&Action) -> bool| -> String {
        report
            .outcomes
            .iter()
            .filter(|outcome| matches!(&outcome.fate, Fate::Left(action) if wanted(action)))
            .filter_map(|outcome| resolved.value(&outcome.id))
            .map(|value| match &value.source {
                Some(ResolvedSource::Provide(provided)) => {
                    let how = provided
                        .how
                        .as_deref()
                        .unwrap_or("a value from a person or another system");
                    let url = provided
                        .url
                        .as_ref()
                        .map_or_else(String::new, |url| format!("\n      {url}"));
                    format!("    {}: {}{url}\n", value.id, hanging(how, 6))
                }
                _ => format!("    {}\n", value.id),
            })
            .collect()
    };
    let ask = of(|action| matches!(action, Action::Ask));
    let optional = of(|action| matches!(action, Action::Optional));
    let mut text = String::new();
    if !ask.is_empty() {
        text.push_str(&format!(
            "\n  You still have to provide (`seed set KEY`):\n{ask}"
        ));
    }
    if !optional.is_empty() {
        text.push_str(&format!(
            "\n  You may provide (`seed set KEY`):\n{optional}"
        ));
    }
    text
}

/// What became of the contract's files.
pub(crate) fn files(files: &[(String, FileFate)]) -> String {
    files
        .iter()
        .map(|(path, fate)| {
            let words = match fate {
                FileFate::Cancelled => "not tried: the run was stopped",
                FileFate::Differs => {
                    "differs from what is stored, and was kept; `seed files --force` replaces it"
                }
                FileFate::MadePrivate => "unchanged, but others could read it; now only you can",
                FileFate::Replaced => "replaced",
                FileFate::Unchanged => "unchanged",
                FileFate::Waits => "not written: a value that it needs is not there yet",
                FileFate::Written => "written",
            };
            format!("  {path}: {words}\n")
        })
        .collect()
}
