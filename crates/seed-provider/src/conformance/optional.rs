//! What only some backends can do.

use std::sync::Arc;

use futures::future::BoxFuture;
use seed_core::inventory::{Depth, Presence};
use seed_core::name::SecretName;
use tokio::task::JoinSet;

use super::bench::{Bench, Outcome, canary, ensure, excludes, is_single, refused, single};
use crate::{ErrorKind, Replace, Restore, Versions, WantedShape};

pub(super) async fn a_value_is_replaced_under_its_version_only<P: Replace>(
    bench: Bench<P>,
) -> Outcome {
    let name = bench.name("one")?;
    let first = bench.create(&name, &single("first")).await?;
    let second = bench
        .provider
        .replace(&name, &single("second"), &first)
        .await?;
    let read = bench.holds(&name, canary("second").as_bytes()).await?;
    ensure(read == second && read != first, || {
        format!("replaced {first} by {second}, read {read}")
    })?;
    let third = single("third");
    let stale = bench.provider.replace(&name, &third, &first).await;
    refused(stale, &[ErrorKind::Conflict])?;
    let read = bench.holds(&name, canary("second").as_bytes()).await?;
    ensure(read == second, || "the version has moved".to_owned())
}

pub(super) async fn of_eight_who_replace_one_version_exactly_one_wins<P: Replace>(
    bench: Bench<P>,
) -> Outcome {
    if !excludes(bench.description.capabilities.add_fields) {
        return Ok(());
    }
    let name = bench.name("one")?;
    let first = bench.create(&name, &single("first")).await?;
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let (provider, name, first) = (Arc::clone(&bench.provider), name.clone(), first.clone());
        writers.spawn(async move {
            let value = single(&writer.to_string());
            (writer, provider.replace(&name, &value, &first).await)
        });
    }
    let mut winners = Vec::new();
    while let Some(done) = writers.join_next().await {
        match done? {
            (winner, Ok(_)) => winners.push(winner),
            (_, lost) => refused(lost, &[ErrorKind::Conflict])?,
        }
    }
    let &[winner] = winners.as_slice() else {
        return Err(format!("{} of eight writers won", winners.len()).into());
    };
    let value = canary(&winner.to_string());
    bench.holds(&name, value.as_bytes()).await.map(drop)
}

pub(super) async fn nothing_is_replaced_where_nothing_is<P: Replace>(bench: Bench<P>) -> Outcome {
    let other = bench.name("other")?;
    let version = bench.create(&other, &single("other")).await?;
    let name = bench.name("absent")?;
    let new = single("new");
    let replaced = bench.provider.replace(&name, &new, &version).await;
    refused(replaced, &[ErrorKind::NotFound])?;
    bench.holds_nothing(&name).await
}

pub(super) async fn a_superseded_version_can_be_read<P: Replace + Versions>(
    bench: Bench<P>,
) -> Outcome {
    let name = bench.name("one")?;
    let first = bench.create(&name, &single("first")).await?;
    let second = bench
        .provider
        .replace(&name, &single("second"), &first)
        .await?;
    for (version, text) in [(&first, "first"), (&second, "second")] {
        let stored = bench
            .provider
            .read_version(&name, version, WantedShape::Single)
            .await?;
        ensure(
            is_single(&stored, canary(text).as_bytes()) && stored.version == *version,
            || format!("version {version} has another value"),
        )?;
    }
    let absent = bench.name("absent")?;
    let read = bench
        .provider
        .read_version(&absent, &first, WantedShape::Single)
        .await;
    refused(read, &[ErrorKind::NotFound])
}

pub(super) async fn what_was_deleted_comes_back_with_its_value<P: Restore>(
    bench: Bench<P>,
    delete: impl Fn(Arc<P>, SecretName) -> BoxFuture<'static, ()> + Send + Sync,
) -> Outcome {
    let name = bench.name("deleted")?;
    bench.create(&name, &single("first")).await?;
    delete(Arc::clone(&bench.provider), name.clone()).await;
    let presence = bench.look(&name, Depth::Metadata).await?;
    ensure(matches!(presence, Presence::Deleted { .. }), || {
        format!("what was deleted is {presence:?}")
    })?;
    let read = bench.provider.read(&name, WantedShape::Single).await;
    refused(read, &[ErrorKind::Conflict, ErrorKind::NotFound])?;
    // Not `AlreadyExists`: nobody could read what is there.
    let created = bench.create(&name, &single("second")).await;
    refused(created, &[ErrorKind::Conflict])?;
    for _ in 0..2 {
        bench.provider.restore(&name).await?;
        bench.holds(&name, canary("first").as_bytes()).await?;
    }
    let absent = bench.name("absent")?;
    let restored = bench.provider.restore(&absent).await;
    refused(restored, &[ErrorKind::NotFound])
}
