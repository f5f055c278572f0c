//! Secrets of one Kubernetes namespace as a secret backend.
