//! What a long run shows on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use seed_engine::{Event, Observer};

use crate::terminal::Terminal;

/// A bar on stderr, once a run takes over a second; nothing elsewhere.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn new(terminal: Terminal) -> Self {
        let bar = ProgressBar::hidden();
        if terminal.shows_progress() {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(4));
        }
        if let Ok(style) = ProgressStyle::with_template("  {bar:30} {pos}/{len} values, {eta} left")
        {
            bar.set_style(style);
        }
        Self { bar }
    }
}

impl Observer for Progress {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Began { values } => self
                .bar
                .set_length(u64::try_from(values).unwrap_or(u64::MAX)),
            Event::Settled { .. } => {
                self.bar.inc(1);
                if self.bar.elapsed() > Duration::from_secs(1) {
                    self.bar.tick();
                }
            }
            Event::Stopping { under_way } => {
                self.bar.println(format!(
                    "  stopping: waiting for {under_way} calls that are under way"
                ));
            }
            Event::Reading { .. } | Event::Writing { .. } => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
