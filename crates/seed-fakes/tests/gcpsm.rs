//! Secret Manager over gRPC, by a client that was made from the service's own description, under the service's own name.

#![expect(clippy::unwrap_used, reason = "a test may give up")]

mod support;

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use googleapis_tonic_google_cloud_secretmanager_v1::google::cloud::secretmanager::v1 as api;
use googleapis_tonic_google_cloud_secretmanager_v1::google::iam::v1::TestIamPermissionsRequest;
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use seed_fakes::{Authority, Clock, GcpSm, Proxy, Quota, Server};
use serde_json::Value;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::{Code, Request, Status};

use self::api::replication::user_managed::Replica;
use self::api::replication::{Automatic, Replication as Kind, UserManaged};
use self::api::secret_manager_service_client::SecretManagerServiceClient;
use self::support::tunnel;

const NAME: &str = "secretmanager.googleapis.com";
const PARENT: &str = "projects/ai-lab";

/// One connection of HTTP/2.
struct Channel(SendRequest<Body>);

impl Service<hyper::Request<Body>> for Channel {
    type Response = hyper::Response<Incoming>;
    type Error = hyper::Error;
    type Future = BoxFuture<'static, hyper::Result<Self::Response>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: hyper::Request<Body>) -> Self::Future {
        self.0.send_request(request).boxed()
    }
}

struct World {
    server: Server<GcpSm>,
    client: SecretManagerServiceClient<Channel>,
    _proxy: Proxy,
}

impl World {
    async fn new() -> Self {
        let server = Server::start(GcpSm::new());
        let authority = Authority::new();
        let proxy = Proxy::start(&authority, &[(NAME, server.address())]);
        let stream = tunnel(&proxy, &authority, NAME, NAME, "h2").await.unwrap();
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .unwrap();
        tokio::runtime::Handle::current().spawn(connection);
        let origin = format!("https://{NAME}").parse().unwrap();
        let client = SecretManagerServiceClient::with_origin(Channel(sender), origin);
        Self {
            server,
            client,
            _proxy: proxy,
        }
    }

    async fn create(&mut self, id: &str, secret: api::Secret) -> Result<api::Secret, Status> {
        let request = api::CreateSecretRequest {
            parent: PARENT.to_owned(),
            secret_id: id.to_owned(),
            secret: Some(secret),
        };
        let created = self.client.create_secret(allowed(request)).await?;
        Ok(created.into_inner())
    }

    async fn add(&mut self, id: &str, data: &[u8]) -> Result<api::SecretVersion, Status> {
        let request = api::AddSecretVersionRequest {
            parent: secret(id),
            payload: Some(api::SecretPayload {
                data: data.to_vec(),
                data_crc32c: Some(crc32c::crc32c(data).into()),
            }),
        };
        let added = self.client.add_secret_version(allowed(request)).await?;
        Ok(added.into_inner())
    }

    /// The names of all versions, and how many there are said to be.
    async fn listed(&mut self, id: &str) -> (Vec<String>, i32) {
        let request = allowed(api::ListSecretVersionsRequest {
            parent: secret(id),
            ..api::ListSecretVersionsRequest::default()
        });
        let listed = self.client.list_secret_versions(request).await.unwrap();
        let listed = listed.into_inner();
        let names = listed.versions.into_iter().map(|version| version.name);
        (names.collect(), listed.total_size)
    }

    async fn access(&mut self, name: String) -> Result<api::SecretPayload, Status> {
        let request = allowed(api::AccessSecretVersionRequest { name });
        let answer = self.client.access_secret_version(request).await?;
        Ok(answer.into_inner().payload.unwrap())
    }
}

fn allowed<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let token = format!("Bearer {}", GcpSm::TOKEN).parse().unwrap();
    request.metadata_mut().insert("authorization", token);
    request
}

fn secret(id: &str) -> String {
    format!("{PARENT}/secrets/{id}")
}

fn automatic() -> api::Secret {
    api::Secret {
        replication: Some(api::Replication {
            replication: Some(Kind::Automatic(Automatic::default())),
        }),
        ..api::Secret::default()
    }
}

/// The same server over REST, without TLS.
fn rest(server: &Server<GcpSm>, method: &str, path: &str, body: &str) -> Value {
    let mut stream = std::net::TcpStream::connect(server.address()).unwrap();
    write!(
        stream,
        "{method} /v1/{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        GcpSm::TOKEN,
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

#[tokio::test]
async fn what_is_made_over_one_protocol_is_there_over_the_other() {
    let mut world = World::new().await;
    let wish = api::Secret {
        replication: Some(api::Replication {
            replication: Some(Kind::UserManaged(UserManaged {
                replicas: vec![Replica {
                    location: "europe-west3".to_owned(),
                    customer_managed_encryption: None,
                }],
            })),
        }),
        labels: HashMap::from([("team".to_owned(), "ai".to_owned())]),
        annotations: HashMap::from([("claim".to_owned(), "mine".to_owned())]),
        ..api::Secret::default()
    };
    let created = world.create("api-key", wish).await.unwrap();
    assert_eq!(created.name, secret("api-key"));
    let added = world.add("api-key", b"\x00one\xff").await.unwrap();
    assert_eq!(added.name, format!("{}/versions/1", secret("api-key")));
    assert_eq!(added.state(), api::secret_version::State::Enabled);
    assert!(added.client_specified_payload_checksum);

    let told = rest(&world.server, "GET", &secret("api-key"), "");
    assert_eq!(told["etag"], created.etag, "adding changed the etag");
    assert_eq!(told["labels"]["team"], "ai");
    assert_eq!(told["annotations"]["claim"], "mine");
    let copies = &told["replication"]["userManaged"]["replicas"];
    assert_eq!(copies[0]["location"], "europe-west3");
    let path = format!("{}:addVersion", secret("api-key"));
    rest(
        &world.server,
        "POST",
        &path,
        r#"{"payload": {"data": "dHdv"}}"#,
    );

    let listed = world.listed("api-key").await;
    let expected = [2, 1].map(|number| format!("{}/versions/{number}", secret("api-key")));
    assert_eq!(listed, (expected.to_vec(), 2));
    for (which, data) in [("1", b"\x00one\xff".as_slice()), ("latest", b"two")] {
        let name = format!("{}/versions/{which}", secret("api-key"));
        let payload = world.access(name).await.unwrap();
        assert_eq!(payload.data, data);
        assert_eq!(payload.data_crc32c, Some(crc32c::crc32c(data).into()));
    }
    let counts = world.server.log().counts().into_iter();
    let counts: Vec<String> = counts.map(|(what, n)| format!("{what} {n}")).collect();
    assert_eq!(
        counts.join(", "),
        "AccessSecretVersion 2, AddSecretVersion 2, CreateSecret 1, GetSecret 1, ListSecretVersions 1"
    );
}

#[tokio::test]
async fn an_update_needs_the_etag_that_it_names_and_changes_it() {
    let mut world = World::new().await;
    let created = world.create("api-key", automatic()).await.unwrap();
    let update = |etag: &str, mask: &[&str]| {
        allowed(api::UpdateSecretRequest {
            secret: Some(api::Secret {
                name: secret("api-key"),
                etag: etag.to_owned(),
                labels: HashMap::from([("team".to_owned(), "ai".to_owned())]),
                ..api::Secret::default()
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: mask.iter().map(|path| (*path).to_owned()).collect(),
            }),
        })
    };
    let wrong = world
        .client
        .update_secret(update("\"0\"", &["labels"]))
        .await;
    assert_eq!(wrong.unwrap_err().code(), Code::FailedPrecondition);
    let nothing = world.client.update_secret(update("", &[])).await;
    assert_eq!(nothing.unwrap_err().code(), Code::InvalidArgument);
    let request = update(&created.etag, &["labels"]);
    let updated = world.client.update_secret(request).await.unwrap();
    assert_ne!(updated.get_ref().etag, created.etag);
    assert_eq!(world.server.service().labels("api-key")["team"], "ai");
    let again = world
        .client
        .update_secret(update(&created.etag, &["labels"]))
        .await;
    assert_eq!(again.unwrap_err().code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn versions_are_disabled_enabled_and_destroyed_for_good() {
    let mut world = World::new().await;
    world.create("api-key", automatic()).await.unwrap();
    world.add("api-key", b"one").await.unwrap();
    let name = format!("{}/versions/1", secret("api-key"));
    let request = allowed(api::DisableSecretVersionRequest {
        name: name.clone(),
        etag: String::new(),
    });
    let disabled = world.client.disable_secret_version(request).await.unwrap();
    assert_eq!(
        disabled.get_ref().state(),
        api::secret_version::State::Disabled
    );
    let refused = world.access(name.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let request = || api::EnableSecretVersionRequest {
        name: name.clone(),
        etag: String::new(),
    };
    let enabled = world.client.enable_secret_version(allowed(request())).await;
    enabled.unwrap();
    assert_eq!(world.access(name.clone()).await.unwrap().data, b"one");
    let destroy = allowed(api::DestroySecretVersionRequest {
        name: name.clone(),
        etag: disabled.get_ref().etag.clone(),
    });
    let stale = world.client.destroy_secret_version(destroy).await;
    assert_eq!(stale.unwrap_err().code(), Code::FailedPrecondition);
    let destroy = allowed(api::DestroySecretVersionRequest {
        name: name.clone(),
        etag: String::new(),
    });
    let destroyed = world.client.destroy_secret_version(destroy).await.unwrap();
    assert!(destroyed.get_ref().destroy_time.is_some());
    let enabled = world.client.enable_secret_version(allowed(request())).await;
    assert_eq!(enabled.unwrap_err().code(), Code::FailedPrecondition);
    let request = allowed(api::DeleteSecretRequest {
        name: secret("api-key"),
        etag: String::new(),
    });
    world.client.delete_secret(request).await.unwrap();
    assert!(world.server.service().names().is_empty());
}

#[tokio::test]
async fn pages_follow_each_other_without_a_gap_and_filters_are_obeyed() {
    let mut world = World::new().await;
    for id in ["a", "b", "c", "d", "e"] {
        world.create(id, automatic()).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let request = allowed(api::ListSecretsRequest {
            parent: PARENT.to_owned(),
            page_size: 2,
            page_token: token,
            filter: String::new(),
        });
        let page = world.client.list_secrets(request).await.unwrap();
        let page = page.into_inner();
        assert_eq!(page.total_size, 5);
        seen.push(page.secrets.len());
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, [2, 2, 1]);
    let request = allowed(api::ListSecretsRequest {
        parent: PARENT.to_owned(),
        filter: "name:c".to_owned(),
        ..api::ListSecretsRequest::default()
    });
    let found = world.client.list_secrets(request).await.unwrap();
    assert_eq!(found.get_ref().secrets[0].name, secret("c"));
    let request = allowed(api::ListSecretsRequest {
        parent: PARENT.to_owned(),
        filter: "größe > 100 %".to_owned(),
        ..api::ListSecretsRequest::default()
    });
    let refused = world.client.list_secrets(request).await.unwrap_err();
    // Signs that a header cannot have arrive all the same.
    assert_eq!(refused.message(), "Invalid filter: größe > 100 %");
}

#[tokio::test]
async fn a_refusal_has_its_code_its_words_and_its_details() {
    let mut world = World::new().await;
    world.create("api-key", automatic()).await.unwrap();
    let taken = world.create("api-key", automatic()).await.unwrap_err();
    assert_eq!(taken.code(), Code::AlreadyExists);
    assert_eq!(
        taken.message(),
        "Secret [projects/ai-lab/secrets/api-key] already exists."
    );
    assert!(has(taken.details(), "google.rpc.RequestInfo"));
    let bare = world.create("bare", api::Secret::default()).await;
    assert_eq!(bare.unwrap_err().code(), Code::InvalidArgument);
    let latest = format!("{}/versions/latest", secret("api-key"));
    let empty = world.access(latest).await.unwrap_err();
    assert_eq!(empty.code(), Code::NotFound);
    let damaged = allowed(api::AddSecretVersionRequest {
        parent: secret("api-key"),
        payload: Some(api::SecretPayload {
            data: b"one".to_vec(),
            data_crc32c: Some(7),
        }),
    });
    let damaged = world.client.add_secret_version(damaged).await;
    assert_eq!(damaged.unwrap_err().code(), Code::InvalidArgument);
    let name = "projects/other/secrets/x".to_owned();
    let other = allowed(api::GetSecretRequest { name });
    let other = world.client.get_secret(other).await.unwrap_err();
    assert_eq!(other.code(), Code::PermissionDenied);
    assert!(has(other.details(), "CONSUMER_INVALID"));
    let name = secret("api-key");
    let stranger = Request::new(api::GetSecretRequest { name });
    let stranger = world.client.get_secret(stranger).await;
    assert_eq!(stranger.unwrap_err().code(), Code::Unauthenticated);
    let name = "secrets/api-key".to_owned();
    let malformed = allowed(api::GetSecretRequest { name });
    let malformed = world.client.get_secret(malformed).await;
    assert_eq!(malformed.unwrap_err().code(), Code::InvalidArgument);
    let unknown = allowed(TestIamPermissionsRequest::default());
    let unknown = world.client.test_iam_permissions(unknown).await;
    assert_eq!(unknown.unwrap_err().code(), Code::Unimplemented);
    world
        .server
        .service()
        .deny("AddSecretVersion", Some("api-key"));
    let denied = world.add("api-key", b"one").await.unwrap_err();
    assert_eq!(denied.code(), Code::PermissionDenied);
    assert_eq!(world.server.service().versions("api-key"), 0);
}

#[tokio::test]
async fn what_comes_too_fast_is_refused_in_the_words_of_the_protocol() {
    let mut world = World::new().await;
    world.server.set_write_quota(Quota {
        per_second: 1.0,
        burst: 1.0,
        clock: Clock::Each(Duration::ZERO),
    });
    world.create("a", automatic()).await.unwrap();
    let refused = world.create("b", automatic()).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(has(refused.details(), "RATE_LIMIT_EXCEEDED"));
    assert_eq!(world.server.service().names(), ["a"]);
}

fn has(details: &[u8], text: &str) -> bool {
    details
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}
