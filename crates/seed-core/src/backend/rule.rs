//! Which stored names and sizes a backend takes. Sources: the services' own documentation.

use super::Kind;

/// Whether upper and lower case make different names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CaseRule {
    /// Only lower case exists; upper case is lowered.
    Lowered,
    /// Names that differ only in case are the same.
    Insensitive,
    /// Case counts.
    Sensitive,
}

/// The rules of one kind of backend.
#[derive(Clone, Copy, Debug)]
pub struct NameRule {
    kind: Kind,
    /// Longest stored name, in bytes.
    pub max_name: usize,
    /// Largest stored entry, in bytes, after encoding.
    pub max_bytes: usize,
    /// How case counts.
    pub case: CaseRule,
    /// Characters beyond ASCII letters and digits that a name may have.
    pub punctuation: &'static str,
    /// Characters of a key that become `-`, because the backend does not know them.
    pub dashed: &'static str,
}

/// Why an entry cannot be stored under its name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StoredNameError {
    /// Nothing at all.
    #[error("the stored name is empty")]
    Empty,
    /// Over the limit.
    #[error("the stored name `{name}` has {} characters; {kind} takes at most {max}", name.len())]
    TooLong {
        /// The refused name.
        name: String,
        /// The backend.
        kind: Kind,
        /// Its limit.
        max: usize,
    },
    /// A character that the backend does not take.
    #[error("the stored name `{name}` has {character:?}, which {kind} does not take")]
    Character {
        /// The refused name.
        name: String,
        /// The backend.
        kind: Kind,
        /// The first character at fault.
        character: char,
    },
    /// A form that the backend, or External Secrets Operator reading from it, gets wrong.
    #[error("the stored name `{name}` does not work on {kind}: {reason}")]
    Form {
        /// The refused name.
        name: String,
        /// The backend.
        kind: Kind,
        /// Why.
        reason: &'static str,
    },
}

impl NameRule {
    /// Maps a key into the backend's alphabet, as far as that loses nothing that people would miss.
    pub fn map(&self, key: &str) -> String {
        let dashed = key
            .chars()
            .map(|c| if self.dashed.contains(c) { '-' } else { c });
        match self.case {
            CaseRule::Lowered => dashed.map(|c| c.to_ascii_lowercase()).collect(),
            CaseRule::Insensitive | CaseRule::Sensitive => dashed.collect(),
        }
    }

    /// The form under which two names count as the same.
    pub fn identity(&self, name: &str) -> String {
        match self.case {
            CaseRule::Insensitive | CaseRule::Lowered => name.to_ascii_lowercase(),
            CaseRule::Sensitive => name.to_owned(),
        }
    }

    /// Checks a stored name.
    pub fn check(&self, name: &str) -> Result<(), StoredNameError> {
        let kind = self.kind;
        if name.is_empty() {
            return Err(StoredNameError::Empty);
        }
        if name.len() > self.max_name {
            return Err(StoredNameError::TooLong {
                name: name.to_owned(),
                kind,
                max: self.max_name,
            });
        }
        let allowed = |c: char| {
            (c.is_ascii_alphanumeric()
                && !(self.case == CaseRule::Lowered && c.is_ascii_uppercase()))
                || self.punctuation.contains(c)
        };
        if let Some(character) = name.chars().find(|c| !allowed(*c)) {
            return Err(StoredNameError::Character {
                name: name.to_owned(),
                kind,
                character,
            });
        }
        match refuse_form(kind, name) {
            Some(reason) => Err(StoredNameError::Form {
                name: name.to_owned(),
                kind,
                reason,
            }),
            None => Ok(()),
        }
    }
}

fn refuse_form(kind: Kind, name: &str) -> Option<&'static str> {
    let segments = || name.split('/');
    match kind {
        Kind::Vault if name.starts_with('/') => Some("a leading `/` makes an empty path segment"),
        Kind::Vault if segments().any(str::is_empty) => Some("a path segment is empty"),
        Kind::Vault if segments().any(|s| s == "." || s == "..") => {
            Some("`.` and `..` are not path segments")
        }
        Kind::Vault if segments().next() == Some("data") => {
            Some("External Secrets Operator cuts off a first segment `data`")
        }
        Kind::Kubernetes if !subdomain(name) => {
            Some("each part between dots must begin and end with a letter or a digit")
        }
        Kind::AwsSm
        | Kind::AzureKv
        | Kind::Gcpsm
        | Kind::Kubernetes
        | Kind::Local
        | Kind::Vault => None,
    }
}

fn subdomain(name: &str) -> bool {
    name.split('.').all(|label| {
        let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        end(label.chars().next()) && end(label.chars().last())
    })
}

pub(super) fn of(kind: Kind) -> &'static NameRule {
    match kind {
        Kind::AwsSm => &AWS_SM,
        Kind::AzureKv => &AZURE_KV,
        Kind::Gcpsm => &GCPSM,
        Kind::Kubernetes => &KUBERNETES,
        Kind::Local => &LOCAL,
        Kind::Vault => &VAULT,
    }
}

const AWS_SM: NameRule = NameRule {
    kind: Kind::AwsSm,
    max_name: 512,
    max_bytes: 65_536,
    case: CaseRule::Sensitive,
    punctuation: "/_+=.@-",
    dashed: "",
};

const AZURE_KV: NameRule = NameRule {
    kind: Kind::AzureKv,
    max_name: 127,
    max_bytes: 25_600,
    case: CaseRule::Insensitive,
    punctuation: "-",
    dashed: "/_",
};

const GCPSM: NameRule = NameRule {
    kind: Kind::Gcpsm,
    max_name: 255,
    max_bytes: 65_536,
    case: CaseRule::Sensitive,
    punctuation: "_-",
    dashed: "/",
};

const KUBERNETES: NameRule = NameRule {
    kind: Kind::Kubernetes,
    max_name: 253,
    max_bytes: 1_048_576,
    case: CaseRule::Lowered,
    punctuation: ".-",
    dashed: "/_",
};

const LOCAL: NameRule = NameRule {
    kind: Kind::Local,
    max_name: 512,
    max_bytes: 1_048_576,
    case: CaseRule::Sensitive,
    punctuation: "/_+=.@-",
    dashed: "",
};

const VAULT: NameRule = NameRule {
    kind: Kind::Vault,
    max_name: 512,
    max_bytes: 1_048_576,
    case: CaseRule::Sensitive,
    punctuation: "/_+=.@-",
    dashed: "",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_map_into_each_alphabet() {
        let entry = "Team/api_key".parse().unwrap();
        let names: Vec<String> = Kind::ALL
            .into_iter()
            .map(|kind| kind.stored_name("llm-", &entry, None).unwrap().to_string())
            .collect();
        assert_eq!(
            names,
            [
                "llm-Team-api_key",
                "llm-Team/api_key",
                "llm-Team-api-key",
                "llm-Team/api_key",
                "llm-team-api-key",
                "llm-Team/api_key",
            ]
        );
    }

    #[test]
    fn characters_that_cannot_be_mapped_are_refused() {
        let dotted = "tls.crt".parse().unwrap();
        for kind in [Kind::Gcpsm, Kind::AzureKv] {
            assert!(matches!(
                kind.stored_name("", &dotted, None),
                Err(StoredNameError::Character { character: '.', .. })
            ));
        }
        for kind in [Kind::AwsSm, Kind::Vault, Kind::Kubernetes, Kind::Local] {
            assert!(kind.stored_name("", &dotted, None).is_ok(), "{kind}");
        }
    }

    #[test]
    fn limits_hold_at_the_edge_and_one_over() {
        for kind in Kind::ALL {
            let max = kind.rule().max_name;
            assert!(kind.existing_name(&"a".repeat(max)).is_ok(), "{kind}");
            assert!(kind.existing_name(&"a".repeat(max + 1)).is_err(), "{kind}");
            assert!(kind.existing_name("").is_err(), "{kind}");
        }
    }

    #[test]
    fn vault_paths_that_mislead_readers_are_refused() {
        for bad in ["/a", "a//b", "a/", "data/a", "data", "a/../b", "."] {
            assert!(Kind::Vault.existing_name(bad).is_err(), "{bad}");
        }
        assert!(Kind::Vault.existing_name("app/data").is_ok());
    }

    #[test]
    fn kubernetes_names_are_subdomains() {
        for bad in ["-a", "a-", "a..b", "a.-b", "A"] {
            assert!(Kind::Kubernetes.existing_name(bad).is_err(), "{bad}");
        }
    }
}
