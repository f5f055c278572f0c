//! Lists that lag behind, versions whose answers are lost, and writers that know no claims, all at once.

mod support;

use seed_core::document::{Document, FieldValue, Fields};
use seed_core::inventory::Version;
use seed_fakes::{Fault, GcpSm, Server, When};
use seed_provider::{ErrorKind, Marks, Provider as _, Replace as _, WantedShape};

use crate::support::{adapter, name, single};

const CLAIM: &str = "seed-claim";

fn adds() -> When {
    When::operation("AddSecretVersion")
}

fn text(document: &Document) -> Option<String> {
    match document {
        Document::Single(value) => value.expose_text().map(str::to_owned),
        Document::Fields(_) => None,
    }
}

#[tokio::test]
async fn a_version_that_the_list_does_not_show_yet_is_seen_by_its_number() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    service.put_shell("shell");
    service.lag();
    service.put("shell", "theirs");
    let adapter = adapter(&server.url());
    let made = adapter
        .create(&name("shell"), &single("ours"), &Marks::of("shop"))
        .await;
    assert_eq!(made.unwrap_err().kind(), ErrorKind::AlreadyExists);
    service.catch_up();
    assert_eq!(service.versions("shell"), 1);
    assert_eq!(service.value("shell").as_deref(), Some("theirs"));
    assert!(service.annotations("shell").is_empty());
}

#[tokio::test]
async fn nothing_is_made_from_a_version_that_is_no_longer_the_newest() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    service.put("there", r#"{"a":"1"}"#);
    service.lag();
    service.put("there", r#"{"a":"theirs"}"#);
    let adapter = adapter(&server.url());
    let mut more = Fields::new();
    assert!(more.insert("b", FieldValue::Text("2".to_owned().into())));
    let (there, one) = (name("there"), Version::new("1"));
    let added = adapter.add_fields(&there, &more, &one).await;
    assert_eq!(added.unwrap_err().kind(), ErrorKind::Conflict);
    let replaced = adapter.replace(&there, &single("ours"), &one).await;
    assert_eq!(replaced.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(service.versions("there"), 2);
    assert!(service.annotations("there").is_empty());
}

#[tokio::test]
async fn who_may_read_no_version_is_told_what_cannot_be_seen() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    service.put_shell("shell");
    service.deny("AccessSecretVersion", None);
    let adapter = adapter(&server.url());
    let made = adapter
        .create(&name("shell"), &single("ours"), &Marks::of("shop"))
        .await;
    assert_eq!(made.unwrap().as_str(), "1");
    insta::assert_snapshot!(adapter.notes().join("\n"), @"AccessSecretVersion is denied: a version that somebody else has added a moment ago may not be seen before ours is added");
}

#[tokio::test]
async fn a_version_whose_answer_was_lost_is_found_by_its_number() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    service.put_shell("shell");
    service.put("there", "v");
    service.lag();
    let adapter = adapter(&server.url());
    server.fault(adds(), Fault::CutAfter, None);
    let marks = Marks::of("shop");
    for new in ["shell", "new"] {
        let made = adapter.create(&name(new), &single("ours"), &marks).await;
        assert_eq!(made.unwrap().as_str(), "1");
    }
    let replaced = adapter
        .replace(&name("there"), &single("ours"), &Version::new("1"))
        .await;
    assert_eq!(replaced.unwrap().as_str(), "2");
    assert_eq!(server.log().count("AddSecretVersion"), 3);
    for there in ["shell", "there"] {
        assert!(service.annotations(there).is_empty());
    }
}

/// The number is what tells, also where no answer came.
#[tokio::test]
async fn somebody_elses_version_before_ours_is_told_of_although_the_answer_was_lost() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    service.put_shell("shell");
    service.put("there", "v");
    let adapter = adapter(&server.url());
    server.fault(adds(), Fault::CutAfter, None);
    let marks = Marks::of("shop");
    let mut told = Vec::new();
    for new in ["new", "shell"] {
        service.put_before_next_version(new, "theirs");
        let made = adapter.create(&name(new), &single("ours"), &marks).await;
        let err = made.unwrap_err();
        assert!(err.is_contested());
        told.push(err.to_string());
    }
    service.put_before_next_version("there", "theirs");
    let replaced = adapter
        .replace(&name("there"), &single("ours"), &Version::new("1"))
        .await;
    let err = replaced.unwrap_err();
    assert!(err.is_contested());
    told.push(err.to_string());
    insta::assert_snapshot!(told.join("\n"), @"
    create `new`: another writer added a version too: version 1 is theirs, ours is version 2, and readers get the newest; find out which one is meant, and make sure that its value is the newest
    create `shell`: another writer added a version too: version 1 is theirs, ours is version 2, and readers get the newest; find out which one is meant, and make sure that its value is the newest
    replace `there`: another writer added a version too: version 2 is theirs, ours is version 3, and readers get the newest; find out which one is meant, and make sure that its value is the newest
    ");
    for there in ["shell", "there"] {
        assert!(service.annotations(there).is_empty());
    }
}

#[tokio::test]
async fn what_may_still_arrive_is_not_sent_again() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    let adapter = adapter(&server.url());
    server.fault(adds(), Fault::CutBefore, Some(1));
    let (new, marks, ours) = (name("new"), Marks::of("shop"), single("ours"));
    let lost = adapter.create(&new, &ours, &marks).await.unwrap_err();
    insta::assert_snapshot!(lost, @"create `new`: the connection broke before AddSecretVersion was answered; it may still arrive, and is not sent again; until it does, it has no version of ours; run the command again in two minutes");
    let read = adapter.read(&new, WantedShape::Single).await;
    assert_eq!(read.unwrap_err().kind(), ErrorKind::NotFound);
    let again = adapter.create(&new, &ours, &marks).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::Indeterminate);
    assert_eq!(server.log().count("AddSecretVersion"), 1);
    // It arrives; what reads show is the number that it was to have.
    service.lag();
    service.put("new", "ours");
    let read = adapter.read(&new, WantedShape::Single).await.unwrap();
    assert_eq!(read.version.as_str(), "1");
    assert_eq!(text(&read.document).as_deref(), Some("ours"));
    service.catch_up();
    let read = adapter.read(&new, WantedShape::Single).await.unwrap();
    assert_eq!(read.version.as_str(), "1");
}

#[tokio::test]
async fn a_change_that_may_still_arrive_is_not_sent_again() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    service.put("there", "v");
    let adapter = adapter(&server.url());
    server.fault(adds(), Fault::CutBefore, Some(1));
    let (there, one, ours) = (name("there"), Version::new("1"), single("ours"));
    for _ in 0..2 {
        let lost = adapter.replace(&there, &ours, &one).await.unwrap_err();
        assert_eq!(lost.kind(), ErrorKind::Indeterminate);
    }
    let read = adapter.read(&there, WantedShape::Single).await.unwrap();
    assert_eq!(read.version.as_str(), "1");
    assert_eq!(server.log().count("AddSecretVersion"), 1);
    // Nobody else may begin while it can arrive.
    assert!(service.annotations("there").contains_key(CLAIM));
    service.put("there", "ours");
    let read = adapter.read(&there, WantedShape::Single).await.unwrap();
    assert_eq!(read.version.as_str(), "2");
    assert!(service.annotations("there").is_empty());
}

#[tokio::test]
async fn somebody_elses_version_in_the_place_of_one_that_may_still_arrive_is_told_of() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    let adapter = adapter(&server.url());
    server.fault(adds(), Fault::CutBefore, Some(1));
    let (new, marks) = (name("new"), Marks::of("shop"));
    let lost = adapter.create(&new, &single("ours"), &marks).await;
    assert!(!lost.unwrap_err().is_contested());
    service.put("new", "theirs");
    let err = adapter.read(&new, WantedShape::Single).await.unwrap_err();
    assert!(err.is_contested());
    insta::assert_snapshot!(err, @"read `new`: the connection broke before AddSecretVersion was answered, and version 1 is another writer's; ours is not there, and may still come after it: look at its versions in two minutes, and make sure that the value that is meant is the newest");
}

#[tokio::test]
async fn a_claim_is_taken_out_again_when_what_it_was_for_fails() {
    for fails in ["AddSecretVersion", "AccessSecretVersion"] {
        let server = Server::start(GcpSm::new());
        let service = server.service();
        service.put_shell("shell");
        let adapter = adapter(&server.url());
        server.fault(When::operation(fails), Fault::Empty404, None);
        let (shell, marks) = (name("shell"), Marks::of("shop"));
        let made = adapter.create(&shell, &single("ours"), &marks).await;
        assert_eq!(made.unwrap_err().kind(), ErrorKind::Unexpected);
        assert!(service.annotations("shell").is_empty(), "{fails}");
        assert_eq!(server.log().count("UpdateSecret"), 2);
    }
}
