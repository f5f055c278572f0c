//! Values in dotenv lines.
//!
//! `NAME=value`, with or without `export ` before it. Between single quotes every character stands for itself; between
//! double quotes `\n`, `\r`, `\t`, `\"`, `\\`, `\$` and `` \` `` are escapes; both may go over several lines. Without quotes
//! the value ends with its line, or before a ` #`. Nothing is substituted: `$` is a dollar sign.
//!
//! Our own parser, because those of others substitute variables, which changes passwords, and show the line at fault.

use zeroize::Zeroizing;

use super::file::{Content, Fault, Pair, Place};
use crate::secret::SecretValue;

pub(super) fn parse(text: &str) -> (Vec<Pair>, Vec<Fault>) {
    let mut reader = Reader {
        text,
        rest: text,
        pairs: Vec::new(),
        faults: Vec::new(),
    };
    while !reader.rest.is_empty() {
        if let Err(fault) = reader.line() {
            reader.faults.push(fault);
            reader.skip_line();
        }
    }
    (reader.pairs, reader.faults)
}

struct Reader<'t> {
    text: &'t str,
    rest: &'t str,
    pairs: Vec<Pair>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn line(&mut self) -> Result<(), Fault> {
        self.blanks();
        if self.rest.is_empty() || self.rest.starts_with(['\r', '\n', '#']) {
            self.skip_line();
            return Ok(());
        }
        if let Some(rest) = self.rest.strip_prefix("export")
            && rest.starts_with([' ', '\t'])
        {
            self.rest = rest;
            self.blanks();
        }
        let place = self.place();
        let key = self.name()?;
        self.blanks();
        let Some(rest) = self.rest.strip_prefix('=') else {
            return Err(Fault::at(place, "there is no `=` behind the name"));
        };
        self.rest = rest;
        self.blanks();
        let value = match self.rest.chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote)?,
            Some('`') => return Err(self.fault(
                "a value in backticks is read differently by different tools; use single quotes",
            )),
            Some(_) | None => self.unquoted(),
        };
        self.pairs.push(Pair {
            key,
            place,
            content: Content::Value(value),
        });
        self.skip_line();
        Ok(())
    }

    fn name(&mut self) -> Result<String, Fault> {
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if name.is_empty() {
            return Err(self.fault("a name of letters, digits and `_` is expected here"));
        }
        self.rest = rest;
        Ok(name.to_owned())
    }

    fn unquoted(&mut self) -> SecretValue {
        let line = self.rest.lines().next().unwrap_or_default();
        let comment = line
            .char_indices()
            .zip(std::iter::once(' ').chain(line.chars()))
            .find_map(|((at, c), before)| (c == '#' && matches!(before, ' ' | '\t')).then_some(at));
        let value = line
            .get(..comment.unwrap_or(line.len()))
            .unwrap_or_default();
        SecretValue::new(value.trim_end().as_bytes().to_vec())
    }

    fn quoted(&mut self, quote: char) -> Result<SecretValue, Fault> {
        let open = self.place();
        let inside = self.rest.get(1..).unwrap_or_default();
        // With room for all of it the buffer never moves, so it leaves no copy behind.
        let length = inside.len();
        let mut value = Zeroizing::new(Vec::with_capacity(length));
        let mut characters = inside.char_indices();
        while let Some((at, c)) = characters.next() {
            match c {
                c if c == quote => {
                    self.rest = inside.get(at + 1..).unwrap_or_default();
                    self.end_of_line()?;
                    return Ok(SecretValue::new(std::mem::take(&mut *value)));
                }
                '\\' if quote == '"' => {
                    let Some(meant) = characters.next().and_then(|(_, c)| escaped(c)) else {
                        let place = Place::of(self.text, self.text.len() - length + at);
                        // The rest of this value must not be taken for lines of their own.
                        self.rest = closing(characters.as_str());
                        return Err(Fault::at(
                            place,
                            "this escape is unknown between double quotes; write `\\\\` for a backslash, or use single quotes",
                        ));
                    };
                    value.push(meant);
                }
                // The line break of the file, whatever wrote it, is one line feed.
                '\r' if characters.as_str().starts_with('\n') => {}
                c => value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        self.rest = "";
        Err(Fault::at(open, "the quote is never closed"))
    }

    fn end_of_line(&mut self) -> Result<(), Fault> {
        let blank = self.rest.starts_with([' ', '\t']);
        self.blanks();
        match self.rest.chars().next() {
            None | Some('\r' | '\n') => Ok(()),
            Some('#') if blank => Ok(()),
            Some(_) => Err(self.fault("something stands behind the closing quote")),
        }
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn skip_line(&mut self) {
        let end = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
        self.rest = self.rest.get(end..).unwrap_or_default();
    }

    fn place(&self) -> Place {
        Place::of(self.text, self.text.len() - self.rest.len())
    }

    fn fault(&self, reason: &str) -> Fault {
        Fault::at(self.place(), reason)
    }
}

fn escaped(c: char) -> Option<u8> {
    match c {
        'n' => Some(b'\n'),
        'r' => Some(b'\r'),
        't' => Some(b'\t'),
        '"' => Some(b'"'),
        '\\' => Some(b'\\'),
        '$' => Some(b'$'),
        '`' => Some(b'`'),
        _ => None,
    }
}

/// What follows the double quote that closes a value.
fn closing(rest: &str) -> &str {
    let mut characters = rest.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return rest.get(at + 1..).unwrap_or_default(),
            '\\' => drop(characters.next()),
            _ => {}
        }
    }
    ""
}
