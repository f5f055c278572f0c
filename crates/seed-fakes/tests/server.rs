//! What a stand-in does to its clients, seen from the socket.

#![expect(clippy::unwrap_used, reason = "a test may give up")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use seed_fakes::{Answer, Call, Clock, Fault, Quota, Request, Server, Service, When};
use serde_json::json;

/// Counts what it is asked.
#[derive(Debug, Default)]
struct Counter(std::sync::atomic::AtomicUsize);

impl Service for Counter {
    fn operation(&self, request: &Request) -> String {
        request.path.trim_start_matches('/').to_owned()
    }

    fn writes(&self, operation: &str) -> bool {
        operation == "add"
    }

    fn answer(&self, _: &Request) -> Answer {
        let before = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Answer::json(200, &json!({"count": before + 1}))
    }

    fn throttled(&self) -> Answer {
        Answer::empty(429)
    }
}

impl Counter {
    fn count(&self) -> usize {
        self.0.load(std::sync::atomic::Ordering::SeqCst)
    }
}

/// Sends one request and gives all that comes back until the connection ends.
fn ask(server: &Server<Counter>, path: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nhost: x\r\nx-canary: kept\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    // A cut connection may end with an error; what came before it counts.
    let _end = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

#[test]
fn each_fault_does_what_it_says_and_only_once() {
    let server = Server::start(Counter::default());
    let cut = |fault: Fault| {
        server.fault(When::operation("add"), fault, Some(1));
        let before = server.service().count();
        let answer = ask(&server, "add");
        (answer, server.service().count() - before)
    };
    assert_eq!(cut(Fault::CutBefore), (String::new(), 0));
    assert_eq!(cut(Fault::CutAfter), (String::new(), 1));
    let (answer, applied) = cut(Fault::CutInside);
    assert!(
        answer.contains("content-length: 11") && answer.ends_with("{\"cou"),
        "{answer}"
    );
    assert_eq!(applied, 1);
    let (answer, applied) = cut(Fault::Malformed);
    assert!(
        answer.contains("content-length: 5") && answer.ends_with("{\"cou"),
        "{answer}"
    );
    assert_eq!(applied, 1);
    let (answer, applied) = cut(Fault::Empty404);
    assert!(
        answer.starts_with("HTTP/1.1 404") && answer.ends_with("\r\n\r\n"),
        "{answer}"
    );
    assert_eq!(applied, 0);
    let (answer, applied) = cut(Fault::Redirect("http://127.0.0.1:1/".to_owned()));
    assert!(
        answer.contains("307") && answer.contains("location: http://127.0.0.1:1/"),
        "{answer}"
    );
    assert_eq!(applied, 0);
    let (answer, _) = cut(Fault::Echo(500));
    assert!(answer.contains("x-canary: kept"), "{answer}");
    let (answer, applied) = cut(Fault::Slow(Duration::from_millis(1)));
    assert!(answer.contains("{\"count\""), "{answer}");
    assert_eq!(applied, 1);
    let before = server.service().count();
    assert!(ask(&server, "add").contains("{\"count\""));
    assert_eq!(server.service().count(), before + 1);
}

#[test]
fn the_log_has_each_request_and_what_became_of_it() {
    let server = Server::start(Counter::default());
    server.fault(When::Request(1), Fault::CutAfter, None);
    for path in ["look", "add", "add"] {
        ask(&server, path);
    }
    let log = server.log();
    assert_eq!((log.count("look"), log.count("add")), (1, 2));
    let statuses: Vec<Option<u16>> = log.0.iter().map(|call: &Call| call.status).collect();
    assert_eq!(statuses, [Some(200), None, Some(200)]);
    server.clear_log();
    assert!(server.log().is_empty());
}

#[test]
fn a_held_request_is_done_and_not_answered() {
    let server = Server::start(Counter::default());
    server.fault(When::Request(0), Fault::HoldAfter, None);
    assert!(!server.wait_for(0, Duration::from_millis(20)));
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream
        .write_all(b"GET /add HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    assert!(server.wait_for(0, Duration::from_secs(5)));
    assert_eq!(server.service().count(), 1);
    stream
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    assert!(stream.read(&mut [0; 1]).is_err(), "it was answered");
}

#[test]
fn what_comes_too_fast_is_refused_and_not_done() {
    let server = Server::start(Counter::default());
    let clock = Clock::Each(Duration::from_millis(100));
    server.set_write_quota(Quota {
        per_second: 5.0,
        burst: 2.0,
        clock,
    });
    let refused = (0..10)
        .filter(|_| ask(&server, "add").contains(" 429 "))
        .count();
    assert_eq!(server.service().count(), 10 - refused);
    assert!((3..=5).contains(&refused), "{refused}");
    assert!(ask(&server, "look").contains(" 200 "));
}
