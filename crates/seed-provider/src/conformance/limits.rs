//! Declared limits are true at the edge and one over.

use seed_core::document::{Document, FieldValue, Fields};
use seed_core::secret::SecretValue;

use super::bench::{Bench, Outcome, refused};
use crate::{ErrorKind, Provider};

pub(super) async fn the_largest_value_fits<P: Provider>(bench: Bench<P>) -> Outcome {
    let name = bench.name("largest")?;
    let bytes = vec![b'x'; bench.kind().rule().max_bytes];
    let document = Document::Single(SecretValue::new(bytes.clone()));
    bench.create(&name, &document).await?;
    bench.holds(&name, &bytes).await.map(drop)
}

pub(super) async fn one_byte_more_is_refused_and_nothing_is_stored<P: Provider>(
    bench: Bench<P>,
) -> Outcome {
    let name = bench.name("toolarge")?;
    let document = Document::Single(text(bench.kind().rule().max_bytes + 1));
    refused(bench.create(&name, &document).await, &[ErrorKind::Invalid])?;
    bench.holds_nothing(&name).await
}

pub(super) async fn growing_over_the_limit_is_refused_and_nothing_is_added<P: Provider>(
    bench: Bench<P>,
) -> Outcome {
    let name = bench.name("overgrown")?;
    let first = bench.create_two_fields(&name).await?;
    let mut new = Fields::new();
    let _new = new.insert("c", FieldValue::Text(text(bench.kind().rule().max_bytes)));
    let added = bench.provider.add_fields(&name, &new, &first).await;
    refused(added, &[ErrorKind::Invalid])?;
    let both = [("a", "first"), ("b", "second")];
    bench.holds_fields(&name, &both).await.map(drop)
}

fn text(bytes: usize) -> SecretValue {
    SecretValue::new(vec![b'x'; bytes])
}
