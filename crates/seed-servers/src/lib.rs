//! Real servers, started for tests only.
