//! Where the value comes from.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use seed_core::resolve::{Resolved, ResolvedSource};
use seed_core::secret::SecretValue;

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
            (Some(path), _) if path.as_os_str() != "-" => Ok(Self::File(path)),
            (Some(_), _) if terminal.stdin_is_terminal() => Err(CliError::usage(
                "`--file -` reads stdin, which is a terminal: it would show what you type",
            )
            .hint("without `--file` it is asked for, and not shown")),
            (Some(_), _) => Ok(Self::Stdin),
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
    pub(super) fn read(&self, terminal: Terminal) -> Result<Option<SecretValue>> {
        let value = match self {
            Self::Prompt => return Ok(None),
            Self::Variable(name) => Environment::value(name)
                .ok_or_else(|| CliError::usage(format!("the variable `{name}` is not set")))?,
            Self::File(path) => file(path, terminal)?,
            Self::Stdin => whole("stdin", io::stdin())?,
        };
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

/// Reads a file that somebody named. Links are followed: `<(…)` of a shell is one.
fn file(path: &Path, terminal: Terminal) -> Result<SecretValue> {
    let shown = path.display().to_string();
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.map_err(|err| unreadable(&shown, &err))?;
    if metadata.is_file() {
        given::warn(&shown, path, metadata.mode(), terminal);
    }
    whole(&shown, file)
}

fn whole(shown: &str, from: impl io::Read) -> Result<SecretValue> {
    let read = given::read(from).map_err(|err| unreadable(shown, &err))?;
    let mut bytes = read.ok_or_else(|| CliError::usage(given::too_large(shown)))?;
    Ok(SecretValue::new(std::mem::take(&mut *bytes)))
}

fn unreadable(shown: &str, err: &io::Error) -> CliError {
    CliError::usage(format!("cannot read the value from `{shown}`")).because(err)
}
