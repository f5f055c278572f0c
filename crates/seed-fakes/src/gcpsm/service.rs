//! The stand-in, and what tests may do to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::clock::Minute;
use super::rest::{self, Route};
use super::status::{
    NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED, Refusal, Reply, UNAUTHENTICATED, refuse,
};
use super::store::{Replication, Secret, State, Store, Wish};
use super::{documented, grpc, tokens};
use crate::{Answer, Request, Service};

/// A stand-in of Secret Manager for one project, global or in one location, with the places that give tokens for it.
pub struct GcpSm {
    project: String,
    location: Option<String>,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    store: Store,
    denied: BTreeSet<(String, Option<String>)>,
    expired: bool,
    quotas: Option<(Minute, Minute)>,
    /// The projects that requests were to be counted to.
    counted: BTreeSet<String>,
    /// What lists and `latest` still show.
    shown: Option<BTreeMap<String, Secret>>,
    /// Somebody's value that comes right before the next version of that secret.
    first: Option<(String, String)>,
}

impl GcpSm {
    /// What its endpoints give as a token.
    pub const TOKEN: &'static str = "ya29.stand-in";
    /// What its exchange takes of another identity provider.
    pub const SUBJECT_TOKEN: &'static str = tokens::SUBJECT_TOKEN;

    /// An empty one for the project `ai-lab`, with global secrets.
    pub fn new() -> Self {
        Self::of(None)
    }

    /// An empty one for the project `ai-lab`, with the secrets of one location.
    pub fn regional(location: &str) -> Self {
        Self::of(Some(location.to_owned()))
    }

    fn of(location: Option<String>) -> Self {
        let project = "ai-lab".to_owned();
        let inside = Inside {
            store: Store {
                regional: location.is_some(),
                ..Store::default()
            },
            ..Inside::default()
        };
        let made = Self {
            project: project.clone(),
            location,
            inside: Mutex::new(inside),
        };
        made.name_resources_by(&project);
        made
    }

    /// Names resources by the project's number, as the service does.
    #[must_use]
    pub fn with_number(self, number: &str) -> Self {
        self.name_resources_by(number);
        self
    }

    fn name_resources_by(&self, project: &str) {
        let location = self.location.as_ref();
        let location = location.map(|location| format!("/locations/{location}"));
        let parent = format!("projects/{project}{}", location.unwrap_or_default());
        self.inside().store.parent = parent;
    }

    /// Moves the service's clock.
    pub fn advance(&self, by: Duration) {
        self.inside().store.clock.advance(by);
    }

    /// Takes at most so many reads and so many writes in any minute, of a time that runs `speed` times as fast as ours.
    pub fn set_quotas(&self, reads: usize, writes: usize, speed: u32) {
        let quotas = (Minute::new(reads, speed), Minute::new(writes, speed));
        self.inside().quotas = Some(quotas);
    }

    /// From now on, lists and `latest` show what is there now: they are eventually consistent. A version by its number, a
    /// secret by its name and every write go by what is.
    pub fn lag(&self) {
        let mut inside = self.inside();
        inside.shown = Some(inside.store.secrets.clone());
    }

    /// Lists and `latest` show what is there.
    pub fn catch_up(&self) {
        self.inside().shown = None;
    }

    /// Somebody adds this value right before the next version of that secret is added.
    pub fn put_before_next_version(&self, name: &str, value: &str) {
        self.inside().first = Some((name.to_owned(), value.to_owned()));
    }

    /// Denies a call, such as `CreateSecret`, for one secret or for all.
    pub fn deny(&self, operation: &str, name: Option<&str>) {
        let what = (operation.to_owned(), name.map(str::to_owned));
        self.inside().denied.insert(what);
    }

    /// No token is taken any more.
    pub fn expire(&self) {
        self.inside().expired = true;
    }

    /// Stores a value as somebody else would: a new secret, or a new version.
    pub fn put(&self, name: &str, value: &str) {
        self.put_shell(name);
        drop(
            self.inside()
                .store
                .add(name, value.as_bytes().to_vec(), None),
        );
    }

    /// Makes a secret without a version, as infrastructure code does. Leaves one that is there.
    pub fn put_shell(&self, name: &str) {
        let mut inside = self.inside();
        let wish = Wish {
            replication: (self.location.is_none()).then_some(Replication::Automatic(None)),
            ..Wish::default()
        };
        drop(inside.store.create(name, wish).map(drop));
    }

    /// Sets an annotation, or takes it away, as an update would: the etag is another one afterwards.
    pub fn annotate(&self, name: &str, key: &str, value: Option<&str>) {
        let mut inside = self.inside();
        let etag = inside.store.new_etag();
        if let Ok(secret) = inside.store.get_mut(name) {
            secret.etag = etag;
            match value {
                Some(value) => secret.annotations.insert(key.to_owned(), value.to_owned()),
                None => secret.annotations.remove(key),
            };
        }
    }

    /// Disables a version.
    pub fn disable(&self, name: &str, version: usize) {
        self.turn(name, version, State::Disabled);
    }

    /// Destroys a version.
    pub fn destroy_version(&self, name: &str, version: usize) {
        self.turn(name, version, State::Destroyed);
    }

    fn turn(&self, name: &str, version: usize, state: State) {
        let turned = self
            .inside()
            .store
            .turn(name, &version.to_string(), state, "");
        drop(turned);
    }

    /// Deletes for good.
    pub fn destroy(&self, name: &str) {
        self.inside().store.secrets.remove(name);
    }

    /// The names of all secrets.
    pub fn names(&self) -> Vec<String> {
        self.inside().store.secrets.keys().cloned().collect()
    }

    /// The newest version's value, where it is enabled and text.
    pub fn value(&self, name: &str) -> Option<String> {
        let inside = self.inside();
        let (_, version) = inside.store.access(name, "latest").ok()?;
        String::from_utf8(version.data.clone()).ok()
    }

    /// How many versions a secret has had.
    pub fn versions(&self, name: &str) -> usize {
        let inside = self.inside();
        inside
            .store
            .get(name)
            .map_or(0, |secret| secret.versions.len())
    }

    /// The labels.
    pub fn labels(&self, name: &str) -> BTreeMap<String, String> {
        let inside = self.inside();
        inside
            .store
            .get(name)
            .map_or_else(|_| BTreeMap::new(), |secret| secret.labels.clone())
    }

    /// The annotations.
    pub fn annotations(&self, name: &str) -> BTreeMap<String, String> {
        let inside = self.inside();
        inside
            .store
            .get(name)
            .map_or_else(|_| BTreeMap::new(), |secret| secret.annotations.clone())
    }

    /// Whether the newest version came with a checksum.
    pub fn is_checked(&self, name: &str) -> bool {
        let inside = self.inside();
        let version = inside.store.version(name, "latest");
        version.is_ok_and(|(_, version)| version.checked)
    }

    /// The projects that requests were to be counted to, where they named one.
    pub fn quota_projects(&self) -> BTreeSet<String> {
        self.inside().counted.clone()
    }

    /// Where copies are and with which keys, in a few words.
    pub fn replication(&self, name: &str) -> String {
        let inside = self.inside();
        let Ok(secret) = inside.store.get(name) else {
            return String::new();
        };
        format!("{:?} {:?}", secret.replication, secret.key)
    }

    /// What the documentation says that each call may fail with: its operation, the code or reason, and the answer.
    pub fn documented_errors() -> Vec<(&'static str, &'static str, Answer)> {
        documented::errors()
    }

    /// The same over gRPC.
    pub fn documented_errors_over_grpc() -> Vec<(&'static str, &'static str, Answer)> {
        documented::errors_over_grpc()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    /// What is asked over REST, done or refused.
    fn rest(&mut self, of: &GcpSm, request: &Request) -> Reply<Value> {
        let route = Route::of(request);
        self.admit(request)?;
        self.count(request);
        self.permit(of, &route)?;
        self.comes_first(&route);
        let lists = ["ListSecrets", "ListSecretVersions"].contains(&route.operation);
        let Some(shown) = self
            .shown
            .as_mut()
            .filter(|_| lists || route.version == "latest")
        else {
            return rest::call(&mut self.store, &route, request);
        };
        std::mem::swap(&mut self.store.secrets, shown);
        let called = rest::call(&mut self.store, &route, request);
        std::mem::swap(&mut self.store.secrets, shown);
        called
    }

    fn comes_first(&mut self, route: &Route) {
        let comes = |first: &mut (String, String)| {
            route.operation == "AddSecretVersion" && first.0 == route.secret
        };
        if let Some((name, value)) = self.first.take_if(comes) {
            // Where there is no such secret, nobody can.
            drop(self.store.add(&name, value.into_bytes(), None));
        }
    }

    /// The same over gRPC.
    fn grpc(&mut self, of: &GcpSm, request: &Request) -> Reply<Vec<u8>> {
        self.admit(request)?;
        self.count(request);
        let (route, asked) = grpc::read(request)?;
        self.permit(of, &route)?;
        grpc::call(&mut self.store, &route, asked)
    }

    fn count(&mut self, request: &Request) {
        let counted = request.header("x-goog-user-project");
        self.counted.extend(counted.map(str::to_owned));
    }

    /// Whether the caller may do that, there, now.
    fn permit(&mut self, of: &GcpSm, route: &Route) -> Reply<()> {
        let number = self.store.parent.split('/').nth(1);
        if route.project != of.project && number != Some(route.project.as_str()) {
            return Err(Refusal {
                code: PERMISSION_DENIED,
                message: format!("Permission denied on resource project {}.", route.project),
                reason: Some("CONSUMER_INVALID"),
            });
        }
        if route.operation == "?" || route.location != of.location {
            return refuse(NOT_FOUND, "Method not found.");
        }
        let denied = |name| self.denied.contains(&(route.operation.to_owned(), name));
        if denied(None) || denied(Some(route.secret.clone())) {
            return refuse(
                PERMISSION_DENIED,
                format!(
                    "Permission denied for {} on resource (or it may not exist).",
                    route.operation
                ),
            );
        }
        if let Some((reads, more)) = &mut self.quotas {
            let taken = if of.writes(route.operation) {
                more.take()
            } else {
                reads.take()
            };
            if !taken {
                return Err(exhausted());
            }
        }
        Ok(())
    }

    /// Whether a token is there that one of the token endpoints gave, or that its bearer signed.
    fn admit(&self, request: &Request) -> Reply<()> {
        let token = request
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        let known =
            token.is_some_and(|token| token == GcpSm::TOKEN || token.split('.').count() == 3);
        if known && !self.expired {
            return Ok(());
        }
        refuse(
            UNAUTHENTICATED,
            "Request had invalid authentication credentials. Expected OAuth 2 access token.",
        )
    }
}

fn exhausted() -> Refusal {
    Refusal {
        code: RESOURCE_EXHAUSTED,
        message: "Quota exceeded for quota metric 'Write requests' of service 'secretmanager.googleapis.com'.".to_owned(),
        reason: Some("RATE_LIMIT_EXCEEDED"),
    }
}

impl Default for GcpSm {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for GcpSm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GcpSm").finish_non_exhaustive()
    }
}

impl Service for GcpSm {
    fn operation(&self, request: &Request) -> String {
        if let Some(of_tokens) = tokens::operation(request) {
            return of_tokens.to_owned();
        }
        if grpc::is_for(request) {
            return grpc::operation(request).to_owned();
        }
        Route::of(request).operation.to_owned()
    }

    fn writes(&self, operation: &str) -> bool {
        matches!(
            operation,
            "CreateSecret"
                | "UpdateSecret"
                | "DeleteSecret"
                | "AddSecretVersion"
                | "DisableSecretVersion"
                | "EnableSecretVersion"
                | "DestroySecretVersion"
        )
    }

    fn answer(&self, request: &Request) -> Answer {
        let mut inside = self.inside();
        let date = httpdate::fmt_http_date(inside.store.clock.now());
        let answer = if tokens::operation(request).is_some() {
            tokens::answer(request, Self::TOKEN)
        } else if grpc::is_for(request) {
            let id = inside.store.new_id();
            grpc::answer(inside.grpc(self, request), &id)
        } else {
            match inside.rest(self, request) {
                Ok(body) => Answer::json(200, &body),
                Err(refusal) => refusal.answer(),
            }
        };
        answer.with_header("date", date)
    }

    fn throttled(&self) -> Answer {
        exhausted().answer()
    }

    fn throttled_over(&self, request: &Request) -> Answer {
        if grpc::is_for(request) {
            return grpc::answer(Err(exhausted()), "throttled");
        }
        self.throttled()
    }
}
