//! What is stored, as messages of gRPC.

use std::time::{SystemTime, UNIX_EPOCH};

use googleapis_tonic_google_cloud_secretmanager_v1::google::cloud::secretmanager::v1 as api;
use prost_types::Timestamp;

use self::api::replication::user_managed::Replica;
use self::api::replication::{Automatic, Replication as Kind, UserManaged};
use super::status::Reply;
use super::store::{Replication, Store, Wish};

pub(super) fn secret(store: &Store, id: &str) -> Reply<api::Secret> {
    let secret = store.get(id)?;
    let kind = secret
        .replication
        .as_ref()
        .map(|replication| match replication {
            Replication::Automatic(name) => Kind::Automatic(Automatic {
                customer_managed_encryption: key(name.as_ref()),
            }),
            Replication::UserManaged(copies) => {
                let replicas = copies.iter().map(|(location, name)| Replica {
                    location: location.clone(),
                    customer_managed_encryption: key(name.as_ref()),
                });
                Kind::UserManaged(UserManaged {
                    replicas: replicas.collect(),
                })
            }
        });
    Ok(api::Secret {
        name: store.name(id),
        replication: kind.map(|kind| api::Replication {
            replication: Some(kind),
        }),
        create_time: Some(moment(secret.created)),
        labels: secret.labels.clone().into_iter().collect(),
        etag: secret.etag.clone(),
        annotations: secret.annotations.clone().into_iter().collect(),
        customer_managed_encryption: key(secret.key.as_ref()),
        ..api::Secret::default()
    })
}

pub(super) fn version(store: &Store, id: &str, number: usize) -> Reply<api::SecretVersion> {
    let (number, version) = store.version(id, &number.to_string())?;
    Ok(api::SecretVersion {
        name: format!("{}/versions/{number}", store.name(id)),
        create_time: Some(moment(version.created)),
        destroy_time: version.destroyed.map(moment),
        state: version.state.number(),
        etag: version.etag.clone(),
        client_specified_payload_checksum: version.checked,
        ..api::SecretVersion::default()
    })
}

pub(super) fn wish(secret: api::Secret) -> Wish {
    let replication = secret.replication.and_then(|kind| kind.replication);
    Wish {
        etag: secret.etag,
        labels: secret.labels.into_iter().collect(),
        annotations: secret.annotations.into_iter().collect(),
        replication: replication.map(|kind| match kind {
            Kind::Automatic(automatic) => {
                Replication::Automatic(named(automatic.customer_managed_encryption))
            }
            Kind::UserManaged(managed) => {
                let copies = managed.replicas.into_iter();
                let copies = copies
                    .map(|copy| (copy.location, named(copy.customer_managed_encryption)))
                    .collect();
                Replication::UserManaged(copies)
            }
        }),
        key: named(secret.customer_managed_encryption),
    }
}

/// How many there are in all, where that is told.
pub(super) fn total(total: Option<usize>) -> i32 {
    i32::try_from(total.unwrap_or(0)).unwrap_or(i32::MAX)
}

fn key(name: Option<&String>) -> Option<api::CustomerManagedEncryption> {
    name.map(|name| api::CustomerManagedEncryption {
        kms_key_name: name.clone(),
    })
}

fn named(key: Option<api::CustomerManagedEncryption>) -> Option<String> {
    key.map(|key| key.kms_key_name)
}

/// Whole seconds, as over REST.
fn moment(moment: SystemTime) -> Timestamp {
    let passed = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp {
        seconds: i64::try_from(passed.as_secs()).unwrap_or(i64::MAX),
        nanos: 0,
    }
}
