//! The made pages of the documentation are what the program says today.

use seed_tests::reference;
use seed_tests::workspace::Workspace;
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

#[test]
fn every_example_contract_is_sound_and_can_be_carried_out() -> Result<(), String> {
    let workspace = Workspace::new()?;
    let examples = reference::examples()?;
    assert!(examples.len() >= 11, "{}", examples.len());
    for (name, text) in examples {
        let path = format!("docs/examples/{name}.yaml");
        workspace.write(&path, &text)?;
        let contract = format!("-c {path} --env ai-dev");
        let check = workspace.seed(&format!("check {contract} --all-backends"))?;
        let stderr = check.stderr.clone();
        check.success()?;
        assert_eq!(stderr, "", "{name}");
        let apply = workspace.seed(&format!("apply {contract} --backend local --missing-ok"))?;
        apply.success()?;
        let plan = workspace.json(&format!("plan {contract} --backend local --format json"))?;
        let summary = plan.get("summary").ok_or("a plan without a summary")?;
        for none in ["create", "blocked"] {
            assert_eq!(summary.get(none), Some(&0.into()), "{name}: {plan}");
        }
        if text.contains("targets:") && text.contains("store:") {
            let manifests = workspace.seed(&format!("emit {contract}"))?.success()?;
            assert!(manifests.contains("kind: ExternalSecret"), "{name}");
        }
    }
    Ok(())
}

/// Every page says that it is made, so that nobody writes into it.
#[test]
fn made_pages_say_so() -> Result<(), String> {
    for (path, text) in reference::pages()? {
        assert!(
            text.starts_with("<!-- Made by `make docs` from "),
            "{}",
            path.display()
        );
    }
    Ok(())
}
