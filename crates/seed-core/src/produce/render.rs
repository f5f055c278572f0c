//! The contract's files, from values.

use std::io;

use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

use super::fill::{FillError, Values, fill};
use crate::resolve::{Branch, Resolved, ResolvedText, Tree};
use crate::secret::SecretValue;
use crate::yaml::{Style, write};

/// Why a file cannot be written. Holds no value.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RenderError {
    /// A text cannot be filled in.
    #[error(transparent)]
    Fill(#[from] FillError),
    /// Readers of dotenv files do not agree about the value of this variable.
    #[error(
        "`{0}` has characters that shells, Python and Node do not read alike in a dotenv file (a carriage return, \
         `${{`, or quotes beside backslashes, `$` or other quotes): write it with `| base64`, or into a `yaml` or `json` file"
    )]
    Dotenv(String),
    /// The JSON could not be written.
    #[error("the JSON text cannot be written")]
    Json,
    /// Files are text.
    #[error("a value in it is not UTF-8 text: write it with `| base64`")]
    NotText,
}

/// Writes the content of a file, or gives `None` when nothing is left of it.
///
/// `values` has all that are there. A leaf whose optional value is not among them is left out, and so is a mapping left
/// without leaves; a value that is not optional and not there is [`FillError::Missing`].
pub fn render_file(
    resolved: &Resolved,
    tree: &Tree,
    values: &Values,
) -> Result<Option<Zeroizing<String>>, RenderError> {
    let leaves = Leaves { resolved, values };
    match tree {
        Tree::Dotenv(variables) => leaves.dotenv(variables),
        Tree::Json(branch) => match leaves.branch(branch)? {
            Some(tree) => json(&tree.0).map(Some),
            None => Ok(None),
        },
        Tree::Text(text) => leaves.text(text),
        Tree::Yaml(branch) => Ok(leaves
            .branch(branch)?
            .map(|tree| write(&tree.0, Style::Quoted))),
    }
}

/// A tree that is wiped when it is dropped.
struct Wiped(Value);

impl Wiped {
    /// Moves the tree out; whoever takes it wipes it.
    fn take(mut self) -> Value {
        self.0.take()
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::String(text) => text.zeroize(),
        Value::Bool(_) | Value::Null | Value::Number(_) => {}
    }
}

struct Leaves<'a> {
    resolved: &'a Resolved,
    values: &'a Values,
}

impl Leaves<'_> {
    /// The text of a leaf, or `None` when an optional value in it is not there.
    fn leaf(&self, text: &ResolvedText) -> Result<Option<SecretValue>, RenderError> {
        let there = text.values().filter(|id| self.values.contains_key(*id));
        match text.choose(&there.cloned().collect()) {
            Ok(chosen) => Ok(Some(fill(self.resolved, &chosen, self.values)?)),
            Err(_) => Ok(None),
        }
    }

    fn text(&self, text: &ResolvedText) -> Result<Option<Zeroizing<String>>, RenderError> {
        let Some(filled) = self.leaf(text)? else {
            return Ok(None);
        };
        let text = filled.expose_text().ok_or(RenderError::NotText)?;
        Ok(Some(Zeroizing::new(text.to_owned())))
    }

    fn branch(&self, branch: &Branch) -> Result<Option<Wiped>, RenderError> {
        Ok(match branch {
            Branch::Fixed(value) => Some(Wiped(value.clone())),
            Branch::Text(text) => {
                let text = self.text(text)?;
                text.map(|mut text| Wiped(Value::String(std::mem::take(&mut *text))))
            }
            Branch::List(items) => {
                let mut list = Wiped(Value::Array(Vec::with_capacity(items.len())));
                for item in items {
                    if let (Some(item), Value::Array(list)) = (self.branch(item)?, &mut list.0) {
                        list.push(item.take());
                    }
                }
                Some(list)
            }
            Branch::Map(members) => {
                let mut object = Wiped(Value::Object(Map::with_capacity(members.len())));
                let mut left = 0;
                for (key, member) in members {
                    if let (Some(member), Value::Object(object)) =
                        (self.branch(member)?, &mut object.0)
                    {
                        object.insert(key.clone(), member.take());
                        left += 1;
                    }
                }
                // One that was written empty stays.
                (left > 0 || members.is_empty()).then_some(object)
            }
        })
    }

    fn dotenv(
        &self,
        variables: &[(String, ResolvedText)],
    ) -> Result<Option<Zeroizing<String>>, RenderError> {
        let mut filled = Vec::new();
        for (name, text) in variables {
            filled.extend(self.text(text)?.map(|value| (name, value)));
        }
        if filled.is_empty() {
            return Ok(None);
        }
        let room = |(name, value): &(&String, Zeroizing<String>)| name.len() + value.len() + 4;
        // With room for all the buffer never moves and leaves no copy.
        let mut lines = Zeroizing::new(String::with_capacity(filled.iter().map(room).sum()));
        for (name, value) in &filled {
            let quote = quote(value).ok_or_else(|| RenderError::Dotenv((*name).clone()))?;
            lines.push_str(name);
            lines.push('=');
            lines.push(quote);
            lines.push_str(value);
            lines.push(quote);
            lines.push('\n');
        }
        Ok(Some(lines))
    }
}

/// The quotes between which shells, Python's and Node's readers all take a text as it is, if there are any.
///
/// They agree on no escape at all: what is an escape to one is two characters to another. Python replaces `${…}` between
/// any quotes, and both it and Node lose carriage returns.
fn quote(value: &str) -> Option<char> {
    if value.contains(['\r', '\0']) || value.contains("${") {
        return None;
    }
    if !value.contains(['"', '$', '`', '\\']) {
        return Some('"');
    }
    let plain = !value.contains('\'') && !value.contains("\\\\") && !value.ends_with('\\');
    plain.then_some('\'')
}

/// Pretty JSON that ends in one line feed.
fn json(value: &Value) -> Result<Zeroizing<String>, RenderError> {
    let mut size = Counter(0);
    serde_json::to_writer_pretty(&mut size, value).map_err(|_| RenderError::Json)?;
    let mut text = Zeroizing::new(Vec::with_capacity(size.0.saturating_add(1)));
    serde_json::to_writer_pretty(&mut *text, value).map_err(|_| RenderError::Json)?;
    text.push(b'\n');
    let text = String::from_utf8(std::mem::take(&mut *text)).map_err(|_| RenderError::Json)?;
    Ok(Zeroizing::new(text))
}

/// Measures what would be written, so that a buffer can have the right size at once.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
