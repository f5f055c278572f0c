//! The contract between seed and a secret backend.
