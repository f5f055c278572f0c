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
    /// The line breaks at its end, or a CRLF there, became one LF.
    Reduced,
    /// One final line break was removed.
    Removed,
}

impl NewlineChange {
    /// What was done, fit to stand behind the key and a colon; `None` when nothing was.
    pub fn words(self) -> Option<&'static str> {
        match self {
            Self::Added => Some("a final line break was added"),
            Self::Kept => None,
            Self::Reduced => Some("the line breaks at its end became one"),
            Self::Removed => Some("one final line break was removed"),
        }
    }
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
    unescape_all_newlines(line)
}

/// Reads every `\n` as a line break, which text that is not armored may have meant as two characters.
pub fn unescape_all_newlines(line: &[u8]) -> SecretValue {
    let mut lines = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((byte, after)) = rest.split_first() {
        let line_break = rest.strip_prefix(br"\n");
        lines.push(if line_break.is_some() { b'\n' } else { *byte });
        rest = line_break.unwrap_or(after);
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
    let mut rest = value.expose();
    while let Some(shorter) = rest
        .strip_suffix(b"\n")
        .or_else(|| rest.strip_suffix(b"\r"))
    {
        rest = shorter;
    }
    let ended = copy(&[rest, b"\n"]);
    let change = if ended.same_as(value) {
        NewlineChange::Kept
    } else if rest.len() == value.len() {
        NewlineChange::Added
    } else {
        NewlineChange::Reduced
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::choice::testing::read;
    use super::*;

    const PEM: &str = "-----BEGIN PRIVATE KEY-----\nbm9uZQ==\n-----END PRIVATE KEY-----\n";
    const ESCAPED: &str = r"-----BEGIN PRIVATE KEY-----\nbm9uZQ==\n-----END PRIVATE KEY-----\n";

    fn value(text: &str) -> SecretValue {
        text.to_owned().into()
    }

    fn shown(value: &SecretValue) -> &str {
        value.expose_text().unwrap()
    }

    #[test]
    fn every_word_is_read() {
        for newline in [Newline::None, Newline::One] {
            assert_eq!(read(newline.as_str(), Newline::decode), Ok(newline));
        }
        assert_eq!(
            read("escape-newlines", Form::decode),
            Ok(Form::EscapeNewlines)
        );
        assert_eq!(read("base64", Encode::decode), Ok(Encode::Base64));
        assert_eq!(
            read("two", Newline::decode).unwrap_err(),
            ["`two` is not known here: write one of `none` and `one`"]
        );
    }

    #[test]
    fn one_final_line_break_is_removed_and_said() {
        for (given, left, change) in [
            ("a", "a", NewlineChange::Kept),
            ("a\n", "a", NewlineChange::Removed),
            ("a\r\n", "a", NewlineChange::Removed),
            ("a\n\n", "a\n", NewlineChange::Removed),
            ("a\r", "a\r", NewlineChange::Kept),
            ("\n", "", NewlineChange::Removed),
            ("", "", NewlineChange::Kept),
            (" a ", " a ", NewlineChange::Kept),
        ] {
            let (trimmed, said) = apply_newline(None, &value(given));
            assert_eq!((shown(&trimmed), said), (left, change), "{given:?}");
            assert_eq!(
                trim_final_newline(&value(given)).1,
                change == NewlineChange::Removed
            );
        }
    }

    #[test]
    fn one_newline_is_exactly_one() {
        for (given, left, change) in [
            ("a", "a\n", NewlineChange::Added),
            ("a\n", "a\n", NewlineChange::Kept),
            ("a\r\n", "a\n", NewlineChange::Reduced),
            ("a\r", "a\n", NewlineChange::Reduced),
            ("a\n\r\n\n", "a\n", NewlineChange::Reduced),
            ("", "\n", NewlineChange::Added),
        ] {
            let (ended, said) = apply_newline(Some(Newline::One), &value(given));
            assert_eq!((shown(&ended), said), (left, change), "{given:?}");
        }
    }

    #[test]
    fn armored_text_keeps_its_newline_unless_the_contract_says_otherwise() {
        let (kept, change) = apply_newline(None, &value(PEM));
        assert_eq!((shown(&kept), change), (PEM, NewlineChange::Kept));
        let (added, change) = apply_newline(None, &value(PEM.trim_end()));
        assert_eq!((shown(&added), change), (PEM, NewlineChange::Added));
        let (removed, change) = apply_newline(Some(Newline::None), &value(PEM));
        assert_eq!(
            (shown(&removed), change),
            (PEM.trim_end(), NewlineChange::Removed)
        );
    }

    #[test]
    fn armor_is_told_by_its_lines() {
        let openssh = PEM.replace("PRIVATE", "OPENSSH PRIVATE");
        let bundle = format!("# root\n{PEM}\n{PEM}\n\n");
        let windows = PEM.replace('\n', "\r\n");
        for armored in [PEM, &openssh, &bundle, &windows, PEM.trim_end()] {
            assert!(is_armored(armored.as_bytes()), "{armored}");
        }
        let indented = format!("key: |\n  {}", PEM.replace('\n', "\n  "));
        let more = format!("{PEM}more");
        for plain in ["", "-----BEGIN", ESCAPED, &indented, &more] {
            assert!(!is_armored(plain.as_bytes()), "{plain}");
        }
        assert!(!is_armored(&[0xff]));
    }

    #[test]
    fn line_breaks_are_escaped_once() {
        assert_eq!(shown(&escape_newlines(&value(PEM))), ESCAPED);
        assert_eq!(
            shown(&escape_newlines(&value(&PEM.replace('\n', "\r\n")))),
            ESCAPED
        );
        assert_eq!(shown(&escape_newlines(&value(ESCAPED))), ESCAPED);
        assert_eq!(
            shown(&escape_newlines(&value(&format!("{ESCAPED}\n")))),
            ESCAPED
        );
        assert_eq!(shown(&escape_newlines(&value("a\rb\n\nc"))), "a\rb\\n\\nc");
        assert_eq!(shown(&unescape_newlines(&value(ESCAPED))), PEM);
        assert_eq!(
            shown(&unescape_newlines(&value(&format!("{ESCAPED}\n")))),
            PEM
        );
        for same in [PEM, r"C:\new", ""] {
            assert_eq!(shown(&unescape_newlines(&value(same))), same);
        }
    }

    #[test]
    fn base64_that_is_none_is_not_decoded() {
        assert_eq!(decode_base64(b"YQ==\n").unwrap().expose(), b"a");
        for wrong in ["YQ", "YQ=\n=", "Y Q==", "YR==", "-_8="] {
            assert!(decode_base64(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn affixes_come_off_again(prefix in "[a-z-]{0,4}", bytes in any::<Vec<u8>>(), suffix in "[a-z-]{0,4}") {
            let given = SecretValue::new(bytes);
            let whole = affix(&prefix, &given, &suffix);
            prop_assert_eq!(whole.len(), prefix.len() + given.len() + suffix.len());
            prop_assert!(strip_affixes(&prefix, &whole, &suffix).unwrap().same_as(&given));
        }

        #[test]
        fn affixes_that_overlap_do_not_come_off(text in "[ab]{1,3}") {
            prop_assert!(strip_affixes(&text, &value(&text), &text).is_none());
        }

        #[test]
        fn escaping_leaves_no_line_break_and_changes_nothing_twice(text in "[a\\\\n\r\n]{0,12}") {
            let once = escape_newlines(&value(&text));
            prop_assert!(!once.expose().contains(&b'\n'));
            prop_assert!(escape_newlines(&once).same_as(&once));
        }

        #[test]
        fn newlines_settle_at_once(text in "[a\r\n]{0,6}") {
            let (once, _) = apply_newline(Some(Newline::One), &value(&text));
            let (twice, change) = apply_newline(Some(Newline::One), &once);
            prop_assert!(twice.same_as(&once));
            prop_assert_eq!(change, NewlineChange::Kept);
        }
    }
}
