//! What names are, and what is done about it.

use std::collections::BTreeMap;

use futures::future::join_all;
use seed_core::document::Document;
use seed_core::inventory::{Depth, Presence, Shape};
use seed_fakes::{Answer, AwsSm, Fault, Server, When};
use seed_provider::{ErrorKind, Marks, Provider as _, Replace as _, Restore as _, WantedShape};
use serde_json::json;

use crate::support::{adapter, config, look, name, policy, wanted};
use crate::{fields, single};

#[tokio::test]
async fn an_empty_secret_is_filled_by_exactly_one_writer() {
    let server = Server::start(AwsSm::new());
    fill_by_many(&server).await;
    let server = Server::start(AwsSm::new());
    server.service().answer_asked_stages_only();
    fill_by_many(&server).await;
}

#[expect(clippy::indexing_slicing, reason = "a test may give up")]
async fn fill_by_many(server: &Server<AwsSm>) {
    server.service().put_shell("app/shell");
    let adapters: Vec<_> = (0..6).map(|_| adapter(&server.url())).collect();
    let presence = look(&adapters[0], "app/shell").await;
    assert!(matches!(presence, Presence::Empty { .. }), "{presence:?}");
    let (taken, marks) = (name("app/shell"), Marks::of("shop"));
    let results = join_all(adapters.iter().enumerate().map(|(n, adapter)| {
        let (taken, marks) = (&taken, &marks);
        async move {
            let value = single(&n.to_string());
            (n, adapter.create(taken, &value, marks).await)
        }
    }))
    .await;
    let won: Vec<usize> = results
        .iter()
        .filter_map(|(n, result)| result.is_ok().then_some(*n))
        .collect();
    assert_eq!(won.len(), 1, "{results:?}");
    assert_eq!(
        server.service().value("app/shell"),
        Some(won[0].to_string())
    );
    for (_, result) in results.iter().filter(|(n, _)| *n != won[0]) {
        let kind = result.as_ref().unwrap_err().kind();
        assert_eq!(kind, ErrorKind::AlreadyExists);
    }
    let mut stages = server.service().stages("app/shell").concat();
    stages.sort();
    assert_eq!(stages, ["AWSCURRENT"], "a label of ours was left");
}

#[tokio::test]
async fn what_is_scheduled_for_deletion_holds_its_name_until_it_is_restored() {
    let server = Server::start(AwsSm::new());
    server.service().put("app/a", "old");
    server.service().delete("app/a", 7);
    let adapter = adapter(&server.url());
    let Presence::Deleted { until: Some(day) } = look(&adapter, "app/a").await else {
        panic!("not deleted");
    };
    assert!(day.len() == 10 && day.starts_with("20"), "{day}");
    let (taken, marks) = (name("app/a"), Marks::of("shop"));
    let held = adapter
        .create(&taken, &single("new"), &marks)
        .await
        .unwrap_err();
    assert_eq!(held.kind(), ErrorKind::Conflict);
    assert_eq!(
        held.message(),
        "the name is held by a secret that is scheduled for deletion"
    );
    adapter.restore(&taken).await.unwrap();
    assert!(matches!(
        look(&adapter, "app/a").await,
        Presence::Present { .. }
    ));
    assert_eq!(server.service().value("app/a").as_deref(), Some("old"));
}

#[tokio::test]
async fn a_list_that_lags_makes_nothing_absent_and_nothing_deleted() {
    let server = Server::start(AwsSm::new());
    server.service().put("app/deleted", "v");
    server.service().delete("app/deleted", 7);
    server.service().put_shell("app/shell");
    server.service().let_lists_lag();
    server.service().put("app/new", "v");
    server.service().put("app/shell", "v");
    let adapter = adapter(&server.url());
    adapter.restore(&name("app/deleted")).await.unwrap();
    for text in ["app/new", "app/deleted", "app/shell"] {
        let presence = look(&adapter, text).await;
        assert!(
            matches!(presence, Presence::Present { .. }),
            "{text}: {presence:?}"
        );
    }
    assert_eq!(look(&adapter, "app/none").await, Presence::Absent);
    let quick = [wanted("app/new", &[], Depth::Quick)];
    let seen = adapter.inventory(&quick).await.unwrap();
    assert_eq!(seen.get(&quick[0].name), Some(&Presence::Absent));
    assert_eq!(
        adapter.notes(),
        [
            "names that ListSecrets does not show count as absent without another look; it may lag by five minutes"
        ]
    );
}

#[tokio::test]
async fn a_secret_without_a_current_version_is_left_alone() {
    let server = Server::start(AwsSm::new());
    server.service().put("app/a", "v");
    server.service().take_current("app/a");
    let adapter = adapter(&server.url());
    let reason = "none of its versions has the label `AWSCURRENT`".to_owned();
    assert_eq!(look(&adapter, "app/a").await, Presence::Disabled { reason });
    let err = adapter
        .create(&name("app/a"), &single("w"), &Marks::of("shop"))
        .await
        .unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    assert_eq!(server.service().stages("app/a"), [["AWSPENDING"]]);
}

#[tokio::test]
async fn one_denied_name_is_hidden_and_the_others_are_seen() {
    let server = Server::start(AwsSm::new());
    server.service().deny("ListSecrets", None);
    server.service().deny("DescribeSecret", Some("app/secret"));
    server.service().deny("GetSecretValue", Some("app/fields"));
    server.service().put("app/a", "v");
    server.service().put("app/fields", r#"{"a":"1"}"#);
    let adapter = adapter(&server.url());
    let asked = [
        wanted("app/secret", &[], Depth::Metadata),
        wanted("app/a", &[], Depth::Metadata),
        wanted("app/none", &[], Depth::Metadata),
        wanted("app/fields", &["a"], Depth::Fields),
    ];
    let seen = adapter.inventory(&asked).await.unwrap();
    let presences: Vec<&Presence> = asked
        .iter()
        .map(|one| seen.get(&one.name).unwrap())
        .collect();
    assert!(
        matches!(presences[0], Presence::Hidden { reason } if reason.contains("DescribeSecret failed with `AccessDeniedException`"))
    );
    assert!(matches!(presences[1], Presence::Present { .. }));
    assert_eq!(presences[2], &Presence::Absent);
    assert!(
        matches!(presences[3], Presence::Hidden { reason } if reason.contains("GetSecretValue failed with `AccessDeniedException`"))
    );
    assert_eq!(
        adapter.notes(),
        ["ListSecrets is denied; each name is looked up by itself with DescribeSecret"]
    );
    assert_eq!(server.log().count("DescribeSecret"), 4);
}

#[tokio::test]
async fn a_denied_batch_is_read_one_by_one() {
    let server = Server::start(AwsSm::new());
    server.service().deny("BatchGetSecretValue", None);
    server.service().put("app/a", r#"{"a":"1"}"#);
    let adapter = adapter(&server.url());
    let asked = [wanted("app/a", &["a"], Depth::Fields)];
    let seen = adapter.inventory(&asked).await.unwrap();
    let shape = Shape::Fields(["a".to_owned()].into());
    assert!(
        matches!(seen.get(&asked[0].name), Some(Presence::Present { shape: found, .. }) if *found == shape)
    );
    assert_eq!(
        adapter.notes(),
        [
            "BatchGetSecretValue is denied; each entry with fields is read by itself with GetSecretValue"
        ]
    );
}

#[tokio::test]
async fn an_added_field_keeps_every_other_byte() {
    let server = Server::start(AwsSm::new());
    let text = "{ \"port\": 1.50,\n  \"on\":true , \"deep\" : {\"a\": [1, 2]} }\n";
    server.service().put("app/a", text);
    let adapter = adapter(&server.url());
    let stored = adapter
        .read(&name("app/a"), WantedShape::Fields)
        .await
        .unwrap();
    adapter
        .add_fields(&name("app/a"), &fields(&[("new", "a\"b")]), &stored.version)
        .await
        .unwrap();
    assert_eq!(
        server.service().value("app/a").unwrap(),
        "{ \"port\": 1.50,\n  \"on\":true , \"deep\" : {\"a\": [1, 2]} ,\"new\":\"a\\\"b\"}\n"
    );
    assert_eq!(
        server.service().stages("app/a"),
        [["AWSPREVIOUS"], ["AWSCURRENT"]]
    );
}

#[tokio::test]
async fn a_label_that_could_not_be_taken_away_is_only_noted() {
    let server = Server::start(AwsSm::new());
    server.service().put_shell("app/shell");
    server.service().deny("UpdateSecretVersionStage", None);
    let adapter = adapter(&server.url());
    adapter
        .create(&name("app/shell"), &single("v"), &Marks::of("shop"))
        .await
        .unwrap();
    let notes = adapter.notes().join("\n");
    assert!(notes.starts_with("the label `SEED-"), "{notes}");
    assert!(
        notes.contains(" of `app/shell`: UpdateSecretVersionStage failed"),
        "{notes}"
    );
}

#[tokio::test]
async fn a_finished_write_does_not_wait_long_to_be_tidy() {
    let server = Server::start(AwsSm::new());
    server.service().put_shell("app/shell");
    let throttled = Answer::json(400, &json!({"__type": "ThrottlingException"}));
    let update = When::operation("UpdateSecretVersionStage");
    server.fault(update, Fault::Answer(throttled), None);
    let mut policy = policy();
    policy.patience = std::time::Duration::from_mins(9);
    let adapter = seed_aws_sm::AwsSm::new(config(&server.url()), policy).unwrap();
    adapter
        .create(&name("app/shell"), &single("v"), &Marks::of("shop"))
        .await
        .unwrap();
    assert_eq!(server.log().count("UpdateSecretVersionStage"), 3);
    let notes = adapter.notes().join("\n");
    assert!(notes.contains("may be left on version"), "{notes}");
}

#[tokio::test]
async fn a_label_of_a_run_that_was_cut_off_is_said_and_goes_with_the_next_change() {
    let server = Server::start(AwsSm::new());
    server.service().put("app/a", "one");
    server.service().put("app/a", "two");
    server
        .service()
        .label("app/a", 0, "SEED-00000000000000aa-7");
    let change = || async {
        let adapter = adapter(&server.url());
        look(&adapter, "app/a").await;
        let noted = adapter.notes();
        let read = adapter.read(&name("app/a"), WantedShape::Single).await;
        let version = read.unwrap().version;
        adapter
            .replace(&name("app/a"), &single("v"), &version)
            .await
            .unwrap();
        (noted, adapter.notes())
    };
    // It may be of a run that is under way.
    let (before, after) = change().await;
    assert_eq!(before, after);
    let note = before.join("\n");
    assert!(
        note.starts_with(
            "`app/a` has the label `SEED-00000000000000aa-7` of another run, which was cut off if"
        ) && note.contains("--version-stage SEED-00000000000000aa-7 --remove-from-version-id "),
        "{note}"
    );
    assert!(server.service().stages("app/a")[0].contains(&"SEED-00000000000000aa-7".to_owned()));

    server.service().age("app/a", 7_200);
    let (before, after) = change().await;
    assert_eq!((before.len(), after.len()), (1, 0));
    assert!(server.service().stages("app/a")[0].is_empty());
}

#[tokio::test]
async fn a_batch_or_a_list_that_fails_is_made_up_for_name_by_name() {
    let server = Server::start(AwsSm::new());
    server.service().put("app/a", r#"{"a":"1"}"#);
    server.service().put("app/b", r#"{"b":"1"}"#);
    let failed = |code| Fault::Answer(Answer::json(400, &json!({"__type": code})));
    let operation = When::operation;
    server.fault(
        operation("BatchGetSecretValue"),
        failed("DecryptionFailure"),
        None,
    );
    server.fault(
        When::about("GetSecretValue", "app/b"),
        failed("DecryptionFailure"),
        None,
    );
    server.fault(
        operation("ListSecrets"),
        failed("InvalidNextTokenException"),
        None,
    );
    let adapter = adapter(&server.url());
    let asked = ["app/a", "app/b"].map(|text| wanted(text, &["a"], Depth::Fields));
    let seen = adapter.inventory(&asked).await.unwrap();
    let shape = Shape::Fields(["a".to_owned()].into());
    assert!(
        matches!(seen.get(&asked[0].name), Some(Presence::Present { shape: found, .. }) if *found == shape)
    );
    assert!(
        matches!(seen.get(&asked[1].name), Some(Presence::Unknown { reason }) if reason.starts_with("GetSecretValue failed with `DecryptionFailure`"))
    );
    assert_eq!(
        adapter.notes(),
        [
            "ListSecrets failed with `InvalidNextTokenException`: the list changed while its pages were asked for; each name was looked up by itself with DescribeSecret"
        ]
    );
}

#[tokio::test]
async fn pages_that_go_round_come_to_an_end() {
    let server = Server::start(AwsSm::new());
    server.service().put("app/a", r#"{"a":"1"}"#);
    let adapter = adapter(&server.url());
    let page = |token| json!({"SecretList": [], "SecretValues": [], "NextToken": token});
    let asked = [wanted("app/a", &["a"], Depth::Fields)];
    for _ in 0..9 {
        for token in ["one", "two"] {
            let page = Fault::Answer(Answer::json(200, &page(token)));
            server.fault(When::operation("BatchGetSecretValue"), page, Some(1));
        }
    }
    let seen = adapter.inventory(&asked).await.unwrap();
    assert!(matches!(
        seen.get(&asked[0].name),
        Some(Presence::Present { .. })
    ));
    assert_eq!(server.log().count("BatchGetSecretValue"), 3);
    for _ in 0..9 {
        for token in ["one", "two"] {
            let page = Fault::Answer(Answer::json(200, &page(token)));
            server.fault(When::operation("ListSecrets"), page, Some(1));
        }
    }
    let err = adapter.inventory(&asked).await.unwrap_err();
    assert_eq!(
        err.message(),
        "ListSecrets gives the same pages again and again"
    );
}

#[tokio::test]
async fn a_refusal_without_a_change_is_no_reason_to_try_again() {
    let server = Server::start(AwsSm::new());
    server.service().put("app/a", "old");
    let refused = Answer::json(400, &json!({"__type": "InvalidParameterException"}));
    let update = When::about("UpdateSecretVersionStage", "AWSCURRENT");
    server.fault(update, Fault::Answer(refused), None);
    let adapter = adapter(&server.url());
    let read = adapter.read(&name("app/a"), WantedShape::Single).await;
    let version = read.unwrap().version;
    let replaced = adapter
        .replace(&name("app/a"), &single("v"), &version)
        .await;
    let err = replaced.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unexpected);
    assert!(
        err.message().ends_with(", although nothing has changed"),
        "{err}"
    );
    assert_eq!(
        server.service().stages("app/a"),
        [vec!["AWSCURRENT"], vec![]]
    );
}

#[tokio::test]
async fn a_new_secret_has_the_tags_and_the_key_of_the_contract() {
    let server = Server::start(AwsSm::new());
    let mut config = config(&server.url());
    config.kms_key = Some("alias/lab".to_owned());
    let adapter = seed_aws_sm::AwsSm::new(config, policy()).unwrap();
    let mut marks = Marks::of("shop");
    marks.labels = BTreeMap::from([("team".to_owned(), "ml".to_owned())]);
    adapter
        .create(&name("app/a"), &single("v"), &marks)
        .await
        .unwrap();
    let (tags, key) = server.service().tags("app/a");
    let tags: Vec<String> = tags.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(tags, ["managed-by=seed", "seed-contract=shop", "team=ml"]);
    assert_eq!(key.as_deref(), Some("alias/lab"));
}

#[tokio::test]
async fn somebody_else_who_changes_it_meanwhile_is_a_conflict_and_leaves_no_label() {
    let server = Server::start(AwsSm::new());
    server.service().put("app/a", r#"{"a":"1"}"#);
    let adapter = adapter(&server.url());
    let first = adapter
        .read(&name("app/a"), WantedShape::Fields)
        .await
        .unwrap()
        .version;
    // Their version comes between our put and our move.
    let late = Fault::Late(std::time::Duration::from_millis(300));
    server.fault(When::operation("PutSecretValue"), late, Some(1));
    let (taken, new) = (name("app/a"), fields(&[("b", "2")]));
    let add = adapter.add_fields(&taken, &new, &first);
    let meddle = async {
        while server.log().count("PutSecretValue") == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        server.service().put("app/a", r#"{"theirs":"1"}"#);
    };
    let (added, ()) = tokio::join!(add, meddle);
    assert_eq!(added.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(
        server.service().value("app/a").as_deref(),
        Some(r#"{"theirs":"1"}"#)
    );
    let stages = server.service().stages("app/a");
    assert_eq!(stages, [vec!["AWSPREVIOUS"], vec![], vec!["AWSCURRENT"]]);
    let read = adapter.read(&taken, WantedShape::Single).await.unwrap();
    assert!(matches!(read.document, Document::Single(_)));
}
