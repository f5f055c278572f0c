//! Two `seed apply` that meet each other on 1,000 missing keys, in every backend that is a service.
//!
//! On stand-ins ten times; on real servers, which `make e2e` asks, as often as `RACES` says.

use std::collections::BTreeMap;

use seed_fakes::{AwsSm, GcpSm, Kubernetes, vault};
use seed_servers::{KubeApiserver, Moto, Vault};
use seed_tests::service::{self, UnderTest, contract, many, unpaced};
use seed_tests::stands::{Stand, World};
use seed_tests::workspace::Workspace;
use serde_json::Value;

type Test = Result<(), String>;

const KEYS: usize = 1000;

#[test]
fn two_runs_share_1000_keys_in_a_vault_that_is_a_stand_in() -> Test {
    ten_times::<vault::Vault>()
}

#[test]
fn two_runs_share_1000_keys_in_a_kubernetes_that_is_a_stand_in() -> Test {
    ten_times::<Kubernetes>()
}

#[test]
fn two_runs_share_1000_keys_in_an_aws_that_is_a_stand_in() -> Test {
    ten_times::<AwsSm>()
}

#[test]
fn two_runs_share_1000_keys_in_a_google_that_is_a_stand_in() -> Test {
    ten_times::<GcpSm>()
}

#[test]
#[ignore = "needs `make servers`"]
fn two_runs_share_1000_keys_in_vault() -> Test {
    let vault = Vault::shared()?;
    for _ in 0..service::races()? {
        let mount = vault.mount()?;
        let (address, token) = (vault.address(), vault.token());
        on_a_server(&service::Vault::new(address, token, mount.path()))?;
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
        on_a_server(&service.with_history()?)?;
    }
    Ok(())
}

#[test]
#[ignore = "needs `make servers`"]
fn two_runs_share_1000_keys_in_aws_secrets_manager() -> Test {
    // Less is stored than in the one that others share, and lists tell of all.
    let moto = Moto::start()?;
    for _ in 0..service::races()? {
        on_a_server(&service::AwsSm::new(moto.address(), &moto.prefix()))?;
    }
    Ok(())
}

#[test]
fn eight_runs_share_1000_keys_in_a_google_that_is_a_stand_in() -> Test {
    for _ in 0..service::races()? {
        meet::<GcpSm>(8, |_| {})?;
    }
    Ok(())
}

#[test]
fn two_runs_share_1000_empty_secrets_of_a_google_that_is_a_stand_in() -> Test {
    for _ in 0..service::races()? {
        meet::<GcpSm>(2, of_infrastructure_code)?;
    }
    Ok(())
}

#[test]
fn eight_runs_share_1000_empty_secrets_of_a_google_that_is_a_stand_in() -> Test {
    for _ in 0..service::races()? {
        meet::<GcpSm>(8, of_infrastructure_code)?;
    }
    Ok(())
}

/// All secrets are there, and none has a version.
fn of_infrastructure_code(google: &GcpSm) {
    for key in 0..KEYS {
        google.put_shell(&format!("key-{key}"));
    }
}

fn ten_times<S: Stand>() -> Test {
    for _ in 0..10 {
        meet::<S>(2, |_| {})?;
    }
    Ok(())
}

/// So many runs before one stand-in, which was prepared for them.
fn meet<S: Stand>(runs: usize, prepare: impl Fn(&S)) -> Test {
    let world = World::on(S::empty().serve(), &unpaced(), &many(KEYS))?;
    prepare(world.server.service());
    let created = race(&world.workspace, runs)?;
    let kept = world.server.service().kept().into_iter();
    let versions = kept.map(|(name, kept)| (name, kept.versions)).collect();
    written_once(&versions, &created);
    Ok(())
}

fn on_a_server(service: &dyn UnderTest) -> Test {
    let workspace = service.workspace()?;
    workspace.write("seed.yaml", &contract(service, &unpaced(), &many(KEYS))?)?;
    let created = race(&workspace, 2)?;
    written_once(&service.versions()?, &created);
    Ok(())
}

/// All must end with 0. Tells how many keys each says that it has created.
fn race(workspace: &Workspace, runs: usize) -> Result<Vec<u64>, String> {
    let start = |_| workspace.start("apply --format json --quiet");
    let all = (0..runs).map(start).collect::<Result<Vec<_>, _>>()?;
    let mut created = Vec::new();
    for running in all {
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
    Ok(created)
}

/// Each key is there, none was written twice, and each was created by one of them.
fn written_once(versions: &BTreeMap<String, usize>, created: &[u64]) {
    assert_eq!(versions.len(), KEYS);
    let twice: Vec<_> = versions.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    assert_eq!(created.iter().sum::<u64>(), KEYS as u64, "{created:?}");
}
