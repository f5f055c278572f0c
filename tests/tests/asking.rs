//! Values that are asked for on a terminal.

use insta::assert_snapshot;
use rustix::process::Signal;
use seed_tests::terminal::{Conversation, Shown};
use seed_tests::workspace::{PLATFORM, Workspace};

type Test = Result<(), String>;

const CONTRACT: &str = r#"version: 1
name: asking
backend: local
backends: {local: {file: .seed/asking.age}}
secrets:
  token:
    description: Opens the door
    provide: {how: "dashboard, API tokens", url: "https://example.com/tokens"}
    check: {min: 8, prefix: tk_}
  header: {compose: "Bearer ${token}"}
  bundle: {provide: {how: "your \e[31mauthority"}}
  license: {provide: {how: sales@example.com}, optional: true}
  spare: {generate: {hex: 16}}
files:
  secrets/token: {text: "${token}\n"}
"#;

const TOKEN: &str = "tk_correct-horse-battery";
const BUNDLE: &str = "-----BEGIN CERTIFICATE-----\nY29ycmVjdA==\n-----END CERTIFICATE-----\n\
                      -----BEGIN CERTIFICATE-----\naG9yc2U=\n-----END CERTIFICATE-----\n";

fn workspace() -> Result<Workspace, String> {
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", CONTRACT)?;
    Ok(workspace)
}

/// Begins to apply, and waits for the question.
fn apply(workspace: &Workspace) -> Result<Conversation, String> {
    let mut person = workspace.talk("apply")?;
    person.wait_for("value: ")?;
    Ok(person)
}

/// Gives a token, and waits for the next question.
fn apply_with_token(workspace: &Workspace) -> Result<Conversation, String> {
    let mut person = apply(workspace)?;
    person.send(format!("{TOKEN}\r"))?;
    person.wait_for("value: ")?;
    Ok(person)
}

/// Nothing of a value may have been shown.
fn silent(shown: &Shown, values: &[&str]) -> Test {
    let text = String::from_utf8_lossy(&shown.0);
    let words = values.iter().flat_map(|value| value.split_whitespace());
    match words.filter(|word| text.contains(*word)).count() {
        0 => Ok(()),
        leaks => Err(format!("{leaks} words of values were shown")),
    }
}

#[test]
fn values_are_asked_for_in_order_refused_with_a_reason_and_used_at_once() -> Test {
    let workspace = workspace()?;
    let mut person = apply(&workspace)?;
    person.send("battery\r")?;
    person.wait_for("value: ")?;
    person.send(format!("{TOKEN}\r"))?;
    person.wait_for("value: ")?;
    person.paste(BUNDLE)?;
    person.send("\r")?;
    let shown = person.finish()?;
    silent(&shown, &[TOKEN, BUNDLE, "battery"])?;
    assert_snapshot!(shown, @r"
    asking · local, file .seed/asking.age                         seed.yaml

    [pastes are marked]
    Nothing is shown while you type. An empty line: later. Ctrl-C: stop, with nothing written.

      token  (1 of 2)
        Opens the door
        dashboard, API tokens
        https://example.com/tokens
        expected: at least 8 characters, beginning with `tk_`
        value: refused: the value has 7 characters; at least 8 are wanted and does not begin with `tk_`
        value: (set)

      bundle  (2 of 2)
        your \u001b[31mauthority
        value: (set)
    [pastes are not marked]
      + token   created
      + header  created
      + bundle  created
      + spare   created

    Applied: 4 created, 1 optional.

      You may provide (`seed set KEY`):
        license: sales@example.com

      Files:
        secrets/token: written
    [exit status: 0, terminal: as before]
    ");
    assert_eq!(workspace.value("", "token")?, TOKEN.as_bytes());
    assert_eq!(
        workspace.value("", "header")?,
        format!("Bearer {TOKEN}").as_bytes()
    );
    assert_eq!(workspace.value("", "bundle")?, BUNDLE.as_bytes());
    Ok(())
}

#[test]
fn an_empty_line_is_later_and_all_else_is_done() -> Test {
    let workspace = workspace()?;
    let mut person = apply(&workspace)?;
    person.send("\r")?;
    person.wait_for("value: ")?;
    person.send("\r")?;
    assert_snapshot!(person.finish()?, @r"
    asking · local, file .seed/asking.age                         seed.yaml

    [pastes are marked]
    Nothing is shown while you type. An empty line: later. Ctrl-C: stop, with nothing written.

      token  (1 of 2)
        Opens the door
        dashboard, API tokens
        https://example.com/tokens
        expected: at least 8 characters, beginning with `tk_`
        value: (later)

      bundle  (2 of 2)
        your \u001b[31mauthority
        value: (later)
    [pastes are not marked]
      > header  waits for token
      + spare   created

    Applied: 1 created, 2 for you to provide, 1 waiting, 1 optional.

      You still have to provide (`seed set KEY`):
        token: dashboard, API tokens
          https://example.com/tokens
        bundle: your \u001b[31mauthority

      You may provide (`seed set KEY`):
        license: sales@example.com

      Files:
        secrets/token: not written: a value that it needs is not there yet
    [exit status: 11, terminal: as before]
    ");
    Ok(())
}

#[test]
fn a_value_that_is_refused_again_and_again_is_left_for_later() -> Test {
    let workspace = workspace()?;
    let mut person = apply(&workspace)?;
    for _ in 0..4 {
        person.send("battery\r")?;
        person.wait_for("value: ")?;
    }
    person.send("battery\r")?;
    person.wait_for("left for later")?;
    person.wait_for("value: ")?;
    person.send("\r")?;
    let shown = person.finish()?;
    silent(&shown, &["battery"])?;
    assert!(
        shown
            .to_string()
            .ends_with("[exit status: 11, terminal: as before]"),
        "{shown}"
    );
    assert_eq!(workspace.planned("", &["ask"])?, ["token", "bundle"]);
    Ok(())
}

#[test]
fn a_chain_is_taken_whole_from_a_terminal_that_marks_no_paste() -> Test {
    for end in ["\r", "\n", "\r\n"] {
        let workspace = workspace()?;
        let mut person = apply_with_token(&workspace)?;
        person.send(BUNDLE.replace('\n', end))?;
        let shown = person.finish()?;
        silent(&shown, &[TOKEN, BUNDLE])?;
        assert_eq!(workspace.value("", "bundle")?, BUNDLE.as_bytes(), "{end:?}");
    }
    Ok(())
}

#[test]
fn lines_that_are_typed_one_by_one_are_put_together() -> Test {
    let workspace = workspace()?;
    let mut person = apply_with_token(&workspace)?;
    let key = "-----BEGIN PRIVATE KEY-----\nY29ycmVjdA==\n-----END PRIVATE KEY-----\n";
    for line in key.lines() {
        person.send(format!("{line}x\u{7f}\r"))?;
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let shown = person.finish()?;
    silent(&shown, &[TOKEN, key])?;
    assert_eq!(workspace.value("", "bundle")?, key.as_bytes());
    Ok(())
}

#[test]
fn json_goes_on_until_it_is_whole() -> Test {
    let workspace = workspace()?;
    let mut person = apply_with_token(&workspace)?;
    let account = "{\n  \"type\": \"service_account\",\n  \"key\": [\"horse\"]\n}";
    person.send(account.replace('\n', "\r"))?;
    person.send("\r")?;
    let shown = person.finish()?;
    silent(&shown, &[TOKEN, "service_account", "horse"])?;
    assert_eq!(workspace.value("", "bundle")?, account.as_bytes());
    Ok(())
}

#[test]
fn a_line_of_6000_characters_is_not_cut() -> Test {
    let workspace = workspace()?;
    let mut person = apply_with_token(&workspace)?;
    let long = "correct-horse.".repeat(429);
    person.send(&long)?;
    person.send("\r")?;
    let shown = person.finish()?;
    silent(&shown, &[TOKEN, "correct-horse"])?;
    assert!(long.len() > 6000);
    assert_eq!(workspace.value("", "bundle")?, long.as_bytes());
    Ok(())
}

#[test]
fn several_lines_at_once_are_refused_rather_than_cut() -> Test {
    let workspace = workspace()?;
    let mut person = apply_with_token(&workspace)?;
    person.send("correct\rhorse\rbattery\r")?;
    person.wait_for("refused: ")?;
    person.wait_for("value: ")?;
    person.send("\r")?;
    let shown = person.finish()?;
    silent(&shown, &[TOKEN, "correct", "horse", "battery"])?;
    assert!(
        shown.to_string().contains("seed set bundle --file FILE"),
        "{shown}"
    );
    assert_eq!(workspace.planned("", &["ask"])?, ["bundle"]);
    Ok(())
}

#[test]
fn keys_that_are_no_text_are_not_stored() -> Test {
    let workspace = workspace()?;
    let mut person = apply_with_token(&workspace)?;
    person.send("wrong\u{15}cor\u{1b}[D\u{1b}[3~rect\u{1a}\u{1b}OA wrong\u{17}horsee\u{7f}\r")?;
    let shown = person.finish()?;
    silent(&shown, &[TOKEN, "correct", "horse", "wrong"])?;
    assert_eq!(workspace.value("", "bundle")?, b"correct horse");
    Ok(())
}

#[test]
fn ctrl_c_stops_with_nothing_written() -> Test {
    let workspace = workspace()?;
    let before = workspace.files()?;
    let mut person = apply_with_token(&workspace)?;
    person.send("-----BEGIN PRIVATE KEY-----\rY29ycmVjdA==\u{3}")?;
    let shown = person.finish()?;
    silent(&shown, &[TOKEN, "Y29ycmVjdA==", "BEGIN"])?;
    assert_snapshot!(shown, @r"
    asking · local, file .seed/asking.age                         seed.yaml

    [pastes are marked]
    Nothing is shown while you type. An empty line: later. Ctrl-C: stop, with nothing written.

      token  (1 of 2)
        Opens the door
        dashboard, API tokens
        https://example.com/tokens
        expected: at least 8 characters, beginning with `tk_`
        value: (set)

      bundle  (2 of 2)
        your \u001b[31mauthority
        value: 
    [pastes are not marked]
    error: stopped at the question for `bundle`; nothing was written
    [exit status: 1, terminal: as before]
    ");
    assert_eq!(workspace.files()?, before);
    Ok(())
}

#[test]
fn ctrl_d_on_an_empty_line_stops_too() -> Test {
    let workspace = workspace()?;
    let before = workspace.files()?;
    let mut person = apply_with_token(&workspace)?;
    person.send("\u{4}")?;
    let shown = person.finish()?.to_string();
    assert!(
        shown.ends_with("[exit status: 1, terminal: as before]"),
        "{shown}"
    );
    assert_eq!(workspace.files()?, before);
    Ok(())
}

#[test]
fn a_signal_stops_with_nothing_written_and_the_terminal_put_right() -> Test {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
        let workspace = workspace()?;
        let before = workspace.files()?;
        let mut person = apply_with_token(&workspace)?;
        person.send("-----BEGIN PRIVATE KEY-----\rcorrect")?;
        person.signal(signal)?;
        let shown = person.finish()?;
        silent(&shown, &[TOKEN, "correct", "BEGIN"])?;
        let shown = shown.to_string();
        assert!(
            shown.ends_with("[exit status: 1, terminal: as before]"),
            "{signal:?}: {shown}"
        );
        assert!(
            shown.contains("[pastes are not marked]"),
            "{signal:?}: {shown}"
        );
        assert_eq!(workspace.files()?, before, "{signal:?}");
    }
    Ok(())
}

#[test]
fn no_input_never_asks() -> Test {
    let workspace = workspace()?;
    let shown = workspace.talk("apply --no-input")?.finish()?.to_string();
    assert!(!shown.contains("value: "), "{shown}");
    assert!(
        shown.ends_with("[exit status: 11, terminal: as before]"),
        "{shown}"
    );
    Ok(())
}

#[test]
fn what_is_there_is_not_asked_for() -> Test {
    let workspace = workspace()?;
    let mut person = apply_with_token(&workspace)?;
    person.send("correct horse\r")?;
    person.finish()?;
    let shown = workspace.talk("apply")?.finish()?.to_string();
    assert!(!shown.contains("value: "), "{shown}");
    assert!(
        shown.ends_with("[exit status: 0, terminal: as before]"),
        "{shown}"
    );
    Ok(())
}

#[test]
fn the_platform_asks_for_its_one_value() -> Test {
    let workspace = Workspace::new()?;
    let mut person = workspace.talk(&format!("apply {PLATFORM} --format json"))?;
    person.wait_for("value: ")?;
    let token = "correct-horse-battery-staple-correct-horse";
    person.send(format!("{token}\r"))?;
    let shown = person.finish()?;
    silent(&shown, &[token])?;
    let shown = shown.to_string();
    assert!(
        shown.ends_with("[exit status: 0, terminal: as before]"),
        "{shown}"
    );
    assert_eq!(
        workspace.value(PLATFORM, "cloudflare-api-token")?,
        token.as_bytes()
    );
    Ok(())
}
