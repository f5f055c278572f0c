//! A kubeconfig, and how requests are sent.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may give up"
)]

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use seed_kubernetes::CAPABILITIES;
use seed_provider::{Backoff, Policy};

/// The namespace of all tests.
pub(crate) const NAMESPACE: &str = "llm";

/// Writes a kubeconfig with the one context `dev`.
pub(crate) fn write_kubeconfig(
    directory: &Path,
    url: &str,
    authority: &str,
    user: &serde_json::Value,
) -> std::path::PathBuf {
    let mut cluster = serde_json::json!({"server": url});
    if !authority.is_empty() {
        let path = directory.join("authority.pem");
        std::fs::write(&path, authority).unwrap();
        cluster["certificate-authority"] = serde_json::json!(path);
    }
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "dev",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u"}}],
    });
    let path = directory.join("kubeconfig");
    std::fs::write(&path, config.to_string()).unwrap();
    path
}

/// Short pauses, and two attempts.
pub(crate) fn policy() -> Policy {
    Policy {
        pace: CAPABILITIES.pace,
        burst: 1,
        concurrency: CAPABILITIES.concurrency,
        deadline: Duration::from_secs(10),
        backoff: Backoff {
            attempts: NonZeroU32::MIN.saturating_add(1),
            first: Duration::from_millis(1),
            longest: Duration::from_millis(2),
        },
        patience: Duration::from_millis(500),
        jitter: Arc::new(|longest| longest),
    }
}
