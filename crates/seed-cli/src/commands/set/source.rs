//! Where the value comes from.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use seed_core::resolve::{Resolved, ResolvedSource};
use seed_core::secret::SecretValue;
use seed_core::value::{NewlineChange, apply_newline};
use zeroize::Zeroizing;

use super::key::Key;
use crate::args::SetArgs;
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::given;
use crate::terminal::Terminal;

/// Where a value is read from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Source<'a> {
    File(&'a Path),
    Prompt,
    Stdin,
    Variable(&'a str),
}

/// The longest value that is read: no backend stores more.
const LONGEST: usize = 1 << 20;

impl<'a> Source<'a> {
    /// Chooses by the flags, or else by what stdin is.
    pub(super) fn choose(
        resolved: &Resolved,
        args: &'a SetArgs,
        key: Key<'a>,
        terminal: Terminal,
    ) -> Result<Self> {
        let variable = |name| match given::reader(resolved, name) {
            Some(reader) => Err(CliError::usage(format!(
                "the variable `{name}` is what {reader} reads for itself, so it is not taken for a value"
            ))),
            None => Ok(Self::Variable(name)),
        };
        match (args.file.as_deref(), args.from_env.as_deref()) {
            (Some(path), _) if path.as_os_str() == "-" => Ok(Self::Stdin),
            (Some(path), _) => Ok(Self::File(path)),
            (None, Some("")) => suggested(key).and_then(variable),
            (None, Some(name)) => variable(name),
            (None, None) if !terminal.stdin_is_terminal() => Ok(Self::Stdin),
            (None, None) if terminal.can_ask() && !args.no_input => Ok(Self::Prompt),
            (None, None) => Err(CliError::usage(format!(
                "nobody can be asked for the value of `{}`",
                key.id()
            ))
            .hint("pipe it in, or name it with `--file` or `--from-env`")),
        }
    }

    /// Reads the value; `None` when somebody has to be asked.
    pub(super) fn read(&self, key: Key<'_>, terminal: Terminal) -> Result<Option<SecretValue>> {
        let value = match self {
            Self::Prompt => return Ok(None),
            Self::Variable(name) => Environment::value(name)
                .ok_or_else(|| CliError::usage(format!("the variable `{name}` is not set")))?,
            Self::File(path) => File::open(path)
                .and_then(whole)
                .map_err(|err| unreadable(&format!("`{}`", path.display()), &err))?,
            Self::Stdin => whole(io::stdin()).map_err(|err| unreadable("stdin", &err))?,
        };
        match apply_newline(key.value.newline, &value).1 {
            NewlineChange::Removed => terminal.note("The line break at its end is left out."),
            NewlineChange::Reduced => terminal.note("The line breaks at its end become one."),
            NewlineChange::Added => terminal.note("A line break is added at its end."),
            NewlineChange::Kept => {}
        }
        Ok(Some(value))
    }
}

/// The variable that the contract suggests.
fn suggested(key: Key<'_>) -> Result<&str> {
    let provided = match &key.value.source {
        Some(ResolvedSource::Provide(provided)) => Some(provided),
        Some(ResolvedSource::Generate { provide, .. }) => provide.as_ref(),
        Some(
            ResolvedSource::Compose(_)
            | ResolvedSource::Derive { .. }
            | ResolvedSource::Forbidden(_)
            | ResolvedSource::Mint { .. }
            | ResolvedSource::Value(_),
        )
        | None => None,
    };
    let name = provided.and_then(|provided| provided.env.as_deref());
    name.ok_or_else(|| {
        CliError::usage(format!(
            "the contract suggests no variable for `{}`",
            key.id()
        ))
        .hint("name one: `--from-env=NAME`")
    })
}

fn unreadable(what: &str, err: &io::Error) -> CliError {
    let message = format!("cannot read the value from {what}");
    CliError::new(crate::exit::Exit::Usage, message).because(err)
}

/// Reads everything, into a buffer that does not grow: one that does leaves copies behind.
fn whole(from: impl Read) -> io::Result<SecretValue> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 64));
    let most = u64::try_from(LONGEST + 1).unwrap_or(u64::MAX);
    from.take(most).read_to_end(&mut bytes)?;
    if bytes.len() > LONGEST {
        let message = format!("it is longer than {LONGEST} bytes");
        return Err(io::Error::other(message));
    }
    Ok(SecretValue::new(bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_backend_stores_is_refused() {
        let longest = whole(io::repeat(b'x').take(1 << 20)).unwrap();
        assert_eq!(longest.len(), LONGEST);
        let refused = whole(io::repeat(b'x')).unwrap_err();
        assert_eq!(refused.to_string(), "it is longer than 1048576 bytes");
    }
}
