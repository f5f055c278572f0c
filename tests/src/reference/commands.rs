//! `commands.md`: the help of every command.

use crate::help::Help;

const INTRODUCTION: &str = "\
<!-- Made by `make docs` from the help of the program. -->

# Commands

What `seed --help` and `seed COMMAND --help` print. `-h` prints a shorter form.
";

/// Returns the page.
pub(super) fn page(all: &[Help]) -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push('\n');
    for help in all {
        let name = name(help);
        page.push_str(&format!("* [`{name}`](#{})\n", name.replace(' ', "-")));
    }
    for help in all {
        page.push_str(&format!(
            "\n## {}\n\n```text\n{}```\n",
            name(help),
            help.text
        ));
    }
    page
}

fn name(help: &Help) -> String {
    format!("seed {}", help.command).trim_end().to_owned()
}
