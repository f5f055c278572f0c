//! A client for what a server holds, so that a test sees it without the code that it judges.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use ureq::tls::{PemItem, RootCerts, TlsConfig};
use ureq::{Agent, http};

/// A blocking client of one server.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    address: String,
}

impl Client {
    /// Makes a client of the server at `address`, which trusts the certificates in `authority` (PEM) alone.
    pub fn new(address: &str, authority: Option<&[u8]>) -> Self {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_mins(1)))
            .proxy(None)
            .allow_non_standard_methods(true);
        if let Some(pem) = authority {
            let mut certificates = Vec::new();
            for item in ureq::tls::parse_pem(pem) {
                if let Ok(PemItem::Certificate(certificate)) = item {
                    certificates.push(certificate);
                }
            }
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let tls = TlsConfig::builder()
                .unversioned_rustls_crypto_provider(provider)
                .root_certs(RootCerts::new_with_certs(&certificates));
            config = config.tls_config(tls.build());
        }
        Self {
            agent: config.build().new_agent(),
            address: address.to_owned(),
        }
    }

    /// Sends one request; `Value::Null` is no body.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Result<Answer, String> {
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.send_text(method, path, headers, text)
    }

    /// Sends one request whose body is this text, to the byte.
    pub fn send_text(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Answer, String> {
        let url = format!("{}{path}", self.address);
        let failed = |what: String| format!("{method} {url}: {what}");
        let mut request = http::Request::builder().method(method).uri(&url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).map_err(|err| failed(err.to_string()))?;
        let mut response = self
            .agent
            .run(request)
            .map_err(|err| failed(err.to_string()))?;
        let limit = 64 * 1024 * 1024;
        let body = response.body_mut().with_config().limit(limit).read_to_vec();
        Ok(Answer {
            status: response.status().as_u16(),
            request: format!("{method} {url}"),
            body: body.map_err(|err| failed(err.to_string()))?,
        })
    }
}

/// What a server answered.
#[derive(Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body's bytes.
    pub body: Vec<u8>,
    request: String,
}

impl Answer {
    /// The body as JSON, or null.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// Returns the JSON body when the status tells of success, and else an error that names request and status.
    pub fn success(&self) -> Result<Value, String> {
        if (200..300).contains(&self.status) {
            return Ok(self.json());
        }
        let body = String::from_utf8_lossy(&self.body);
        Err(format!("{}: status {}: {body}", self.request, self.status))
    }
}

/// What a body is that servers take with this method: a change is a merge patch, all else plain JSON.
pub(crate) fn content_type(method: &str) -> &'static str {
    match method {
        "PATCH" => "application/merge-patch+json",
        _ => "application/json",
    }
}

/// An allow-list: bodies hold values.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("request", &self.request)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
