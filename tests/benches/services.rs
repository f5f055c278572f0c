//! 1,000 keys in each service, as the stand-ins play it, at three distances: time, calls and memory of the released
//! program beside the budgets. Prints; asserts nothing.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod support;

use std::time::Duration;

use seed_fakes::{Clock, Quota};
use seed_tests::service::many;
use seed_tests::stand_in::StandIn;
use serde_json::{Value, json};
use support::{Outcome, mib, time};

const KEYS: usize = 1000;
const LATENCIES: [u64; 3] = [0, 20, 80];

/// One service, and its budgets at 80 ms.
struct Subject {
    name: &'static str,
    start: fn() -> StandIn,
    /// Of a creation, of a plan of what exists, and of that with `--quick`.
    seconds: [Option<f64>; 3],
    /// The same in calls, without set-up.
    calls: [usize; 3],
}

const SUBJECTS: [Subject; 2] = [
    Subject {
        name: "vault",
        start: StandIn::vault,
        seconds: [Some(3.5), Some(3.5), Some(0.3)],
        calls: [1 + KEYS, 1 + KEYS, 1],
    },
    Subject {
        name: "aws-sm",
        start: StandIn::aws_sm,
        seconds: [Some(3.0), Some(1.0), Some(0.3)],
        calls: [1 + KEYS + KEYS, KEYS / 100, KEYS / 100],
    },
];

fn main() -> Outcome<()> {
    support::main(table)
}

fn table() -> Outcome<()> {
    row(["", "latency", "time", "budget", "calls", "budget", "peak"].map(str::to_owned));
    for subject in &SUBJECTS {
        for latency in LATENCIES {
            at(subject, latency)?;
        }
    }
    under_quota()
}

/// Creates, plans and plans quickly in a new stand-in.
fn at(subject: &Subject, latency: u64) -> Outcome<()> {
    let stand_in = (subject.start)();
    stand_in.server.set_latency(Duration::from_millis(latency));
    // Without the pace of the real service, which would hide the latency.
    let fast = json!({"pace": {"reads": 1_000_000, "writes": 1_000_000}});
    let cases: [(&str, &[&str]); 3] = [
        ("create 1,000", &["apply", "--quiet"]),
        ("plan 1,000", &["plan"]),
        ("plan --quick 1,000", &["plan", "--quick"]),
    ];
    let homes = tempfile::tempdir()?;
    let budgets = subject.seconds.iter().zip(&subject.calls);
    for ((what, arguments), (seconds, calls)) in cases.iter().zip(budgets) {
        let (figures, asked) = run(&stand_in, homes.path(), &fast, arguments)?;
        let budget = seconds.filter(|_| latency == 80);
        row([
            format!("{}, {what}", subject.name),
            format!("{latency} ms"),
            time(figures.time),
            budget.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds} s")),
            asked.to_string(),
            format!("{calls} + 5"),
            mib(figures.peak_kib),
        ]);
    }
    Ok(())
}

/// 1,000 secrets in AWS, which takes 50 writes a second: at its own pace, on the machine's clock.
fn under_quota() -> Outcome<()> {
    let (per_second, burst) = (50.0, 50.0);
    let stand_in = StandIn::aws_sm();
    stand_in.server.set_latency(Duration::from_millis(80));
    stand_in.server.set_write_quota(Quota {
        per_second,
        burst,
        clock: Clock::Real,
    });
    let homes = tempfile::tempdir()?;
    let (figures, asked) = run(&stand_in, homes.path(), &Value::Null, &["apply", "--quiet"])?;
    let least = Duration::from_secs_f64(1000.0 / per_second);
    let throttled = stand_in
        .server
        .log()
        .0
        .iter()
        .filter(|call| call.status == Some(400))
        .count();
    row([
        "aws-sm, create, 50 writes/s".to_owned(),
        "80 ms".to_owned(),
        time(figures.time),
        time(least.mul_f64(1.05)),
        asked.to_string(),
        format!("{throttled} refused"),
        mib(figures.peak_kib),
    ]);
    Ok(())
}

/// One run, and how many requests it sent.
fn run(
    stand_in: &StandIn,
    directory: &std::path::Path,
    settings: &Value,
    arguments: &[&str],
) -> Outcome<(support::Figures, usize)> {
    let contract = many(&*stand_in.service, KEYS, settings)?;
    std::fs::write(directory.join("seed.yaml"), contract)?;
    stand_in.server.clear_log();
    let variables = stand_in.service.variables();
    let figures = support::run(directory, directory, &variables, arguments)?;
    Ok((figures, stand_in.server.log().len()))
}

fn row(cells: [String; 7]) {
    let [name, latency, time, budget, calls, most, peak] = cells;
    println!("{name:<28} {latency:>8} {time:>12} {budget:>12} {calls:>6} {most:>12} {peak:>10}");
}
