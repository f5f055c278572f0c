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
use seed_provider::stopping;

use super::dead::Deaths;
use super::job::{Event, Job};
use super::not_yet;
use super::write::{Ground, How, Writer, Written};
use crate::read::{EntryRead, Located, ReadValues, Unread, by_entry, limit, read_values};

/// What a task came to.
pub(super) enum Done {
    Read(ReadValues),
    Written(Written),
}

/// Reads and writes, each after those that it needs.
pub(super) struct Schedule<'a> {
    job: &'a Job<'a>,
    ground: &'a Arc<Ground>,
    /// For each write, whether something was sent whose answer is not there yet.
    sent: &'a [AtomicBool],
    tasks: Vec<Task>,
    queues: BTreeMap<String, Queue>,
    under_way: BTreeSet<usize>,
    known: Known,
}

struct Task {
    backend: String,
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
            known: Known::default(),
        };
        schedule.add_tasks();
        let ready = schedule
            .tasks
            .iter()
            .enumerate()
            .filter(|(_, task)| task.waits == 0);
        for (index, task) in ready {
            if let Some(queue) = schedule.queues.get_mut(&task.backend) {
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
        self.queues.entry(backend.clone()).or_insert_with(|| {
            let provider = self.job.providers.get(&backend);
            let limit = provider.map_or(1, |provider| limit(provider, self.job.concurrency).get());
            Queue {
                limit,
                ready: VecDeque::new(),
                under_way: 0,
            }
        });
        self.tasks.push(Task {
            backend,
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
        entries.collect()
    }

    /// Begins the next task whose turn has come and whose backend has room.
    pub(super) fn next(&mut self) -> Option<BoxFuture<'a, (usize, Done)>> {
        loop {
            let mut queues = self.queues.values_mut();
            let queue =
                queues.find(|queue| queue.under_way < queue.limit && !queue.ready.is_empty())?;
            let task = queue.ready.pop_front()?;
            match self.begin(task) {
                Some(future) => {
                    self.under_way.insert(task);
                    if let Some(queue) = self.queue(task) {
                        queue.under_way += 1;
                    }
                    return Some(future.map(move |done| (task, done)).boxed());
                }
                // There was nothing to do for it, which is known at once.
                None => self.release(task),
            }
        }
    }

    fn queue(&mut self, task: usize) -> Option<&mut Queue> {
        let backend = &self.tasks.get(task)?.backend;
        self.queues.get_mut(backend)
    }

    fn begin(&mut self, task: usize) -> Option<BoxFuture<'a, Done>> {
        let job = self.job;
        let task = self.tasks.get(task)?;
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
                    return Some(read.map(Done::Read).boxed());
                }
                match EntryRead::new(&job.resolved, job.providers, entry, ids.clone()) {
                    Ok(read) => {
                        job.observer.event(Event::Reading {
                            entry: read.entry(),
                        });
                        let read = stopping(job.cancel.clone(), read.run());
                        Some(read.map(Done::Read).boxed())
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
                        Some(run.map(Done::Written).boxed())
                    }
                    Err(fate) => {
                        let fates = write.values.iter().map(|id| (id.clone(), fate.clone()));
                        let fates = fates.collect();
                        self.settle(index, Written::of(fates));
                        None
                    }
                }
            }
        }
    }

    /// All that a write needs, or what becomes of its values without being sent.
    fn writer(&self, index: usize, write: &'a Write) -> Result<(Writer<'a>, Option<How>), Fate> {
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
            if !self.is_ours(id) && not_yet::stands_for_another(&self.job.resolved, id, value) {
                let because = id.clone();
                let reason = Some(not_yet::REASON.to_owned());
                return Err(Fate::Skipped { because, reason });
            }
            sources.insert(id.clone(), Arc::clone(value));
        }
        let job = self.job;
        let at = Located::find(&job.resolved, job.providers, &write.entry).map_err(Fate::Failed)?;
        let how = match &write.kind {
            WriteKind::Create => Some(How::Create),
            WriteKind::Add { expected } => Some(How::Add(expected.clone())),
            WriteKind::Replace { expected } => Some(How::Replace(expected.clone())),
            WriteKind::ReplaceInOwn { write } => {
                let version = self.known.versions.get(*write).cloned().flatten();
                version.map(How::Replace)
            }
            WriteKind::AddToOwn { write } => {
                let version = self.known.versions.get(*write).cloned().flatten();
                version.map(How::Add)
            }
        };
        let wanted = write
            .values
            .iter()
            .filter(|id| self.known.users.contains_key(*id));
        let writer = Writer {
            job,
            ground: self.ground,
            write,
            at,
            sources,
            wanted: wanted.cloned().collect(),
            sent: self.sent.get(index),
            written: Written::default(),
        };
        Ok((writer, how))
    }

    /// Whether this run stored a value, so that it is none that somebody else left.
    fn is_ours(&self, id: &ValueId) -> bool {
        let fate = self.known.fates.get(id);
        matches!(fate, Some(Fate::Created | Fate::Filled))
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

    /// Records what a task came to, and lets those begin that waited for it.
    pub(super) fn finish(&mut self, task: usize, done: Done) {
        self.under_way.remove(&task);
        if let Some(queue) = self.queue(task) {
            queue.under_way = queue.under_way.saturating_sub(1);
        }
        match (done, self.tasks.get(task).map(|task| &task.work)) {
            (Done::Read(read), _) => {
                if let Some(task) = self.tasks.get(task) {
                    for (id, unread) in &read.unread {
                        self.known.dead.learn_from(&task.backend, id, unread);
                    }
                }
                self.known.values.extend(read.values);
                self.known.unread.extend(read.unread);
            }
            (Done::Written(written), Some(Work::Write(index))) => self.settle(*index, written),
            (Done::Written(_), Some(Work::Read { .. }) | None) => {}
        }
        self.release(task);
    }

    fn settle(&mut self, index: usize, written: Written) {
        let is_ours = |(_, fate): &(ValueId, Fate)| matches!(fate, Fate::Created | Fate::Filled);
        let all_ours = written.fates.iter().all(is_ours);
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
            // What somebody else wrote beside ours is looked at before more is added.
            *version = written.version.filter(|_| all_ours);
        }
        for id in self.known.needs.get(index).into_iter().flatten() {
            let users = self.known.users.entry(id.clone()).or_default();
            *users = users.saturating_sub(1);
            // The last one that is made from it is written: it need not live longer.
            if *users == 0 {
                self.known.values.remove(id);
            }
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
                let fate = Fate::Uncertain(Failure {
                    kind: "indeterminate",
                    message: format!("store `{id}`: the run was stopped before the answer came"),
                    request_id: None,
                });
                self.known.fates.entry(id.clone()).or_insert(fate);
            }
        }
    }

    pub(super) fn report(mut self) -> Report {
        let given = |id: &ValueId| self.job.given.contains_key(id);
        let fates = &mut self.known.fates;
        Report::new(
            self.job.plan,
            |step| fates.remove(&step.id).unwrap_or(Fate::Cancelled),
            given,
        )
    }
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
            let Some((task, done)) = under_way.next().await else {
                break;
            };
            schedule.finish(task, done);
            peak = peak.max(schedule.known.values.len());
        }
        drop(under_way);
        assert!(peak <= 4, "{peak} values lived at once");
        assert!(schedule.known.values.is_empty());
        assert_eq!(schedule.report().counts().created, 100);
    }
}
