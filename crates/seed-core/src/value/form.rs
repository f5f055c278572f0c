//! What happens to a value between the hand that gives it and the place that stores it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::contract::reader::Context;
use crate::secret::SecretValue;
use crate::yaml::Node;

/// What the contract says of the newline at the end of a provided value. Where it says nothing, text for which
/// [`is_armored`] holds gets `one`, and everything else `none`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Newline {
    /// `none`: one final LF or CRLF is removed.
    None,
    /// `one`: the value ends in exactly one LF.
    One,
}

/// What was done to the end of a value, so that it can be said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NewlineChange {
    /// A missing LF was added.
    Added,
    /// The value is as it was.
    Kept,
    /// A final line break, or all but one of several, was removed.
    Removed,
}

/// What the application reads, where it differs from what is given.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// `escape-newlines`: one line, with the two characters `\n` for each line break.
    EscapeNewlines,
}

/// How a value is stored, where it differs from the value itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Encode {
    /// `base64`: RFC 4648 section 4, padded, one line.
    Base64,
}

impl Newline {
    /// Reads what stands under `newline:`.
    pub(crate) fn decode(cx: &mut Context<'_>, node: &Node) -> Option<Self> {
        let words = [Self::None, Self::One].map(|newline| (newline.as_str(), newline));
        cx.word(node, &words).map(|word| word.value)
    }

    /// The word in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::One => "one",
        }
    }
}

impl Form {
    /// Reads what stands under `form:`.
    pub(crate) fn decode(cx: &mut Context<'_>, node: &Node) -> Option<Self> {
        let form = Self::EscapeNewlines;
        cx.word(node, &[(form.as_str(), form)])
            .map(|word| word.value)
    }

    /// The word in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EscapeNewlines => "escape-newlines",
        }
    }
}

impl Encode {
    /// Reads what stands under `encode:`.
    pub(crate) fn decode(cx: &mut Context<'_>, node: &Node) -> Option<Self> {
        let encode = Self::Base64;
        cx.word(node, &[(encode.as_str(), encode)])
            .map(|word| word.value)
    }

    /// The word in the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
        }
    }
}

/// Treats the end of a provided value as the contract says, or as [`Newline`] says where the contract is silent.
pub fn apply_newline(
    newline: Option<Newline>,
    value: &SecretValue,
) -> (SecretValue, NewlineChange) {
    let armored = || {
        if is_armored(value.expose()) {
            Newline::One
        } else {
            Newline::None
        }
    };
    match newline.unwrap_or_else(armored) {
        Newline::None => match trim_final_newline(value) {
            (value, true) => (value, NewlineChange::Removed),
            (value, false) => (value, NewlineChange::Kept),
        },
        Newline::One => end_in_one_newline(value),
    }
}

/// Removes one final LF or CRLF, and tells whether there was one.
pub fn trim_final_newline(value: &SecretValue) -> (SecretValue, bool) {
    match without_line_break(value.expose()) {
        Some(rest) => (copy(&[rest]), true),
        None => (value.duplicate(), false),
    }
}

/// Tells whether a value is text between `-----BEGIN …-----` and `-----END …-----` lines: PEM, or a private key of
/// OpenSSH. Text may stand before the first line, as it does in bundles of certificates.
pub fn is_armored(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else {
        return false;
    };
    let is_end = |line: &str| line.starts_with("-----END ") && line.ends_with("-----");
    text.lines().any(|line| line.starts_with("-----BEGIN "))
        && text.trim_end().lines().next_back().is_some_and(is_end)
}

/// Writes each line break, LF or CRLF, as the two characters `\n`.
///
/// Armored text that is escaped already, on one line that may end in a line break, stays as it is without that break.
pub fn escape_newlines(value: &SecretValue) -> SecretValue {
    let bytes = value.expose();
    let line = without_line_break(bytes).unwrap_or(bytes);
    if is_escaped(line) {
        return copy(&[line]);
    }
    let mut escaped = Vec::with_capacity(bytes.len().saturating_mul(2));
    let mut rest = bytes.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match (byte, rest.peek()) {
            (b'\r', Some(b'\n')) => {}
            (b'\n', _) => escaped.extend_from_slice(br"\n"),
            (byte, _) => escaped.push(byte),
        }
    }
    SecretValue::new(escaped)
}

/// Undoes [`escape_newlines`] for armored text, so that `newline` and `check` see the same lines however the value was
/// given. Anything else stays as it is.
pub fn unescape_newlines(value: &SecretValue) -> SecretValue {
    let bytes = value.expose();
    let line = without_line_break(bytes).unwrap_or(bytes);
    if !is_escaped(line) {
        return value.duplicate();
    }
    let mut lines = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((byte, after)) = rest.split_first() {
        match rest.strip_prefix(br"\n") {
            Some(after) => {
                lines.push(b'\n');
                rest = after;
            }
            None => {
                lines.push(*byte);
                rest = after;
            }
        }
    }
    SecretValue::new(lines)
}

/// Puts `prefix` and `suffix` around a value.
pub fn affix(prefix: &str, value: &SecretValue, suffix: &str) -> SecretValue {
    copy(&[prefix.as_bytes(), value.expose(), suffix.as_bytes()])
}

/// Takes `prefix` and `suffix` off again, or gives `None` when they are not there.
pub fn strip_affixes(prefix: &str, value: &SecretValue, suffix: &str) -> Option<SecretValue> {
    let inside = value
        .expose()
        .strip_prefix(prefix.as_bytes())?
        .strip_suffix(suffix.as_bytes())?;
    Some(copy(&[inside]))
}

/// Encodes as [`Encode::Base64`] says.
pub fn encode_base64(value: &[u8]) -> SecretValue {
    let mut text = vec![0; value.len().div_ceil(3).saturating_mul(4)];
    let written = STANDARD.encode_slice(value, &mut text).unwrap_or_default();
    text.truncate(written);
    SecretValue::new(text)
}

/// Decodes what [`encode_base64`] made; a line break at the end is no part of it. `None` when it is not base64.
pub fn decode_base64(text: &[u8]) -> Option<SecretValue> {
    let text = without_line_break(text).unwrap_or(text);
    let mut bytes = Vec::with_capacity(base64::decoded_len_estimate(text.len()));
    let decoded = STANDARD.decode_vec(text, &mut bytes);
    let value = SecretValue::new(bytes);
    decoded.is_ok().then_some(value)
}

fn end_in_one_newline(value: &SecretValue) -> (SecretValue, NewlineChange) {
    let Some(mut rest) = without_line_break(value.expose()) else {
        return (copy(&[value.expose(), b"\n"]), NewlineChange::Added);
    };
    while let Some(shorter) = without_line_break(rest) {
        rest = shorter;
    }
    let ended = copy(&[rest, b"\n"]);
    let change = if ended.same_as(value) {
        NewlineChange::Kept
    } else {
        NewlineChange::Removed
    };
    (ended, change)
}

fn without_line_break(bytes: &[u8]) -> Option<&[u8]> {
    bytes
        .strip_suffix(b"\r\n")
        .or_else(|| bytes.strip_suffix(b"\n"))
}

/// Whether it is armored text on one line, with `\n` for its line breaks.
fn is_escaped(line: &[u8]) -> bool {
    line.starts_with(b"-----BEGIN ")
        && !line.contains(&b'\n')
        && line.windows(2).any(|pair| pair == br"\n")
}

/// Joins pieces without leaving a copy behind: the buffer never grows.
fn copy(pieces: &[&[u8]]) -> SecretValue {
    SecretValue::new(pieces.concat())
}
