//! Looking up.

use std::collections::BTreeSet;

use libtest_mimic::Failed;
use seed_core::inventory::{Depth, Presence, Shape, Wanted};

use super::bench::{Bench, Outcome, ensure, single, wanted};
use crate::Provider;

pub(super) async fn every_name_asked_is_answered_before_and_after<P: Provider>(
    bench: Bench<P>,
) -> Outcome {
    let there = bench.name("there")?;
    let absent = bench.name("absent")?;
    let unasked = bench.name("unasked")?;
    for depth in DEPTHS {
        let asked = [wanted(&there, &[], depth)?, wanted(&absent, &[], depth)?];
        let seen = bench.provider.inventory(&asked).await?;
        for name in [&there, &absent] {
            let presence = seen.get(name);
            ensure(presence == Some(&Presence::Absent), || {
                format!("{name} is {presence:?}, not absent")
            })?;
        }
    }
    bench.create(&there, &single("there")).await?;
    bench.create(&unasked, &single("unasked")).await?;
    for depth in DEPTHS {
        let asked = [wanted(&there, &[], depth)?, wanted(&absent, &[], depth)?];
        let seen = bench.provider.inventory(&asked).await?;
        let presence = seen.get(&there);
        ensure(is_there(presence, depth), || {
            format!("what was created is {presence:?} at {depth:?}")
        })?;
        let presence = seen.get(&absent);
        ensure(presence == Some(&Presence::Absent), || {
            format!("{absent} is {presence:?}, not absent")
        })?;
        ensure(seen.get(&unasked).is_none(), || {
            "a name was answered that nobody had asked".to_owned()
        })?;
    }
    Ok(())
}

fn is_there(presence: Option<&Presence>, depth: Depth) -> bool {
    match presence {
        Some(Presence::Exists) => depth == Depth::Quick,
        Some(Presence::Present { shape, .. }) => match shape {
            Shape::NotRead => depth != Depth::Fields,
            Shape::Single => true,
            Shape::Fields(_) => false,
        },
        Some(
            Presence::Absent
            | Presence::Deleted { .. }
            | Presence::Disabled { .. }
            | Presence::Empty { .. }
            | Presence::Hidden { .. }
            | Presence::Unknown { .. },
        )
        | None => false,
    }
}

pub(super) async fn many_names_are_answered_at_once<P: Provider>(bench: Bench<P>) -> Outcome {
    let asked: Result<Vec<Wanted>, Failed> = (0..120)
        .map(|n| wanted(&bench.name(&format!("n{n}"))?, &[], Depth::Metadata))
        .collect();
    let asked = asked?;
    for wanted in asked.iter().step_by(10) {
        bench.create(&wanted.name, &single("there")).await?;
    }
    let seen = bench.provider.inventory(&asked).await?;
    for (n, wanted) in asked.iter().enumerate() {
        let presence = seen.get(&wanted.name);
        let right = if n % 10 == 0 {
            is_there(presence, wanted.depth)
        } else {
            presence == Some(&Presence::Absent)
        };
        ensure(right, || format!("{} is {presence:?}", wanted.name))?;
    }
    Ok(())
}

pub(super) async fn fields_are_named_where_they_are_looked_for<P: Provider>(
    bench: Bench<P>,
) -> Outcome {
    let name = bench.name("fields")?;
    let version = bench.create_two_fields(&name).await?;
    let there: BTreeSet<String> = ["a", "b"].map(str::to_owned).into();
    for depth in [Depth::Metadata, Depth::Fields] {
        let asked = [wanted(&name, &["a", "c"], depth)?];
        let seen = bench.provider.inventory(&asked).await?;
        let presence = seen.get(&name).cloned();
        let present = |shape| Presence::Present {
            version: version.clone(),
            shape,
        };
        let named = presence == Some(present(Shape::Fields(there.clone())));
        let unread = depth == Depth::Metadata && presence == Some(present(Shape::NotRead));
        ensure(named || unread, || {
            format!("the fields are seen as {presence:?} at {depth:?}")
        })?;
    }
    Ok(())
}

pub(super) async fn it_is_what_it_was_described_as<P: Provider>(bench: Bench<P>) -> Outcome {
    let described = bench.provider.describe();
    let promised = &bench.description;
    ensure(
        described.kind == promised.kind && described.capabilities == promised.capabilities,
        || format!("it describes itself as {described:?}"),
    )?;
    // An inventory of nothing is an inventory, whatever the backend thinks of an empty filter.
    let nothing = bench.provider.inventory(&[]).await?;
    ensure(nothing.iter().next().is_none(), || {
        "names were answered that nobody had asked".to_owned()
    })
}

const DEPTHS: [Depth; 3] = [Depth::Quick, Depth::Metadata, Depth::Fields];
