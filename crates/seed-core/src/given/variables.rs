//! Variables that somebody else reads.

use std::collections::BTreeSet;

use crate::backend::Kind;
use crate::resolve::{Place, Resolved};

/// Who reads a variable for itself: the client of a backend that the contract keeps values in, or `seed`.
///
/// What stands in such a variable is a credential or a setting, and never a value to store.
pub fn reader_of(resolved: &Resolved, variable: &str) -> Option<&'static str> {
    if variable.starts_with("SEED_") {
        return Some("seed");
    }
    let kinds = resolved
        .entries
        .values()
        .filter_map(|entry| match &entry.place {
            Some(Place::Backend { kind, .. }) => Some(*kind),
            Some(Place::Nowhere) | None => None,
        });
    kinds
        .collect::<BTreeSet<Kind>>()
        .into_iter()
        .find(|kind| kind.own_variables().contains(&variable))
        .map(Kind::title)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::parse;
    use crate::resolve::{Request, resolve};

    #[test]
    fn what_a_backend_in_use_reads_is_no_value_to_store() {
        let readers = |backend: &str| {
            let source = format!(
                "version: 1\nname: shop\nbackend: {backend}\nstore: {{name: s}}\nsecrets: {{a: {{provide: {{}}}}}}\ntargets: {{}}\n\
                 backends: {{aws-sm: {{region: r}}, azure-kv: {{vault: \"https://v.example\"}}, gcpsm: {{project: p}}, \
                 kubernetes: {{context: c, namespace: n}}, vault: {{address: \"https://v.example\", mount: m}}}}\n"
            );
            let (contract, _) = parse(&source).unwrap();
            let (resolved, _) = resolve(&contract, &source, &Request::default()).unwrap();
            let read = [
                "AWS_SECRET_ACCESS_KEY",
                "AZURE_CLIENT_SECRET",
                "GOOGLE_APPLICATION_CREDENTIALS",
                "KUBECONFIG",
                "VAULT_TOKEN",
                "SEED_IDENTITY",
                "GITHUB_TOKEN",
            ];
            let read = read
                .into_iter()
                .filter(|name| reader_of(&resolved, name).is_some());
            read.collect::<Vec<_>>()
        };
        assert_eq!(
            readers("aws-sm"),
            ["AWS_SECRET_ACCESS_KEY", "SEED_IDENTITY"]
        );
        assert_eq!(
            readers("azure-kv"),
            ["AZURE_CLIENT_SECRET", "SEED_IDENTITY"]
        );
        assert_eq!(
            readers("gcpsm"),
            ["GOOGLE_APPLICATION_CREDENTIALS", "SEED_IDENTITY"]
        );
        assert_eq!(readers("kubernetes"), ["KUBECONFIG", "SEED_IDENTITY"]);
        assert_eq!(readers("vault"), ["VAULT_TOKEN", "SEED_IDENTITY"]);
        assert_eq!(readers("local"), ["SEED_IDENTITY"]);
    }
}
