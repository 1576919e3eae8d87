//! What a contained plugin logs travels with the next answer.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU8, Ordering},
};

use eyemap_abi::{
    HostApi, LogLevel, LogRecord,
    abi_stable::std_types::{RSlice, RStr, Tuple2},
};
use serde::{Deserialize, Serialize};

use crate::wire;

/// Records that wait for the next answer; what comes after them is dropped.
const MAX_RECORDS: usize = 256;
/// Longest text of a record in bytes.
const MAX_TEXT: usize = 4096;

/// Fields of a record.
const MAX_FIELDS: usize = 32;
/// Longest list of records that is taken from a worker, in bytes.
pub(crate) const MAX_BYTES: u64 = 256 * 1024;

/// A record on its way.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    level: u8,
    target: String,
    message: String,
    fields: Vec<(String, String)>,
    file: String,
    line: u32,
}

impl Record {
    fn cleaned(&self) -> Self {
        let line = |text: &String| wire::line(text.as_bytes());
        let fields = self.fields.iter().take(MAX_FIELDS);
        Self {
            level: self.level,
            target: line(&self.target),
            message: line(&self.message),
            fields: fields
                .map(|(name, value)| (line(name), line(value)))
                .collect(),
            file: line(&self.file),
            line: self.line,
        }
    }

    /// Its texts as they are passed on.
    #[cfg(feature = "test-support")]
    pub(crate) fn words(&self) -> Vec<String> {
        let record = self.cleaned();
        let fields = record.fields.into_iter().flat_map(<[String; 2]>::from);
        let texts = [record.target, record.message, record.file];
        texts.into_iter().chain(fields).collect()
    }
}

static LEVEL: AtomicU8 = AtomicU8::new(0);
static WAITING: Mutex<Vec<Record>> = Mutex::new(Vec::new());

/// The functions that the worker lends to its plugin.
pub(crate) const API: HostApi = HostApi { max_level, log };

/// The level that the host told with its request.
pub(crate) fn listen(level: u8) {
    LEVEL.store(level, Ordering::Relaxed);
}

/// Takes what was logged since the last answer.
pub(crate) fn take() -> Vec<Record> {
    std::mem::take(&mut *WAITING.lock().unwrap_or_else(PoisonError::into_inner))
}

fn level(number: u8) -> LogLevel {
    match number {
        0 => LogLevel::Off,
        1 => LogLevel::Error,
        2 => LogLevel::Warn,
        3 => LogLevel::Info,
        4 => LogLevel::Debug,
        _ => LogLevel::Trace,
    }
}

extern "C" fn max_level(_plugin: RStr<'_>) -> LogLevel {
    level(LEVEL.load(Ordering::Relaxed))
}

extern "C" fn log(record: &LogRecord<'_>) {
    let text = |text: &RStr<'_>| {
        let bytes = text.as_bytes();
        String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_TEXT)]).into_owned()
    };
    let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
    if waiting.len() >= MAX_RECORDS {
        return;
    }
    waiting.push(Record {
        level: record.level as u8,
        target: text(&record.target),
        message: text(&record.message),
        fields: record
            .fields
            .iter()
            .take(MAX_FIELDS)
            .map(|pair| (text(&pair.0), text(&pair.1)))
            .collect(),
        file: text(&record.file),
        line: record.line,
    });
}

/// Hands records to the host's own function, on the thread that made the call. What they hold is a worker's
/// word: it is cut and cleaned here again, and what the host does not listen to is dropped.
pub(crate) fn replay(records: &[Record], plugin: &str, host: &HostApi) {
    let most = (host.max_level)(RStr::from_str(plugin)) as u8;
    let heard = records.iter().filter(|record| record.level <= most);
    for record in heard.take(MAX_RECORDS) {
        let record = &record.cleaned();
        let fields: Vec<_> = record
            .fields
            .iter()
            .map(|(name, value)| Tuple2(RStr::from_str(name), RStr::from_str(value)))
            .collect();
        (host.log)(&LogRecord {
            level: level(record.level),
            plugin: RStr::from_str(plugin),
            target: RStr::from_str(&record.target),
            message: RStr::from_str(&record.message),
            fields: RSlice::from_slice(&fields),
            file: RStr::from_str(&record.file),
            line: record.line,
        });
    }
}
