//! The border over which no text of the service's comes, and no text of ours is printed.
//!
//! The libraries below trace requests and answers, bodies included, and keep an error's message. A service, or whatever
//! answers in its place, may repeat in such a message what it was sent.

use aws_sdk_secretsmanager::config::{
    ConfigBag, HttpClient, Intercept, RuntimeComponents, SharedHttpClient,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, SensitiveOutput};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use http_body_util::Full;

/// A client whose error answers have nothing but their code.
#[derive(Debug)]
pub(crate) struct Quiet(pub(crate) SharedHttpClient);

impl HttpClient for Quiet {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Listener(self.0.http_connector(settings, components)))
    }
}

#[derive(Debug)]
struct Listener(SharedHttpConnector);

impl HttpConnector for Listener {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let mut response = answer.await?;
            if !response.status().is_success() {
                strip(&mut response).await?;
            }
            Ok(response)
        })
    }
}

async fn strip(response: &mut HttpResponse) -> Result<(), ConnectorError> {
    let body = std::mem::replace(response.body_mut(), SdkBody::taken());
    let collected = ByteStream::new(body).collect().await;
    let bytes = collected.map_err(|err| ConnectorError::io(err.into()))?;
    let named = response.headers_mut().remove(CODE);
    let left = only_code(named.as_deref(), &bytes.into_bytes());
    // The answer's own headers say what was sent, not what is left.
    response.headers_mut().remove("content-length");
    *response.body_mut() = SdkBody::from(left);
    Ok(())
}

/// Where the libraries look for a code before they look into the body.
const CODE: &str = "x-amzn-errortype";

/// What is left of an error: its code, if it has one that looks like one, in a header or in its body.
fn only_code(named: Option<&str>, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let is_xml = text.trim_start().starts_with('<');
    if let Some((_, rest)) = text.split_once("<Code>").filter(|_| is_xml) {
        let code = rest.split_once("</Code>").map(|(code, _)| code);
        let code = code.filter(|code| is_code(code)).unwrap_or_default();
        return format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>");
    }
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let told = ["__type", "code"]
        .iter()
        .find_map(|member| json.get(member)?.as_str());
    let known = |code: Option<&'_ str>| {
        code.map(bare)
            .filter(|code| is_code(code))
            .map(str::to_owned)
    };
    match known(named).or_else(|| known(told)) {
        Some(code) => serde_json::json!({"__type": code}).to_string(),
        None => "{}".to_owned(),
    }
}

/// A code may come with its namespace before `#` and an address after `:`.
fn bare(code: &str) -> &str {
    let code = code.rsplit('#').next().unwrap_or(code);
    code.split(':').next().unwrap_or(code)
}

fn is_code(code: &str) -> bool {
    (1..=64).contains(&code.len()) && code.chars().all(|c| c.is_ascii_alphabetic() || c == '.')
}

/// Keeps the libraries from tracing what is sent and what comes back.
#[derive(Debug)]
pub(crate) struct Hush;

impl Intercept for Hush {
    fn name(&self) -> &'static str {
        "Hush"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        bag.interceptor_state().store_put(SensitiveOutput);
        Ok(())
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.request_mut().body_mut();
        if let Some(bytes) = body.bytes().map(Bytes::copy_from_slice) {
            // A body of this kind is not printed.
            *body = SdkBody::from_body_1_x(Full::new(bytes));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_code_is_left_of_an_error() {
        for (named, body, left) in [
            (
                None,
                r#"{"__type":"a.b#LimitExceededException","Message":"canary"}"#,
                r#"{"__type":"LimitExceededException"}"#,
            ),
            (
                None,
                r#"{"__type":"Throttling:http://x/","message":"canary"}"#,
                r#"{"__type":"Throttling"}"#,
            ),
            (None, r#"{"__type":"canary 7-x"}"#, "{}"),
            (Some("canary 7-x"), "{}", "{}"),
            (
                Some("Throttling:http://x/"),
                "",
                r#"{"__type":"Throttling"}"#,
            ),
            (
                Some("a.b#Throttling"),
                r#"{"__type":"Other"}"#,
                r#"{"__type":"Throttling"}"#,
            ),
            (None, "<html>canary</html>", "{}"),
            (
                None,
                "<E><Code>Throttling</Code><Message>canary</Message></E>",
                "<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>",
            ),
            (None, "", "{}"),
        ] {
            assert_eq!(only_code(named, body.as_bytes()), left);
        }
    }
}
