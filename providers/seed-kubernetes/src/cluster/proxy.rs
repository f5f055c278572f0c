//! Through which proxy, if any.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use kube::config::Config;

/// The proxy that the kubeconfig names, or the one that `HTTPS_PROXY` and `NO_PROXY` name for this server.
///
/// kube asks `NO_PROXY` about the proxy instead of the server, so what it found is not taken. As with other clients of
/// Kubernetes, this machine itself is never reached through a proxy of the environment.
pub(super) fn of(config: &Config) -> Option<Uri> {
    let host = config.cluster_url.host().unwrap_or_default();
    let here = host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback());
    if here {
        return None;
    }
    let through = Matcher::from_env().intercept(&config.cluster_url)?;
    Some(through.uri().clone())
}
