//! Lists, in pages of at most 25.

use serde_json::{Value, json};

use super::refusal::{Refusal, Reply};
use super::secrets::State;
use super::store::Secret;
use crate::Request;

impl State {
    pub(super) fn list(&self, request: &Request, base: &str) -> Reply {
        let shown = self.lagging.as_ref().unwrap_or(&self.secrets).values();
        let live = shown.filter(|secret| secret.deleted.is_none() && secret.returning == 0);
        let items = live.filter_map(|secret| {
            let current = secret.versions.last()?;
            let id = format!("{base}/secrets/{}", secret.name);
            Some(Value::Object(current.properties(id)))
        });
        page(request, base, "secrets", &items.collect::<Vec<_>>())
    }

    pub(super) fn list_deleted(&self, request: &Request, base: &str) -> Reply {
        let deleted = self.secrets.values();
        let items = deleted.filter_map(|secret| gone(secret, base));
        page(request, base, "deletedsecrets", &items.collect::<Vec<_>>())
    }

    pub(super) fn list_versions(&self, request: &Request, base: &str, name: &str) -> Reply {
        let secret = self.secrets.get(&name.to_ascii_lowercase());
        let secret = secret.filter(|secret| secret.deleted.is_none() && secret.returning == 0);
        let mut items = Vec::new();
        let path = secret.map_or(name, |secret| secret.name.as_str());
        if let Some(secret) = secret {
            // Not in the order in which they came: the service promises none.
            let mut versions: Vec<_> = secret.versions.iter().collect();
            versions.sort_by(|a, b| a.id.cmp(&b.id));
            for version in versions {
                let id = format!("{base}/secrets/{path}/{}", version.id);
                items.push(Value::Object(version.properties(id)));
            }
        }
        page(request, base, &format!("secrets/{path}/versions"), &items)
    }
}

/// What is told of a deleted secret.
pub(super) fn gone(secret: &Secret, base: &str) -> Option<Value> {
    let deleted = secret.deleted?;
    let id = format!("{base}/secrets/{}", secret.name);
    let mut told = secret.versions.last()?.properties(id);
    let recovery = format!("{base}/deletedsecrets/{}", secret.name);
    told.insert("recoveryId".to_owned(), json!(recovery));
    told.insert("deletedDate".to_owned(), json!(deleted.at));
    told.insert("scheduledPurgeDate".to_owned(), json!(deleted.purged));
    Some(Value::Object(told))
}

fn page(request: &Request, base: &str, path: &str, items: &[Value]) -> Reply {
    let size = match request.parameter("maxresults") {
        None => PAGE,
        Some(text) => match text.parse() {
            Ok(size) if (1..=PAGE).contains(&size) => size,
            _ => {
                let message = "Property maxresults is invalid, it must be between 1 and 25";
                return Err(Refusal::parameter(message));
            }
        },
    };
    // As the services encode it: opaque, and not a number.
    let token = ["$skiptoken", "%24skiptoken"];
    let token = token.iter().find_map(|name| request.parameter(name));
    let from = match token {
        None => 0,
        Some(token) => match token.strip_prefix("eyJ").and_then(|text| text.parse().ok()) {
            Some(from) => from,
            None => return Err(Refusal::parameter("The skiptoken is invalid")),
        },
    };
    let shown: Vec<&Value> = items.iter().skip(from).take(size).collect();
    let next = from + shown.len();
    let version = request.parameter("api-version").unwrap_or_default();
    let link = (next < items.len()).then(|| {
        format!("{base}/{path}?api-version={version}&$skiptoken=eyJ{next}&maxresults={size}")
    });
    Ok((200, json!({"value": shown, "nextLink": link})))
}

const PAGE: usize = 25;
