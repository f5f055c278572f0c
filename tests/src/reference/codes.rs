//! `exit-codes.md`: what each code says, and what to do about it.

use crate::help::Help;

const INTRODUCTION: &str = "\
<!-- Made by `make docs` from the help of the program. -->

# Exit codes

They are stable: scripts may rely on them. Where several apply, the first of this list counts: 70, 2, 4, 1, 12,
11, 10, 3, 0.

| code | meaning | what to do |
| --- | --- | --- |
";

const MORE: &str = "
`seed plan` ends with 0 whatever it finds, unless it failed; with `--exit-code` it ends with 10, 11 or 12 like
the others. `seed apply --missing-ok` ends with 0 when all that is left is for a person to give, which is what
a pipeline wants that runs before somebody has given it. Ctrl-C and SIGTERM let calls that are under way end,
and then count as a failure: 4 when something was written, 1 when nothing was.

Whatever the code, it is safe to run the same command again: it does what is left.

In a pipeline:

```sh
seed apply --env \"$ENV\" --yes --no-input --emit build/manifests
case $? in
  0) ;;                                         # all there
  11) echo 'somebody has to give a value' ;;    # listed above; `seed plan` lists it again
  *) exit 1 ;;
esac
```
";

/// Returns the page.
pub(super) fn page(program: &Help) -> Result<String, String> {
    let mut page = INTRODUCTION.to_owned();
    for line in program.below("Exit codes:") {
        let (code, meaning) = line.split_once(' ').ok_or(line)?;
        let advice = advice(code).ok_or_else(|| format!("no advice for the exit code {code}"))?;
        page.push_str(&format!("| {code} | {} | {advice} |\n", meaning.trim()));
    }
    page.push_str(MORE);
    Ok(page)
}

fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "0" => "nothing",
        "1" => "read the error; put right what failed, or wait, and run it again",
        "2" => {
            "correct the command line, the contract, the facts or the given value that the error names; nothing was written"
        }
        "3" => "correct `--only` and `--exclude`: together they leave no key",
        "4" => {
            "read the report: it says what was stored, what was not, and what is uncertain; then run it again"
        }
        "10" => "for `plan`, run `seed apply`; for `emit --check`, run `seed emit --out`",
        "11" => "give the values that are listed, and run it again",
        "12" => "see each line that begins with `!`: it says why, and what to do",
        "70" => "report it, with the message and the version; the message holds no value",
        _ => return None,
    })
}
