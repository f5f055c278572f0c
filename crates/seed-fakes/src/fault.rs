//! What goes wrong, and when.

use std::time::Duration;

use crate::{Answer, Request};

/// What becomes of a request instead of its answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This answer; the service never sees the request.
    Answer(Answer),
    /// The connection is cut without an answer; the service never sees the request.
    CutBefore,
    /// The service has done what was asked; then the connection is cut without an answer.
    CutAfter,
    /// The service has done what was asked; the connection is cut in the middle of the answer's body.
    CutInside,
    /// This answer; the service does what was asked only after so many more requests have come, or when the test says so
    /// by [`Server::let_arrive`](crate::Server::let_arrive).
    Delayed(Answer, usize),
    /// The service has done what was asked; the answer is nonsense from its first byte, below TLS where there is TLS.
    GarbleAfter,
    /// The service has done what was asked, and the answer comes this much later.
    Late(Duration),
    /// The service has done what was asked; the answer's body comes in small pieces, this far apart.
    Slow(Duration),
    /// The service has done what was asked; the body is cut short and still announced whole, so that it is no JSON.
    Malformed,
    /// A redirect to that place; the service never sees the request.
    Redirect(String),
    /// The 404 of a proxy: no body, no word of the service's own. The service never sees the request.
    Empty404,
    /// An error of this status whose body repeats the request's body and all of its headers.
    Echo(u16),
    /// The service has done what was asked, and an error of this status says otherwise: its body, and every header that a
    /// client might show, repeat the request's body and all of its headers.
    EchoAfter(u16),
    /// Nothing is answered and the service never sees the request, until the server stops.
    HoldBefore,
    /// The service has done what was asked, and nothing is answered until the server stops.
    HoldAfter,
}

/// Which requests a fault is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum When {
    /// Every request.
    Always,
    /// The request with this place in the log, counted from 0.
    Request(usize),
    /// Requests that the service calls so, such as `CreateSecret`.
    Operation(String),
    /// Requests that the service calls so, and whose path, query or body has this text.
    About(String, String),
}

impl When {
    /// Requests that the service calls so.
    pub fn operation(operation: &str) -> Self {
        Self::Operation(operation.to_owned())
    }

    /// Requests that the service calls so, and whose path, query or body has this text.
    pub fn about(operation: &str, text: &str) -> Self {
        Self::About(operation.to_owned(), text.to_owned())
    }
}

/// A fault that was planned.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) when: When,
    pub(crate) fault: Fault,
    /// How many more requests it is for; `None` is all.
    pub(crate) times: Option<usize>,
}

impl Rule {
    pub(crate) fn fits(&self, index: usize, operation: &str, request: &Request) -> bool {
        if self.times == Some(0) {
            return false;
        }
        match &self.when {
            When::Always => true,
            When::Request(wanted) => *wanted == index,
            When::Operation(wanted) => wanted == operation,
            When::About(wanted, text) => {
                let head = [&request.path, &request.query];
                let body = || String::from_utf8_lossy(&request.body).contains(text);
                wanted == operation && (head.iter().any(|part| part.contains(text)) || body())
            }
        }
    }
}
