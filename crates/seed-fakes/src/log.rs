//! What was asked.

use std::collections::BTreeMap;

/// One request, as the log has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Call {
    /// What the service calls it, such as `CreateSecret`.
    pub operation: String,
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The status that was answered; `None` while there is no answer, and when it was cut.
    pub status: Option<u16>,
    /// Whether the service saw the request.
    pub applied: bool,
    /// Whether the service is done with it.
    pub settled: bool,
}

/// All requests so far, in the order in which they came.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Log(pub Vec<Call>);

impl Log {
    /// How many requests there were.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many requests there were of each operation.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in &self.0 {
            *counts.entry(call.operation.clone()).or_default() += 1;
        }
        counts
    }

    /// How many requests there were of one operation.
    pub fn count(&self, operation: &str) -> usize {
        self.0
            .iter()
            .filter(|call| call.operation == operation)
            .count()
    }
}
