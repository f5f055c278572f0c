//! Through which proxy, if any.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use super::access::ConfigError;

/// The proxy that the kubeconfig names, or the one that `HTTPS_PROXY` and `NO_PROXY` name for this server.
///
/// kube asks `NO_PROXY` about the proxy instead of the server, so what it found is not taken. As with other clients of
/// Kubernetes, the proxy of the kubeconfig is for every server, and this machine itself is never reached through one of
/// the environment.
pub(super) fn of(named: Option<&str>, server: &Uri) -> Result<Option<Uri>, ConfigError> {
    if let Some(named) = named {
        let proxy = named.parse().ok().filter(is_known);
        let refused = || {
            ConfigError::new(
                "the `proxy-url` of the context's cluster is no proxy that seed knows",
                "it begins with `http://`, `https://` or `socks5://`",
            )
        };
        return proxy.ok_or_else(refused).map(Some);
    }
    if is_here(server) {
        return Ok(None);
    }
    let Some(through) = Matcher::from_env().intercept(server) else {
        return Ok(None);
    };
    let proxy = with_login(&through).filter(is_known).ok_or_else(|| {
        ConfigError::new(
            "the proxy of the environment is none that seed knows",
            "HTTPS_PROXY begins with `http://`, `https://` or `socks5://`; NO_PROXY names servers without a proxy",
        )
    })?;
    Ok(Some(proxy))
}

/// Those that kube can go through.
fn is_known(proxy: &Uri) -> bool {
    matches!(proxy.scheme_str(), Some("http" | "https" | "socks5")) && proxy.host().is_some()
}

fn is_here(server: &Uri) -> bool {
    let host = server.host().unwrap_or_default();
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

/// The address with the login in it, where kube looks for it.
fn with_login(through: &Intercept) -> Option<Uri> {
    let proxy = through.uri();
    let login = match (through.basic_auth(), through.raw_auth()) {
        (Some(basic), _) => {
            let encoded = basic.to_str().ok()?.strip_prefix("Basic ")?;
            let plain = STANDARD.decode(encoded).ok()?;
            let at = plain.iter().position(|byte| *byte == b':')?;
            let (user, password) = plain.split_at(at);
            format!("{}:{}@", escaped(user), escaped(password.get(1..)?))
        }
        (None, Some((user, password))) => {
            format!(
                "{}:{}@",
                escaped(user.as_bytes()),
                escaped(password.as_bytes())
            )
        }
        (None, None) => return Some(proxy.clone()),
    };
    let scheme = proxy.scheme_str()?;
    let authority = proxy.authority()?.as_str().rsplit('@').next()?;
    format!("{scheme}://{login}{authority}").parse().ok()
}

fn escaped(text: &[u8]) -> String {
    let mut escaped = String::new();
    for byte in text {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            escaped.push(char::from(*byte));
        } else {
            // Writing into a text cannot fail.
            let _written = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = "https://kube.example.com:6443";

    #[test]
    fn the_proxy_of_the_kubeconfig_is_for_every_server() {
        for server in [SERVER, "https://127.0.0.1:6443"] {
            let server = server.parse().unwrap();
            for named in [
                "http://user:a%40b@proxy:3128",
                "https://proxy",
                "socks5://[::1]:1080",
            ] {
                let found = of(Some(named), &server).unwrap().unwrap();
                assert_eq!(found, named);
            }
            for named in ["proxy:3128", "ftp://proxy", "http://", "no proxy"] {
                assert!(of(Some(named), &server).is_err(), "{named}");
            }
        }
    }

    #[test]
    fn a_login_at_the_proxy_of_the_environment_is_kept() {
        let server = SERVER.parse().unwrap();
        for (named, wanted) in [
            (
                "http://user:a%40b@proxy:3128",
                "http://user:a%40b@proxy:3128",
            ),
            ("proxy:3128", "http://proxy:3128"),
            ("socks5://u:p@proxy:1080", "socks5://u:p@proxy:1080"),
        ] {
            let matcher = Matcher::builder().all(named).build();
            let through = matcher.intercept(&server).unwrap();
            assert_eq!(with_login(&through).unwrap(), wanted);
        }
    }
}
