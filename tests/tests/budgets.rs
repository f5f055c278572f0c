//! How many requests a whole run sends, counted at the stand-ins, against what a run may cost.

use seed_tests::service::many;
use seed_tests::stand_in::StandIn;
use seed_tests::workspace::Workspace;
use serde_json::json;

type Test = Result<(), String>;

const KEYS: usize = 1000;

/// Login, identity, mount and namespace.
const SET_UP: usize = 5;

/// What may be asked; what is not named here is set-up.
struct Budget {
    /// Which requests tell what is there.
    looks: &'static [&'static str],
    /// Which requests change what is there.
    writes: &'static [&'static str],
    /// Looks of a plan of 1,000 absent keys, of 1,000 that exist, and of those with `--quick`.
    absent: usize,
    existing: usize,
    quick: usize,
}

#[test]
fn a_vault_is_asked_once_for_a_folder_and_once_for_a_key_that_is_there() -> Test {
    let budget = Budget {
        looks: &["list", "metadata", "read", "subkeys"],
        writes: &["write", "patch"],
        absent: 1,
        existing: 1 + KEYS,
        quick: 1,
    };
    stays_within(&budget, &StandIn::vault())
}

#[test]
fn aws_is_asked_once_for_100_secrets_and_once_for_a_key_that_is_not_listed() -> Test {
    let budget = Budget {
        looks: &[
            "ListSecrets",
            "DescribeSecret",
            "GetSecretValue",
            "BatchGetSecretValue",
        ],
        writes: &["CreateSecret", "PutSecretValue", "UpdateSecretVersionStage"],
        absent: 1 + KEYS,
        existing: KEYS / 100,
        quick: KEYS / 100,
    };
    stays_within(&budget, &StandIn::aws_sm())
}

fn stays_within(budget: &Budget, stand_in: &StandIn) -> Test {
    let service = &*stand_in.service;
    let workspace = service.workspace()?;
    // The pace of the real service would only make the test wait.
    let fast = json!({"pace": {"reads": 1_000_000, "writes": 1_000_000}});
    workspace.write("seed.yaml", &many(service, KEYS, &fast)?)?;
    let run = |arguments: &str| calls(stand_in, &workspace, budget, arguments);
    assert_eq!(run("plan")?, (budget.absent, 0));
    assert_eq!(run("apply --quiet")?, (budget.absent, KEYS));
    assert_eq!(run("plan")?, (budget.existing, 0));
    assert_eq!(run("plan --quick")?, (budget.quick, 0));
    assert_eq!(run("apply --quiet")?, (budget.existing, 0));
    Ok(())
}

/// Looks and writes of one run.
fn calls(
    stand_in: &StandIn,
    workspace: &Workspace,
    budget: &Budget,
    arguments: &str,
) -> Result<(usize, usize), String> {
    stand_in.server.clear_log();
    workspace.seed(arguments)?.success()?;
    let counts = stand_in.server.log().counts();
    let sum = |names: &[&str]| -> usize {
        let known = counts.iter().filter(|(name, _)| names.contains(&&***name));
        known.map(|(_, count)| count).sum()
    };
    let (looks, writes) = (sum(budget.looks), sum(budget.writes));
    let others: usize = counts.values().sum::<usize>() - looks - writes;
    assert!(others <= SET_UP, "`seed {arguments}`: {counts:?}");
    Ok((looks, writes))
}
