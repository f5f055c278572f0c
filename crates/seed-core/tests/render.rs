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
fn dotenv_has_quotes_between_which_every_reader_takes_text_as_it_is() {
    let file = "  f: {dotenv: {A: \"${password}\", B: \"${other}\", C: \"${token}\", D: 5, \"${...agent}\": true}}\n";
    let pairs = [
        ("password", "a\"b\\c$d`e"),
        ("other", "it's two\nlines\n"),
        ("agent#KEY", "k #1"),
    ];
    assert_eq!(
        rendered(file, &pairs),
        "A='a\"b\\c$d`e'\nB=\"it's two\nlines\n\"\nD=\"5\"\nKEY=\"k #1\"\n"
    );
}

#[test]
fn what_readers_of_dotenv_files_do_not_agree_about_is_refused_and_not_shown() {
    let file = "  f: {dotenv: {A: \"${password}\"}}\n";
    for value in [
        "canary\r\n",
        "canary\0",
        "canary${HOME}",
        "canary'$",
        "canary'\"",
        "canary\\\\",
        "canary\\",
    ] {
        let err = render(file, &[("password", value)]).unwrap_err();
        assert_eq!(err, RenderError::Dotenv("A".to_owned()), "{value:?}");
        assert!(!err.to_string().contains("canary"));
    }
    // What is encoded has none of these.
    let file = "  f: {dotenv: {A: \"${password | base64}\"}}\n";
    assert_eq!(rendered(file, &[("password", "a\r\0")]), "A=\"YQ0A\"\n");
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

/// What shells, Python and Node make of a line with one variable in it, where they agree.
fn unquote(line: &str) -> &str {
    let quoted = line.strip_prefix("A=").unwrap().strip_suffix('\n').unwrap();
    let quote = quoted.chars().next().unwrap();
    let inside = quoted
        .strip_prefix(quote)
        .unwrap()
        .strip_suffix(quote)
        .unwrap();
    let special = match quote {
        '"' => ['"', '$', '`', '\\'].as_slice(),
        '\'' => &['\''],
        _ => panic!("{quote} is no quote"),
    };
    assert!(!inside.contains(special) && !inside.contains("${"));
    assert!(!inside.contains("\\\\") && !inside.ends_with('\\'));
    inside
}

/// Text of lines, with everything at their ends that a reader may take for its own.
fn lines() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        "[ \t]{0,2}(---|\\.\\.\\.|[#&*!|>%@-] ?|[ -~]{0,6})[ \t]{0,2}(\r?\n|\n\n|)",
        0..5,
    )
    .prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn every_form_reads_back_as_the_value(value in prop_oneof![any::<String>(), "[ -~\n\r\\\\\"$`']{0,20}", lines(), "\n{0,4}", "[\0-\x1f\x7f-\u{a0}\u{2028}\u{feff}a\n]{0,6}"]) {
        let pairs = [("password", value.as_str())];
        let text = rendered("  f: {text: \"${password}\"}\n", &pairs);
        prop_assert_eq!(&text, &value);

        let text = rendered("  f: {json: {a: {b: \"${password}\"}}}\n", &pairs);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(json["a"]["b"].as_str(), Some(value.as_str()));

        for tree in ["{a: {b: \"${password}\"}}", "{a: [\"${password}\", {b: \"${password}\"}], z: 1}", "[[\"${password}\"]]"] {
            let text = rendered(&format!("  f: {{yaml: {tree}}}\n"), &pairs);
            let read: serde_json::Value = serde_saphyr::from_str(&text)
                .map_err(|err| TestCaseError::fail(format!("{err}\n{text}")))?;
            let json = rendered(&format!("  f: {{json: {tree}}}\n"), &pairs);
            prop_assert_eq!(read, serde_json::from_str::<serde_json::Value>(&json).unwrap(), "{}", text);
        }

        match render("  f: {dotenv: {A: \"${password}\"}}\n", &pairs) {
            Ok(text) => {
                let text = text.unwrap();
                prop_assert_eq!(unquote(&text), &value);
            }
            Err(err) => {
                let hard = ["\r", "\0", "${", "'", "\\"].iter().any(|hard| value.contains(hard));
                prop_assert!(hard, "refused without a reason: {err}");
            }
        }
    }
}
