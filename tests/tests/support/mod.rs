//! What test suites share that is not for others.

pub(crate) mod made_contracts;
