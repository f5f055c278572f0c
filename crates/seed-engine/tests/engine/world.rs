//! A contract, a backend that does what a test wants, and what is stored in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rand::{CryptoRng, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use seed_core::backend::{Description, Kind};
use seed_core::contract::parse;
use seed_core::document::{Document, FieldValue, Fields};
use seed_core::inventory::{Depth, Inventory, Version, Wanted};
use seed_core::name::{SecretName, ValueId};
use seed_core::plan::{Findings, Input, Plan, plan};
use seed_core::report::{Fate, Report};
use seed_core::resolve::{Place, Request, Resolved, ResolvedCluster, ResolvedSource, resolve};
use seed_core::secret::SecretValue;
use seed_core::value::verify;
use seed_engine::{
    Collected, Convergers, Job, Observer, Providers, Replacers, apply, collect, read_values,
};
use seed_provider::{
    Error, ErrorKind, Identity, Marks, Memory, Operation, Provider, Replace, Result, Stored,
    WantedShape,
};
use tokio_util::sync::CancellationToken;

/// The name of the one backend of a world.
pub(crate) const BACKEND: &str = "store";

/// What happens at a call.
pub(crate) enum Play {
    /// It fails without effect.
    Fail(ErrorKind),
    /// It never returns, and has no effect.
    Hang,
    /// It takes effect, and its answer is lost.
    Lose,
    /// It takes effect, and never returns.
    LoseAndHang,
    /// Nothing special.
    Pass,
    /// Somebody else stores this under the same name first.
    Preempt(Document),
}

type Script = dyn FnMut(Operation, &SecretName) -> Play + Send;

/// A backend that plays a script.
pub(crate) struct Stage {
    pub(crate) memory: Memory,
    script: Mutex<Box<Script>>,
    /// Every read and write in its order: `create a`, `read a`.
    log: Mutex<Vec<String>>,
}

impl Stage {
    pub(crate) fn new(memory: Memory) -> Arc<Self> {
        Arc::new(Self {
            memory,
            script: Mutex::new(Box::new(|_, _| Play::Pass)),
            log: Mutex::new(Vec::new()),
        })
    }

    pub(crate) fn play(&self, script: impl FnMut(Operation, &SecretName) -> Play + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// Plays a script at writes only; `at` counts them from 0.
    pub(crate) fn play_at_writes(
        &self,
        mut script: impl FnMut(usize, &SecretName) -> Play + Send + 'static,
    ) {
        let mut at = 0;
        self.play(move |operation, name| {
            if !operation.writes() {
                return Play::Pass;
            }
            at += 1;
            script(at - 1, name)
        });
    }

    /// Plays once, at the first call of this operation under this name.
    pub(crate) fn play_once(&self, operation: Operation, name: &str, play: Play) {
        let (name, mut play) = (name.to_owned(), Some(play));
        self.play(move |seen, at| {
            if seen == operation && at.as_str() == name {
                play.take().unwrap_or(Play::Pass)
            } else {
                Play::Pass
            }
        });
    }

    pub(crate) fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }

    fn next(&self, operation: Operation, name: &SecretName) -> Play {
        let line = format!("{} {name}", operation.as_str());
        self.log.lock().unwrap().push(line);
        (self.script.lock().unwrap())(operation, name)
    }

    /// What comes before the call itself.
    async fn before(&self, play: &Play, operation: Operation, name: &SecretName) -> Result<()> {
        match play {
            Play::Fail(kind) => {
                let err = Error::new(*kind, operation, "as the test wants");
                Err(err.about(name).with_request_id("r-7"))
            }
            Play::Hang => std::future::pending().await,
            Play::Preempt(document) => self.memory.put(name, document).map(drop),
            Play::Lose | Play::LoseAndHang | Play::Pass => Ok(()),
        }
    }

    /// What comes after it.
    async fn after(
        play: Play,
        operation: Operation,
        name: &SecretName,
        version: Version,
    ) -> Result<Version> {
        match play {
            Play::Lose => {
                let err = Error::new(ErrorKind::Indeterminate, operation, "the answer was lost");
                Err(err.about(name).with_request_id("r-8"))
            }
            Play::LoseAndHang => std::future::pending().await,
            Play::Fail(_) | Play::Hang | Play::Pass | Play::Preempt(_) => Ok(version),
        }
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").finish_non_exhaustive()
    }
}

#[async_trait]
impl Provider for Stage {
    fn describe(&self) -> Description {
        self.memory.describe()
    }

    async fn identify(&self) -> Result<Identity> {
        self.memory.identify().await
    }

    fn notes(&self) -> Vec<String> {
        self.memory.notes()
    }

    async fn inventory(&self, wanted: &[Wanted]) -> Result<Inventory> {
        self.memory.inventory(wanted).await
    }

    async fn read(&self, name: &SecretName, shape: WantedShape) -> Result<Stored> {
        let play = self.next(Operation::Read, name);
        self.before(&play, Operation::Read, name).await?;
        self.memory.read(name, shape).await
    }

    async fn create(
        &self,
        name: &SecretName,
        document: &Document,
        marks: &Marks,
    ) -> Result<Version> {
        let play = self.next(Operation::Create, name);
        self.before(&play, Operation::Create, name).await?;
        let version = self.memory.create(name, document, marks).await?;
        Self::after(play, Operation::Create, name, version).await
    }

    async fn add_fields(
        &self,
        name: &SecretName,
        new: &Fields,
        expected: &Version,
    ) -> Result<Version> {
        let play = self.next(Operation::AddFields, name);
        self.before(&play, Operation::AddFields, name).await?;
        let version = self.memory.add_fields(name, new, expected).await?;
        Self::after(play, Operation::AddFields, name, version).await
    }
}

#[async_trait]
impl Replace for Stage {
    async fn replace(
        &self,
        name: &SecretName,
        document: &Document,
        expected: &Version,
    ) -> Result<Version> {
        let play = self.next(Operation::Replace, name);
        self.before(&play, Operation::Replace, name).await?;
        let version = self.memory.replace(name, document, expected).await?;
        Self::after(play, Operation::Replace, name, version).await
    }
}

/// A contract for one backend.
pub(crate) struct World {
    pub(crate) resolved: Arc<Resolved>,
    pub(crate) stage: Arc<Stage>,
    pub(crate) providers: Providers,
    pub(crate) given: BTreeMap<ValueId, SecretValue>,
    /// Empty unless placeholders are filled.
    pub(crate) replacers: Replacers,
    /// Empty unless writes are looked at again.
    pub(crate) convergers: Convergers,
    pub(crate) findings: Findings,
    pub(crate) cancel: CancellationToken,
    pub(crate) abandon: CancellationToken,
    pub(crate) concurrency: Option<NonZeroUsize>,
    draws: Arc<AtomicU64>,
}

impl World {
    pub(crate) fn new(kind: Kind, secrets: &str) -> Self {
        Self::on(Stage::new(Memory::of(kind)), secrets)
    }

    /// A world on a backend that others may use too.
    pub(crate) fn on(stage: Arc<Stage>, secrets: &str) -> Self {
        static WORLDS: AtomicU64 = AtomicU64::new(1);
        let resolved = resolved(stage.describe().kind, secrets);
        let provider: Arc<dyn Provider> = Arc::clone(&stage) as _;
        let seed = WORLDS.fetch_add(1 << 32, Ordering::Relaxed);
        Self {
            resolved: Arc::new(resolved),
            stage,
            providers: BTreeMap::from([(BACKEND.to_owned(), provider)]),
            given: BTreeMap::new(),
            replacers: Replacers::new(),
            convergers: Convergers::new(),
            findings: Findings::NONE,
            cancel: CancellationToken::new(),
            abandon: CancellationToken::new(),
            concurrency: None,
            draws: Arc::new(AtomicU64::new(seed)),
        }
    }

    /// A world whose backend is the cluster, too: a Secret there has another name than all entries.
    pub(crate) fn with_cluster(stage: Arc<Stage>, body: &str) -> Self {
        let mut world = Self::on(stage, "  x: {value: x}\n");
        let source = format!(
            "version: 1\nname: shop\nbackend: {BACKEND}\nbackends: {{{BACKEND}: {{kind: local, file: seed.age}}}}\n{body}"
        );
        let request = Request {
            cluster: true,
            ..Request::default()
        };
        let cluster = Arc::clone(&world.stage) as Arc<dyn Provider>;
        world
            .providers
            .insert(ResolvedCluster::BACKEND.to_owned(), cluster);
        world.resolved = Arc::new(of_source_for(&source, &request));
        world
    }

    #[must_use]
    pub(crate) fn concurrency(mut self, calls: usize) -> Self {
        self.concurrency = NonZeroUsize::new(calls);
        self
    }

    #[must_use]
    pub(crate) fn give(mut self, name: &str, text: &str) -> Self {
        self.given.insert(id(name), secret(text));
        self
    }

    pub(crate) async fn collect(&self) -> Collected {
        collect(&self.resolved, &self.providers, Depth::Fields).await
    }

    pub(crate) fn plan_from(&self, inventories: &BTreeMap<String, Inventory>) -> Plan {
        plan(Input::new(
            &self.resolved,
            inventories,
            &self.given.keys().cloned().collect(),
        ))
    }

    pub(crate) async fn plan(&self) -> Plan {
        self.plan_from(&self.collect().await.inventories)
    }

    /// Plans and applies.
    pub(crate) async fn run(&self) -> Report {
        self.run_told(&()).await
    }

    pub(crate) async fn run_told(&self, observer: &dyn Observer) -> Report {
        let collected = self.collect().await;
        let plan = self.plan_from(&collected.inventories);
        self.apply(&plan, &collected.inventories, observer).await
    }

    pub(crate) async fn apply(
        &self,
        plan: &Plan,
        inventories: &BTreeMap<String, Inventory>,
        observer: &dyn Observer,
    ) -> Report {
        let draws = Arc::clone(&self.draws);
        self.apply_drawing(plan, inventories, observer, &move || {
            let seed = draws.fetch_add(1, Ordering::Relaxed);
            Box::new(ChaCha20Rng::seed_from_u64(seed))
        })
        .await
    }

    pub(crate) async fn apply_drawing(
        &self,
        plan: &Plan,
        inventories: &BTreeMap<String, Inventory>,
        observer: &dyn Observer,
        randomness: &(dyn Fn() -> Box<dyn CryptoRng + Send> + Send + Sync),
    ) -> Report {
        apply(Job {
            resolved: Arc::clone(&self.resolved),
            plan,
            inventories,
            providers: &self.providers,
            replacers: &self.replacers,
            convergers: &self.convergers,
            findings: &self.findings,
            given: &self.given,
            unchecked: &BTreeSet::new(),
            selection: &seed_core::plan::Selection::ALL,
            concurrency: self.concurrency,
            cancel: self.cancel.clone(),
            abandon: self.abandon.clone(),
            grace: Duration::from_secs(5),
            randomness,
            now: &|| 1_795_359_845,
            observer,
        })
        .await
    }

    /// What is stored of each value, by its id. Values that are absent are left out.
    pub(crate) async fn stored(&self) -> BTreeMap<String, Vec<u8>> {
        let ids = self.resolved.order.clone();
        let quiet = || Arc::new(Quiet(Arc::clone(&self.stage))) as Arc<dyn Provider>;
        let names = self.providers.keys();
        let providers = names.map(|name| (name.clone(), quiet())).collect();
        let read = read_values(&self.resolved, &providers, ids, None).await;
        let text =
            |(id, value): (&ValueId, &Arc<SecretValue>)| (id.to_string(), value.expose().to_vec());
        read.values.iter().map(text).collect()
    }

    /// Panics where a stored value does not belong to the stored values that it is made from.
    pub(crate) async fn assert_whole(&self) {
        self.assert_all_belong(&self.stored().await);
    }

    pub(crate) fn assert_all_belong(&self, stored: &BTreeMap<String, Vec<u8>>) {
        let find = |id: &ValueId| {
            stored
                .get(&id.to_string())
                .map(|bytes| SecretValue::new(bytes.clone()))
        };
        for (_, value) in self.resolved.values() {
            let Some(product) = find(&value.id) else {
                continue;
            };
            match &value.source {
                Some(ResolvedSource::Derive { derivation, of }) => {
                    let source = find(of).unwrap_or_else(|| panic!("{} without {of}", value.id));
                    assert!(
                        verify(derivation, &source, &product).unwrap(),
                        "{} and {of}",
                        value.id
                    );
                }
                Some(ResolvedSource::Compose(text)) => {
                    let product = String::from_utf8_lossy(product.expose()).into_owned();
                    for of in text.values() {
                        let source =
                            find(of).unwrap_or_else(|| panic!("{} without {of}", value.id));
                        assert!(
                            product.contains(source.expose_text().unwrap()),
                            "{} and {of}",
                            value.id
                        );
                    }
                }
                Some(_) | None => {}
            }
        }
    }

    pub(crate) fn name(&self, entry: &str) -> SecretName {
        let entry = &self.resolved.entries[&entry.parse::<seed_core::name::EntryKey>().unwrap()];
        match &entry.place {
            Some(Place::Backend { name, .. }) => name.clone(),
            Some(Place::Nowhere) | None => panic!("it is kept nowhere"),
        }
    }

    /// Stores one value as a person would elsewhere.
    pub(crate) fn put(&self, entry: &str, text: &str) {
        let document = if self.stage.describe().kind.is_map() {
            fields(&[("value", text)])
        } else {
            single(text)
        };
        self.stage.memory.put(&self.name(entry), &document).unwrap();
    }

    pub(crate) fn put_fields(&self, entry: &str, pairs: &[(&str, &str)]) {
        self.stage
            .memory
            .put(&self.name(entry), &fields(pairs))
            .unwrap();
    }
}

/// Reads past the script and the log.
#[derive(Debug)]
struct Quiet(Arc<Stage>);

#[async_trait]
impl Provider for Quiet {
    fn describe(&self) -> Description {
        self.0.describe()
    }

    async fn identify(&self) -> Result<Identity> {
        self.0.memory.identify().await
    }

    fn notes(&self) -> Vec<String> {
        self.0.notes()
    }

    async fn inventory(&self, wanted: &[Wanted]) -> Result<Inventory> {
        self.0.memory.inventory(wanted).await
    }

    async fn read(&self, name: &SecretName, shape: WantedShape) -> Result<Stored> {
        self.0.memory.read(name, shape).await
    }

    async fn create(&self, _: &SecretName, _: &Document, _: &Marks) -> Result<Version> {
        unreachable!("it only reads")
    }

    async fn add_fields(&self, _: &SecretName, _: &Fields, _: &Version) -> Result<Version> {
        unreachable!("it only reads")
    }
}

pub(crate) fn resolved(kind: Kind, secrets: &str) -> Resolved {
    let settings = match kind {
        Kind::AwsSm => "region: eu-central-1",
        Kind::AzureKv => "vault: \"https://seed.vault.azure.net\"",
        Kind::Gcpsm => "project: seed",
        Kind::Kubernetes => "context: seed, namespace: source",
        Kind::Local => "file: seed.age",
        Kind::Vault => "address: \"https://vault.example.com\", mount: secret",
    };
    let source = format!(
        "version: 1\nname: shop\nbackend: {BACKEND}\n\
         backends: {{{BACKEND}: {{kind: {kind}, labels: {{team: shop}}, {settings}}}}}\nsecrets:\n{secrets}"
    );
    of_source(&source)
}

pub(crate) fn of_source(source: &str) -> Resolved {
    of_source_for(source, &Request::default())
}

fn of_source_for(source: &str, request: &Request) -> Resolved {
    let (contract, _) = parse(source).unwrap_or_else(|errors| panic!("{errors:#?}\n{source}"));
    match resolve(&contract, source, request) {
        Ok((resolved, _)) => resolved,
        Err(errors) => panic!("{errors:#?}\n{source}"),
    }
}

pub(crate) fn id(text: &str) -> ValueId {
    text.parse().unwrap()
}

pub(crate) fn secret(text: &str) -> SecretValue {
    text.to_owned().into()
}

pub(crate) fn single(text: &str) -> Document {
    Document::Single(secret(text))
}

pub(crate) fn fields(pairs: &[(&str, &str)]) -> Document {
    let mut fields = Fields::new();
    for (name, text) in pairs {
        assert!(fields.insert(*name, FieldValue::Text(secret(text))));
    }
    Document::Fields(fields)
}

/// What became of each value: `password created`.
pub(crate) fn fates(report: &Report) -> Vec<String> {
    let word = |fate: &Fate| match fate {
        Fate::Cancelled => "cancelled".to_owned(),
        Fate::Created => "created".to_owned(),
        Fate::Filled => "filled".to_owned(),
        Fate::Failed(failure) => format!("failed ({}): {}", failure.kind, failure.message),
        Fate::Kept { given: false } => "kept".to_owned(),
        Fate::Kept { given: true } => "kept, given not used".to_owned(),
        Fate::Left(action) => action.as_str().to_owned(),
        Fate::Lost { given: false } => "lost".to_owned(),
        Fate::Lost { given: true } => "lost, given dropped".to_owned(),
        Fate::Restored { .. } => "restored".to_owned(),
        Fate::Skipped { because, reason } => match reason {
            Some(reason) => format!("skipped because of {because}: {reason}"),
            None => format!("skipped because of {because}"),
        },
        Fate::Uncertain(failure) => format!("uncertain: {}", failure.message),
    };
    let line =
        |outcome: &seed_core::report::Outcome| format!("{} {}", outcome.id, word(&outcome.fate));
    report.outcomes.iter().map(line).collect()
}
