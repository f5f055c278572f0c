//! Go templates, as far as a manifest needs them.

use std::collections::BTreeMap;
use std::fmt;

use super::external_secret::Store;

/// Where a value comes from.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Source {
    /// The key in the backend.
    pub key: String,
    /// The field inside the value, if only one is read.
    pub property: Option<String>,
    /// What differs from the defaults, such as `decodingStrategy`.
    pub options: BTreeMap<String, String>,
    /// The store, where it is not the `ExternalSecret`'s own.
    pub store: Option<Store>,
}

/// A part of a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Piece {
    /// An action that is more than one variable, with its variables named by their sources.
    Code(String),
    /// The value itself.
    From(Source),
    /// Literal text.
    Text(String),
}

/// What comes out of a template.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Text(Vec<Piece>);

/// The variables of a template.
#[derive(Clone, Debug)]
pub(crate) struct Variables {
    pub(crate) named: BTreeMap<String, Source>,
    /// Whether there are more whose names are not known: keys that a `dataFrom` brings.
    pub(crate) open: bool,
}

impl Text {
    /// Makes literal text.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        let mut pieces = Self::default();
        pieces.push_text(text);
        pieces
    }

    /// Makes the text that is just one value.
    #[must_use]
    pub fn from_source(source: Source) -> Self {
        Self(vec![Piece::From(source)])
    }

    /// Returns the pieces; literal text is never split between two.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// Reads a template.
    pub(crate) fn template(template: &str, variables: &Variables) -> Result<Self, String> {
        let mut text = Self::default();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("{{") {
            let action = Action::read(after)?;
            text.push_text(if action.trims_before {
                before.trim_end_matches(SPACE)
            } else {
                before
            });
            text.push_action(&action.tokens, variables)?;
            rest = if action.trims_after {
                action.rest.trim_start_matches(SPACE)
            } else {
                action.rest
            };
        }
        text.push_text(rest);
        Ok(text)
    }

    fn push_action(&mut self, tokens: &[Token], variables: &Variables) -> Result<(), String> {
        match tokens {
            [] => {}
            [Token::Quoted(text)] => self.push_text(text),
            [Token::Field(name)] => self.0.push(variables.piece(name)?),
            [Token::Word(index), Token::Dot, Token::Quoted(name)] if index == "index" => {
                self.0.push(variables.piece(name)?);
            }
            tokens => self.0.push(Piece::Code(code(tokens, variables)?)),
        }
        Ok(())
    }

    fn push_text(&mut self, more: &str) {
        match self.0.last_mut() {
            _ if more.is_empty() => {}
            Some(Piece::Text(text)) => text.push_str(more),
            Some(Piece::Code(_) | Piece::From(_)) | None => self.0.push(Piece::Text(more.into())),
        }
    }
}

impl Variables {
    fn piece(&self, name: &str) -> Result<Piece, String> {
        match self.named.get(name) {
            Some(source) => Ok(Piece::From(source.clone())),
            None if self.open => Ok(Piece::Code(format!(".{name}"))),
            None => Err(format!("no item of `data` gives the variable `{name}`")),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}", self.key)?;
        if let Some(property) = &self.property {
            write!(f, "#{property}")?;
        }
        for (name, value) in &self.options {
            write!(f, ", {name}={value}")?;
        }
        if let Some(store) = &self.store {
            write!(f, ", store={store}")?;
        }
        f.write_str(">")
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Code(code) => write!(f, "{{{{ {code} }}}}")?,
                Piece::From(source) => write!(f, "{source}")?,
                Piece::Text(text) => f.write_str(text)?,
            }
        }
        Ok(())
    }
}

/// Writes an action in one way, whatever its spacing, its variables named by their sources.
fn code(tokens: &[Token], variables: &Variables) -> Result<String, String> {
    let mut words = Vec::new();
    let mut rest = tokens;
    loop {
        let word = match rest {
            [] => return Ok(words.join(" ")),
            [
                Token::Word(index),
                Token::Dot,
                Token::Quoted(name),
                after @ ..,
            ] if index == "index" => {
                rest = after;
                variables.piece(name)?.to_string()
            }
            [token, after @ ..] => {
                rest = after;
                token.code(variables)?
            }
        };
        words.push(word);
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(text) | Self::Text(text) => f.write_str(text),
            Self::From(source) => write!(f, "{source}"),
        }
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    Dot,
    Field(String),
    Quoted(String),
    Symbol(char),
    Word(String),
}

impl Token {
    fn code(&self, variables: &Variables) -> Result<String, String> {
        match self {
            Self::Dot => Ok(".".into()),
            Self::Field(name) => variables.piece(name).map(|piece| piece.to_string()),
            Self::Quoted(text) => Ok(format!("{text:?}")),
            Self::Symbol(symbol) => Ok(symbol.to_string()),
            // Inside these, the dot is another one and a variable no longer what its name says.
            Self::Word(word) if MOVES_THE_DOT.contains(&word.as_str()) => {
                Err(format!("`{word}` in a template has no meaning here"))
            }
            Self::Word(word) => Ok(word.clone()),
        }
    }
}

/// One `{{ … }}`.
struct Action<'a> {
    tokens: Vec<Token>,
    trims_before: bool,
    trims_after: bool,
    rest: &'a str,
}

impl<'a> Action<'a> {
    /// Reads from after the opening braces to after the closing ones.
    fn read(text: &'a str) -> Result<Self, String> {
        let trimmed = text
            .strip_prefix('-')
            .filter(|rest| rest.starts_with(SPACE));
        let mut action = Self {
            tokens: Vec::new(),
            trims_before: trimmed.is_some(),
            trims_after: false,
            rest: text,
        };
        let start = trimmed.unwrap_or(text);
        action.rest = match start.trim_start_matches(SPACE).strip_prefix("/*") {
            Some(comment) if trimmed.is_some() || start.starts_with('/') => {
                comment
                    .split_once("*/")
                    .ok_or("a comment without an end")?
                    .1
            }
            _ => start,
        };
        while !action.closes() {
            let (token, rest) = token(action.rest.trim_start_matches(SPACE))?;
            action.tokens.push(token);
            action.rest = rest;
        }
        Ok(action)
    }

    /// Steps over the closing braces, if it stands before them.
    fn closes(&mut self) -> bool {
        let spaced = self.rest.trim_start_matches(SPACE);
        if let Some(rest) = spaced
            .strip_prefix("-}}")
            .filter(|_| spaced.len() < self.rest.len())
        {
            self.trims_after = true;
            self.rest = rest;
            return true;
        }
        match spaced.strip_prefix("}}") {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

fn token(text: &str) -> Result<(Token, &str), String> {
    if let Some(rest) = text.strip_prefix('"') {
        return quoted(rest);
    }
    if let Some(rest) = text.strip_prefix('`') {
        let (raw, rest) = rest.split_once('`').ok_or("a raw string without an end")?;
        return Ok((Token::Quoted(raw.replace('\r', "")), rest));
    }
    if let Some(rest) = text.strip_prefix('.') {
        let (name, rest) = span(rest, is_word);
        if rest.starts_with(['.', '-']) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!(
                "`.{name}{}` is no variable",
                rest.chars().take(9).collect::<String>()
            ));
        }
        let token = if name.is_empty() {
            Token::Dot
        } else {
            Token::Field(name.into())
        };
        return Ok((token, rest));
    }
    let (word, rest) = span(text, is_word);
    if !word.is_empty() {
        return Ok((Token::Word(word.into()), rest));
    }
    match text.chars().next() {
        Some(symbol) if "|(),$:=-+".contains(symbol) => Ok((
            Token::Symbol(symbol),
            text.strip_prefix(symbol).unwrap_or_default(),
        )),
        Some(other) => Err(format!("`{other}` in a template has no meaning here")),
        None => Err("a template without its closing braces".into()),
    }
}

fn quoted(text: &str) -> Result<(Token, &str), String> {
    let mut content = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next() {
            Some('"') => return Ok((Token::Quoted(content), chars.as_str())),
            Some('\\') => content.push(escaped(&mut chars)?),
            Some('\n') | None => return Err("a quoted string without an end".into()),
            Some(other) => content.push(other),
        }
    }
}

fn escaped(chars: &mut std::str::Chars<'_>) -> Result<char, String> {
    let kind = chars.next().unwrap_or_default();
    let length = match kind {
        '"' | '\\' => return Ok(kind),
        'n' => return Ok('\n'),
        'r' => return Ok('\r'),
        't' => return Ok('\t'),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        other => return Err(format!("the escape `\\{other}` has no meaning here")),
    };
    let digits: String = chars.by_ref().take(length).collect();
    let number = u32::from_str_radix(&digits, 16).ok();
    // A byte above ASCII is not a character.
    let number = number.filter(|number| digits.len() == length && (kind != 'x' || *number < 0x80));
    number
        .and_then(char::from_u32)
        .ok_or_else(|| format!("`\\{kind}{digits}` is no character"))
}

fn span(text: &str, wanted: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c: char| !wanted(c)).unwrap_or(text.len());
    text.split_at(end)
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

const MOVES_THE_DOT: [&str; 7] = [
    "block", "break", "continue", "define", "range", "template", "with",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn source(key: &str, property: Option<&str>) -> Source {
        let (key, property) = (key.to_owned(), property.map(str::to_owned));
        Source {
            key,
            property,
            options: BTreeMap::new(),
            store: None,
        }
    }

    fn read(template: &str) -> Result<Text, String> {
        let named = BTreeMap::from([
            ("a".to_owned(), source("alpha", None)),
            ("b_2".to_owned(), source("beta", Some("field"))),
            ("c-d".to_owned(), source("gamma", None)),
        ]);
        Text::template(template, &Variables { named, open: false })
    }

    fn shown(template: &str) -> String {
        read(template).map_or_else(|err| err, |text| text.to_string())
    }

    #[test]
    fn text_without_actions_is_literal() {
        for text in ["", "plain", "a }} b", "{ {", "$x {y}", "line\n\n"] {
            assert_eq!(read(text), Ok(Text::literal(text)), "{text:?}");
        }
    }

    #[test]
    fn one_variable_is_its_source() {
        for text in [
            "{{ .a }}",
            "{{.a}}",
            "{{  .a\n}}",
            "{{ index . \"a\" }}",
            "{{index . `a`}}",
        ] {
            assert_eq!(
                read(text),
                Ok(Text::from_source(source("alpha", None))),
                "{text:?}"
            );
        }
        let named_with_hyphen = Text::from_source(source("gamma", None));
        assert_eq!(read("{{ index . \"c-d\" }}"), Ok(named_with_hyphen));
    }

    #[test]
    fn variables_in_text_are_marked() {
        assert_eq!(
            shown("x={{ .a }};y={{.b_2}}\n"),
            "x=<alpha>;y=<beta#field>\n"
        );
        assert_eq!(shown("{{ .a }}{{ .a }}"), "<alpha><alpha>");
        assert_ne!(
            read("{{ .a }} "),
            Ok(Text::from_source(source("alpha", None)))
        );
    }

    #[test]
    fn text_that_looks_like_a_marker_is_not_one() {
        assert_ne!(read("<alpha>"), read("{{ .a }}"));
    }

    #[test]
    fn quoted_strings_are_literal() {
        for text in [
            "{{ \"{{\" }} .a }}",
            "{{`{{`}} .a }}",
            "{{ \"\\x7b\\u007B\" }} .a }}",
        ] {
            assert_eq!(read(text), Ok(Text::literal("{{ .a }}")), "{text:?}");
        }
        assert_eq!(read("{{ \"}}\" }}"), Ok(Text::literal("}}")));
        assert_eq!(
            read("{{ \"a\\\"b\\\\c\\n\\t\\r\" }}"),
            Ok(Text::literal("a\"b\\c\n\t\r"))
        );
    }

    #[test]
    fn trim_markers_take_white_space_away() {
        assert_eq!(shown("x \n {{- .a -}} \n y"), "x<alpha>y");
        assert_eq!(shown("x {{ .a -}}\n"), "x <alpha>");
        assert_eq!(shown("x {{- \"y\" }} z"), "xy z");
    }

    #[test]
    fn comments_are_nothing() {
        assert_eq!(read("a{{/* {{ .nothing }} */}}b"), Ok(Text::literal("ab")));
        assert_eq!(read("a {{- /* c */ -}} b"), Ok(Text::literal("ab")));
    }

    #[test]
    fn other_actions_are_compared_without_their_spacing() {
        assert_eq!(shown("{{.a|b64enc}}"), "{{ <alpha> | b64enc }}");
        assert_eq!(read("{{.a|b64enc}}"), read("{{ index . \"a\"  | b64enc }}"));
        assert_eq!(read("{{ toJson .a }}"), read("{{toJson .a}}"));
        assert_ne!(read("{{ .a | b64enc }}"), read("{{ .a | toJson }}"));
        assert_ne!(read("{{ .a | b64enc }}"), read("{{ .b_2 | b64enc }}"));
        assert_eq!(
            shown("{{ printf \"%s:%s\" .a (index . \"c-d\") }}"),
            "{{ printf \"%s:%s\" <alpha> ( <gamma> ) }}"
        );
        assert_eq!(shown("{{ if .a }}x{{ end }}"), "{{ if <alpha> }}x{{ end }}");
    }

    #[test]
    fn what_the_operator_could_not_render_is_an_error() {
        let templates = [
            "{{ .none }}",
            "{{ index . \"none\" }}",
            "{{ .a",
            "{{ \"a }}",
            "{{ .c-d }}",
            "{{ .a.b }}",
            "{{ .2 }}",
            "{{ `a }}",
            "{{ /* a }}",
            "{{ \"\\q\" }}",
            "{{ \"\\xff\" }}",
            "{{ .a ; }}",
        ];
        for template in templates {
            assert!(read(template).is_err(), "{template}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for template in ["{{ range .a }}{{ end }}", "{{ with .a }}{{ . }}{{ end }}"] {
            assert!(read(template).is_err(), "{template}");
        }
    }

    #[test]
    fn unknown_variables_may_come_from_bulk_sources() {
        let variables = Variables {
            named: BTreeMap::new(),
            open: true,
        };
        let text = Text::template("{{ .x }}", &variables).unwrap();
        assert_eq!(text.pieces(), [Piece::Code(".x".into())]);
    }
}
