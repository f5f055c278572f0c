//! Clients reach stand-ins under other names through the proxy, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test may give up")]

mod support;

use std::collections::BTreeMap;

use seed_fakes::{Authority, GcpSm, Proxy, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use self::support::{asked, tunnel};

const NAME: &str = "secretmanager.googleapis.com";

#[tokio::test]
async fn a_request_to_a_known_name_is_answered_by_its_stand_in() {
    let server = Server::start(GcpSm::new());
    server.service().put("api-key", "kept");
    let authority = Authority::new();
    let proxy = Proxy::start(&authority, &[(NAME, server.address())]);
    let mut stream = tunnel(&proxy, &authority, NAME, NAME, "http/1.1")
        .await
        .unwrap();
    let request = format!(
        "GET /v1/projects/ai-lab/secrets/api-key HTTP/1.1\r\nhost: {NAME}\r\n\
         authorization: Bearer {}\r\nconnection: close\r\n\r\n",
        GcpSm::TOKEN
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // Clients of HTTP care for the length, not for how TLS ends.
    let _end = stream.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(
        answer.contains(r#""name":"projects/ai-lab/secrets/api-key""#),
        "{answer}"
    );
    assert_eq!(server.log().count("GetSecret"), 1);
    let passed = BTreeMap::from([(format!("{NAME}:443"), 1)]);
    assert_eq!((proxy.passed(), proxy.refused()), (passed, Vec::new()));
}

#[tokio::test]
async fn all_else_is_refused_and_remembered() {
    let server = Server::start(GcpSm::new());
    let proxy = Proxy::start(&Authority::new(), &[(NAME, server.address())]);
    let requests = [
        "CONNECT example.com:443 HTTP/1.1".to_owned(),
        format!("CONNECT {NAME}:80 HTTP/1.1"),
        format!("CONNECT {} HTTP/1.1", server.address()),
        format!("GET http://{NAME}/v1/projects/ai-lab/secrets HTTP/1.1"),
        format!("GET http://{}/ HTTP/1.1", server.address()),
    ];
    for request in &requests {
        let (_, answer) = asked(&proxy, request).await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{request}: {answer}");
    }
    assert_eq!(proxy.refused(), requests);
    assert_eq!(proxy.passed(), BTreeMap::new());
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_certificate_is_good_for_its_name_and_for_who_trusts_the_authority_alone() {
    let server = Server::start(GcpSm::new());
    let authority = Authority::new();
    let other = "oauth2.googleapis.com";
    let routes = [(NAME, server.address()), (other, server.address())];
    let proxy = Proxy::start(&authority, &routes);
    let wrong_name = tunnel(&proxy, &authority, NAME, other, "h2").await;
    assert!(wrong_name.is_err());
    let stranger = tunnel(&proxy, &Authority::new(), NAME, NAME, "h2").await;
    assert!(stranger.is_err());
    for name in [NAME, other] {
        let stream = tunnel(&proxy, &authority, name, name, "h2").await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    }
}
