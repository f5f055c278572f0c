//! A stored value without what was put around it.

use crate::produce::formed;
use crate::resolve::ResolvedValue;
use crate::secret::SecretValue;
use crate::value::{Form, strip_affixes, unescape_all_newlines, unescape_newlines};

/// What the contract's `check` looks at: a stored value without prefix and suffix, its form undone.
pub(super) enum Inside {
    /// Both were there.
    Value(SecretValue),
    /// It does not begin with the prefix.
    NoPrefix,
    /// It does not end with the suffix.
    NoSuffix,
}

/// Takes form and affixes off, in the reverse of the order in which they were put on.
pub(super) fn inside(value: &ResolvedValue, stored: &SecretValue) -> Inside {
    let affix = |text: &str| formed(value, text.to_owned().into());
    let (prefix, suffix) = (affix(&value.prefix), affix(&value.suffix));
    if !stored.expose().starts_with(prefix.expose()) {
        return Inside::NoPrefix;
    }
    let (Some(before), Some(after)) = (prefix.expose_text(), suffix.expose_text()) else {
        return Inside::NoSuffix;
    };
    match strip_affixes(before, stored, after) {
        Some(inside) => Inside::Value(unformed(value, &inside)),
        None => Inside::NoSuffix,
    }
}

/// A stored value with its form undone, as far as that can be told: text that is not armored stays as it is.
pub(super) fn unformed(value: &ResolvedValue, stored: &SecretValue) -> SecretValue {
    match value.form {
        Some(Form::EscapeNewlines) => unescape_newlines(stored),
        None => stored.duplicate(),
    }
}

/// The other reading of a stored value whose form cannot be undone for certain: every `\n` is a line break.
pub(super) fn other_reading(value: &ResolvedValue, inside: &SecretValue) -> Option<SecretValue> {
    let escaped = |Form::EscapeNewlines| unescape_all_newlines(inside.expose());
    value.form.map(escaped)
}
