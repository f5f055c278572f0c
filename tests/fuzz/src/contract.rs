//! Whole contracts: read, resolved, planned, written as manifests, and written back.

use std::collections::{BTreeMap, BTreeSet};

use seed_core::contract::{Contract, parse};
use seed_core::facts::Facts;
use seed_core::inventory::Inventory;
use seed_core::manifest::{EsoVersion, Options, Output, With, emit};
use seed_core::plan::{Input, plan};
use seed_core::resolve::{Availability, Request, Resolved, resolve};
use seed_core::yaml::{self, Limits};

use crate::expect_places;

/// A line that ends the contract; what follows are facts.
const FACTS: &str = "\n#### facts\n";

/// Reads bytes as a contract, with facts behind it where there are any, and does with it all that needs no backend.
pub fn contract(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let (source, facts) = text.split_once(FACTS).unwrap_or((text, ""));
    let (contract, warnings) = match parse(source) {
        Ok(read) => read,
        Err(found) => {
            assert!(found.has_errors(), "refused without an error");
            expect_places(source, found.iter());
            assert_eq!(parse(source).err(), Some(found), "refused in two ways");
            return;
        }
    };
    assert!(!warnings.has_errors(), "accepted with an error");
    expect_places(source, warnings.iter());
    let (written, again) = written_back(&contract);
    for request in requests(&contract, facts) {
        let first = outcome(&contract, source, &request);
        let second = outcome(&contract, source, &request);
        assert_eq!(first, second, "resolved in two ways");
        let copy = outcome(&again, &written, &request);
        assert_eq!(
            first.is_ok(),
            copy.is_ok(),
            "written back it is another contract\n{written}\n{first:?}\n{copy:?}"
        );
        if let (Ok(first), Ok(copy)) = (&first, &copy) {
            assert_eq!(first, copy, "written back it means something else");
        }
    }
}

/// What was accepted is written so that it is read as the same again.
fn written_back(contract: &Contract) -> (String, Contract) {
    let written = contract.to_yaml();
    let again = match parse(&written) {
        Ok((again, _)) => again,
        Err(found) => panic!("what was written is refused: {found}\n{written}"),
    };
    assert!(again == *contract, "written back it differs\n{written}");
    assert_eq!(again.to_yaml(), written, "written again it differs");
    (written, again)
}

fn requests(contract: &Contract, facts: &str) -> Vec<Request> {
    let mut all = contract.defaults.clone();
    if let Ok(more) = Facts::parse(facts) {
        all.merge(more);
    }
    let request = |env: Option<&str>, backend: Option<String>| Request {
        env: env.map(str::to_owned),
        facts: all.clone(),
        backend,
        ..Request::default()
    };
    let backends = contract.backends.keys().take(6).cloned();
    let mut requests = vec![request(None, None), request(Some("dev"), None)];
    requests.extend(backends.map(|name| request(Some("dev"), Some(name))));
    requests
}

/// The plan on empty backends and all manifests, or what is wrong.
fn outcome(contract: &Contract, source: &str, request: &Request) -> Result<String, String> {
    match resolve(contract, source, request) {
        Ok((resolved, warnings)) => {
            expect_places(source, warnings.iter());
            Ok(format!("{}{}", planned(&resolved), emitted(&resolved)))
        }
        Err(found) => {
            assert!(found.has_errors(), "refused without an error");
            expect_places(source, found.iter());
            Err(found.to_string())
        }
    }
}

fn planned(resolved: &Resolved) -> String {
    let names = resolved.backends.keys().cloned();
    let empty: BTreeMap<String, Inventory> =
        names.map(|name| (name, Inventory::default())).collect();
    let given = BTreeSet::new();
    let plan = plan(Input::new(resolved, &empty, &given));
    assert_eq!(
        plan.steps.len(),
        resolved.values().count(),
        "a value is not in the plan"
    );
    format!("{plan:?}\n")
}

fn emitted(resolved: &Resolved) -> String {
    let versions = [EsoVersion::LATEST, EsoVersion::OLDEST];
    let texts = versions.map(|version| {
        let options = Options {
            version,
            available: Availability::default(),
            with: With::default(),
        };
        match emit(resolved, &options) {
            Ok(output) => readable(&output),
            Err(err) => format!("{err}\n"),
        }
    });
    texts.concat()
}

/// Every manifest is YAML, and lies in the directory of its namespace.
fn readable(output: &Output) -> String {
    let files = output.manifests.iter().chain([&output.kustomization]);
    let texts = files.map(|file| {
        let read = yaml::parse(&file.text, Limits::default());
        assert!(read.is_ok(), "no YAML: {read:?}\n{}", file.text);
        let parts = file.path.split('/');
        assert!(
            parts
                .clone()
                .all(|part| !part.is_empty() && part != ".." && part != "."),
            "{} is no path",
            file.path
        );
        format!("{}\n{}", file.path, file.text)
    });
    texts.collect()
}
