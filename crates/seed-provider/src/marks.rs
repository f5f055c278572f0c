//! What every stored object carries, so that people and `seed` can tell whose it is.

use std::collections::BTreeMap;

/// The contract that an object belongs to, and the labels that the contract gives it.
///
/// An adapter writes [`Marks::to_labels`] in its backend's own way: as tags, labels or annotations.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Marks {
    /// The contract's name, a DNS label.
    pub contract: String,
    /// Further labels from the contract.
    pub labels: BTreeMap<String, String>,
}

impl Marks {
    /// The label that says which tool made an object.
    pub const MANAGED_BY: &'static str = "managed-by";
    /// The label that says which contract an object belongs to.
    pub const CONTRACT: &'static str = "seed-contract";

    /// Marks of a contract that gives no labels of its own.
    pub fn of(contract: impl Into<String>) -> Self {
        Self {
            contract: contract.into(),
            labels: BTreeMap::new(),
        }
    }

    /// All labels of an object. Those that say whose it is win over labels of the same name.
    pub fn to_labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.labels.clone();
        labels.insert(Self::MANAGED_BY.to_owned(), "seed".to_owned());
        labels.insert(Self::CONTRACT.to_owned(), self.contract.clone());
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_of_the_contract_cannot_hide_whose_an_object_is() {
        let mut marks = Marks::of("llm-platform");
        marks.labels.insert("team".to_owned(), "ml".to_owned());
        marks
            .labels
            .insert("managed-by".to_owned(), "nobody".to_owned());
        let labels = marks.to_labels();
        let pairs: Vec<(&str, &str)> = labels
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("managed-by", "seed"),
                ("seed-contract", "llm-platform"),
                ("team", "ml")
            ]
        );
    }
}
