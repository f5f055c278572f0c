//! A way to stand-ins for clients that ask the services by their own names.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::Authority;

/// A proxy on a free port of 127.0.0.1 that takes `CONNECT` to a few names, ends TLS with a certificate for the name that
/// was asked for, and hands on the bytes inside to a stand-in without TLS. Everything else is refused, so that nothing
/// leaves this machine. Stops when it is dropped.
///
/// Clients that are told so by `HTTPS_PROXY`, and to trust the [`Authority`] by `SSL_CERT_FILE`, need no other change.
/// They may speak HTTP/1.1 or HTTP/2, and so gRPC: bytes are handed on as they come, and no request is read.
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

struct Shared {
    routes: BTreeMap<String, Route>,
    seen: Mutex<Seen>,
}

struct Route {
    tls: TlsAcceptor,
    to: SocketAddr,
}

#[derive(Default)]
struct Seen {
    passed: BTreeMap<String, usize>,
    refused: Vec<String>,
}

impl Proxy {
    /// Starts one that knows these names, such as `vault.azure.net`, and where the stand-in of each is.
    ///
    /// # Panics
    ///
    /// When there is no port, or a name is no name, which a test cannot do without.
    #[expect(clippy::unwrap_used, reason = "a test cannot do without")]
    pub fn start(authority: &Authority, routes: &[(&str, SocketAddr)]) -> Self {
        let route = |(name, to): &(&str, SocketAddr)| {
            let mut tls = authority.server(&[*name], false);
            tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
            let tls = TlsAcceptor::from(Arc::new(tls));
            (format!("{name}:443"), Route { tls, to: *to })
        };
        let shared = Arc::new(Shared {
            routes: routes.iter().map(route).collect(),
            seen: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(accept(listener, Arc::clone(&shared)));
        Self {
            shared,
            address,
            runtime: Some(runtime),
        }
    }

    /// What `HTTPS_PROXY` must be.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often each name was reached, with its port.
    pub fn passed(&self) -> BTreeMap<String, usize> {
        self.shared.seen().passed.clone()
    }

    /// What else was asked for.
    pub fn refused(&self) -> Vec<String> {
        self.shared.seen().refused.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The way to a name, if it is known. Either is recorded.
    fn route(&self, asked: &str) -> Option<&Route> {
        let target = asked.strip_prefix("CONNECT ");
        let target = target.and_then(|rest| rest.split(' ').next());
        let found = target.and_then(|target| Some((target, self.routes.get(target)?)));
        let mut seen = self.seen();
        if let Some((target, route)) = found {
            *seen.passed.entry(target.to_owned()).or_default() += 1;
            return Some(route);
        }
        seen.refused.push(asked.to_owned());
        None
    }

    async fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        let asked = head(&mut stream).await?;
        let Some(route) = self.route(&asked) else {
            return stream.write_all(REFUSAL).await;
        };
        stream.write_all(PASSAGE).await?;
        // A client that does not trust the certificate hangs up here.
        let mut inside = route.tls.accept(stream).await?;
        let mut server = TcpStream::connect(route.to).await?;
        server.set_nodelay(true)?;
        tokio::io::copy_bidirectional(&mut inside, &mut server).await?;
        Ok(())
    }
}

const PASSAGE: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";
const REFUSAL: &[u8] = b"HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// The first line of a request, when all of its head has come.
async fn head(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut lines = stream.take(LONGEST).lines();
    let asked = lines.next_line().await?.unwrap_or_default();
    while lines
        .next_line()
        .await?
        .is_some_and(|line| !line.is_empty())
    {}
    Ok(asked)
}

/// Of a head.
const LONGEST: u64 = 16 * 1024;

async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // Cut connections end here, as they should.
            drop(shared.serve(stream).await);
        });
    }
}
