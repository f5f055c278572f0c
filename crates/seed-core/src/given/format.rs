//! What a file with values is written in.

use std::fmt;

/// A format of files with values.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// `NAME=value` lines.
    Dotenv,
    /// One JSON object.
    Json,
    /// One YAML mapping.
    Yaml,
}

impl Format {
    /// The format that a file's name says: `*.json`, `*.yaml`, `*.yml`, `.env`, `.env.*`, `*.env`, `*.dotenv`.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        match name.rsplit_once('.').map(|(_, extension)| extension) {
            Some("json") => Some(Self::Json),
            Some("yaml" | "yml") => Some(Self::Yaml),
            Some("env" | "dotenv") => Some(Self::Dotenv),
            _ if name.starts_with(".env.") => Some(Self::Dotenv),
            Some(_) | None => None,
        }
    }

    /// The format that a text looks like: JSON when it begins with `{`; dotenv when its first line that is neither empty
    /// nor a comment is `NAME=…`, with or without `export `; else YAML.
    pub fn of_text(text: &str) -> Self {
        let mut lines = text.lines().map(str::trim);
        match lines.find(|line| !line.is_empty() && !line.starts_with('#')) {
            Some(line) if line.starts_with('{') => Self::Json,
            Some(line) if is_assignment(line) => Self::Dotenv,
            Some(_) | None => Self::Yaml,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dotenv => "dotenv",
            Self::Json => "JSON",
            Self::Yaml => "YAML",
        })
    }
}

fn is_assignment(line: &str) -> bool {
    let line = match line.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        Some(_) | None => line,
    };
    line.split_once('=').is_some_and(|(name, _)| {
        let name = name.trim_end();
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_the_format() {
        for (name, format) in [
            ("values.json", Some(Format::Json)),
            ("values.YAML", Some(Format::Yaml)),
            ("values.yml", Some(Format::Yaml)),
            (".env", Some(Format::Dotenv)),
            (".env.production", Some(Format::Dotenv)),
            (".env.json", Some(Format::Json)),
            ("prod.env", Some(Format::Dotenv)),
            ("prod.dotenv", Some(Format::Dotenv)),
            ("env", None),
            ("values", None),
            ("values.txt", None),
        ] {
            assert_eq!(Format::of_name(name), format, "{name}");
        }
    }

    #[test]
    fn the_text_says_the_format_when_the_name_does_not() {
        for (text, format) in [
            ("\n  {\"a\": \"b\"}", Format::Json),
            ("# comment\n\nNAME=value", Format::Dotenv),
            ("export NAME = 'value'", Format::Dotenv),
            ("a: b=c", Format::Yaml),
            ("a#b: c", Format::Yaml),
            ("a-b=c", Format::Yaml),
            ("", Format::Yaml),
        ] {
            assert_eq!(Format::of_text(text), format, "{text}");
        }
    }
}
