//! Whose turn it is, and what is known so far.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use seed_core::inventory::Version;
use seed_core::name::{EntryKey, ValueId};
use seed_core::plan::{Action, Blocked, Write, WriteKind};
use seed_core::produce::Values;
use seed_core::report::{Failure, Fate, Report};
use seed_core::resolve::ResolvedCluster;
use seed_provider::{Settled, stopping};

use super::dead::Deaths;
use super::job::{Event, Job};
use super::not_yet;
use super::stage::{Answers, Pending, Stage};
use super::write::{Ground, How, Writer, Written};
use crate::failure;
use crate::read::{EntryRead, Located, ReadValues, Unread, by_entry, limit, read_values};

/// What came to an end.
pub(super) enum Done {
    Read { task: usize, read: ReadValues },
    Settled(Answers),
    Written { task: usize, written: Written },
}

/// Reads and writes, each after those that it needs.
pub(super) struct Schedule<'a> {
    job: &'a Job<'a>,
    ground: &'a Arc<Ground>,
    /// For each write, whether something was sent whose answer is not there yet.
    sent: &'a [AtomicBool],
    tasks: Vec<Task>,
    queues: BTreeMap<(String, Turn), Queue>,
    under_way: BTreeSet<usize>,
    stage: Stage,
    known: Known,
}

/// When a task may begin.
///
/// On a backend whose writes are only known to stand after a second look, other runs wait for ours, and some of our calls
/// wait for theirs. So what waits begins after that look, and never holds one up: two runs would wait for each other.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Turn {
    /// As soon as all that comes before it is done.
    AtOnce,
    /// When also nothing else can begin, and what was written is known to stand.
    Patient,
}

struct Task {
    backend: String,
    turn: Turn,
    /// Tasks that come after this one.
    then: Vec<usize>,
    /// How many tasks must be done before.
    waits: usize,
    work: Work,
}

enum Work {
    Read { entry: EntryKey, ids: Vec<ValueId> },
    Write(usize),
}

struct Queue {
    limit: usize,
    ready: VecDeque<usize>,
    under_way: usize,
}

/// What is known so far.
#[derive(Default)]
struct Known {
    /// Values that somebody else wrote at the same time.
    contested: BTreeSet<ValueId>,
    /// Backends that are not ours to use any more: nothing further is sent there.
    dead: Deaths,
    fates: BTreeMap<ValueId, Fate>,
    /// For each write, the values of others that it needs.
    needs: Vec<BTreeSet<ValueId>>,
    unread: BTreeMap<ValueId, Unread>,
    /// How many writes to come need a value.
    users: BTreeMap<ValueId, usize>,
    /// Values that writes to come need.
    values: Values,
    /// For each write, the version that it left.
    versions: Vec<Option<Version>>,
}

impl<'a> Schedule<'a> {
    pub(super) fn new(job: &'a Job<'a>, ground: &'a Arc<Ground>, sent: &'a [AtomicBool]) -> Self {
        let mut schedule = Self {
            job,
            ground,
            sent,
            tasks: Vec::new(),
            queues: BTreeMap::new(),
            under_way: BTreeSet::new(),
            stage: Stage::default(),
            known: Known::default(),
        };
        schedule.add_tasks();
        let ready = schedule
            .tasks
            .iter()
            .enumerate()
            .filter(|(_, task)| task.waits == 0);
        for (index, task) in ready {
            let queue = (task.backend.clone(), task.turn);
            if let Some(queue) = schedule.queues.get_mut(&queue) {
                queue.ready.push_back(index);
            }
        }
        schedule
    }

    /// One task for each write, and before the first that needs it, one for each entry to read.
    fn add_tasks(&mut self) {
        let job = self.job;
        let maker = self.ground.maker();
        let mut reads = by_entry(job.plan.reads.iter().cloned());
        let mut reading: BTreeMap<EntryKey, usize> = BTreeMap::new();
        let mut writing: Vec<usize> = Vec::new();
        for (index, write) in job.plan.writes.iter().enumerate() {
            let sources = write.values.iter().flat_map(|id| maker.sources(id));
            let needs: BTreeSet<ValueId> =
                sources.filter(|id| !write.values.contains(id)).collect();
            for id in &needs {
                *self.known.users.entry(id.clone()).or_default() += 1;
                if let Some(ids) = reads.remove(&id.entry) {
                    let task = self.add_read(id.entry.clone(), ids);
                    reading.insert(id.entry.clone(), task);
                }
            }
            self.known.needs.push(needs);
            self.known.versions.push(None);
            writing.push(self.add(write.backend.clone(), Work::Write(index)));
        }
        // A write may come after one that stands later in the plan.
        for (index, write) in job.plan.writes.iter().enumerate() {
            let needs = self.known.needs.get(index).into_iter().flatten();
            let mut before: BTreeSet<usize> = needs
                .filter_map(|id| reading.get(&id.entry))
                .copied()
                .collect();
            before.extend(
                write
                    .after
                    .iter()
                    .filter_map(|earlier| writing.get(*earlier)),
            );
            if let Some(task) = writing.get(index) {
                self.link(&before, *task);
            }
        }
    }

    fn link(&mut self, before: &BTreeSet<usize>, task: usize) {
        for earlier in before {
            if let Some(earlier) = self.tasks.get_mut(*earlier) {
                earlier.then.push(task);
            }
        }
        if let Some(task) = self.tasks.get_mut(task) {
            task.waits = before.len();
        }
    }

    fn add_read(&mut self, entry: EntryKey, ids: Vec<ValueId>) -> usize {
        if ids.iter().any(|id| self.job.resolved.is_kept_nowhere(id)) {
            return self.add(
                ResolvedCluster::BACKEND.to_owned(),
                Work::Read { entry, ids },
            );
        }
        let at = Located::find(&self.job.resolved, self.job.providers, &entry);
        let backend = at.map_or_else(|_| String::new(), |at| at.backend.to_owned());
        self.add(backend, Work::Read { entry, ids })
    }

    fn add(&mut self, backend: String, work: Work) -> usize {
        for turn in [Turn::AtOnce, Turn::Patient] {
            let queue = self.queues.entry((backend.clone(), turn));
            queue.or_insert_with(|| {
                let provider = self.job.providers.get(&backend);
                let limit =
                    provider.map_or(1, |provider| limit(provider, self.job.concurrency).get());
                Queue {
                    limit,
                    ready: VecDeque::new(),
                    under_way: 0,
                }
            });
        }
        let creates = |index: usize| {
            let write = self.job.plan.writes.get(index);
            write.is_some_and(|write| write.kind == WriteKind::Create)
        };
        let turn = match work {
            _ if !self.job.convergers.contains_key(&backend) => Turn::AtOnce,
            Work::Write(index) if creates(index) => Turn::AtOnce,
            Work::Read { .. } | Work::Write(_) => Turn::Patient,
        };
        self.tasks.push(Task {
            backend,
            turn,
            then: Vec::new(),
            waits: 0,
            work,
        });
        self.tasks.len() - 1
    }

    /// How many values are to be stored.
    pub(super) fn values(&self) -> usize {
        let values = self.job.plan.writes.iter().map(|write| write.values.len());
        values.sum()
    }

    /// The entries that are read or written just now.
    pub(super) fn under_way(&self) -> Vec<&EntryKey> {
        let tasks = self
            .under_way
            .iter()
            .filter_map(|task| self.tasks.get(*task));
        let entries = tasks.filter_map(|task| match &task.work {
            Work::Read { entry, .. } => Some(entry),
            Work::Write(index) => self.job.plan.writes.get(*index).map(|write| &write.entry),
        });
        let open = self.stage.open();
        let open = open.filter_map(|pending| self.job.plan.writes.get(pending.write));
        entries.chain(open.map(|write| &write.entry)).collect()
    }

    /// Begins the next task whose turn has come and whose backend has room.
    pub(super) fn next(&mut self) -> Option<BoxFuture<'a, Done>> {
        loop {
            let patient = self.stage.is_clear() && !self.has_eager(true);
            let mut queues = self.queues.iter_mut();
            let (_, queue) = queues.find(|((_, turn), queue)| {
                let may_begin = *turn == Turn::AtOnce || patient;
                may_begin && queue.under_way < queue.limit && !queue.ready.is_empty()
            })?;
            let task = queue.ready.pop_front()?;
            match self.begin(task) {
                Some(future) => {
                    self.under_way.insert(task);
                    if let Some(queue) = self.queue(task) {
                        queue.under_way += 1;
                    }
                    return Some(future);
                }
                // There was nothing to do for it, which is known at once.
                None => self.release(task),
            }
        }
    }

    /// Whether anything that waits for nobody is under way, or `ready` to begin.
    fn has_eager(&self, ready: bool) -> bool {
        let mut queues = self.queues.iter();
        queues.any(|((_, turn), queue)| {
            *turn == Turn::AtOnce && (queue.under_way > 0 || (ready && !queue.ready.is_empty()))
        })
    }

    fn queue(&mut self, task: usize) -> Option<&mut Queue> {
        let task = self.tasks.get(task)?;
        self.queues.get_mut(&(task.backend.clone(), task.turn))
    }

    /// Lets a task begin once more, when it is known what stands.
    fn wait_with(&mut self, task: usize) {
        if let Some(task) = self.tasks.get_mut(task) {
            task.turn = Turn::Patient;
        }
        if let Some(queue) = self.queue(task) {
            queue.ready.push_front(task);
        }
    }

    fn begin(&mut self, number: usize) -> Option<BoxFuture<'a, Done>> {
        let job = self.job;
        let task = self.tasks.get(number)?;
        let is_read = move |read| Done::Read { task: number, read };
        match &task.work {
            Work::Read { entry, ids } => {
                if let Some(dead) = self.known.dead.get(&task.backend) {
                    let unread = dead.unread();
                    let unread = ids.iter().map(|id| (id.clone(), unread.clone()));
                    self.known.unread.extend(unread);
                    return None;
                }
                if ids.iter().any(|id| job.resolved.is_kept_nowhere(id)) {
                    job.observer.event(Event::Reading { entry });
                    let read =
                        read_values(&job.resolved, job.providers, ids.clone(), job.concurrency);
                    let read = stopping(job.cancel.clone(), read);
                    return Some(read.map(is_read).boxed());
                }
                match EntryRead::new(&job.resolved, job.providers, entry, ids.clone()) {
                    Ok(read) => {
                        job.observer.event(Event::Reading {
                            entry: read.entry(),
                        });
                        let read = stopping(job.cancel.clone(), read.run());
                        Some(read.map(is_read).boxed())
                    }
                    Err(unread) => {
                        self.known.unread.extend(unread);
                        None
                    }
                }
            }
            Work::Write(index) => {
                let index = *index;
                let write = job.plan.writes.get(index)?;
                match self.writer(index, write) {
                    Ok((writer, how)) => {
                        job.observer.event(Event::Writing {
                            entry: &write.entry,
                        });
                        let run = stopping(job.cancel.clone(), writer.run(how));
                        let written = move |written| Done::Written {
                            task: number,
                            written,
                        };
                        Some(run.map(written).boxed())
                    }
                    Err(fate) => {
                        self.leave(index, write, &fate);
                        None
                    }
                }
            }
        }
    }

    /// Nothing is sent, or nothing more.
    fn leave(&mut self, index: usize, write: &Write, fate: &Fate) {
        let fates = if let Some((ids, _)) = self.stage.take_again(index) {
            ids.into_iter().map(|id| self.gave_way(id)).collect()
        } else {
            let ids = write.values.iter();
            ids.map(|id| (id.clone(), fate.clone())).collect()
        };
        self.settle(index, Written::of(fates));
    }

    /// All that a write needs, or what becomes of its values without being sent.
    fn writer(
        &mut self,
        index: usize,
        write: &'a Write,
    ) -> Result<(Writer<'a>, Option<How>), Fate> {
        if let Some(dead) = self.known.dead.get(&write.backend) {
            return Err(dead.fate());
        }
        if let Some(fate) = write
            .after
            .iter()
            .find_map(|earlier| self.hindered(*earlier))
        {
            return Err(fate);
        }
        let mut sources = Values::new();
        for id in self.known.needs.get(index).into_iter().flatten() {
            let Some(value) = self.known.values.get(id) else {
                let reason = self.known.unread.get(id).map(ToString::to_string);
                let because = id.clone();
                return Err(Fate::Skipped { because, reason });
            };
            if !self.stored_it(id) && not_yet::stands_for_another(&self.job.resolved, id, value) {
                let because = id.clone();
                let reason = Some(not_yet::REASON.to_owned());
                return Err(Fate::Skipped { because, reason });
            }
            sources.insert(id.clone(), Arc::clone(value));
        }
        let job = self.job;
        let at = Located::find(&job.resolved, job.providers, &write.entry).map_err(Fate::Failed)?;
        let again = self.stage.take_again(index);
        let how = self.how(write).filter(|_| again.is_none());
        let wanted = write
            .values
            .iter()
            .filter(|id| self.known.users.contains_key(*id));
        let (todo, made) = again.unwrap_or_else(|| (write.values.clone(), Values::new()));
        let writer = Writer {
            job,
            ground: self.ground,
            write,
            at,
            sources,
            wanted: wanted.cloned().collect(),
            sent: self.sent.get(index),
            written: Written::default(),
            is_eager: matches!(how, Some(How::Create))
                && self.job.convergers.contains_key(&write.backend),
            todo,
            made,
        };
        Ok((writer, how))
    }

    /// How an entry is written, unless it must be looked at first.
    fn how(&self, write: &Write) -> Option<How> {
        let own = |write: &usize| self.known.versions.get(*write).cloned().flatten();
        match &write.kind {
            WriteKind::Create => Some(How::Create),
            WriteKind::Add { expected } => Some(How::Add(expected.clone())),
            WriteKind::Replace { expected } => Some(How::Replace(expected.clone())),
            WriteKind::ReplaceInOwn { write } => own(write).map(How::Replace),
            WriteKind::AddToOwn { write } => own(write).map(How::Add),
        }
    }

    /// Whether this run stored a value, so that it is none that somebody else left.
    fn stored_it(&self, id: &ValueId) -> bool {
        let fate = self.known.fates.get(id);
        fate.is_some_and(is_ours)
    }

    /// What becomes of whatever comes after a write that did not succeed.
    fn hindered(&self, write: usize) -> Option<Fate> {
        let values = &self.job.plan.writes.get(write)?.values;
        values.iter().find_map(|id| match self.known.fates.get(id) {
            Some(Fate::Created | Fate::Filled | Fate::Lost { .. } | Fate::Restored { .. }) => None,
            Some(skipped @ Fate::Skipped { .. }) => Some(skipped.clone()),
            Some(Fate::Left(_)) => Some(Fate::Left(Action::Blocked(Blocked::Source(id.clone())))),
            Some(Fate::Cancelled) | None => Some(Fate::Cancelled),
            Some(Fate::Failed(_) | Fate::Kept { .. } | Fate::Uncertain(_)) => Some(Fate::Skipped {
                because: id.clone(),
                reason: None,
            }),
        })
    }

    /// Records what came to an end, and lets those begin that waited for it.
    pub(super) fn finish(&mut self, done: Done) {
        match done {
            Done::Read { task, read } => {
                self.ended(task);
                if let Some(task) = self.tasks.get(task) {
                    for (id, unread) in &read.unread {
                        self.known.dead.learn_from(&task.backend, id, unread);
                    }
                }
                self.known.values.extend(read.values);
                self.known.unread.extend(read.unread);
                self.release(task);
            }
            Done::Settled(answers) => self.end_settling(answers),
            Done::Written { task, written } => {
                self.ended(task);
                self.written(task, written);
            }
        }
    }

    fn ended(&mut self, task: usize) {
        self.under_way.remove(&task);
        if let Some(queue) = self.queue(task) {
            queue.under_way = queue.under_way.saturating_sub(1);
        }
    }

    /// Where a write is only known to stand after a second look, nothing begins that waited for it.
    fn written(&mut self, task: usize, mut written: Written) {
        let Some(Work::Write(index)) = self.tasks.get(task).map(|task| &task.work) else {
            return;
        };
        let index = *index;
        if !written.taken.is_empty() {
            let taken = std::mem::take(&mut written.taken);
            self.stage.look_again(index, taken, written.given);
            self.wait_with(task);
            return;
        }
        let backend = self.job.plan.writes.get(index).map(|write| &write.backend);
        let converging = backend.filter(|name| self.job.convergers.contains_key(*name));
        if let Some(backend) = converging.filter(|_| written.stored.is_some()) {
            let pending = Pending {
                task,
                write: index,
                written,
            };
            self.stage.add(backend, pending);
        } else {
            self.settle(index, written);
            self.release(task);
        }
    }

    /// The pause and the second look, if anything was written that needs one.
    pub(super) fn end_stage(&mut self, stopped: bool) -> Option<BoxFuture<'a, Done>> {
        // Once the run is stopped, what is ready will not begin.
        if self.has_eager(!stopped) && !self.stage.is_due() {
            return None;
        }
        let settling = self.stage.begin(self.job)?;
        Some(settling.map(Done::Settled).boxed())
    }

    fn end_settling(&mut self, answers: Answers) {
        for (pending, answer) in self.stage.end(answers) {
            let (task, index) = (pending.task, pending.write);
            let values = &pending.written.fates;
            let ours: Vec<ValueId> = stored(values).cloned().collect();
            match answer {
                Settled::Ours { contested } => {
                    self.known
                        .contested
                        .extend(ours.into_iter().filter(|_| contested));
                    let mut written = pending.written;
                    // What stands is a copy of it, of another version.
                    written.version = written.version.filter(|_| !contested);
                    self.settle(index, written);
                    self.release(task);
                }
                Settled::Theirs => {
                    self.known.contested.extend(ours);
                    self.settle_theirs(pending);
                }
                Settled::Unclear(err) => {
                    self.settle_unclear(pending, &failure::of_call(&err));
                    self.release(task);
                }
            }
        }
    }

    /// Somebody else's values stand: the entry is looked at again, and what it lacks is decided again.
    fn settle_theirs(&mut self, pending: Pending) {
        let Pending {
            task,
            write,
            mut written,
        } = pending;
        let ours: Vec<ValueId> = stored(&written.fates).cloned().collect();
        if self.stage.is_given_up(write) {
            let name = self.job.plan.writes.get(write).map(|write| &write.name);
            let failure = name.map(|name| failure::changed_again_and_again(name, None));
            let pending = Pending {
                task,
                write,
                written,
            };
            if let Some(failure) = failure {
                self.settle_unclear(pending, &failure);
            }
            self.release(task);
            return;
        }
        let given = std::mem::take(&mut written.given);
        written.fates.retain(|(id, _)| !ours.contains(id));
        written.values.retain(|id, _| !ours.contains(id));
        written.version = None;
        // The rest is known. What is made from it waits for the whole entry.
        self.record(write, written);
        self.stage.look_again(write, ours, given);
        self.wait_with(task);
    }

    /// It is not known whether what was written stands, so nothing is made from it.
    fn settle_unclear(&mut self, pending: Pending, failure: &Failure) {
        let Pending {
            write, mut written, ..
        } = pending;
        let ours: Vec<ValueId> = stored(&written.fates).cloned().collect();
        if let (Some(write), Some(id)) = (self.job.plan.writes.get(write), ours.first()) {
            self.known.dead.learn(&write.backend, id, failure);
        }
        for (id, fate) in &mut written.fates {
            if ours.contains(id) {
                *fate = Fate::Uncertain(failure.clone());
            }
        }
        written.values.retain(|id, _| !ours.contains(id));
        written.version = None;
        self.settle(write, written);
    }

    fn settle(&mut self, index: usize, mut written: Written) {
        let all_ours = written.fates.iter().all(|(_, fate)| is_ours(fate));
        // What somebody else wrote beside ours is looked at before more is added.
        written.version = written.version.filter(|_| all_ours);
        self.record(index, written);
        for id in self.known.needs.get(index).into_iter().flatten() {
            let users = self.known.users.entry(id.clone()).or_default();
            *users = users.saturating_sub(1);
            // The last one that is made from it is written: it need not live longer.
            if *users == 0 {
                self.known.values.remove(id);
            }
        }
    }

    fn record(&mut self, index: usize, written: Written) {
        if let Some(write) = self.job.plan.writes.get(index) {
            for (id, fate) in &written.fates {
                if let Fate::Failed(failure) = fate {
                    self.known.dead.learn(&write.backend, id, failure);
                }
            }
        }
        for (id, fate) in written.fates {
            self.job.observer.event(Event::Settled {
                id: &id,
                fate: &fate,
            });
            self.known.fates.insert(id, fate);
        }
        self.known.values.extend(written.values);
        self.known.unread.extend(written.unread);
        if let Some(version) = self.known.versions.get_mut(index) {
            *version = written.version;
        }
    }

    /// What waited for a task comes next, so that values that others are made from do not pile up.
    fn release(&mut self, task: usize) {
        let then = self
            .tasks
            .get_mut(task)
            .map(|task| std::mem::take(&mut task.then));
        for next in then.into_iter().flatten().rev() {
            let Some(task) = self.tasks.get_mut(next) else {
                continue;
            };
            task.waits = task.waits.saturating_sub(1);
            if task.waits == 0
                && let Some(queue) = self.queue(next)
            {
                queue.ready.push_front(next);
            }
        }
    }

    /// Gives up waiting. Of what was sent and not answered nobody knows.
    pub(super) fn abandon(&mut self) {
        for pending in self.stage.abandon() {
            let name = self
                .job
                .plan
                .writes
                .get(pending.write)
                .map(|write| &write.name);
            let message = name.map_or_else(String::new, |name| {
                format!("tell which value stands of `{name}`: the run was stopped before it was looked at again")
            });
            self.settle_unclear(pending, &failure::open(message));
        }
        for task in std::mem::take(&mut self.under_way) {
            let Some(Work::Write(index)) = self.tasks.get(task).map(|task| &task.work) else {
                continue;
            };
            let sent = self.sent.get(*index);
            if !sent.is_some_and(|sent| sent.load(Ordering::Acquire)) {
                continue;
            }
            let values = self.job.plan.writes.get(*index).map(|write| &write.values);
            for id in values.into_iter().flatten() {
                let message = format!("store `{id}`: the run was stopped before the answer came");
                let fate = Fate::Uncertain(failure::open(message));
                self.known.fates.entry(id.clone()).or_insert(fate);
            }
        }
    }

    /// What becomes of a value in whose place somebody else's stands, when nobody looks any more what that is.
    fn gave_way(&self, id: ValueId) -> (ValueId, Fate) {
        let entry = self.job.resolved.entries.get(&id.entry);
        let fate = if entry.is_some_and(|entry| entry.has_fields) {
            // Theirs may lack it.
            Fate::Cancelled
        } else {
            let given = self.job.given.contains_key(&id);
            Fate::Lost { given }
        };
        (id, fate)
    }

    pub(super) fn report(mut self) -> Report {
        let given = |id: &ValueId| self.job.given.contains_key(id);
        for id in self.stage.gave_way() {
            let (id, fate) = self.gave_way(id);
            self.known.fates.entry(id).or_insert(fate);
        }
        let fates = &mut self.known.fates;
        let mut report = Report::new(
            self.job.plan,
            |step| fates.remove(&step.id).unwrap_or(Fate::Cancelled),
            given,
        );
        for outcome in &mut report.outcomes {
            outcome.contested = self.known.contested.contains(&outcome.id);
        }
        report
    }
}

fn is_ours(fate: &Fate) -> bool {
    matches!(fate, Fate::Created | Fate::Filled)
}

/// The values that a write stored.
fn stored(fates: &[(ValueId, Fate)]) -> impl Iterator<Item = &ValueId> {
    let ours = fates.iter().filter(|(_, fate)| is_ours(fate));
    ours.map(|(id, _)| id)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::StreamExt as _;
    use futures::stream::FuturesUnordered;
    use rand::SeedableRng as _;
    use seed_core::backend::Kind;
    use seed_core::contract::parse;
    use seed_core::inventory::Depth;
    use seed_core::plan::{Input, plan};
    use seed_core::resolve::{Request, resolve};
    use seed_provider::{Memory, Provider};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::Providers;

    /// Sources that exist, sources that are made, and two products of each, all sources first.
    fn contract(pairs: usize) -> String {
        let mut text =
            "version: 1\nname: shop\nbackend: local\nbackends: {local: {file: seed.age}}\nsecrets:\n"
                .to_owned();
        for word in ["there", "made"] {
            for at in 0..pairs {
                text.push_str(&format!("  {word}-{at}: {{generate: {{hex: 4}}}}\n"));
            }
        }
        for product in ["one", "two"] {
            for word in ["there", "made"] {
                for at in 0..pairs {
                    let of = format!("{{of: {word}-{at}}}");
                    text.push_str(&format!(
                        "  {product}-{word}-{at}: {{derive: {{sha256: {of}}}}}\n"
                    ));
                }
            }
        }
        text
    }

    #[tokio::test]
    async fn a_value_lives_until_the_last_that_is_made_from_it_is_written() {
        let source = contract(20);
        let (contract, _) = parse(&source).unwrap();
        let (resolved, _) = resolve(&contract, &source, &Request::default()).unwrap();
        let memory = Memory::of(Kind::Local);
        for at in 0..20 {
            let name = Kind::Local.existing_name(&format!("there-{at}")).unwrap();
            let value = seed_core::document::Document::Single("there".to_owned().into());
            memory.put(&name, &value).unwrap();
        }
        let providers =
            Providers::from([("local".to_owned(), Arc::new(memory) as Arc<dyn Provider>)]);
        let inventories = crate::collect(&resolved, &providers, Depth::Fields)
            .await
            .inventories;
        let plan = plan(Input::new(&resolved, &inventories, &BTreeSet::new()));
        let job = Job {
            resolved: Arc::new(resolved),
            plan: &plan,
            inventories: &inventories,
            providers: &providers,
            replacers: &BTreeMap::new(),
            convergers: &BTreeMap::new(),
            findings: &seed_core::plan::Findings::NONE,
            given: &BTreeMap::new(),
            unchecked: &BTreeSet::new(),
            selection: &seed_core::plan::Selection::ALL,
            concurrency: std::num::NonZeroUsize::new(2),
            cancel: CancellationToken::new(),
            abandon: CancellationToken::new(),
            grace: Duration::ZERO,
            randomness: &|| Box::new(rand_chacha::ChaCha20Rng::seed_from_u64(1)),
            now: &|| 0,
            observer: &(),
        };
        let ground = Arc::new(Ground::new(&job));
        let sent: Vec<AtomicBool> = plan.writes.iter().map(|_| AtomicBool::default()).collect();
        let mut schedule = Schedule::new(&job, &ground, &sent);
        let mut under_way = FuturesUnordered::new();
        let mut peak = 0;
        loop {
            under_way.extend(std::iter::from_fn(|| schedule.next()));
            let Some(done) = under_way.next().await else {
                break;
            };
            schedule.finish(done);
            peak = peak.max(schedule.known.values.len());
        }
        drop(under_way);
        assert!(peak <= 4, "{peak} values lived at once");
        assert!(schedule.known.values.is_empty());
        assert_eq!(schedule.report().counts().created, 100);
    }
}
