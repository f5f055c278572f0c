//! Contracts that nobody thought of.

use proptest::prelude::*;
use seed_core::backend::Kind;
use seed_core::report::Verdict;
use seed_provider::ErrorKind;

use crate::world::{Play, World, fates};

/// One value: what it is made from, by the place of earlier values, and how.
#[derive(Clone, Debug)]
struct Value {
    sources: Vec<proptest::sample::Index>,
    how: usize,
}

/// Entries of one or several values; each may be made from any value before it.
fn secrets(entries: &[Vec<Value>]) -> String {
    let mut text = String::new();
    let mut before: Vec<String> = Vec::new();
    for (at, values) in entries.iter().enumerate() {
        let single = values.len() == 1;
        text.push_str(&format!("  e{at}:"));
        text.push_str(if single { " " } else { "\n    fields:\n" });
        for (field, value) in values.iter().enumerate() {
            let sources: Vec<&String> = match before.len() {
                0 => Vec::new(),
                _ => value
                    .sources
                    .iter()
                    .map(|index| index.get(&before))
                    .collect(),
            };
            let source = match (value.how, sources.as_slice()) {
                (1, [of, ..]) => format!("derive: {{sha256: {{of: \"{of}\"}}}}"),
                (2, [of, ..]) => format!("derive: {{bcrypt: {{of: \"{of}\", cost: 4}}}}"),
                (3 | 4, [_, ..]) => {
                    let parts: String = sources.iter().map(|of| format!("${{{of}}} ")).collect();
                    format!("compose: \"{parts}\"")
                }
                (5, _) => "value: fixed".to_owned(),
                (6, _) => "generate: {bytes: 9}".to_owned(),
                _ => "generate: {hex: 8}".to_owned(),
            };
            // Bytes and long texts cannot be hashed or composed.
            let made = if single {
                format!("e{at}")
            } else {
                format!("e{at}#f{field}")
            };
            if single {
                text.push_str(&format!("{{{source}}}\n"));
            } else {
                text.push_str(&format!("      f{field}: {{{source}}}\n"));
            }
            if value.how == 0 || value.how == 1 || value.how >= 7 {
                before.push(made);
            }
        }
    }
    text
}

fn contract() -> impl Strategy<Value = String> {
    let value = (
        proptest::collection::vec(any::<proptest::sample::Index>(), 1..3),
        0..9_usize,
    )
        .prop_map(|(sources, how)| Value { sources, how });
    let entry = proptest::collection::vec(value, 1..4);
    proptest::collection::vec(entry, 1..7).prop_map(|entries| secrets(&entries))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn after_a_run_nothing_is_left_to_do_and_before_it_nothing_is_lost(
        secrets in contract(),
        kind in proptest::sample::select(vec![Kind::Local, Kind::Kubernetes, Kind::AwsSm]),
        calls in 1..6_usize,
        cut in 0..8_usize,
        arrives in any::<bool>(),
    ) {
        // Fields of `local` hold bytes, and the backend of these tests does not take them there.
        let secrets = if kind == Kind::Local { secrets.replace("bytes: 9", "hex: 9") } else { secrets };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let world = World::new(kind, &secrets).concurrency(calls);
            // From some write on every answer is bad.
            world.stage.play_at_writes(move |at, _| match at {
                at if at < cut => Play::Pass,
                _ if arrives => Play::Lose,
                _ => Play::Fail(ErrorKind::Unavailable),
            });
            let first = world.run().await;
            let before = world.stored().await;
            world.assert_whole().await;

            world.stage.play(|_, _| Play::Pass);
            let second = world.run().await;
            assert_eq!(second.verdict(), Verdict::Done, "{:?}\n{:?}\n{secrets}", fates(&first), fates(&second));
            world.assert_whole().await;
            let after = world.stored().await;
            assert_eq!(after.len(), world.resolved.order.len(), "{secrets}");
            for (id, value) in &before {
                assert_eq!(&after[id], value, "{id} has changed");
            }
            assert!(world.plan().await.writes.is_empty(), "{secrets}");
            world.stage.log();
            let third = world.run().await;
            assert_eq!(third.counts().created, 0);
            assert!(world.stage.log().is_empty());
        });
    }
}
