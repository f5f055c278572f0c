//! What is wrong with a text that is not YAML, in words for people who do not know how YAML is parsed.

use granit_parser::ErrorKind;

const INDENT: &str = "lines that belong together begin in the same column";
const QUOTES: &str =
    "put quotes around text that begins with a sign, or that has `: ` or ` #` in it";

const SEPARATOR: &str =
    "close the bracket, or put quotes around text that has `, `, `: ` or ` #` in it";

/// The parser's finding and, where there is a usual one, the way out.
pub(super) fn describe(kind: &ErrorKind) -> (String, Option<&'static str>) {
    let (message, help) = of_pairs(kind)
        .or_else(|| of_text(kind))
        .or_else(|| of_lines(kind))
        .unwrap_or(("this is not YAML", Some(QUOTES)));
    (message.to_owned(), help)
}

type Words = Option<(&'static str, Option<&'static str>)>;

/// Brackets and quotes.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser knows a hundred mistakes; others are worded elsewhere"
)]
fn of_pairs(kind: &ErrorKind) -> Words {
    Some(match kind {
        ErrorKind::UnclosedFlowCollection { open: '[' } => ("the `[` is never closed", None),
        ErrorKind::UnclosedFlowCollection { .. } => ("the `{` is never closed", None),
        ErrorKind::MismatchedFlowCollectionEnd { open: '[', .. } => {
            ("the `[` is closed by another bracket", None)
        }
        ErrorKind::MismatchedFlowCollectionEnd { .. } => {
            ("the `{` is closed by another bracket", None)
        }
        ErrorKind::MisplacedFlowCollectionEnd => {
            ("a bracket is closed that was not opened", Some(QUOTES))
        }
        ErrorKind::ExpectedFlowMappingSeparator => {
            ("a `,` or `}` is missing before this", Some(SEPARATOR))
        }
        ErrorKind::ExpectedFlowSequenceSeparator => {
            ("a `,` or `]` is missing before this", Some(SEPARATOR))
        }
        ErrorKind::UnclosedQuotedScalar => ("the quote is never closed", None),
        ErrorKind::InvalidTrailingSingleQuotedScalar
        | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            ("something stands behind the closing quote", None)
        }
        ErrorKind::UnknownQuotedScalarEscape => (
            "this escape is unknown inside double quotes",
            Some("write `\\\\` for a backslash, or use single quotes"),
        ),
        ErrorKind::RecursionLimitExceeded => {
            ("it is nested too deep", Some("at most 64 levels are read"))
        }
        _ => return None,
    })
}

/// What stands on one line.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser knows a hundred mistakes; others are worded elsewhere"
)]
fn of_text(kind: &ErrorKind) -> Words {
    Some(match kind {
        ErrorKind::BomInsideDocument => (
            "a byte-order mark stands inside the text",
            Some("remove it: nobody sees it, and it belongs at the very beginning"),
        ),
        ErrorKind::UnexpectedCharacter { .. } => ("text cannot begin with this", Some(QUOTES)),
        ErrorKind::UnknownAnchor => (
            "the alias has no anchor before it",
            Some("put quotes around text that begins with `*`"),
        ),
        ErrorKind::MissingAnchorOrAliasName => ("`&` and `*` need a name", Some(QUOTES)),
        ErrorKind::MappingValueNotAllowed
        | ErrorKind::MappingKeyNotAllowed
        | ErrorKind::InvalidColonPlacement => ("a key cannot stand here", Some(QUOTES)),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            ("a `:` is missing behind the key", Some(INDENT))
        }
        _ => return None,
    })
}

/// How lines stand below each other.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser knows a hundred mistakes; others are worded elsewhere"
)]
fn of_lines(kind: &ErrorKind) -> Words {
    Some(match kind {
        ErrorKind::UnexpectedEof
        | ErrorKind::UnexpectedEofBlockMapping
        | ErrorKind::UnexpectedEofBlockSequence
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofImplicitFlowMapping => ("the file ends too early", None),
        ErrorKind::ExpectedBlockMappingKey => ("a key is expected here", Some(INDENT)),
        ErrorKind::ExpectedBlockSequenceEntry => ("a `- ` is expected here", Some(INDENT)),
        ErrorKind::BlockSequenceEntryNotAllowed => ("a list cannot begin here", Some(INDENT)),
        ErrorKind::InvalidIndentation
        | ErrorKind::InvalidFlowScalarIndent
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::InvalidBlockScalarIndent => {
            ("the indentation fits no line above", Some(INDENT))
        }
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => {
            ("a tab stands where spaces must", Some("indent with spaces"))
        }
        _ => return None,
    })
}
