//! What every command that talks to a backend does.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use rand::CryptoRng;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use seed_core::backend::Kind;
use seed_core::inventory::{Depth, Inventory, Presence, Wanted};
use seed_core::name::ValueId;
use seed_core::plan::{self, Action, Blocked, Findings, Input, Plan, Selection, Step};
use seed_core::produce::{Maker, preflight, try_given};
use seed_core::report::Report;
use seed_core::resolve::{Place, Resolved, ResolvedCluster};
use seed_core::secret::SecretValue;
use seed_engine::{Job, Providers, ReadValues, Unread};
use tokio_util::sync::CancellationToken;

use crate::advice;
use crate::backends::Backends;
use crate::deep;
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::given::Way;
use crate::progress::Progress;
use crate::render;
use crate::signals::{self, Signals};
use crate::terminal::Terminal;

/// How often a long run says how far it is where no bar can be shown.
const EVERY: Duration = Duration::from_secs(10);

/// How long calls that are under way are waited for after Ctrl-C.
pub(crate) const GRACE: Duration = Duration::from_secs(30);

/// What the command line asks of a run, beside the contract.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    /// Values that a person gave.
    pub(crate) given: BTreeMap<ValueId, SecretValue>,
    /// How they were given, unless it was at a prompt.
    pub(crate) ways: BTreeMap<ValueId, Way>,
    /// Values that a run would be given, and how: a plan reads none.
    pub(crate) promised: BTreeMap<ValueId, Way>,
    /// Values whose `check` is not tried.
    pub(crate) unchecked: BTreeSet<ValueId>,
    /// Values that the run is about.
    pub(crate) selection: Selection,
    /// Whether stored values are held against the contract.
    pub(crate) deep: bool,
    /// Whether the cluster's Secrets are compared where more is made from what they hold.
    pub(crate) compare: bool,
    /// Whether placeholders are filled, which needs a deep look.
    pub(crate) fill: bool,
    /// How many calls at once a backend gets; `None` leaves it to the backend's own word.
    pub(crate) concurrency: Option<NonZeroUsize>,
}

/// What was seen, and the plan that follows from it.
pub(crate) struct Seen {
    pub(crate) plan: Plan,
    pub(crate) inventories: BTreeMap<String, Inventory>,
    /// What was learnt by looking at values themselves.
    pub(crate) findings: Findings,
    /// Backends that could not be asked at all.
    pub(crate) failures: Vec<CliError>,
}

/// Runs async work to its end.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|err| CliError::failed("cannot start the runtime").because(&err))?;
    let done = runtime.block_on(work);
    // What nobody waits for any more, such as a lock that somebody else holds, must not hold the end up.
    runtime.shutdown_background();
    Ok(done)
}

/// Runs async work that writes nothing to its end. A signal ends it before.
pub(crate) fn block_on_reading<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    block_on(async {
        let mut signals = Signals::listen()?;
        signals::or_stop(&mut signals, work).await
    })?
}

/// Looks at every backend, and plans.
pub(crate) async fn look(
    resolved: &Resolved,
    providers: &Providers,
    depth: Depth,
    wishes: &Wishes,
) -> Seen {
    let collected = seed_engine::collect(resolved, providers, depth).await;
    let failures = collected
        .errors
        .iter()
        .map(|(name, err)| {
            let what = advice::called(name);
            let error = CliError::failed(format!("cannot ask {what}")).because(err);
            let kind = kind_of_backend(resolved, name);
            advised(error, kind, err.kind().as_str())
        })
        .collect();
    let inventories = collected.inventories;
    let findings = Findings::NONE;
    let mut seen = Seen {
        plan: plan_for(resolved, &inventories, &findings, wishes),
        inventories,
        findings,
        failures,
    };
    deep::look(&mut seen, resolved, providers, wishes).await;
    seen
}

fn kind_of_backend(resolved: &Resolved, name: &str) -> Option<Kind> {
    let cluster = (name == ResolvedCluster::BACKEND).then_some(Kind::Kubernetes);
    cluster.or_else(|| Some(resolved.backends.get(name)?.kind))
}

fn plan_for(
    resolved: &Resolved,
    inventories: &BTreeMap<String, Inventory>,
    findings: &Findings,
    wishes: &Wishes,
) -> Plan {
    let given = wishes
        .given
        .keys()
        .chain(wishes.promised.keys())
        .cloned()
        .collect();
    let input = Input::new(resolved, inventories, &given);
    plan::plan(input.selecting(&wishes.selection).knowing(findings))
}

impl Seen {
    /// Plans again from what was seen, after more was given.
    pub(crate) fn plan_again(&mut self, resolved: &Resolved, wishes: &Wishes) {
        self.plan = plan_for(resolved, &self.inventories, &self.findings, wishes);
    }
}

/// Plans without looking, as if nothing existed yet. What is there is not known, so no step has a state.
pub(crate) fn as_if_nothing_existed(resolved: &Resolved, wishes: &Wishes) -> Plan {
    let nothing = |wanted: Vec<Wanted>| -> Inventory {
        let absent = wanted
            .into_iter()
            .map(|wanted| (wanted.name, Presence::Absent));
        absent.collect()
    };
    let wanted = plan::wanted(resolved, Depth::Quick).into_iter();
    let inventories = wanted
        .map(|(name, wanted)| (name, nothing(wanted)))
        .collect();
    let mut plan = plan_for(resolved, &inventories, &Findings::NONE, wishes);
    for step in &mut plan.steps {
        step.state = None;
    }
    plan
}

/// Tries what can be known to be wrong before the first write.
pub(crate) fn refuse_wrong(resolved: &Resolved, plan: &Plan, wishes: &Wishes) -> Result<()> {
    let available = Maker::counted_on(plan);
    let maker = Maker {
        resolved,
        available: &available,
        unchecked: &wishes.unchecked,
    };
    if let Some(err) = plan.steps.iter().find_map(not_made) {
        return Err(err);
    }
    let mut wrong = preflight(&maker, plan, &wishes.given);
    for step in plan.steps.iter().filter(|step| is_half_pair(step)) {
        let given = wishes.given.get(&step.id);
        let err = given.and_then(|given| try_given(&maker, &step.id, given).err());
        wrong.extend(err.map(|err| (step.id.clone(), err)));
    }
    match wrong.as_slice() {
        [] => Ok(()),
        [(id, err)] => {
            let given = wishes.ways.get(id);
            let given = given.map_or_else(String::new, |way| format!(", given in {way},"));
            let message = format!("the value of `{id}`{given} is wrong; nothing was written");
            Err(CliError::usage(message).because(err))
        }
        several => {
            let error = CliError::usage("several values are wrong; nothing was written");
            let causes = several.iter().map(|(id, err)| match wishes.ways.get(id) {
                Some(way) => format!("`{id}`, given in {way}: {err}"),
                None => format!("`{id}`: {err}"),
            });
            Err(causes.fold(error, CliError::cause))
        }
    }
}

/// A given value from which a stored one was not made.
fn not_made(step: &Step) -> Option<CliError> {
    let Action::Blocked(Blocked::NotMade { product }) = &step.action else {
        return None;
    };
    let id = &step.id;
    let message =
        format!("the given `{id}` does not match the stored `{product}`; nothing was written");
    Some(CliError::usage(message).hint(format!(
        "give the value that `{product}` was made from, or remove `{product}` from the backend to make both again"
    )))
}

fn is_half_pair(step: &Step) -> bool {
    matches!(
        step.action,
        Action::Blocked(Blocked::HalfPair { .. } | Blocked::Unproven { .. })
    )
}

/// Carries a plan out. The first of Ctrl-C, SIGTERM and SIGHUP stops it after the calls that are under way, the second at
/// once.
pub(crate) async fn apply(
    resolved: &Arc<Resolved>,
    seen: &Seen,
    wishes: &Wishes,
    backends: &Backends,
    signals: &mut Signals,
    terminal: Terminal,
) -> Report {
    let cancel = CancellationToken::new();
    let abandon = CancellationToken::new();
    if signals.received() {
        cancel.cancel();
    }
    let progress = Progress::new(terminal, GRACE);
    let job = Job {
        resolved: Arc::clone(resolved),
        plan: &seen.plan,
        inventories: &seen.inventories,
        providers: &backends.providers,
        replacers: &backends.replacers,
        convergers: &backends.convergers,
        findings: &seen.findings,
        given: &wishes.given,
        unchecked: &wishes.unchecked,
        selection: &wishes.selection,
        concurrency: wishes.concurrency,
        cancel: cancel.clone(),
        abandon: abandon.clone(),
        grace: GRACE,
        randomness: &|| Box::new(UnwrapErr(SysRng)) as Box<dyn CryptoRng + Send>,
        now: &|| jiff::Timestamp::now().as_second(),
        observer: &progress,
    };
    let mut run = std::pin::pin!(seed_engine::apply(job));
    loop {
        tokio::select! {
            report = &mut run => return report,
            () = signals.next() => {
                if cancel.is_cancelled() {
                    abandon.cancel();
                }
                cancel.cancel();
            }
            () = tokio::time::sleep(EVERY) => progress.tell(),
        }
    }
}

/// Reads values. What a backend calls absent is left out; what could not be read is a failure.
pub(crate) async fn read(
    resolved: &Resolved,
    providers: &Providers,
    ids: &BTreeSet<ValueId>,
) -> (ReadValues, Vec<CliError>) {
    let read = seed_engine::read_values(resolved, providers, ids.iter().cloned(), None).await;
    let failures = read
        .unread
        .iter()
        .filter_map(|(id, unread)| match unread {
            Unread::Absent => None,
            Unread::Failed(failure) => {
                let request = failure
                    .request_id
                    .as_ref()
                    .map(|id| format!("request id {id}"));
                let error = CliError::failed(format!("cannot read `{id}`: {}", failure.message));
                let error = request.into_iter().fold(error, CliError::hint);
                Some(advised(error, kind_of(resolved, id), failure.kind))
            }
        })
        .collect();
    (read, failures)
}

/// Adds what to do next, where there is something to do.
pub(crate) fn advised(error: CliError, backend: Option<Kind>, failure: &str) -> CliError {
    let next = advice::next_step(backend, failure);
    next.into_iter().fold(error, CliError::hint)
}

/// The kind of the backend that keeps a value.
pub(crate) fn kind_of(resolved: &Resolved, id: &ValueId) -> Option<Kind> {
    match resolved.entries.get(&id.entry)?.place.as_ref()? {
        Place::Backend { kind, .. } => Some(*kind),
        Place::Nowhere => None,
    }
}

/// The error of a run in which no backend at all could be asked: there is nothing else to tell.
pub(crate) fn refuse_blind(
    seen: &mut Seen,
    providers: &Providers,
    terminal: Terminal,
) -> Result<()> {
    if seen.failures.is_empty() || seen.failures.len() < providers.len() {
        return Ok(());
    }
    fail(std::mem::take(&mut seen.failures), terminal).map_or(Ok(()), Err)
}

/// Says what failed, for a command that has told everything else, and gives back how it ends for that.
pub(crate) fn tell(failures: &[CliError], terminal: Terminal) -> Option<Exit> {
    for failure in failures {
        terminal.error(&render::error(failure));
    }
    failures.first().map(CliError::exit)
}

/// Says what failed, and gives back the first as the command's own error.
pub(crate) fn fail(failures: Vec<CliError>, terminal: Terminal) -> Option<CliError> {
    let mut failures = failures.into_iter();
    let first = failures.next()?;
    for failure in failures {
        terminal.error(&render::error(&failure));
    }
    Some(first)
}
