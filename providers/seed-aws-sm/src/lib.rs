//! AWS Secrets Manager as a secret backend.
