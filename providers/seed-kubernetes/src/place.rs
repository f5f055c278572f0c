//! The namespace, proven before anything is taken for absent: the list of a namespace that does not exist is empty.

use seed_provider::{Error, ErrorKind, Identity, Marks, Operation, Result};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::backend::Kubernetes;
use crate::cluster::Call;
use crate::labels;
use crate::object::{Dropped, Metadata, Page, Secret};

/// What was proven of the namespace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ground {
    /// It exists.
    There,
    /// The server says that it does not exist, and we were asked to create it with the first Secret.
    ToBeCreated,
}

/// What the set-up calls told.
#[derive(Clone, Debug)]
pub(crate) struct Proven {
    pub(crate) identity: Identity,
    pub(crate) ground: Ground,
}

#[derive(Deserialize)]
struct Namespace {
    kind: String,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Review {
    status: ReviewStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReviewStatus {
    user_info: UserInfo,
}

#[derive(Deserialize)]
struct UserInfo {
    username: String,
}

impl Kubernetes {
    /// Makes the set-up calls, once.
    pub(crate) async fn proven(&self) -> Result<&Proven> {
        self.proven
            .get_or_try_init(|| async {
                let identity = Identity {
                    who: if self.asks_who {
                        self.who().await?
                    } else {
                        None
                    },
                };
                let ground = self.prove_namespace().await?;
                Ok(Proven { identity, ground })
            })
            .await
    }

    /// As whom; servers before 1.28 do not say, and some do not let everybody ask.
    pub(crate) async fn who(&self) -> Result<Option<String>> {
        let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
        let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let call = Call::post(Operation::Identify, path, text(&body));
        let answer = self.cluster.send(&call).await?;
        if matches!(answer.status, 403..=405) {
            return Ok(None);
        }
        let review: Review = self.cluster.object(&call, &answer)?;
        Ok(Some(review.status.user_info.username))
    }

    async fn prove_namespace(&self) -> Result<Ground> {
        let namespace = &self.namespace;
        let call = Call::get(
            Operation::Identify,
            format!("/api/v1/namespaces/{namespace}"),
        )
        .needing(format!("`get` on the namespace `{namespace}`"));
        let answer = self.cluster.send(&call).await?;
        if answer.status == 403 {
            return self
                .prove_without_looking(self.cluster.refusal(&call, &answer))
                .await;
        }
        if answer.says_not_found("namespaces", namespace) {
            return self.missing();
        }
        let found: Namespace = self.cluster.object(&call, &answer)?;
        if found.kind != "Namespace" || found.metadata.name != *namespace {
            return Err(self.cluster.unreadable(&call, &answer));
        }
        if found.metadata.deletion_timestamp.is_some() {
            return Err(self.terminating());
        }
        Ok(Ground::There)
    }

    /// Who may not look at the namespace can ask what creating a Secret would do, or see one that is there.
    async fn prove_without_looking(&self, denied: Error) -> Result<Ground> {
        let namespace = &self.namespace;
        let path = format!("{}?dryRun=All&fieldManager=seed", self.path());
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"generateName": "seed-check-"},
        });
        let call = Call::post(Operation::Identify, path, text(&secret));
        let answer = self.cluster.send(&call).await?;
        // A proxy may say success as well.
        let made: Option<Secret<Dropped>> = answer.object().filter(|_| answer.is_success());
        if made.is_some_and(|it| it.kind.as_deref() == Some("Secret") && self.has(&it)) {
            return Ok(Ground::There);
        }
        if answer.says_not_found("namespaces", namespace) {
            return self.missing();
        }
        if answer.says_terminating() {
            return Err(self.terminating());
        }
        let call =
            Call::get(Operation::Identify, format!("{}?limit=1", self.path())).metadata_only();
        let answer = self.cluster.send(&call).await?;
        let seen = answer.is_success()
            && answer
                .object::<Page>()
                .is_some_and(|page| page.items.iter().any(|it| self.has(it)));
        if seen { Ok(Ground::There) } else { Err(denied) }
    }

    fn has(&self, secret: &Secret<Dropped>) -> bool {
        secret.metadata.namespace == self.namespace
    }

    fn missing(&self) -> Result<Ground> {
        if self.create_namespace {
            return Ok(Ground::ToBeCreated);
        }
        let message = format!(
            "the namespace `{}` does not exist on {}; correct it in the contract, create it with `kubectl create namespace {}`, or let `seed apply --create-namespace` do it",
            self.namespace,
            self.cluster.server(),
            self.namespace
        );
        Err(Error::new(
            ErrorKind::Misplaced,
            Operation::Identify,
            message,
        ))
    }

    fn terminating(&self) -> Error {
        let message = format!(
            "the namespace `{}` is being deleted, with all that is in it; wait until it is gone, and make it again",
            self.namespace
        );
        Error::new(ErrorKind::Misplaced, Operation::Identify, message)
    }

    /// Whether there is nothing to look at, because the namespace is not there yet.
    pub(crate) async fn is_void(&self) -> Result<bool> {
        let proven = self.proven().await?;
        Ok(proven.ground == Ground::ToBeCreated && !self.created.initialized())
    }

    /// Creates the namespace before the first Secret, if that is to be done.
    pub(crate) async fn make_namespace(&self, marks: &Marks) -> Result<()> {
        if self.proven().await?.ground == Ground::There {
            return Ok(());
        }
        let create = || async {
            // Labels of the first Secret are none of the namespace's.
            let metadata = labels::metadata(&self.namespace, &Marks::of(marks.contract.clone()));
            let metadata = metadata.map_err(|key| refused_mark(&key))?;
            let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
            let path = "/api/v1/namespaces?fieldManager=seed";
            let call =
                Call::post(Operation::Create, path, text(&body)).needing("`create` on namespaces");
            let answer = self.cluster.send(&call).await?;
            // Somebody else may have been faster, which is as good.
            if answer.says_already_exists("namespaces", &self.namespace) {
                return Ok(());
            }
            let made: Namespace = self.cluster.object(&call, &answer)?;
            if made.kind != "Namespace" || made.metadata.name != self.namespace {
                return Err(self.cluster.unreadable(&call, &answer));
            }
            Ok(())
        };
        self.created.get_or_try_init(create).await.copied()
    }
}

pub(crate) fn refused_mark(key: &str) -> Error {
    let message = format!(
        "Kubernetes takes `{key}` neither as a label nor as an annotation; correct it under `labels` in the contract"
    );
    Error::new(ErrorKind::Invalid, Operation::Create, message)
}

fn text(body: &serde_json::Value) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(body.to_string().into_bytes())
}
