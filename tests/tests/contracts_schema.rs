//! The JSON Schema that `seed schema` prints, in the hands of an independent validator.
#![expect(clippy::unwrap_used, reason = "a test may panic, and says so")]

use std::path::{Path, PathBuf};

use jsonschema::Validator;
use seed_tests::binary::seed_binary;
use seed_tests::cli::Sealed;
use seed_tests::{shared, yaml};

#[test]
fn every_contract_of_the_repository_is_accepted() {
    let schema = schema();
    let contracts = files(&shared::repository().unwrap().join("contracts"));
    assert!(!contracts.is_empty());
    for contract in contracts {
        assert_eq!(
            refusals(&schema, &contract),
            [""; 0],
            "{}",
            contract.display()
        );
    }
}

#[test]
fn the_contract_that_the_broken_ones_come_from_is_accepted() {
    assert_eq!(refusals(&schema(), &data("sound.yaml")), [""; 0]);
}

#[test]
fn every_broken_contract_is_refused() {
    let schema = schema();
    let broken = files(&data("broken-schema"));
    assert_eq!(broken.len(), 10);
    for contract in broken {
        assert_ne!(
            refusals(&schema, &contract),
            [""; 0],
            "{}",
            contract.display()
        );
    }
}

/// Each must differ from the sound contract, or its refusal would prove nothing.
#[test]
fn every_broken_contract_is_one_change_from_the_sound_one() {
    let sound = std::fs::read_to_string(data("sound.yaml")).unwrap();
    for contract in files(&data("broken-schema")) {
        let broken = std::fs::read_to_string(&contract).unwrap();
        let diff = similar::TextDiff::from_lines(&sound, &broken);
        let changed = diff
            .ops()
            .iter()
            .filter(|op| op.tag() != similar::DiffTag::Equal)
            .count();
        assert_eq!(changed, 1, "{}", contract.display());
    }
}

fn schema() -> Validator {
    let root = shared::repository().unwrap();
    let seed = Sealed::new(&seed_binary().unwrap()).unwrap();
    let text = seed.run(&root, ["schema"]).unwrap().success().unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

fn refusals(schema: &Validator, contract: &Path) -> Vec<String> {
    let contract = yaml::file(contract).unwrap();
    schema
        .iter_errors(&contract)
        .map(|err| format!("{}: {err}", err.instance_path()))
        .collect()
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(name)
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    files
}
