//! What was asked of the caches, as a table: `time,key,size,cost_ns,stage,run,answered`, CSV or
//! `.csv.gz`.
//!
//! `time` in ticks (milliseconds in a recording), never falling; `key` 64 bits; `size` in bytes;
//! `cost_ns`, `stage`, `run` and `answered` may be missing.

use std::{
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;

use super::CacheName;
use crate::sink::state;

/// One thing that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked {
    /// When, in ticks.
    pub tick: u64,
    /// For what.
    pub key: u64,
    /// Its weight in bytes.
    pub size: u64,
    /// What computing it costs, in nanoseconds; 0 if not known.
    pub cost_ns: u64,
    /// Of which cache; none if not known.
    pub stage: Option<CacheName>,
    /// In which run, from 1; what is in memory does not outlive one. 0 if not known.
    pub run: u32,
    /// What answered.
    pub answered: Answered,
}

/// What answered a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Answered {
    /// Not known.
    #[default]
    Unknown,
    /// Nothing: it was computed.
    Computed,
    /// A cache in memory.
    Memory,
    /// The store of `[cache.artifacts]`.
    Store,
    /// The output directory, where the map was as it should be.
    Output,
}

impl Answered {
    const ALL: [Self; 5] = [
        Self::Unknown,
        Self::Computed,
        Self::Memory,
        Self::Store,
        Self::Output,
    ];

    /// What traces call it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Computed => "computed",
            Self::Memory => "memory",
            Self::Store => "store",
            Self::Output => "output",
        }
    }

    fn named(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|found| found.word() == word);
        found.ok_or_else(|| {
            format!(
                "answered is {:?}: write computed, memory, store or output",
                short(word)
            )
        })
    }
}

/// Why a trace cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The file cannot be used.
    #[error("the trace {} cannot be used", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A row is not as it should be.
    #[error("{}, line {line}: {message}", .path.display())]
    Row {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// A file is there that a recording cannot go on with.
    #[error("{} is there and is no recording that could be gone on with", .path.display())]
    NoRecording {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<Self>,
    },
    /// A recording that changed while it was gone on with.
    #[error("another run recorded into {} meanwhile, so the requests of this one are not in it", .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The ending of a recording names no form that it could have.
    #[error("{} ends in neither .csv nor .csv.gz", .path.display())]
    Ending {
        /// The file.
        path: PathBuf,
    },
}

impl TraceError {
    /// What to do about it.
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Io { .. } => {
                "name a file that ends in .csv or .csv.gz: with --trace one that is there, with --record-trace one that can be written"
            }
            Self::Row { .. } => {
                "a trace has the columns time (whole, never falling), key (64 bits) and size (bytes), \
                 and may have cost_ns, stage, run and answered"
            }
            Self::NoRecording { .. } => {
                "a recording is added to one that is there; name another file with --record-trace"
            }
            Self::Changed { .. } => "let runs that record at the same time write a file each",
            Self::Ending { .. } => "name it requests.csv.gz, or requests.csv to read it as it is",
        }
    }
}

/// More requests than a machine of today can hold.
const MAX_REQUESTS: usize = 500_000_000;

/// A larger file is no trace.
pub(super) const MAX_BYTES: u64 = 64 << 30;
/// A longer line is no request.
const MAX_LINE: usize = 1 << 20;

/// Gives lines until one is too long to be a request: a row is held as a whole.
struct ShortLines<R> {
    input: R,
    /// Bytes of the line so far.
    length: usize,
}

impl<R: Read> Read for ShortLines<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(into)?;
        for piece in into[..read].split_inclusive(|&byte| byte == b'\n') {
            self.length += piece.len();
            if self.length > MAX_LINE {
                let message = format!("a line is longer than {MAX_LINE} bytes");
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            if piece.ends_with(b"\n") {
                self.length = 0;
            }
        }
        Ok(read)
    }
}

/// Whether a trace is compressed: its ending says so.
pub(super) fn is_gz(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("gz"))
}

/// Reads a trace as a whole.
///
/// # Errors
/// When the file cannot be read, a column is missing, or a row is not as it should be.
pub fn read_trace(path: &Path) -> Result<Vec<Asked>, TraceError> {
    let mut requests = Vec::new();
    for_each_request(path, |asked| requests.push(asked))?;
    Ok(requests)
}

/// Hands over the requests of a trace one by one; says whether its text ends in a line end.
pub(super) fn for_each_request(
    path: &Path,
    mut take: impl FnMut(Asked),
) -> Result<bool, TraceError> {
    let io = |source| TraceError::Io {
        path: path.into(),
        source,
    };
    let file = BufReader::new(state::open(path, MAX_BYTES).map_err(io)?);
    let input: Box<dyn Read> = match is_gz(path) {
        true => Box::new(MultiGzDecoder::new(file)),
        false => Box::new(file),
    };
    let input = ShortLines { input, length: 0 };
    let wrong = |line, message: String| TraceError::Row {
        path: path.into(),
        line,
        message,
    };
    let broken = |error: csv::Error| match error.into_kind() {
        csv::ErrorKind::Io(source) => io(source),
        csv::ErrorKind::UnequalLengths {
            pos,
            expected_len,
            len,
        } => wrong(
            pos.map_or(0, |pos| pos.line()),
            format!("{len} cells in place of {expected_len}"),
        ),
        other => wrong(0, format!("{other:?}")),
    };
    let mut reader = csv::Reader::from_reader(input);
    let columns =
        Columns::of(reader.byte_headers().map_err(broken)?).map_err(|message| wrong(1, message))?;
    let (mut count, mut record, mut last) = (0_usize, csv::ByteRecord::new(), 0);
    while reader.read_byte_record(&mut record).map_err(broken)? {
        let line = record.position().map_or(0, csv::Position::line);
        let asked = columns
            .read(&record)
            .map_err(|message| wrong(line, message))?;
        if asked.tick < last {
            return Err(wrong(
                line,
                format!("the time falls from {last} to {}", asked.tick),
            ));
        }
        last = asked.tick;
        if count == MAX_REQUESTS {
            return Err(wrong(line, format!("more than {MAX_REQUESTS} requests")));
        }
        count += 1;
        take(asked);
    }
    Ok(reader.into_inner().length == 0)
}

/// Where each column is.
struct Columns {
    time: usize,
    key: usize,
    size: usize,
    cost: Option<usize>,
    stage: Option<usize>,
    run: Option<usize>,
    answered: Option<usize>,
}

impl Columns {
    fn of(header: &csv::ByteRecord) -> Result<Self, String> {
        let find = |name: &str| header.iter().position(|cell| cell == name.as_bytes());
        let need = |name: &str| {
            find(name).ok_or_else(|| {
                format!("there is no column {name}: a trace has time,key,size and may have cost_ns,stage,run,answered")
            })
        };
        Ok(Self {
            time: need("time")?,
            key: need("key")?,
            size: need("size")?,
            cost: find("cost_ns"),
            stage: find("stage"),
            run: find("run"),
            answered: find("answered"),
        })
    }

    fn read(&self, record: &csv::ByteRecord) -> Result<Asked, String> {
        let text = |index: usize| {
            let cell = record.get(index).unwrap_or_default();
            std::str::from_utf8(cell).map_err(|_| "a cell that is not UTF-8".to_owned())
        };
        let number = |index: usize, name: &str| {
            let text = text(index)?;
            text.parse::<u64>()
                .map_err(|_| format!("{name} is {:?}, which is no whole number", short(text)))
        };
        Ok(Asked {
            tick: number(self.time, "time")?,
            key: number(self.key, "key")?,
            size: number(self.size, "size")?,
            cost_ns: self.cost.map_or(Ok(0), |cost| number(cost, "cost_ns"))?,
            stage: self
                .stage
                .map_or(Ok(None), |stage| text(stage).and_then(stage_named))?,
            run: self.run.map_or(Ok(0), |run| {
                let run = number(run, "run")?;
                u32::try_from(run).map_err(|_| format!("run is {run}, more than there can be"))
            })?,
            answered: self.answered.map_or(Ok(Answered::Unknown), |answered| {
                text(answered).and_then(Answered::named)
            })?,
        })
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Our words, and those of older traces.
fn stage_named(name: &str) -> Result<Option<CacheName>, String> {
    Ok(Some(match name {
        "" => return Ok(None),
        "layout" => CacheName::Coordinates,
        "lut" => CacheName::Colors,
        "meta" => CacheName::Metadata,
        "svgz" | "png" => CacheName::Artifacts,
        name => CacheName::from_word(name).ok_or_else(|| {
            format!(
                "stage is {:?}: write coordinates, colors, metadata or artifacts",
                short(name)
            )
        })?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Asked>, String> {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("t.csv");
        std::fs::write(&path, text).expect("a file");
        read_trace(&path).map_err(|error| {
            error
                .to_string()
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .to_owned()
        })
    }

    #[test]
    fn traces_are_read_with_and_without_costs() {
        let short = read("time,key,size\n0,7,1\n").expect("read");
        assert_eq!(
            (short[0].key, short[0].cost_ns, short[0].stage),
            (7, 0, None)
        );
        let long =
            "time,key,size,cost_ns,stage,run,answered\n3,1,2,9,lut,,\n4,1,2,9,artifacts,2,store\n";
        let long = read(&long.replace("lut,,", "lut,1,")).expect("read");
        assert_eq!((long[0].run, long[0].answered), (1, Answered::Unknown));
        assert_eq!((long[1].run, long[1].answered), (2, Answered::Store));
        assert_eq!(long[0].stage, Some(CacheName::Colors));
        assert_eq!(
            (long[1].tick, long[1].stage),
            (4, Some(CacheName::Artifacts))
        );
    }

    #[test]
    fn a_trace_that_is_no_file_or_has_no_lines_is_refused_before_memory_is_filled() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("t.csv");
        let file = std::fs::File::create(&path).expect("a file");
        file.set_len(32 << 30).expect("it is sparse");
        let refused = || {
            let error = read_trace(&path).expect_err("refused");
            crate::render::with_causes(&error)
        };
        assert!(refused().contains("a line is longer than"), "{}", refused());
        std::fs::remove_file(&path).expect("removed");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).expect("a FIFO");
        assert!(refused().contains("is a FIFO"), "{}", refused());
    }

    #[test]
    fn a_row_that_is_wrong_is_named_with_its_line() {
        for (text, expected) in [
            (
                "time,size\n",
                "t.csv, line 1: there is no column key: a trace has time,key,size and may have cost_ns,stage,run,answered",
            ),
            (
                "time,key,size\n0,1,1\n0,-1,1\n",
                "t.csv, line 3: key is \"-1\", which is no whole number",
            ),
            (
                "time,key,size\n5,1,1\n4,1,1\n",
                "t.csv, line 3: the time falls from 5 to 4",
            ),
            (
                "time,key,size\n5,1\n",
                "t.csv, line 2: 2 cells in place of 3",
            ),
            (
                "time,key,size,stage\n5,1,1,tea\n",
                "t.csv, line 2: stage is \"tea\": write coordinates, colors, metadata or artifacts",
            ),
            (
                "time,key,size,run\n5,1,1,4294967296\n",
                "t.csv, line 2: run is 4294967296, more than there can be",
            ),
            (
                "time,key,size,answered\n5,1,1,me\n",
                "t.csv, line 2: answered is \"me\": write computed, memory, store or output",
            ),
        ] {
            assert_eq!(read(text), Err(expected.to_owned()));
        }
    }
}
