//! The services that keep values, each with its stand-in: how `seed` is told of it, and what is kept in it.

use std::collections::BTreeMap;

use seed_fakes::vault::Vault;
use seed_fakes::{Answer, AwsSm, Fault, Request, Server, Service, When};
use serde_json::{Value, json};

use crate::cli::Outcome;
use crate::workspace::Workspace;

/// A stand-in that `seed` can be pointed at.
pub trait Stand: Service + Default {
    /// What contracts call the backend.
    const KIND: &'static str;

    /// A person's credential, which is to be seen nowhere.
    const CREDENTIAL: &'static str;

    /// The backend's settings, as members of a mapping in a contract.
    fn settings(url: &str) -> String;

    /// Hands the credential over in the way that the service's own tools use.
    fn sign_in(workspace: Workspace, url: &str) -> Result<Workspace, String>;

    /// Everything that is kept, by its stored name.
    fn kept(&self) -> BTreeMap<String, Kept>;

    /// Keeps an entry with these fields, as somebody else would.
    fn put(&self, name: &str, fields: &[(&str, &str)]);

    /// Every documented error of every call: the operation, what is wrong, and the answer.
    fn documented_errors() -> Vec<(&'static str, &'static str, Answer)>;

    /// Denies every call about one name.
    fn deny(server: &Server<Self>, name: &str);

    /// The credential is good no more.
    fn expire(&self);
}

/// An entry as the service keeps it. Never shown: it has values.
#[derive(Clone, Eq, PartialEq)]
pub struct Kept {
    /// How often it was written.
    pub versions: usize,
    /// By field; one value alone is the field with an empty name.
    pub fields: BTreeMap<String, Vec<u8>>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept")
            .field("versions", &self.versions)
            .finish_non_exhaustive()
    }
}

/// A stand-in, and a directory with a contract whose values are kept in it.
#[derive(Debug)]
pub struct World<S> {
    /// The stand-in.
    pub server: Server<S>,
    /// Where `seed` runs.
    pub workspace: Workspace,
}

impl<S: Stand> World<S> {
    /// Starts a stand-in, and writes a contract with these lines below `secrets`, and what follows them.
    pub fn new(secrets: &str) -> Result<Self, String> {
        Self::on(Server::start(S::default()), S::settings, secrets)
    }

    /// Puts a contract with these settings of its backend before a stand-in that runs already.
    pub fn on(
        server: Server<S>,
        settings: impl Fn(&str) -> String,
        secrets: &str,
    ) -> Result<Self, String> {
        let url = server.url();
        let workspace = S::sign_in(Workspace::new()?, &url)?;
        let (kind, settings) = (S::KIND, settings(&url));
        let contract = format!(
            "version: 1\nname: services\nbackend: {kind}\nbackends: {{{kind}: {{{settings}}}}}\n\
             store: {{name: secret-store}}\nsecrets:\n{secrets}"
        );
        workspace.write("seed.yaml", &contract)?;
        Ok(Self { server, workspace })
    }

    /// An outcome, with names for the address of the stand-in and for ids of requests, which it counts as they come.
    pub fn shown(&self, outcome: &Outcome) -> String {
        let address = self.server.address().to_string();
        let text = outcome.to_string().replace(&address, "$ADDRESS");
        let mut pieces = text.split(ID);
        let mut shown = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            shown.push_str("$ID");
            shown.push_str(piece.get(12..).unwrap_or_default());
        }
        shown
    }

    /// Every value that is kept, as references of the contract name them: `entry`, or `entry#field`.
    pub fn values(&self) -> BTreeMap<String, Vec<u8>> {
        let mut values = BTreeMap::new();
        for (name, kept) in self.server.service().kept() {
            for (field, value) in kept.fields {
                let key = match field.as_str() {
                    "" => name.clone(),
                    field => format!("{name}#{field}"),
                };
                values.insert(key, value);
            }
        }
        values
    }
}

/// How every id of a request begins at the stand-ins.
const ID: &str = "00000000-0000-4000-8000-";

impl Stand for Vault {
    const KIND: &'static str = "vault";
    const CREDENTIAL: &'static str = Self::TOKEN;

    fn settings(url: &str) -> String {
        format!("address: \"{url}\", mount: secret")
    }

    fn sign_in(workspace: Workspace, url: &str) -> Result<Workspace, String> {
        Ok(workspace
            .variable("VAULT_ADDR", url)
            .variable("VAULT_TOKEN", Self::TOKEN))
    }

    fn kept(&self) -> BTreeMap<String, Kept> {
        let one = |(name, versions): (String, usize)| {
            let answer = self.answer(&Request {
                method: "GET".to_owned(),
                path: format!("/v1/secret/data/{name}"),
                query: String::new(),
                headers: vec![("x-vault-token".to_owned(), Self::TOKEN.to_owned())],
                body: Vec::new(),
            });
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let fields = body.pointer("/data/data").map(members).unwrap_or_default();
            let fields = fields
                .into_iter()
                .map(|(field, value)| match field.as_str() {
                    "value" => (String::new(), value),
                    _ => (field, value),
                });
            let fields = fields.collect();
            (name, Kept { versions, fields })
        };
        self.versions("", "secret").into_iter().map(one).collect()
    }

    fn put(&self, name: &str, fields: &[(&str, &str)]) {
        let members = fields.iter().map(|(field, value)| match *field {
            "" => ("value".to_owned(), json!(value)),
            field => (field.to_owned(), json!(value)),
        });
        Self::put(self, name, &Value::Object(members.collect()));
    }

    fn documented_errors() -> Vec<(&'static str, &'static str, Answer)> {
        seed_fakes::vault::documented_errors()
    }

    fn deny(server: &Server<Self>, name: &str) {
        let denied = json!({"errors": ["1 error occurred:\n\t* permission denied\n\n"]});
        for operation in ["subkeys", "read", "write", "patch", "metadata"] {
            let fault = Fault::Answer(Answer::json(403, &denied));
            server.fault(When::about(operation, &format!("/{name}")), fault, None);
        }
    }

    fn expire(&self) {
        Self::expire(self, Self::TOKEN);
    }
}

impl Stand for AwsSm {
    const KIND: &'static str = "aws-sm";
    const CREDENTIAL: &'static str = "secret-access-key-of-a-test";

    fn settings(url: &str) -> String {
        format!("region: eu-central-1, account: \"123456789012\", endpoint: \"{url}\"")
    }

    fn sign_in(workspace: Workspace, url: &str) -> Result<Workspace, String> {
        Ok(workspace
            .variable("AWS_ENDPOINT_URL_STS", url)
            .variable("AWS_ACCESS_KEY_ID", "AKIAOFATEST")
            .variable("AWS_SECRET_ACCESS_KEY", Self::CREDENTIAL))
    }

    fn kept(&self) -> BTreeMap<String, Kept> {
        let one = |name: String| {
            let text = self.value(&name).unwrap_or_default();
            let fields = match serde_json::from_str::<Value>(&text) {
                Ok(object @ Value::Object(_)) => members(&object),
                Ok(_) | Err(_) => BTreeMap::from([(String::new(), text.into_bytes())]),
            };
            let versions = self.stages(&name).len();
            (name, Kept { versions, fields })
        };
        self.names().into_iter().map(one).collect()
    }

    fn put(&self, name: &str, fields: &[(&str, &str)]) {
        let members = || {
            fields
                .iter()
                .map(|(field, value)| ((*field).to_owned(), json!(value)))
        };
        match fields {
            [("", value)] => Self::put(self, name, value),
            _ => Self::put(self, name, &Value::Object(members().collect()).to_string()),
        }
    }

    fn documented_errors() -> Vec<(&'static str, &'static str, Answer)> {
        Self::documented_errors()
    }

    fn deny(server: &Server<Self>, name: &str) {
        for action in [
            "DescribeSecret",
            "GetSecretValue",
            "CreateSecret",
            "PutSecretValue",
        ] {
            server.service().deny(action, Some(name));
        }
    }

    fn expire(&self) {
        Self::expire(self);
    }
}

fn members(object: &Value) -> BTreeMap<String, Vec<u8>> {
    let members = object.as_object().into_iter().flatten();
    let bytes = |value: &Value| {
        let text = value.as_str().map(str::to_owned);
        text.unwrap_or_else(|| value.to_string()).into_bytes()
    };
    members
        .map(|(name, value)| (name.clone(), bytes(value)))
        .collect()
}
