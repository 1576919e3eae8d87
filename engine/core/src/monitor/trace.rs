//! A timeline in the Chrome trace event format, for `chrome://tracing` and Perfetto.
//!
//! The file is a JSON array with an event a line that grows while the program runs: after each piece it is
//! closed, and the next piece is written over the end. Whenever a program ends by itself, well or with an
//! error, it is valid JSON. One that is killed in the middle of a write leaves whole lines, then perhaps a
//! part of one: the viewers take that, as the format allows a missing end. Nothing but the pieces that
//! threads have not handed in, at most 64 kB each, is held in memory.

use std::{
    fs::File,
    io::{self, Seek as _, SeekFrom, Write as _},
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{lock, thread::Fields};

/// A timeline ends after this many spans: about 2 GB.
pub const MAX_EVENTS: u64 = 10_000_000;

/// Time between two points of the memory's line, in nanoseconds.
const MEMORY_APART_NS: u64 = 20_000_000;
/// What closes the array.
const END: &[u8] = b"\n]\n";

/// A timeline that is being written.
#[derive(Debug)]
pub struct TraceFile {
    out: Mutex<Out>,
    events: AtomicU64,
    /// When memory was noted last, in nanoseconds from the start.
    memory_ns: AtomicU64,
    /// Nothing is noted any more: there is enough, or the disk refused.
    ended: AtomicBool,
    max_events: u64,
}

#[derive(Debug)]
struct Out {
    file: File,
    /// Where the next piece goes.
    at: u64,
    error: Option<io::Error>,
}

/// How the writing of a timeline went.
#[derive(Debug)]
pub struct Traced {
    /// Spans that it shows.
    pub events: u64,
    /// Whether it ends before the run does, because there were more than [`MAX_EVENTS`].
    pub cut: bool,
    /// Why it is not complete, if the disk refused.
    pub error: Option<io::Error>,
}

/// A span that was closed.
pub(super) struct Span<'a> {
    pub(super) name: &'static str,
    pub(super) thread: u64,
    pub(super) start: Duration,
    pub(super) ns: u64,
    pub(super) map: Option<&'a str>,
    pub(super) fields: &'a Fields,
}

impl TraceFile {
    /// Begins a file; one that is there is replaced.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        Self::with_limit(path, MAX_EVENTS)
    }

    pub(super) fn with_limit(path: &Path, max_events: u64) -> io::Result<Self> {
        let process = format!(
            "[\n{{\"ph\":\"M\",\"pid\":1,\"tid\":0,\"name\":\"process_name\",\"args\":{{\"name\":\"eyemap {}\"}}}}",
            env!("CARGO_PKG_VERSION")
        );
        let mut file = File::create(path)?;
        file.write_all(process.as_bytes())?;
        file.write_all(END)?;
        Ok(Self {
            out: Mutex::new(Out {
                file,
                at: process.len() as u64,
                error: None,
            }),
            events: AtomicU64::new(0),
            memory_ns: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            max_events,
        })
    }

    /// Adds a span, and now and then the memory of the process, to a thread's piece.
    pub(super) fn note(&self, piece: &mut Vec<u8>, span: &Span<'_>, memory: u64) {
        if self.ended.load(Ordering::Relaxed) {
            return;
        }
        if self.events.fetch_add(1, Ordering::Relaxed) >= self.max_events {
            if !self.ended.swap(true, Ordering::Relaxed) {
                last(piece, span, self.max_events);
            }
            return;
        }
        complete(piece, span);
        let end_ns = span.start.as_nanos() as u64 + span.ns;
        let noted = self.memory_ns.load(Ordering::Relaxed);
        let due = noted == 0 || end_ns > noted + MEMORY_APART_NS;
        let swap = |old, new| {
            self.memory_ns
                .compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed)
        };
        if due && swap(noted, end_ns).is_ok() {
            counter(piece, end_ns, memory);
        }
    }

    /// Writes a thread's piece and empties it. What the disk refuses is dropped and told in the end.
    pub(super) fn write(&self, piece: &mut Vec<u8>) {
        if !piece.is_empty() {
            let mut out = lock(&self.out);
            if out.error.is_none() {
                let written = out.append(piece);
                out.error = written.err();
                self.ended.fetch_or(out.error.is_some(), Ordering::Relaxed);
            }
        }
        piece.clear();
    }

    pub(super) fn finish(&self) -> Traced {
        let mut out = lock(&self.out);
        let events = self.events.load(Ordering::Relaxed);
        Traced {
            events: events.min(self.max_events),
            cut: events > self.max_events,
            error: out.error.take(),
        }
    }
}

impl Out {
    fn append(&mut self, piece: &mut Vec<u8>) -> io::Result<()> {
        let events = piece.len() as u64;
        piece.extend_from_slice(END);
        self.file.seek(SeekFrom::Start(self.at))?;
        if let Err(error) = self.file.write_all(piece) {
            // Cut off what was written of it, so that what is there can be read.
            self.file.set_len(self.at)?;
            self.file.seek(SeekFrom::Start(self.at))?;
            self.file.write_all(END)?;
            return Err(error);
        }
        self.at += events;
        Ok(())
    }
}

/// Names a thread.
pub(super) fn thread_name(piece: &mut Vec<u8>, thread: u64) {
    let current = std::thread::current();
    let name = current
        .name()
        .map_or_else(|| format!("worker {thread}"), str::to_owned);
    let _ = write!(
        piece,
        ",\n{{\"ph\":\"M\",\"pid\":1,\"tid\":{thread},\"name\":\"thread_name\",\"args\":{{\"name\":"
    );
    text(piece, &name);
    piece.extend_from_slice(b"}}");
}

// Writing into a Vec cannot fail.

fn complete(piece: &mut Vec<u8>, span: &Span<'_>) {
    let us = |ns: u128| (ns / 1000, ns % 1000);
    let (start, duration) = (us(span.start.as_nanos()), us(u128::from(span.ns)));
    piece.extend_from_slice(b",\n{\"ph\":\"X\",\"cat\":\"eyemap\",\"name\":");
    text(piece, span.name);
    let _ = write!(
        piece,
        ",\"pid\":1,\"tid\":{},\"ts\":{}.{:03},\"dur\":{}.{:03},\"args\":{{\"rows\":{},\"bytes\":{}",
        span.thread, start.0, start.1, duration.0, duration.1, span.fields.rows, span.fields.bytes
    );
    if !span.fields.of.is_empty() {
        piece.extend_from_slice(b",\"of\":");
        text(piece, &span.fields.of);
    }
    if let Some(map) = span.map {
        piece.extend_from_slice(b",\"map\":");
        text(piece, map);
    }
    piece.extend_from_slice(b"}}");
}

fn counter(piece: &mut Vec<u8>, at_ns: u64, memory: u64) {
    let _ = write!(
        piece,
        ",\n{{\"ph\":\"C\",\"pid\":1,\"tid\":0,\"name\":\"memory\",\"ts\":{}.{:03},\"args\":{{\"bytes\":{memory}}}}}",
        at_ns / 1000,
        at_ns % 1000
    );
}

fn last(piece: &mut Vec<u8>, span: &Span<'_>, events: u64) {
    let _ = write!(
        piece,
        ",\n{{\"ph\":\"i\",\"s\":\"g\",\"pid\":1,\"tid\":{},\"ts\":{},\"name\":\"the timeline ends here, after {events} spans\"}}",
        span.thread,
        span.start.as_micros()
    );
}

/// A text as JSON, whatever it holds.
fn text(piece: &mut Vec<u8>, text: &str) {
    let _ = serde_json::to_writer(piece, text);
}
