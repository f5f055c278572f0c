//! What is left to do when somebody else was faster.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use seed_core::document::Document;
use seed_core::inventory::{Depth, Presence, Shape, Version, Wanted};
use seed_core::judge::{Finding, Stored, judge};
use seed_core::name::ValueId;
use seed_core::plan::{Action, Input, Proof, plan};
use seed_core::produce::Values;
use seed_core::report::Fate;
use seed_core::secret::SecretValue;
use seed_provider::Error;
use tokio::time::sleep;

use super::not_yet;
use super::write::{How, Writer};
use crate::failure;
use crate::read::{EntryRead, ReadValues, Unread};

/// Milliseconds between looks while whoever was faster finishes: on some backends a name comes first and its value after it.
const PAUSES: [u64; 5] = [100, 200, 400, 800, 1600];

struct Seen {
    version: Version,
    fields: BTreeSet<String>,
    /// Values to be stored in whose place a placeholder still stands.
    placeholders: BTreeSet<ValueId>,
}

impl Writer<'_> {
    /// Somebody else stored something meanwhile. What is there is kept; what is not is decided again by the planner's
    /// own rules. Leaves in `todo` what is still to be stored, and says how.
    pub(super) async fn decide_again(
        &mut self,
        todo: &mut Vec<ValueId>,
        made: &Values,
    ) -> Option<How> {
        if !self.at.entry.has_fields {
            self.lose(&std::mem::take(todo), &[], made).await;
            return None;
        }
        let looked = if self.write.kind.replaces() {
            self.look_inside(todo).await
        } else {
            self.look().await
        };
        let seen = match looked {
            Ok(seen) => seen,
            Err(fate) => {
                let fates = todo.drain(..).map(|id| (id, fate.clone()));
                self.written.fates.extend(fates);
                return None;
            }
        };
        self.written.version = Some(seen.version.clone());
        let is_there = |id: &ValueId| {
            let field = self.at.holder(id).field.as_ref();
            let there = field.is_some_and(|field| seen.fields.contains(field.as_str()));
            there && !seen.placeholders.contains(id)
        };
        let (lost, free): (Vec<_>, Vec<_>) = todo.drain(..).partition(is_there);
        let version = seen.version.clone();
        let placeholders = seen.placeholders.clone();
        let rest = self.still_to_store(free, &lost, seen);
        self.lose(&lost, &rest, made).await;
        *todo = self.makeable(rest, &lost);
        if todo.is_empty() {
            return None;
        }
        let replaces = todo.iter().any(|id| placeholders.contains(id));
        Some(if replaces {
            How::Replace(version)
        } else {
            How::Add(version)
        })
    }

    /// Which fields there are now, and which of those that are to be stored are placeholders still.
    async fn look_inside(&self, todo: &[ValueId]) -> Result<Seen, Fate> {
        let read = self.at.provider.read(self.at.name, self.at.shape()).await;
        let stored = read.map_err(|err| unseen(&err))?;
        let Document::Fields(fields) = &stored.document else {
            let name = self.at.name;
            let message = format!("replace in `{name}`: it is one value now");
            return Err(Fate::Failed(failure::conflict(message)));
        };
        let names = fields.iter().map(|(name, _)| name.to_owned()).collect();
        let is_placeholder = |id: &&ValueId| {
            let value = self.at.pick(id, &stored.document);
            value.is_ok_and(|value| self.is_placeholder(id, value))
        };
        let placeholders = todo.iter().filter(is_placeholder).cloned().collect();
        Ok(Seen {
            version: stored.version,
            fields: names,
            placeholders,
        })
    }

    fn is_placeholder(&self, id: &ValueId, value: SecretValue) -> bool {
        let mut values = self.sources.clone();
        values.insert(id.clone(), Arc::new(value));
        let stored = Stored {
            values: &values,
            states: &BTreeMap::new(),
        };
        judge(&self.ground.resolved, id, stored, &BTreeSet::new()).contains(&Finding::Placeholder)
    }

    /// Which fields there are now. Absence is looked at again: whoever was faster may not be done yet.
    async fn look(&self) -> Result<Seen, Fate> {
        let fields = self.at.entry.values.iter();
        let wanted = Wanted {
            name: self.at.name.clone(),
            fields: fields.filter_map(|value| value.id.field.clone()).collect(),
            depth: Depth::Fields,
        };
        let mut pauses = PAUSES.into_iter();
        loop {
            let inventory = self
                .at
                .provider
                .inventory(std::slice::from_ref(&wanted))
                .await;
            let inventory = inventory.map_err(|err| unseen(&err))?;
            let now = match inventory.get(self.at.name) {
                Some(Presence::Present {
                    version,
                    shape: Shape::Fields(fields),
                }) => {
                    let (version, fields) = (version.clone(), fields.clone());
                    return Ok(Seen {
                        version,
                        fields,
                        placeholders: BTreeSet::new(),
                    });
                }
                Some(Presence::Absent | Presence::Empty { .. })
                    if self.pause(&mut pauses).await =>
                {
                    continue;
                }
                Some(Presence::Absent) => "gone",
                Some(Presence::Deleted { .. }) => "deleted",
                Some(Presence::Disabled { .. }) => "switched off",
                Some(Presence::Empty { .. }) => "empty",
                Some(Presence::Exists | Presence::Unknown { .. }) | None => "not to be seen",
                Some(Presence::Hidden { .. }) => "hidden",
                Some(Presence::Present { .. }) => "one value, where several are declared",
            };
            let name = self.at.name;
            let message = format!("add to `{name}`: it changed meanwhile, and is now {now}");
            return Err(Fate::Failed(failure::conflict(message)));
        }
    }

    /// Waits a little, unless that was done often enough.
    async fn pause(&self, pauses: &mut std::array::IntoIter<u64, 5>) -> bool {
        match pauses.next() {
            Some(pause) if !self.job.cancel.is_cancelled() => {
                sleep(Duration::from_millis(pause)).await;
                true
            }
            Some(_) | None => false,
        }
    }

    /// Reads what somebody else stored.
    async fn read(&self, ids: &[ValueId]) -> ReadValues {
        let mut pauses = PAUSES.into_iter();
        loop {
            let read = EntryRead::of(self.at, ids.to_vec()).run().await;
            let absent = read.unread.values().any(|unread| *unread == Unread::Absent);
            if !absent || !self.pause(&mut pauses).await {
                return read;
            }
        }
    }

    /// Of values that are still free, those that may still be stored: none whose product somebody stored meanwhile.
    fn still_to_store(&mut self, free: Vec<ValueId>, lost: &[ValueId], seen: Seen) -> Vec<ValueId> {
        if free.is_empty() {
            return free;
        }
        let mut findings = self.job.findings.clone();
        findings.states.retain(|id, _| !lost.contains(id));
        // A product beside it that proved a given value may be another by now.
        findings.proofs.retain(|_, proof| match proof {
            Proof::Made(proven) => proven.iter().all(|id| id.entry != self.write.entry),
            Proof::NotMade(_) | Proof::Open { .. } => true,
        });
        let mut inventories = self.job.inventories.clone();
        let presence = Presence::Present {
            version: seen.version,
            shape: Shape::Fields(seen.fields),
        };
        let inventory = inventories.entry(self.write.backend.clone()).or_default();
        inventory.insert(self.at.name.clone(), presence);
        let given: BTreeSet<ValueId> = self.job.given.keys().cloned().collect();
        let input = Input::new(&self.ground.resolved, &inventories, &given);
        let again = plan(input.selecting(self.job.selection).knowing(&findings));
        let mut rest = Vec::new();
        for id in free {
            match again.step(&id).map(|step| step.action.clone()) {
                Some(Action::Create) => rest.push(id),
                Some(left) => self.written.fates.push((id, Fate::Left(left))),
                None => self.written.fates.push((id, Fate::Cancelled)),
            }
        }
        rest
    }

    /// Records values that somebody else stored, and reads them where anything depends on what they are.
    async fn lose(&mut self, lost: &[ValueId], rest: &[ValueId], made: &Values) {
        let maker = self.ground.maker();
        let needed: BTreeSet<ValueId> = rest.iter().flat_map(|id| maker.sources(id)).collect();
        let matters = |id: &ValueId| {
            self.wanted.contains(id) || needed.contains(id) || self.job.given.contains_key(id)
        };
        let ids: Vec<ValueId> = lost.iter().filter(|id| matters(id)).cloned().collect();
        let read = if ids.is_empty() {
            ReadValues::default()
        } else {
            self.read(&ids).await
        };
        for id in lost {
            let stored = read.values.get(id);
            let same =
                stored.is_some_and(|stored| made.get(id).is_some_and(|made| made.same_as(stored)));
            let given = self.job.given.contains_key(id) && !same;
            self.written.fates.push((id.clone(), Fate::Lost { given }));
        }
        self.sources.extend(read.values.clone());
        let wanted = read
            .values
            .into_iter()
            .filter(|(id, _)| self.wanted.contains(id));
        self.written.values.extend(wanted);
        self.written.unread.extend(read.unread);
    }

    /// Of values that are still to be stored, those whose sources are known; nothing is made from our losing value.
    fn makeable(&mut self, rest: Vec<ValueId>, lost: &[ValueId]) -> Vec<ValueId> {
        let maker = self.ground.maker();
        let mut sources = rest.iter().flat_map(|id| maker.sources(id));
        let resolved = &self.ground.resolved;
        let of_use = |id: &ValueId| {
            let value = self.sources.get(id);
            value.is_some_and(|value| !not_yet::stands_for_another(resolved, id, value))
        };
        let missing = sources.find(|id| lost.contains(id) && !of_use(id));
        let Some(because) = missing else {
            return rest;
        };
        let reason = match self.written.unread.get(&because) {
            Some(unread) => Some(unread.to_string()),
            None => (self.sources.get(&because)).map(|_| not_yet::REASON.to_owned()),
        };
        let fate = Fate::Skipped { because, reason };
        let fates = rest.into_iter().map(|id| (id, fate.clone()));
        self.written.fates.extend(fates);
        Vec::new()
    }
}

/// What becomes of values whose entry could not be looked at.
fn unseen(err: &Error) -> Fate {
    if err.is_stopped() {
        Fate::Cancelled
    } else {
        Fate::Failed(failure::of_call(err))
    }
}
