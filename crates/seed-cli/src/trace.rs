//! `-v`: what goes on inside, on stderr, never a value.

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Starts logging of our own crates; the libraries around them may print what they send.
pub(crate) fn start(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let ours = [
        "seed",
        "seed_aws_sm",
        "seed_azure_kv",
        "seed_core",
        "seed_engine",
        "seed_gcpsm",
        "seed_kubernetes",
        "seed_local",
        "seed_provider",
        "seed_vault",
    ];
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(true)
        .with_ansi(anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never)
        .without_time();
    let filter = Targets::new().with_targets(ours.map(|name| (name, level)));
    // A second start in one process would be a test's; the first one stays.
    drop(
        tracing_subscriber::registry()
            .with(layer)
            .with(filter)
            .try_init(),
    );
}
