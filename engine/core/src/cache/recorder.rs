//! Records what is asked of the caches: a [trace](super::read_trace) that grows from run to run.

use std::{
    collections::HashMap,
    io::{self, Read as _, Write},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Instant, SystemTime},
};

use flate2::{Compression, write::GzEncoder};

use super::{
    CacheName,
    memory::milliseconds,
    trace::{Answered, Asked, MAX_BYTES, TraceError, for_each_request, is_gz},
};
use crate::sink::{Pending, PendingWriter, state};

/// The columns of a recording.
const HEADER: &str = "time,key,size,cost_ns,stage,run,answered\n";

/// Notes requests, from many threads. They are added to what the file has when this is finished or
/// dropped; until then the file is as it was.
#[derive(Debug)]
pub struct Recorder {
    start: Instant,
    /// The time at the start, in ticks.
    first: u64,
    run: u32,
    path: PathBuf,
    /// The file that was there, as it looked.
    before: Option<Look>,
    state: Mutex<Recording>,
}

#[derive(Debug)]
struct Recording {
    /// None once it is finished.
    out: Option<Out>,
    rows: u64,
    /// Size and cost of what was asked for, by cache and key: who answers from memory or finds a map in
    /// its place knows neither.
    seen: HashMap<(CacheName, u64), (u64, u64)>,
    failure: Option<io::Error>,
}

#[derive(Debug)]
enum Out {
    Plain(PendingWriter),
    Gzip(GzEncoder<PendingWriter>),
}

impl Out {
    /// What was there, and room for more.
    fn after(path: &Path, before: Option<&Earlier>) -> io::Result<Self> {
        let mut file = Pending::begin_beside(path)?;
        if before.is_some() {
            io::copy(&mut state::open(path, MAX_BYTES)?, &mut file)?;
        }
        let mut out = match is_gz(path) {
            true => Self::Gzip(GzEncoder::new(file, Compression::default())),
            false => Self::Plain(file),
        };
        match before {
            None => out.writer().write_all(HEADER.as_bytes())?,
            // Somebody wrote its last line by hand; the next row is not a part of it.
            Some(before) if !before.ends_line => out.writer().write_all(b"\n")?,
            Some(_) => {}
        }
        Ok(out)
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Plain(file) => file,
            Self::Gzip(encoder) => encoder,
        }
    }

    fn finish(self) -> io::Result<Pending> {
        match self {
            Self::Plain(file) => file.finish(),
            Self::Gzip(encoder) => encoder.finish()?.finish(),
        }
    }
}

/// Length and time of change of a file.
type Look = (u64, Option<SystemTime>);

fn look(path: &Path) -> Option<Look> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.len(), found.modified().ok()))
}

/// Whether there is no file, or nothing in it.
fn is_nothing(look: Option<Look>) -> bool {
    look.is_none_or(|(len, _)| len == 0)
}

/// A request to be noted.
#[derive(Debug, Clone, Copy)]
pub struct Noted {
    /// Of which cache.
    pub cache: CacheName,
    /// The hash of its key.
    pub key: u64,
    /// Its weight in bytes, if it is known.
    pub size: Option<u64>,
    /// What computing it costs in nanoseconds, if it is known.
    pub cost_ns: Option<u64>,
    /// What answered.
    pub answered: Answered,
}

impl Recorder {
    /// Begins a recording, or goes on with one that is there. Its ending says its form: `.csv`, or
    /// `.csv.gz`.
    ///
    /// # Errors
    /// When the ending says neither, the directory cannot be written, or the file that is there is no
    /// recording.
    pub fn open(path: &Path) -> Result<Self, TraceError> {
        check_ending(path)?;
        // What a link leads to is written, not the link.
        let path = &path.canonicalize().unwrap_or_else(|_| path.into());
        let before = look(path);
        if before.is_some() {
            state::open(path, MAX_BYTES).map_err(|source| TraceError::Io {
                path: path.into(),
                source,
            })?;
        }
        let found = match is_nothing(before) {
            true => None,
            false => Some(Earlier::read(path)?),
        };
        let out = Out::after(path, found.as_ref()).map_err(|source| TraceError::Io {
            path: path.into(),
            source,
        })?;
        let found = found.unwrap_or_default();
        Ok(Self {
            start: Instant::now(),
            first: match found.last {
                Some(tick) => tick.saturating_add(since(before)),
                None => 0,
            },
            run: found.runs.saturating_add(1),
            path: path.into(),
            before,
            state: Mutex::new(Recording {
                out: Some(out),
                rows: 0,
                seen: found.seen,
                failure: None,
            }),
        })
    }

    /// Notes a request. What is not known of it is what was noted of its key before, or 0. What cannot be
    /// written is told by [`Self::finish`].
    pub fn note(&self, noted: Noted) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Recording {
            out: Some(out),
            rows,
            seen,
            failure,
        } = &mut *state
        else {
            return;
        };
        let facts = seen.entry((noted.cache, noted.key)).or_default();
        facts.0 = noted.size.unwrap_or(facts.0);
        facts.1 = noted.cost_ns.unwrap_or(facts.1);
        // Read under the lock, so that the time never falls.
        let time = self
            .first
            .saturating_add(milliseconds(self.start.elapsed()));
        let written = writeln!(
            out.writer(),
            "{time},{},{},{},{},{},{}",
            noted.key,
            facts.0,
            facts.1,
            noted.cache.word(),
            self.run,
            noted.answered.word()
        );
        *rows += 1;
        if let (Err(error), None) = (written, &failure) {
            *failure = Some(error);
        }
    }

    /// Puts the recording in its place.
    ///
    /// # Errors
    /// When a request or the file could not be written, or another run recorded into it meanwhile.
    pub fn finish(self) -> Result<(), TraceError> {
        self.close()
    }

    fn close(&self) -> Result<(), TraceError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A run that asked for nothing leaves the file as it was.
        let Some(out) = state.out.take().filter(|_| state.rows > 0) else {
            return Ok(());
        };
        if look(&self.path) != self.before {
            return Err(TraceError::Changed {
                path: self.path.clone(),
            });
        }
        let failure = state.failure.take();
        let publish = || {
            failure.map_or(Ok(()), Err)?;
            out.finish()?.publish().map(drop)
        };
        publish().map_err(|source| TraceError::Io {
            path: self.path.clone(),
            source,
        })
    }
}

impl Drop for Recorder {
    /// Also a run that failed has asked for something.
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::warn!(%error, "the recording is lost");
        }
    }
}

fn check_ending(path: &Path) -> Result<(), TraceError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.to_ascii_lowercase();
    match name.ends_with(".csv") || name.ends_with(".csv.gz") {
        true => Ok(()),
        false => Err(TraceError::Ending { path: path.into() }),
    }
}

/// What is known of the runs that were recorded before.
#[derive(Default)]
struct Earlier {
    /// The time of the last request.
    last: Option<u64>,
    runs: u32,
    /// Size and cost of each key, of the last request that knew them.
    seen: HashMap<(CacheName, u64), (u64, u64)>,
    ends_line: bool,
}

impl Earlier {
    fn read(path: &Path) -> Result<Self, TraceError> {
        let wrong = |source| TraceError::NoRecording {
            path: path.into(),
            source: Box::new(source),
        };
        let mut found = Self::default();
        let ends_line = for_each_request(path, |asked| found.add(&asked)).map_err(wrong)?;
        let head = head(path).map_err(|source| {
            wrong(TraceError::Io {
                path: path.into(),
                source,
            })
        })?;
        if head == HEADER.as_bytes() {
            return Ok(Self { ends_line, ..found });
        }
        let message = format!(
            "its columns are not those of a recording, {}",
            HEADER.trim_end()
        );
        Err(wrong(TraceError::Row {
            path: path.into(),
            line: 1,
            message,
        }))
    }

    fn add(&mut self, asked: &Asked) {
        self.last = Some(asked.tick);
        self.runs = self.runs.max(asked.run);
        let Some(cache) = asked.stage else { return };
        let facts = self.seen.entry((cache, asked.key)).or_default();
        let newer = |new: u64, old: u64| if new > 0 { new } else { old };
        *facts = (newer(asked.size, facts.0), newer(asked.cost_ns, facts.1));
    }
}

/// The first bytes of a trace, as many as a header has.
fn head(path: &Path) -> io::Result<Vec<u8>> {
    let file = state::open(path, MAX_BYTES)?;
    let mut head = Vec::new();
    let most = HEADER.len() as u64;
    match is_gz(path) {
        true => flate2::read::MultiGzDecoder::new(file)
            .take(most)
            .read_to_end(&mut head)?,
        false => file.take(most).read_to_end(&mut head)?,
    };
    Ok(head)
}

/// Milliseconds since a recording was written, at least 1.
fn since(look: Option<Look>) -> u64 {
    let written = look.and_then(|(_, changed)| changed);
    let since = written.map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
    milliseconds(since.unwrap_or_default()).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::read_trace;

    fn noted(key: u64, facts: Option<(u64, u64)>, answered: Answered) -> Noted {
        Noted {
            cache: CacheName::Artifacts,
            key,
            size: facts.map(|(size, _)| size),
            cost_ns: facts.map(|(_, cost_ns)| cost_ns),
            answered,
        }
    }

    fn record(path: &Path, requests: &[Noted]) -> Result<(), TraceError> {
        let recorder = Recorder::open(path)?;
        requests.iter().for_each(|&request| recorder.note(request));
        recorder.finish()
    }

    #[test]
    fn runs_are_recorded_one_after_the_other_in_the_form_that_the_ending_says() {
        let dir = tempfile::tempdir().expect("a directory");
        for name in ["t.csv", "t.csv.gz", "T.CSV.GZ"] {
            let path = dir.path().join(name);
            let first = noted(u64::MAX, Some((10, 20)), Answered::Computed);
            record(&path, &[first, noted(2, Some((5, 6)), Answered::Computed)]).expect(name);
            // It knows what the first run knew.
            record(&path, &[noted(u64::MAX, None, Answered::Output)]).expect(name);
            record(&path, &[]).expect(name);
            record(&path, &[noted(3, Some((7, 8)), Answered::Store)]).expect(name);
            let read = read_trace(&path).expect(name);
            let facts: Vec<_> = read
                .iter()
                .map(|asked| {
                    (
                        asked.key,
                        asked.size,
                        asked.cost_ns,
                        asked.run,
                        asked.answered,
                    )
                })
                .collect();
            assert_eq!(
                facts,
                [
                    (u64::MAX, 10, 20, 1, Answered::Computed),
                    (2, 5, 6, 1, Answered::Computed),
                    (u64::MAX, 10, 20, 2, Answered::Output),
                    (3, 7, 8, 3, Answered::Store),
                ],
                "{name}"
            );
            assert!(read.windows(2).all(|two| two[0].tick <= two[1].tick));
            let bytes = std::fs::read(&path).expect(name);
            assert_eq!(bytes.starts_with(&[0x1f, 0x8b]), is_gz(&path), "{name}");
            assert_eq!(
                bytes.starts_with(HEADER.as_bytes()),
                !is_gz(&path),
                "{name}"
            );
        }
        // Nothing is left beside them.
        assert_eq!(std::fs::read_dir(dir.path()).expect("listed").count(), 3);
    }

    #[test]
    fn a_file_that_is_no_recording_is_left_as_it_is() {
        let dir = tempfile::tempdir().expect("a directory");
        for (name, text) in [
            (
                "table.csv",
                "cell_type,region,side,hex1,hex2\nMi1,ME,R,1,1\n",
            ),
            ("other.csv", "time,key,size\n0,1,1\n"),
            (
                "more.csv",
                "time,key,size,cost_ns,stage,run,answered,why\n0,1,1,1,,1,,\n",
            ),
            ("half.csv.gz", "\u{1f}"),
            ("text.csv.gz", "time,key,size\n"),
        ] {
            let path = dir.path().join(name);
            std::fs::write(&path, text).expect("a file");
            let error = Recorder::open(&path).expect_err(name);
            assert!(matches!(error, TraceError::NoRecording { .. }), "{error}");
            assert!(error.to_string().contains(name), "{error}");
            assert_eq!(std::fs::read_to_string(&path).expect(name), text);
        }
        for name in ["t", "t.gz", "t.json", "csv"] {
            let path = dir.path().join(name);
            let error = Recorder::open(&path).expect_err(name);
            assert!(matches!(error, TraceError::Ending { .. }), "{error}");
            assert!(!path.exists());
        }
        let error = Recorder::open(&dir.path().join("none/t.csv")).expect_err("no directory");
        assert!(matches!(error, TraceError::Io { .. }), "{error}");
    }

    #[test]
    fn of_two_runs_at_a_time_one_says_that_it_is_not_in_the_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("t.csv.gz");
        let (one, other) = (Recorder::open(&path), Recorder::open(&path));
        let (one, other) = (one.expect("opened"), other.expect("opened"));
        one.note(noted(1, Some((1, 1)), Answered::Computed));
        other.note(noted(2, Some((1, 1)), Answered::Computed));
        one.finish().expect("finished");
        let error = other.finish().expect_err("another was quicker");
        assert!(matches!(error, TraceError::Changed { .. }), "{error}");
        assert_eq!(read_trace(&path).expect("read").len(), 1);
    }

    #[test]
    fn a_run_that_fails_is_recorded_and_one_that_asks_for_nothing_makes_no_file() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("t.csv");
        drop(Recorder::open(&path).expect("opened"));
        assert!(!path.exists());
        std::fs::write(&path, "").expect("an empty file");
        let recorder = Recorder::open(&path).expect("opened");
        recorder.note(noted(1, None, Answered::Output));
        drop(recorder);
        let read = read_trace(&path).expect("read");
        assert_eq!((read.len(), read[0].size, read[0].cost_ns), (1, 0, 0));
    }
}
