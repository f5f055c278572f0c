//! The `${…}` language: text with references in it.

use std::fmt;

use crate::diagnostic::{Diagnostic, Span, list, nearest};
use crate::name::{EntryKey, FieldName, ValueId};

/// Text around references.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

/// A piece of a [`Template`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Part {
    /// Text that stands for itself.
    Literal(String),
    /// `${…}`.
    Reference(Reference),
}

/// What stands inside `${…}`: alternatives, of which the first available counts, then filters.
#[derive(Clone, Debug)]
pub struct Reference {
    /// `a ?? b ?? c`.
    pub alternatives: Vec<Subject>,
    /// `| json`.
    pub filters: Vec<Filter>,
    /// Where it stands in the file, as near as can be told.
    pub span: Span,
}

impl PartialEq for Reference {
    fn eq(&self, other: &Self) -> bool {
        self.alternatives == other.alternatives && self.filters == other.filters
    }
}

impl Eq for Reference {}

/// What a reference names.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Subject {
    /// `config.path.to.fact`.
    Config(Vec<String>),
    /// `env`.
    Env,
    /// `store.kind`.
    StoreKind,
    /// `store.name`.
    StoreName,
    /// `key` or `key#field`. Inside `fields`, a bare word may also be a sibling; see [`Subject::sibling`].
    Value(ValueId),
    /// A bare word inside `fields` that cannot be an entry's key, such as `_private`.
    Word(FieldName),
}

/// What is done to a referenced value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Filter {
    /// Standard base64 with padding.
    Base64,
    /// A quoted JSON string.
    Json,
    /// The stored name instead of the value.
    Name,
    /// Percent-encoding; RFC 3986 unreserved characters stay.
    Urlencode,
}

impl Filter {
    const ALL: [Self; 4] = [Self::Base64, Self::Json, Self::Name, Self::Urlencode];

    /// The word in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Json => "json",
            Self::Name => "name",
            Self::Urlencode => "urlencode",
        }
    }
}

impl Subject {
    /// Reads the word or words of a reference.
    pub fn parse(word: &str) -> Result<Self, String> {
        if let Some(path) = word.strip_prefix("config.") {
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            return if path.iter().any(String::is_empty) {
                Err(format!("`{word}` has an empty part"))
            } else {
                Ok(Self::Config(path))
            };
        }
        match word {
            "" => Err("the reference is empty".to_owned()),
            "env" => Ok(Self::Env),
            "config" => Err("`config` alone is a mapping; name a fact in it".to_owned()),
            "store.kind" => Ok(Self::StoreKind),
            "store.name" => Ok(Self::StoreName),
            word => match word.parse::<ValueId>() {
                Ok(id) => Ok(Self::Value(id)),
                Err(err) => match word.parse::<FieldName>() {
                    Ok(field) => Ok(Self::Word(field)),
                    Err(_) => Err(err.to_string()),
                },
            },
        }
    }

    /// Inside `fields` of `entry`, the sibling that a bare word means when there is one of that name.
    pub fn sibling(&self, entry: &EntryKey) -> Option<ValueId> {
        let name = match self {
            Self::Value(ValueId {
                entry: word,
                field: None,
            }) => word.as_str().parse().ok()?,
            Self::Word(field) => field.clone(),
            Self::Config(_) | Self::Env | Self::StoreKind | Self::StoreName | Self::Value(_) => {
                return None;
            }
        };
        Some(ValueId::field(entry.clone(), name))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(path) => write!(f, "config.{}", path.join(".")),
            Self::Env => f.write_str("env"),
            Self::StoreKind => f.write_str("store.kind"),
            Self::StoreName => f.write_str("store.name"),
            Self::Value(id) => write!(f, "{id}"),
            Self::Word(field) => write!(f, "{field}"),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.alternatives.iter().map(ToString::to_string).collect();
        write!(f, "${{{}", words.join(" ?? "))?;
        for filter in &self.filters {
            write!(f, " | {}", filter.as_str())?;
        }
        f.write_str("}")
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Literal(text) => f.write_str(&text.replace("${", "$${"))?,
                Part::Reference(reference) => write!(f, "{reference}")?,
            }
        }
        Ok(())
    }
}

impl Template {
    /// Reads text with references. `span` is where the text stands in `source`, for errors that point into it.
    pub fn parse(text: &str, span: Span, source: &str) -> Result<Self, Diagnostic> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        let mut from = span.start;
        while let Some(at) = rest.find("${") {
            let (before, reference) = rest.split_at(at);
            if let Some(before) = before.strip_suffix('$') {
                // `$${` is a literal `${`.
                literal.push_str(before);
                literal.push_str("${");
                rest = reference.strip_prefix("${").unwrap_or_default();
                continue;
            }
            literal.push_str(before);
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            let inside = reference.strip_prefix("${").unwrap_or_default();
            let Some((inside, after)) = inside.split_once('}') else {
                let place = locate(source, span, from, "${");
                return Err(Diagnostic::error("`${` is never closed", place)
                    .help("close it with `}`, or write `$${` for a literal `${`"));
            };
            let place = locate(source, span, from, &format!("${{{inside}}}"));
            from = place.end;
            parts.push(Part::Reference(parse_reference(inside, place)?));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self { parts })
    }

    /// Text without references.
    pub fn literal(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            parts: if text.is_empty() {
                Vec::new()
            } else {
                vec![Part::Literal(text)]
            },
        }
    }

    /// The pieces in their order. No two literals stand side by side.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The references in their order.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Reference(reference) => Some(reference),
        })
    }

    /// Everything that the references name.
    pub fn subjects(&self) -> impl Iterator<Item = (&Subject, Span)> {
        self.references().flat_map(|reference| {
            reference
                .alternatives
                .iter()
                .map(|subject| (subject, reference.span))
        })
    }

    /// The reference, when there is nothing else.
    pub fn lone_reference(&self) -> Option<&Reference> {
        match self.parts.as_slice() {
            [Part::Reference(reference)] => Some(reference),
            _ => None,
        }
    }

    /// The text, when there is no reference.
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }
}

/// Finds a reference in the source from `from` on; quoted and folded text may not have it literally.
fn locate(source: &str, span: Span, from: usize, needle: &str) -> Span {
    source
        .get(from..span.end)
        .and_then(|text| text.find(needle))
        .map_or(span, |at| Span::new(from + at, from + at + needle.len()))
}

fn parse_reference(inside: &str, span: Span) -> Result<Reference, Diagnostic> {
    let mut pieces = inside.split('|').map(str::trim);
    let alternatives = pieces
        .next()
        .unwrap_or_default()
        .split("??")
        .map(|word| Subject::parse(word.trim()).map_err(|message| Diagnostic::error(message, span)))
        .collect::<Result<Vec<_>, _>>()?;
    let filters = pieces
        .map(|word| parse_filter(word, span))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Reference {
        alternatives,
        filters,
        span,
    })
}

fn parse_filter(word: &str, span: Span) -> Result<Filter, Diagnostic> {
    Filter::ALL
        .into_iter()
        .find(|filter| filter.as_str() == word)
        .ok_or_else(|| {
            let known = Filter::ALL.map(Filter::as_str);
            let found = Diagnostic::error(format!("`{word}` is no filter"), span);
            match nearest(word, known) {
                Some(meant) => found.help(format!("did you mean `{meant}`?")),
                None => found.help(format!("known are {}", list(known))),
            }
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Template, Diagnostic> {
        Template::parse(text, Span::new(0, text.len()), text)
    }

    #[test]
    fn references_know_their_place() {
        let template = parse("a ${b} c ${config.d-e.f ?? g#h | json | base64}").unwrap();
        let places: Vec<Span> = template
            .references()
            .map(|reference| reference.span)
            .collect();
        assert_eq!(places, [Span::new(2, 6), Span::new(9, 47)]);
    }

    #[test]
    fn a_doubled_dollar_is_literal_and_is_not_read_again() {
        let template = parse("$${a} $$${b}").unwrap();
        assert_eq!(template.as_literal(), Some("${a} $${b}"));
        assert_eq!(parse("a$").unwrap().as_literal(), Some("a$"));
    }

    #[test]
    fn what_is_wrong_says_so() {
        for (text, message) in [
            ("${a", "`${` is never closed"),
            ("${}", "the reference is empty"),
            ("${a | upper}", "`upper` is no filter"),
            (
                "${config}",
                "`config` alone is a mapping; name a fact in it",
            ),
            ("${config..a}", "`config..a` has an empty part"),
            (
                "${a b}",
                "`a b` has the character ' ', which is not allowed here",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().message, message, "{text}");
        }
    }

    fn template() -> impl Strategy<Value = Template> {
        let subject = prop_oneof![
            "[a-z][a-z0-9-]{0,8}"
                .prop_filter("reserved", |word| word != "env"
                    && word != "config"
                    && !word.starts_with("x-"))
                .prop_map(|word| Subject::parse(&word).unwrap()),
            Just(Subject::Env),
            "config(\\.[a-z-]{1,5}){1,3}".prop_map(|word| Subject::parse(&word).unwrap()),
            "[a-z]{1,5}#[A-Z_.]{1,5}"
                .prop_filter("reserved", |word| !word.starts_with("env#"))
                .prop_map(|word| Subject::parse(&word).unwrap()),
        ];
        let filter = prop_oneof![
            Just(Filter::Json),
            Just(Filter::Base64),
            Just(Filter::Urlencode),
            Just(Filter::Name)
        ];
        let reference = (
            proptest::collection::vec(subject, 1..3),
            proptest::collection::vec(filter, 0..3),
        )
            .prop_map(|(alternatives, filters)| Reference {
                alternatives,
                filters,
                span: Span::default(),
            });
        let pair = (proptest::option::of("[ -~]{1,10}"), reference);
        (proptest::collection::vec(pair, 0..4), "[ -~]{0,5}").prop_map(|(pairs, tail)| {
            let mut parts = Vec::new();
            for (text, reference) in pairs {
                // A `$` before a reference cannot be written: `$${` is the escape.
                parts.extend(text.filter(|text| !text.ends_with('$')).map(Part::Literal));
                parts.push(Part::Reference(reference));
            }
            if !tail.is_empty() {
                parts.push(Part::Literal(tail));
            }
            Template { parts }
        })
    }

    proptest! {
        #[test]
        fn parsing_gives_back_what_was_rendered(template in template()) {
            let rendered = template.to_string();
            let parsed = parse(&rendered).map_err(|d| TestCaseError::fail(format!("{}: {rendered}", d.message)))?;
            prop_assert_eq!(parsed, template, "{}", rendered);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            drop(parse(&text));
        }
    }
}
