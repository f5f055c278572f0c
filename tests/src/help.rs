//! What the program says about itself: its commands, and the examples in their help.

use std::collections::VecDeque;

use crate::workspace::Workspace;

/// The long help of one command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Help {
    /// The words after `seed`; empty for the program itself.
    pub command: String,
    /// The text, without the blanks with which lines end.
    pub text: String,
}

/// Returns the help of the program and of every command, in the order in which the program lists them.
pub fn all(workspace: &Workspace) -> Result<Vec<Help>, String> {
    let mut found = Vec::new();
    let mut commands = VecDeque::from([String::new()]);
    while let Some(command) = commands.pop_front() {
        let text = workspace.seed(&format!("{command} --help"))?.success()?;
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let help = Help {
            command,
            text: lines.join("\n") + "\n",
        };
        commands.extend(help.subcommands().map(|name| {
            let words = [help.command.as_str(), name];
            words.join(" ").trim().to_owned()
        }));
        found.push(help);
    }
    Ok(found)
}

impl Help {
    /// The commands that this one lists.
    pub fn subcommands(&self) -> impl Iterator<Item = &str> {
        let lines = self.below("Commands:");
        lines.filter_map(|line| line.split(' ').next().filter(|name| !name.is_empty()))
    }

    /// The lines of a shell below `Example:` or `Examples:`.
    pub fn examples(&self) -> Vec<String> {
        let title = ["Examples:", "Example:"]
            .into_iter()
            .find(|title| self.text.lines().any(|line| line == *title));
        let lines = title.into_iter().flat_map(|title| self.below(title));
        lines.map(str::to_owned).collect()
    }

    /// The lines below a title up to the next empty one, without the two blanks before them.
    pub fn below(&self, title: &str) -> impl Iterator<Item = &str> {
        let lines = self.text.lines().skip_while(move |line| *line != title);
        lines.skip(1).map_while(|line| line.strip_prefix("  "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_examples_are_read_from_the_text() {
        let text = "Usage: seed\n\nCommands:\n  plan   Show what is there, and what\n         is blocked\n  \
                    apply  Create\n\nOptions:\n  -h  Help\n\nExamples:\n  seed plan\n  \
                    printf x | seed set y\n\nExit codes:\n  0  done\n";
        let help = Help {
            command: String::new(),
            text: text.to_owned(),
        };
        assert_eq!(help.subcommands().collect::<Vec<_>>(), ["plan", "apply"]);
        assert_eq!(help.examples(), ["seed plan", "printf x | seed set y"]);
        let one = Help {
            text: "Example:\n  seed man\n".to_owned(),
            ..help
        };
        assert_eq!(one.examples(), ["seed man"]);
        assert_eq!(one.subcommands().count(), 0);
    }
}
