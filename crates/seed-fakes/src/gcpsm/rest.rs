//! The store over REST: paths and JSON, in the API's own words.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::clock::timestamp;
use super::status::{INVALID_ARGUMENT, Reply, refuse};
use super::store::{Replication, Secret, State, Store, Version, Wish};
use crate::Request;

/// What a path and a method ask for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Route {
    /// The API's own name of the call, or `?`.
    pub(super) operation: &'static str,
    pub(super) project: String,
    pub(super) location: Option<String>,
    /// The secret that it is about, which may not exist yet.
    pub(super) secret: String,
    pub(super) version: String,
}

impl Route {
    pub(super) fn of(request: &Request) -> Self {
        let segments = request.segments();
        let mut parts = segments.iter().map(String::as_str);
        let mut route = Self {
            operation: "?",
            ..Self::default()
        };
        let (Some("v1"), Some("projects"), Some(project)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return route;
        };
        project.clone_into(&mut route.project);
        let mut next = parts.next();
        if next == Some("locations") {
            route.location = parts.next().map(str::to_owned);
            next = parts.next();
        }
        if next != Some("secrets") {
            return route;
        }
        let rest: Vec<&str> = parts.collect();
        let method = request.method.as_str();
        let (operation, secret, version) = match (method, rest.as_slice()) {
            ("POST", []) => ("CreateSecret", "", ""),
            ("GET", []) => ("ListSecrets", "", ""),
            ("GET", [secret]) => ("GetSecret", *secret, ""),
            ("PATCH", [secret]) => ("UpdateSecret", *secret, ""),
            ("DELETE", [secret]) => ("DeleteSecret", *secret, ""),
            ("POST", [secret]) => match secret.split_once(':') {
                Some((secret, "addVersion")) => ("AddSecretVersion", secret, ""),
                Some(_) | None => return route,
            },
            ("GET", [secret, "versions"]) => ("ListSecretVersions", *secret, ""),
            (method, [secret, "versions", version]) => match (method, version.split_once(':')) {
                ("GET", None) => ("GetSecretVersion", *secret, *version),
                ("GET", Some((version, "access"))) => ("AccessSecretVersion", *secret, version),
                ("POST", Some((version, "disable"))) => ("DisableSecretVersion", *secret, version),
                ("POST", Some((version, "enable"))) => ("EnableSecretVersion", *secret, version),
                ("POST", Some((version, "destroy"))) => ("DestroySecretVersion", *secret, version),
                _ => return route,
            },
            _ => return route,
        };
        route.operation = operation;
        route.secret = match operation {
            "CreateSecret" => request.parameter("secretId").unwrap_or_default(),
            _ => secret.to_owned(),
        };
        version.clone_into(&mut route.version);
        route
    }
}

/// Does what is asked.
pub(super) fn call(store: &mut Store, route: &Route, request: &Request) -> Reply<Value> {
    let id = route.secret.as_str();
    let text = |name: &str| request.parameter(name).unwrap_or_default();
    let body = request.json();
    match route.operation {
        "CreateSecret" => {
            store.create(id, wish(&body)?)?;
            Ok(secret(store, id, store.get(id)?))
        }
        "GetSecret" => Ok(secret(store, id, store.get(id)?)),
        "ListSecrets" => {
            let page = store.list(size(request)?, &text("pageToken"), &text("filter"))?;
            let items: Vec<Value> = page
                .items
                .iter()
                .filter_map(|id| Some(secret(store, id, store.secrets.get(*id)?)))
                .collect();
            Ok(listed("secrets", items, page.next, page.total))
        }
        "UpdateSecret" => {
            let mask = text("updateMask");
            let mask: Vec<&str> = mask.split(',').filter(|field| !field.is_empty()).collect();
            store.update(id, &mask, wish(&body)?)?;
            Ok(secret(store, id, store.get(id)?))
        }
        "DeleteSecret" => store.delete(id, &text("etag")).map(|()| json!({})),
        _ => of_versions(store, route, request),
    }
}

fn of_versions(store: &mut Store, route: &Route, request: &Request) -> Reply<Value> {
    let (id, which) = (route.secret.as_str(), route.version.as_str());
    let text = |name: &str| request.parameter(name).unwrap_or_default();
    let numbers = request.query.contains("enum-encoding=int");
    let body = request.json();
    match route.operation {
        "AddSecretVersion" => {
            let (data, checksum) = payload(&body)?;
            let number = store.add(id, data, checksum)?;
            told(store, id, number, numbers)
        }
        "ListSecretVersions" => {
            let page = store.versions(id, size(request)?, &text("pageToken"), &text("filter"))?;
            let items = page
                .items
                .iter()
                .map(|number| told(store, id, *number, numbers));
            let items = items.collect::<Reply<Vec<Value>>>()?;
            Ok(listed("versions", items, page.next, page.total))
        }
        "GetSecretVersion" => {
            let (number, _) = store.version(id, which)?;
            told(store, id, number, numbers)
        }
        "AccessSecretVersion" => {
            let (number, version) = store.access(id, which)?;
            Ok(json!({
                "name": format!("{}/versions/{number}", store.name(id)),
                "payload": {
                    "data": STANDARD.encode(&version.data),
                    "dataCrc32c": crc32c::crc32c(&version.data).to_string(),
                },
            }))
        }
        operation => {
            let state = match operation {
                "DisableSecretVersion" => State::Disabled,
                "EnableSecretVersion" => State::Enabled,
                _ => State::Destroyed,
            };
            let etag = body.get("etag").and_then(Value::as_str).unwrap_or_default();
            let number = store.turn(id, which, state, etag)?;
            told(store, id, number, numbers)
        }
    }
}

fn size(request: &Request) -> Reply<i64> {
    match request.parameter("pageSize").map(|size| size.parse()) {
        None => Ok(0),
        Some(Ok(size)) => Ok(size),
        Some(Err(_)) => refuse(INVALID_ARGUMENT, "Invalid value at 'page_size'."),
    }
}

fn listed(what: &str, items: Vec<Value>, next: Option<String>, total: Option<usize>) -> Value {
    // What has its default value is left out.
    let mut reply = Map::new();
    if !items.is_empty() {
        reply.insert(what.to_owned(), items.into());
    }
    if let Some(next) = next {
        reply.insert("nextPageToken".to_owned(), next.into());
    }
    if let Some(total) = total.filter(|total| *total > 0) {
        reply.insert("totalSize".to_owned(), total.into());
    }
    reply.into()
}

fn secret(store: &Store, id: &str, secret: &Secret) -> Value {
    let mut told = Map::new();
    told.insert("name".to_owned(), store.name(id).into());
    told.insert("createTime".to_owned(), timestamp(secret.created).into());
    told.insert("etag".to_owned(), secret.etag.clone().into());
    if !secret.labels.is_empty() {
        told.insert("labels".to_owned(), json!(secret.labels));
    }
    if !secret.annotations.is_empty() {
        told.insert("annotations".to_owned(), json!(secret.annotations));
    }
    let key = |key: &Option<String>| key.as_ref().map(|key| json!({"kmsKeyName": key}));
    let with_key = |mut object: Value, name: &Option<String>| {
        if let (Some(key), Some(object)) = (key(name), object.as_object_mut()) {
            object.insert("customerManagedEncryption".to_owned(), key);
        }
        object
    };
    match &secret.replication {
        None => {}
        Some(Replication::Automatic(key)) => {
            told.insert(
                "replication".to_owned(),
                json!({"automatic": with_key(json!({}), key)}),
            );
        }
        Some(Replication::UserManaged(copies)) => {
            let copies: Vec<Value> = copies
                .iter()
                .map(|(location, key)| with_key(json!({"location": location}), key))
                .collect();
            told.insert(
                "replication".to_owned(),
                json!({"userManaged": {"replicas": copies}}),
            );
        }
    }
    if let Some(key) = key(&secret.key) {
        told.insert("customerManagedEncryption".to_owned(), key);
    }
    told.into()
}

fn told(store: &Store, id: &str, number: usize, numbers: bool) -> Reply<Value> {
    let (number, version) = store.version(id, &number.to_string())?;
    let Version {
        state,
        created,
        destroyed,
        etag,
        checked,
        ..
    } = version;
    let state: Value = if numbers {
        state.number().into()
    } else {
        state.as_str().into()
    };
    let mut told = json!({
        "name": format!("{}/versions/{number}", store.name(id)),
        "createTime": timestamp(*created),
        "state": state,
        "etag": etag,
    });
    if let Some(told) = told.as_object_mut() {
        if *checked {
            told.insert("clientSpecifiedPayloadChecksum".to_owned(), true.into());
        }
        if let Some(destroyed) = destroyed {
            told.insert("destroyTime".to_owned(), timestamp(*destroyed).into());
        }
    }
    Ok(told)
}

fn wish(body: &Value) -> Reply<Wish> {
    let texts = |member: &str| -> Reply<BTreeMap<String, String>> {
        let Some(value) = body.get(member) else {
            return Ok(BTreeMap::new());
        };
        match serde_json::from_value(value.clone()) {
            Ok(texts) => Ok(texts),
            Err(_) => refuse(
                INVALID_ARGUMENT,
                format!("Invalid value at 'secret.{member}'."),
            ),
        }
    };
    let key = |value: &Value| {
        let key = value.get("customerManagedEncryption")?.get("kmsKeyName")?;
        key.as_str().map(str::to_owned)
    };
    let replication = body.get("replication").and_then(|replication| {
        if let Some(automatic) = replication.get("automatic") {
            return Some(Replication::Automatic(key(automatic)));
        }
        let copies = replication
            .get("userManaged")?
            .get("replicas")?
            .as_array()?;
        let copies = copies.iter().map(|copy| {
            let location = copy.get("location").and_then(Value::as_str);
            (location.unwrap_or_default().to_owned(), key(copy))
        });
        Some(Replication::UserManaged(copies.collect()))
    });
    let etag = body.get("etag").and_then(Value::as_str);
    Ok(Wish {
        etag: etag.unwrap_or_default().to_owned(),
        labels: texts("labels")?,
        annotations: texts("annotations")?,
        replication,
        key: key(body),
    })
}

fn payload(body: &Value) -> Reply<(Vec<u8>, Option<i64>)> {
    let payload = body.get("payload");
    let data = payload
        .and_then(|payload| payload.get("data"))
        .and_then(Value::as_str);
    let Ok(data) = STANDARD.decode(data.unwrap_or_default()) else {
        return refuse(
            INVALID_ARGUMENT,
            "Invalid value at 'payload.data' (TYPE_BYTES).",
        );
    };
    let checksum = payload.and_then(|payload| payload.get("dataCrc32c"));
    // 64-bit numbers are text in JSON; the API takes both.
    let checksum = match checksum {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.parse().ok()),
        Some(value) => Some(value.as_i64()),
    };
    match checksum {
        Some(None) => refuse(
            INVALID_ARGUMENT,
            "Invalid value at 'payload.data_crc32c' (TYPE_INT64).",
        ),
        Some(Some(checksum)) => Ok((data, Some(checksum))),
        None => Ok((data, None)),
    }
}
