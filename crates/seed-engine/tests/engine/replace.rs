//! One value in the place of another.

use std::sync::Arc;
use std::time::Duration;

use seed_core::backend::Kind;
use seed_core::document::{Document, FieldValue, Fields};
use seed_core::name::SecretName;
use seed_core::produce::{Values, document};
use seed_core::resolve::Place;
use seed_core::secret::SecretValue;
use seed_engine::{Convergers, Replaced, Replacement, Replacers, as_providers, find, replace};
use seed_provider::{Converge, Error, ErrorKind, Memory, Operation, Replace, Shelf};

use crate::world::{BACKEND, World, id};

const SECRETS: &str = "
  token: {provide: {how: somewhere}}
  pair:
    fields:
      one: {provide: {how: somewhere}}
      two: {provide: {how: somewhere}}
";

/// A backend with a value, and a person who looked at it.
struct Stand {
    world: World,
    memory: Arc<Memory>,
    replacers: Replacers,
    convergers: Convergers,
}

impl Stand {
    fn new(kind: Kind) -> Self {
        let memory = Arc::new(Memory::of(kind));
        let replacer: Arc<dyn Replace> = Arc::clone(&memory) as Arc<dyn Replace>;
        Self {
            world: World::new(kind, SECRETS),
            memory,
            replacers: Replacers::from([(BACKEND.to_owned(), replacer)]),
            convergers: Convergers::new(),
        }
    }

    fn name(&self, key: &str) -> SecretName {
        let entry = &self.world.resolved.entries[&id(key).entry];
        match &entry.place {
            Some(Place::Backend { name, .. }) => name.clone(),
            other => panic!("{other:?}"),
        }
    }

    /// Stores a value as it is declared.
    fn put(&self, key: &str, text: &str) {
        self.memory
            .put(&self.name(key), &self.document(key, text))
            .unwrap();
    }

    fn document(&self, key: &str, text: &str) -> Document {
        let id = id(key);
        let entry = &self.world.resolved.entries[&id.entry];
        let Some(Place::Backend { kind, .. }) = &entry.place else {
            panic!("{key} has no place")
        };
        let value = Arc::new(SecretValue::from(text.to_owned()));
        let values = Values::from([(id.clone(), value)]);
        document(entry, *kind, &[id], &values).unwrap()
    }

    /// Looks, lets `meanwhile` happen, and replaces by `new`. Tells what came of it, and what is stored then.
    async fn replace(&self, key: &str, meanwhile: impl FnOnce(&Self)) -> (Replaced, String) {
        let (resolved, id) = (&self.world.resolved, id(key));
        let providers = as_providers(&self.replacers);
        let found = find(resolved, &providers, &id).await.unwrap();
        meanwhile(self);
        let value = SecretValue::from("new".to_owned());
        let wanted = Replacement {
            resolved,
            id: &id,
            value: &value,
            document: &self.document(key, "new"),
            found: &found,
        };
        let replaced = replace(&wanted, &self.replacers, &self.convergers, &|_| {}).await;
        let now = find(resolved, &providers, &id).await.unwrap();
        (replaced, now.value.expose_text().unwrap().to_owned())
    }

    fn lost(&self) {
        let error = Error::new(
            ErrorKind::Indeterminate,
            Operation::Replace,
            "as the test wants",
        );
        self.memory
            .lose_answer_of_next(Operation::Replace, None, error);
    }

    fn fail(&self, operation: Operation, kind: ErrorKind) {
        let error = Error::new(kind, operation, "as the test wants");
        self.memory.fail_next(operation, None, error);
    }
}

#[tokio::test]
async fn a_value_takes_the_place_of_what_was_found() {
    for kind in [Kind::Local, Kind::Vault, Kind::Gcpsm] {
        let stand = Stand::new(kind);
        stand.put("token", "old");
        let (replaced, now) = stand.replace("token", |_| {}).await;
        assert_eq!(
            (replaced, now.as_str()),
            (Replaced::Stored, "new"),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn the_other_fields_keep_their_bytes_and_their_order() {
    for kind in [Kind::Local, Kind::Vault, Kind::AwsSm] {
        let stand = Stand::new(kind);
        let mut fields = Fields::new();
        for (name, value) in [("foreign", "ü\n"), ("one", "old"), ("two", "kept")] {
            let value = SecretValue::from(value.to_owned());
            assert!(fields.insert(name, FieldValue::Text(value)));
        }
        let stored = Document::Fields(fields);
        stand.memory.put(&stand.name("pair#one"), &stored).unwrap();
        let (replaced, now) = stand.replace("pair#one", |_| {}).await;
        assert_eq!(
            (replaced, now.as_str()),
            (Replaced::Stored, "new"),
            "{kind}"
        );
        let providers = as_providers(&stand.replacers);
        let found = find(&stand.world.resolved, &providers, &id("pair#two")).await;
        let Document::Fields(fields) = found.unwrap().stored.document else {
            panic!("one value");
        };
        let all: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name, value.value().expose_text().unwrap()))
            .collect();
        assert_eq!(
            all,
            [("foreign", "ü\n"), ("one", "new"), ("two", "kept")],
            "{kind}"
        );
    }
}

#[tokio::test]
async fn what_somebody_else_stored_meanwhile_stays() {
    let stand = Stand::new(Kind::Local);
    stand.put("token", "old");
    let (replaced, now) = stand
        .replace("token", |stand| stand.put("token", "theirs"))
        .await;
    assert_eq!((replaced, now.as_str()), (Replaced::Changed, "theirs"));
    assert_eq!(stand.memory.calls(Operation::Replace), 1);
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_looking() {
    let stand = Stand::new(Kind::Local);
    stand.put("token", "old");
    let (replaced, now) = stand.replace("token", Stand::lost).await;
    assert_eq!((replaced, now.as_str()), (Replaced::Stored, "new"));
    assert_eq!(stand.memory.calls(Operation::Replace), 1, "not sent again");
}

#[tokio::test]
async fn what_did_not_arrive_is_sent_once_more() {
    let stand = Stand::new(Kind::Local);
    stand.put("token", "old");
    let lost = |stand: &Stand| stand.fail(Operation::Replace, ErrorKind::Indeterminate);
    let (replaced, now) = stand.replace("token", lost).await;
    assert_eq!((replaced, now.as_str()), (Replaced::Stored, "new"));
    assert_eq!(stand.memory.calls(Operation::Replace), 2);
}

/// Where nothing refuses ours when it comes late, it would take the place of theirs.
#[tokio::test]
async fn what_may_still_come_on_top_of_somebody_elses_is_uncertain() {
    for converges in [false, true] {
        let mut stand = Stand::new(Kind::AzureKv);
        if converges {
            let way = Arc::new(Shelf::new().run(1, || Duration::ZERO)) as Arc<dyn Converge>;
            stand.convergers = Convergers::from([(BACKEND.to_owned(), way)]);
        }
        stand.put("token", "old");
        let (replaced, now) = stand
            .replace("token", |stand| {
                stand.fail(Operation::Replace, ErrorKind::Indeterminate);
                stand.put("token", "theirs");
            })
            .await;
        assert_eq!(now, "theirs");
        let uncertain = matches!(replaced, Replaced::Uncertain(_));
        assert_eq!(uncertain, converges, "{replaced:?}");
    }
}

#[tokio::test]
async fn what_both_have_written_is_uncertain_whatever_is_read() {
    let stand = Stand::new(Kind::Gcpsm);
    stand.put("token", "old");
    let (replaced, _) = stand
        .replace("token", |stand| {
            let error = Error::new(ErrorKind::Indeterminate, Operation::Replace, "both wrote");
            let error = error.contested();
            stand
                .memory
                .lose_answer_of_next(Operation::Replace, None, error);
        })
        .await;
    assert!(matches!(replaced, Replaced::Uncertain(_)), "{replaced:?}");
}

#[tokio::test]
async fn what_cannot_be_settled_is_uncertain() {
    let stand = Stand::new(Kind::Local);
    stand.put("token", "old");
    let (replaced, _) = stand
        .replace("token", |stand| {
            stand.lost();
            stand.fail(Operation::Read, ErrorKind::Unavailable);
        })
        .await;
    assert!(matches!(replaced, Replaced::Uncertain(_)), "{replaced:?}");
    let (replaced, now) = stand
        .replace("token", |stand| {
            for _ in 0..2 {
                stand.fail(Operation::Replace, ErrorKind::Indeterminate);
            }
        })
        .await;
    assert!(matches!(replaced, Replaced::Uncertain(_)), "{replaced:?}");
    assert_eq!(now, "new", "stored by the first of the two");
}

#[tokio::test]
async fn a_failure_without_effect_is_a_failure() {
    let stand = Stand::new(Kind::Local);
    stand.put("token", "old");
    let denied = |stand: &Stand| stand.fail(Operation::Replace, ErrorKind::Denied);
    let (replaced, now) = stand.replace("token", denied).await;
    assert!(matches!(replaced, Replaced::Failed(_)), "{replaced:?}");
    assert_eq!(now, "old");
}
