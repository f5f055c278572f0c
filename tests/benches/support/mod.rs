//! Time and memory of one run of the released program.
//!
//! Each run is a process of its own under a copy of the benchmark, so that the peak memory is that run's alone.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const MEASURE: &str = "--measure-one-run";

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) time: Duration,
    pub(crate) peak_kib: u64,
}

/// Runs one measurement when this process was started for that, and else what prints the table.
pub(crate) fn main(table: fn() -> Outcome<()>) -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((flag, rest)) if flag == MEASURE => measure(rest),
        _ => table(),
    }
}

/// Runs the released program once, in a directory, with these variables and `HOME` alone.
pub(crate) fn run(
    directory: &Path,
    home: &Path,
    variables: &[(String, String)],
    arguments: &[&str],
) -> Outcome<Figures> {
    let output = Command::new(std::env::current_exe()?)
        .arg(MEASURE)
        .arg(program()?)
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("HOME", home)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stderr(Stdio::inherit())
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let (micros, kib) = text.trim().split_once(' ').ok_or("no figures")?;
    Ok(Figures {
        time: Duration::from_micros(micros.parse()?),
        peak_kib: kib.parse()?,
    })
}

/// The repository.
pub(crate) fn repository() -> Outcome<&'static Path> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    Ok(repository.ok_or("no repository")?)
}

/// The released program.
pub(crate) fn program() -> Outcome<PathBuf> {
    Ok(repository()?.join(target_directory()).join("release/seed"))
}

pub(crate) fn mib(kib: u64) -> String {
    format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024)
}

/// Runs the program once and prints microseconds and KiB.
fn measure(command: &[String]) -> Outcome<()> {
    let (program, arguments) = command.split_first().ok_or("nothing to measure")?;
    let start = Instant::now();
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()?;
    let elapsed = start.elapsed();
    let code = output.status.code().ok_or("killed")?;
    if code != 0 && code != 11 {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{arguments:?} ended with {code}: {said}").into());
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    println!("{} {}", elapsed.as_micros(), usage.max_rss());
    Ok(())
}

/// Where cargo puts what it builds.
#[expect(
    clippy::disallowed_methods,
    reason = "cargo's own variable, which `make bench` was run with"
)]
fn target_directory() -> String {
    std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned())
}
