//! The shape of `generate:` and `derive:`: a mapping with exactly one known word.

use crate::contract::reader::Context;
use crate::diagnostic::{Diagnostic, list, nearest};
use crate::yaml::{Node, NodeKind};

/// A family of words of which exactly one is written.
pub(super) struct Choice {
    /// How messages call one of them, such as "a generator".
    pub(super) what: &'static str,
    /// The words of this version.
    pub(super) known: &'static [&'static str],
    /// Words that a reader of the documentation may try already.
    pub(super) planned: &'static [&'static str],
}

impl Choice {
    /// The one pair of a mapping; its key is one of the known words.
    pub(super) fn pair<'n>(
        &self,
        cx: &mut Context<'_>,
        node: &'n Node,
    ) -> Option<(&'static str, &'n Node)> {
        let NodeKind::Mapping(pairs) = &node.kind else {
            return cx.expected(&format!("{} in a mapping", self.what), node);
        };
        let [(key, value)] = pairs.as_slice() else {
            let names: Vec<&str> = pairs.iter().filter_map(|(key, _)| key.text()).collect();
            let (found, place) = match pairs.get(1) {
                Some((second, _)) => (list(names), second.span),
                None => ("nothing".to_owned(), node.span),
            };
            let message = format!("expected {} and nothing else, found {found}", self.what);
            let help = match pairs.get(1) {
                Some(_) => "leave one of them".to_owned(),
                None => format!("write one of {}", list(self.known.iter().copied())),
            };
            cx.push(Diagnostic::error(message, place).help(help));
            return None;
        };
        let word = self.word(cx, key)?;
        (!cx.refuse_empty(key, value)).then_some((word, value))
    }

    /// One of the known words; reports any other.
    pub(super) fn word(&self, cx: &mut Context<'_>, node: &Node) -> Option<&'static str> {
        let word = node.text().unwrap_or_default();
        if let Some(known) = self.known.iter().find(|known| **known == word) {
            return Some(known);
        }
        if self.planned.contains(&word) {
            let message = format!("`{word}` is not {} of this version", self.what);
            let help = format!("there are {}", list(self.known.iter().copied()));
            cx.push(Diagnostic::error(message, node.span).help(help));
            return None;
        }
        let all = self.known.iter().chain(self.planned).copied();
        let help = match nearest(word, all) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("there are {}", list(self.known.iter().copied())),
        };
        cx.push(Diagnostic::error(format!("`{word}` is not {}", self.what), node.span).help(help));
        None
    }
}

/// What the tests of this folder share.
#[cfg(test)]
pub(super) mod testing {
    use super::*;
    use crate::yaml::{Limits, parse};

    /// Reads YAML text, and gives what was read or every message with its help.
    pub(in crate::value) fn read<T>(
        source: &str,
        decode: impl FnOnce(&mut Context<'_>, &Node) -> Option<T>,
    ) -> Result<T, Vec<String>> {
        let node = parse(source, Limits::default()).unwrap();
        let mut cx = Context::new(source);
        let value = decode(&mut cx, &node);
        match cx.diagnostics.into_result(value) {
            Ok((value, _)) => Ok(value),
            Err(diagnostics) => Err(diagnostics
                .iter()
                .map(|found| match &found.help {
                    Some(help) => format!("{}: {help}", found.message),
                    None => found.message.clone(),
                })
                .collect()),
        }
    }
}
