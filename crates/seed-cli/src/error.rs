//! Errors as people see them: what failed, why, and what to do next.

use std::error::Error;
use std::path::Path;

use seed_core::diagnostic::Diagnostics;

use crate::exit::Exit;

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum CliError {
    /// Something is wrong with a text; its places are shown.
    Text {
        /// Its path, as shown.
        path: String,
        /// The text.
        source: String,
        /// What is wrong.
        diagnostics: Diagnostics,
    },
    /// Anything else.
    Plain(Plain),
}

/// A message with its causes and what to do.
#[derive(Debug)]
pub(crate) struct Plain {
    /// The exit code it leads to.
    pub(crate) exit: Exit,
    /// What failed: a lower-case fragment.
    pub(crate) message: String,
    /// Why, from the outside in.
    pub(crate) causes: Vec<String>,
    /// What to do next.
    pub(crate) hints: Vec<String>,
}

pub(crate) type Result<T> = std::result::Result<T, CliError>;

impl CliError {
    /// Wrong usage, contract, facts or identity.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Failed, and nothing was written.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// A bug: something that cannot happen did.
    pub(crate) fn bug(message: impl Into<String>) -> Self {
        Self::new(Exit::Bug, message).hint("this is a bug in seed; please report it")
    }

    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self::Plain(Plain {
            exit,
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
        })
    }

    /// Adds the chain of causes of an error.
    #[must_use]
    pub(crate) fn because(mut self, err: &dyn Error) -> Self {
        if let Self::Plain(plain) = &mut self {
            let mut next = Some(err);
            while let Some(err) = next {
                plain.causes.push(err.to_string());
                next = err.source();
            }
        }
        self
    }

    /// Adds one of several causes.
    #[must_use]
    pub(crate) fn cause(mut self, cause: impl Into<String>) -> Self {
        if let Self::Plain(plain) = &mut self {
            plain.causes.push(cause.into());
        }
        self
    }

    /// Says what to do next.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Self::Plain(plain) = &mut self {
            plain.hints.push(hint.into());
        }
        self
    }

    /// The same error of a run that has written something already.
    #[must_use]
    pub(crate) fn partial(mut self) -> Self {
        if let Self::Plain(plain) = &mut self {
            plain.exit = Exit::Partial;
        }
        self
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(verb: &str, path: &Path, err: &std::io::Error) -> Self {
        Self::failed(format!("cannot {verb} `{}`", path.display())).because(err)
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Text { .. } => Exit::Usage,
            Self::Plain(plain) => plain.exit,
        }
    }
}
