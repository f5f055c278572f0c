//! The list of all secrets with a common beginning.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_secretsmanager::error::ProvideErrorMetadata as _;
use aws_sdk_secretsmanager::operation::list_secrets::ListSecretsOutput;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType};
use seed_core::inventory::Wanted;
use seed_provider::{ErrorKind, Operation, Result};

use crate::adapter::AwsSm;
use crate::call::Call;
use crate::error::Purpose;
use crate::inventory::{Facts, is_of_the_call};

impl AwsSm {
    /// All secrets that may be among those wanted, or `None` when they cannot be listed and may be asked for one by one.
    pub(crate) async fn list(&self, wanted: &[Wanted]) -> Result<Option<BTreeMap<String, Facts>>> {
        let filters = beginning(wanted).map(|beginning| {
            vec![
                Filter::builder()
                    .key(FilterNameStringType::Name)
                    .values(beginning)
                    .build(),
            ]
        });
        let mut listed = BTreeMap::new();
        let mut next: Option<String> = None;
        let mut asked = BTreeSet::new();
        loop {
            let Some(page) = self.page(filters.clone(), next).await? else {
                return Ok(None);
            };
            let Some(secrets) = page.secret_list else {
                let message = "the answer to ListSecrets has no list";
                return Err(PURPOSE.error(ErrorKind::Unexpected, message));
            };
            for secret in secrets {
                let Some(name) = secret.name else { continue };
                let facts = Facts {
                    deleted: secret.deleted_date,
                    changed: secret.last_changed_date.map(|date| date.secs()),
                    stages: secret.secret_versions_to_stages.unwrap_or_default(),
                };
                listed.insert(name, facts);
            }
            let Some(token) = page.next_token.filter(|token| !token.is_empty()) else {
                return Ok(Some(listed));
            };
            if !asked.insert(token.clone()) {
                let message = "ListSecrets gives the same pages again and again";
                return Err(PURPOSE.error(ErrorKind::Unexpected, message));
            }
            next = Some(token);
        }
    }

    async fn page(
        &self,
        filters: Option<Vec<Filter>>,
        next: Option<String>,
    ) -> Result<Option<ListSecretsOutput>> {
        let by_the_service = AtomicBool::new(false);
        let page = self.look(PURPOSE, || {
            let request = self.clients.secrets.list_secrets();
            let request = request
                .max_results(PAGE)
                .include_planned_deletion(true)
                .set_filters(filters.clone())
                .set_next_token(next.clone());
            let has_code = &by_the_service;
            async move {
                let sent = Box::pin(request.send()).await;
                sent.map_err(|err| {
                    has_code.store(err.code().is_some(), Ordering::Relaxed);
                    PURPOSE.failed(&err)
                })
            }
        });
        let err = match page.await {
            Ok(page) => return Ok(Some(page)),
            Err(err) => err,
        };
        if err.kind() == ErrorKind::Denied {
            self.note(UNLISTED.to_owned());
            return Ok(None);
        }
        // What something in between answers would befall the calls about each name as well.
        if by_the_service.load(Ordering::Relaxed) && is_of_the_call(&err) {
            self.note(format!(
                "{}; each name was looked up by itself with DescribeSecret",
                err.message()
            ));
            return Ok(None);
        }
        Err(err)
    }
}

/// What all wanted names begin with, if that is anything.
fn beginning(wanted: &[Wanted]) -> Option<String> {
    let mut names = wanted.iter().map(|wanted| wanted.name.as_str());
    let mut common = names.next()?.to_owned();
    for name in names {
        let same = common.chars().zip(name.chars()).take_while(|(a, b)| a == b);
        common = same.map(|(a, _)| a).collect();
    }
    // A `!` would turn the filter round; no name has one.
    Some(common).filter(|common| !common.is_empty())
}

const PURPOSE: Purpose<'static> = Purpose {
    operation: Operation::Inventory,
    name: None,
    call: Call::ListSecrets,
};
const PAGE: i32 = 100;
const UNLISTED: &str =
    "ListSecrets is denied; each name is looked up by itself with DescribeSecret";
