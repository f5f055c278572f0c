//! From the bytes of a terminal to one value. No I/O, so that every keystroke can be tested.

use seed_core::secret::SecretValue;
use seed_core::value::is_armored;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

/// The longest value that is taken from a terminal: no backend stores more.
pub(super) const LONGEST: usize = 1 << 20;

/// What a byte came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Typed {
    /// Ctrl-C, or Ctrl-D with nothing before it.
    Aborted,
    /// The value is whole.
    Ended(End),
    /// There is more to come.
    More,
    /// Enter was pressed, and the value goes on in the next line.
    NextLine,
}

/// How a value ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// By Enter after typed text: if more follows at once, the text was pasted by a terminal that does not say so.
    Line,
    /// By Enter after a paste that the terminal marked, or by Ctrl-D: nothing belongs to it that follows.
    Marked,
}

/// Collects one value.
pub(super) struct Editor {
    /// Never grows: a buffer that does leaves copies behind.
    text: Zeroizing<Vec<u8>>,
    escape: Escape,
    /// Whether the terminal marked a paste in this value.
    pasted: bool,
    /// A carriage return was the last byte, so a line feed belongs to it.
    returned: bool,
    too_long: bool,
}

/// How far an escape sequence has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Escape {
    /// After the escape character.
    Began,
    /// After `ESC [`, with the number that was read.
    Control(u16),
    /// Not in a sequence.
    Outside,
    /// In a paste, with so many bytes of its end mark read.
    Paste(usize),
    /// One more character belongs to it.
    Single,
}

/// What a terminal sends before and after a paste, without the escape character and bracket of the first.
const PASTE_BEGINS: u16 = 200;
const PASTE_ENDS: &[u8] = b"\x1b[201~";

impl Editor {
    pub(super) fn new() -> Self {
        Self {
            text: Zeroizing::new(Vec::with_capacity(LONGEST)),
            escape: Escape::Outside,
            pasted: false,
            returned: false,
            too_long: false,
        }
    }

    /// Forgets everything, but for a line feed that may belong to the last carriage return.
    pub(super) fn clear(&mut self) {
        zeroize::Zeroize::zeroize(&mut *self.text);
        self.escape = Escape::Outside;
        self.pasted = false;
        self.too_long = false;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn is_too_long(&self) -> bool {
        self.too_long
    }

    /// Whether what was typed is PEM: more blocks of a chain may follow.
    pub(super) fn is_armored(&self) -> bool {
        is_armored(&self.text)
    }

    /// Goes on after an end that was none: the next block of a chain follows.
    pub(super) fn go_on(&mut self) {
        self.push(b'\n');
    }

    /// The value, in a buffer of its own size.
    pub(super) fn value(&self) -> SecretValue {
        SecretValue::new(self.text.to_vec())
    }

    /// Takes one byte.
    pub(super) fn typed(&mut self, byte: u8) -> Typed {
        let after_return = std::mem::replace(&mut self.returned, byte == b'\r');
        if byte == b'\n' && after_return {
            return Typed::More;
        }
        match self.escape {
            Escape::Began => self.begin_sequence(byte),
            Escape::Control(number) => self.in_sequence(number, byte),
            Escape::Outside => self.key(byte),
            Escape::Paste(matched) => self.in_paste(matched, byte),
            Escape::Single => {
                self.escape = Escape::Outside;
                Typed::More
            }
        }
    }

    fn key(&mut self, byte: u8) -> Typed {
        match byte {
            CTRL_C => return Typed::Aborted,
            CTRL_D if self.is_empty() => return Typed::Aborted,
            CTRL_D => return Typed::Ended(End::Marked),
            b'\r' | b'\n' => return self.enter(),
            BACKSPACE | DELETE => self.rub_out(),
            CTRL_U => self.clear(),
            CTRL_W => self.rub_out_word(),
            ESCAPE => self.escape = Escape::Began,
            b'\t' => self.push(byte),
            // Ctrl-Z and the like: nothing that can be seen, and nothing that a value has.
            0..=0x1f => {}
            _ => self.push(byte),
        }
        Typed::More
    }

    fn begin_sequence(&mut self, byte: u8) -> Typed {
        self.escape = match byte {
            b'[' => Escape::Control(0),
            b'O' => Escape::Single,
            // Escape, then a key that means something by itself.
            0..=0x1f | DELETE => {
                self.escape = Escape::Outside;
                return self.key(byte);
            }
            _ => Escape::Outside,
        };
        Typed::More
    }

    fn in_sequence(&mut self, number: u16, byte: u8) -> Typed {
        self.escape = match byte {
            b'0'..=b'9' => {
                let digit = u16::from(byte - b'0');
                Escape::Control(number.saturating_mul(10).saturating_add(digit))
            }
            // A function key of the Linux console: `ESC [ [ A`.
            b'[' => Escape::Single,
            b'~' if number == PASTE_BEGINS => {
                self.pasted = true;
                Escape::Paste(0)
            }
            0x40..=0x7e => Escape::Outside,
            b';' => Escape::Control(0),
            0x20..=0x3f => Escape::Control(number),
            _ => {
                self.escape = Escape::Outside;
                return self.key(byte);
            }
        };
        Typed::More
    }

    /// A paste is taken as it is, but for its line breaks: terminals send them as carriage returns.
    fn in_paste(&mut self, matched: usize, byte: u8) -> Typed {
        if PASTE_ENDS.get(matched) == Some(&byte) {
            let matched = matched + 1;
            self.escape = if matched == PASTE_ENDS.len() {
                Escape::Outside
            } else {
                Escape::Paste(matched)
            };
            return Typed::More;
        }
        for held in PASTE_ENDS.iter().take(matched) {
            self.push(*held);
        }
        self.escape = Escape::Paste(0);
        match byte {
            ESCAPE => self.escape = Escape::Paste(1),
            b'\r' => self.push(b'\n'),
            _ => self.push(byte),
        }
        Typed::More
    }

    fn enter(&mut self) -> Typed {
        if self.is_unfinished() {
            self.push(b'\n');
            Typed::NextLine
        } else if self.pasted {
            Typed::Ended(End::Marked)
        } else {
            Typed::Ended(End::Line)
        }
    }

    /// Whether a value that has several lines lacks some.
    fn is_unfinished(&self) -> bool {
        let text = self.text.as_slice();
        if text.starts_with(b"-----BEGIN ") {
            return !is_armored(text);
        }
        let json = matches!(text.trim_ascii_start().first(), Some(b'{' | b'['));
        let ended = text.ends_with(b"\n");
        json && !ended && is_cut_json(text)
    }

    fn push(&mut self, byte: u8) {
        if self.text.len() < LONGEST {
            self.text.push(byte);
        } else {
            self.too_long = true;
        }
    }

    /// Removes the last character, which may be several bytes.
    fn rub_out(&mut self) {
        while let Some(byte) = self.text.pop() {
            let continues = byte & 0b1100_0000 == 0b1000_0000;
            if !continues {
                break;
            }
        }
    }

    fn rub_out_word(&mut self) {
        let text = self.text.trim_ascii_end();
        let word = text.iter().rposition(u8::is_ascii_whitespace);
        self.text.truncate(word.map_or(0, |space| space + 1));
    }
}

/// Whether text is the beginning of JSON. What can never become JSON is no value of several lines.
fn is_cut_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_err_and(|err| err.is_eof())
}

const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const CTRL_U: u8 = 0x15;
const CTRL_W: u8 = 0x17;
const ESCAPE: u8 = 0x1b;
const DELETE: u8 = 0x7f;

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of keystrokes: the values and what ended each, and what is left in the buffer.
    fn typed(keys: &str) -> Vec<String> {
        let mut editor = Editor::new();
        let mut seen = Vec::new();
        for byte in keys.bytes() {
            match editor.typed(byte) {
                Typed::More => {}
                Typed::NextLine => seen.push("next line".to_owned()),
                Typed::Aborted => seen.push("aborted".to_owned()),
                Typed::Ended(end) => {
                    let text = editor.value().expose_text().unwrap().to_owned();
                    seen.push(format!("{end:?} {text:?}"));
                    editor.clear();
                }
            }
        }
        if !editor.is_empty() {
            seen.push(format!("rest {:?}", editor.value().expose_text().unwrap()));
        }
        seen
    }

    #[test]
    fn enter_ends_a_line_however_it_is_sent() {
        assert_eq!(
            typed("a b\rc\nd\r\n"),
            ["Line \"a b\"", "Line \"c\"", "Line \"d\""]
        );
        assert_eq!(typed("\r"), ["Line \"\""]);
    }

    #[test]
    fn keys_edit_what_was_typed() {
        assert_eq!(typed("aé\x7f\x7fb\r"), ["Line \"b\""]);
        assert_eq!(typed("\x7f\x7fa\x08\r"), ["Line \"\""]);
        assert_eq!(typed("one two  \x17x\r"), ["Line \"one x\""]);
        assert_eq!(typed("one\x17\x17two\r"), ["Line \"two\""]);
        assert_eq!(typed("one two\x15three\r"), ["Line \"three\""]);
    }

    #[test]
    fn only_ctrl_c_and_ctrl_d_on_nothing_abort() {
        assert_eq!(typed("abc\x03"), ["aborted", "rest \"abc\""]);
        assert_eq!(typed("\x04"), ["aborted"]);
        assert_eq!(typed("abc\x04"), ["Marked \"abc\""]);
        assert_eq!(typed("a\x1a\x1cb\r"), ["Line \"ab\""], "Ctrl-Z and Ctrl-\\");
    }

    #[test]
    fn escape_sequences_are_swallowed() {
        let keys = [
            "\x1b[A",
            "\x1b[1;5C",
            "\x1bOP",
            "\x1b[15~",
            "\x1b[[A",
            "\x1bx",
            "\x1b[?1;2c",
        ];
        for key in keys {
            assert_eq!(typed(&format!("a{key}b\r")), ["Line \"ab\""], "{key:?}");
        }
        assert_eq!(typed("a\x1b\r"), ["Line \"a\""], "Escape, then Enter");
        assert_eq!(typed("a\x1b[\x03"), ["aborted", "rest \"a\""]);
    }

    #[test]
    fn a_marked_paste_is_taken_whole() {
        assert_eq!(
            typed("\x1b[200~a\rb\r\nc\n\x1b[201~\r"),
            ["Marked \"a\\nb\\nc\\n\""]
        );
        assert_eq!(
            typed("x\x1b[200~\x03\x15\x1b[A\x1b[201~y\r"),
            ["Marked \"x\\u{3}\\u{15}\\u{1b}[Ay\""]
        );
        assert_eq!(
            typed("\x1b[200~\x1b\x1b[201\x1b[201~\r"),
            ["Marked \"\\u{1b}\\u{1b}[201\""]
        );
    }

    #[test]
    fn pem_goes_on_until_its_end() {
        let pem = "-----BEGIN X-----\rYQ==\r-----END X-----\r";
        let lines = [
            "next line",
            "next line",
            "Line \"-----BEGIN X-----\\nYQ==\\n-----END X-----\"",
        ];
        assert_eq!(typed(pem), lines);
        assert_eq!(
            typed("-----BEGIN X-----\r\r")[..2],
            ["next line", "next line"]
        );
    }

    #[test]
    fn json_goes_on_until_it_is_whole_or_an_empty_line_ends_it() {
        assert_eq!(
            typed("{\"a\":\r[1]}\r"),
            ["next line", "Line \"{\\\"a\\\":\\n[1]}\""]
        );
        assert_eq!(typed("[1]\r"), ["Line \"[1]\""]);
        assert_eq!(typed("[1\r\r"), ["next line", "Line \"[1\\n\""]);
        assert_eq!(
            typed("{pass}word\r"),
            ["Line \"{pass}word\""],
            "no JSON can begin so"
        );
    }

    #[test]
    fn a_chain_is_known_by_its_last_line() {
        let mut editor = Editor::new();
        for byte in b"-----BEGIN X-----\rYQ==\r-----END X-----" {
            editor.typed(*byte);
        }
        assert!(editor.is_armored());
        editor.go_on();
        for byte in b"-----BEGIN Y-----\r" {
            editor.typed(*byte);
        }
        assert!(!editor.is_armored());
    }

    #[test]
    fn the_buffer_never_grows() {
        let mut editor = Editor::new();
        let before = editor.text.capacity();
        for _ in 0..LONGEST {
            editor.typed(b'x');
        }
        assert!(!editor.is_too_long());
        editor.typed(b'x');
        assert!(editor.is_too_long());
        assert_eq!(editor.text.capacity(), before);
    }
}
