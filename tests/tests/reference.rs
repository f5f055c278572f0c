//! The made pages of the documentation are what the program says today.

use seed_tests::reference;
use similar::TextDiff;

#[test]
fn made_pages_are_up_to_date() -> Result<(), String> {
    let pages = reference::pages()?;
    assert!(!pages.is_empty());
    for (path, wanted) in pages {
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        let diff = TextDiff::from_lines(&found, &wanted);
        let diff = diff.unified_diff().header("written", "wanted").to_string();
        assert!(
            found == wanted,
            "{}: run `make docs`\n{diff}",
            path.display()
        );
    }
    Ok(())
}
