//! Crates depend on each other one way, and the core depends on nothing that does I/O.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "where cargo's answer has another shape, the test must fail"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Crates that do I/O, run async code, or read clocks and environments.
const IMPURE: [&str; 24] = [
    "age",
    "anstream",
    "async-std",
    "chrono",
    "clap",
    "dirs",
    "etcetera",
    "futures",
    "hyper",
    "mio",
    "native-tls",
    "nix",
    "openssl",
    "reqwest",
    "rustix",
    "rustls",
    "smol",
    "socket2",
    "tempfile",
    "tokio",
    "tokio-util",
    "tracing",
    "ureq",
    "walkdir",
];

/// Which of our crates may depend on which, tests aside.
const ALLOWED: [(&str, &[&str]); 14] = [
    ("seed-core", &[]),
    ("seed-provider", &["seed-core"]),
    ("seed-engine", &["seed-core", "seed-provider"]),
    ("seed-aws-sm", &["seed-core", "seed-provider"]),
    ("seed-azure-kv", &["seed-core", "seed-provider"]),
    ("seed-gcpsm", &["seed-core", "seed-provider"]),
    ("seed-kubernetes", &["seed-core", "seed-provider"]),
    ("seed-local", &["seed-core", "seed-provider"]),
    ("seed-vault", &["seed-core", "seed-provider"]),
    (
        "seed-cli",
        &[
            "seed-core",
            "seed-provider",
            "seed-engine",
            "seed-aws-sm",
            "seed-azure-kv",
            "seed-gcpsm",
            "seed-kubernetes",
            "seed-local",
            "seed-vault",
        ],
    ),
    ("seed-fuzz", &["seed-core"]),
    // Tests only. What stands in for a service, or starts a real one, knows nothing of what it judges.
    ("seed-fakes", &[]),
    ("seed-servers", &[]),
    ("seed-tests", &["seed-fakes", "seed-servers"]),
];

/// What this toolchain builds for. What is for others only need not be downloaded here.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(output.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.unwrap().to_owned()
}

/// What cargo knows about the workspace: packages by id, and the normal dependencies of each.
struct Graph {
    names: BTreeMap<String, String>,
    normal: BTreeMap<String, Vec<String>>,
}

impl Graph {
    fn read() -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked", "--offline"])
            .args(["--filter-platform", &host()])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let names = metadata["packages"].as_array().unwrap();
        let names = names
            .iter()
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
        let normal = nodes
            .iter()
            .map(|node| (text(&node["id"]), normal(node)))
            .collect();
        Self { names, normal }
    }

    fn id(&self, name: &str) -> &String {
        self.names
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(id, _)| id)
            .unwrap()
    }

    /// The ids of all that a crate depends on; several versions of a crate have one name.
    fn below(&self, name: &str) -> BTreeSet<&String> {
        let mut seen = BTreeSet::new();
        let mut open = vec![self.id(name)];
        while let Some(id) = open.pop() {
            for next in &self.normal[id] {
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        seen
    }

    fn names(&self, ids: &BTreeSet<&String>) -> BTreeSet<&str> {
        ids.iter().map(|id| self.names[*id].as_str()).collect()
    }
}

fn normal(node: &Value) -> Vec<String> {
    let kinds = |dep: &&Value| {
        dep["dep_kinds"]
            .as_array()
            .unwrap()
            .iter()
            .any(|kind| kind["kind"].is_null())
    };
    let deps = node["deps"].as_array().unwrap();
    deps.iter()
        .filter(kinds)
        .map(|dep| dep["pkg"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_core_depends_on_nothing_that_does_io() {
    let graph = Graph::read();
    let below = graph.below("seed-core");
    let names = graph.names(&below);
    let impure: Vec<&str> = IMPURE
        .into_iter()
        .filter(|name| names.contains(name))
        .collect();
    assert!(impure.is_empty(), "seed-core depends on {impure:?}");
    // bcrypt brings it along; the core passes its own salt. A client of a service has uuid draw ids, and cargo makes one uuid
    // for all; the core draws none. Nothing else may bring it.
    let random: Vec<&str> = ["bcrypt", "uuid"]
        .into_iter()
        .filter(|name| graph.names(&graph.below(name)).contains("getrandom"))
        .collect();
    let direct = graph.normal.iter().filter(|(id, deps)| {
        below.contains(id) && deps.iter().any(|dep| graph.names[dep] == "getrandom")
    });
    let direct: Vec<&str> = direct
        .map(|(id, _)| graph.names[id].as_str())
        .filter(|name| *name != "rand")
        .collect();
    assert_eq!(
        direct, random,
        "only bcrypt and uuid may bring the operating system's randomness into the core"
    );
}

#[test]
fn our_crates_depend_on_each_other_one_way() {
    let graph = Graph::read();
    for (name, allowed) in ALLOWED {
        let deps = graph.normal[graph.id(name)]
            .iter()
            .map(|id| graph.names[id].as_str());
        let ours: BTreeSet<&str> = deps.filter(|dep| dep.starts_with("seed-")).collect();
        let wrong: Vec<&&str> = ours.iter().filter(|dep| !allowed.contains(dep)).collect();
        assert!(wrong.is_empty(), "{name} must not depend on {wrong:?}");
    }
    let known: BTreeSet<&str> = ALLOWED.into_iter().map(|(name, _)| name).collect();
    let ours: BTreeSet<&str> = graph
        .names
        .values()
        .map(String::as_str)
        .filter(|name| name.starts_with("seed-"))
        .collect();
    assert_eq!(
        ours, known,
        "a new crate must say here what it may depend on"
    );
}
