//! What a run did, as one document: JSON for machines, a page for people. `docs/monitoring.md` says
//! what each field means and in which unit it is.

use std::{io, path::Path, time::Duration};

use serde::Serialize;
use serde_json::Value;

use super::{Figures, Monitor, Operation, Share, bottleneck, page, shares};
use crate::{render::Summary, room::Phase, sink::write_atomically};

/// The number that a change of the document's form changes.
pub const FORM: u32 = 1;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// One JSON document.
    Json,
    /// One self-contained page.
    Html,
}

impl ReportFormat {
    /// The format that a file's name asks for; none for another ending than `.json` and `.html`.
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "json" => Some(Self::Json),
            "html" => Some(Self::Html),
            _ => None,
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All maps are there.
    Complete,
    /// All but those that failed.
    SomeFailed,
    /// It was stopped.
    Interrupted,
    /// It could not go on.
    Failed,
}

/// What the monitor cannot know.
#[derive(Debug)]
pub struct Told<'a> {
    /// What the run did; its default when it could not go on.
    pub summary: &'a Summary,
    /// How it ended.
    pub outcome: Outcome,
    /// Threads that drew.
    pub threads: usize,
    /// What memory was predicted for the parts of the run, and what they took.
    pub phases: Vec<Phase>,
    /// What caches did, in any form that is JSON.
    pub caches: Value,
    /// What the user was told.
    pub notes: Vec<String>,
}

/// What a run did. Serialises to the documented JSON.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`FORM`].
    pub form: u32,
    /// Where it ran.
    pub environment: Environment,
    /// The run as a whole.
    pub run: Run,
    /// Maps, counted.
    pub maps: MapCounts,
    /// What was read.
    pub input: Input,
    /// What was written.
    pub output: Output,
    /// What limits it, in one sentence.
    pub bottleneck: String,
    /// Parts of the time of all threads, the largest first, [`super::IDLE`] last.
    pub shares: Vec<Share>,
    /// What was done, the most time first.
    pub operations: Vec<Operation>,
    /// The slowest maps.
    pub slowest_maps: Vec<Map>,
    /// Slow operations.
    pub slow: Slow,
    /// Memory of the process.
    pub memory: Memory,
    /// What caches did.
    pub caches: Value,
    /// Maps that failed: the first few.
    pub failures: Vec<Failure>,
    /// What the user was told.
    pub notes: Vec<String>,
}

/// Where a run ran.
#[derive(Debug, Clone, Serialize)]
pub struct Environment {
    /// Version of the engine.
    pub engine: &'static str,
    /// The operating system.
    pub os: &'static str,
    /// The processor's architecture.
    pub architecture: &'static str,
    /// Cores that the process may use.
    pub cores: usize,
}

/// A run as a whole.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// How it ended.
    pub outcome: Outcome,
    /// Time from start to end, in milliseconds.
    pub wall_ms: f64,
    /// Computing time of all threads since the process began, in milliseconds.
    pub cpu_ms: Option<f64>,
    /// Threads that drew.
    pub threads: usize,
    /// The largest sample of resident memory, in bytes.
    pub peak_memory_bytes: u64,
}

/// Maps, counted.
#[derive(Debug, Clone, Serialize)]
pub struct MapCounts {
    /// Drawn, also those without data.
    pub drawn: u64,
    /// Those of them without data.
    pub blank: u64,
    /// Not drawn, because nothing changed.
    pub unchanged: u64,
    /// Those of them that came out of the store.
    pub from_store: u64,
    /// Not drawn, because of an error.
    pub failed: u64,
}

/// What was read.
#[derive(Debug, Clone, Serialize)]
pub struct Input {
    /// Rows of tables.
    pub rows: u64,
    /// Size of the files, in bytes.
    pub bytes: u64,
}

/// What was written.
#[derive(Debug, Clone, Serialize)]
pub struct Output {
    /// Files of maps.
    pub files: u64,
    /// Their size, in bytes.
    pub bytes: u64,
    /// Hexagons that were drawn, over all formats.
    pub rows: u64,
}

/// A slow map.
#[derive(Debug, Clone, Serialize)]
pub struct Map {
    /// Its name.
    pub map: String,
    /// Its time, in milliseconds.
    pub ms: f64,
}

/// Slow operations.
#[derive(Debug, Clone, Serialize)]
pub struct Slow {
    /// How many there were, listed or not.
    pub count: u64,
    /// The slowest.
    pub operations: Vec<SlowOne>,
}

/// A slow operation.
#[derive(Debug, Clone, Serialize)]
pub struct SlowOne {
    /// What was done.
    pub name: String,
    /// For what; may be empty.
    pub of: String,
    /// For which map; may be empty.
    pub map: String,
    /// When it began, in milliseconds from the start.
    pub at_ms: f64,
    /// Its time, in milliseconds.
    pub ms: f64,
    /// Whether it was very slow.
    pub very_slow: bool,
}

/// Memory of the process over time.
#[derive(Debug, Clone, Serialize)]
pub struct Memory {
    /// Largest sample, in bytes.
    pub peak_bytes: u64,
    /// What was predicted for reading and for drawing, and what they took; empty without a governor.
    pub phases: Vec<Phase>,
    /// Begin of each stretch of time, in milliseconds from the start, and the largest sample in it, in
    /// bytes.
    pub points: Vec<(f64, u64)>,
}

/// A map that failed.
#[derive(Debug, Clone, Serialize)]
pub struct Failure {
    /// The map.
    pub map: String,
    /// Why.
    pub error: String,
}

impl Report {
    /// Takes together what was measured by a monitor up to now, its memory, and what was told.
    pub fn new(monitor: &Monitor, figures: Figures, told: &Told<'_>) -> Self {
        let memory = monitor.memory();
        let summary = told.summary;
        let shares = shares(&figures.operations, figures.wall, told.threads);
        let sum = |name: &str, of: fn(&Operation) -> u64| -> u64 {
            let done = figures.operations.iter().filter(|done| done.name == name);
            done.map(of).sum()
        };
        Self {
            form: FORM,
            environment: Environment::here(),
            run: Run {
                outcome: told.outcome,
                wall_ms: ms(figures.wall),
                cpu_ms: memory.cpu_time().map(ms),
                threads: told.threads,
                peak_memory_bytes: memory.peak(),
            },
            maps: MapCounts {
                drawn: summary.rendered + summary.blank,
                blank: summary.blank,
                unchanged: summary.unchanged,
                from_store: summary.from_store,
                failed: summary.failed,
            },
            input: Input {
                rows: sum("ingest", |done| done.rows),
                bytes: sum("ingest", |done| done.bytes),
            },
            output: Output {
                files: sum("write", |done| done.count),
                bytes: sum("write", |done| done.bytes),
                rows: sum("draw", |done| done.rows),
            },
            bottleneck: bottleneck(&shares, told.threads),
            shares,
            slowest_maps: figures.slowest_maps.iter().map(Map::of).collect(),
            slow: Slow {
                count: figures.slow_count,
                operations: figures.slow.iter().map(SlowOne::of).collect(),
            },
            memory: Memory {
                peak_bytes: memory.peak(),
                phases: told.phases.clone(),
                points: memory
                    .series()
                    .iter()
                    .map(|point| (ms(point.at), point.bytes))
                    .collect(),
            },
            operations: figures.operations,
            caches: told.caches.clone(),
            failures: summary.failures.iter().map(Failure::of).collect(),
            notes: told.notes.clone(),
        }
    }

    /// Writes it to a file, whole or not at all.
    ///
    /// # Errors
    /// When the file cannot be written; one that was there stays.
    pub fn write(&self, path: &Path, format: ReportFormat) -> io::Result<()> {
        let text = match format {
            ReportFormat::Json => format!("{}\n", serde_json::to_string_pretty(self)?),
            ReportFormat::Html => page::page(self),
        };
        write_atomically(path, text.as_bytes())
    }
}

impl Environment {
    fn here() -> Self {
        Self {
            engine: env!("CARGO_PKG_VERSION"),
            os: std::env::consts::OS,
            architecture: std::env::consts::ARCH,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

impl Map {
    fn of(slow: &super::SlowMap) -> Self {
        Self {
            map: slow.map.clone(),
            ms: ms(slow.time),
        }
    }
}

impl SlowOne {
    fn of(slow: &super::SlowOperation) -> Self {
        Self {
            name: slow.name.clone(),
            of: slow.of.clone(),
            map: slow.map.clone(),
            at_ms: ms(slow.start),
            ms: ms(slow.time),
            very_slow: slow.very_slow,
        }
    }
}

impl Failure {
    fn of((map, error): &(String, String)) -> Self {
        Self {
            map: map.clone(),
            error: error.clone(),
        }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
