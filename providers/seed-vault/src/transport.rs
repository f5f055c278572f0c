//! One request and its answer, whatever its status, through `rustify`.

use std::fmt;
use std::io;
use std::time::Duration;

use async_trait::async_trait;
use http::header::{CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER};
use http::uri::PathAndQuery;
use http::{Request, Response, Uri};
use reqwest::Url;
use rustify::client::Client;
use rustify::endpoint::{Endpoint, MiddleWare};
use rustify::errors::ClientError;
use zeroize::Zeroizing;

use crate::answer::Answer;
use crate::place::Place;
use crate::tls::Tls;

/// Sends requests to one server.
///
/// Not `rustify`'s own client, which puts what a server answered into its errors.
pub(crate) struct Transport {
    client: reqwest::Client,
    base: Url,
    prefix: String,
}

/// Why there is no answer. No text of it can hold a body.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Lost {
    /// The request could not be made. Nothing was sent.
    #[error("the request cannot be made")]
    Built,
    /// The connection was not made. Nothing was sent.
    #[error("{0}")]
    Connect(String),
    /// TLS failed in a way that does not pass by waiting.
    #[error("{0}")]
    Tls(String),
    /// The connection broke after the request, or part of it, was sent.
    #[error("the connection broke before the answer was complete")]
    Cut,
    /// The client's own deadline.
    #[error("there was no answer in time")]
    Late,
    /// More than any answer that is meant.
    #[error("the answer is too large")]
    TooLarge,
}

impl Transport {
    pub(crate) fn new(place: &Place, tls: Tls) -> Self {
        Self {
            client: tls.client,
            base: tls.base,
            prefix: place.prefix.clone(),
        }
    }

    /// Sends one request.
    pub(crate) async fn send_once<E: Endpoint>(
        &self,
        endpoint: E,
        head: &Head<'_>,
    ) -> Result<Answer, Lost> {
        let middle = Middle {
            head,
            prefix: &self.prefix,
        };
        let answered = endpoint.with_middleware(&middle).exec(self).await;
        let mut response = answered.map_err(lost)?.response;
        let headers = response.headers();
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let id = ["x-vault-request-id", "x-request-id"]
            .into_iter()
            .find_map(text);
        let seconds = text(RETRY_AFTER.as_str()).and_then(|text| text.trim().parse().ok());
        let location = text(LOCATION.as_str()).and_then(|text| Url::parse(text).ok());
        Ok(Answer {
            status: response.status().as_u16(),
            request_id: id.filter(|id| is_id(id)).map(str::to_owned),
            retry_after: seconds.map(Duration::from_secs),
            redirected_to: location.and_then(|url| url.host_str().map(str::to_owned)),
            body: Zeroizing::new(std::mem::take(response.body_mut())),
        })
    }

    async fn exchange(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Lost> {
        let request = reqwest::Request::try_from(request).map_err(|_| Lost::Built)?;
        let mut answer = self
            .client
            .execute(request)
            .await
            .map_err(|err| cause(&err))?;
        let mut response = Response::new(Vec::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        // Room for all of it: a buffer that grows leaves copies behind.
        let announced = answer
            .content_length()
            .and_then(|length| usize::try_from(length).ok());
        let mut body = Zeroizing::new(Vec::with_capacity(announced.unwrap_or(1024).min(LARGEST)));
        while let Some(piece) = answer.chunk().await.map_err(|err| cause(&err))? {
            if body.len() + piece.len() > LARGEST {
                return Err(Lost::TooLarge);
            }
            body.extend_from_slice(&piece);
        }
        *response.body_mut() = std::mem::take(&mut *body);
        Ok(response)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("base", &self.base.as_str())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Client for Transport {
    async fn send(&self, req: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ClientError> {
        self.exchange(req)
            .await
            .map_err(|lost| ClientError::GenericError {
                source: lost.into(),
            })
    }

    fn base(&self) -> &str {
        self.base.as_str()
    }

    /// Every status is an answer: what it means is for the verb to say.
    async fn execute(&self, req: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, ClientError> {
        self.send(req).await
    }
}

/// What goes with a request beside its path and body.
#[derive(Default)]
pub(crate) struct Head<'a> {
    pub(crate) token: Option<&'a HeaderValue>,
    pub(crate) namespace: Option<&'a str>,
}

struct Middle<'a> {
    head: &'a Head<'a>,
    prefix: &'a str,
}

impl MiddleWare for Middle<'_> {
    fn request<E: Endpoint>(
        &self,
        endpoint: &E,
        req: &mut Request<Vec<u8>>,
    ) -> Result<(), ClientError> {
        let refused = || ClientError::GenericError {
            source: Lost::Built.into(),
        };
        let path = req.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        let path = format!("{}/v1{path}", self.prefix);
        let mut parts = req.uri().clone().into_parts();
        parts.path_and_query = Some(path.parse().map_err(|_| refused())?);
        *req.uri_mut() = Uri::from_parts(parts).map_err(|_| refused())?;
        let headers = req.headers_mut();
        headers.insert("x-vault-request", HeaderValue::from_static("true"));
        if let Some(token) = self.head.token {
            headers.insert("x-vault-token", token.clone());
        }
        if let Some(namespace) = self.head.namespace {
            let namespace = HeaderValue::from_str(namespace).map_err(|_| refused())?;
            headers.insert("x-vault-namespace", namespace);
        }
        let patch = matches!(endpoint.method(), rustify::enums::RequestMethod::PATCH);
        let kind = if patch {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        Ok(())
    }

    fn response<E: Endpoint>(
        &self,
        _endpoint: &E,
        _resp: &mut Response<Vec<u8>>,
    ) -> Result<(), ClientError> {
        Ok(())
    }
}

fn lost(err: ClientError) -> Lost {
    match err {
        ClientError::GenericError { source } => source
            .downcast_ref::<Lost>()
            .cloned()
            .unwrap_or(Lost::Built),
        // All others are about a request that was not sent: answers are not parsed here.
        ClientError::DataParseError { .. }
        | ClientError::EndpointBuildError { .. }
        | ClientError::RequestError { .. }
        | ClientError::RequestBuildError { .. }
        | ClientError::ReqwestBuildError { .. }
        | ClientError::ResponseError { .. }
        | ClientError::ResponseConversionError { .. }
        | ClientError::ResponseParseError { .. }
        | ClientError::ServerResponseError { .. }
        | ClientError::UrlBuildError { .. }
        | ClientError::UrlQueryParseError { .. }
        | ClientError::UrlParseError { .. } => Lost::Built,
    }
}

/// What is behind an error of the client.
fn cause(whole: &reqwest::Error) -> Lost {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(whole);
    let mut plain = None;
    while let Some(err) = next {
        if let Some(tls) = err.downcast_ref::<rustls::Error>() {
            // Once the server has let us in, a broken record tells nothing about what it has done.
            return if whole.is_connect() || lets_nobody_in(tls) {
                of_tls(tls)
            } else {
                Lost::Cut
            };
        }
        // What an I/O error wraps is not its source, and it may wrap another one.
        next = match err.downcast_ref::<io::Error>() {
            Some(io) => {
                plain = Some(io.kind());
                io.get_ref()
                    .map(|inner| inner as &(dyn std::error::Error + 'static))
            }
            None => err.source(),
        };
    }
    if whole.is_connect() {
        return Lost::Connect(match plain {
            Some(io::ErrorKind::ConnectionRefused) => {
                "the connection was refused; check the address, and that the server runs".to_owned()
            }
            Some(
                kind @ (io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::TimedOut),
            ) => {
                format!("no connection could be made: {kind}; check the address, and the network")
            }
            Some(_) | None => {
                "no connection could be made; check the address, and that its host exists"
                    .to_owned()
            }
        });
    }
    if whole.is_timeout() {
        return Lost::Late;
    }
    if whole.is_builder() {
        return Lost::Built;
    }
    Lost::Cut
}

/// Whether it is an error of the handshake, so that the request was not looked at.
fn lets_nobody_in(err: &rustls::Error) -> bool {
    use rustls::{AlertDescription, Error};
    matches!(
        err,
        Error::InvalidCertificate(_)
            | Error::AlertReceived(
                AlertDescription::CertificateRequired
                    | AlertDescription::BadCertificate
                    | AlertDescription::UnknownCA
            )
    )
}

fn of_tls(err: &rustls::Error) -> Lost {
    use rustls::{AlertDescription, CertificateError, Error};
    let text = if let Error::InvalidCertificate(why) = err {
        let expired = matches!(
            why,
            CertificateError::Expired | CertificateError::ExpiredContext { .. }
        );
        let named = matches!(
            why,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
        );
        if named {
            "the server's certificate is for another name; check the address, or set `VAULT_TLS_SERVER_NAME`"
        } else if expired {
            "the server's certificate has expired; renew it"
        } else if matches!(
            why,
            CertificateError::UnknownIssuer | CertificateError::BadSignature
        ) {
            "the server's certificate is not trusted: its issuer is unknown; name its authority with `VAULT_CACERT`"
        } else {
            "the server's certificate is not valid; name its authority with `VAULT_CACERT`, or give the server another one"
        }
    } else if matches!(
        err,
        Error::AlertReceived(
            AlertDescription::CertificateRequired | AlertDescription::BadCertificate
        )
    ) {
        "the server wants another client certificate; set `VAULT_CLIENT_CERT` and `VAULT_CLIENT_KEY`"
    } else {
        "TLS failed; check that the address is that of a server with TLS"
    };
    Lost::Tls(text.to_owned())
}

/// Whether a text is an id, and not something else that a server put into its place.
pub(crate) fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_hexdigit() || c == '-';
    (1..=64).contains(&text.len()) && text.chars().all(plain)
}

/// Sixty-four times the largest entry: a folder may have many names.
const LARGEST: usize = 64 * 1024 * 1024;
