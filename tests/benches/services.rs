//! 1,000 keys in each service, as the stand-ins play it, at three distances: time, calls and memory of the released
//! program beside the budgets, as a Markdown table. Prints; asserts nothing.
//!
//! `cargo bench --bench services -- 20` does the same with 20 keys, to see that it works.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod support;

use std::time::Duration;

use seed_fakes::vault::Vault;
use seed_fakes::{AwsSm, AzureKv, Clock, GcpSm, Kubernetes, Quota, Service as _};
use seed_tests::service::{many, unpaced};
use seed_tests::stands::{Stand, World};
use support::{Figures, Outcome, mib};

const KEYS: usize = 1000;

/// Milliseconds before each answer; the budgets in seconds are for the last.
const LATENCIES: [u64; 3] = [0, 20, 80];

/// What is measured, in this order: each finds what the one before it left.
const RUNS: [(&str, &[&str]); 4] = [
    ("plan, nothing there", &["plan"]),
    ("create", &["apply", "--quiet"]),
    ("plan, all there", &["plan"]),
    ("`plan --quick`, all there", &["plan", "--quick"]),
];

/// What each run may cost.
struct Budget {
    seconds: [Option<f64>; 4],
    /// Without set-up.
    calls: [usize; 4],
}

/// What one run took at each distance.
#[derive(Default)]
struct Measured {
    times: Vec<Duration>,
    calls: usize,
    peak_kib: u64,
}

fn main() -> Outcome<()> {
    support::main(table)
}

fn table() -> Outcome<()> {
    let keys = std::env::args().find_map(|argument| argument.parse().ok());
    let keys = keys.unwrap_or(KEYS);
    println!(
        "| {keys} keys | run | 0 ms | 20 ms | 80 ms | budget at 80 ms | calls | budget | peak memory |"
    );
    println!("| --- | --- | --: | --: | --: | --: | --: | --: | --: |");
    let vault = Budget {
        seconds: [None, Some(3.5), Some(3.5), Some(0.3)],
        calls: [1, 1 + keys, 1 + keys, 1],
    };
    let pages = keys.div_ceil(500);
    let kubernetes = Budget {
        seconds: [None; 4],
        calls: [1, 1 + keys, pages, pages],
    };
    let pages = keys.div_ceil(100);
    let aws = Budget {
        // Each page is asked for with what the one before it said, so that `--quick` is no quicker.
        seconds: [None, Some(3.0), Some(1.0), Some(1.0)],
        calls: [1 + keys, 1 + keys + keys, pages, pages],
    };
    let google = Budget {
        seconds: [None; 4],
        calls: [2, 2 + 2 * keys, 2 + keys, 2],
    };
    let pages = 1 + keys.div_ceil(25);
    let azure = Budget {
        seconds: [None; 4],
        calls: [3, 3 + 3 * keys, pages, pages],
    };
    rows::<Vault>(keys, &vault)?;
    rows::<Kubernetes>(keys, &kubernetes)?;
    rows::<AwsSm>(keys, &aws)?;
    rows::<GcpSm>(keys, &google)?;
    rows::<AzureKv>(keys, &azure)?;
    under_quota(keys)
}

/// One line a run, with a column for each distance.
fn rows<S: Stand>(keys: usize, budget: &Budget) -> Outcome<()> {
    let mut all: [Measured; 4] = Default::default();
    let mut kind = "";
    for latency in LATENCIES {
        // Without the pace of the real service, which would hide the latency.
        let world = World::<S>::on(S::empty().serve(), &unpaced(), &many(keys))?;
        world.server.set_latency(Duration::from_millis(latency));
        kind = world.backend.kind();
        for (measured, (_, arguments)) in all.iter_mut().zip(RUNS) {
            let (figures, calls) = run(&world, arguments)?;
            measured.times.push(figures.time);
            measured.calls = measured.calls.max(calls);
            measured.peak_kib = measured.peak_kib.max(figures.peak_kib);
        }
    }
    let budgets = budget.seconds.iter().zip(budget.calls);
    for (((what, _), measured), (most, calls)) in RUNS.iter().zip(&all).zip(budgets) {
        let times = measured.times.iter().map(|time| seconds(*time));
        let most = most.map_or_else(|| "-".to_owned(), |most| format!("{most} s"));
        let (asked, peak) = (measured.calls, mib(measured.peak_kib));
        let cells = [format!("`{kind}`"), (*what).to_owned()].into_iter();
        let cells = cells.chain(times).chain([most, asked.to_string()]);
        row(cells.chain([format!("{calls} + 5"), peak]));
    }
    Ok(())
}

/// AWS, which takes 50 writes a second: at the program's own pace, on the machine's clock.
fn under_quota(keys: usize) -> Outcome<()> {
    let (per_second, burst) = (50.0, 50.0);
    let world = World::<AwsSm>::new(&many(keys))?;
    world.server.set_latency(Duration::from_millis(80));
    world.server.set_write_quota(Quota {
        per_second,
        burst,
        clock: Clock::Real,
    });
    let (figures, asked) = run(&world, &["apply", "--quiet"])?;
    let keys = u32::try_from(keys)?;
    let least = Duration::from_secs_f64(f64::from(keys) / per_second);
    let log = world.server.log();
    let writes = log
        .0
        .iter()
        .filter(|call| world.server.service().writes(&call.operation));
    let refused = writes.filter(|call| call.status != Some(200)).count();
    let kind = world.backend.kind();
    row([
        format!("`{kind}`"),
        format!("create, where 50 writes a second are taken ({refused} refused)"),
        "-".to_owned(),
        "-".to_owned(),
        seconds(figures.time),
        seconds(least.mul_f64(1.05)),
        asked.to_string(),
        "-".to_owned(),
        mib(figures.peak_kib),
    ]);
    Ok(())
}

/// One run, and how many requests it sent.
fn run<S: Stand>(world: &World<S>, arguments: &[&str]) -> Outcome<(Figures, usize)> {
    world.server.clear_log();
    let (root, home) = (world.workspace.root(), world.workspace.home());
    let variables = world.backend.variables();
    let figures = support::run(root, home, &variables, arguments)?;
    Ok((figures, world.server.log().len()))
}

fn row(cells: impl IntoIterator<Item = String>) {
    let cells: Vec<String> = cells.into_iter().collect();
    println!("| {} |", cells.join(" | "));
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}
