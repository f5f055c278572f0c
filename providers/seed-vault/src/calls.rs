//! The endpoints that `vaultrs` has no word for, or whose bodies must keep the text of numbers.

use std::fmt;

use rustify::endpoint::Endpoint;
use rustify::enums::{RequestMethod, RequestType, ResponseType};
use rustify::errors::ClientError;
use zeroize::Zeroizing;

/// One request below `/v1/`. The body is sent as it is.
pub(crate) struct Call {
    method: RequestMethod,
    path: String,
    query: Option<String>,
    body: Option<Zeroizing<Vec<u8>>>,
}

impl Call {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self {
            method: RequestMethod::GET,
            path: path.into(),
            query: None,
            body: None,
        }
    }

    pub(crate) fn query(self, query: String) -> Self {
        Self {
            query: Some(query),
            ..self
        }
    }

    pub(crate) fn post(path: impl Into<String>, body: &[u8]) -> Self {
        Self {
            method: RequestMethod::POST,
            path: path.into(),
            query: None,
            body: Some(Zeroizing::new(body.to_vec())),
        }
    }

    /// A merge patch.
    pub(crate) fn patch(path: impl Into<String>, body: &[u8]) -> Self {
        Self {
            method: RequestMethod::PATCH,
            ..Self::post(path, body)
        }
    }
}

/// An allow-list: a body holds values.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Endpoint for Call {
    type Response = serde_json::Value;
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;

    fn path(&self) -> String {
        self.path.clone()
    }

    fn method(&self) -> RequestMethod {
        self.method.clone()
    }

    fn query(&self) -> Result<Option<String>, ClientError> {
        Ok(self.query.clone())
    }

    fn body(&self) -> Result<Option<Vec<u8>>, ClientError> {
        Ok(self.body.as_ref().map(|body| body.to_vec()))
    }
}
