//! Values in files that people write: what is read, and what is refused without showing any of it.
#![expect(
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test may panic, and says so"
)]

#[path = "support/resolved.rs"]
mod resolved;

use std::sync::LazyLock;

use insta::assert_snapshot;
use proptest::prelude::*;
use resolved::try_resolved;
use seed_core::given::{Fault, Format, Keys, read_values};
use seed_core::resolve::Resolved;

const CONTRACT: &str = r#"
version: 1
name: shop
backend: local
secrets:
  a: {provide: {}}
  b-c: {provide: {}}
  b_c: {provide: {}}
  random: {generate: {hex: 16}}
  made: {compose: "x ${a}"}
  digest: {derive: {sha256: {of: a}}}
  fixed: {value: user}
  later: {mint: {by: the portal}}
  never: {forbidden: it would be read}
  off: {when: "false", provide: {}}
  e:
    fields:
      one: {provide: {}}
      two: {provide: {}}
targets: {app/app: {data: {a: "${a}"}}}
"#;

static RESOLVED: LazyLock<Resolved> = LazyLock::new(|| try_resolved(CONTRACT).unwrap());

fn read(format: Format, text: &str) -> (Vec<(String, Vec<u8>)>, Vec<Fault>) {
    let keys = Keys::new(&RESOLVED);
    let (found, faults) = read_values(text.as_bytes(), Some(format), &keys);
    let found = found
        .into_iter()
        .map(|found| (found.id.to_string(), found.value.expose().to_vec()));
    (found.collect(), faults)
}

fn shown(faults: &[Fault]) -> String {
    let lines = faults.iter().map(|fault| match fault.place {
        Some(place) => format!("{place}: {}\n", fault.reason),
        None => format!("{}\n", fault.reason),
    });
    lines.collect()
}

/// The values of a file with nothing wrong in it.
fn values(format: Format, text: &str) -> String {
    let (found, faults) = read(format, text);
    assert_eq!(shown(&faults), "", "{text}");
    // A text says its format itself.
    let (again, faults) = read_values(text.as_bytes(), None, &Keys::new(&RESOLVED));
    assert_eq!((again.len(), shown(&faults).as_str()), (found.len(), ""));
    let lines = found
        .iter()
        .map(|(id, value)| format!("{id} = {:?}\n", String::from_utf8_lossy(value)));
    lines.collect()
}

/// What is wrong with a file.
fn wrong(format: Format, text: &str) -> String {
    shown(&read(format, text).1)
}

#[test]
fn keys_are_written_as_in_references_or_nested() {
    let flat = values(
        Format::Yaml,
        "a: x\nb-c: 'y'\ne#one: |\n  1\n  2\ne#two: \"z\\n\"\n",
    );
    assert_snapshot!(flat, @r#"
    a = "x"
    b-c = "y"
    e#one = "1\n2\n"
    e#two = "z\n"
    "#);
    let nested = "a: x\nb-c: y\ne: {one: \"1\\n2\\n\", two: \"z\\n\"}\n";
    assert_eq!(values(Format::Yaml, nested), flat);
    let json = r#"{"a": "x", "b-c": "\u0079", "e": {"one": "1\n2\n", "two": "z\n"}}"#;
    assert_eq!(values(Format::Json, json), flat);
    assert_eq!(values(Format::Yaml, ""), "");
}

#[test]
fn a_byte_order_mark_and_carriage_returns_change_nothing() {
    assert_eq!(
        values(Format::Yaml, "\u{feff}a: x\r\ne#one: y\r\n"),
        "a = \"x\"\ne#one = \"y\"\n"
    );
    assert_eq!(
        values(Format::Dotenv, "\u{feff}A=x\r\nE__ONE=\"y\r\nz\"\r\n"),
        "a = \"x\"\ne#one = \"y\\nz\"\n"
    );
    assert_eq!(
        values(Format::Json, "\u{feff}{\r\n\"a\": \"x\"\r\n}"),
        "a = \"x\"\n"
    );
}

#[test]
fn every_way_to_write_a_dotenv_line_is_read() {
    for (line, value) in [
        ("A=x", "x"),
        ("  export\tA = x  ", "x"),
        ("A=x y # comment", "x y"),
        ("A=x#y", "x#y"),
        ("A=a=b==", "a=b=="),
        ("A=$HOME and ${a}", "$HOME and ${a}"),
        ("A=it's", "it's"),
        (r"A=C:\new", r"C:\new"),
        (r"A='C:\new $x #y' # comment", r"C:\new $x #y"),
        ("A='two\nlines'", "two\nlines"),
        ("A=\"two\nlines\"", "two\nlines"),
        ("A=\"two\r\nlines\"", "two\nlines"),
        (r#"A="\n\r\t\"\\\$\`" "#, "\n\r\t\"\\$`"),
        ("A=\"'\"", "'"),
        ("A='\"'", "\""),
        ("A=\"é€𝄞\"", "é€𝄞"),
        ("A=", ""),
        ("A=''", ""),
        ("A=#x", ""),
    ] {
        let (found, faults) = read(Format::Dotenv, &format!("# before\n\n{line}\n# behind\n"));
        assert_eq!(shown(&faults), "", "{line}");
        assert_eq!(
            found,
            [("a".to_owned(), value.as_bytes().to_vec())],
            "{line}"
        );
    }
}

#[test]
fn keys_that_cannot_be_given_are_refused_each_with_its_reason() {
    let names = "made digest fixed later never e made#x e#three e#tow aa zzzzzz E__ONE";
    let text: String = names
        .split(' ')
        .map(|name| format!("{name}: hunter2hunter2\n"))
        .collect();
    assert_snapshot!(wrong(Format::Yaml, &text), @r"
    1:1: `made` is composed of other values, so it cannot be given
    2:1: `digest` is derived from `a`, so it cannot be given
    3:1: `fixed` is a literal in the contract, so it cannot be given
    4:1: `later` is written later by the portal, so it cannot be given
    5:1: `never` must not exist: it would be read
    6:1: `e` has fields: give `e#one` and `e#two`
    7:1: `made` is one value and has no fields
    8:1: `e` has no field of this name
    9:1: `e` has no field of this name; did you mean `two`?
    10:1: the contract has no key of this name; did you mean `a`?
    11:1: the contract has no key of this name
    12:1: the contract has no key of this name; did you mean `e#one`?
    ");
    assert_eq!(
        values(Format::Yaml, "random: x\noff: y\n"),
        "random = \"x\"\noff = \"y\"\n"
    );
}

#[test]
fn names_of_variables_are_refused_when_they_say_too_little() {
    assert_snapshot!(wrong(Format::Dotenv, "B_C=hunter2\nrandom=hunter2\nMADE=hunter2\nE=hunter2\nMIIEvQIBADANBg==\n"), @r"
    1:1: `b-c` and `b_c` have this name both; write them as `entry` or `entry#field` in a YAML or JSON file
    2:1: the contract has no key of this name; did you mean `RANDOM`?
    3:1: `made` is composed of other values, so it cannot be given
    4:1: `e` has fields: give `e#one` and `e#two`
    5:1: the contract has no key of this name
    ");
}

#[test]
fn what_is_no_text_is_refused_lest_it_change() {
    let items = "0123 1e5 0x1F 1.50 true null ~ .inf 123456789012345678901234567890";
    for item in items.split(' ') {
        let said = wrong(Format::Yaml, &format!("a: {item}\n"));
        assert!(
            said.ends_with("; put it in quotes, so that it stays as it is written\n"),
            "{said}"
        );
        assert_eq!(wrong(Format::Yaml, &format!("a: '{item}'\n")), "");
    }
    assert_snapshot!(wrong(Format::Yaml, "a: 0123\nb-c: true\nb_c:\nrandom: [hunter2]\ne:\n  one: 1e5\n  two: {x: hunter2}\n"), @r"
    1:1: `a` is a number here, and text is wanted; put it in quotes, so that it stays as it is written
    2:1: `b-c` is a boolean here, and text is wanted; put it in quotes, so that it stays as it is written
    3:1: `b_c` is null here, and text is wanted; put it in quotes, so that it stays as it is written
    4:1: `random` is a list here, and text is wanted
    6:3: `e#one` is a number here, and text is wanted; put it in quotes, so that it stays as it is written
    7:3: `e#two` is a mapping here, and text is wanted
    ");
    assert_snapshot!(wrong(Format::Json, "{\"a\": 1,\n \"b-c\": false, \"b_c\": null,\n \"random\": [],\n \"e\": {\"one\": -1,\n\"two\": {}}}"), @r"
    1:7: `a` is a number here, and text is wanted; put it in quotes, so that it stays as it is written
    2:9: `b-c` is a boolean here, and text is wanted; put it in quotes, so that it stays as it is written
    2:23: `b_c` is null here, and text is wanted; put it in quotes, so that it stays as it is written
    3:12: `random` is a list here, and text is wanted
    4:15: `e#one` is a number here, and text is wanted; put it in quotes, so that it stays as it is written
    5:8: `e#two` is a mapping here, and text is wanted
    ");
}

#[test]
fn a_value_that_stands_twice_is_refused() {
    assert_snapshot!(wrong(Format::Yaml, "a: hunter2\na: hunter3\n"), @"2:1: a key is written twice");
    assert_snapshot!(wrong(Format::Json, "{\"a\": \"hunter2\",\n\"a\": \"hunter3\", \"e\": {\"one\": \"hunter4\", \"one\": \"hunter5\"}}"), @r"
    2:6: `a` is written twice, first at 1:7
    2:48: `e#one` is written twice, first at 2:30
    ");
    assert_snapshot!(wrong(Format::Dotenv, "A=hunter2\nA=hunter3\n"), @"2:1: `a` is written twice, first at 1:1");
    assert_snapshot!(wrong(Format::Yaml, "e: {one: hunter2}\ne#two: hunter3\n"), @"2:1: this entry is written both nested and as `entry#field`, first at 1:1");
    assert_snapshot!(wrong(Format::Yaml, "e: {}\n"), @"1:1: there is nothing in this mapping");
}

#[test]
fn broken_files_are_refused_without_a_word_of_theirs() {
    assert_snapshot!(wrong(Format::Yaml, "a: \"hunter2hunter2\n"), @"1:4: the YAML is broken: the quote is never closed");
    assert_snapshot!(wrong(Format::Yaml, "a: !hunter2hunter2\n"), @"1:19: a YAML tag is not allowed here; put quotes around text that begins with `!`");
    assert_snapshot!(wrong(Format::Yaml, "a: &hunter2 hunter2\n"), @"1:13: anchors and aliases are not allowed here; put quotes around text that begins with `&` or `*`");
    assert_snapshot!(wrong(Format::Yaml, "a: *hunter2\n"), @"1:4: the YAML is broken: the alias has no anchor before it; put quotes around text that begins with `*`");
    assert_snapshot!(wrong(Format::Yaml, "- hunter2\n"), @"1:1: a file with values is a mapping from keys to texts: `key: value`");
    assert_snapshot!(wrong(Format::Yaml, "hunter2\n"), @"1:1: a file with values is a mapping from keys to texts: `key: value`");
    assert_snapshot!(wrong(Format::Yaml, "a: x\n---\na: y\n"), @"2:1: the file has more than one document; remove everything from the second `---` on");
    assert_snapshot!(wrong(Format::Json, "[\"hunter2\"]"), @r#"1:1: a file with values is an object from keys to texts: `{"key": "value"}`"#);
    assert_snapshot!(wrong(Format::Json, "{\"a\": \"hunter2\",\n\"e\": {\"one\": \"hunter2\n\"}}"), @r"2:21: the JSON is broken: control character (\u0000-\u001F) found while parsing a string");
    assert_snapshot!(wrong(Format::Json, "{\"a\": \"\\ud800hunter2\"}"), @"1:14: the JSON is broken: unexpected end of hex escape");
    assert_snapshot!(wrong(Format::Json, "{\"a\": hunter2}"), @"1:7: the JSON is broken: expected value");
    assert_snapshot!(wrong(Format::Json, "{\"a\": \"x\"} hunter2"), @"1:12: the JSON is broken: trailing characters");
    assert_snapshot!(wrong(Format::Dotenv, "A=\"hunter2\" hunter2\nhunter2\n-=x\nA=\"\\d\nhunter2=\"\nA=`x`\nA='hunter2\nB=x\n"), @r"
    1:13: something stands behind the closing quote
    2:1: there is no `=` behind the name
    3:1: a name of letters, digits and `_` is expected here
    4:4: this escape is unknown between double quotes; write `\\` for a backslash, or use single quotes
    6:3: a value in backticks is read differently by different tools; use single quotes
    7:3: the quote is never closed
    ");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let keys = Keys::new(&RESOLVED);
    let said = |bytes: &[u8]| shown(&read_values(bytes, None, &keys).1);
    assert_snapshot!(said(b"a: x\nb-c: y\xff\n"), @"2:7: it is not UTF-8 text; a binary value can be given in the file that `provide.file` names");
    assert_snapshot!(said(b"\xff\xfea\0:\0"), @"it is UTF-16 text; save it as UTF-8");
    assert_snapshot!(said(b"a: x\0y\n"), @"1:5: there is a NUL character, which no text has");
    assert_snapshot!(said(b"a: \"x\\0y\"\n"), @"1:1: the value of `a` has a NUL character, which no text has");
    assert_snapshot!(said(br#"{"a": "x\u0000y"}"#), @"1:7: the value of `a` has a NUL character, which no text has");
}

/// What `files` writes between double quotes.
fn dotenv_quoted(value: &str) -> String {
    let escaped = value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('$', "\\$");
    format!(
        "\"{}\"",
        escaped
            .replace('`', "\\`")
            .replace('\n', "\\n")
            .replace('\r', "\\r")
    )
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[^\0]{0,40}", "[a-z$'\"`#\\\\ \r\n=]{0,20}"]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_text_can_be_given_in_every_format(value in text()) {
        let expected = [("a".to_owned(), value.as_bytes().to_vec())];
        let json = serde_json::json!({"a": value});
        let yaml = seed_core::yaml::write(&json, seed_core::yaml::Style::Quoted);
        let mut files = vec![
            (Format::Json, json.to_string()),
            (Format::Yaml, yaml.to_string()),
            (Format::Dotenv, format!("A={}\n", dotenv_quoted(&value))),
        ];
        if !value.contains(['\'', '\r']) {
            files.push((Format::Dotenv, format!("A='{value}'\n")));
        }
        for (format, file) in files {
            let (found, faults) = read(format, &file);
            prop_assert_eq!(shown(&faults), "", "{}", &file);
            prop_assert_eq!(&found[..], &expected, "{}", file);
        }
    }

    #[test]
    fn no_message_shows_what_stands_in_a_file(text in "([AaEe#_:={}\\[\\]\"'&*!|>%@`,\\-? \n\t\\\\0-9]|e#one|hunter2){0,30}", secret in "(q[0-9]{12}|q[0-9]{12}==)", at in 0_usize..30) {
        let at = text.char_indices().map(|(at, _)| at).nth(at).unwrap_or(text.len());
        let text = format!("{}{secret}{}", &text[..at], &text[at..]);
        for format in [Format::Dotenv, Format::Json, Format::Yaml] {
            let said = wrong(format, &text);
            prop_assert!(!said.contains(&secret[..8]), "{}", said);
        }
    }
}
