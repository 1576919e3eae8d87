//! Forwards the plugin's `tracing` events to the host.
//!
//! Events only: spans of a plugin are accepted and ignored, as the host has its own span around each
//! call and an event reaches it on the same thread.

use std::{
    fmt::Write as _,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use eyemap_abi::{
    HostApi, LogLevel, LogRecord,
    abi_stable::std_types::{RSlice, RStr, Tuple2},
};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::Interest,
};

struct Forward {
    host: HostApi,
    plugin: &'static str,
    next_span: AtomicU64,
}

/// Sends what this plugin logs to `host` from now on. A second call changes nothing.
pub(crate) fn forward_to(host: HostApi, plugin: &'static str) {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let next_span = AtomicU64::new(1);
        let forward = Forward {
            host,
            plugin,
            next_span,
        };
        // Fails when the plugin's author installed a subscriber first; theirs then stays.
        let _ = tracing::subscriber::set_global_default(forward);
    });
}

const fn level_of(level: &Level) -> LogLevel {
    match *level {
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warn,
        Level::INFO => LogLevel::Info,
        Level::DEBUG => LogLevel::Debug,
        Level::TRACE => LogLevel::Trace,
    }
}

impl Forward {
    fn max_level(&self) -> LogLevel {
        (self.host.max_level)(RStr::from_str(self.plugin))
    }
}

impl Subscriber for Forward {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && level_of(metadata.level()) <= self.max_level()
    }

    /// The host may change its level at any time, so that no answer may be kept.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.is_event() {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(self.next_span.fetch_add(1, Ordering::Relaxed).max(1))
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let fields: Vec<_> = text
            .fields
            .iter()
            .map(|(name, value)| Tuple2(RStr::from_str(name), RStr::from_str(value)))
            .collect();
        let metadata = event.metadata();
        (self.host.log)(&LogRecord {
            level: level_of(metadata.level()),
            plugin: RStr::from_str(self.plugin),
            target: RStr::from_str(metadata.target()),
            message: RStr::from_str(&text.message),
            fields: RSlice::from_slice(&fields),
            file: RStr::from_str(metadata.file().unwrap_or_default()),
            line: metadata.line().unwrap_or_default(),
        });
    }
}

#[derive(Default)]
struct Text {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            // Writing into a String cannot fail; a Debug that does leaves what it wrote.
            let _ = write!(self.message, "{value:?}");
        } else {
            self.fields.push((field.name(), format!("{value:?}")));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else {
            self.fields.push((field.name(), value.to_owned()));
        }
    }
}
