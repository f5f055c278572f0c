//! moto: AWS Secrets Manager and STS, as far as it is faithful. It checks no signature.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::guard::{self, Guarded};
use crate::programs;
use crate::{Answer, Client};

/// Starts it so that two creations of one name cannot both begin: its threads share a dictionary without a lock, and
/// what two of them create at once may answer 500 ever after (<https://github.com/getmoto/moto/pull/7166>).
const SERVE: &str = include_str!("moto.py");

/// A moto.
#[derive(Debug)]
pub struct Moto {
    client: Client,
    address: String,
    prefixes: AtomicUsize,
    process: Guarded,
}

impl Moto {
    /// Starts one and waits until it answers.
    pub fn start() -> Result<Self, String> {
        let program = programs::directory("moto")?.join("bin/python");
        guard::retried(|| Self::start_once(&program))
    }

    /// The one that the tests of this process share. It ends with the process.
    pub fn shared() -> Result<&'static Self, String> {
        static SHARED: OnceLock<Result<Moto, String>> = OnceLock::new();
        SHARED
            .get_or_init(Self::start)
            .as_ref()
            .map_err(Clone::clone)
    }

    fn start_once(program: &Path) -> Result<Self, String> {
        let port = guard::free_ports(1)?;
        let address = format!("http://127.0.0.1:{port}");
        let arguments = ["-c", SERVE, "--host", "127.0.0.1", "--port"].map(str::to_owned);
        let arguments = [&arguments[..], &[port.to_string()]].concat();
        let directory = guard::directory("moto")?;
        let process = Guarded::start("moto", directory, program, &arguments)?;
        let moto = Self {
            client: Client::new(&address, None),
            address,
            prefixes: AtomicUsize::new(0),
            process,
        };
        moto.process
            .wait(|| moto.call("ListSecrets", &json!({}))?.success().map(drop))?;
        Ok(moto)
    }

    /// Where it is, such as `http://127.0.0.1:12345`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The region in which [`Moto::call`] looks.
    pub fn region(&self) -> &'static str {
        "eu-central-1"
    }

    /// The account of everybody whose credentials it has not made itself.
    pub fn account(&self) -> &'static str {
        "123456789012"
    }

    /// A prefix of names that nobody else has, with a slash at its end.
    pub fn prefix(&self) -> String {
        format!("test-{}/", self.prefixes.fetch_add(1, Ordering::Relaxed))
    }

    /// The variables with which an AWS client comes here and nowhere else.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", self.address.clone()),
            ("AWS_REGION", self.region().to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "of-no-account".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    /// Sends a request to Secrets Manager, such as `DescribeSecret`.
    pub fn call(&self, operation: &str, body: &Value) -> Result<Answer, String> {
        let scope = format!("20260101/{}/secretsmanager/aws4_request", self.region());
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/{scope}, SignedHeaders=host, Signature=0"
        );
        let headers = [
            ("X-Amz-Target", &*format!("secretsmanager.{operation}")),
            ("Content-Type", "application/x-amz-json-1.1"),
            ("Authorization", &authorization),
        ];
        self.client.send("POST", "/", &headers, body)
    }
}
