//! The adapter keeps the promises of every backend, on moto.
//!
//! Where moto 5.2.5 is not like the service, the stand-in is, and the guard in the adapter is tried there:
//! * it takes names, sizes and empty values that the service refuses, and more than 20 names a batch
//!   (<https://github.com/getmoto/moto/blob/master/moto/secretsmanager/models.py>): the adapter checks before it sends;
//! * a create over a pending deletion is `ResourceExistsException` there, and `InvalidRequestException` with the service
//!   (<https://github.com/getmoto/moto/blob/master/moto/secretsmanager/exceptions.py>): the adapter looks in both cases;
//! * it stores a value in a secret that is scheduled for deletion: `replace` looks before;
//! * a missing secret is status 404 there, and 400 with the service: the adapter looks at the code alone;
//! * after `AWSCURRENT` was moved, a read without a label still gives the version before: the adapter names the label.

mod support;

use std::sync::Arc;

use futures::FutureExt as _;
use libtest_mimic::Arguments;
use seed_aws_sm::AwsSm;
use seed_core::name::SecretName;
use seed_provider::Provider as _;
use seed_provider::conformance::{Subject, Suite};
use seed_servers::Moto;
use serde_json::json;

fn main() {
    let description = support::adapter("http://127.0.0.1:1").describe();
    let make = || async {
        let moto = Moto::shared()?;
        Ok(Subject::new(support::adapter(moto.address())))
    };
    let suite = Suite::new(description, make);
    let mut trials = suite.trials();
    trials.extend(suite.replace_trials());
    trials.extend(suite.versions_trials());
    trials
        .extend(suite.restore_trials(|_: Arc<AwsSm>, name: SecretName| {
            async move { delete(&name) }.boxed()
        }));
    let trials = trials
        .into_iter()
        .map(|trial| trial.with_ignored_flag(true));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

#[expect(clippy::unwrap_used, reason = "a test may give up")]
fn delete(name: &SecretName) {
    let body = json!({"SecretId": name.as_str(), "RecoveryWindowInDays": 7});
    let moto = Moto::shared().unwrap();
    let deleted = moto.call("DeleteSecret", &body);
    deleted.unwrap().success().unwrap();
}
