//! Ways to get credentials: roles of STS, a container's address, and an instance's.

use std::collections::BTreeMap;

use serde_json::json;

use super::{AwsSm, identity};
use crate::{Answer, Request};

impl AwsSm {
    /// What a container shows to be given credentials, in the header `Authorization`.
    pub const CONTAINER_TOKEN: &str = "token-of-a-container";

    /// What a pod shows to be given credentials.
    pub const WEB_TOKEN: &str = "token-of-a-pod";
}

/// The names of the keys that were given out, and whom they stand for.
#[derive(Default)]
pub(super) struct Sessions(BTreeMap<String, String>);

impl Sessions {
    /// Whom a request is signed for, or `None` when nobody is known by that key.
    pub(super) fn caller(&self, account: &str, request: &Request) -> Option<String> {
        let signature = request.header("authorization")?;
        let key = signature.split_once("Credential=")?.1.split('/').next()?;
        // Keys that were given out begin so, and are good only with their token.
        if !key.starts_with("ASIA") {
            return Some(format!("arn:aws:iam::{account}:user/tester"));
        }
        request.header("x-amz-security-token")?;
        self.0.get(key).cloned()
    }

    /// Gives credentials out, or says why not.
    pub(super) fn answer(&mut self, account: &str, operation: &str, request: &Request) -> Answer {
        let form = String::from_utf8_lossy(&request.body).into_owned();
        let member = |name: &str| {
            let mut pairs = form.split('&').filter_map(|pair| pair.split_once('='));
            let found = pairs.find(|(known, _)| *known == name);
            found.map(|(_, value)| value.replace("%3A", ":").replace("%2F", "/"))
        };
        let refused = |code| identity::refused(403, code, "refused", "roles");
        match operation {
            "AssumeRole" => match self.caller(account, request) {
                Some(_) => self.role(account, operation, member("RoleArn")),
                None => refused("InvalidClientTokenId"),
            },
            "AssumeRoleWithWebIdentity"
                if member("WebIdentityToken").as_deref() == Some(AwsSm::WEB_TOKEN) =>
            {
                self.role(account, operation, member("RoleArn"))
            }
            "AssumeRoleWithWebIdentity" => refused("InvalidIdentityToken"),
            "ContainerCredentials"
                if request.header("authorization") == Some(AwsSm::CONTAINER_TOKEN) =>
            {
                self.local(account, "container")
            }
            "InstanceToken" => Answer {
                status: 200,
                headers: vec![(
                    "x-aws-ec2-metadata-token-ttl-seconds".to_owned(),
                    "21600".to_owned(),
                )],
                body: b"token-of-an-instance".to_vec(),
            },
            "InstanceRole" => Answer {
                status: 200,
                headers: Vec::new(),
                body: b"instance".to_vec(),
            },
            "InstanceCredentials" => self.local(account, "instance"),
            _ => Answer::empty(403),
        }
    }

    fn role(&mut self, account: &str, operation: &str, role: Option<String>) -> Answer {
        let role = role.unwrap_or_default();
        let Some(name) = role.strip_prefix(&format!("arn:aws:iam::{account}:role/")) else {
            return identity::refused(403, "AccessDenied", "refused", "roles");
        };
        let key = self.give_out(account, name);
        identity::role(operation, &key, UNTIL)
    }

    fn local(&mut self, account: &str, name: &str) -> Answer {
        let key = self.give_out(account, name);
        let body = json!({
            "Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": key, "SecretAccessKey": "secret-of-a-session",
            "Token": "token-of-a-session", "Expiration": UNTIL, "LastUpdated": "2020-01-01T00:00:00Z",
        });
        Answer::json(200, &body)
    }

    fn give_out(&mut self, account: &str, role: &str) -> String {
        let key = format!("ASIASESSION{}", self.0.len());
        let who = format!("arn:aws:sts::{account}:assumed-role/{role}/session");
        self.0.insert(key.clone(), who);
        key
    }
}

/// What a request that is not one of Secrets Manager's or STS's is for.
pub(super) fn operation(request: &Request) -> Option<&'static str> {
    let instance = "/latest/meta-data/iam/security-credentials";
    let below = |path: &str| {
        path.strip_prefix(instance)
            .map(|rest| rest.trim_matches('/').to_owned())
    };
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/credentials") => Some("ContainerCredentials"),
        ("PUT", "/latest/api/token") => Some("InstanceToken"),
        ("GET", path) => match below(path).as_deref() {
            Some("") => Some("InstanceRole"),
            Some("instance") => Some("InstanceCredentials"),
            _ => None,
        },
        _ => None,
    }
}

/// Whether an operation gives credentials out.
pub(super) fn is_login(operation: &str) -> bool {
    matches!(
        operation,
        "AssumeRole"
            | "AssumeRoleWithWebIdentity"
            | "ContainerCredentials"
            | "InstanceCredentials"
            | "InstanceRole"
            | "InstanceToken"
    )
}

const UNTIL: &str = "2099-01-01T00:00:00Z";
