//! The order in which values can be made.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::model::ResolvedEntry;
use super::resolver::Resolver;
use crate::diagnostic::{Diagnostic, Span, around};
use crate::name::{EntryKey, ValueId};

/// Every active value after those that it is made from; otherwise in the contract's order.
pub(super) fn order(
    resolver: &mut Resolver<'_>,
    entries: &IndexMap<EntryKey, ResolvedEntry>,
) -> Option<Vec<ValueId>> {
    let reads: BTreeMap<&ValueId, Vec<&ValueId>> = entries
        .values()
        .flat_map(|entry| &entry.values)
        .filter(|value| value.activity.is_active())
        .map(|value| (&value.id, value.reads()))
        .collect();
    let mut walk = Walk {
        reads: &reads,
        done: BTreeSet::new(),
        order: Vec::new(),
    };
    for value in entries
        .values()
        .flat_map(|entry| &entry.values)
        .filter(|value| value.activity.is_active())
    {
        if let Err(circle) = walk.visit(&value.id) {
            let place = circle
                .first()
                .and_then(|id| resolver.contract.secrets.get(&id.entry));
            let span = place.map_or_else(Span::default, |entry| entry.span);
            let message = format!(
                "values are made from each other in a circle: {}",
                around(&circle, " from ")
            );
            resolver.diagnostics.push(Diagnostic::error(message, span));
            return None;
        }
    }
    Some(walk.order.into_iter().cloned().collect())
}

struct Walk<'r> {
    reads: &'r BTreeMap<&'r ValueId, Vec<&'r ValueId>>,
    done: BTreeSet<&'r ValueId>,
    order: Vec<&'r ValueId>,
}

impl<'r> Walk<'r> {
    /// Depth first without recursion: chains may be as long as the contract.
    fn visit(&mut self, start: &'r ValueId) -> Result<(), Vec<&'r ValueId>> {
        let mut path: Vec<(&'r ValueId, usize)> = vec![(start, 0)];
        let mut open: BTreeSet<&'r ValueId> = BTreeSet::from([start]);
        while let Some((id, next)) = path.last_mut() {
            let sources = self.reads.get(*id).map_or(&[][..], Vec::as_slice);
            if self.done.contains(*id) || *next >= sources.len() {
                let id = *id;
                path.pop();
                open.remove(id);
                if self.done.insert(id) {
                    self.order.push(id);
                }
                continue;
            }
            let source = sources.get(*next).copied();
            *next += 1;
            let Some(source) = source.filter(|source| !self.done.contains(source)) else {
                continue;
            };
            if !open.insert(source) {
                let from = path
                    .iter()
                    .position(|(id, _)| *id == source)
                    .unwrap_or_default();
                let mut circle: Vec<&ValueId> = path.iter().skip(from).map(|(id, _)| *id).collect();
                circle.push(source);
                return Err(circle);
            }
            path.push((source, 0));
        }
        Ok(())
    }
}
