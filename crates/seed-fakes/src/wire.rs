//! Answers on their way: whole, slow, in half.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::HeaderMap;
use hyper::body::{Bytes, Frame};
use hyper::header::{HeaderName, HeaderValue};

use crate::{Answer, Request};

pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

pub(crate) fn plain(answer: &Answer) -> hyper::Response<Body> {
    let body = Full::new(Bytes::from(answer.body.clone()));
    let body = body.map_err(|never: Infallible| match never {});
    let behind = trailers(answer);
    if behind.is_empty() {
        return response(answer, body.boxed_unsync());
    }
    let body = body.with_trailers(std::future::ready(Some(Ok(behind))));
    response(answer, body.boxed_unsync())
}

/// The status of gRPC goes behind the message, if there is one, and else into the headers.
fn trailers(answer: &Answer) -> HeaderMap {
    let behind = answer
        .headers
        .iter()
        .filter(|(name, _)| is_behind(answer, name));
    let pairs = behind.filter_map(|(name, value)| {
        let name = HeaderName::try_from(name).ok()?;
        Some((name, HeaderValue::try_from(value).ok()?))
    });
    pairs.collect()
}

fn is_behind(answer: &Answer, name: &str) -> bool {
    !answer.body.is_empty() && name.starts_with("grpc-")
}

/// Half of the body, announced whole or as if it were all.
pub(crate) fn broken(mut answer: Answer, cut: bool) -> hyper::Response<Body> {
    let length = answer.body.len();
    let half = answer.body.drain(..length / 2).collect::<Vec<u8>>();
    if !cut {
        answer.body = half;
        return plain(&answer);
    }
    let first = Ok(Frame::data(Bytes::from(half)));
    let second = Err(io::Error::other("the connection is cut, as the test wants"));
    // What was sent so far must have left before the connection breaks.
    let pause = tokio::time::sleep(Duration::from_millis(20));
    let rest = stream::once(async move {
        pause.await;
        second
    });
    let body = StreamBody::new(stream::iter([first]).chain(rest)).boxed_unsync();
    let answer = answer.with_header("content-length", length.max(1).to_string());
    response(&answer, body)
}

pub(crate) fn slow(answer: &Answer, apart: Duration) -> hyper::Response<Body> {
    let pieces: Vec<Bytes> = answer.body.chunks(16).map(Bytes::copy_from_slice).collect();
    let body = stream::unfold(pieces.into_iter(), move |mut pieces| async move {
        let piece = pieces.next()?;
        tokio::time::sleep(apart).await;
        Some((Ok(Frame::data(piece)), pieces))
    });
    response(answer, StreamBody::new(body).boxed_unsync())
}

pub(crate) fn echo(status: u16, request: &Request) -> Answer {
    let headers: Vec<String> = request
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let body = String::from_utf8_lossy(&request.body);
    let text = format!("refused: {body} {}", headers.join("; "));
    let error = serde_json::json!({
        "__type": "InternalServiceError", "message": text, "errors": [text],
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "InternalError", "code": status,
        "error": {"code": "InternalServerError", "message": text, "status": text, "innererror": {"code": text}},
    });
    Answer::json(status, &error)
}

/// As [`echo`], and the same text in every header that a client might show.
pub(crate) fn echo_in_headers(status: u16, request: &Request) -> Answer {
    let answer = echo(status, request);
    let text: String = String::from_utf8_lossy(&request.body)
        .chars()
        .filter(|c| (' '..='~').contains(c))
        .collect();
    let names = [
        "audit-id",
        "location",
        "retry-after",
        "warning",
        "www-authenticate",
        "x-amzn-errortype",
        "x-amzn-requestid",
        "x-ms-request-id",
        "x-request-id",
        "x-vault-request-id",
    ];
    names
        .iter()
        .fold(answer, |answer, name| answer.with_header(name, text.trim()))
}

#[expect(
    clippy::unwrap_used,
    reason = "a stand-in that builds a bad answer is a bug of the test"
)]
fn response(answer: &Answer, body: Body) -> hyper::Response<Body> {
    let mut response = hyper::Response::builder().status(answer.status);
    let before = answer.headers.iter();
    for (name, value) in before.filter(|(name, _)| !is_behind(answer, name)) {
        response = response.header(name, value);
    }
    response.body(body).unwrap()
}
