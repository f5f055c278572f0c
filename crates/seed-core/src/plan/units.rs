//! Which values go into which write, and which write waits for which.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::Decider;
use super::model::{Action, State, Write, WriteKind};
use crate::name::{EntryKey, ValueId};
use crate::resolve::{Place, ResolvedSource, ResolvedValue};

/// The writes, and the values to read for them. `after` of each names those that must come first; there is no circle.
///
/// All values of an entry go into one write, except where a value is made, through another entry, from a value of its
/// own entry: source before product, so that a cut leaves no product without its source.
pub(super) fn writes(decider: &Decider<'_>) -> (Vec<Write>, BTreeSet<ValueId>) {
    let resolved = decider.input.resolved;
    let mut reads = BTreeSet::new();
    let mut builder = Builder {
        decider,
        writes: Vec::new(),
        unit_of: BTreeMap::new(),
        last_of: BTreeMap::new(),
        last_of_group: BTreeMap::new(),
    };
    for id in &resolved.order {
        if !matches!(decider.actions.get(id), Some(Action::Create)) {
            continue;
        }
        let Some(value) = resolved.value(id) else {
            continue;
        };
        let sources = sources(decider, value);
        for source in &sources {
            let action = decider.actions.get(source);
            if action.is_some_and(|it| it.will_be_there() && *it != Action::Create) {
                reads.insert(source.clone());
            }
        }
        // Of a text's alternatives one is taken. Once the text is stored, none of the others could be made any more.
        builder.place(id, &made_from(decider, value));
    }
    (builder.writes, reads)
}

/// The values that a value is made from, alternatives chosen.
fn sources(decider: &Decider<'_>, value: &ResolvedValue) -> Vec<ValueId> {
    match &value.source {
        Some(ResolvedSource::Derive { of, .. }) => vec![of.clone()],
        Some(ResolvedSource::Compose(text)) => text
            .choose(&decider.available(text))
            .map(|chosen| chosen.values().cloned().collect())
            .unwrap_or_default(),
        Some(
            ResolvedSource::Forbidden(_)
            | ResolvedSource::Generate { .. }
            | ResolvedSource::Mint { .. }
            | ResolvedSource::Provide(_)
            | ResolvedSource::Value(_),
        )
        | None => Vec::new(),
    }
}

/// The values that are made by this plan and that a value could be made from: directly, or through alternatives that
/// are not there yet.
fn made_from<'a>(decider: &Decider<'a>, value: &'a ResolvedValue) -> BTreeSet<&'a ValueId> {
    let mut made = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open = value.reads();
    while let Some(id) = open.pop() {
        match decider.actions.get(id) {
            Some(Action::Create) => {
                made.insert(id);
            }
            Some(action) if action.will_be_there() => {}
            Some(_) | None if seen.insert(id) => {
                let value = decider.input.resolved.value(id);
                open.extend(value.into_iter().flat_map(ResolvedValue::reads));
            }
            Some(_) | None => {}
        }
    }
    made
}

struct Builder<'d, 'a> {
    decider: &'d Decider<'a>,
    writes: Vec<Write>,
    unit_of: BTreeMap<ValueId, usize>,
    /// The latest write of each entry.
    last_of: BTreeMap<EntryKey, usize>,
    /// The write of the latest member of each group.
    last_of_group: BTreeMap<usize, usize>,
}

impl Builder<'_, '_> {
    fn place(&mut self, id: &ValueId, sources: &BTreeSet<&ValueId>) {
        let kept = self.kept(id, sources);
        let before = self.before(id, sources, kept);
        let own = self.last_of.get(&id.entry).copied();
        // The latest write of this entry takes the value too, unless one that the value needs comes after it.
        let fits = own.filter(|unit| {
            before
                .iter()
                .all(|earlier| earlier == unit || !self.needs(*earlier, *unit))
        });
        let Some(unit) = fits.or_else(|| self.open(id, own)) else {
            return;
        };
        if let Some(write) = self.writes.get_mut(unit) {
            write
                .after
                .extend(before.into_iter().filter(|earlier| *earlier != unit));
            write.values.extend(kept.cloned());
            write.values.push(id.clone());
            if self.decider.state(id) == State::Placeholder {
                write.kind = write.kind.clone().replacing();
            }
        }
        for id in kept.into_iter().chain([id]) {
            if let Some(group) = self.decider.bonds.group(id) {
                self.last_of_group.insert(group, unit);
            }
            self.unit_of.insert(id.clone(), unit);
        }
    }

    /// The value that no backend keeps and that is made in the write which first puts it into a Secret.
    fn kept<'v>(&self, id: &ValueId, sources: &BTreeSet<&'v ValueId>) -> Option<&'v ValueId> {
        let resolved = self.decider.input.resolved;
        let mut new = sources.iter().filter(|it| !self.unit_of.contains_key(**it));
        new.find(|source| resolved.keepers(source).contains(id))
            .copied()
    }

    /// The writes that a value needs first: its sources', and that of the group member before it.
    fn before(
        &self,
        id: &ValueId,
        sources: &BTreeSet<&ValueId>,
        kept: Option<&ValueId>,
    ) -> BTreeSet<usize> {
        let decider = self.decider;
        let ids = [Some(id), kept].into_iter().flatten();
        let groups = ids.filter_map(|id| decider.bonds.group(id));
        let members = groups.filter_map(|group| self.last_of_group.get(&group));
        let value = kept.and_then(|kept| decider.input.resolved.value(kept));
        let more = value.map(|value| made_from(decider, value));
        let sources = sources.iter().copied().chain(more.into_iter().flatten());
        let sources = sources.filter_map(|source| self.unit_of.get(source));
        sources.chain(members).copied().collect()
    }

    /// Whether a write comes, directly or not, after another.
    fn needs(&self, write: usize, other: usize) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![write];
        while let Some(index) = open.pop() {
            if index == other {
                return true;
            }
            if seen.insert(index) {
                open.extend(
                    self.writes
                        .get(index)
                        .into_iter()
                        .flat_map(|write| &write.after),
                );
            }
        }
        false
    }

    fn open(&mut self, id: &ValueId, previous: Option<usize>) -> Option<usize> {
        let entry = self.decider.input.resolved.entries.get(&id.entry)?;
        let Some(Place::Backend { backend, name, .. }) = &entry.place else {
            return None;
        };
        let kind = match (previous, self.decider.versions.get(id)) {
            (Some(write), _) => WriteKind::AddToOwn { write },
            (None, Some(expected)) => WriteKind::Add {
                expected: expected.clone(),
            },
            (None, None) => WriteKind::Create,
        };
        let unit = self.writes.len();
        self.last_of.insert(id.entry.clone(), unit);
        self.writes.push(Write {
            entry: id.entry.clone(),
            backend: backend.clone(),
            name: name.clone(),
            kind,
            values: Vec::new(),
            after: previous.into_iter().collect(),
        });
        Some(unit)
    }
}
