//! "List filtering": terms joined by `AND`. What is not understood is refused, as the service does.

use super::status::{INVALID_ARGUMENT, Reply, refuse};
use super::store::{Secret, Version};

/// Whether a secret passes.
pub(super) fn secret(filter: &str, id: &str, secret: &Secret) -> Reply<bool> {
    all(filter, |field, equals, wanted| {
        if field == "name" {
            return Some(fits(id, equals, wanted));
        }
        let label = field.strip_prefix("labels.")?;
        let found = secret.labels.get(label);
        Some(found.is_some_and(|value| fits(value, equals, wanted)))
    })
}

/// Whether a version passes.
pub(super) fn version(filter: &str, version: &Version) -> Reply<bool> {
    all(filter, |field, equals, wanted| {
        let state = version.state.as_str();
        (field == "state").then(|| fits(state, equals, wanted))
    })
}

fn all(filter: &str, term: impl Fn(&str, bool, &str) -> Option<bool>) -> Reply<bool> {
    if filter.is_empty() {
        return Ok(true);
    }
    let mut passes = true;
    for part in filter.split(" AND ") {
        let split = part
            .split_once('=')
            .map(|(field, value)| (field, true, value));
        let split = split.or_else(|| {
            part.split_once(':')
                .map(|(field, value)| (field, false, value))
        });
        let passed = split.and_then(|(field, equals, wanted)| {
            term(field.trim(), equals, wanted.trim().trim_matches('"'))
        });
        match passed {
            Some(passed) => passes &= passed,
            None => return refuse(INVALID_ARGUMENT, format!("Invalid filter: {part}")),
        }
    }
    Ok(passes)
}

/// `=` wants all of it, `:` a part.
fn fits(value: &str, equals: bool, wanted: &str) -> bool {
    if equals {
        value == wanted
    } else {
        value.contains(wanted)
    }
}
