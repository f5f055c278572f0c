//! The store over gRPC: one message in its frame comes, one goes, and the status follows it.

use googleapis_tonic_google_cloud_secretmanager_v1::google::cloud::secretmanager::v1 as api;
use prost::Message;

use super::messages::{secret, total, version, wish};
use super::rest::Route;
use super::status::{INTERNAL, INVALID_ARGUMENT, Reply, UNIMPLEMENTED, refuse};
use super::store::{State, Store};
use crate::{Answer, Request};

/// Whether a request is one of gRPC.
pub(super) fn is_for(request: &Request) -> bool {
    let kind = request.header("content-type").unwrap_or_default();
    kind.starts_with("application/grpc")
}

/// The API's own name of the call, or `?`.
pub(super) fn operation(request: &Request) -> &'static str {
    let name = request.path.strip_prefix(SERVICE).unwrap_or_default();
    let known = OPERATIONS.into_iter().find(|known| *known == name);
    known.unwrap_or("?")
}

const SERVICE: &str = "/google.cloud.secretmanager.v1.SecretManagerService/";

const OPERATIONS: [&str; 12] = [
    "AccessSecretVersion",
    "AddSecretVersion",
    "CreateSecret",
    "DeleteSecret",
    "DestroySecretVersion",
    "DisableSecretVersion",
    "EnableSecretVersion",
    "GetSecret",
    "GetSecretVersion",
    "ListSecretVersions",
    "ListSecrets",
    "UpdateSecret",
];

/// What a request says.
pub(super) enum Asked {
    Create(api::CreateSecretRequest),
    Delete(api::DeleteSecretRequest),
    Get,
    List(api::ListSecretsRequest),
    Update(api::UpdateSecretRequest),
    Versions(OfVersions),
}

/// What a request says of versions.
pub(super) enum OfVersions {
    Access,
    Add(api::AddSecretVersionRequest),
    Get,
    List(api::ListSecretVersionsRequest),
    /// The etag, and what becomes of the version.
    Turn(String, State),
}

/// Reads what a request asks for, and about what.
pub(super) fn read(request: &Request) -> Reply<(Route, Asked)> {
    let message = framed(&request.body)?;
    let operation = operation(request);
    let (name, asked) = match operation {
        "CreateSecret" => {
            let asked: api::CreateSecretRequest = decoded(message)?;
            let name = format!("{}/secrets/{}", asked.parent, asked.secret_id);
            (name, Asked::Create(asked))
        }
        "ListSecrets" => {
            let asked: api::ListSecretsRequest = decoded(message)?;
            (format!("{}/secrets", asked.parent), Asked::List(asked))
        }
        "UpdateSecret" => {
            let asked: api::UpdateSecretRequest = decoded(message)?;
            let name = asked.secret.as_ref().map(|secret| secret.name.clone());
            (name.unwrap_or_default(), Asked::Update(asked))
        }
        "DeleteSecret" => {
            let asked: api::DeleteSecretRequest = decoded(message)?;
            (asked.name.clone(), Asked::Delete(asked))
        }
        "GetSecret" => {
            let asked: api::GetSecretRequest = decoded(message)?;
            (asked.name, Asked::Get)
        }
        _ => {
            let (name, asked) = of_versions(operation, message)?;
            (name, Asked::Versions(asked))
        }
    };
    Ok((route(operation, &name)?, asked))
}

fn of_versions(operation: &str, message: &[u8]) -> Reply<(String, OfVersions)> {
    let read = match operation {
        "AddSecretVersion" => {
            let asked: api::AddSecretVersionRequest = decoded(message)?;
            (asked.parent.clone(), OfVersions::Add(asked))
        }
        "ListSecretVersions" => {
            let asked: api::ListSecretVersionsRequest = decoded(message)?;
            (asked.parent.clone(), OfVersions::List(asked))
        }
        "AccessSecretVersion" => {
            let asked: api::AccessSecretVersionRequest = decoded(message)?;
            (asked.name, OfVersions::Access)
        }
        "GetSecretVersion" => {
            let asked: api::GetSecretVersionRequest = decoded(message)?;
            (asked.name, OfVersions::Get)
        }
        "DisableSecretVersion" => {
            let asked: api::DisableSecretVersionRequest = decoded(message)?;
            (asked.name, OfVersions::Turn(asked.etag, State::Disabled))
        }
        "EnableSecretVersion" => {
            let asked: api::EnableSecretVersionRequest = decoded(message)?;
            (asked.name, OfVersions::Turn(asked.etag, State::Enabled))
        }
        "DestroySecretVersion" => {
            let asked: api::DestroySecretVersionRequest = decoded(message)?;
            (asked.name, OfVersions::Turn(asked.etag, State::Destroyed))
        }
        _ => return refuse(UNIMPLEMENTED, "Method not found."),
    };
    Ok(read)
}

/// A frame: whether it is compressed, its length, and the message.
fn framed(body: &[u8]) -> Reply<&[u8]> {
    match body {
        [0, a, b, c, d, message @ ..] if length([*a, *b, *c, *d]) == Some(message.len()) => {
            Ok(message)
        }
        [1, ..] => refuse(UNIMPLEMENTED, "Compression is not supported."),
        _ => refuse(INTERNAL, "The request is not one whole message."),
    }
}

fn length(bytes: [u8; 4]) -> Option<usize> {
    usize::try_from(u32::from_be_bytes(bytes)).ok()
}

fn decoded<T: Message + Default>(message: &[u8]) -> Reply<T> {
    match T::decode(message) {
        Ok(decoded) => Ok(decoded),
        Err(_) => refuse(INVALID_ARGUMENT, "Request contains an invalid argument."),
    }
}

/// `projects/P`, perhaps `locations/L`, `secrets`, perhaps `S`, perhaps `versions/V`; and nothing more.
fn route(operation: &'static str, name: &str) -> Reply<Route> {
    let parts: Vec<&str> = name.split('/').collect();
    let (project, location, rest) = match parts.as_slice() {
        ["projects", project, "locations", location, rest @ ..] => (project, Some(location), rest),
        ["projects", project, rest @ ..] => (project, None, rest),
        _ => (&"", None, [].as_slice()),
    };
    let (secret, version) = match (operation, rest) {
        ("ListSecrets", ["secrets"]) => ("", ""),
        (
            "AccessSecretVersion"
            | "GetSecretVersion"
            | "DisableSecretVersion"
            | "EnableSecretVersion"
            | "DestroySecretVersion",
            ["secrets", secret, "versions", version],
        ) => (*secret, *version),
        (
            "AddSecretVersion" | "CreateSecret" | "DeleteSecret" | "GetSecret"
            | "ListSecretVersions" | "UpdateSecret",
            ["secrets", secret],
        ) => (*secret, ""),
        _ => return refuse(INVALID_ARGUMENT, "The resource's name is malformed."),
    };
    Ok(Route {
        operation,
        project: (*project).to_owned(),
        location: location.map(|location| (*location).to_owned()),
        secret: secret.to_owned(),
        version: version.to_owned(),
    })
}

/// Does what is asked.
pub(super) fn call(store: &mut Store, route: &Route, asked: Asked) -> Reply<Vec<u8>> {
    let id = route.secret.as_str();
    let message = match asked {
        Asked::Create(asked) => {
            store.create(id, wish(asked.secret.unwrap_or_default()))?;
            secret(store, id)?.encode_to_vec()
        }
        Asked::Get => secret(store, id)?.encode_to_vec(),
        Asked::Update(asked) => {
            let mask = asked.update_mask.unwrap_or_default().paths;
            let mask: Vec<&str> = mask.iter().map(String::as_str).collect();
            store.update(id, &mask, wish(asked.secret.unwrap_or_default()))?;
            secret(store, id)?.encode_to_vec()
        }
        Asked::Delete(asked) => {
            store.delete(id, &asked.etag)?;
            Vec::new()
        }
        Asked::List(asked) => {
            let page = store.list(asked.page_size.into(), &asked.page_token, &asked.filter)?;
            let secrets = page.items.iter().map(|id| secret(store, id));
            api::ListSecretsResponse {
                secrets: secrets.collect::<Reply<_>>()?,
                next_page_token: page.next.unwrap_or_default(),
                total_size: total(page.total),
            }
            .encode_to_vec()
        }
        Asked::Versions(asked) => return versions(store, route, asked),
    };
    Ok(message)
}

fn versions(store: &mut Store, route: &Route, asked: OfVersions) -> Reply<Vec<u8>> {
    let (id, which) = (route.secret.as_str(), route.version.as_str());
    let message = match asked {
        OfVersions::List(asked) => {
            let (size, token) = (asked.page_size.into(), &asked.page_token);
            let page = store.versions(id, size, token, &asked.filter)?;
            let versions = page.items.iter().map(|number| version(store, id, *number));
            api::ListSecretVersionsResponse {
                versions: versions.collect::<Reply<_>>()?,
                next_page_token: page.next.unwrap_or_default(),
                total_size: total(page.total),
            }
            .encode_to_vec()
        }
        OfVersions::Add(asked) => {
            let payload = asked.payload.unwrap_or_default();
            let number = store.add(id, payload.data, payload.data_crc32c)?;
            version(store, id, number)?.encode_to_vec()
        }
        OfVersions::Get => {
            let (number, _) = store.version(id, which)?;
            version(store, id, number)?.encode_to_vec()
        }
        OfVersions::Access => {
            let (number, found) = store.access(id, which)?;
            api::AccessSecretVersionResponse {
                name: format!("{}/versions/{number}", store.name(id)),
                payload: Some(api::SecretPayload {
                    data: found.data.clone(),
                    data_crc32c: Some(crc32c::crc32c(&found.data).into()),
                }),
            }
            .encode_to_vec()
        }
        OfVersions::Turn(etag, state) => {
            let number = store.turn(id, which, state, &etag)?;
            version(store, id, number)?.encode_to_vec()
        }
    };
    Ok(message)
}

/// The answer: a message and the word that all went well behind it, or a refusal alone.
pub(super) fn answer(reply: Reply<Vec<u8>>, request_id: &str) -> Answer {
    let message = match reply {
        Ok(message) => message,
        Err(refusal) => return refusal.over_grpc(request_id),
    };
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut answer = Answer::empty(200)
        .with_header("content-type", "application/grpc")
        .with_header("x-goog-request-id", request_id)
        .with_header("grpc-status", "0");
    answer.body = [0].into_iter().chain(length.to_be_bytes()).collect();
    answer.body.extend(message);
    answer
}
