//! What is stored.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::Answer;

pub(super) const CURRENT: &str = "AWSCURRENT";
pub(super) const PREVIOUS: &str = "AWSPREVIOUS";
pub(super) const DAY: f64 = 86_400.0;

/// What a call gives: the answer's body, or a code and the service's own words.
pub(super) type Reply = Result<Value, Refusal>;

#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) message: String,
}

pub(super) fn refuse<T>(code: &'static str, message: impl Into<String>) -> Result<T, Refusal> {
    let message = message.into();
    Err(Refusal { code, message })
}

impl Refusal {
    pub(super) fn answer(&self) -> Answer {
        let status = match self.code {
            "InternalServiceError" | "InternalFailure" => 500,
            "ServiceUnavailable" => 503,
            "ExpiredTokenException" | "UnrecognizedClientException" => 403,
            "UnknownOperationException" => 404,
            _ => 400,
        };
        let body = json!({"__type": self.code, "Message": self.message});
        Answer::json(status, &body).with_header("content-type", "application/x-amz-json-1.1")
    }
}

/// The one string, or the bytes as base64.
#[derive(Clone, PartialEq)]
pub(super) enum Content {
    Text(String),
    Binary(String),
}

#[derive(Clone)]
pub(super) struct Stored {
    pub(super) content: Content,
    pub(super) stages: BTreeSet<String>,
}

#[derive(Clone)]
pub(super) struct Secret {
    pub(super) arn: String,
    pub(super) kms: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    /// When it is deleted for good.
    pub(super) deleted: Option<f64>,
    /// When anything of it was changed last.
    pub(super) changed: f64,
    /// By version id, in the order in which they came.
    pub(super) versions: Vec<(String, Stored)>,
}

impl Secret {
    pub(super) fn version(&self, id: &str) -> Option<&Stored> {
        let found = self.versions.iter().find(|(known, _)| known == id);
        found.map(|(_, stored)| stored)
    }

    pub(super) fn version_mut(&mut self, id: &str) -> Option<&mut Stored> {
        let found = self.versions.iter_mut().find(|(known, _)| known == id);
        found.map(|(_, stored)| stored)
    }

    /// The version that a stage is attached to.
    pub(super) fn staged(&self, stage: &str) -> Option<String> {
        let mut versions = self.versions.iter();
        let found = versions.find(|(_, stored)| stored.stages.contains(stage));
        found.map(|(id, _)| id.clone())
    }

    /// Moves a stage, and `AWSPREVIOUS` with `AWSCURRENT`.
    pub(super) fn attach(&mut self, stage: &str, id: &str) {
        let before = self.staged(stage);
        for (_, stored) in &mut self.versions {
            stored.stages.remove(stage);
        }
        if let Some(stored) = self.version_mut(id) {
            stored.stages.insert(stage.to_owned());
            if stage == CURRENT {
                stored.stages.remove(PREVIOUS);
            }
        }
        if let Some(before) = before.filter(|before| stage == CURRENT && before != id) {
            self.attach(PREVIOUS, &before);
        }
    }

    /// Versions without a stage are deprecated, and not told.
    pub(super) fn stages(&self) -> Value {
        let staged = self.versions.iter().filter(|(_, v)| !v.stages.is_empty());
        staged
            .map(|(id, stored)| (id.clone(), json!(stored.stages)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

pub(super) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

/// Adds a member to an object.
pub(super) fn with(object: &mut Value, member: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(member.to_owned(), value);
    }
}
