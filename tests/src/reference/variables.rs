//! `variables.md`: the variables that the program reads.

use crate::help::Help;

const INTRODUCTION: &str = "\
<!-- Made by `make docs` from the help of the program. -->

# Variables

A flag wins over its variable. The program reads these variables and no others; what it starts gets none that
holds a value. Flags that weaken a promise, such as `--yes` and `--force`, have no variable on purpose, so that
nobody's surroundings can weaken it unseen.

| variable | instead of | commands |
| --- | --- | --- |
";

/// Returns the page.
pub(super) fn page(all: &[Help]) -> Result<String, String> {
    let program = all.first().ok_or("there is no help")?;
    let mut lines = Vec::new();
    for line in program.below("Variables:") {
        let (name, meaning) = line
            .split_once("  ")
            .ok_or_else(|| format!("a line of the help is broken: {line}"))?;
        lines.push((name.trim(), meaning.trim()));
    }
    let (flags, others): (Vec<_>, Vec<_>) = lines
        .into_iter()
        .partition(|(_, meaning)| meaning.starts_with("--"));
    let mut page = INTRODUCTION.to_owned();
    for (name, flag) in flags {
        let flag = match flag.split_once(", ") {
            Some((flag, more)) => format!("`{flag}`, {more}"),
            None => format!("`{flag}`"),
        };
        page.push_str(&format!(
            "| `{name}` | {flag} | {} |\n",
            commands(all, name)?
        ));
    }
    page.push_str("\n| variable | read for |\n| --- | --- |\n");
    for (names, meaning) in others {
        let names: Vec<String> = names.split(", ").map(|name| format!("`{name}`")).collect();
        page.push_str(&format!("| {} | {meaning} |\n", names.join(", ")));
    }
    Ok(page)
}

/// The commands whose help names the variable.
fn commands(all: &[Help], name: &str) -> Result<String, String> {
    let word = format!("[env: {name}=]");
    let joined = |help: &Help| help.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let named = |help: &&Help| joined(help).contains(&word);
    let commands: Vec<&Help> = all.iter().skip(1).collect();
    let found: Vec<String> = commands
        .iter()
        .filter(|help| named(help))
        .map(|help| format!("`{}`", help.command))
        .collect();
    if found.is_empty() {
        return Err(format!("no command's help names the variable {name}"));
    }
    Ok(if found.len() == commands.len() {
        "all".to_owned()
    } else {
        found.join(", ")
    })
}
