//! The contract's files, from what is stored.

use std::collections::BTreeSet;

use seed_core::name::ValueId;
use seed_core::produce::{RenderError, render_file};
use seed_core::resolve::{Resolved, ResolvedFile};
use zeroize::Zeroizing;

use crate::{ReadValues, Unread};

/// Why a file cannot be written. Holds no value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FileError {
    /// A value in it could not be read, so nobody knows whether it belongs there.
    #[error("`{id}`: {unread}")]
    Unread {
        /// Which value.
        id: ValueId,
        /// Why.
        unread: Unread,
    },
    /// Its content cannot be made.
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// The values that a file may hold. Optional ones need not be there.
pub fn needed(file: &ResolvedFile) -> BTreeSet<ValueId> {
    let mut ids = BTreeSet::new();
    file.tree
        .each_text(&mut |text| ids.extend(text.values().cloned()));
    ids
}

/// Writes the content of a file, or gives `None` when nothing is left of it.
///
/// Only a value that its backend calls absent is left out; one that could not be read is an error.
pub fn render(
    resolved: &Resolved,
    file: &ResolvedFile,
    read: &ReadValues,
) -> Result<Option<Zeroizing<String>>, FileError> {
    for id in needed(file) {
        if let Some(unread @ Unread::Failed(_)) = read.unread.get(&id) {
            let unread = unread.clone();
            return Err(FileError::Unread { id, unread });
        }
    }
    Ok(render_file(resolved, &file.tree, &read.values)?)
}
