//! Two `seed apply` that meet each other on 1,000 missing keys, in every backend that is a service.
//!
//! On stand-ins ten times; on real servers, which `make e2e` asks, as often as `RACES` says.

use seed_servers::{KubeApiserver, Moto, Vault};
use seed_tests::service::{self, UnderTest, many};
use seed_tests::stand_in::StandIn;
use serde_json::{Value, json};

type Test = Result<(), String>;

const KEYS: usize = 1000;

#[test]
fn two_runs_share_1000_keys_in_a_vault_that_is_a_stand_in() -> Test {
    ten_times(StandIn::vault)
}

#[test]
fn two_runs_share_1000_keys_in_an_aws_that_is_a_stand_in() -> Test {
    ten_times(StandIn::aws_sm)
}

#[test]
#[ignore = "needs `make servers`"]
fn two_runs_share_1000_keys_in_vault() -> Test {
    let vault = Vault::shared()?;
    for _ in 0..service::races()? {
        let mount = vault.mount()?;
        let (address, token) = (vault.address(), vault.token());
        race(&service::Vault::new(address, token, mount.path()), &fast())?;
    }
    Ok(())
}

#[test]
#[ignore = "needs `make servers`"]
fn two_runs_share_1000_keys_in_kubernetes() -> Test {
    let kube = KubeApiserver::shared()?;
    for _ in 0..service::races()? {
        let namespace = kube.namespace()?;
        let authority = Some(kube.authority());
        let (token, name) = (kube.token(), namespace.name());
        let service = service::Kubernetes::new(kube.address(), authority, token, "test", name)?;
        race(&service.with_history()?, &fast())?;
    }
    Ok(())
}

#[test]
#[ignore = "needs `make servers`"]
fn two_runs_share_1000_keys_in_aws_secrets_manager() -> Test {
    // Less is stored than in the one that others share, and lists tell of all.
    let moto = Moto::start()?;
    for _ in 0..service::races()? {
        race(
            &service::AwsSm::new(moto.address(), &moto.prefix()),
            &fast(),
        )?;
    }
    Ok(())
}

fn ten_times(stand_in: fn() -> StandIn) -> Test {
    for _ in 0..10 {
        let stand_in = stand_in();
        race(&*stand_in.service, &fast())?;
    }
    Ok(())
}

/// A pace at which the service is not what both wait for.
fn fast() -> Value {
    json!({"pace": {"reads": 1_000_000, "writes": 1_000_000}})
}

/// Both must end with 0, have created every key between them, and have written none twice.
fn race(service: &dyn UnderTest, settings: &Value) -> Test {
    let workspace = service.workspace()?;
    workspace.write("seed.yaml", &many(service, KEYS, settings)?)?;
    let start = || workspace.start("apply --format json --quiet");
    let both = [start()?, start()?];
    let mut created = Vec::new();
    for running in both {
        let report = running.finish()?.success()?;
        let report: Value = serde_json::from_str(&report).map_err(|err| err.to_string())?;
        let summary = report.get("summary").ok_or("no summary")?;
        let count = |name: &str| {
            summary
                .get(name)
                .and_then(Value::as_u64)
                .unwrap_or_default()
        };
        assert_eq!(
            count("created") + count("lost") + count("kept"),
            KEYS as u64,
            "{summary}"
        );
        created.push(count("created"));
    }
    let versions = service.versions()?;
    assert_eq!(versions.len(), KEYS);
    let twice: Vec<_> = versions.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert_eq!(created.iter().sum::<u64>(), KEYS as u64, "{created:?}");
    Ok(())
}
