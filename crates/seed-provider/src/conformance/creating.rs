//! Creating, and reading back.

use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::Failed;
use seed_core::backend::CaseRule;
use seed_core::document::{Document, FieldValue, Fields};
use seed_core::inventory::{Depth, Presence};
use seed_core::name::SecretName;
use seed_core::secret::SecretValue;
use tokio::task::JoinSet;

use super::bench::{
    Bench, Outcome, canary, ensure, excludes, fields, is_single, leaks, marks, refused, single,
};
use crate::{ErrorKind, Provider, WantedShape};

pub(super) async fn a_created_value_is_read_back_under_the_version_that_was_told<P: Provider>(
    bench: Bench<P>,
) -> Outcome {
    let name = bench.name("one")?;
    let told = bench.create(&name, &single("one")).await?;
    let read = bench.holds(&name, canary("one").as_bytes()).await?;
    ensure(read == told, || format!("created {told}, read {read}"))?;
    let presence = bench.look(&name, Depth::Metadata).await?;
    let seen = matches!(&presence, Presence::Present { version, .. } if *version == told);
    ensure(seen, || format!("created {told}, looked up {presence:?}"))
}

pub(super) async fn a_second_create_is_refused_and_the_first_value_stays<P: Provider>(
    bench: Bench<P>,
) -> Outcome {
    let name = bench.name("one")?;
    let first = bench.create(&name, &single("first")).await?;
    for text in ["second", "first"] {
        let again = bench.create(&name, &single(text)).await;
        refused(again, &[ErrorKind::AlreadyExists])?;
    }
    let many = Document::Fields(fields(&[("a", "second")]));
    refused(
        bench.create(&name, &many).await,
        &[ErrorKind::AlreadyExists],
    )?;
    let read = bench.holds(&name, canary("first").as_bytes()).await?;
    ensure(read == first, || "the version has moved".to_owned())
}

pub(super) async fn of_eight_writers_exactly_one_wins<P: Provider>(bench: Bench<P>) -> Outcome {
    if !excludes(bench.description.capabilities.create) {
        return Ok(());
    }
    for round in 0..4 {
        let name = bench.name(&format!("race{round}"))?;
        let mut writers = JoinSet::new();
        for writer in 0..8 {
            let (provider, name) = (Arc::clone(&bench.provider), name.clone());
            writers.spawn(async move {
                let value = single(&writer.to_string());
                (writer, provider.create(&name, &value, &marks()).await)
            });
        }
        let mut winners = Vec::new();
        while let Some(done) = writers.join_next().await {
            match done? {
                (winner, Ok(_)) => winners.push(winner),
                (_, lost) => refused(lost, &[ErrorKind::AlreadyExists, ErrorKind::Conflict])?,
            }
        }
        let &[winner] = winners.as_slice() else {
            return Err(format!("{} of eight writers won", winners.len()).into());
        };
        let value = canary(&winner.to_string());
        bench.holds(&name, value.as_bytes()).await?;
    }
    Ok(())
}

pub(super) async fn a_create_that_was_given_up_can_be_done_again<P: Provider>(
    bench: Bench<P>,
) -> Outcome {
    for round in 0..8_u32 {
        let name = bench.name(&format!("cut{round}"))?;
        let value = single("value");
        let patience = Duration::from_micros(50) * 4_u32.pow(round);
        let cut = tokio::time::timeout(patience, bench.create(&name, &value)).await;
        let again = bench.create(&name, &value).await;
        let finished = match again {
            Ok(_) => !matches!(cut, Ok(Ok(_))),
            Err(err) => err.kind() == ErrorKind::AlreadyExists,
        };
        ensure(finished, || "the second run did not finish".to_owned())?;
        bench.holds(&name, canary("value").as_bytes()).await?;
    }
    Ok(())
}

pub(super) async fn bytes_come_back_as_they_went_in<P: Provider>(bench: Bench<P>) -> Outcome {
    let kind = bench.kind();
    let mut values: Vec<Vec<u8>> = TEXTS.iter().map(|text| text.as_bytes().to_vec()).collect();
    if kind.stores_binary() {
        values.push((0..=u8::MAX).collect());
        values.push(vec![0xff]);
        values.push(vec![0]);
    }
    if kind.stores_empty() {
        values.push(Vec::new());
    }
    for (n, bytes) in values.into_iter().enumerate() {
        let name = bench.name(&format!("value{n}"))?;
        let document = Document::Single(SecretValue::new(bytes.clone()));
        bench.create(&name, &document).await?;
        bench.holds(&name, &bytes).await?;
    }
    Ok(())
}

pub(super) async fn fields_come_back_as_they_went_in<P: Provider>(bench: Bench<P>) -> Outcome {
    let mut values: Vec<Vec<u8>> = TEXTS.iter().map(|text| text.as_bytes().to_vec()).collect();
    values.push(Vec::new());
    if bench.kind().stores_binary_fields() {
        values.push(vec![0, 0xff]);
    }
    let mut fields = Fields::new();
    for (n, bytes) in values.iter().enumerate() {
        let value = FieldValue::Text(SecretValue::new(bytes.clone()));
        let _new = fields.insert(format!("f{n}"), value);
    }
    let name = bench.name("fields")?;
    bench.create(&name, &Document::Fields(fields)).await?;
    let (stored, _) = bench.read_fields(&name).await?;
    for (n, bytes) in values.iter().enumerate() {
        let same = matches!(stored.get(&format!("f{n}")), Some(FieldValue::Text(text)) if text.expose() == bytes);
        ensure(same, || format!("the field f{n} came back different"))?;
    }
    Ok(())
}

pub(super) async fn bytes_that_the_kind_does_not_take_are_refused<P: Provider>(
    bench: Bench<P>,
) -> Outcome {
    let kind = bench.kind();
    let mut refusals = Vec::new();
    if !kind.stores_binary() {
        refusals.push(Document::Single(SecretValue::new(vec![0xff])));
    }
    if !kind.stores_empty() {
        refusals.push(Document::Single(SecretValue::new(Vec::new())));
    }
    if !kind.stores_binary_fields() {
        let mut fields = Fields::new();
        let _new = fields.insert("a", FieldValue::Text(SecretValue::new(vec![0xff])));
        refusals.push(Document::Fields(fields));
    }
    for (n, document) in refusals.iter().enumerate() {
        let name = bench.name(&format!("refused{n}"))?;
        refused(bench.create(&name, document).await, &[ErrorKind::Invalid])?;
        bench.holds_nothing(&name).await?;
    }
    Ok(())
}

pub(super) async fn names_that_are_alike_are_kept_apart<P: Provider>(bench: Bench<P>) -> Outcome {
    let names = alike(&bench)?;
    for (n, name) in names.iter().enumerate() {
        bench.create(name, &single(&n.to_string())).await?;
    }
    for (n, name) in names.iter().enumerate() {
        bench.holds(name, canary(&n.to_string()).as_bytes()).await?;
        let presence = bench.look(name, Depth::Metadata).await?;
        ensure(matches!(presence, Presence::Present { .. }), || {
            format!("{name} is {presence:?}, not present")
        })?;
    }
    match bench.kind().rule().case {
        CaseRule::Insensitive => {
            let shouted = bench.name("x")?.as_str().to_ascii_uppercase();
            let shouted = bench.kind().existing_name(&shouted)?;
            let again = bench.create(&shouted, &single("again")).await;
            refused(again, &[ErrorKind::AlreadyExists])
        }
        CaseRule::Lowered | CaseRule::Sensitive => Ok(()),
    }
}

/// Names that begin alike, differ in one character or in case, use every punctuation, or are as long as may be.
fn alike<P: Provider>(bench: &Bench<P>) -> Result<Vec<SecretName>, Failed> {
    let rule = bench.kind().rule();
    let prefix = bench.prefix();
    let mut names: Vec<String> = ["x", "xy", "9"]
        .iter()
        .map(|s| format!("{prefix}{s}"))
        .collect();
    for c in rule.punctuation.chars() {
        names.push(format!("{prefix}x{c}y"));
        names.push(format!("{prefix}x{c}"));
    }
    if rule.case == CaseRule::Sensitive {
        names.push(format!("{prefix}X"));
    }
    let fill = "z".repeat(rule.max_name.saturating_sub(prefix.len()));
    names.push(format!("{prefix}{fill}"));
    names.retain(|name| rule.check(name).is_ok());
    names
        .iter()
        .map(|name| Ok(bench.kind().existing_name(name)?))
        .collect()
}

pub(super) async fn nothing_printed_has_a_value<P: Provider>(bench: Bench<P>) -> Outcome {
    let name = bench.name("quiet")?;
    bench.create(&name, &single("quiet")).await?;
    let stored = bench.provider.read(&name, WantedShape::Single).await?;
    let printed = format!(
        "{:?} {stored:?} {:?}",
        bench.provider,
        bench.provider.describe()
    );
    ensure(is_single(&stored, canary("quiet").as_bytes()), || {
        "another value was read".to_owned()
    })?;
    ensure(!leaks(&printed), || "a `Debug` text has a value".to_owned())
}

/// Texts that careless encodings change.
const TEXTS: [&str; 7] = [
    "plain",
    " spaces and a line end \r\n",
    "quotes \" ' ` and \\ \\n",
    "{\"json\": [1, 2.50]}",
    "a\u{0}nul",
    "${env} {{ .value }} %s %2F",
    "\u{fc}ml\u{e4}ut \u{1f511} \u{2028}",
];
