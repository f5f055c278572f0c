//! Claims on secrets that others made, that others hold, and that nobody heeds.

use std::time::Duration;

use seed_core::inventory::Version;
use seed_fakes::{Fault, GcpSm, Server, When};
use seed_provider::{ErrorKind, Marks, Provider as _, Replace as _};

use crate::fields;
use crate::support::{adapter, name, single};

const CLAIM: &str = "seed-claim";
const SLOW: Duration = Duration::from_millis(300);

/// The service's own time, as a claim has it.
fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap().as_secs()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..20_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it never happened that {what}");
}

#[tokio::test]
async fn a_secret_of_infrastructure_code_is_filled_and_keeps_what_was_in_it() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    service.put_shell("shell");
    service.annotate("shell", "team", Some("lab"));
    let adapter = adapter(&server.url());
    let marks = Marks::of("shop");
    let made = adapter.create(&name("shell"), &single("v"), &marks).await;
    assert_eq!(made.unwrap().as_str(), "1");
    let annotations: Vec<_> = service.annotations("shell").into_iter().collect();
    assert_eq!(annotations, [("team".to_owned(), "lab".to_owned())]);
    // What it made itself keeps its claim, which is over: that saves a write.
    let fresh = name("fresh");
    adapter.create(&fresh, &single("v"), &marks).await.unwrap();
    assert!(service.annotations("fresh").contains_key(CLAIM));
    assert_eq!(server.log().count("UpdateSecret"), 2);
}

#[tokio::test]
async fn somebody_elses_claim_is_waited_for_until_it_is_dead() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    service.put_shell("shell");
    let theirs = format!("theirs.{}.0", now());
    service.annotate("shell", CLAIM, Some(&theirs));
    let adapter = adapter(&server.url());
    let (shell, marks, value) = (name("shell"), Marks::of("shop"), single("v"));
    let filled = adapter.create(&shell, &value, &marks);
    let passes = async {
        until("it looks again", || {
            server.log().count("ListSecretVersions") > 2
        })
        .await;
        assert_eq!(service.versions("shell"), 0);
        assert_eq!(server.log().count("UpdateSecret"), 0);
        service.advance(Duration::from_mins(3));
    };
    let (made, ()) = tokio::join!(filled, passes);
    assert_eq!(made.unwrap().as_str(), "1");
    assert_eq!(service.versions("shell"), 1);
}

#[tokio::test]
async fn whoever_holds_the_claim_may_finish() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    service.put_shell("shell");
    let theirs = format!("theirs.{}.0", now());
    service.annotate("shell", CLAIM, Some(&theirs));
    let adapter = adapter(&server.url());
    let (shell, marks, value) = (name("shell"), Marks::of("shop"), single("v"));
    let filled = adapter.create(&shell, &value, &marks);
    let finishes = async {
        until("it looks again", || {
            server.log().count("ListSecretVersions") > 1
        })
        .await;
        service.put("shell", "theirs");
    };
    let (made, ()) = tokio::join!(filled, finishes);
    assert_eq!(made.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(service.value("shell").as_deref(), Some("theirs"));
    assert_eq!(service.annotations("shell").get(CLAIM), Some(&theirs));
}

/// Who writes by other means knows no claims.
#[tokio::test]
async fn a_version_that_somebody_adds_meanwhile_is_named_with_ours() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    let adapter = adapter(&server.url());
    server.fault(When::operation("CreateSecret"), Fault::Late(SLOW), Some(1));
    let (new, marks, value) = (name("new"), Marks::of("shop"), single("v"));
    let created = adapter.create(&new, &value, &marks);
    let meanwhile = async {
        until("it is there", || !service.names().is_empty()).await;
        service.put("new", "theirs");
    };
    let (made, ()) = tokio::join!(created, meanwhile);
    let err = made.unwrap_err();
    assert!(err.is_contested());
    insta::assert_snapshot!(err, @"
    create `new`: another writer added a version too: version 1 is theirs, ours is version 2, and readers get the newest; find out which one is meant, and make sure that its value is the newest
    ");
}

#[tokio::test]
async fn a_field_is_added_to_the_version_that_was_read_or_not_at_all() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    service.put("there", r#"{"a":"1"}"#);
    let adapter = adapter(&server.url());
    let (there, one, more) = (name("there"), Version::new("1"), fields(&[("b", "2")]));
    server.fault(When::operation("UpdateSecret"), Fault::Late(SLOW), Some(1));
    let added = adapter.add_fields(&there, &more, &one);
    let meanwhile = async {
        until("it is claimed", || {
            service.annotations("there").contains_key(CLAIM)
        })
        .await;
        service.put("there", r#"{"a":"theirs"}"#);
    };
    let (made, ()) = tokio::join!(added, meanwhile);
    assert_eq!(made.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(service.versions("there"), 2);
    assert!(!service.annotations("there").contains_key(CLAIM));
    let made = adapter.add_fields(&there, &more, &Version::new("2")).await;
    assert_eq!(made.unwrap().as_str(), "3");
    assert_eq!(
        service.value("there").as_deref(),
        Some(r#"{"a":"theirs","b":"2"}"#)
    );
}

#[tokio::test]
async fn a_replacement_that_comes_after_somebody_elses_says_so() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    service.put("there", "v");
    let adapter = adapter(&server.url());
    let (there, one, value) = (name("there"), Version::new("1"), single("new"));
    // The last look before the write is answered late.
    let looks = When::operation("AccessSecretVersion");
    server.fault(looks, Fault::Late(SLOW), Some(1));
    let replaced = adapter.replace(&there, &value, &one);
    let meanwhile = async {
        until("it looked", || {
            server.log().count("AccessSecretVersion") == 1
        })
        .await;
        tokio::time::sleep(SLOW / 10).await;
        service.put("there", "theirs");
    };
    let (made, ()) = tokio::join!(replaced, meanwhile);
    let err = made.unwrap_err();
    assert!(err.is_contested());
    insta::assert_snapshot!(err, @"
    replace `there`: another writer added a version too: version 2 is theirs, ours is version 3, and readers get the newest; find out which one is meant, and make sure that its value is the newest
    ");
    assert!(!service.annotations("there").contains_key(CLAIM));
}

#[tokio::test]
async fn a_claim_that_cannot_be_taken_away_is_told_of() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    service.put("there", "v");
    let adapter = adapter(&server.url());
    server.fault(
        When::operation("UpdateSecret"),
        Fault::Late(Duration::ZERO),
        Some(1),
    );
    let denied =
        serde_json::json!({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "x"}});
    let denied = seed_fakes::Answer::json(403, &denied);
    server.fault(When::operation("UpdateSecret"), Fault::Answer(denied), None);
    let made = adapter
        .replace(&name("there"), &single("new"), &Version::new("1"))
        .await;
    assert_eq!(made.unwrap().as_str(), "2");
    insta::assert_snapshot!(adapter.notes().join("\n"), @"
    the annotation `seed-claim` was left on `there`; it does no harm, and counts for two minutes
    ");
}

/// Somebody else changes the secret each time between our look at it and our claim.
#[tokio::test]
async fn a_claim_that_is_refused_again_and_again_is_given_up() {
    let server = Server::start(GcpSm::new());
    server.service().put("there", r#"{"a":"1"}"#);
    let refused = serde_json::json!({"error": {
        "code": 400, "status": "FAILED_PRECONDITION", "message": "x"
    }});
    let refused = seed_fakes::Answer::json(400, &refused);
    server.fault(
        When::operation("UpdateSecret"),
        Fault::Answer(refused),
        None,
    );
    let adapter = adapter(&server.url());
    let (there, one, more) = (name("there"), Version::new("1"), fields(&[("b", "2")]));
    let err = adapter.add_fields(&there, &more, &one).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    insta::assert_snapshot!(err, @"
    add fields to `there`: UpdateSecret failed with `FAILED_PRECONDITION`: it was changed meanwhile, again and again; run the command again later
    ");
    assert_eq!(server.log().count("UpdateSecret"), 8);
}

/// A claim that is over or dead keeps nobody from writing, whatever is left of it.
#[tokio::test]
async fn what_is_left_of_a_claim_does_no_harm() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    service.put("there", "v");
    let adapter = adapter(&server.url());
    for (n, left) in [
        format!("theirs.{}.0", now()),
        "theirs.1.1".to_owned(),
        "by hand".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        service.annotate("there", CLAIM, Some(left));
        let seen = Version::new((n + 1).to_string());
        let made = adapter.replace(&name("there"), &single("new"), &seen).await;
        assert_eq!(made.unwrap().as_str(), (n + 2).to_string());
    }
}
