//! What a name is: the service's own words, and nothing else.

use seed_core::inventory::{Depth, Presence, Shape, Version};
use seed_fakes::{Fault, GcpSm, Server, When};
use seed_provider::{ErrorKind, Marks, Provider as _, Replace as _};

use crate::support::{adapter, look, name, single, wanted};

/// A presence in a few words.
fn told(presence: &Presence) -> String {
    match presence {
        Presence::Present { version, shape } => format!("present {}, {shape:?}", version.as_str()),
        Presence::Empty { version } => format!("empty {}", version.as_str()),
        Presence::Absent
        | Presence::Deleted { .. }
        | Presence::Disabled { .. }
        | Presence::Exists
        | Presence::Hidden { .. }
        | Presence::Unknown { .. } => format!("{presence:?}"),
    }
}

#[tokio::test]
async fn each_state_is_a_state_of_its_own() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    service.put_shell("shell");
    service.put("there", "v");
    service.put("twice", "v");
    service.put("twice", "w");
    service.put("off", "v");
    service.disable("off", 1);
    service.put("gone", "v");
    service.destroy_version("gone", 1);
    // The newest version counts, whatever is behind it.
    service.put("broken", "v");
    service.put("broken", "w");
    service.destroy_version("broken", 2);
    let adapter = adapter(&server.url());
    let mut lines = Vec::new();
    for text in ["absent", "shell", "there", "twice", "off", "gone", "broken"] {
        let presence = look(&adapter, text).await;
        lines.push(format!("{text}: {}", told(&presence)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r#"
    absent: Absent
    shell: empty 0
    there: present 1, Single
    twice: present 2, Single
    off: Disabled { reason: "version 1, the newest, is disabled" }
    gone: Disabled { reason: "version 1, the newest, is destroyed" }
    broken: Disabled { reason: "version 2, the newest, is destroyed" }
    "#);
    // Of all these, only what is absent or empty is ever written.
    let marks = Marks::of("shop");
    for (text, kind) in [
        ("absent", None),
        ("shell", None),
        ("there", Some(ErrorKind::AlreadyExists)),
        ("off", Some(ErrorKind::AlreadyExists)),
        ("gone", Some(ErrorKind::AlreadyExists)),
        ("broken", Some(ErrorKind::AlreadyExists)),
    ] {
        let versions = service.versions(text);
        let made = adapter.create(&name(text), &single("new"), &marks).await;
        assert_eq!(
            made.as_ref().err().map(seed_provider::Error::kind),
            kind,
            "{text}"
        );
        let more = usize::from(kind.is_none());
        assert_eq!(service.versions(text), versions + more, "{text}");
    }
}

#[tokio::test]
async fn what_may_not_be_seen_is_hidden_and_never_absent() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    service.put("there", "v");
    service.put("fields", r#"{"a":"1"}"#);
    for call in ["ListSecretVersions", "AccessSecretVersion"] {
        service.deny(call, Some("there"));
        service.deny(call, Some("fields"));
    }
    let adapter = adapter(&server.url());
    let asked = [
        wanted("there", &[], Depth::Metadata),
        wanted("fields", &["a"], Depth::Fields),
        wanted("absent", &[], Depth::Metadata),
    ];
    let seen = adapter.inventory(&asked).await.unwrap();
    let lines: Vec<String> = seen
        .iter()
        .map(|(name, presence)| {
            let told = told(presence);
            let told = told.split(" (request id ").next().unwrap_or_default();
            format!("{name}: {told}")
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    absent: Absent
    fields: Hidden { reason: "AccessSecretVersion failed with `PERMISSION_DENIED`: the identity in use may not do that; have `secretmanager.versions.access` given to it
    there: Hidden { reason: "ListSecretVersions failed with `PERMISSION_DENIED`: the identity in use may not do that; have `secretmanager.versions.list` given to it
    "#);
}

#[tokio::test]
async fn where_lists_are_denied_each_name_is_looked_up_by_itself() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    service.put("there", "v");
    service.put_shell("shell");
    service.deny("ListSecrets", None);
    let adapter = adapter(&server.url());
    for (text, state) in [
        (
            "there",
            Presence::Present {
                version: Version::new("1"),
                shape: Shape::Single,
            },
        ),
        (
            "shell",
            Presence::Empty {
                version: Version::new("0"),
            },
        ),
        ("absent", Presence::Absent),
    ] {
        assert_eq!(look(&adapter, text).await, state, "{text}");
    }
    insta::assert_snapshot!(adapter.notes().join("\n"), @"
    ListSecrets is denied; each name is looked up by itself with GetSecret
    ");
    // The versions tell of what may not be looked at itself; if neither may, nothing is known.
    service.deny("GetSecret", None);
    assert!(matches!(
        look(&adapter, "there").await,
        Presence::Present { .. }
    ));
    service.deny("ListSecretVersions", None);
    for text in ["there", "shell", "absent"] {
        assert!(
            matches!(look(&adapter, text).await, Presence::Hidden { .. }),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_list_that_does_not_tell_of_all_decides_nothing() {
    let server = Server::start(GcpSm::new());
    server.service().put("there", "v");
    let short = seed_fakes::Answer::json(200, &serde_json::json!({"totalSize": 1}));
    server.fault(When::operation("ListSecrets"), Fault::Answer(short), None);
    let adapter = adapter(&server.url());
    assert!(matches!(
        look(&adapter, "there").await,
        Presence::Present { .. }
    ));
    assert_eq!(look(&adapter, "absent").await, Presence::Absent);
    assert_eq!(server.log().count("GetSecret"), 2);
}

#[tokio::test]
async fn what_is_replaced_is_the_version_that_was_seen() {
    let server = Server::start(GcpSm::new());
    let service = server.service();
    service.put("there", "v");
    let adapter = adapter(&server.url());
    let there = name("there");
    service.put("there", "theirs");
    let old = adapter
        .replace(&there, &single("new"), &Version::new("1"))
        .await;
    assert_eq!(old.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(service.value("there").as_deref(), Some("theirs"));
    let made = adapter
        .replace(&there, &single("new"), &Version::new("2"))
        .await;
    assert_eq!(made.unwrap().as_str(), "3");
    assert_eq!(service.value("there").as_deref(), Some("new"));
}
