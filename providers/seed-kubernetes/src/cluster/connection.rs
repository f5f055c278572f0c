//! Sending single requests.

use std::fmt;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Method, Request};
use kube::client::Body;
use seed_provider::{Error, ErrorKind, Policy, Requests, Result};
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::access::{self, Access, ConfigError};
use super::answer::Answer;
use super::call::{Call, Content};
use super::failure;
use super::login::{self, Login, Session};

/// One API server as one user. Every request goes out under the run's [`Policy`], once; redirects are not followed.
pub struct Cluster {
    login: Login,
    requests: Requests,
    server: String,
    context: Option<String>,
    user: Option<String>,
    namespace: Option<String>,
    notes: Vec<String>,
}

impl Cluster {
    /// Finds the API server, and checks that it is the one that is wanted. Reads files, and makes no call.
    pub fn find(access: &Access, policy: Policy) -> Result<Self, ConfigError> {
        let found = access::find(access)?;
        let server = access::shown(&found.config.cluster_url);
        let mut notes = Vec::new();
        if found.config.accept_invalid_certs {
            notes.push(format!("the certificate of {server} is not verified: the kubeconfig has `insecure-skip-tls-verify`"));
        }
        let host = found.config.cluster_url.host().unwrap_or_default();
        if server.starts_with("http://") && !["127.0.0.1", "localhost", "[::1]"].contains(&host) {
            notes.push(format!("{server} is reached without TLS"));
        }
        if login::is_nobody(&found.config.auth_info) {
            notes.push(format!(
                "there is no credential for {server}: requests go out without one"
            ));
        }
        Ok(Self {
            login: Login::new(found.config, access.hidden.clone(), policy.deadline),
            requests: Requests::new(policy),
            server,
            context: found.context,
            user: found.user,
            namespace: found.namespace,
            notes,
        })
    }

    /// The address of the API server.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The context, unless it is the cluster of our own pod.
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// The user as the kubeconfig names it.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The namespace that the context or the pod names.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// How many requests may be under way.
    pub fn concurrency(&self) -> usize {
        self.requests.policy().concurrency.get()
    }

    /// What a person should know about the connection.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Sends a request and gives the whole answer, if it is one of the API server's that the caller can tell apart: a
    /// success, or a refusal that means something for the verb. A server that fails, is busy or does not know us is an
    /// error here.
    pub async fn send(&self, call: &Call) -> Result<Answer> {
        // A login takes the time that a person takes, not that of a request.
        let session = self.session(call, None).await?;
        let sent = self.send_as(&session, call).await;
        match sent {
            Err(err) if err.kind() == ErrorKind::Unauthenticated && self.login.can_renew() => {
                // Nothing was done, and a plugin may give what is valid again.
                let session = self.session(call, Some(session.number)).await?;
                self.send_as(&session, call).await
            }
            sent => sent,
        }
    }

    async fn send_as(&self, session: &Session, call: &Call) -> Result<Answer> {
        let (operation, name) = (call.operation, call.name.as_ref());
        let attempt = || attempt(session, call);
        if failure::writes(call) {
            self.requests.write(operation, name, attempt).await
        } else {
            self.requests.read(operation, name, attempt).await
        }
    }

    /// Sends a request whose success is an object of this type.
    pub async fn ask<T: DeserializeOwned>(&self, call: &Call) -> Result<T> {
        let answer = self.send(call).await?;
        self.object(call, &answer)
    }

    /// Reads the object of a success.
    pub fn object<T: DeserializeOwned>(&self, call: &Call, answer: &Answer) -> Result<T> {
        if !answer.is_success() {
            return Err(self.refusal(call, answer));
        }
        answer
            .object()
            .ok_or_else(|| failure::of_body(call, answer))
    }

    /// What a refusal means, where the verb has no meaning of its own for it.
    pub fn refusal(&self, call: &Call, answer: &Answer) -> Error {
        failure::of_answer(call, answer)
    }

    /// What a success means whose body is not what was asked for.
    pub fn unreadable(&self, call: &Call, answer: &Answer) -> Error {
        failure::of_body(call, answer)
    }

    async fn session(&self, call: &Call, refused: Option<u64>) -> Result<Session> {
        let session = self.login.session(refused).await;
        session.map_err(|message| failure::of_call(call, ErrorKind::Unauthenticated, message))
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("server", &self.server)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

/// Sends a request once, and tells apart what the caller can.
async fn attempt(session: &Session, call: &Call) -> Result<Answer> {
    let answer = once(call, session).await?;
    // Nothing that is to be created can have changed: somebody else counts against the same quota just now.
    let busy = call.method == Method::POST && answer.says_conflict();
    match answer.status {
        401 | 429 | 500..=599 => Err(failure::of_answer(call, &answer)),
        _ if busy => Err(failure::of_answer(call, &answer)),
        _ => Ok(answer),
    }
}

/// Sends a request once. kube's own ways to send one print bodies that they cannot read.
async fn once(call: &Call, session: &Session) -> Result<Answer> {
    let response = session.client.send(request(call)?).await;
    let response = response.map_err(|err| failure::of_connection(call, &err))?;
    let (head, body) = response.into_parts();
    let body = body.collect_bytes().await;
    let body = body.map_err(|err| failure::of_connection(call, &err))?;
    Ok(Answer {
        status: head.status.as_u16(),
        audit_id: word(&head.headers, "audit-id"),
        retry_after: seconds(&head.headers),
        body: Zeroizing::new(body.to_vec()),
    })
}

fn request(call: &Call) -> Result<Request<Body>> {
    let mut request = Request::builder()
        .method(call.method.clone())
        .uri(&call.path)
        .header(ACCEPT, call.accept);
    let body = match &call.body {
        None => Body::empty(),
        Some((content, bytes)) => {
            let form = match content {
                Content::Json => "application/json",
                Content::MergePatch => "application/merge-patch+json",
            };
            request = request.header(CONTENT_TYPE, form);
            Body::from(bytes.to_vec())
        }
    };
    request.body(body).map_err(|_| {
        failure::of_call(
            call,
            ErrorKind::Invalid,
            "its name makes no path of the API",
        )
    })
}

/// An id as the audit log has it; anything else is nobody's id.
fn word(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    let plain = |c: char| c.is_ascii_hexdigit() || c == '-';
    (!text.is_empty() && text.len() <= 64 && text.chars().all(plain)).then(|| text.to_owned())
}

fn seconds(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.parse().ok().map(Duration::from_secs)
}
