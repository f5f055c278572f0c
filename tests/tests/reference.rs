//! The made pages of the documentation are what the program says today.

use seed_tests::reference;
use seed_tests::shared;
use seed_tests::workspace::Workspace;
use similar::TextDiff;

#[test]
fn made_pages_are_up_to_date() -> Result<(), String> {
    let pages = reference::pages()?;
    assert!(!pages.is_empty());
    for (path, wanted) in pages.into_iter().chain([reference::readme()?]) {
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

/// The words are read from the code that says them, so that another one cannot be forgotten.
#[test]
fn every_state_action_and_finding_is_explained() -> Result<(), String> {
    let page = read("docs/reference/states.md")?;
    let mut words = 0;
    for (path, owner, section) in [
        ("crates/seed-core/src/plan/model.rs", "State", "States"),
        ("crates/seed-core/src/plan/model.rs", "Action", "Actions"),
        (
            "crates/seed-core/src/judge/finding.rs",
            "Finding",
            "Findings",
        ),
    ] {
        let rows = after(&page, &format!("\n## {section}\n"))?;
        let rows = rows.split("\n## ").next().unwrap_or_default();
        let code = after(&read(path)?, &format!("\nimpl {owner} {{\n"))?;
        let code = after(&code, "fn as_str(&self)")?;
        let code = code.split("\n    }\n").next().unwrap_or_default();
        for word in code.split('"').skip(1).step_by(2) {
            assert!(
                rows.contains(&format!("\n| `{word}` |")),
                "{section}: `{word}`"
            );
            words += 1;
        }
    }
    assert!(words >= 30, "only {words} words were found");
    Ok(())
}

/// Links between pages, and files that SECURITY.md names for what it claims.
#[test]
fn files_that_pages_name_exist() -> Result<(), String> {
    let repository = shared::repository()?;
    let pages = [
        "README.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "docs/reference/contract.md",
    ];
    let mut named = 0;
    for page in pages {
        let text = read(page)?;
        let directory = repository.join(page);
        let directory = directory.parent().ok_or("a page without a directory")?;
        let links = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        let links = links.filter(|link| !link.contains("://") && !link.starts_with('#'));
        let links = links.map(|link| directory.join(link.split('#').next().unwrap_or_default()));
        let rooms = ["crates/", "providers/", "tests/", "docs/"];
        let code = text.split('`').skip(1).step_by(2);
        let code = code
            .filter(|word| rooms.iter().any(|room| word.starts_with(room)) && !word.contains(' '))
            .map(|path| repository.join(path));
        for path in links.chain(code) {
            assert!(path.exists(), "{page} names {}", path.display());
            named += 1;
        }
    }
    assert!(named > 50, "only {named} were found");
    Ok(())
}

#[test]
fn every_room_is_named_by_the_architecture() -> Result<(), String> {
    let page = read("ARCHITECTURE.md")?;
    let entries = std::fs::read_dir(shared::repository()?).map_err(|err| err.to_string())?;
    let mut rooms = 0;
    for entry in entries {
        let entry = entry.map_err(|err| err.to_string())?;
        let name = entry.file_name().display().to_string();
        // What a build or a run makes is no room.
        let made = ["target", "build", "secrets"].contains(&name.as_str());
        if entry.path().is_dir() && !name.starts_with('.') && !made {
            assert!(
                page.contains(&format!("`{name}/`")),
                "ARCHITECTURE.md does not name {name}/"
            );
            rooms += 1;
        }
    }
    assert!(rooms >= 6, "{rooms}");
    Ok(())
}

fn read(path: &str) -> Result<String, String> {
    let path = shared::repository()?.join(path);
    std::fs::read_to_string(&path).map_err(|err| format!("{}: {err}", path.display()))
}

fn after(text: &str, mark: &str) -> Result<String, String> {
    let found = text.split_once(mark).map(|(_, rest)| rest.to_owned());
    found.ok_or_else(|| format!("nothing is marked {mark:?}"))
}
