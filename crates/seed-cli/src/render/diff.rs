//! What changed between two texts.

use similar::TextDiff;

/// A unified diff with three lines around each change.
pub(crate) fn unified(path: &str, before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}
