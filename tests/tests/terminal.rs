//! What a contract says cannot steer a terminal.

use seed_tests::cli::Outcome;
use seed_tests::workspace::Workspace;

type Test = Result<(), String>;

/// Escapes wherever a contract may have text that is shown.
const HOSTILE: &str = r#"
version: 1
name: shop
backend: local
store: {kind: ClusterSecretStore, name: store}
secrets:
  asked:
    description: "\e[31mred\e[0m"
    provide: {how: "\e]0;title\a\rforged\e[2J\u202Eback\x7F\u009B1m", url: "https://example.com/\e[8m"}
  minted: {mint: {by: "\e[5mblink"}}
  off: {when: "'\e[1m' == 'a'", generate: {hex: 4}}
  fixed: {value: "a", check: {one-of: ["\e[7m"]}}
targets:
  shop/others: {made-by: "\e[4mchart", data: {a: "${asked}"}}
  shop/odd: {data: {"a.yaml": "a: ${asked} \e[3m"}}
"#;

fn is_hidden(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || ('\u{202a}'..='\u{202e}').contains(&c)
}

fn clean(outcome: &Outcome) -> Test {
    for text in [&outcome.stdout, &outcome.stderr] {
        if let Some(at) = text.find(is_hidden) {
            let around = text.get(..at).unwrap_or_default();
            return Err(format!("{:?} after {around:?}", text.get(at..)));
        }
    }
    Ok(())
}

#[test]
fn escapes_in_a_contract_are_shown_and_not_obeyed() -> Test {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", HOSTILE)?;
    for (line, shown) in [
        (
            "plan",
            r"\u001b]0;title\u0007\u000dforged\u001b[2J\u202eback\u007f\u009b1m",
        ),
        ("plan", r"written later by \u001b[5mblink"),
        (
            "plan --format json",
            r"\u001b]0;title\u0007\rforged\u001b[2J\u202eback\u007f\u009b1m",
        ),
        ("apply --no-input", r"\u001b[7m"),
        ("check", r"sound"),
        ("get off", r"\u001b[1m"),
        ("check --backend a\u{1b}[31m", r"a\u001b[31m"),
        ("get x\u{1b}[31m", "not allowed here"),
        ("plan -c seed\u{1b}[31m.yaml", r"seed\u001b[31m.yaml"),
    ] {
        let outcome = workspace.seed(line)?;
        clean(&outcome)?;
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(said.contains(shown), "{line:?}: {outcome}");
    }
    Ok(())
}

/// With colour there are escapes, and all of them are ours.
#[test]
fn colour_adds_styles_and_nothing_else() -> Test {
    let workspace = Workspace::new()?;
    let wrong = HOSTILE.replace("{hex: 4}", "{\"\\e[31mhexx\\e[0m\": 4}");
    workspace.write("seed.yaml", &wrong)?;
    let plain = workspace.seed("check")?;
    clean(&plain)?;
    let coloured = workspace.seed("check --color always")?;
    assert!(coloured.stderr.contains('\u{1b}'), "{coloured}");
    let mut text = String::new();
    for part in coloured.stderr.split("\u{1b}[") {
        let unstyled = part
            .split_once('m')
            .filter(|(style, _)| style.chars().all(|c| c.is_ascii_digit() || c == ';'));
        text.push_str(unstyled.map_or(part, |(_, rest)| rest));
    }
    assert_eq!(text, plain.stderr);
    Ok(())
}
