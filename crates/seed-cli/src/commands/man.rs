//! `seed man`.

use std::path::Path;

use clap::builder::Resettable;
use clap::{Command, CommandFactory as _};
use roff::{Roff, bold, roman};

use crate::args::{App, ManArgs};
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::terminal::Terminal;

pub(super) fn run(args: &ManArgs, terminal: Terminal) -> Result<Exit> {
    let mut app = App::command();
    app.build();
    if args.list {
        let pages = names(&app).into_iter().map(|name| format!("{name}.1\n"));
        terminal.data(&pages.collect::<String>())?;
        return Ok(Exit::Done);
    }
    match &args.out {
        None => terminal.bytes(&page(&app, &names(&app))?)?,
        Some(directory) => {
            std::fs::create_dir_all(directory)
                .map_err(|err| CliError::file("make the directory", directory, &err))?;
            write(&app, &names(&app), directory)?;
        }
    }
    Ok(Exit::Done)
}

/// The names of all pages.
fn names(command: &Command) -> Vec<String> {
    let mut all = vec![name(command)];
    all.extend(command.get_subcommands().flat_map(names));
    all
}

fn name(command: &Command) -> String {
    let name = command.get_display_name();
    name.unwrap_or_else(|| command.get_name()).to_owned()
}

fn write(command: &Command, names: &[String], directory: &Path) -> Result<()> {
    let path = directory.join(format!("{}.1", name(command)));
    std::fs::write(&path, page(command, names)?)
        .map_err(|err| CliError::file("write the manual page", &path, &err))?;
    command
        .get_subcommands()
        .try_for_each(|command| write(command, names, directory))
}

/// One page. What stands after the options in the help has sections of its own.
fn page(command: &Command, names: &[String]) -> Result<Vec<u8>> {
    let after = command.get_after_long_help().or(command.get_after_help());
    let after = after.map(ToString::to_string).unwrap_or_default();
    let options = command
        .clone()
        .after_help(Resettable::Reset)
        .after_long_help(Resettable::Reset);
    let mut sections = Roff::new();
    for section in after.split("\n\n").filter(|section| !section.is_empty()) {
        let (title, lines) = section.split_once(":\n").unwrap_or(("Notes", section));
        sections
            .control("SH", [heading(title).as_str()])
            .control("nf", []);
        for line in lines.lines() {
            sections.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
        }
        sections.control("fi", []);
    }
    let this = name(command);
    let others = names.iter().filter(|name| **name != this);
    let others: Vec<_> = others
        .enumerate()
        .flat_map(|(at, name)| {
            [
                roman(if at == 0 { "" } else { ", " }),
                bold(name.as_str()),
                roman("(1)"),
            ]
        })
        .collect();
    sections.control("SH", ["SEE ALSO"]).text(others);
    let mut page = Vec::new();
    clap_mangen::Man::new(options)
        .title(this)
        .source(concat!("seed ", env!("CARGO_PKG_VERSION")))
        .manual("seed")
        .render(&mut page)
        .and_then(|()| sections.to_writer(&mut page))
        .map_err(|err| CliError::bug("a manual page cannot be made").because(&err))?;
    Ok(page)
}

/// The words that readers of manual pages look for.
fn heading(title: &str) -> String {
    match title {
        "Example" => "EXAMPLES".to_owned(),
        "Exit codes" => "EXIT STATUS".to_owned(),
        "Variables" => "ENVIRONMENT".to_owned(),
        title => title.to_uppercase(),
    }
}
