//! One age-encrypted file as a secret backend.
