//! What was asked of the caches, as a table: `time,key,size,cost_ns,stage`, CSV or `.csv.gz`.
//!
//! `time` in ticks (milliseconds in a recording), never falling; `key` 64 bits; `size` in bytes;
//! `cost_ns` and `stage` may be missing.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Instant,
};

use flate2::{Compression, read::MultiGzDecoder, write::GzEncoder};

use super::{CacheName, memory::milliseconds};

/// One thing that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

/// More requests than a machine of today can hold.
const MAX_REQUESTS: usize = 500_000_000;

/// Reads a trace as a whole.
///
/// # Errors
/// When the file cannot be read, a column is missing, or a row is not as it should be.
pub fn read_trace(path: &Path) -> Result<Vec<Asked>, TraceError> {
    let io = |source| TraceError::Io {
        path: path.into(),
        source,
    };
    let file = BufReader::new(File::open(path).map_err(io)?);
    let gz = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    let input: Box<dyn Read> = if gz {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
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
    let (mut requests, mut record, mut last) = (Vec::new(), csv::ByteRecord::new(), 0);
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
        if requests.len() == MAX_REQUESTS {
            return Err(wrong(line, format!("more than {MAX_REQUESTS} requests")));
        }
        requests.push(asked);
    }
    Ok(requests)
}

/// Where each column is.
struct Columns {
    time: usize,
    key: usize,
    size: usize,
    cost: Option<usize>,
    stage: Option<usize>,
}

impl Columns {
    fn of(header: &csv::ByteRecord) -> Result<Self, String> {
        let find = |name: &str| header.iter().position(|cell| cell == name.as_bytes());
        let need = |name: &str| {
            find(name).ok_or_else(|| {
                format!("there is no column {name}: a trace has time,key,size and may have cost_ns,stage")
            })
        };
        Ok(Self {
            time: need("time")?,
            key: need("key")?,
            size: need("size")?,
            cost: find("cost_ns"),
            stage: find("stage"),
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

/// Records what is asked for, from many threads. Drop it to finish the file.
#[derive(Debug)]
pub struct Recorder {
    start: Instant,
    path: PathBuf,
    state: Mutex<Recording>,
}

#[derive(Debug)]
struct Recording {
    out: GzEncoder<BufWriter<File>>,
    /// Weight and cost of what was asked for, by cache and key: a hit knows neither.
    seen: HashMap<(CacheName, u64), (u64, u64)>,
    failure: Option<io::Error>,
}

impl Recorder {
    /// Starts a trace, over an old one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(path: &Path) -> Result<Self, TraceError> {
        let start = || {
            let file = BufWriter::new(File::create(path)?);
            let mut out = GzEncoder::new(file, Compression::default());
            out.write_all(b"time,key,size,cost_ns,stage\n")?;
            Ok(out)
        };
        let out = start().map_err(|source| TraceError::Io {
            path: path.into(),
            source,
        })?;
        Ok(Self {
            start: Instant::now(),
            path: path.into(),
            state: Mutex::new(Recording {
                out,
                seen: HashMap::new(),
                failure: None,
            }),
        })
    }

    /// Notes a request that was computed. What cannot be written is told by [`Self::finish`].
    pub fn note(&self, cache: CacheName, key: u64, size: u64, cost_ns: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seen.insert((cache, key), (size, cost_ns));
        self.write(&mut state, cache, key, (size, cost_ns));
    }

    /// Notes a request that was answered from a cache, with the weight and cost that it had when it
    /// was computed; one that was computed before the recording has a cost of 0.
    pub fn note_again(&self, cache: CacheName, key: u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let facts = state.seen.get(&(cache, key)).copied().unwrap_or_default();
        self.write(&mut state, cache, key, facts);
    }

    fn write(&self, state: &mut Recording, cache: CacheName, key: u64, (size, cost): (u64, u64)) {
        // Read under the lock, so that the time never falls.
        let time = milliseconds(self.start.elapsed());
        let written = writeln!(state.out, "{time},{key},{size},{cost},{}", cache.word());
        if let (Err(error), None) = (written, &state.failure) {
            state.failure = Some(error);
        }
    }

    /// Writes the end of the file.
    ///
    /// # Errors
    /// When a request or the end could not be written.
    pub fn finish(self) -> Result<(), TraceError> {
        let Recording { out, failure, .. } = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let finish = || {
            failure.map_or(Ok(()), Err)?;
            out.finish()?.flush()
        };
        finish().map_err(|source| TraceError::Io {
            path: self.path,
            source,
        })
    }
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
            read("time,key,size,cost_ns,stage\n3,1,2,9,lut\n4,1,2,9,artifacts\n").expect("read");
        assert_eq!(long[0].stage, Some(CacheName::Colors));
        assert_eq!(
            (long[1].tick, long[1].stage),
            (4, Some(CacheName::Artifacts))
        );
    }

    #[test]
    fn a_row_that_is_wrong_is_named_with_its_line() {
        for (text, expected) in [
            (
                "time,size\n",
                "t.csv, line 1: there is no column key: a trace has time,key,size and may have cost_ns,stage",
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
        ] {
            assert_eq!(read(text), Err(expected.to_owned()));
        }
    }

    #[test]
    fn a_recording_is_a_trace() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("t.csv.gz");
        let recorder = Recorder::create(&path).expect("created");
        recorder.note(CacheName::Metadata, u64::MAX, 10, 20);
        recorder.note(CacheName::Coordinates, 1, 2, 3);
        recorder.finish().expect("finished");
        let read = read_trace(&path).expect("read");
        assert_eq!(read.len(), 2);
        assert_eq!(
            (read[0].key, read[0].stage),
            (u64::MAX, Some(CacheName::Metadata))
        );
    }
}
