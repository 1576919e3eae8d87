//! What the host lends to plugins: their events become the host's, inside its current span.

use std::panic::{AssertUnwindSafe, catch_unwind};

use eyemap_abi::{HostApi, LogLevel, LogRecord, abi_stable::std_types::RStr};
use tracing::{Level, enabled};

/// Target of every event that a plugin logs: `EYEMAP_LOG=eyemap::plugin=debug` shows them.
pub(crate) const TARGET: &str = "eyemap::plugin";

/// The functions that go into a plugin.
pub(crate) const API: HostApi = HostApi { max_level, log };

/// The level at which somebody listens to plugins: those who want spans of the engine do not count.
extern "C" fn max_level(_plugin: RStr<'_>) -> LogLevel {
    if enabled!(target: TARGET, Level::TRACE) {
        LogLevel::Trace
    } else if enabled!(target: TARGET, Level::DEBUG) {
        LogLevel::Debug
    } else if enabled!(target: TARGET, Level::INFO) {
        LogLevel::Info
    } else if enabled!(target: TARGET, Level::WARN) {
        LogLevel::Warn
    } else if enabled!(target: TARGET, Level::ERROR) {
        LogLevel::Error
    } else {
        LogLevel::Off
    }
}

extern "C" fn log(record: &LogRecord<'_>) {
    // A subscriber that panics must not unwind into the plugin.
    let _ = catch_unwind(AssertUnwindSafe(|| emit(record)));
}

/// `tracing` wants its metadata to be constants, so there is one call a level.
macro_rules! emit_at {
    ($level:expr, $record:ident) => {
        if enabled!(target: TARGET, $level) {
            let fields = fields($record);
            tracing::event!(
                target: TARGET, $level,
                plugin = $record.plugin.as_str(),
                at = %format_args!("{}:{}", $record.file, $record.line),
                "{}{fields}", $record.message.as_str(),
            );
        }
    };
}

fn emit(record: &LogRecord<'_>) {
    match record.level {
        LogLevel::Off => {}
        LogLevel::Error => emit_at!(Level::ERROR, record),
        LogLevel::Warn => emit_at!(Level::WARN, record),
        LogLevel::Info => emit_at!(Level::INFO, record),
        LogLevel::Debug => emit_at!(Level::DEBUG, record),
        LogLevel::Trace => emit_at!(Level::TRACE, record),
    }
}

fn fields(record: &LogRecord<'_>) -> String {
    record
        .fields
        .iter()
        .map(|pair| format!(" {}={}", pair.0, pair.1))
        .collect()
}
