//! Progress: a bar with rate and time left on a terminal, a line now and then elsewhere.

use std::{
    io::IsTerminal as _,
    sync::Mutex,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::out;

/// Lines elsewhere than on a terminal are this far apart.
const LINES_APART: Duration = Duration::from_secs(10);

/// Shows how far a step is.
pub(crate) struct Progress {
    bar: ProgressBar,
    what: &'static str,
    /// Whether bytes are counted, not things.
    bytes: bool,
    start: Instant,
    /// When the last plain line was written; none on a terminal or for machines.
    last_line: Option<Mutex<Instant>>,
}

impl Progress {
    /// Counts things, such as maps.
    pub(crate) fn of_things(what: &'static str, total: u64, quiet: bool) -> Self {
        let template = "{msg} {wide_bar} {human_pos}/{human_len}, {per_sec}, {eta} left";
        Self::new((what, false), total, template, quiet)
    }

    /// Counts bytes of a file.
    pub(crate) fn of_bytes(what: &'static str, quiet: bool) -> Self {
        let template = "{msg} {wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
        Self::new((what, true), 0, template, quiet)
    }

    fn new((what, bytes): (&'static str, bool), total: u64, template: &str, quiet: bool) -> Self {
        let quiet = quiet || out::is_quiet();
        let terminal = std::io::stderr().is_terminal() && !quiet;
        let target = if terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what);
        let last_line = (!terminal && !quiet).then(|| Mutex::new(Instant::now()));
        Self {
            bar,
            what,
            bytes,
            start: Instant::now(),
            last_line,
        }
    }

    /// One more is done.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
        self.line();
    }

    /// So many of so many are done.
    pub(crate) fn at(&self, done: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(done);
        self.line();
    }

    fn line(&self) {
        let Some(Ok(mut last)) = self.last_line.as_ref().map(Mutex::lock) else {
            return;
        };
        if last.elapsed() < LINES_APART {
            return;
        }
        *last = Instant::now();
        let (done, total) = (
            self.bar.position(),
            self.bar.length().unwrap_or_default().max(1),
        );
        let line = line((done, total), self.start.elapsed(), self.bytes);
        out::note(&format!("{} {line}", self.what));
    }

    /// Writes a line to standard error, above the bar if there is one.
    pub(crate) fn say(&self, line: &str) {
        self.bar.suspend(|| out::note(line));
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// How far it is, how fast it went so far, and how long it takes if it goes on like that.
fn line((done, total): (u64, u64), elapsed: Duration, bytes: bool) -> String {
    let rate = done as f64 / elapsed.as_secs_f64().max(1e-9);
    let shown = |n: u64| if bytes { out::bytes(n) } else { n.to_string() };
    let part = u128::from(done) * 100 / u128::from(total.max(1));
    let left = total.saturating_sub(done) as f64 / rate;
    let left = match Duration::try_from_secs_f64(left.ceil()) {
        Ok(left) => format!(", {} left", indicatif::HumanDuration(left)),
        // Nothing is done yet.
        Err(_) => String::new(),
    };
    format!(
        "{} of {} ({part} %), {}/s{left}",
        shown(done),
        shown(total),
        shown(rate as u64)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_far_how_fast_and_how_long() {
        let of =
            |done, total, seconds, bytes| line((done, total), Duration::from_secs(seconds), bytes);
        assert_eq!(
            of(1000, 4000, 10, false),
            "1000 of 4000 (25 %), 100/s, 30 seconds left"
        );
        assert_eq!(
            of(2_000_000_000, 4_000_000_000, 10, true),
            "2.0 GB of 4.0 GB (50 %), 200.0 MB/s, 10 seconds left"
        );
        assert_eq!(of(0, 4000, 10, false), "0 of 4000 (0 %), 0/s");
        assert_eq!(of(0, 0, 0, true), "0 B of 0 B (0 %), 0 B/s");
    }
}
