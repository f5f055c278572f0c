//! The stand-in of Key Vault as clients of several generations ask it, by bare requests.

#![expect(clippy::unwrap_used, reason = "a test may give up")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use seed_fakes::{AzureKv, Server};
use serde_json::Value;

const NAME: &str = "shop-prod.vault.azure.net";

/// The status and the body of an answer.
fn ask(server: &Server<AzureKv>, head: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(
        stream,
        "{head}\r\nhost: {NAME}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

fn read(server: &Server<AzureKv>, path: &str, token: &str) -> (u16, Value) {
    let head = format!("GET {path} HTTP/1.1\r\nauthorization: Bearer {token}");
    ask(server, &head, "")
}

#[test]
fn every_generation_of_token_endpoints_gives_a_token_that_the_vault_takes() {
    let server = Server::start(AzureKv::new());
    server.service().put("api-key", "kept");
    let tenant = AzureKv::TENANT;
    let client = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        AzureKv::CLIENT,
        AzureKv::CLIENT_SECRET
    );
    let v2 = format!("{client}&scope=https%3A%2F%2Fvault.azure.net%2F.default");
    let v1 = format!("{client}&resource=https%3A%2F%2Fvault.azure.net");
    let header = AzureKv::IDENTITY_HEADER;
    let resource = "resource=https%3A%2F%2Fvault.azure.net";
    for (head, body) in [
        (
            format!("POST /{tenant}/oauth2/v2.0/token HTTP/1.1"),
            v2.as_str(),
        ),
        (format!("POST /{tenant}/oauth2/token HTTP/1.1"), v1.as_str()),
        (
            format!("GET /msi/token?{resource} HTTP/1.1\r\nx-identity-header: {header}"),
            "",
        ),
        (
            format!("GET /metadata/identity/oauth2/token?{resource} HTTP/1.1\r\nmetadata: true"),
            "",
        ),
        (
            "POST /token HTTP/1.1\r\nmetadata: true".to_owned(),
            resource,
        ),
    ] {
        let (status, given) = ask(&server, &head, body);
        assert_eq!(status, 200, "{head}");
        let token = given["access_token"].as_str().unwrap();
        let (status, _) = read(&server, "/secrets/api-key?api-version=7.6", token);
        assert_eq!(status, 200, "{head}");
    }
}

#[test]
fn no_token_endpoint_gives_one_to_a_stranger_or_for_another_service() {
    let server = Server::start(AzureKv::new());
    let tenant = AzureKv::TENANT;
    let stranger = "grant_type=client_credentials&client_id=x&client_secret=x&resource=https%3A%2F%2Fvault.azure.net";
    let other = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&resource=https%3A%2F%2Fgraph.microsoft.com",
        AzureKv::CLIENT,
        AzureKv::CLIENT_SECRET
    );
    let resource = "resource=https%3A%2F%2Fvault.azure.net";
    for (head, body) in [
        (format!("POST /{tenant}/oauth2/token HTTP/1.1"), stranger),
        (
            format!("POST /{tenant}/oauth2/token HTTP/1.1"),
            other.as_str(),
        ),
        (format!("GET /msi/token?{resource} HTTP/1.1"), ""),
        (
            format!("GET /metadata/identity/oauth2/token?{resource} HTTP/1.1"),
            "",
        ),
        ("POST /token HTTP/1.1".to_owned(), resource),
    ] {
        let (status, given) = ask(&server, &head, body);
        assert_eq!((status, given.get("access_token")), (400, None), "{head}");
    }
}

#[test]
fn every_version_of_the_api_reads_and_an_unknown_one_is_no_absence() {
    let server = Server::start(AzureKv::new());
    server.service().put("api-key", "kept");
    let token = server.service().token();
    for version in ["7.0", "7.6", "2025-07-01", "2026-04-01"] {
        for slash in ["", "/"] {
            let path = format!("/secrets/api-key{slash}?api-version={version}");
            let (status, told) = read(&server, &path, &token);
            assert_eq!(
                (status, told["value"].as_str()),
                (200, Some("kept")),
                "{path}"
            );
        }
    }
    for query in ["?api-version=1999-01-01", ""] {
        let (status, told) = read(&server, &format!("/secrets/api-key{query}"), &token);
        assert_eq!(
            (status, told["error"]["code"].as_str()),
            (400, Some("BadParameter"))
        );
    }
    let (status, told) = read(&server, "/secrets/absent?api-version=7.6", &token);
    assert_eq!(
        (status, told["error"]["code"].as_str()),
        (404, Some("SecretNotFound"))
    );
}
