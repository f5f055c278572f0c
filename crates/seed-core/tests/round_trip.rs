//! Contracts written and read again.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic, and says so"
)]

#[path = "support/contracts.rs"]
mod contracts;
#[path = "support/dice.rs"]
mod dice;

use dice::Dice;
use proptest::prelude::*;
use seed_core::contract::{Contract, parse};
use seed_core::yaml::{Style, write};
use serde_json::Value;

fn read(text: &str) -> Result<Contract, String> {
    match parse(text) {
        Ok((contract, _)) => Ok(contract),
        Err(errors) => Err(format!("{errors}\n{text}")),
    }
}

fn yaml(contract: &Value) -> String {
    write(contract, Style::Readable).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_gives_back_what_was_written(dice in Dice::strategy(400)) {
        let source = yaml(&contracts::contract(dice));
        let contract = read(&source).map_err(TestCaseError::fail)?;
        let written = contract.to_yaml();
        let again = read(&written).map_err(TestCaseError::fail)?;
        prop_assert!(again == contract, "{}\n---\n{}", source, written);
        prop_assert_eq!(again.to_yaml(), written);
    }
}
