//! What `seed verify` found, for people.

use seed_core::judge::{Counts, Standing, Verdict, Verification, Verified, Weight};
use seed_core::plan::{Action, Plan, State};
use seed_core::resolve::Resolved;

use super::plan_text;
use super::words::{hanging, sentence};
use crate::file_check::{CheckedFile, FileState};

/// A line for each thing that somebody has to know about, then the counts.
pub(crate) fn verify(
    resolved: &Resolved,
    plan: &Plan,
    verification: &Verification,
    files: &[CheckedFile],
) -> String {
    let mut text = table(
        verification
            .values
            .iter()
            .flat_map(|value| lines(resolved, plan, value)),
    );
    let of_files = table(files.iter().flat_map(lines_of_file));
    if !of_files.is_empty() {
        text.push_str(if text.is_empty() { "" } else { "\n" });
        text.push_str(&of_files);
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&counts(verification.counts()));
    text.push_str(&counts_of_files(files));
    text
}

/// A mark, a name and what is to be said of it.
type Line = (char, String, String);

fn table(lines: impl Iterator<Item = Line>) -> String {
    let lines: Vec<Line> = lines.collect();
    let width = lines.iter().map(|(_, name, _)| name.len()).max();
    let width = width.unwrap_or_default();
    lines
        .iter()
        .map(|(mark, name, words)| {
            let words = hanging(words, width + 6);
            format!("  {mark} {name:<width$}  {words}\n")
        })
        .collect()
}

fn lines(resolved: &Resolved, plan: &Plan, value: &Verified) -> Vec<Line> {
    let id = &value.id;
    let one = |mark, words: String| vec![(mark, id.to_string(), words)];
    match &value.standing {
        Standing::Judged(findings) => findings
            .iter()
            .map(|finding| {
                let hint = resolved.value(id).and_then(|value| finding.hint(value));
                let words = with_hint(finding.to_string(), hint);
                (mark(finding.weight()), id.to_string(), words)
            })
            .collect(),
        Standing::LeftOut(_) | Standing::NotNeeded(_) | Standing::NotSelected => Vec::new(),
        Standing::Missing(state) if value.standing.verdict() == Verdict::Missing => {
            one('-', missing(plan, value, state))
        }
        Standing::Missing(state) => one('!', state.to_string()),
        Standing::Unread(state) => one('?', state.to_string()),
    }
}

/// What becomes of a value that is not there is the plan's to say.
fn missing(plan: &Plan, value: &Verified, state: &State) -> String {
    let step = plan.step(&value.id);
    match step.map(|step| (step, &step.action)) {
        Some((_, Action::Blocked(why))) => why.to_string(),
        Some((_, Action::Create)) => format!("{state}: `seed apply` creates it"),
        Some((step, _)) => format!("{state}: {}", plan_text::words(step)),
        None => state.to_string(),
    }
}

fn lines_of_file(file: &CheckedFile) -> impl Iterator<Item = Line> {
    file.findings.iter().map(|finding| {
        let words = with_hint(finding.reason(), finding.hint());
        let mark = match finding.state() {
            FileState::Absent => '-',
            FileState::NotCompared | FileState::Sound => '.',
            FileState::NotJudged => '?',
            FileState::Drifted | FileState::Exposed => '!',
        };
        (mark, file.path.clone(), words)
    })
}

fn with_hint(reason: String, hint: Option<String>) -> String {
    match hint {
        Some(hint) => format!("{reason}: {hint}"),
        None => reason,
    }
}

fn mark(weight: Weight) -> char {
    match weight {
        Weight::Note => '.',
        Weight::NotJudged => '?',
        Weight::Drifted | Weight::Placeholder | Weight::Broken => '!',
    }
}

fn counts(counts: Counts) -> String {
    let parts = sentence(&[
        (counts.sound, "sound"),
        (counts.drifted, "drifted"),
        (
            counts.placeholder,
            if counts.placeholder == 1 {
                "placeholder"
            } else {
                "placeholders"
            },
        ),
        (counts.broken, "broken"),
        (counts.blocked, "blocked"),
        (counts.missing, "not there"),
        (counts.left_out, "optional"),
        (counts.not_judged, "not judged"),
        (counts.unread, "not read"),
        (counts.not_needed, "not needed"),
        (counts.not_selected, "not selected"),
    ]);
    match parts {
        Some(parts) => format!("Verified: {parts}.\n"),
        None => "Verified: the contract has no secrets.\n".to_owned(),
    }
}

fn counts_of_files(files: &[CheckedFile]) -> String {
    let count = |state| files.iter().filter(|file| file.state() == state).count();
    let parts = sentence(&[
        (count(FileState::Sound), "as stored"),
        (count(FileState::Drifted), "drifted"),
        (count(FileState::Exposed), "exposed"),
        (count(FileState::Absent), "not there"),
        (count(FileState::NotCompared), "not compared"),
        (count(FileState::NotJudged), "not judged"),
    ]);
    parts.map_or_else(String::new, |parts| format!("Files: {parts}.\n"))
}
