//! Google Secret Manager as a secret backend.
