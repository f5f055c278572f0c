//! Vault and `OpenBao` KV version 2 as a secret backend.
