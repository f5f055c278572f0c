//! Several writers: whose value stands, and who says so.

use std::collections::BTreeMap;
use std::time::Duration;

use seed_core::document::{Document, FieldValue, Fields};
use seed_core::inventory::{Depth, Presence, Version};
use seed_fakes::{Fault, When};
use seed_provider::{
    Converge as _, ErrorKind, Marks, Provider as _, Settled, WantedShape, Written,
};

use crate::support::{Stand, look, name, settle, wanted};

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
    // While the run waits, or long after it.
    for later in [2, 200] {
        stand.service().advance(later);
        stand.service().put_tagged("key", "person", tags.clone());
        stand.service().advance(3);
        let told = settle(&run, "key", &version).await;
        assert!(told.starts_with("unclear: somebody set version"), "{told}");
        assert_eq!(stand.service().value("key").unwrap(), "person");
    }
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

fn in_time() -> seed_fakes::Answer {
    let body = serde_json::json!({"error": {"code": "GatewayTimeout", "message": "x"}});
    seed_fakes::Answer::json(504, &body)
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_and_that_comes_later_is_found() {
    let stand = Stand::new();
    let run = stand.ready().await;
    let delayed = Fault::Delayed(in_time(), 2);
    stand
        .server
        .fault(When::operation("SetSecret"), delayed, Some(1));
    let told = run
        .create(&name("key"), &single("run"), &Marks::of("test"))
        .await;
    let versions = stand.service().versions("key");
    assert_eq!(versions.len(), 1);
    assert_eq!(told.unwrap().as_str(), versions[0].id);
}

#[tokio::test]
async fn a_write_that_may_still_come_on_top_of_somebody_elses_is_said() {
    let stand = Stand::new();
    let run = stand.ready().await;
    let delayed = Fault::Delayed(in_time(), usize::MAX);
    stand
        .server
        .fault(When::operation("SetSecret"), delayed, Some(1));
    let (key, value, marks) = (name("key"), single("run"), Marks::of("test"));
    let person = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        stand.service().put("key", "person");
    };
    let (told, ()) = tokio::join!(run.create(&key, &value, &marks), person);
    let err = told.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Indeterminate);
    assert!(err.is_contested(), "{err}");
    assert_eq!(
        err.message(),
        "SetSecret failed with `GatewayTimeout`: the service could not serve it now; run it again in a minute; somebody else's value is there now, and ours may still come and take its place: look at its versions in a minute"
    );
    stand.server.let_arrive();
    assert_eq!(stand.service().value("key").unwrap(), "run");
}

#[tokio::test]
async fn what_was_added_to_the_first_value_survives_a_second_one_that_comes_late() {
    let stand = Stand::new();
    let (one, two) = (stand.ready().await, stand.ready().await);
    let marks = Marks::of("test");
    let delayed = Fault::Delayed(in_time(), usize::MAX);
    stand
        .server
        .fault(When::operation("SetSecret"), delayed, Some(1));
    let document = Document::Fields(fields(&[("a", "late")]));
    let lost = two.create(&name("key"), &document, &marks).await;
    assert_eq!(lost.unwrap_err().kind(), ErrorKind::Indeterminate);
    let document = Document::Fields(fields(&[("a", "1")]));
    let first = one.create(&name("key"), &document, &marks).await.unwrap();
    stand.service().advance(3);
    assert_eq!(settle(&one, "key", &first).await, "ours, contested: false");
    let added = one
        .add_fields(&name("key"), &fields(&[("b", "2")]), &first)
        .await
        .unwrap();
    stand.service().advance(3);
    assert_eq!(settle(&one, "key", &added).await, "ours, contested: false");
    stand.server.let_arrive();
    stand.service().advance(3);
    let late = stand.service().versions("key").pop().unwrap();
    let told = settle(&two, "key", &Version::new(late.id)).await;
    assert_eq!(told, "theirs");
    assert_eq!(
        stand.service().value("key").unwrap(),
        "{\"a\":\"1\",\"b\":\"2\"}"
    );
}

#[tokio::test]
async fn each_look_is_right_before_its_write_however_slow_the_pace_is() {
    let stand = Stand::new();
    let mut policy = crate::support::policy();
    (policy.pace.writes, policy.burst) = (std::num::NonZeroU32::new(60), 1);
    let run = seed_azure_kv::AzureKv::new(stand.config(), policy).unwrap();
    run.identify().await.unwrap();
    stand.server.clear_log();
    let (value, marks) = (single("run"), Marks::of("test"));
    let names: Vec<_> = (0..6).map(|key| name(&format!("key-{key}"))).collect();
    let creates = names.iter().map(|name| run.create(name, &value, &marks));
    for created in futures::future::join_all(creates).await {
        created.unwrap();
    }
    let counts = stand.server.log().counts();
    insta::assert_snapshot!(format!("{counts:?}"), @r#"{"GetSecret": 6, "SetSecret": 6}"#);
}

#[tokio::test]
async fn a_write_is_not_sent_when_the_look_before_it_is_too_old() {
    let stand = Stand::new();
    let run = stand.ready().await;
    let late = Fault::Late(Duration::from_millis(3_200));
    stand
        .server
        .fault(When::operation("GetSecret"), late, Some(1));
    let (value, marks) = (single("run"), Marks::of("test"));
    run.create(&name("key"), &value, &marks).await.unwrap();
    let counts = stand.server.log().counts();
    insta::assert_snapshot!(format!("{counts:?}"), @r#"{"GetSecret": 2, "SetSecret": 1}"#);
}

/// What comes within the second of a version could have come before it.
#[tokio::test]
async fn a_version_is_followed_only_after_a_look_that_began_when_its_second_was_over() {
    let stand = Stand::new();
    let run = stand.ready().await;
    let seen = Version::new(stand.service().put("key", "{\"a\":\"1\"}"));
    let late = Fault::Late(Duration::from_millis(2_500));
    stand
        .server
        .fault(When::operation("GetSecret"), late, Some(1));
    run.add_fields(&name("key"), &fields(&[("b", "2")]), &seen)
        .await
        .unwrap();
    let counts = stand.server.log().counts();
    insta::assert_snapshot!(format!("{counts:?}"), @r#"{"GetSecret": 2, "SetSecret": 1}"#);
}

#[tokio::test]
async fn what_something_in_between_says_of_the_time_is_not_believed() {
    let stand = Stand::new();
    let run = stand.ready().await;
    let page = seed_fakes::Answer::empty(502).with_header("date", "Fri, 01 Jan 2100 00:00:00 GMT");
    let page = Fault::Answer(page);
    stand
        .server
        .fault(When::operation("GetSecret"), page, Some(2));
    let (value, marks) = (single("run"), Marks::of("test"));
    let version = run.create(&name("key"), &value, &marks).await.unwrap();
    stand.service().advance(3);
    assert_eq!(
        settle(&run, "key", &version).await,
        "ours, contested: false"
    );
}

#[tokio::test]
async fn who_writes_at_the_same_moment_as_somebody_else_looks_again() {
    let stand = Stand::new();
    let run = stand.ready().await;
    let body = serde_json::json!({"error": {"code": "Conflict", "message": "x"}});
    let busy = Fault::Answer(seed_fakes::Answer::json(409, &body));
    stand
        .server
        .fault(When::operation("SetSecret"), busy, Some(1));
    let (value, marks) = (single("run"), Marks::of("test"));
    run.create(&name("key"), &value, &marks).await.unwrap();
    let counts = stand.server.log().counts();
    insta::assert_snapshot!(format!("{counts:?}"), @r#"{"GetSecret": 2, "SetSecret": 2}"#);
}

#[test]
fn a_pause_in_which_nobody_can_have_written_is_refused_but_on_this_machine() {
    let with = |vault: &str, seconds: u64| {
        let config = seed_azure_kv::Config {
            vault: Some(vault.to_owned()),
            pause: Some(Duration::from_secs(seconds)),
            ..seed_azure_kv::Config::default()
        };
        let adapter = seed_azure_kv::AzureKv::new(config, crate::support::policy());
        adapter.err().map(|err| err.to_string())
    };
    assert_eq!(
        with("https://shop.vault.azure.net", 3).as_deref(),
        Some(
            "its `pause` is no longer than the 3 s that other runs may take from their look to their write"
        )
    );
    assert_eq!(with("https://shop.vault.azure.net", 4), None);
    assert_eq!(with("https://localhost:8443", 1), None);
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

/// What is said of a name on which a run has written over what stood, and ended.
fn given_up(stand: &Stand) -> String {
    let newest = stand.service().versions("key").pop().unwrap();
    let of_day = (newest.created + 30 * 60).rem_euclid(86_400);
    format!(
        "a run wrote over the value that stood, and did not put it back before it ended; look at its versions, and set the value that is meant with `az keyvault secret set`; after {:02}:{:02}:{:02} UTC the newest one counts",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
}

/// Both runs were killed before the first value could be put back.
#[tokio::test]
async fn what_a_killed_run_wrote_over_another_value_is_not_taken_for_existing_until_it_counts() {
    let stand = Stand::new();
    drop(both_create(&stand).await);
    stand.service().advance(20);
    let run = stand.ready().await;
    let reason = given_up(&stand);
    let unknown = Presence::Unknown {
        reason: reason.clone(),
    };
    assert_eq!(look(&run, "key").await, unknown);
    let entry = wanted("key", &["a"], Depth::Fields);
    let inventory = run.inventory(&[entry]).await.unwrap();
    assert_eq!(inventory.get(&name("key")), Some(&unknown));
    stand.service().deny("GetSecrets", None);
    assert_eq!(look(&run, "key").await, unknown);
    let read = run.read(&name("key"), WantedShape::Single).await;
    let err = read.unwrap_err();
    assert_eq!((err.kind(), err.message()), (ErrorKind::Conflict, &*reason));
    stand.service().allow();
    stand.service().advance(30 * 60);
    let run = stand.ready().await;
    let presence = look(&run, "key").await;
    assert!(matches!(presence, Presence::Present { .. }), "{presence:?}");
    run.read(&name("key"), WantedShape::Single).await.unwrap();
    assert_eq!(stand.service().versions("key").len(), 2);
}

#[tokio::test]
async fn a_persons_value_that_a_killed_run_wrote_over_is_told_and_what_a_person_sets_then_counts() {
    let stand = Stand::new();
    let run = stand.ready().await;
    stand.service().put("key", "of a person");
    let missing = serde_json::json!({"error": {"code": "SecretNotFound", "message": "x"}});
    let missing = Fault::Answer(seed_fakes::Answer::json(404, &missing));
    stand
        .server
        .fault(When::operation("GetSecret"), missing, Some(1));
    let (value, marks) = (single("run"), Marks::of("test"));
    run.create(&name("key"), &value, &marks).await.unwrap();
    drop(run);
    stand.service().advance(20);
    let run = stand.ready().await;
    let reason = given_up(&stand);
    assert_eq!(look(&run, "key").await, Presence::Unknown { reason });
    stand.service().put("key", "of a person");
    let presence = look(&run, "key").await;
    assert!(matches!(presence, Presence::Present { .. }), "{presence:?}");
}

#[tokio::test]
async fn a_look_waits_for_the_run_that_puts_the_first_value_back() {
    let stand = Stand::new();
    let [_, (two, second)] = both_create(&stand).await;
    let three = stand.ready().await;
    let later = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        settle(&two, "key", &second).await
    };
    let (presence, settled) = tokio::join!(look(&three, "key"), later);
    assert!(matches!(presence, Presence::Present { .. }), "{presence:?}");
    assert_eq!(settled, "theirs");
    assert_eq!(stand.service().value("key").unwrap(), "first");
}
