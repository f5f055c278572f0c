//! What is seen under a name.

use seed_core::document::Document;
use seed_core::inventory::{Depth, Presence, Shape};
use seed_fakes::{Fault, Patch, When};
use seed_provider::{ErrorKind, Marks, Provider as _, Restore as _};

use crate::support::{Stand, look, name, wanted};

fn words(presence: &Presence) -> String {
    match presence {
        Presence::Absent => "absent".to_owned(),
        Presence::Deleted { until } => format!("deleted, dated: {}", until.is_some()),
        Presence::Disabled { reason } => format!("disabled: {reason}"),
        Presence::Hidden { reason } => format!("hidden: {reason}"),
        Presence::Present { .. } => "present".to_owned(),
        Presence::Empty { .. } | Presence::Exists | Presence::Unknown { .. } => {
            format!("{presence:?}")
        }
    }
}

#[tokio::test]
async fn what_cannot_be_used_is_told_apart_from_what_is_missing() {
    let stand = Stand::new();
    let service = stand.service();
    for name in ["there", "off", "over", "early", "gone", "Case"] {
        service.put(name, "x");
    }
    let off = Patch {
        enabled: Some(false),
        ..Patch::default()
    };
    service.patch("off", off);
    let over = Patch {
        expires: Some(1_000_000_000),
        ..Patch::default()
    };
    service.patch("over", over);
    let early = Patch {
        not_before: Some(9_000_000_000),
        ..Patch::default()
    };
    service.patch("early", early);
    service.delete("gone");
    let adapter = stand.adapter();
    let mut lines = Vec::new();
    for name in ["there", "off", "over", "early", "gone", "case", "missing"] {
        lines.push(format!("{name}: {}", words(&look(&adapter, name).await)));
    }
    insta::assert_snapshot!(lines.join("\n"), @r"
    there: present
    off: disabled: it is disabled
    over: disabled: it expired on 2001-09-09
    early: disabled: it becomes valid on 2255-03-14
    gone: deleted, dated: true
    case: disabled: it is stored as `Case`, and Key Vault takes names that differ only in case for one
    missing: absent
    ");
}

#[tokio::test]
async fn a_list_that_is_denied_is_done_without_and_said() {
    let stand = Stand::new();
    stand.service().put("there", "x");
    stand.service().delete("there");
    stand.service().put("other", "x");
    stand.service().deny("GetDeletedSecrets", None);
    let adapter = stand.adapter();
    assert_eq!(words(&look(&adapter, "there").await), "absent");
    assert_eq!(
        adapter.notes(),
        [
            "listing deleted secrets is denied; a name that is held by a deleted secret shows only when it is written"
        ]
    );
    let value = Document::Single("x".to_owned().into());
    let refused = adapter
        .create(&name("there"), &value, &Marks::of("test"))
        .await;
    let err = refused.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);
    assert_eq!(
        err.message(),
        "SetSecret failed with `Conflict/ObjectIsDeletedButRecoverable`: it was deleted, and its name is held; recover it with `seed apply --restore`, or purge it"
    );
    stand.service().deny("GetSecrets", None);
    stand.service().deny("GetSecret", Some("hidden"));
    let adapter = stand.adapter();
    let names = ["other", "missing", "hidden"].map(|name| wanted(name, &[], Depth::Metadata));
    let inventory = adapter.inventory(&names).await.unwrap();
    let seen: Vec<String> = names
        .iter()
        .map(|wanted| words(inventory.get(&wanted.name).unwrap()))
        .collect();
    assert_eq!(seen[..2], ["present", "absent"]);
    assert!(
        seen[2].starts_with("hidden: GetSecret failed with `Forbidden/ForbiddenByRbac`"),
        "{seen:?}"
    );
}

#[tokio::test]
async fn fields_are_named_and_a_value_that_is_no_object_is_one_value() {
    let stand = Stand::new();
    stand.service().put("many", "{\"b\":\"1\",\"a\":2}");
    stand.service().put("one", "plain");
    let adapter = stand.adapter();
    let names = ["many", "one"].map(|name| wanted(name, &["a"], Depth::Fields));
    let inventory = adapter.inventory(&names).await.unwrap();
    let shape = |index: usize| {
        let presence = inventory.get(&names[index].name);
        let Some(Presence::Present { shape, .. }) = presence else {
            unreachable!("{presence:?}");
        };
        shape.clone()
    };
    let both = ["a".to_owned(), "b".to_owned()];
    assert_eq!(shape(0), Shape::Fields(both.into()));
    assert_eq!(shape(1), Shape::Single);
}

#[tokio::test]
async fn what_was_deleted_comes_back_once_it_can_be_read() {
    let stand = Stand::new();
    stand.service().put("key", "x");
    stand.service().delete("key");
    stand.service().set_recovery(2);
    let adapter = stand.ready().await;
    adapter.restore(&name("key")).await.unwrap();
    assert_eq!(stand.server.log().count("GetSecret"), 3);
    assert_eq!(words(&look(&adapter, "key").await), "present");
    let err = adapter.restore(&name("never")).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn what_is_just_being_recovered_is_waited_for_and_not_written_over() {
    let stand = Stand::new();
    let service = stand.service();
    service.put("gone", "x");
    service.delete("gone");
    service.set_recovery(3);
    let adapter = stand.ready().await;
    stand.service().recover("gone");
    assert_eq!(words(&look(&adapter, "gone").await), "absent");
    let value = Document::Single("y".to_owned().into());
    let made = adapter
        .create(&name("gone"), &value, &Marks::of("test"))
        .await;
    assert_eq!(made.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(service.versions("gone").len(), 1);
    assert_eq!(service.value("gone").unwrap(), "x");
}

#[tokio::test]
async fn a_recovery_whose_answer_is_lost_and_that_cannot_be_looked_at_is_in_doubt() {
    let stand = Stand::new();
    stand.service().put("gone", "x");
    stand.service().delete("gone");
    let adapter = stand.ready().await;
    stand.server.fault(
        When::operation("RecoverDeletedSecret"),
        Fault::CutAfter,
        Some(1),
    );
    stand.service().deny("GetSecret", None);
    let err = adapter.restore(&name("gone")).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Indeterminate);
    assert_eq!(stand.service().names(), ["gone"]);
}

#[tokio::test]
async fn what_was_deleted_is_told_also_where_the_list_is_denied() {
    let stand = Stand::new();
    stand.service().put("gone", "x");
    stand.service().delete("gone");
    stand.service().deny("GetSecrets", None);
    let adapter = stand.adapter();
    assert_eq!(words(&look(&adapter, "gone").await), "deleted, dated: true");
    assert_eq!(words(&look(&adapter, "never").await), "absent");
}
