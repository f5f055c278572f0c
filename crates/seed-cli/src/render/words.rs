//! Numbers, plurals, lists, and the lines of others.

/// "1 file", "2 files".
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// "3 to create, 1 blocked"; what counts nothing is left out. `None` when nothing is left.
pub(super) fn sentence(counts: &[(usize, &str)]) -> Option<String> {
    let parts: Vec<String> = counts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, words)| format!("{number} {words}"))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Several lines of others, each but the first after `blanks` blanks, and none of them empty.
pub(crate) fn hanging(text: &str, blanks: usize) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let between = format!("\n{:blanks$}", "");
    lines.collect::<Vec<_>>().join(&between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_lines_hang_below_the_first() {
        assert_eq!(hanging("one", 4), "one");
        assert_eq!(hanging("\n one \r\n\n  two\n", 4), "one\n    two");
        assert_eq!(hanging("", 4), "");
    }
}
