//! `guarantees.md`, and the same table in the README.

use crate::help::Help;

const INTRODUCTION: &str = "\
<!-- Made by `make docs` from the help of the program. -->

# Guarantees

What `seed` promises of every backend: nothing that exists is overwritten, and an error is never taken for absence.
How sure that is while others write at the same time depends on what the service can refuse:

";

const MORE: &str = "
`seed plan` says the same of the backends that it asks, in one line for each; in JSON it is `create`, `guaranteed` and
`not_guaranteed` of `backends`.

On a *converging* backend a run that has written waits some seconds after each stage, then looks whose values stand, and
only then makes others from them. The first value stands; a later run puts it back when its own was written over it. The
report names each key that more than one run wrote; in JSON its outcome is `contested`. A value that a person gave and
that does not stand is said (exit code 12). A person's value that came in between is never touched: it is reported, and
nothing is made from it (exit code 4). Ctrl-C lets the pause and the look end; a second one leaves the values uncertain.
Let one pipeline at a time write there, and none of this is ever seen.
";

/// Marks the table in a page that people write.
const BEGIN: &str = "<!-- guarantees: made by `make docs` -->\n";
const END: &str = "<!-- end -->\n";

/// Returns the page.
pub(super) fn page(program: &Help) -> Result<String, String> {
    Ok(format!("{INTRODUCTION}{}{MORE}", table(program)?))
}

/// Returns a page with the table in its place.
pub(super) fn within(page: &str, program: &Help) -> Result<String, String> {
    let (before, rest) = page.split_once(BEGIN).ok_or("the table has no place")?;
    let (_, after) = rest.split_once(END).ok_or("the table has no end")?;
    Ok(format!("{before}{BEGIN}{}{END}{after}", table(program)?))
}

fn table(program: &Help) -> Result<String, String> {
    let mut table =
        "| backend | writes are | guaranteed | not guaranteed |\n| --- | --- | --- | --- |\n"
            .to_owned();
    // Help is wrapped: a row begins where the columns are.
    let mut rows: Vec<String> = Vec::new();
    for line in program.below("Guarantees:") {
        match rows.last_mut().filter(|_| !line.contains("  ")) {
            Some(row) => row.push_str(&format!(" {line}")),
            None => rows.push(line.to_owned()),
        }
    }
    for row in &rows {
        let broken = || format!("a line of the help is broken: {row}");
        let (backend, rest) = row.split_once("  ").ok_or_else(broken)?;
        let (word, rest) = rest.trim().split_once(": ").ok_or_else(broken)?;
        let (promise, limit) = rest.split_once("; not guaranteed: ").ok_or_else(broken)?;
        table.push_str(&format!("| `{backend}` | {word} | {promise} | {limit} |\n"));
    }
    if rows.is_empty() {
        return Err("the help has no guarantees".to_owned());
    }
    Ok(table)
}
