//! Several writers: whose value stands, and who says so.

use std::collections::BTreeMap;
use std::time::Duration;

use seed_core::document::{Document, FieldValue, Fields};
use seed_core::inventory::Version;
use seed_fakes::{Fault, When};
use seed_provider::{
    Converge as _, ErrorKind, Marks, Provider as _, Settled, WantedShape, Written,
};

use crate::support::{Stand, name, settle};

fn single(text: &str) -> Document {
    Document::Single(text.to_owned().into())
}

fn fields(pairs: &[(&str, &str)]) -> Fields {
    let mut fields = Fields::new();
    for (name, text) in pairs {
        assert!(fields.insert(*name, FieldValue::Text((*text).to_owned().into())));
    }
    fields
}

/// Two runs that both looked before either wrote: the answer to the second one's look says that nothing is there.
async fn both_create(stand: &Stand) -> [(seed_azure_kv::AzureKv, Version); 2] {
    let (one, two) = (stand.ready().await, stand.ready().await);
    let marks = Marks::of("test");
    let first = one
        .create(&name("key"), &single("first"), &marks)
        .await
        .unwrap();
    stand.service().advance(1);
    let missing = seed_fakes::Answer::json(
        404,
        &serde_json::json!({"error": {"code": "SecretNotFound", "message": "x"}}),
    );
    let before = Fault::Answer(missing);
    stand
        .server
        .fault(When::operation("GetSecret"), before, Some(1));
    let second = two
        .create(&name("key"), &single("second"), &marks)
        .await
        .unwrap();
    stand.service().advance(2);
    [(one, first), (two, second)]
}

#[tokio::test]
async fn the_first_of_two_values_is_put_back_by_who_wrote_the_second() {
    let stand = Stand::new();
    let [(one, first), (two, second)] = both_create(&stand).await;
    assert_eq!(stand.service().value("key").unwrap(), "second");
    let (one, two) = tokio::join!(settle(&one, "key", &first), settle(&two, "key", &second));
    assert_eq!(
        [one.as_str(), two.as_str()],
        ["ours, contested: true", "theirs"]
    );
    assert_eq!(stand.service().value("key").unwrap(), "first");
    assert_eq!(stand.service().versions("key").len(), 3);
}

#[tokio::test]
async fn a_reader_waits_until_the_value_is_put_back() {
    let stand = Stand::new();
    let [(_, _), (two, second)] = both_create(&stand).await;
    let reader = stand.ready().await;
    let read = async {
        let stored = reader
            .read(&name("key"), WantedShape::Single)
            .await
            .unwrap();
        let Document::Single(value) = stored.document else {
            panic!("several values");
        };
        String::from_utf8(value.expose().to_vec()).unwrap()
    };
    let settled = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        settle(&two, "key", &second).await
    };
    let (read, settled) = tokio::join!(read, settled);
    assert_eq!([read.as_str(), settled.as_str()], ["first", "theirs"]);
}

#[tokio::test]
async fn a_value_that_a_person_sets_during_the_pause_stays_and_every_run_says_so() {
    let stand = Stand::new();
    let [(one, first), (two, second)] = both_create(&stand).await;
    let person = stand.service().put("key", "person");
    stand.service().advance(2);
    for (run, version) in [(&one, &first), (&two, &second)] {
        let told = settle(run, "key", version).await;
        assert_eq!(
            told,
            format!(
                "unclear: somebody set version `{person}` while runs were writing; nothing was changed any more: look which value is meant"
            )
        );
    }
    assert_eq!(stand.service().value("key").unwrap(), "person");
}

#[tokio::test]
async fn a_value_that_a_person_set_between_look_and_write_is_put_back() {
    let stand = Stand::new();
    let run = stand.ready().await;
    stand.service().put("key", "person");
    let missing = seed_fakes::Answer::json(
        404,
        &serde_json::json!({"error": {"code": "SecretNotFound", "message": "x"}}),
    );
    stand.server.fault(
        When::operation("GetSecret"),
        Fault::Answer(missing),
        Some(1),
    );
    let version = run
        .create(&name("key"), &single("run"), &Marks::of("test"))
        .await
        .unwrap();
    stand.service().advance(2);
    assert_eq!(settle(&run, "key", &version).await, "theirs");
    assert_eq!(stand.service().value("key").unwrap(), "person");
}

#[tokio::test]
async fn a_run_that_was_paused_for_longer_than_its_claim_lives_says_so() {
    let stand = Stand::new();
    let [(_, _), (two, second)] = both_create(&stand).await;
    stand.service().advance(31 * 60);
    let told = settle(&two, "key", &second).await;
    assert_eq!(
        told,
        "unclear: this run was paused for so long that its claim is over, and others may have written meanwhile; nothing was changed any more: look which value is meant"
    );
    assert_eq!(stand.service().versions("key").len(), 2);
}

#[tokio::test]
async fn a_version_with_a_copied_claim_is_a_persons() {
    let stand = Stand::new();
    let run = stand.ready().await;
    let version = run
        .create(&name("key"), &single("run"), &Marks::of("test"))
        .await
        .unwrap();
    let tags: BTreeMap<String, String> = stand.service().versions("key")[0].tags.clone();
    stand.service().advance(200);
    stand.service().put_tagged("key", "person", tags);
    stand.service().advance(2);
    let told = settle(&run, "key", &version).await;
    assert!(told.starts_with("unclear: somebody set version"), "{told}");
    assert_eq!(stand.service().value("key").unwrap(), "person");
}

#[tokio::test]
async fn fields_that_two_runs_add_are_never_lost_in_silence() {
    let stand = Stand::new();
    stand.service().put("key", "{\"a\":\"1\"}");
    stand.service().advance(2);
    let (one, two) = (stand.ready().await, stand.ready().await);
    let seen = one
        .read(&name("key"), WantedShape::Fields)
        .await
        .unwrap()
        .version;
    let base = stand.service().versions("key");
    let first = one
        .add_fields(&name("key"), &fields(&[("b", "2")]), &seen)
        .await
        .unwrap();
    stand.service().advance(1);
    // The second run's look came before the first one's write.
    let version = &base[0];
    let before = serde_json::json!({
        "value": version.value,
        "id": format!("{}/secrets/key/{}", stand.server.url(), version.id),
        "attributes": {"enabled": true, "created": version.created, "updated": version.updated},
    });
    let before = seed_fakes::Answer::json(200, &before);
    stand
        .server
        .fault(When::operation("GetSecret"), Fault::Answer(before), Some(1));
    let second = two
        .add_fields(&name("key"), &fields(&[("c", "3")]), &seen)
        .await
        .unwrap();
    stand.service().advance(2);
    let (one, two) = tokio::join!(settle(&one, "key", &first), settle(&two, "key", &second));
    assert_eq!(one, "ours, contested: true");
    assert_eq!(
        two,
        "unclear: somebody else wrote to it at the same time, and what they wrote stands; what this run wrote is not in it; run again"
    );
    assert_eq!(
        stand.service().value("key").unwrap(),
        "{\"a\":\"1\",\"b\":\"2\"}"
    );
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_known_by_its_claim() {
    for fault in [Fault::CutAfter, Fault::CutInside, Fault::Malformed] {
        let stand = Stand::new();
        let run = stand.ready().await;
        stand
            .server
            .fault(When::operation("SetSecret"), fault, Some(1));
        let told = run
            .create(&name("key"), &single("run"), &Marks::of("test"))
            .await;
        let versions = stand.service().versions("key");
        assert_eq!(versions.len(), 1);
        assert_eq!(told.unwrap().as_str(), versions[0].id);
    }
    let stand = Stand::new();
    let run = stand.ready().await;
    stand
        .server
        .fault(When::operation("SetSecret"), Fault::CutBefore, Some(1));
    let told = run
        .create(&name("key"), &single("run"), &Marks::of("test"))
        .await;
    assert_eq!(told.unwrap_err().kind(), ErrorKind::Indeterminate);
}

#[tokio::test]
async fn who_never_hears_of_the_other_run_again_says_so_and_keeps_still() {
    let stand = Stand::new();
    let [(one, first), (_, _)] = both_create(&stand).await;
    let told = settle(&one, "key", &first).await;
    assert_eq!(
        told,
        "unclear: another run wrote over the first value and has not put it back in time; its versions tell more, and nothing was changed any more"
    );
    assert_eq!(stand.service().versions("key").len(), 2);
}

#[tokio::test]
async fn eight_runs_that_meet_on_many_keys_all_end_with_one_value_each() {
    let stand = std::sync::Arc::new(Stand::new());
    let mut runs = tokio::task::JoinSet::new();
    for run in 0..8 {
        let stand = std::sync::Arc::clone(&stand);
        runs.spawn(async move {
            let adapter = stand.ready().await;
            let mut written = Vec::new();
            for key in 0..12 {
                let name = name(&format!("key-{key}"));
                let value = single(&format!("{run}"));
                match adapter.create(&name, &value, &Marks::of("test")).await {
                    Ok(version) => written.push(Written { name, version }),
                    Err(err) => assert_eq!(err.kind(), ErrorKind::AlreadyExists),
                }
            }
            tokio::time::sleep(Duration::from_millis(1500)).await;
            let settled = adapter.settle(&written).await.unwrap();
            let mut ours = Vec::new();
            for (written, settled) in written.into_iter().zip(settled) {
                match settled {
                    Settled::Ours { .. } => ours.push((written.name, run)),
                    Settled::Theirs => {}
                    Settled::Unclear(err) => panic!("{err}"),
                }
            }
            ours
        });
    }
    let mut winners = BTreeMap::new();
    while let Some(ours) = runs.join_next().await {
        for (name, run) in ours.unwrap() {
            assert!(winners.insert(name, run).is_none(), "two winners");
        }
    }
    assert_eq!(winners.len(), 12);
    for (name, run) in winners {
        assert_eq!(
            stand.service().value(name.as_str()).unwrap(),
            run.to_string()
        );
    }
}
