//! What a person is told before a value is asked for.

use seed_core::resolve::{Provided, ResolvedEntry, ResolvedSource, ResolvedValue};

/// A value to ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    /// Where it belongs.
    pub(crate) entry: &'a ResolvedEntry,
    /// Which one.
    pub(crate) value: &'a ResolvedValue,
    /// Its place among the questions, from 1, and how many there are.
    pub(crate) number: (usize, usize),
}

impl Question<'_> {
    /// What it is for, where to get it, and what is expected.
    pub(super) fn text(&self) -> String {
        let (number, all) = self.number;
        let place = if all > 1 {
            format!("  ({number} of {all})")
        } else {
            String::new()
        };
        let value = self.value;
        let purpose = value
            .description
            .as_ref()
            .or(self.entry.description.as_ref());
        let provided = provided(value);
        let how = provided.and_then(|provided| provided.how.as_ref());
        let url = provided.and_then(|provided| provided.url.as_ref());
        let expected = value.checks.expected();
        let expected = expected.map(|expected| format!("expected: {expected}"));
        let lines = [purpose, how, url, expected.as_ref()].into_iter().flatten();
        let lines: String = lines
            .flat_map(|text| text.lines())
            .map(|line| format!("    {line}\n"))
            .collect();
        format!("\n  {}{place}\n{lines}", value.id)
    }
}

/// How a person gives a value, for one that is always given and for one that may be.
fn provided(value: &ResolvedValue) -> Option<&Provided> {
    match value.source.as_ref()? {
        ResolvedSource::Provide(provided) => Some(provided),
        ResolvedSource::Generate { provide, .. } => provide.as_ref(),
        ResolvedSource::Compose(_)
        | ResolvedSource::Derive { .. }
        | ResolvedSource::Forbidden(_)
        | ResolvedSource::Mint { .. }
        | ResolvedSource::Value(_) => None,
    }
}
