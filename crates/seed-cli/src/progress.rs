//! What a long run says while it goes on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use seed_core::name::EntryKey;
use seed_engine::{Event, Observer};

use crate::render;
use crate::terminal::Terminal;

/// How many entries are named that a run waits for.
const NAMED: usize = 3;

/// A bar on a terminal, once a run takes over a second; elsewhere a line now and then.
pub(crate) struct Progress {
    bar: ProgressBar,
    terminal: Terminal,
    grace: Duration,
    began: Instant,
    values: AtomicUsize,
    settled: AtomicUsize,
}

impl Progress {
    /// `grace` is how long a run that is stopped waits for what is under way.
    pub(crate) fn new(terminal: Terminal, grace: Duration) -> Self {
        let bar = ProgressBar::hidden();
        if terminal.shows_progress() {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(4));
        }
        if let Ok(style) = ProgressStyle::with_template("  {bar:30} {pos}/{len} values, {eta} left")
        {
            bar.set_style(style);
        }
        Self {
            bar,
            terminal,
            grace,
            began: Instant::now(),
            values: AtomicUsize::new(0),
            settled: AtomicUsize::new(0),
        }
    }

    /// Says how far the run is, where no bar does.
    pub(crate) fn tell(&self) {
        if !self.terminal.shows_progress() {
            let values = self.values.load(Ordering::Relaxed);
            let settled = self.settled.load(Ordering::Relaxed);
            self.terminal
                .note(&line(settled, values, self.began.elapsed()));
        }
    }
}

impl Observer for Progress {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Began { values } => {
                self.values.store(values, Ordering::Relaxed);
                self.bar
                    .set_length(u64::try_from(values).unwrap_or(u64::MAX));
            }
            Event::Settled { .. } => {
                self.settled.fetch_add(1, Ordering::Relaxed);
                self.bar.inc(1);
                if self.bar.elapsed() > Duration::from_secs(1) {
                    self.bar.tick();
                }
            }
            Event::Stopping { under_way } => self
                .bar
                .suspend(|| self.terminal.note(&stopping(under_way, self.grace))),
            Event::Waiting { pause, .. } => {
                self.bar.suspend(|| tell_waiting(self.terminal, pause));
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

/// Says why nothing goes on, to a person who sees it.
pub(crate) fn tell_waiting(terminal: Terminal, pause: Duration) {
    if terminal.shows_progress() {
        terminal.note(&waiting(pause));
    }
}

fn waiting(pause: Duration) -> String {
    format!("  waiting {} s for other writers", pause.as_secs())
}

/// How far a run is, and how long it takes if it goes on like that.
fn line(settled: usize, values: usize, elapsed: Duration) -> String {
    let so_far = format!(
        "  {settled} of {}",
        render::count(values, "value", "values")
    );
    let (Ok(done), Ok(left)) = (
        u32::try_from(settled),
        u32::try_from(values.saturating_sub(settled)),
    ) else {
        return so_far;
    };
    let Some(each) = elapsed.checked_div(done) else {
        return so_far;
    };
    let seconds = each.saturating_mul(left).as_secs();
    if seconds < 120 {
        format!("{so_far}, about {seconds} s left")
    } else {
        format!("{so_far}, about {} min left", seconds.div_ceil(60))
    }
}

/// What a run that is stopped waits for.
fn stopping(under_way: &[&EntryKey], grace: Duration) -> String {
    if under_way.is_empty() {
        return "  stopping: nothing is under way".to_owned();
    }
    let mut names: Vec<String> = under_way
        .iter()
        .take(NAMED)
        .map(|entry| format!("`{entry}`"))
        .collect();
    let more = under_way.len().saturating_sub(NAMED);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    format!(
        "  stopping: waiting at most {} s for the answers about {}; Ctrl-C again stops at once",
        grace.as_secs(),
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_is_left_follows_from_the_time_so_far() {
        let after = |settled, values, seconds| line(settled, values, Duration::from_secs(seconds));
        assert_eq!(after(120, 500, 10), "  120 of 500 values, about 31 s left");
        assert_eq!(after(1, 500, 10), "  1 of 500 values, about 84 min left");
        assert_eq!(after(0, 1, 10), "  0 of 1 value");
        assert_eq!(after(5, 5, 10), "  5 of 5 values, about 0 s left");
    }

    #[test]
    fn a_pause_says_how_long_it_is() {
        let told = waiting(Duration::from_secs(6));
        assert_eq!(told, "  waiting 6 s for other writers");
    }

    #[test]
    fn what_is_waited_for_is_named() {
        let keys: Vec<EntryKey> = ["a", "b", "c", "d", "e"]
            .map(|key| key.parse().unwrap())
            .into();
        let keys: Vec<&EntryKey> = keys.iter().collect();
        let say = |number: usize| stopping(&keys[..number], Duration::from_secs(30));
        assert_eq!(say(0), "  stopping: nothing is under way");
        assert_eq!(
            say(1),
            "  stopping: waiting at most 30 s for the answers about `a`; Ctrl-C again stops at once"
        );
        assert_eq!(
            say(5),
            "  stopping: waiting at most 30 s for the answers about `a`, `b`, `c`, 2 more; Ctrl-C again stops at once"
        );
    }
}
