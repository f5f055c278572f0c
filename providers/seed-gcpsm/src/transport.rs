//! One request and its answer, whatever its status.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Method, Url, redirect, retry};
use rustls::CertificateError;
use zeroize::Zeroizing;

use crate::clock::{Clock, Moment};
use crate::config::ConfigError;
use crate::place::Place;

/// Sends requests to one address.
pub(crate) struct Transport {
    client: reqwest::Client,
    address: Url,
    pub(crate) clock: Clock,
}

/// What came back. Its body is shown to nobody.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    /// When it was made, by the clock of whoever made it.
    pub(crate) date: Option<String>,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// Why there is no answer. No text of it can hold a body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Lost {
    /// The request could not be made. Nothing was sent.
    Built,
    /// The connection was not made. Nothing was sent.
    Connect(&'static str),
    /// TLS failed in a way that does not pass by waiting.
    Tls(&'static str),
    /// The connection broke after the request, or part of it, was sent.
    Cut,
    /// More than any answer that is meant.
    TooLarge,
}

/// One request: everything but whose it is.
pub(crate) struct Ask {
    pub(crate) method: Method,
    /// Below `/v1/`, of names that have no sign with a meaning in an address.
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<Zeroizing<Vec<u8>>>,
    /// When the claim was sent that it is done under: it is not sent any more when that is no longer young.
    pub(crate) claimed: Option<Moment>,
}

impl Transport {
    pub(crate) fn new(place: &Place) -> Result<Self, ConfigError> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // The libraries panic where nobody chose one. Whoever came before us in a race chose the same.
            drop(rustls::crypto::ring::default_provider().install_default());
        }
        let mut builder = reqwest::Client::builder()
            .tls_backend_rustls()
            .http1_only()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .connect_timeout(CONNECT)
            .user_agent(concat!("seed/", env!("CARGO_PKG_VERSION")));
        if place.is_here() {
            // A proxy would see the token and the values.
            builder = builder.no_proxy();
        }
        if place.address.scheme() == "http" {
            // Otherwise a machine without certificates of its own could make no client at all.
            builder = builder.tls_certs_only(Vec::new());
        }
        let client = builder.build().map_err(|_| {
            ConfigError::new(
                "no TLS client can be made from the certificates of this machine",
                "name a PEM file of trusted authorities with SSL_CERT_FILE",
            )
        })?;
        Ok(Self {
            client,
            address: place.address.clone(),
            clock: Clock::default(),
        })
    }

    /// Sends one request.
    pub(crate) async fn send(&self, ask: &Ask, headers: HeaderMap) -> Result<Answer, Lost> {
        let mut url = self.address.clone();
        url.set_path(&format!("/v1/{}", ask.path));
        url.set_query(Some("$alt=json;enum-encoding=int"));
        for (name, value) in &ask.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let mut request = self
            .client
            .request(ask.method.clone(), url)
            .headers(headers);
        if let Some(body) = &ask.body {
            request = request
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_vec());
        }
        let sent = request.send().await;
        let mut answer = sent.map_err(|err| cause(&err))?;
        let headers = answer.headers();
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let id = ["x-goog-request-id", "x-request-id"]
            .into_iter()
            .find_map(text);
        let seconds = text(RETRY_AFTER.as_str()).and_then(|text| text.trim().parse().ok());
        let date = text(DATE.as_str()).map(str::to_owned);
        let (request_id, retry_after) = (
            id.filter(|id| is_id(id)).map(str::to_owned),
            seconds.map(Duration::from_secs),
        );
        // Room for all of it: a buffer that grows leaves copies behind.
        let announced = answer.content_length();
        let announced = announced.and_then(|length| usize::try_from(length).ok());
        let mut body = Zeroizing::new(Vec::with_capacity(announced.unwrap_or(1024).min(LARGEST)));
        while let Some(piece) = answer.chunk().await.map_err(|err| cause(&err))? {
            if body.len() + piece.len() > LARGEST {
                return Err(Lost::TooLarge);
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer {
            status: answer.status().as_u16(),
            request_id,
            retry_after,
            date,
            body,
        })
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("address", &self.address.as_str())
            .finish_non_exhaustive()
    }
}

/// What is behind an error of the client.
fn cause(whole: &reqwest::Error) -> Lost {
    let mut plain = None;
    for err in beneath(whole) {
        if let Some(tls) = err.downcast_ref::<rustls::Error>() {
            // Once the server has let us in, a broken record tells nothing about what it has done.
            return match (tls, whole.is_connect()) {
                (rustls::Error::InvalidCertificate(why), _) => Lost::Tls(untrusted(why)),
                (_, true) => Lost::Tls(NO_TLS),
                (_, false) => Lost::Cut,
            };
        }
        if let Some(io) = err.downcast_ref::<io::Error>() {
            plain = Some(io.kind());
        }
    }
    if whole.is_connect() {
        return Lost::Connect(match plain {
            Some(io::ErrorKind::ConnectionRefused) => "the connection was refused",
            Some(_) | None => {
                "no connection could be made; is the network there, and the address right?"
            }
        });
    }
    if whole.is_builder() {
        return Lost::Built;
    }
    Lost::Cut
}

/// Whether an error is that a server's certificate is not trusted.
pub(crate) fn is_distrust(whole: &(dyn StdError + 'static)) -> bool {
    let tls = beneath(whole).find_map(|err| err.downcast_ref::<rustls::Error>());
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
}

/// Whether an error is that no connection was made.
pub(crate) fn is_unconnected(whole: &(dyn StdError + 'static)) -> bool {
    let of_client = beneath(whole).find_map(|err| err.downcast_ref::<reqwest::Error>());
    of_client.is_some_and(reqwest::Error::is_connect)
}

/// An error and all that is behind it.
fn beneath<'a>(
    whole: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(whole), |err: &&'a (dyn StdError + 'static)| {
        behind(*err)
    })
}

/// What an I/O error wraps is not its source, and it may wrap another one.
fn behind<'a>(err: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match err.downcast_ref::<io::Error>() {
        Some(io) => {
            let inner: &'a (dyn StdError + 'static) = io.get_ref()?;
            Some(inner)
        }
        None => err.source(),
    }
}

fn untrusted(why: &CertificateError) -> &'static str {
    use CertificateError as Of;
    if matches!(why, Of::UnknownIssuer | Of::BadSignature) {
        "the server's certificate is not trusted: its issuer is unknown; name its authority with SSL_CERT_FILE"
    } else if matches!(why, Of::NotValidForName | Of::NotValidForNameContext { .. }) {
        "the server's certificate is for another name; check the endpoint, or what stands between"
    } else if matches!(why, Of::Expired | Of::ExpiredContext { .. }) {
        "the server's certificate has expired; renew it, or check the clock"
    } else {
        "the server's certificate is not trusted; check the endpoint, or what stands between"
    }
}

/// Whether a text is an id, and not something else that was put into its place.
pub(crate) fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_hexdigit() || c == '-';
    (1..=64).contains(&text.len()) && text.chars().all(plain)
}

/// A service that does not even take the connection is not there.
const CONNECT: Duration = Duration::from_secs(5);
/// A thousand times the largest entry: a list may have 25,000 names on one page.
const LARGEST: usize = 64 * 1024 * 1024;
const NO_TLS: &str = "TLS failed; check that the address is that of a server with TLS";
