//! Logging to standard error: `EYEMAP_LOG` sets the level (`info`, `debug`, `eyemap::plugin=trace`).

use std::io::IsTerminal as _;

use eyemap_engine::monitor::Monitor;
use tracing_subscriber::{
    EnvFilter, Layer as _, Registry, filter::LevelFilter, fmt::format::FmtSpan,
    layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// Starts logging, and a monitor beside it, which sees its spans whatever is logged. Without
/// `EYEMAP_LOG` only errors of plugins and of the engine are shown.
pub(crate) fn start(json: bool, monitor: Option<&Monitor>) {
    let filter = EnvFilter::try_from_env("EYEMAP_LOG").unwrap_or_else(|_| EnvFilter::new("error"));
    let spans = match filter.max_level_hint() {
        Some(level) if level >= LevelFilter::TRACE => FmtSpan::CLOSE,
        _ => FmtSpan::NONE,
    };
    let terminal = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt::layer()
        .with_span_events(spans)
        .with_writer(std::io::stderr)
        .with_ansi(terminal && !json)
        // A log that nobody reads any more ends no run.
        .log_internal_errors(false);
    Registry::default()
        .with(lines.with_filter(filter))
        .with(monitor.map(Monitor::layer))
        .init();
}
