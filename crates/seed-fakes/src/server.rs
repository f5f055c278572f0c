//! A stand-in on a port, with its log and its faults.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::fault::Rule;
use crate::garble::Garbled;
use crate::quota::Bucket;
use crate::wire::{Body, broken, echo, echo_in_headers, plain, slow};
use crate::{Answer, Authority, Call, Fault, Log, Quota, Request, When};

/// How long a server that is dropped waits for what runs in it.
const CLOSING: Duration = Duration::from_secs(5);

/// What a stand-in does. It holds all that is stored.
pub trait Service: fmt::Debug + Send + Sync + 'static {
    /// What the service itself calls a request, such as `CreateSecret`.
    fn operation(&self, request: &Request) -> String;

    /// Whether a request counts against the quota of writes.
    fn writes(&self, operation: &str) -> bool;

    /// Does what is asked, all at once, and answers.
    fn answer(&self, request: &Request) -> Answer;

    /// How the service says that requests come too fast.
    fn throttled(&self) -> Answer;

    /// The same in the words of the protocol of a request, where a service has several.
    fn throttled_over(&self, _request: &Request) -> Answer {
        self.throttled()
    }
}

/// A stand-in on a free port of 127.0.0.1. Stops when it is dropped.
///
/// Without TLS it speaks HTTP/2 with whoever begins so, as clients of gRPC do. Then a cut is one of the stream: the
/// connection stays.
pub struct Server<S> {
    shared: Arc<Shared<S>>,
    address: SocketAddr,
    scheme: &'static str,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

struct Shared<S> {
    service: S,
    control: Mutex<Control>,
    logged: Notify,
    connections: AtomicUsize,
}

#[derive(Default)]
struct Control {
    log: Log,
    rules: Vec<Rule>,
    latency: Duration,
    quota: Option<Bucket>,
    /// Requests that the service has not seen yet, and with which one to come it does.
    delayed: Vec<(usize, Request)>,
}

impl<S: Service> Server<S> {
    /// Starts a stand-in without TLS.
    pub fn start(service: S) -> Self {
        Self::start_on(service, None)
    }

    /// Starts a stand-in with a certificate for `127.0.0.1` and `localhost`.
    pub fn start_tls(service: S, authority: &Authority) -> Self {
        Self::start_tls_for(service, authority, &["127.0.0.1", "localhost"])
    }

    /// Starts a stand-in with a certificate for other names or addresses.
    pub fn start_tls_for(service: S, authority: &Authority, names: &[&str]) -> Self {
        let config = authority.server(names, false);
        Self::start_on(service, Some(TlsAcceptor::from(Arc::new(config))))
    }

    /// Starts a stand-in whose certificate has run out.
    pub fn start_tls_expired(service: S, authority: &Authority) -> Self {
        let config = authority.server(&["127.0.0.1", "localhost"], true);
        Self::start_on(service, Some(TlsAcceptor::from(Arc::new(config))))
    }

    #[expect(clippy::unwrap_used, reason = "a test cannot do without")]
    fn start_on(service: S, tls: Option<TlsAcceptor>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let shared = Arc::new(Shared {
            service,
            control: Mutex::default(),
            logged: Notify::new(),
            connections: AtomicUsize::new(0),
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        runtime.spawn(accept(listener, tls, Arc::clone(&shared)));
        Self {
            shared,
            address,
            scheme,
            runtime: Some(runtime),
        }
    }

    /// Where it is, such as `http://127.0.0.1:12345`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The stand-in itself, to look at what is stored or to change it behind the client's back.
    pub fn service(&self) -> &S {
        &self.shared.service
    }

    /// Plans a fault for `times` requests (`None`: for all that fit). What was planned first goes first.
    pub fn fault(&self, when: When, fault: Fault, times: Option<usize>) {
        self.shared
            .control()
            .rules
            .push(Rule { when, fault, times });
    }

    /// Forgets all faults.
    pub fn heal(&self) {
        self.shared.control().rules.clear();
    }

    /// Lets all requests arrive that [`Fault::Delayed`] keeps.
    pub fn let_arrive(&self) {
        self.shared.arrive(usize::MAX);
    }

    /// Waits so long before each answer.
    pub fn set_latency(&self, latency: Duration) {
        self.shared.control().latency = latency;
    }

    /// Refuses writes that come too fast.
    pub fn set_write_quota(&self, quota: Quota) {
        self.shared.control().quota = Some(Bucket::new(quota));
    }

    /// How often somebody connected, whatever came of it.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// All requests so far.
    pub fn log(&self) -> Log {
        self.shared.control().log.clone()
    }

    /// Forgets the requests so far, so that the next one has the index 0.
    pub fn clear_log(&self) {
        self.shared.control().log = Log::default();
    }

    /// Waits until request `index` has come, at most `longest`. With [`Fault::HoldBefore`] or [`Fault::HoldAfter`] it
    /// has then been read, or done, and stays without an answer. Tells whether it came.
    pub fn wait_for(&self, index: usize, longest: Duration) -> bool {
        let Some(runtime) = &self.runtime else {
            return false;
        };
        let (send, receive) = std::sync::mpsc::channel();
        let shared = Arc::clone(&self.shared);
        runtime.spawn(async move {
            let came = tokio::time::timeout(longest, shared.came(index)).await;
            // Nobody hears it when the test has given up.
            send.send(came.is_ok()).unwrap_or_default();
        });
        receive.recv().unwrap_or(false)
    }
}

impl<S> Drop for Server<S> {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Its port is closed once this returns. A runtime may not be waited for on a thread of another one.
            let ended = std::thread::spawn(move || runtime.shutdown_timeout(CLOSING));
            ended.join().unwrap_or_default();
        }
    }
}

impl<S> fmt::Debug for Server<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl<S: Service> Shared<S> {
    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a request is settled: done, refused or held.
    async fn came(&self, index: usize) {
        loop {
            let next = self.logged.notified();
            let settled = |call: &Call| call.settled;
            if self.control().log.0.get(index).is_some_and(settled) {
                return;
            }
            next.await;
        }
    }

    /// Takes a request into the log, and tells what goes wrong with it and how long it waits.
    fn enter(&self, request: &Request) -> (usize, Option<Fault>, Duration) {
        let operation = self.service.operation(request);
        let writes = self.service.writes(&operation);
        let mut control = self.control();
        let index = control.log.len();
        let rule = control
            .rules
            .iter_mut()
            .find(|rule| rule.fits(index, &operation, request));
        let mut fault = rule.map(|rule| {
            rule.times = rule.times.map(|times| times - 1);
            rule.fault.clone()
        });
        let full = |bucket: &mut Bucket| writes && !bucket.take();
        if fault.is_none() && control.quota.as_mut().is_some_and(full) {
            fault = Some(Fault::Answer(self.service.throttled_over(request)));
        }
        let applied = match &fault {
            None
            | Some(
                Fault::CutAfter
                | Fault::CutInside
                | Fault::GarbleAfter
                | Fault::Late(_)
                | Fault::Slow(_)
                | Fault::Malformed
                | Fault::EchoAfter(_)
                | Fault::HoldAfter,
            ) => true,
            Some(
                Fault::Answer(_)
                | Fault::CutBefore
                | Fault::Delayed(..)
                | Fault::Redirect(_)
                | Fault::Empty404
                | Fault::Echo(_)
                | Fault::HoldBefore,
            ) => false,
        };
        control.log.0.push(Call {
            operation,
            method: request.method.clone(),
            path: request.path.clone(),
            status: None,
            applied,
            settled: false,
        });
        (index, fault, control.latency)
    }

    /// Lets the service do what was delayed until this request.
    fn arrive(&self, index: usize) {
        let mut control = self.control();
        let delayed = std::mem::take(&mut control.delayed);
        let (due, later): (Vec<_>, Vec<_>) =
            delayed.into_iter().partition(|(due, _)| *due <= index);
        control.delayed = later;
        drop(control);
        for (_, request) in due {
            // Nobody hears the answer.
            let _unheard = self.service.answer(&request);
        }
    }

    /// Records what was answered, unless the log was cleared meanwhile.
    fn leave(&self, index: usize, status: u16) {
        if let Some(call) = self.control().log.0.get_mut(index) {
            call.status = Some(status);
        }
    }

    async fn serve(
        &self,
        request: hyper::Request<Incoming>,
        garble: &AtomicBool,
    ) -> Result<hyper::Response<Body>, io::Error> {
        let request = whole(request).await?;
        let (index, fault, latency) = self.enter(&request);
        self.arrive(index);
        if let Some(Fault::Delayed(_, after)) = &fault {
            let due = index.saturating_add(*after);
            self.control().delayed.push((due, request.clone()));
        }
        let does = self
            .control()
            .log
            .0
            .get(index)
            .is_some_and(|call| call.applied);
        let done = does.then(|| self.service.answer(&request));
        if let Some(call) = self.control().log.0.get_mut(index) {
            call.settled = true;
        }
        self.logged.notify_waiters();
        tokio::time::sleep(latency).await;
        let answer = match (fault, done) {
            (None, Some(answer)) | (Some(Fault::Answer(answer) | Fault::Delayed(answer, _)), _) => {
                plain(&answer)
            }
            (Some(Fault::Late(late)), Some(answer)) => {
                tokio::time::sleep(late).await;
                plain(&answer)
            }
            (Some(Fault::CutInside), Some(answer)) => broken(answer, true),
            (Some(Fault::GarbleAfter), Some(answer)) => {
                garble.store(true, Ordering::Release);
                plain(&answer)
            }
            (Some(Fault::Malformed), Some(answer)) => broken(answer, false),
            (Some(Fault::Slow(apart)), Some(answer)) => slow(&answer, apart),
            (Some(Fault::Redirect(to)), _) => {
                plain(&Answer::empty(307).with_header("location", to))
            }
            (Some(Fault::Empty404), _) => plain(&Answer::empty(404)),
            (Some(Fault::Echo(status)), _) => plain(&echo(status, &request)),
            (Some(Fault::EchoAfter(status)), _) => plain(&echo_in_headers(status, &request)),
            (Some(Fault::HoldBefore | Fault::HoldAfter), _) => std::future::pending().await,
            (
                None
                | Some(
                    Fault::CutBefore
                    | Fault::CutAfter
                    | Fault::CutInside
                    | Fault::GarbleAfter
                    | Fault::Late(_)
                    | Fault::Malformed
                    | Fault::Slow(_),
                ),
                _,
            ) => return Err(io::Error::other("the connection is cut, as the test wants")),
        };
        self.leave(index, answer.status().as_u16());
        Ok(answer)
    }
}

async fn accept<S: Service>(
    listener: std::net::TcpListener,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared<S>>,
) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::Relaxed);
        // Small answers must not wait for each other.
        drop(stream.set_nodelay(true));
        let shared = Arc::clone(&shared);
        let tls = tls.clone();
        connections.spawn(async move {
            let is_http2 = tls.is_none() && begins_http2(&stream).await;
            let (stream, garble) = Garbled::new(stream);
            match tls {
                None if is_http2 => streams(stream, shared, garble).await,
                None => connection(stream, shared, garble).await,
                Some(tls) => {
                    // A client that does not trust the certificate hangs up here.
                    if let Ok(stream) = tls.accept(stream).await {
                        connection(stream, shared, garble).await;
                    }
                }
            }
        });
    }
}

async fn connection<S: Service>(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    shared: Arc<Shared<S>>,
    garble: Arc<AtomicBool>,
) {
    let service = service_fn(|request| shared.serve(request, &garble));
    let served = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
    // Cut connections end here, as they should.
    drop(served);
}

/// Whether HTTP/2 is what a client begins with: no method of HTTP/1.1 begins like its preface.
async fn begins_http2(stream: &TcpStream) -> bool {
    let mut begin = [0; PREFACE.len()];
    loop {
        let Ok(length) = stream.peek(&mut begin).await else {
            return false;
        };
        let same = begin.iter().zip(PREFACE).take(length);
        if length == 0 || same.clone().any(|(one, other)| one != other) {
            return false;
        }
        if length == PREFACE.len() {
            return true;
        }
        // What is there already would be shown again at once.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection that speaks HTTP/2.
async fn streams<S: Service>(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    shared: Arc<Shared<S>>,
    garble: Arc<AtomicBool>,
) {
    let service = service_fn(move |request| {
        let (shared, garble) = (Arc::clone(&shared), Arc::clone(&garble));
        async move { shared.serve(request, &garble).await }
    });
    let served = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
    drop(served);
}

async fn whole(request: hyper::Request<Incoming>) -> Result<Request, io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?;
    let headers = head.headers.iter();
    Ok(Request {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: headers
            .map(|(name, value)| {
                (
                    name.as_str().to_owned(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect(),
        body: body.to_bytes().to_vec(),
    })
}
