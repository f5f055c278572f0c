//! Answers that never came.

use std::time::Duration;

use seed_fakes::{Answer, Authority, AwsSm, Fault, Server, When};
use seed_provider::{ErrorKind, Marks, Provider as _, Replace as _, Restore as _, WantedShape};

use crate::single;
use crate::support::{adapter, config, name, policy};

fn lost() -> [Fault; 5] {
    [
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::CutInside,
        Fault::Malformed,
        Fault::Late(Duration::from_secs(2)),
    ]
}

fn impatient(server: &Server<AwsSm>) -> seed_aws_sm::AwsSm {
    let mut policy = policy();
    policy.deadline = Duration::from_secs(1);
    seed_aws_sm::AwsSm::new(config(&server.url()), policy).unwrap()
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_known_as_ours() {
    for fault in lost() {
        let server = Server::start(AwsSm::new());
        server.fault(When::operation("CreateSecret"), fault.clone(), Some(1));
        let adapter = impatient(&server);
        let version = adapter
            .create(&name("app/a"), &single("v"), &Marks::of("shop"))
            .await
            .unwrap();
        let read = adapter
            .read(&name("app/a"), WantedShape::Single)
            .await
            .unwrap();
        assert_eq!(read.version, version, "{fault:?}");
        assert_eq!(
            server.service().stages("app/a"),
            [["AWSCURRENT"]],
            "{fault:?}"
        );
        assert_eq!(server.log().count("CreateSecret"), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn a_refusal_of_what_is_sent_again_leaves_what_was_sent_first_in_doubt() {
    let server = Server::start(AwsSm::new());
    let create = || When::operation("CreateSecret");
    server.fault(create(), Fault::CutAfter, Some(1));
    let body = serde_json::json!({"__type": "AccessDeniedException"});
    let denied = Answer::json(400, &body);
    server.fault(create(), Fault::Answer(denied), Some(1));
    let created = impatient(&server)
        .create(&name("app/a"), &single("v"), &Marks::of("shop"))
        .await;
    assert_eq!(created.unwrap_err().kind(), ErrorKind::Indeterminate);
    assert_eq!(server.service().stages("app/a"), [["AWSCURRENT"]]);
}

#[tokio::test]
async fn a_create_of_somebody_else_is_never_taken_for_ours() {
    // A refusal that came whole and cannot be read is no lost answer.
    let faults = lost().into_iter();
    for fault in faults.filter(|fault| !matches!(fault, Fault::Malformed)) {
        let server = Server::start(AwsSm::new());
        server.service().put("app/a", "v");
        server.fault(When::operation("CreateSecret"), fault, Some(1));
        let adapter = impatient(&server);
        let err = adapter
            .create(&name("app/a"), &single("v"), &Marks::of("shop"))
            .await
            .unwrap_err();
        assert_eq!(err.kind(), ErrorKind::AlreadyExists);
    }
}

#[tokio::test]
async fn each_lost_answer_of_a_replacement_is_settled() {
    for call in ["PutSecretValue", "UpdateSecretVersionStage"] {
        for fault in lost() {
            let server = Server::start(AwsSm::new());
            server.service().put("app/a", "old");
            server.fault(When::operation(call), fault.clone(), Some(1));
            let adapter = impatient(&server);
            let read = adapter
                .read(&name("app/a"), WantedShape::Single)
                .await
                .unwrap();
            let replaced = adapter
                .replace(&name("app/a"), &single("new"), &read.version)
                .await;
            let never_sent = call != "PutSecretValue" && matches!(fault, Fault::CutBefore);
            let (value, stages) = if never_sent {
                // Looking shows that it has not moved; whether it still will is not known.
                assert_eq!(replaced.unwrap_err().kind(), ErrorKind::Indeterminate);
                ("old", [vec!["AWSCURRENT"], vec![]])
            } else {
                replaced.unwrap();
                ("new", [vec!["AWSPREVIOUS"], vec!["AWSCURRENT"]])
            };
            assert_eq!(
                server.service().value("app/a").as_deref(),
                Some(value),
                "{call} {fault:?}"
            );
            assert_eq!(server.service().stages("app/a"), stages, "{call} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_restore_whose_answer_was_lost_is_settled() {
    for fault in lost() {
        let server = Server::start(AwsSm::new());
        server.service().put("app/a", "v");
        server.service().delete("app/a", 7);
        server.fault(When::operation("RestoreSecret"), fault, Some(1));
        impatient(&server).restore(&name("app/a")).await.unwrap();
        assert_eq!(server.service().value("app/a").as_deref(), Some("v"));
    }
}

#[tokio::test]
async fn a_write_that_is_never_answered_stays_in_doubt() {
    let server = Server::start(AwsSm::new());
    server.fault(When::operation("CreateSecret"), Fault::CutBefore, None);
    let adapter = adapter(&server.url());
    let err = adapter
        .create(&name("app/a"), &single("v"), &Marks::of("shop"))
        .await
        .unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Indeterminate);
    assert_eq!(
        err.to_string(),
        "create `app/a`: the connection broke before CreateSecret was answered"
    );
    assert_eq!(server.log().count("CreateSecret"), 3);
}

#[tokio::test]
async fn a_read_is_sent_again_until_it_is_answered() {
    for fault in lost() {
        let server = Server::start(AwsSm::new());
        server.service().put("app/a", "v");
        let malformed = matches!(fault, Fault::Malformed);
        server.fault(When::operation("GetSecretValue"), fault, Some(1));
        let read = impatient(&server)
            .read(&name("app/a"), WantedShape::Single)
            .await;
        if malformed {
            // It came whole, so it would come so again.
            assert_eq!(read.unwrap_err().kind(), ErrorKind::Unexpected);
        } else {
            read.unwrap();
        }
    }
}

/// A create that was done, whose answer was lost, and whose repetition is not known as one.
fn done_and_refused() -> Server<AwsSm> {
    let server = Server::start(AwsSm::new());
    server.service().forget_tokens();
    server.fault(When::operation("CreateSecret"), Fault::CutAfter, Some(1));
    server
}

#[tokio::test]
async fn a_name_that_was_perhaps_taken_by_us_is_looked_at_or_stays_in_doubt() {
    let (taken, marks) = (name("app/a"), Marks::of("shop"));
    let server = done_and_refused();
    let adapter = impatient(&server);
    let version = adapter.create(&taken, &single("v"), &marks).await.unwrap();
    let read = adapter.read(&taken, WantedShape::Single).await.unwrap();
    assert_eq!(read.version, version);

    let server = done_and_refused();
    server.service().deny("DescribeSecret", None);
    let created = impatient(&server)
        .create(&taken, &single("v"), &marks)
        .await;
    let err = created.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Indeterminate);
    assert!(
        err.message().starts_with(
            "the connection broke before CreateSecret was answered; it cannot be looked at: DescribeSecret failed with"
        ),
        "{err}"
    );

    // As where what was created is not shown yet.
    let server = done_and_refused();
    server.service().let_looks_lag(9);
    let created = impatient(&server)
        .create(&taken, &single("v"), &marks)
        .await;
    assert_eq!(created.unwrap_err().kind(), ErrorKind::Indeterminate);
    assert_eq!(server.service().stages("app/a"), [["AWSCURRENT"]]);
}

#[tokio::test]
async fn a_name_that_is_taken_and_may_not_be_looked_at_is_taken_and_said() {
    let server = Server::start(AwsSm::new());
    server.service().put_shell("app/a");
    server.service().deny("DescribeSecret", None);
    let adapter = impatient(&server);
    let (taken, marks) = (name("app/a"), Marks::of("shop"));
    let err = adapter
        .create(&taken, &single("v"), &marks)
        .await
        .unwrap_err();
    assert_eq!(err.kind(), ErrorKind::AlreadyExists);
    let notes = adapter.notes().join("\n");
    assert!(
        notes.starts_with(
            "`app/a` exists; whether it has a value could not be seen: DescribeSecret failed with `AccessDeniedException`"
        ),
        "{notes}"
    );

    let server = Server::start(AwsSm::new());
    server.service().put_shell("app/a");
    server.fault(When::operation("DescribeSecret"), Fault::CutBefore, None);
    let created = impatient(&server)
        .create(&taken, &single("v"), &marks)
        .await;
    assert_eq!(created.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_name_that_is_taken_and_of_which_nothing_is_shown_is_not_taken_for_a_lost_race() {
    let (taken, marks) = (name("app/a"), Marks::of("shop"));
    for (lag, kind) in [(3, ErrorKind::AlreadyExists), (99, ErrorKind::Conflict)] {
        let server = Server::start(AwsSm::new());
        server.service().let_looks_lag(lag);
        let adapter = impatient(&server);
        adapter.create(&taken, &single("v"), &marks).await.unwrap();
        let err = adapter.create(&taken, &single("w"), &marks).await;
        let err = err.unwrap_err();
        assert_eq!(err.kind(), kind, "{err}");
        if kind == ErrorKind::Conflict {
            assert_eq!(
                err.message(),
                "CreateSecret failed with `ResourceExistsException`: a secret of that name exists, and nothing is shown of it: it was deleted meanwhile, or is not shown yet; run the command again"
            );
        }
    }
}

#[tokio::test]
async fn an_empty_secret_that_we_filled_is_ours_however_little_is_told_of_it() {
    let server = Server::start(AwsSm::new());
    server.service().put_shell("app/a");
    server.service().answer_asked_stages_only();
    server.service().let_looks_lag(2);
    let (taken, marks) = (name("app/a"), Marks::of("shop"));
    let adapter = impatient(&server);
    let version = adapter.create(&taken, &single("v"), &marks).await.unwrap();
    let read = adapter.read(&taken, WantedShape::Single).await.unwrap();
    assert_eq!(read.version, version);
    assert_eq!(server.service().stages("app/a"), [["AWSCURRENT"]]);

    let server = Server::start(AwsSm::new());
    server.service().put_shell("app/a");
    server.service().answer_asked_stages_only();
    server.service().let_looks_lag(99);
    let created = impatient(&server)
        .create(&taken, &single("v"), &marks)
        .await;
    assert_eq!(created.unwrap_err().kind(), ErrorKind::Indeterminate);
}

#[tokio::test]
async fn a_record_that_breaks_after_the_handshake_tells_nothing_of_what_was_done() {
    let authority = Authority::new();
    let server = Server::start_tls(AwsSm::new(), &authority);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let mut config = config(&server.url());
    config.surroundings.authorities = Some(("AWS_CA_BUNDLE".to_owned(), file));
    let adapter = seed_aws_sm::AwsSm::new(config, policy()).unwrap();
    adapter.identify().await.unwrap();
    server.fault(When::Always, Fault::GarbleAfter, None);
    let created = adapter
        .create(&name("app/a"), &single("v"), &Marks::of("shop"))
        .await;
    let err = created.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Indeterminate, "{err}");
    assert!(
        err.message()
            .starts_with("TLS broke before CreateSecret was answered"),
        "{err}"
    );
    assert_eq!(server.service().names(), ["app/a"]);
    let read = adapter.read(&name("app/a"), WantedShape::Single).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_version_whose_answer_never_came_keeps_no_label() {
    let server = Server::start(AwsSm::new());
    server.service().put("app/a", "old");
    server.fault(When::operation("PutSecretValue"), Fault::CutAfter, None);
    let adapter = impatient(&server);
    let read = adapter
        .read(&name("app/a"), WantedShape::Single)
        .await
        .unwrap();
    let replaced = adapter
        .replace(&name("app/a"), &single("new"), &read.version)
        .await;
    assert_eq!(replaced.unwrap_err().kind(), ErrorKind::Indeterminate);
    let stages = server.service().stages("app/a");
    assert_eq!(stages, [vec!["AWSCURRENT"], vec![]]);
    assert_eq!(adapter.notes(), [""; 0]);
}

#[tokio::test]
async fn what_happens_after_something_was_restored_does_not_undo_it() {
    let world = || {
        let server = Server::start(AwsSm::new());
        server.service().put("app/a", "v");
        server.service().delete("app/a", 7);
        server
    };
    let restore = || When::operation("RestoreSecret");
    let server = world();
    server.fault(restore(), Fault::CutAfter, None);
    impatient(&server).restore(&name("app/a")).await.unwrap();

    let server = world();
    server.fault(restore(), Fault::CutAfter, Some(1));
    let body = serde_json::json!({"__type": "InvalidRequestException"});
    let refused = Fault::Answer(Answer::json(400, &body));
    server.fault(restore(), refused, None);
    impatient(&server).restore(&name("app/a")).await.unwrap();

    let server = world();
    let adapter = impatient(&server);
    adapter.identify().await.unwrap();
    server.clear_log();
    for look in 2..9 {
        let body = serde_json::json!({"__type": "AccessDeniedException"});
        let denied = Fault::Answer(Answer::json(400, &body));
        server.fault(When::Request(look), denied, None);
    }
    let err = adapter.restore(&name("app/a")).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Indeterminate);
    assert!(
        err.message()
            .contains("it cannot be looked at: DescribeSecret failed with `AccessDeniedException`"),
        "{err}"
    );
    assert_eq!(server.service().value("app/a").as_deref(), Some("v"));
}
