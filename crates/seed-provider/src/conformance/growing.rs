//! Adding fields.

use std::sync::Arc;

use seed_core::backend::Kind;
use seed_core::document::{Document, FieldValue, Fields};
use tokio::task::JoinSet;

use super::bench::{Bench, Outcome, canary, ensure, excludes, fields, refused, single};
use crate::{ErrorKind, Provider, WantedShape};

pub(super) async fn added_fields_join_those_that_are_there<P: Provider>(
    bench: Bench<P>,
) -> Outcome {
    let name = bench.name("grown")?;
    let first = bench.create_two_fields(&name).await?;
    let new = fields(&[("c", "third"), ("d", "fourth")]);
    let second = bench.provider.add_fields(&name, &new, &first).await?;
    ensure(second != first, || "the version has not moved".to_owned())?;
    let all = [
        ("a", "first"),
        ("b", "second"),
        ("c", "third"),
        ("d", "fourth"),
    ];
    let read = bench.holds_fields(&name, &all).await?;
    ensure(read == second, || format!("added {second}, read {read}"))
}

pub(super) async fn a_field_that_exists_is_never_written_over<P: Provider>(
    bench: Bench<P>,
) -> Outcome {
    let name = bench.name("grown")?;
    let first = bench.create_two_fields(&name).await?;
    for new in [
        fields(&[("b", "other")]),
        fields(&[("c", "third"), ("a", "other")]),
    ] {
        let added = bench.provider.add_fields(&name, &new, &first).await;
        refused(added, &[ErrorKind::AlreadyExists])?;
    }
    let both = [("a", "first"), ("b", "second")];
    let read = bench.holds_fields(&name, &both).await?;
    ensure(read == first, || "the version has moved".to_owned())
}

pub(super) async fn a_stale_version_is_a_conflict_and_adds_nothing<P: Provider>(
    bench: Bench<P>,
) -> Outcome {
    let name = bench.name("grown")?;
    let first = bench.create_two_fields(&name).await?;
    let third = fields(&[("c", "third")]);
    bench.provider.add_fields(&name, &third, &first).await?;
    let fourth = fields(&[("d", "fourth")]);
    let stale = bench.provider.add_fields(&name, &fourth, &first).await;
    refused(stale, &[ErrorKind::Conflict])?;
    let all = [("a", "first"), ("b", "second"), ("c", "third")];
    bench.holds_fields(&name, &all).await.map(drop)
}

pub(super) async fn of_eight_who_add_to_one_version_exactly_one_wins<P: Provider>(
    bench: Bench<P>,
) -> Outcome {
    if !excludes(bench.description.capabilities.add_fields) {
        return Ok(());
    }
    let name = bench.name("grown")?;
    let first = bench.create_two_fields(&name).await?;
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let (provider, name, first) = (Arc::clone(&bench.provider), name.clone(), first.clone());
        writers.spawn(async move {
            let field = format!("w{writer}");
            let new = fields(&[(&field, "new")]);
            (field, provider.add_fields(&name, &new, &first).await)
        });
    }
    let mut winners = Vec::new();
    while let Some(done) = writers.join_next().await {
        match done? {
            (field, Ok(_)) => winners.push(field),
            (_, lost) => refused(lost, &[ErrorKind::Conflict])?,
        }
    }
    let [winner] = winners.as_slice() else {
        return Err(format!("{} of eight writers won", winners.len()).into());
    };
    let all = [("a", "first"), ("b", "second"), (winner.as_str(), "new")];
    bench.holds_fields(&name, &all).await.map(drop)
}

pub(super) async fn what_is_not_there_is_not_found<P: Provider>(bench: Bench<P>) -> Outcome {
    let other = bench.name("other")?;
    let version = bench.create_two_fields(&other).await?;
    let name = bench.name("absent")?;
    bench.holds_nothing(&name).await?;
    let read = bench.provider.read(&name, WantedShape::Fields).await;
    refused(read, &[ErrorKind::NotFound])?;
    let new = fields(&[("a", "first")]);
    let added = bench.provider.add_fields(&name, &new, &version).await;
    refused(added, &[ErrorKind::NotFound])?;
    bench.holds_nothing(&name).await
}

pub(super) async fn one_value_is_not_several<P: Provider>(bench: Bench<P>) -> Outcome {
    let one = bench.name("one")?;
    let version = bench.create(&one, &single("one")).await?;
    // In a map, one value is a map with one member, which the backend cannot tell from one field.
    if !bench.kind().is_map() {
        let read = bench.provider.read(&one, WantedShape::Fields).await;
        refused(read, &[ErrorKind::WrongShape])?;
        let new = fields(&[("a", "first")]);
        let added = bench.provider.add_fields(&one, &new, &version).await;
        refused(added, &[ErrorKind::WrongShape])?;
    }
    bench.holds(&one, canary("one").as_bytes()).await?;
    let two = bench.name("two")?;
    bench.create_two_fields(&two).await?;
    let read = bench.provider.read(&two, WantedShape::Single).await;
    match read {
        // A string that is a JSON object is one value too.
        Ok(stored) if !bench.kind().is_map() => {
            ensure(matches!(stored.document, Document::Single(_)), || {
                "several values were read where one was wanted".to_owned()
            })
        }
        read => refused(read, &[ErrorKind::WrongShape]),
    }
}

pub(super) async fn numbers_keep_their_text_when_fields_are_added<P: Provider>(
    bench: Bench<P>,
) -> Outcome {
    if bench.kind().stores_binary_fields() {
        return Ok(()); // Fields are bytes there, and numbers do not exist.
    }
    let numbers = [
        ("a", "12345678901234567890"),
        ("b", "1.50"),
        ("c", "true"),
        ("d", "null"),
    ];
    let mut document = Fields::new();
    for (name, text) in numbers {
        let _new = document.insert(name, FieldValue::Raw(text.to_owned().into()));
    }
    let name = bench.name("numbers")?;
    let first = bench.create(&name, &Document::Fields(document)).await?;
    let (before, _) = bench.read_fields(&name).await?;
    let new = fields(&[("e", "fifth")]);
    bench.provider.add_fields(&name, &new, &first).await?;
    let (stored, _) = bench.read_fields(&name).await?;
    for (field, text) in numbers {
        // Vault answers a number as a 64-bit float would be written, whatever was stored; others keep its text.
        let text = match (bench.kind(), before.get(field)) {
            (Kind::Vault, Some(FieldValue::Raw(raw))) => raw.expose(),
            _other => text.as_bytes(),
        };
        let same = matches!(stored.get(field), Some(FieldValue::Raw(raw)) if raw.expose() == text);
        ensure(same, || {
            format!("the field {field} is no longer what it was")
        })?;
    }
    ensure(
        matches!(stored.get("e"), Some(FieldValue::Text(text)) if text.expose() == canary("fifth").as_bytes()),
        || "the added field has another value".to_owned(),
    )
}
