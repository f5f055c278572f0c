//! Sources that are certain to be longer than what is made from them reads.

use indexmap::IndexMap;

use super::model::{ResolvedEntry, ResolvedSource, ResolvedValue};
use super::resolver::Resolver;
use crate::diagnostic::Diagnostic;
use crate::name::EntryKey;

/// Reports derivations whose source is never short enough, so that nobody learns it from `apply`.
pub(super) fn refuse_too_long(
    resolver: &mut Resolver<'_>,
    entries: &IndexMap<EntryKey, ResolvedEntry>,
) {
    let values = || entries.values().flat_map(|entry| &entry.values);
    for value in values() {
        let Some(ResolvedSource::Derive { derivation, of }) = &value.source else {
            continue;
        };
        let source = entries
            .get(&of.entry)
            .and_then(|entry| entry.values.iter().find(|value| value.id == *of));
        let (Some(most), Some(least)) = (derivation.longest_source(), source.and_then(least))
        else {
            continue;
        };
        if least > most {
            let message =
                format!("`{of}` has {least} bytes at least; bcrypt reads no more than {most}");
            let found = Diagnostic::error(message, derivation.of().span);
            let help = "make the source shorter: 32 characters are plenty";
            resolver.diagnostics.push(found.help(help));
        }
    }
}

/// The least number of bytes that a value has, where that is known.
fn least(value: &ResolvedValue) -> Option<usize> {
    match value.source.as_ref()? {
        ResolvedSource::Generate {
            recipe,
            provide: None,
        } => Some(value.prefix.len() + *recipe.shape().bytes.start() + value.suffix.len()),
        ResolvedSource::Value(text) => Some(text.len()),
        ResolvedSource::Compose(_)
        | ResolvedSource::Derive { .. }
        | ResolvedSource::Forbidden(_)
        | ResolvedSource::Generate { .. }
        | ResolvedSource::Mint { .. }
        | ResolvedSource::Provide(_) => None,
    }
}
