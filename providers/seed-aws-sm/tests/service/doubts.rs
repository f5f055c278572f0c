//! Answers that never came.

use std::time::Duration;

use seed_fakes::{Answer, AwsSm, Fault, Server, When};
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
