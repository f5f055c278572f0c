//! What is left to do when somebody else was faster.

use std::collections::BTreeSet;
use std::time::Duration;

use seed_core::inventory::{Depth, Presence, Shape, Version, Wanted};
use seed_core::name::ValueId;
use seed_core::plan::{Action, Input, plan};
use seed_core::produce::Values;
use seed_core::report::{Failure, Fate};
use tokio::time::sleep;

use super::write::{How, Writer};
use crate::failure;
use crate::read::{EntryRead, ReadValues, Unread};

/// Milliseconds between looks while whoever was faster finishes: on some backends a name comes first and its value after it.
const PAUSES: [u64; 5] = [100, 200, 400, 800, 1600];

struct Seen {
    version: Version,
    fields: BTreeSet<String>,
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
        let seen = match self.look().await {
            Ok(seen) => seen,
            Err(failure) => {
                let fate = Fate::Failed(failure);
                let fates = todo.drain(..).map(|id| (id, fate.clone()));
                self.written.fates.extend(fates);
                return None;
            }
        };
        self.written.version = Some(seen.version.clone());
        let is_there = |id: &ValueId| {
            let field = id.field.as_ref();
            field.is_some_and(|field| seen.fields.contains(field.as_str()))
        };
        let (lost, absent): (Vec<_>, Vec<_>) = todo.drain(..).partition(is_there);
        let version = seen.version.clone();
        let rest = self.still_to_store(absent, seen);
        self.lose(&lost, &rest, made).await;
        *todo = self.makeable(rest, &lost);
        (!todo.is_empty()).then_some(How::Add(version))
    }

    /// Which fields there are now. Absence is looked at again: whoever was faster may not be done yet.
    async fn look(&self) -> Result<Seen, Failure> {
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
            let inventory = inventory.map_err(|err| failure::of_call(&err))?;
            let now = match inventory.get(self.at.name) {
                Some(Presence::Present {
                    version,
                    shape: Shape::Fields(fields),
                }) => {
                    let (version, fields) = (version.clone(), fields.clone());
                    return Ok(Seen { version, fields });
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
            return Err(failure::conflict(message));
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

    /// Of values that are still absent, those that may still be stored: none whose product somebody stored meanwhile.
    fn still_to_store(&mut self, absent: Vec<ValueId>, seen: Seen) -> Vec<ValueId> {
        if absent.is_empty() {
            return absent;
        }
        let mut inventories = self.job.inventories.clone();
        let presence = Presence::Present {
            version: seen.version,
            shape: Shape::Fields(seen.fields),
        };
        let inventory = inventories.entry(self.write.backend.clone()).or_default();
        inventory.insert(self.at.name.clone(), presence);
        let given: BTreeSet<ValueId> = self.job.given.keys().cloned().collect();
        let input = Input::new(&self.ground.resolved, &inventories, &given);
        let again = plan(input.selecting(self.job.selection));
        let mut rest = Vec::new();
        for id in absent {
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
        let missing = sources.find(|id| lost.contains(id) && !self.sources.contains_key(id));
        let Some(because) = missing else {
            return rest;
        };
        let reason = self.written.unread.get(&because).map(ToString::to_string);
        let fate = Fate::Skipped { because, reason };
        let fates = rest.into_iter().map(|id| (id, fate.clone()));
        self.written.fates.extend(fates);
        Vec::new()
    }
}
