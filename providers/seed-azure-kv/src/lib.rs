//! Azure Key Vault as a secret backend.
