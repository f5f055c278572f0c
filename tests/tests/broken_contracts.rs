//! Contracts and facts files that are wrong in one way each. Every one is refused with one message that says what is
//! wrong, where, and what to do; none makes the program panic, and none keeps it busy.
//!
//! The files are `data/broken-contracts/*.yaml` and `data/broken-facts/*.yaml`; what `seed` answers stands beside each.
//! The first line of a file says what is wrong with it. A line `# arguments: …` has what follows `seed`; `check` comes
//! first where only flags are given. What is too large or too strange to be kept as a file is made here.

mod support;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use seed_tests::binary::seed_binary;
use seed_tests::cli::{Outcome, Sealed};
use support::made_contracts;

/// Seconds of processor time. A debug build of `seed` needs a few hundredths for most of these files and one for the
/// largest, an optimised one a tenth of that; what counts is its own work, but a machine that is busy makes that slower
/// too. One that reads on and on is killed by the system, and a run that a signal ended has no status 2.
const PROCESSOR_SECONDS: &str = "4";

/// Answers without a place in the contract: the file itself cannot be read, or is not the one that is wrong.
const WITHOUT_A_PLACE: [&str; 2] = ["facts-file-that-is-not-there", "larger-than-the-limit"];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, trials()).exit_code()
}

fn trials() -> Vec<Trial> {
    let contracts = files("broken-contracts");
    let facts = files("broken-facts");
    let counted = [contracts.len(), facts.len()];
    let mut trials = vec![
        Trial::test("there_are_files_to_refuse", move || enough(counted)),
        Trial::test("every_answer_has_its_file", every_answer_has_its_file),
        Trial::test(
            "what_goes_on_and_on_is_killed",
            what_goes_on_and_on_is_killed,
        ),
    ];
    for path in contracts {
        let name = format!("contract::{}", stem(&path));
        trials.push(Trial::test(name, move || refuses_contract(&path)));
    }
    for path in facts {
        let name = format!("facts::{}", stem(&path));
        trials.push(Trial::test(name, move || refuses_facts(&path)));
    }
    for made in made_contracts::all() {
        let name = format!("made::{}", made.name);
        trials.push(Trial::test(name, move || {
            let path = format!("{}.yaml", made.name);
            let outcome = run(&path, &(made.bytes)(), "check")?;
            expect_refusal(&path, "broken-contracts/made", &outcome)
        }));
    }
    trials
}

/// A renamed directory must not make this suite pass with nothing in it.
fn enough([contracts, facts]: [usize; 2]) -> Result<(), Failed> {
    if contracts < 150 || facts < 10 {
        return Err(format!("there are {contracts} contracts and {facts} facts files").into());
    }
    Ok(())
}

/// Without this, a limit that the system ignores would show nothing.
fn what_goes_on_and_on_is_killed() -> Result<(), Failed> {
    let endless = ["-c", "while :; do :; done"];
    let outcome = limited(Path::new("/"), Path::new("/bin/sh"), endless)?;
    match outcome.status.code() {
        None => Ok(()),
        Some(_) => Err(outcome.to_string().into()),
    }
}

fn every_answer_has_its_file() -> Result<(), Failed> {
    let made: Vec<String> = made_contracts::all()
        .map(|made| made.name.to_owned())
        .collect();
    for directory in ["broken-contracts", "broken-facts", "broken-contracts/made"] {
        for entry in std::fs::read_dir(data(directory))? {
            let path = entry?.path();
            let answers = path.extension().is_some_and(|end| end == "snap");
            let has_file = path.with_extension("yaml").exists() || made.contains(&stem(&path));
            if answers && !has_file {
                return Err(format!("{} answers nothing", path.display()).into());
            }
        }
    }
    Ok(())
}

fn refuses_contract(path: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path)?;
    let (what, rest) = text.split_once('\n').unwrap_or_default();
    if !what.starts_with("# ") || !what.ends_with('.') {
        return Err("the first line does not say what is wrong".into());
    }
    let given = rest
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("# arguments: "));
    let arguments = match given {
        Some(flags) if flags.starts_with('-') => format!("check {flags}"),
        Some(command) => command.to_owned(),
        None => "check".to_owned(),
    };
    let name = format!("{}.yaml", stem(path));
    let outcome = run(&name, text.as_bytes(), &arguments)?;
    expect_refusal(&name, "broken-contracts", &outcome)
}

/// Whoever writes a contract chooses the facts file that is read, and may choose one that is none of his business.
fn refuses_facts(path: &Path) -> Result<(), Failed> {
    const CONTRACT: &str = "version: 1\nname: shop\nsecrets:\n  token:\n    when: config.features.egress\n    \
                            generate: {hex: 16}\n  url: {compose: \"https://${config.domain}/${token}\"}\n";
    let directory = tempfile::tempdir()?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let facts = std::fs::read(path)?;
    std::fs::write(directory.path().join(&*name), &facts)?;
    std::fs::write(directory.path().join("seed.yaml"), CONTRACT)?;
    let arguments = format!("check --env dev --config {name}");
    let outcome = limited(directory.path(), &seed_binary()?, arguments.split(' '))?;
    let facts = String::from_utf8_lossy(&facts);
    for line in facts.lines().map(str::trim).filter(|line| line.len() > 5) {
        if outcome.stderr.contains(line) {
            return Err(format!("a line of the facts is shown: {line}").into());
        }
    }
    if outcome.stderr.contains("canary") {
        return Err(format!("a fact is shown\n{outcome}").into());
    }
    expect_refusal(&name, "broken-facts", &outcome)
}

fn run(name: &str, contract: &[u8], arguments: &str) -> Result<Outcome, Failed> {
    let directory = tempfile::tempdir()?;
    std::fs::write(directory.path().join(name), contract)?;
    let arguments = format!("{arguments} -c {name}");
    limited(directory.path(), &seed_binary()?, arguments.split(' '))
}

/// Runs a program with a limit on its processor time. The shell sets it, since that takes no `unsafe`.
fn limited<'a>(
    directory: &Path,
    program: &Path,
    arguments: impl IntoIterator<Item = &'a str>,
) -> Result<Outcome, Failed> {
    let script = format!("ulimit -t {PROCESSOR_SECONDS}; exec \"$0\" \"$@\"");
    let shell = Sealed::new(Path::new("/bin/sh"))?;
    let program = program.display().to_string();
    let arguments = arguments.into_iter().map(str::to_owned);
    let arguments = ["-c".to_owned(), script, program]
        .into_iter()
        .chain(arguments);
    Ok(shell.run(directory, arguments)?)
}

fn expect_refusal(name: &str, answers: &str, outcome: &Outcome) -> Result<(), Failed> {
    let errors = outcome
        .stderr
        .lines()
        .filter(|line| line.starts_with("error"));
    let sound = outcome.status.code() == Some(2)
        && errors.count() == 1
        && outcome.stdout.is_empty()
        && !outcome.stderr.contains("panicked");
    if !sound {
        return Err(format!("refused with one message it is not\n{outcome}").into());
    }
    let stem = name.trim_end_matches(".yaml");
    let placed = [name, "seed.yaml"]
        .iter()
        .any(|file| outcome.stderr.contains(&format!("{file}:")));
    if !placed && !WITHOUT_A_PLACE.contains(&stem) {
        return Err(format!("the place is missing\n{outcome}").into());
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(data(answers));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(stem, outcome));
    Ok(())
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(name)
}

fn files(directory: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data(directory)).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    files.sort();
    files
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
