//! How many requests a whole run sends, counted at the stand-ins, against what a run may cost.

use seed_fakes::vault::Vault;
use seed_fakes::{AwsSm, AzureKv, GcpSm, Kubernetes};
use seed_tests::service::{many, unpaced};
use seed_tests::stands::{Stand, World};

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
    stays_within::<Vault>(&Budget {
        looks: &["list", "metadata", "read", "subkeys"],
        writes: &["write", "patch"],
        absent: 1,
        existing: 1 + KEYS,
        quick: 1,
    })
}

#[test]
fn kubernetes_is_asked_once_for_500_secrets_whatever_is_there() -> Test {
    stays_within::<Kubernetes>(&Budget {
        looks: &["list secrets", "get secrets"],
        writes: &["create secrets", "patch secrets"],
        absent: 1,
        existing: KEYS / 500,
        quick: KEYS / 500,
    })
}

#[test]
fn aws_is_asked_once_for_100_secrets_and_once_for_a_key_that_is_not_listed() -> Test {
    stays_within::<AwsSm>(&Budget {
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
    })
}

#[test]
fn google_is_asked_whether_the_project_is_there_once_for_25000_secrets_and_once_for_a_key_that_is()
-> Test {
    stays_within::<GcpSm>(&Budget {
        looks: &[
            "ListSecrets",
            "GetSecret",
            "ListSecretVersions",
            "AccessSecretVersion",
        ],
        writes: &["CreateSecret", "UpdateSecret", "AddSecretVersion"],
        absent: 2,
        existing: 2 + KEYS,
        quick: 2,
    })
}

/// One call more finds out who we are, and with what tokens. Nothing there can refuse to write over what exists, so that
/// each key is looked at right before its write, and its versions after the pause.
#[test]
fn azure_is_asked_once_for_25_secrets_and_twice_for_a_key_that_is_made() -> Test {
    let deleted = 1;
    let budget = Budget {
        looks: &[
            "GetSecrets",
            "GetDeletedSecrets",
            "GetSecret",
            "GetSecretVersions",
        ],
        writes: &["SetSecret"],
        absent: 2 + deleted,
        existing: 1 + KEYS / 25,
        quick: 1 + KEYS / 25,
    };
    let world = World::<AzureKv>::on(AzureKv::empty().serve(), &unpaced(), &many(KEYS))?;
    let run = |arguments: &str| calls(&world, &budget, arguments);
    assert_eq!(run("plan")?, (budget.absent, 0));
    assert_eq!(run("apply --quiet")?, (budget.absent + 2 * KEYS, KEYS));
    assert_eq!(world.server.log().count("GetSecret"), KEYS);
    assert_eq!(world.server.log().count("GetSecretVersions"), KEYS);
    assert_eq!(run("plan")?, (budget.existing, 0));
    assert_eq!(run("plan --quick")?, (budget.quick, 0));
    assert_eq!(run("apply --quiet")?, (budget.existing, 0));
    Ok(())
}

fn stays_within<S: Stand>(budget: &Budget) -> Test {
    // The pace of the real service would only make the test wait.
    let world = World::<S>::on(S::empty().serve(), &unpaced(), &many(KEYS))?;
    let run = |arguments: &str| calls(&world, budget, arguments);
    assert_eq!(run("plan")?, (budget.absent, 0));
    let writes = KEYS * S::WRITES_EACH;
    assert_eq!(run("apply --quiet")?, (budget.absent, writes));
    assert_eq!(run("plan")?, (budget.existing, 0));
    assert_eq!(run("plan --quick")?, (budget.quick, 0));
    assert_eq!(run("apply --quiet")?, (budget.existing, 0));
    Ok(())
}

/// Looks and writes of one run.
fn calls<S: Stand>(
    world: &World<S>,
    budget: &Budget,
    arguments: &str,
) -> Result<(usize, usize), String> {
    world.server.clear_log();
    world.workspace.seed(arguments)?.success()?;
    let counts = world.server.log().counts();
    let sum = |names: &[&str]| -> usize {
        let known = counts.iter().filter(|(name, _)| names.contains(&&***name));
        known.map(|(_, count)| count).sum()
    };
    let (looks, writes) = (sum(budget.looks), sum(budget.writes));
    let others: usize = counts.values().sum::<usize>() - looks - writes;
    assert!(others <= SET_UP, "`seed {arguments}`: {counts:?}");
    Ok((looks, writes))
}
