//! What the host lends to a plugin: a place to log to.
//!
//! Each dynamic library has its own copy of `std` and of `tracing`, so nothing that a plugin logs
//! would reach the host by itself. The SDK forwards every event through this table, on the thread
//! that called the plugin; the event therefore lands inside the host's current span.

use abi_stable::{
    StableAbi,
    std_types::{RSlice, RStr, Tuple2},
};

/// Severity of a [`LogRecord`], from the least to the most talkative.
#[repr(u8)]
#[derive(StableAbi, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Nothing is logged.
    Off = 0,
    /// Something failed.
    Error = 1,
    /// Something is suspicious.
    Warn = 2,
    /// What a user may want to know.
    Info = 3,
    /// What the plugin's author wants to know.
    Debug = 4,
    /// Everything.
    Trace = 5,
}

/// One event on its way to the host. All text is borrowed for the call.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct LogRecord<'a> {
    /// How severe it is.
    pub level: LogLevel,
    /// Id of the plugin that logs.
    pub plugin: RStr<'a>,
    /// The event's target, by default the module path.
    pub target: RStr<'a>,
    /// The formatted message.
    pub message: RStr<'a>,
    /// The event's other fields, as name and formatted value.
    pub fields: RSlice<'a, Tuple2<RStr<'a>, RStr<'a>>>,
    /// Source file, or empty.
    pub file: RStr<'a>,
    /// Source line, or 0.
    pub line: u32,
}

/// The functions that a host installs in a plugin before anything else is constructed.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct HostApi {
    /// The most talkative level that the host listens to, for this plugin's id.
    pub max_level: extern "C" fn(plugin: RStr<'_>) -> LogLevel,
    /// Takes one event. Never unwinds.
    pub log: extern "C" fn(record: &LogRecord<'_>),
}
