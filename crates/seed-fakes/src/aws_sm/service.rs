//! The stand-in, and what tests may do to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::store::{Content, DAY, Refusal, Reply, Secret, Stored, now};
use super::{documented, identity, login};
use crate::{Answer, Request, Service};

/// A stand-in of Secrets Manager in one region of one account, and of STS.
pub struct AwsSm {
    account: String,
    region: String,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) secrets: BTreeMap<String, Secret>,
    /// What lists show while they lag.
    pub(super) lagging: Option<BTreeMap<String, Secret>>,
    /// For how many looks at it a secret is shown as it was before it was changed.
    lag: usize,
    /// What such secrets were before, and how many such looks are left.
    pub(super) stale: BTreeMap<String, (Option<Secret>, usize)>,
    /// A create that is sent again is not known again.
    pub(super) forgetful: bool,
    /// A put is answered with the stages that it asked for, and no others.
    pub(super) echoes: bool,
    without_sts: bool,
    sessions: login::Sessions,
    denied: BTreeSet<(String, Option<String>)>,
    expired: bool,
    prefix: String,
    drawn: u64,
}

impl AwsSm {
    /// An empty one: account `123456789012`, region `eu-central-1`.
    pub fn new() -> Self {
        let (account, region) = ("123456789012".to_owned(), "eu-central-1".to_owned());
        let prefix = format!("arn:aws:secretsmanager:{region}:{account}:secret:");
        Self {
            account,
            region,
            state: Mutex::new(State {
                prefix,
                ..State::default()
            }),
        }
    }

    /// From now on lists show what is stored at this moment, whatever happens.
    pub fn let_lists_lag(&self) {
        let mut state = self.state();
        state.lagging = Some(state.secrets.clone());
    }

    /// Lists show what is stored again.
    pub fn let_lists_catch_up(&self) {
        self.state().lagging = None;
    }

    /// From now on a secret that is changed is shown as it was before, by so many calls of `DescribeSecret`, and by lists
    /// until then: "all operations are eventually consistent".
    pub fn let_looks_lag(&self, looks: usize) {
        self.state().lag = looks;
    }

    /// From now on a create that is sent again with the same token is refused, as where its first sending is not yet known.
    pub fn forget_tokens(&self) {
        self.state().forgetful = true;
    }

    /// From now on a put is answered with the stages that it asked for, and not with all that the version has.
    pub fn answer_asked_stages_only(&self) {
        self.state().echoes = true;
    }

    /// From now on there is no STS here, as at the VPC endpoint of Secrets Manager.
    pub fn take_sts_away(&self) {
        self.state().without_sts = true;
    }

    /// Puts one more stage on a version, counted from the oldest, as a run that was cut off leaves one.
    pub fn label(&self, name: &str, version: usize, stage: &str) {
        if let Some(secret) = self.state().secrets.get_mut(name)
            && let Some((_, stored)) = secret.versions.get_mut(version)
        {
            stored.stages.insert(stage.to_owned());
        }
    }

    /// The last change of it was so many seconds earlier.
    pub fn age(&self, name: &str, seconds: u32) {
        if let Some(secret) = self.state().secrets.get_mut(name) {
            secret.changed -= f64::from(seconds);
        }
    }

    /// Denies an action, for one secret or for all.
    pub fn deny(&self, action: &str, name: Option<&str>) {
        let what = (action.to_owned(), name.map(str::to_owned));
        self.state().denied.insert(what);
    }

    /// The caller's session is over.
    pub fn expire(&self) {
        self.state().expired = true;
    }

    /// Stores a value as somebody else would: a new secret, or a new current version.
    pub fn put(&self, name: &str, value: &str) {
        let mut state = self.state();
        let token = state.next_id();
        let content = Content::Text(value.to_owned());
        let arn = state.arn(name);
        let secret = state.secrets.entry(name.to_owned()).or_insert(Secret {
            arn,
            kms: None,
            tags: BTreeMap::new(),
            deleted: None,
            changed: now(),
            versions: Vec::new(),
        });
        secret.changed = now();
        let stages = BTreeSet::new();
        secret
            .versions
            .push((token.clone(), Stored { content, stages }));
        secret.attach(super::store::CURRENT, &token);
    }

    /// Makes a secret without a version, as infrastructure code does.
    pub fn put_shell(&self, name: &str) {
        let body = json!({"Name": name});
        drop(self.state().create(&body));
    }

    /// Takes the stage `AWSCURRENT` away, as a rotation that went wrong leaves it.
    pub fn take_current(&self, name: &str) {
        if let Some(secret) = self.state().secrets.get_mut(name) {
            for (_, stored) in &mut secret.versions {
                stored.stages = ["AWSPENDING".to_owned()].into();
            }
        }
    }

    /// Deletes with a recovery window of so many days.
    pub fn delete(&self, name: &str, days: u32) {
        if let Some(secret) = self.state().secrets.get_mut(name) {
            secret.deleted = Some(now() + f64::from(days) * DAY);
        }
    }

    /// Deletes for good.
    pub fn destroy(&self, name: &str) {
        self.state().secrets.remove(name);
    }

    /// The names of all secrets.
    pub fn names(&self) -> Vec<String> {
        self.state().secrets.keys().cloned().collect()
    }

    /// The current value, as text or base64.
    pub fn value(&self, name: &str) -> Option<String> {
        let state = self.state();
        let secret = state.secrets.get(name)?;
        let id = secret.staged(super::store::CURRENT)?;
        match &secret.version(&id)?.content {
            Content::Text(text) | Content::Binary(text) => Some(text.clone()),
        }
    }

    /// The stages of each version, oldest first.
    pub fn stages(&self, name: &str) -> Vec<Vec<String>> {
        let state = self.state();
        let versions = state.secrets.get(name).map(|secret| &secret.versions);
        let stages = versions.into_iter().flatten();
        stages
            .map(|(_, stored)| stored.stages.iter().cloned().collect())
            .collect()
    }

    /// The tags, and the KMS key.
    pub fn tags(&self, name: &str) -> (BTreeMap<String, String>, Option<String>) {
        let state = self.state();
        let secret = state.secrets.get(name);
        secret.map_or_else(Default::default, |secret| {
            (secret.tags.clone(), secret.kms.clone())
        })
    }

    /// What the documentation says that each call may fail with: its operation, the code, and the answer.
    pub fn documented_errors() -> Vec<(&'static str, &'static str, Answer)> {
        documented::errors()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks who asks, and whether that one may.
    fn admit(&self, state: &State, operation: &str, request: &Request) -> Result<(), Refusal> {
        let refuse = |code, message: &str| {
            let message = message.to_owned();
            Err(Refusal { code, message })
        };
        let Some(signature) = request.header("authorization") else {
            return refuse(
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
            );
        };
        if state.sessions.caller(&self.account, request).is_none() {
            return refuse(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            );
        }
        if state.expired {
            return refuse(
                "ExpiredTokenException",
                "The security token included in the request is expired",
            );
        }
        let service = if operation == "GetCallerIdentity" {
            "sts"
        } else {
            "secretsmanager"
        };
        if !signature.contains(&format!("/{}/{service}/aws4_request", self.region)) {
            return refuse(
                "InvalidSignatureException",
                &format!(
                    "Credential should be scoped to a valid region, not as signed, but {}.",
                    self.region
                ),
            );
        }
        let body = request.json();
        let name = ["SecretId", "Name"]
            .iter()
            .find_map(|member| body.get(member));
        match state.denial(operation, name.and_then(Value::as_str)) {
            Some(refusal) => Err(refusal),
            None => Ok(()),
        }
    }
}

impl State {
    fn denial(&self, operation: &str, name: Option<&str>) -> Option<Refusal> {
        let denied = |name: Option<&str>| {
            let what = (operation.to_owned(), name.map(str::to_owned));
            self.denied.contains(&what)
        };
        (denied(None) || name.is_some_and(|name| denied(Some(name)))).then(|| Refusal {
            code: "AccessDeniedException",
            message: format!("User: arn:aws:iam::123456789012:user/tester is not authorized to perform: secretsmanager:{operation} because no identity-based policy allows the action"),
        })
    }

    pub(super) fn arn(&mut self, name: &str) -> String {
        self.drawn += 1;
        format!("{}{name}-{:06x}", self.prefix, self.drawn)
    }

    pub(super) fn next_id(&mut self) -> String {
        self.drawn += 1;
        format!("00000000-0000-4000-8000-{:012x}", self.drawn)
    }

    fn call(&mut self, operation: &str, body: &Value) -> Reply {
        let changes = matches!(
            operation,
            "CreateSecret" | "PutSecretValue" | "UpdateSecretVersionStage" | "RestoreSecret"
        );
        if !changes {
            return self.act(operation, body);
        }
        let name = ["SecretId", "Name"]
            .iter()
            .find_map(|member| body.get(member));
        let name = name.and_then(Value::as_str).unwrap_or_default().to_owned();
        let before = self.secrets.get(&name).cloned();
        let reply = self.act(operation, body)?;
        if let Some(secret) = self.secrets.get_mut(&name) {
            secret.changed = now();
        }
        let lags = self.stale.get(&name).is_some_and(|(_, looks)| *looks > 0);
        if self.lag > 0 && !lags {
            self.stale.insert(name, (before, self.lag));
        }
        Ok(reply)
    }

    fn act(&mut self, operation: &str, body: &Value) -> Reply {
        match operation {
            "CreateSecret" => self.create(body),
            "PutSecretValue" => self.put(body),
            "UpdateSecretVersionStage" => self.move_stage(body),
            "GetSecretValue" => self.value(body),
            "BatchGetSecretValue" => {
                self.values(body, |name| self.denial("GetSecretValue", Some(name)))
            }
            "DescribeSecret" => self.describe(body),
            "ListSecrets" => self.list(body),
            "DeleteSecret" => self.delete(body),
            "RestoreSecret" => self.restore(body),
            "TagResource" => self.tag(body),
            _ => Err(Refusal {
                code: "UnknownOperationException",
                message: String::new(),
            }),
        }
    }
}

impl Default for AwsSm {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for AwsSm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsSm").finish_non_exhaustive()
    }
}

impl Service for AwsSm {
    fn operation(&self, request: &Request) -> String {
        let target = request.header("x-amz-target");
        let target = target.and_then(|target| target.strip_prefix("secretsmanager."));
        let form = String::from_utf8_lossy(&request.body);
        let action = || {
            let mut pairs = form.split('&');
            pairs.find_map(|pair| pair.strip_prefix("Action="))
        };
        let other = || login::operation(request);
        let operation = target.or_else(action).or_else(other).unwrap_or("?");
        operation.to_owned()
    }

    fn writes(&self, operation: &str) -> bool {
        matches!(
            operation,
            "CreateSecret"
                | "PutSecretValue"
                | "UpdateSecretVersionStage"
                | "RestoreSecret"
                | "DeleteSecret"
        )
    }

    fn answer(&self, request: &Request) -> Answer {
        let operation = self.operation(request);
        let mut state = self.state();
        if login::is_login(&operation) {
            return state.sessions.answer(&self.account, &operation, request);
        }
        let id = state.next_id();
        let admitted = self.admit(&state, &operation, request);
        let who = state
            .sessions
            .caller(&self.account, request)
            .unwrap_or_default();
        let answer = if operation == "GetCallerIdentity" && !state.without_sts {
            match admitted {
                Ok(()) => identity::caller(&self.account, &who, &id),
                Err(Refusal { code, message }) => {
                    // STS has names of its own for these.
                    let code = match code {
                        "InvalidSignatureException" => "SignatureDoesNotMatch",
                        "UnrecognizedClientException" => "InvalidClientTokenId",
                        code => code.trim_end_matches("Exception"),
                    };
                    identity::refused(403, code, &message, &id)
                }
            }
        } else {
            let reply = admitted.and_then(|()| state.call(&operation, &request.json()));
            match reply {
                Ok(body) => Answer::json(200, &body)
                    .with_header("content-type", "application/x-amz-json-1.1"),
                Err(refusal) => refusal.answer(),
            }
        };
        answer.with_header("x-amzn-requestid", id)
    }

    fn throttled(&self) -> Answer {
        let refusal = Refusal {
            code: "ThrottlingException",
            message: "Rate exceeded".to_owned(),
        };
        refusal
            .answer()
            .with_header("x-amzn-requestid", "throttled")
    }
}
