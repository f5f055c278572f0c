//! Text with references in it.

use seed_core::diagnostic::{Span, Spanned};
use seed_core::facts::Facts;
use seed_core::resolve::Scope;
use seed_core::text::{Part, Template};

use crate::{expect_place, expect_places};

/// Reads bytes as text with references, and as a fact that other text refers to.
pub fn text(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    parsed(text);
    inside_a_document(text);
    literal(text);
    substituted(text);
}

/// Rendering is the inverse of parsing, and places are those of the references.
fn parsed(text: &str) {
    let whole = Span::new(0, text.len());
    let template = match Template::parse(text, whole, text) {
        Ok(template) => template,
        Err(found) => return expect_places(text, [&found]),
    };
    for reference in template.references() {
        expect_place(text, reference.span, "a reference");
        let written = &text[reference.span.start..reference.span.end];
        assert!(
            written.starts_with("${") && written.ends_with('}'),
            "a reference is looked for at {written:?}"
        );
    }
    let pairs = template.parts().windows(2);
    for pair in pairs {
        let literals = matches!(pair, [Part::Literal(_), Part::Literal(_)]);
        assert!(!literals, "two literals stand side by side");
    }
    let rendered = template.to_string();
    let again = Template::parse(&rendered, Span::new(0, rendered.len()), &rendered);
    assert_eq!(again.as_ref(), Ok(&template), "rendered as {rendered:?}");
    assert_eq!(again.map(|again| again.to_string()), Ok(rendered));
}

/// A span that is not the text itself: a quoted scalar with escapes, in a document with more in it.
fn inside_a_document(text: &str) {
    let source = format!("é: \"{}\"\né: ${{é}}", text.escape_default());
    let start = "é: ".len();
    let span = Span::new(start, source.len() - "\né: ${é}".len());
    match Template::parse(text, span, &source) {
        Ok(template) => {
            for reference in template.references() {
                expect_place(&source, reference.span, "a reference");
                let outside = reference.span.start < span.start || reference.span.end > span.end;
                assert!(!outside, "a reference is looked for outside of its text");
            }
        }
        Err(found) => expect_places(&source, [&found]),
    }
}

/// Any text can be written so that it is nothing but text.
fn literal(text: &str) {
    let rendered = Template::literal(text).to_string();
    let read = Template::parse(&rendered, Span::new(0, rendered.len()), &rendered);
    let literal = read.as_ref().map(Template::as_literal);
    assert_eq!(literal, Ok(Some(text)), "written as {rendered:?}");
}

/// What is put in is never read again, and neither is what stands around it.
fn substituted(text: &str) {
    let mut facts = Facts::default();
    assert!(facts.set_text("fact", text).is_ok(), "the path is sound");
    let scope = Scope {
        facts: &facts,
        env: Some("dev"),
        source: "",
    };
    let around = "$${a}${config.fact}{${config.fact}}$${config.fact}";
    let setting = Template::parse(around, Span::default(), around);
    let expanded = setting.map(|setting| scope.text(&Spanned::new(setting, Span::default())));
    let expected = format!("${{a}}{text}{{{text}}}${{config.fact}}");
    assert_eq!(expanded, Ok(Ok(expected)));
}
