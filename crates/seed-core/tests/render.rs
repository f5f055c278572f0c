//! The contract's files, from values.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic, and says so"
)]

use std::sync::Arc;

use proptest::prelude::*;
use seed_core::contract::parse;
use seed_core::name::ValueId;
use seed_core::produce::{FillError, RenderError, Values, render_file};
use seed_core::resolve::{Request, Resolved, resolve};
use seed_core::secret::SecretValue;
use seed_core::yaml;

const SECRETS: &str = "
  password: {generate: {hex: 16}}
  other: {generate: {hex: 16}}
  token: {provide: {how: ask}, optional: true}
  raw: {generate: {bytes: 8}}
  off: {when: \"false\", generate: {hex: 16}}
  agent:
    fields:
      KEY: {generate: {hex: 16}}
      EXTRA: {provide: {how: ask}, optional: true}
";

fn resolved(files: &str) -> Resolved {
    let source = format!(
        "version: 1\nname: shop\nbackend: aws-sm\nbackends: {{aws-sm: {{region: x, prefix: shop/}}}}\n\
         secrets:{SECRETS}files:\n{files}"
    );
    let (contract, _) = parse(&source).unwrap_or_else(|errors| panic!("{errors:#?}\n{source}"));
    match resolve(&contract, &source, &Request::default()) {
        Ok((resolved, _)) => resolved,
        Err(errors) => panic!("{errors:#?}\n{source}"),
    }
}

fn values(pairs: &[(&str, &str)]) -> Values {
    let value = |(name, text): &(&str, &str)| {
        let id: ValueId = name.parse().unwrap();
        (id, Arc::new(SecretValue::from((*text).to_owned())))
    };
    pairs.iter().map(value).collect()
}

/// The content of the only file.
fn render(files: &str, pairs: &[(&str, &str)]) -> Result<Option<String>, RenderError> {
    let resolved = resolved(files);
    let [file] = resolved.files.as_slice() else {
        panic!("one file is declared");
    };
    let content = render_file(&resolved, &file.tree, &values(pairs))?;
    Ok(content.map(|text| text.to_string()))
}

fn rendered(files: &str, pairs: &[(&str, &str)]) -> String {
    render(files, pairs).unwrap().unwrap()
}

#[test]
fn a_text_is_written_as_it_is() {
    let file = "  f: {text: \"${password}\\n${password | name}=${password | base64}\\n\"}\n";
    assert_eq!(
        rendered(file, &[("password", "p$\"")]),
        "p$\"\nshop/password=cCQi\n"
    );
}

#[test]
fn a_text_whose_optional_value_is_absent_is_no_file() {
    let file = "  f: {text: \"${token}\\n\"}\n";
    assert_eq!(render(file, &[]).unwrap(), None);
    assert_eq!(rendered(file, &[("token", "t")]), "t\n");
    let file = "  f: {text: \"${token ?? password}\\n\"}\n";
    assert_eq!(rendered(file, &[("password", "p")]), "p\n");
}

#[test]
fn a_value_that_is_not_optional_must_be_there() {
    let missing = FillError::Missing("password".parse().unwrap());
    for content in [
        "text: \"${password}\"",
        "json: {a: \"${password}\"}",
        "dotenv: {A: \"${password}\"}",
    ] {
        let err = render(&format!("  f: {{{content}}}\n"), &[]).unwrap_err();
        assert_eq!(err, missing.clone().into());
    }
}

const TREE: &str = "
      apiKey: ${agent#KEY}
      count: 3
      empty: {}
      fixed: \"007\"
      list: [\"${token}\", \"${password}\", on]
      gone: {deeper: {still: \"${token}\"}, off: \"${off}\"}
      pem: ${other}
      spread: {\"${...agent}\": true, EXTRA: mine}
";

#[test]
fn yaml_quotes_every_text_and_keeps_lines() {
    let pairs = [
        ("agent#KEY", "yes"),
        ("password", "a: \"b\" #c"),
        ("other", "line\n  two\n"),
    ];
    insta::assert_snapshot!(rendered(&format!("  f:\n    yaml:{TREE}"), &pairs), @r#"
    apiKey: "yes"
    count: 3
    empty: {}
    fixed: "007"
    list:
      - "a: \"b\" #c"
      - "on"
    pem: |
      line
        two
    spread:
      KEY: "yes"
      EXTRA: "mine"
    "#);
}

#[test]
fn json_is_pretty_and_ends_in_a_line_feed() {
    let pairs = [
        ("agent#KEY", "yes"),
        ("agent#EXTRA", "loses against the key beside the spread"),
        ("password", "a\"b"),
        ("other", "line\n"),
        ("token", "t"),
    ];
    let text = rendered(&format!("  f:\n    json:{TREE}"), &pairs);
    assert!(text.ends_with("}\n") && !text.ends_with("\n\n"));
    insta::assert_snapshot!(text, @r#"
    {
      "apiKey": "yes",
      "count": 3,
      "empty": {},
      "fixed": "007",
      "list": [
        "t",
        "a\"b",
        "on"
      ],
      "gone": {
        "deeper": {
          "still": "t"
        }
      },
      "pem": "line\n",
      "spread": {
        "KEY": "yes",
        "EXTRA": "mine"
      }
    }
    "#);
}

#[test]
fn a_tree_left_without_leaves_is_no_file() {
    for content in [
        "yaml: {a: {b: \"${token}\"}}",
        "json: {a: \"${token}\"}",
        "dotenv: {A: \"${token}\"}",
    ] {
        assert_eq!(
            render(&format!("  f: {{{content}}}\n"), &[]).unwrap(),
            None,
            "{content}"
        );
    }
}

#[test]
fn dotenv_escapes_what_a_reader_would_take_for_something_else() {
    let file = "  f: {dotenv: {A: \"${password}\", B: \"${other}\", C: \"${token}\", D: 5, \"${...agent}\": true}}\n";
    let pairs = [
        ("password", "a\"b\\c$d`e"),
        ("other", "two\r\nlines\n"),
        ("agent#KEY", "k #1"),
    ];
    assert_eq!(
        rendered(file, &pairs),
        "A=\"a\\\"b\\\\c\\$d\\`e\"\nB=\"two\\r\\nlines\\n\"\nD=\"5\"\nKEY=\"k #1\"\n"
    );
}

#[test]
fn bytes_that_are_no_text_need_a_filter() {
    let resolved = resolved("  f: {text: \"${raw}\"}\n  g: {text: \"${raw | base64}\"}\n");
    let raw = Arc::new(SecretValue::new(vec![0xff]));
    let values = Values::from([("raw".parse().unwrap(), raw)]);
    let contents: Vec<_> = resolved
        .files
        .iter()
        .map(|file| {
            render_file(&resolved, &file.tree, &values).map(|text| text.map(|t| t.to_string()))
        })
        .collect();
    assert_eq!(
        contents,
        [Err(RenderError::NotText), Ok(Some("/w==".to_owned()))]
    );
}

/// What a shell makes of text between double quotes, and a dotenv reader of the escapes for line breaks.
fn unescape(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some(c) => text.push(c),
                None => panic!("an escape without an end"),
            },
            '"' | '$' | '`' => panic!("{c} is not escaped"),
            c => text.push(c),
        }
    }
    text
}

proptest! {
    #[test]
    fn every_form_reads_back_as_the_value(value in prop_oneof![any::<String>(), "[ -~\n\r\\\\\"$`]{0,20}"]) {
        prop_assume!(!value.contains('\0'));
        let pairs = [("password", value.as_str())];
        let text = rendered("  f: {json: {a: {b: \"${password}\"}}}\n", &pairs);
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read["a"]["b"].as_str(), Some(value.as_str()));

        let text = rendered("  f: {yaml: {a: {b: \"${password}\"}}}\n", &pairs);
        let node = yaml::parse(&text, yaml::Limits::default()).unwrap();
        prop_assert_eq!(yaml::to_json(&node), read);

        let text = rendered("  f: {dotenv: {A: \"${password}\"}}\n", &pairs);
        let line = text.strip_prefix("A=\"").and_then(|rest| rest.strip_suffix("\"\n")).unwrap();
        prop_assert!(!line.contains('\n'));
        prop_assert_eq!(unescape(line), value);
    }
}
