//! Time and memory of the released program, beside the budgets. Prints; asserts nothing.
//!
//! Each run is a process of its own under a copy of this one, so that the peak memory is that run's alone.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use tempfile::TempDir;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const MEASURE: &str = "--measure-one-run";
const KEYS: usize = 10_000;

/// One line of the table.
struct Case<'a> {
    name: &'a str,
    runs: usize,
    budget: Option<Duration>,
    memory: Option<u64>,
    arguments: Vec<&'a str>,
    /// Whether each run begins without a store.
    afresh: bool,
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((flag, rest)) if flag == MEASURE => measure(rest),
        _ => table(),
    }
}

/// Runs the program once and prints microseconds and KiB.
fn measure(command: &[String]) -> Outcome<()> {
    let (program, arguments) = command.split_first().ok_or("nothing to measure")?;
    let start = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    let elapsed = start.elapsed();
    let code = status.code().ok_or("killed")?;
    if code != 0 && code != 11 {
        return Err(format!("{arguments:?} ended with {code}").into());
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    println!("{} {}", elapsed.as_micros(), usage.max_rss());
    Ok(())
}

fn table() -> Outcome<()> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("no repository")?;
    let program = repository.join(target_directory()).join("release/seed");
    let home = tempfile::tempdir()?;
    let contract = many_keys(&home)?;
    println!(
        "{:<24} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "", "median", "worst", "budget", "peak", "budget"
    );
    for case in small().iter().chain(&large(&contract)) {
        run(case, repository, &program, home.path())?;
    }
    let size = std::fs::metadata(&program)?.len();
    println!(
        "{:<24} {:>43} {:>10}",
        "size of the program",
        mib(size / 1024),
        "30 MiB"
    );
    Ok(())
}

fn small() -> Vec<Case<'static>> {
    let llm = ["-c", "contracts/llm-platform.yaml", "--env", "ai-dev"];
    let with = |command: &'static str| [vec![command], llm.to_vec()].concat();
    let case = |name, budget, arguments| Case {
        name,
        runs: 20,
        budget: Some(Duration::from_millis(budget)),
        memory: None,
        arguments,
        afresh: false,
    };
    vec![
        case("start-up", 10, vec!["--version"]),
        case("check, LLM platform", 20, with("check")),
        case("emit, LLM platform", 20, with("emit")),
    ]
}

fn large(contract: &str) -> Vec<Case<'_>> {
    let case = |name, runs, budget, command, afresh| Case {
        name,
        runs,
        budget,
        memory: Some(64),
        arguments: vec![command, "-c", contract, "--backend", "local"],
        afresh,
    };
    let plan = Some(Duration::from_millis(200));
    vec![
        case("plan, 10,000 absent", 5, plan, "plan", true),
        case("apply, 10,000 absent", 1, None, "apply", true),
        case("plan, 10,000 stored", 5, plan, "plan", false),
        case("apply, 10,000 stored", 5, None, "apply", false),
    ]
}

fn run(case: &Case<'_>, repository: &Path, program: &Path, home: &Path) -> Outcome<()> {
    let mut times = Vec::new();
    let mut peak = 0;
    for _ in 0..case.runs {
        if case.afresh {
            remove(&home.join(".seed/many.age"))?;
        }
        let output = Command::new(std::env::current_exe()?)
            .arg(MEASURE)
            .arg(program)
            .args(&case.arguments)
            .current_dir(repository)
            .env_clear()
            .env("HOME", home)
            .stderr(Stdio::inherit())
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let (micros, kib) = text.trim().split_once(' ').ok_or("no figures")?;
        times.push(Duration::from_micros(micros.parse()?));
        peak = peak.max(kib.parse()?);
    }
    times.sort();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    let worst = times.last().copied().unwrap_or_default();
    let budget = case.budget.map_or_else(|| "-".to_owned(), time);
    let memory = case
        .memory
        .map_or_else(|| "-".to_owned(), |limit| format!("{limit} MiB"));
    println!(
        "{:<24} {:>10} {:>10} {budget:>10} {:>10} {memory:>10}",
        case.name,
        time(median),
        time(worst),
        mib(peak)
    );
    Ok(())
}

fn remove(store: &Path) -> Outcome<()> {
    match std::fs::remove_file(store) {
        Err(err) if err.kind() != std::io::ErrorKind::NotFound => Err(err.into()),
        _ => Ok(()),
    }
}

fn time(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn mib(kib: u64) -> String {
    format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024)
}

/// Where cargo puts what it builds.
#[expect(
    clippy::disallowed_methods,
    reason = "cargo's own variable, which `make bench` was run with"
)]
fn target_directory() -> String {
    std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned())
}

fn many_keys(home: &TempDir) -> Outcome<String> {
    let mut contract = "version: 1\nname: many\nsecrets:\n".to_owned();
    for key in 0..KEYS {
        writeln!(
            contract,
            "  team-{}/key-{key}: {{generate: {{hex: 32}}}}",
            key % 100
        )?;
    }
    let path = home.path().join("seed.yaml");
    std::fs::write(&path, contract)?;
    Ok(path.display().to_string())
}
