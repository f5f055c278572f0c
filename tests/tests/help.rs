//! What the program says about itself is true: its help fits, and its examples run.

use seed_tests::help::{self, Help};
use seed_tests::shared::repository;
use seed_tests::workspace::{PLATFORM, Shell, Workspace};

type Test = Result<(), String>;

#[test]
fn short_help_fits_one_screen() -> Test {
    let workspace = Workspace::new()?;
    let short = workspace.seed("-h")?;
    assert!(short.stdout.lines().count() <= 40, "{short}");
    let bare = workspace.seed("")?;
    assert_eq!(bare.stderr, short.stdout);
    assert_eq!((bare.stdout.as_str(), bare.status.code()), ("", Some(2)));
    Ok(())
}

#[test]
fn long_help_has_exit_codes_and_variables() -> Test {
    let help = Workspace::new()?.seed("--help")?.success()?;
    for title in ["\nExamples:\n", "\nExit codes:\n", "\nVariables:\n"] {
        assert!(help.contains(title), "{title}: {help}");
    }
    Ok(())
}

#[test]
fn every_command_says_in_one_imperative_line_what_it_does() -> Test {
    for help in help::all(&Workspace::new()?)? {
        let first = help.text.lines().next().unwrap_or_default();
        assert!(!first.ends_with('.') && first.len() <= 100, "{first}");
        let usage = format!("Usage: seed {}", help.command);
        assert!(help.text.contains(usage.trim_end()), "{}", help.text);
    }
    Ok(())
}

/// The examples run in the order of the help, in a copy of the repository's contracts that was
/// seeded before.
#[test]
fn every_command_has_examples_and_they_run() -> Test {
    let workspace = Workspace::new()?;
    workspace
        .seed(&format!("apply {PLATFORM} --missing-ok"))?
        .success()?;
    workspace.write("password.txt", "a value that a person chose\n")?;
    let shell = workspace.shell()?;
    let mut commands = 0;
    for help in help::all(&workspace)? {
        let examples = help.examples();
        assert!(!examples.is_empty(), "`seed {}` has none", help.command);
        for line in examples {
            run_example(&shell, &help, &line)?;
        }
        commands += 1;
    }
    assert!(commands > 9, "{commands}");
    Ok(())
}

/// An example ends with 0, or with 11 where the example contract leaves values for a person to give
/// and the command says so with that code.
fn run_example(shell: &Shell, help: &Help, line: &str) -> Test {
    let named = format!("seed {}", help.command);
    assert!(
        line.contains(named.trim_end()),
        "an example of another command: {line}"
    );
    let outcome = shell.run(line)?;
    let says_waiting = line.contains("seed apply") || line.contains("--exit-code");
    match outcome.status.code() {
        Some(0) => Ok(()),
        Some(11) if says_waiting && !line.contains("--missing-ok") => Ok(()),
        _ => Err(format!("{line}\n{outcome}")),
    }
}

#[test]
fn commands_of_the_readme_run() -> Test {
    let path = repository()?.join("README.md");
    let readme = std::fs::read_to_string(path).map_err(|err| err.to_string())?;
    let blocks = readme.split("```console\n").skip(1);
    let lines = blocks.flat_map(|block| block.lines().take_while(|line| *line != "```"));
    let lines: Vec<&str> = lines
        .filter_map(|line| line.strip_prefix("$ "))
        .filter(|line| line.contains("seed ") && !line.starts_with("make "))
        .collect();
    assert!(lines.len() >= 5, "{lines:?}");
    let workspace = Workspace::new()?;
    workspace.write("token.txt", &"t0ken".repeat(8))?;
    let shell = workspace.shell()?;
    for line in lines {
        let outcome = shell.run(line)?;
        assert!(outcome.status.success(), "{line}\n{outcome}");
    }
    Ok(())
}
