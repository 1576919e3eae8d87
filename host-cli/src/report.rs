//! `--report`, `--trace`, warnings of what is slow, and where the time went in a few words.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use eyemap_engine::{
    config::Config,
    governor::Pressure,
    memory::MemoryWatch,
    monitor::{
        Figures, IDLE, Monitor, Share, SlowOperation, bottleneck, doing, percent,
        report::{Outcome, Report, ReportFormat, Told},
        shares,
        trace::TraceFile,
        whole,
    },
    render::Summary,
    room::DRAWING,
};
use serde_json::Value;

use crate::{
    args::RenderArgs,
    failure::{Failure, USAGE},
    out,
    progress::Progress,
};

/// What watches a run.
pub(crate) struct Watched {
    pub(crate) memory: Arc<MemoryWatch>,
    /// What work heeds, and what was predicted for it.
    pub(crate) pressure: Pressure,
    monitor: Option<Monitor>,
    threads: usize,
    /// What was measured when the run ended, so that all that is told of it agrees.
    figures: OnceLock<Figures>,
}

/// Operations beyond this many are not named on the terminal.
const NAMED: usize = 4;
/// Nor are those below this part of the time.
const WORTH_NAMING: f64 = 0.01;

impl Watched {
    /// Begins to watch and to log. A report or a timeline turns the monitor on.
    pub(crate) fn start(args: &RenderArgs, config: &Config) -> Result<Self, Failure> {
        let memory = MemoryWatch::start();
        check_place(args.report.as_deref())?;
        let trace = match &args.trace {
            Some(path) => {
                Some(TraceFile::create(path).map_err(|error| cannot_write(path, &error))?)
            }
            None => None,
        };
        let wanted = config.monitor.enabled || args.report.is_some() || trace.is_some();
        let monitor = wanted.then(|| Monitor::new(&config.monitor, Arc::clone(&memory), trace));
        crate::log::start(args.table.json, monitor.as_ref());
        Ok(Self {
            memory,
            pressure: Pressure::default(),
            monitor,
            threads: match config.run.jobs {
                0 => std::thread::available_parallelism().map_or(1, usize::from),
                jobs => jobs,
            },
            figures: OnceLock::new(),
        })
    }

    /// Threads that may work.
    pub(crate) const fn threads(&self) -> usize {
        self.threads
    }

    /// Threads that drew: those that fit in memory.
    fn drawing_threads(&self) -> usize {
        let phases = self.pressure.room.phases();
        let drawing = phases.iter().rfind(|phase| phase.name == DRAWING);
        drawing.map_or(self.threads, |phase| phase.threads)
    }

    /// The most memory that was predicted, in bytes; none without a governor.
    pub(crate) fn predicted_memory(&self) -> Option<u64> {
        let phases = self.pressure.room.phases();
        phases.iter().map(|phase| phase.predicted_bytes).max()
    }

    /// Warns of slow operations that nobody was told of.
    pub(crate) fn tell(&self, progress: &Progress) {
        if let Some(monitor) = &self.monitor {
            for slow in monitor.untold() {
                progress.say(&warning(&slow));
            }
        }
    }

    /// Writes what was asked for. What could not be written of the timeline comes back as notes.
    pub(crate) fn finish(&self, args: &RenderArgs, ended: &mut Ended<'_>) -> Result<(), Failure> {
        let Some(monitor) = &self.monitor else {
            return Ok(());
        };
        // What fails after a report was written does not replace it.
        if self.figures.set(monitor.figures()).is_err() {
            return Ok(());
        }
        ended.notes.extend(self.timeline(args));
        let Some(path) = &args.report else {
            return Ok(());
        };
        let told = Told {
            summary: ended.summary,
            outcome: ended.outcome,
            threads: self.drawing_threads(),
            phases: self.pressure.room.phases(),
            caches: ended.caches.clone(),
            notes: ended.notes.clone(),
        };
        // The ending was looked at when the arguments were read.
        let format = ReportFormat::of(path).unwrap_or(ReportFormat::Json);
        let figures = self.figures.get().cloned();
        Report::new(monitor, figures.unwrap_or_else(|| monitor.figures()), &told)
            .write(path, format)
            .map_err(|error| cannot_write(path, &error))
    }

    /// Ends the timeline; what is wrong with it.
    fn timeline(&self, args: &RenderArgs) -> Option<String> {
        let traced = self.monitor.as_ref()?.finish_trace()?;
        let path = args.trace.as_ref()?.display();
        match traced.error {
            Some(error) => Some(format!("{path} is not complete: {error}")),
            None if traced.cut => Some(format!(
                "{path} ends after {} spans, before the run did",
                traced.events
            )),
            None => None,
        }
    }

    /// Where the time went and what limits the run, a line each; how many operations more were slow.
    pub(crate) fn lines(&self) -> Vec<String> {
        let Some(figures) = self.figures.get() else {
            return Vec::new();
        };
        let threads = self.drawing_threads();
        let shares = shares(&figures.operations, figures.wall, threads);
        let mut lines = vec![
            format!(
                "{}; at most {} of memory",
                spent(&shares, threads),
                out::bytes(self.memory.peak())
            ),
            bottleneck(&shares, threads),
        ];
        let told = eyemap_engine::monitor::TOLD as u64;
        if figures.slow_count > told {
            lines.push(format!(
                "{} operations more were slow; --report lists the slowest",
                figures.slow_count - told
            ));
        }
        lines
    }

    /// How many operations were slow; known when the run has ended.
    pub(crate) fn slow_count(&self) -> Option<u64> {
        self.figures.get().map(|figures| figures.slow_count)
    }
}

/// How a run ended, for its report.
pub(crate) struct Ended<'a> {
    pub(crate) summary: &'a Summary,
    pub(crate) outcome: Outcome,
    pub(crate) caches: Value,
    pub(crate) notes: Vec<String>,
}

/// The largest parts of the time, on one line.
fn spent(shares: &[Share], threads: usize) -> String {
    let named = |share: &&Share| share.name != IDLE && share.share >= WORTH_NAMING;
    let mut parts: Vec<String> = shares
        .iter()
        .filter(named)
        .take(NAMED)
        .map(|share| {
            format!(
                "{} {}",
                out::plain(&doing(&share.name, &share.of)),
                percent(share.share)
            )
        })
        .collect();
    let idle = shares.iter().filter(|share| share.name == IDLE);
    parts.extend(idle.map(|share| format!("idle {}", percent(share.share))));
    let of = if threads == 1 {
        "one thread".to_owned()
    } else {
        format!("{threads} threads")
    };
    format!("time of {of}: {}", parts.join(", "))
}

fn warning(slow: &SlowOperation) -> String {
    let very = if slow.very_slow { "very slow" } else { "slow" };
    let map = match slow.map.as_str() {
        "" => String::new(),
        map => format!(" for {}", out::plain(map)),
    };
    let doing = out::plain(&whole(&slow.name, &slow.of));
    format!("{very}: {doing} took {}{map}", time(slow.time))
}

fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 1e-3 => format!("{:.0} us", seconds * 1e6),
        seconds if seconds < 1.0 => format!("{:.1} ms", seconds * 1e3),
        seconds => format!("{seconds:.2} s"),
    }
}

/// A report is written after hours of work, so where it goes is looked at before.
fn check_place(report: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = report else { return Ok(()) };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    match dir.map_or(Ok(()), |dir| std::fs::read_dir(dir).map(drop)) {
        Err(error) => Err(cannot_write(path, &error)),
        Ok(()) => Ok(()),
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(USAGE, format!("cannot write {}: {error}", path.display()))
        .help("name a file in a directory that is there and can be written")
}
