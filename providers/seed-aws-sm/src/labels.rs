//! Moving labels between versions, and taking them away.

use std::sync::atomic::{AtomicUsize, Ordering};

use seed_core::name::SecretName;
use seed_provider::{ErrorKind, Operation, Result};

use crate::adapter::{AwsSm, Token, purpose};
use crate::call::Call;
use crate::remains::Remain;
use crate::write::again;

/// How often a label of our own is tried to be taken away: what it was for is done, and nobody waits for it gladly.
const TIDIES: usize = 3;

impl AwsSm {
    /// Takes the label of our own away again. What it was for has been done or not by then.
    pub(crate) async fn tidy(&self, operation: Operation, name: &SecretName, token: &Token) {
        let untidy = match self
            .remove_stage(operation, name, &token.stage, &token.id)
            .await
        {
            Ok(()) => return,
            // It never got there, as far as anybody can tell.
            Err(err) if err.kind() == ErrorKind::NotFound => return,
            Err(err) => err,
        };
        let (stage, id) = (&token.stage, &token.id);
        self.note(format!(
            "the label `{stage}` may be left on version `{id}` of `{name}`: {}",
            untidy.message()
        ));
    }

    /// Takes labels away that runs before have left. Whatever fails stays noted.
    pub(crate) async fn sweep(&self, operation: Operation, name: &SecretName) {
        for remain in self.remains.dead(name.as_str()) {
            let Remain { stage, version, .. } = &remain;
            let removed = self.remove_stage(operation, name, stage, version).await;
            if removed.is_ok() {
                self.remains.gone(name.as_str(), &remain);
            }
        }
    }

    /// Takes a label away, with little patience.
    async fn remove_stage(
        &self,
        operation: Operation,
        name: &SecretName,
        stage: &str,
        from: &str,
    ) -> Result<()> {
        let purpose = purpose(operation, name, Call::UpdateSecretVersionStage);
        let attempts = AtomicUsize::new(0);
        let removed = self.requests.write(purpose.operation, purpose.name, || {
            let request = self.clients.secrets.update_secret_version_stage();
            let request = request
                .secret_id(name.as_str())
                .version_stage(stage)
                .remove_from_version_id(from);
            let is_last = attempts.fetch_add(1, Ordering::Relaxed) + 1 >= TIDIES;
            async move {
                let sent = Box::pin(request.send()).await;
                let err = match sent {
                    Ok(_) => return Ok(()),
                    Err(err) => purpose.failed(&err),
                };
                if err.is_retryable() && is_last {
                    return Err(again(&err, ErrorKind::Unexpected, err.message().to_owned()));
                }
                Err(err)
            }
        });
        removed.await
    }

    pub(crate) async fn move_stage(
        &self,
        operation: Operation,
        name: &SecretName,
        stage: &str,
        from: &str,
        to: &str,
    ) -> Result<()> {
        let purpose = purpose(operation, name, Call::UpdateSecretVersionStage);
        let moved = self.requests.write(purpose.operation, purpose.name, || {
            let request = self.clients.secrets.update_secret_version_stage();
            let request = request
                .secret_id(name.as_str())
                .version_stage(stage)
                .remove_from_version_id(from)
                .move_to_version_id(to);
            async move {
                let sent = Box::pin(request.send()).await;
                sent.map_err(|err| purpose.failed(&err))
            }
        });
        moved.await.map(drop)
    }
}
