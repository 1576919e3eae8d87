//! Logging to standard error: `EYEMAP_LOG` sets the level (`info`, `debug`, `eyemap::plugin=trace`).

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

/// Starts logging. Without `EYEMAP_LOG` only errors of plugins and of the engine are shown.
pub(crate) fn start(json: bool) {
    let filter = EnvFilter::try_from_env("EYEMAP_LOG").unwrap_or_else(|_| EnvFilter::new("error"));
    let spans = match filter.max_level_hint() {
        Some(level) if level >= tracing_subscriber::filter::LevelFilter::TRACE => FmtSpan::CLOSE,
        _ => FmtSpan::NONE,
    };
    let terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(spans)
        .with_writer(std::io::stderr)
        .with_ansi(terminal && !json)
        .init();
}
