//! Tables in every form, drawn under limits of memory with any number of threads.
//!
//! [`keeps`] is one trial, which a soak can repeat with other seeds, limits and threads.

use std::{
    fs::File,
    io::{self, BufWriter},
    path::Path,
    sync::Arc,
};

use arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray};
use arrow_ipc::writer::FileWriter;
use flate2::{Compression, write::GzEncoder};
use parquet::arrow::ArrowWriter;

/// A form of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Text.
    Csv,
    /// Text, compressed with gzip.
    CsvGz,
    /// An Arrow IPC file, which is Feather version 2.
    Arrow,
    /// Parquet.
    Parquet,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Csv, Self::CsvGz, Self::Arrow, Self::Parquet];
}

/// How large a table is. Each part is a file of its own with one cell type in the medulla.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Files.
    pub parts: usize,
    /// Columns of each cell type along an edge.
    pub edge: i32,
    /// Layers of each column.
    pub layers: i32,
    /// Where values begin; the same seed gives the same table.
    pub seed: u64,
}

/// One part of a table as its columns.
struct Part {
    cell_type: String,
    numbers: [Vec<i32>; 4],
}

const NUMBERS: [&str; 4] = ["hex1", "hex2", "layer", "synapses"];

impl Part {
    fn new(index: usize, size: Size) -> Self {
        let mut numbers: [Vec<i32>; 4] = Default::default();
        let mut value = size.seed.wrapping_add(index as u64);
        for (hex1, hex2) in (0..size.edge).flat_map(|a| (0..size.edge).map(move |b| (a, b))) {
            for layer in 0..=size.layers {
                value = value
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695);
                let synapses = (value >> 48) as i32 % 500;
                for (column, number) in numbers.iter_mut().zip([hex1, hex2, layer, synapses]) {
                    column.push(number);
                }
            }
        }
        Self {
            cell_type: format!("T{index:04}"),
            numbers,
        }
    }

    fn write_text(&self, mut out: impl io::Write) -> io::Result<()> {
        writeln!(out, "cell_type,region,side,{}", NUMBERS.join(","))?;
        let [hex1, hex2, layer, synapses] = &self.numbers;
        for row in 0..hex1.len() {
            writeln!(
                out,
                "{},ME,R,{},{},{},{}",
                self.cell_type, hex1[row], hex2[row], layer[row], synapses[row]
            )?;
        }
        out.flush()
    }

    fn batch(&self) -> Result<RecordBatch, arrow_schema::ArrowError> {
        let rows = self.numbers[0].len();
        let text = |word: &str| Arc::new(StringArray::from(vec![word; rows])) as ArrayRef;
        let words = [
            ("cell_type", self.cell_type.as_str()),
            ("region", "ME"),
            ("side", "R"),
        ];
        let words = words.map(|(name, word)| (name, text(word)));
        let numbers = NUMBERS.into_iter().zip(&self.numbers);
        let numbers = numbers
            .map(|(name, column)| (name, Arc::new(Int32Array::from(column.clone())) as ArrayRef));
        RecordBatch::try_from_iter(words.into_iter().chain(numbers))
    }

    fn write(&self, path: &Path, form: Form) -> Result<(), Box<dyn std::error::Error>> {
        let out = BufWriter::new(File::create(path)?);
        match form {
            Form::Csv => self.write_text(out)?,
            Form::CsvGz => self.write_text(GzEncoder::new(out, Compression::fast()))?,
            Form::Arrow => {
                let batch = self.batch()?;
                let mut writer = FileWriter::try_new(out, &batch.schema())?;
                writer.write(&batch)?;
                writer.finish()?;
            }
            Form::Parquet => {
                let batch = self.batch()?;
                let mut writer = ArrowWriter::try_new(out, batch.schema(), None)?;
                writer.write(&batch)?;
                writer.close()?;
            }
        }
        Ok(())
    }
}

/// Writes the parts of a table into a new directory.
///
/// # Panics
/// When they cannot be written.
pub fn write_table(dir: &Path, form: Form, size: Size) {
    std::fs::create_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let ending = match form {
        Form::Csv => "csv",
        Form::CsvGz => "csv.gz",
        Form::Arrow => "arrow",
        Form::Parquet => "parquet",
    };
    for index in 0..size.parts {
        let path = dir.join(format!("part-{index:04}.{ending}"));
        let written = Part::new(index, size).write(&path, form);
        written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

/// How a run under a limit ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// The most resident memory that it had, in bytes.
    pub peak_bytes: u64,
    /// Threads that drew; 0 if it did not come to that.
    pub threads: u64,
    /// What it said.
    pub stderr: String,
}

/// Draws a table, in a directory that is there, below a limit in bytes.
///
/// # Panics
/// When the command cannot be started or leaves no report.
pub fn draw(dir: &Path, table: &str, limit: u64, threads: usize) -> Outcome {
    let config = format!("[memory]\nlimit = \"{limit} B\"\n");
    std::fs::write(dir.join("eyemap.toml"), config).unwrap_or_else(|error| panic!("{error}"));
    let mut command = crate::eyemap();
    let threads = threads.to_string();
    command
        .current_dir(dir)
        .args(["render", table, "--config", "eyemap.toml", "-o", "out"]);
    command.args(["--force", "--jobs", &threads, "--report", "run.json"]);
    let output = command.output().unwrap_or_else(|error| panic!("{error}"));
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let report =
        std::fs::read(dir.join("run.json")).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    let report: serde_json::Value =
        serde_json::from_slice(&report).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    let phases = report["memory"]["phases"].as_array();
    let drawing = phases.and_then(|phases| phases.iter().find(|phase| phase["name"] == "drawing"));
    Outcome {
        code: output.status.code(),
        peak_bytes: report["memory"]["peak_bytes"].as_u64().unwrap_or(u64::MAX),
        threads: drawing
            .and_then(|phase| phase["threads"].as_u64())
            .unwrap_or(0),
        stderr,
    }
}

/// Draws a table below a limit: all of it within the limit and a tenth, or nothing because not even one
/// thread fits, and then with the limit that would do.
///
/// # Errors
/// What was not kept, in words.
pub fn keeps(dir: &Path, table: &str, limit: u64, threads: usize) -> Result<Outcome, String> {
    let outcome = draw(dir, table, limit, threads);
    let what = format!("{table} below {limit} bytes with {threads} threads: {outcome:?}");
    if outcome.peak_bytes > limit + limit / 10 {
        return Err(format!("over the limit: {what}"));
    }
    match (outcome.code, needed(&outcome.stderr)) {
        (Some(0), _) => Ok(outcome),
        (Some(2), Some(enough)) if enough > limit => {
            would_do(dir, table, enough, threads, &outcome)?;
            Ok(outcome)
        }
        _ => Err(format!("it ended badly: {what}")),
    }
}

/// Draws under the limit that a refusal named. Reading cannot know what drawing will ask for, so that a run may be
/// refused once for each.
fn would_do(
    dir: &Path,
    table: &str,
    enough: u64,
    threads: usize,
    refused: &Outcome,
) -> Result<(), String> {
    let again = draw(dir, table, enough, threads);
    if again.peak_bytes > enough + enough / 10 {
        return Err(format!("over the limit of {enough}: {again:?}"));
    }
    let of_reading = |outcome: &Outcome| outcome.stderr.contains("reading takes");
    match (again.code, needed(&again.stderr)) {
        (Some(0), _) => Ok(()),
        (Some(2), Some(more)) if of_reading(refused) && !of_reading(&again) => {
            would_do(dir, table, more, threads, &again)
        }
        _ => Err(format!("{enough} bytes would not do: {again:?}")),
    }
}

/// The limit that would do, of a run that was refused, in bytes.
fn needed(stderr: &str) -> Option<u64> {
    let (_, rest) = stderr.split_once("write limit = \"")?;
    let (mega, _) = rest.split_once(" MB\"")?;
    mega.parse::<u64>().ok().map(|mega| mega * 1_000_000)
}
