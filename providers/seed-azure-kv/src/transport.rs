//! What is under all requests of the Azure libraries: one TLS stack, no redirects, and a border that no body of an error
//! crosses.
//!
//! The libraries put the body of a refused request into their errors, and print it. So here an answer that is no success
//! becomes an error of our own kind, which has the service's codes and nothing else of it.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, HttpClient, Request, StatusCode, Url};
use azure_core::time::parse_rfc7231;
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;
use reqwest::{Certificate, redirect, retry};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::config::ConfigError;
use crate::place::Place;

/// An answer that is no success. Codes are words of the service's own; nothing else of the body is kept.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the request was refused")]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: Option<String>,
    pub(crate) inner: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    /// Whether it comes from where tokens are given, not from the vault.
    pub(crate) by_identity: bool,
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// Nothing was sent.
    #[error("{0}")]
    Connect(String),
    /// TLS failed in a way that does not pass by waiting. Nothing was sent.
    #[error("{0}")]
    Tls(String),
    /// The connection broke after the request, or part of it, was sent.
    #[error("the connection broke before the answer was complete")]
    Cut,
    /// The request would have gone to another host, with the token. Nothing was sent.
    #[error("the service names another host than the vault's own as its next page")]
    Elsewhere,
    /// The vault asks for a token that is not for it. Nothing more was sent.
    #[error("the vault asks for a token of another service, which it does not get")]
    Challenge,
    /// The look before this write is too long ago. Nothing was sent.
    #[error("the look before it is too long ago")]
    Late,
    /// More than any answer that is meant.
    #[error("the answer is too large")]
    TooLarge,
}

/// The tenant that the vault belongs to, by its own word.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owner(Arc<OnceLock<String>>);

impl Owner {
    pub(crate) fn tenant(&self) -> Option<String> {
        self.0.get().cloned()
    }

    /// Takes it from a challenge: what follows the host of the place to log in.
    fn learn(&self, challenge: &str) {
        let quoted = challenge
            .split_once("authorization=\"")
            .and_then(|(_, rest)| rest.split_once('"'));
        let url = quoted.and_then(|(address, _)| Url::parse(address).ok());
        let tenant = url.map(|url| url.path().trim_matches('/').to_owned());
        if let Some(tenant) = tenant.filter(|tenant| is_id(tenant)) {
            self.0.get_or_init(|| tenant);
        }
    }
}

tokio::task_local! {
    static UNTIL: Instant;
}

/// Makes calls none of whose requests is sent after that time.
pub(crate) async fn until<T>(time: Instant, calls: impl Future<Output = T>) -> T {
    UNTIL.scope(time, calls).await
}

/// Sends the requests of one library client.
pub(crate) struct Transport {
    client: reqwest::Client,
    /// The vault, or `None` for places that give tokens.
    vault: Option<(Arc<Place>, Clock, Owner)>,
}

impl Transport {
    pub(crate) fn to_vault(
        client: reqwest::Client,
        place: Arc<Place>,
        clock: Clock,
        owner: Owner,
    ) -> Self {
        Self {
            client,
            vault: Some((place, clock, owner)),
        }
    }

    pub(crate) fn to_identity(client: reqwest::Client) -> Self {
        Self {
            client,
            vault: None,
        }
    }

    async fn exchange(&self, request: &Request) -> Result<AsyncRawResponse, azure_core::Error> {
        if let Some((place, ..)) = &self.vault
            && !place.has(request.url())
        {
            return Err(wrapped(Lost::Elsewhere));
        }
        // Whatever else had to be waited for, such as a token, is there by now.
        if UNTIL.try_with(|until| Instant::now() > *until) == Ok(true) {
            return Err(wrapped(Lost::Late));
        }
        let sent = self.client.execute_request(request).await;
        let answer = sent.map_err(|err| wrapped(cause(&err)))?;
        let (status, headers, mut body) = answer.deconstruct();
        let mut whole = BytesMut::new();
        while let Some(piece) = body.try_next().await.map_err(|_| wrapped(Lost::Cut))? {
            if whole.len() + piece.len() > LARGEST {
                return Err(wrapped(Lost::TooLarge));
            }
            whole.extend_from_slice(&piece);
        }
        let text = |name: &'static str| headers.get_optional_str(&HeaderName::from_static(name));
        let by_identity = self.vault.is_none();
        let (code, inner) = codes(&whole, by_identity);
        if let Some((place, clock, owner)) = &self.vault {
            // What stands in between has another clock.
            if (status.is_success() || code.is_some())
                && let Some(date) = text("date").and_then(|text| parse_rfc7231(text).ok())
            {
                clock.learn(date.unix_timestamp());
            }
            if u16::from(status) == 401
                && let Some(challenge) = text("www-authenticate")
            {
                if !place.may_ask(challenge) {
                    return Err(wrapped(Lost::Challenge));
                }
                owner.learn(challenge);
                let challenge = challenge.to_owned();
                return Ok(cleaned(
                    status,
                    &[("www-authenticate", challenge)],
                    Bytes::new(),
                ));
            }
        }
        if status.is_success() {
            let json = "application/json".to_owned();
            return Ok(cleaned(status, &[("content-type", json)], whole.freeze()));
        }
        let id = text("x-ms-request-id").filter(|id| is_id(id));
        Err(wrapped(Refusal {
            status: status.into(),
            code,
            inner,
            request_id: id.map(str::to_owned),
            // Longer than any run waits is not waited for either.
            retry_after: text("retry-after")
                .and_then(|text| text.trim().parse().ok())
                .map(|seconds: u64| Duration::from_secs(seconds.min(3600))),
            by_identity,
        }))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpClient for Transport {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.exchange(request).await
    }
}

/// Which hosts a client is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reach<'a> {
    /// An address on the way to which the proxies of the environment count, but for this machine.
    Address(&'a Url),
    /// The endpoints of managed identities: always without a proxy, and not there on most machines.
    Machine,
}

/// A client with the one TLS stack. It sends each request once.
pub(crate) fn client(
    reach: Reach<'_>,
    authorities: Option<&Path>,
) -> Result<reqwest::Client, ConfigError> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // The client panics where nobody chose one. Whoever came before us in a race chose the same.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
    let mut builder = reqwest::Client::builder()
        .tls_backend_rustls()
        .http1_only()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false);
    builder = match reach {
        Reach::Address(url) => {
            let host = url.host_str().unwrap_or_default();
            if matches!(host, "localhost" | "127.0.0.1" | "[::1]") {
                builder = builder.no_proxy();
            }
            builder.connect_timeout(CONNECT)
        }
        Reach::Machine => builder.no_proxy().connect_timeout(NEAR),
    };
    if let Some(file) = authorities {
        let refused = |why: &str| {
            ConfigError::new(
                format!("the certificates in `{}` {why}", file.display()),
                "name a file of PEM certificates",
            )
        };
        let pem = std::fs::read(file).map_err(|_| refused("cannot be read"))?;
        let found = Certificate::from_pem_bundle(&pem).map_err(|_| refused("are no PEM"))?;
        builder = builder.tls_certs_only(found);
    }
    builder.build().map_err(|_| {
        ConfigError::new(
            "no TLS client can be made from the certificates of this machine",
            "name a file of PEM certificates in `SSL_CERT_FILE`",
        )
    })
}

const CONNECT: Duration = Duration::from_secs(5);
const NEAR: Duration = Duration::from_secs(1);
/// A page of 25 properties with 15 long tags each has a quarter of it.
const LARGEST: usize = 1 << 20;

fn wrapped(err: impl StdError + Send + Sync + 'static) -> azure_core::Error {
    azure_core::Error::new(azure_core::error::ErrorKind::Other, err)
}

fn cleaned(
    status: StatusCode,
    headers: &[(&'static str, String)],
    body: Bytes,
) -> AsyncRawResponse {
    let mut kept = Headers::new();
    for (name, value) in headers {
        kept.insert(
            HeaderName::from_static(name),
            HeaderValue::from(value.clone()),
        );
    }
    AsyncRawResponse::from_bytes(status, kept, body)
}

/// The service's own codes, where the body has some.
fn codes(body: &[u8], by_identity: bool) -> (Option<String>, Option<String>) {
    let Ok(body) = serde_json::from_slice::<serde_json::Value>(body) else {
        return (None, None);
    };
    let word = |value: Option<&serde_json::Value>| {
        let text = value?.as_str()?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        ((1..=64).contains(&text.len()) && text.chars().all(plain)).then(|| text.to_owned())
    };
    if by_identity {
        let numbers = body
            .get("error_codes")
            .and_then(|codes| codes.get(0)?.as_u64());
        let number = numbers.map(|number| format!("AADSTS{number}"));
        return (word(body.get("error")), number);
    }
    let error = body.get("error");
    let code = word(error.and_then(|error| error.get("code")));
    let inner = error.and_then(|error| error.get("innererror")?.get("code"));
    (code, word(inner))
}

fn is_id(id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=64).contains(&id.len()) && id.chars().all(plain)
}

/// What is behind an error of the client.
fn cause(err: &azure_core::Error) -> Lost {
    let Some(whole) = find::<reqwest::Error>(err) else {
        return Lost::Connect("the request cannot be made".to_owned());
    };
    if let Some(tls) = find::<rustls::Error>(whole) {
        // Once the server has let us in, a broken record tells nothing about what it has done.
        let outside = matches!(tls, rustls::Error::InvalidCertificate(_));
        if whole.is_connect() || outside {
            return of_tls(tls);
        }
        return Lost::Cut;
    }
    if whole.is_connect() {
        let why = find::<io::Error>(whole).map(io::Error::kind);
        return Lost::Connect(match why {
            Some(io::ErrorKind::ConnectionRefused) => "the connection was refused".to_owned(),
            Some(
                kind @ (io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::TimedOut),
            ) => format!("no connection could be made: {kind}"),
            Some(_) | None => "no connection could be made; does that host exist?".to_owned(),
        });
    }
    if whole.is_builder() {
        return Lost::Connect("the request cannot be made".to_owned());
    }
    Lost::Cut
}

fn of_tls(err: &rustls::Error) -> Lost {
    use rustls::{CertificateError, Error};
    let text = if let Error::InvalidCertificate(why) = err {
        let named = matches!(
            why,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
        );
        let expired = matches!(
            why,
            CertificateError::Expired | CertificateError::ExpiredContext { .. }
        );
        let unknown = matches!(
            why,
            CertificateError::UnknownIssuer | CertificateError::BadSignature
        );
        if named {
            "the server's certificate is for another name; check the address, and what stands in between"
        } else if expired {
            "the server's certificate has expired; renew it, or check the clock"
        } else if unknown {
            "the server's certificate is not trusted: its issuer is unknown; name its authority in `SSL_CERT_FILE`"
        } else {
            "the server's certificate is not valid; give the server another one, or name its authority in `SSL_CERT_FILE`"
        }
    } else if matches!(err, Error::InvalidMessage(_)) {
        "the server does not speak TLS; check the address"
    } else {
        "the server and seed agree on no TLS; check the address, and what stands in between"
    };
    Lost::Tls(text.to_owned())
}

/// Looks for one kind of cause. What is inside an input or output error is not its source.
pub(crate) fn find<'a, T: StdError + 'static>(err: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(err);
    while let Some(err) = next {
        if let Some(found) = err.downcast_ref() {
            return Some(found);
        }
        next = match err.downcast_ref::<io::Error>() {
            Some(outer) => outer
                .get_ref()
                .map(|inner| inner as &(dyn StdError + 'static)),
            None => err.source(),
        };
    }
    None
}
