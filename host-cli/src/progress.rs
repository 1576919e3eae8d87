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
    /// When the last plain line was written; none on a terminal or for machines.
    last_line: Option<Mutex<Instant>>,
}

impl Progress {
    /// Counts things, such as maps.
    pub(crate) fn of_things(what: &'static str, total: u64, quiet: bool) -> Self {
        let template = "{msg} {wide_bar} {human_pos}/{human_len}, {per_sec}, {eta} left";
        Self::new(what, total, template, quiet)
    }

    /// Counts bytes of a file.
    pub(crate) fn of_bytes(what: &'static str, quiet: bool) -> Self {
        let template = "{msg} {wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
        Self::new(what, 0, template, quiet)
    }

    fn new(what: &'static str, total: u64, template: &str, quiet: bool) -> Self {
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
        out::note(&format!(
            "{} {done} of {total} ({} %)",
            self.what,
            done * 100 / total
        ));
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
