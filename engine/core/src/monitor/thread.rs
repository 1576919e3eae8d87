//! The spans that a thread has open, as a stack, and what it has not handed in.
//!
//! A stack of our own, because the extensions of a registry cost a lock and an allocation each span.

use std::{
    cell::RefCell,
    fmt::{self, Write as _},
    sync::{Arc, Mutex, atomic::Ordering},
    time::Instant,
};

use tracing::{
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use super::{Closed, Shared, lock, notable::SlowOperation, trace};

/// Spans in a buffer before it is handed in.
const HAND_IN: usize = 256;
/// Bytes of events in a buffer before they are written.
const EVENT_BYTES: usize = 64 << 10;
/// Longer names are cut: they come from tables and plugins.
const LONGEST: usize = 200;

/// What a thread closed and has not handed in.
#[derive(Default)]
pub(super) struct Buffer {
    pub(super) closed: Vec<Closed>,
    /// Events of the timeline, as lines of JSON.
    pub(super) events: Vec<u8>,
}

impl Buffer {
    pub(super) fn is_full(&self) -> bool {
        self.closed.len() >= HAND_IN || self.events.len() >= EVENT_BYTES
    }
}

/// Fields that are known; others are passed over.
#[derive(Default)]
pub(super) struct Fields {
    /// What it is done for: a plugin, a format.
    pub(super) of: String,
    pub(super) map: String,
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

impl Fields {
    fn clear(&mut self) {
        self.of.clear();
        self.map.clear();
        (self.rows, self.bytes) = (0, 0);
    }
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "rows" => self.rows = value,
            "bytes" => self.bytes = value,
            _ => {}
        }
    }

    /// What a literal number is.
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record_u64(field, u64::try_from(value).unwrap_or(0));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = match field.name() {
            "plugin" | "format" | "what" => &mut self.of,
            "map" => &mut self.map,
            _ => return,
        };
        text.clear();
        // Writing into a String cannot fail.
        let _ = write!(text, "{value:?}");
        if text.len() > LONGEST {
            text.truncate(text.floor_char_boundary(LONGEST));
            text.push('…');
        }
    }
}

struct Open {
    id: u64,
    name: &'static str,
    start: Instant,
    fields: Fields,
    /// Time of the spans inside, in nanoseconds.
    inner_ns: u64,
    /// Time of the slow ones among them.
    slow_ns: u64,
    /// Memory when it began, in bytes.
    memory: u64,
}

/// What a thread knows for one monitor.
struct Local {
    monitor: u64,
    thread: u64,
    /// The first `depth` are open; the others are kept for their strings.
    stack: Vec<Open>,
    depth: usize,
    keys: Vec<(&'static str, String, u16)>,
    buffer: Arc<Mutex<Buffer>>,
}

thread_local! {
    /// One a monitor; only tests have several.
    static LOCALS: RefCell<Vec<Local>> = const { RefCell::new(Vec::new()) };
}

/// Calls with what this thread knows. A thread that is ending, or a span that is opened while another
/// one is, cannot be noted and is not.
fn with_local<T>(shared: &Shared, work: impl FnOnce(&mut Local) -> T) -> Option<T> {
    let find = |locals: &RefCell<Vec<Local>>| {
        let mut locals = locals.try_borrow_mut().ok()?;
        let found = locals
            .iter()
            .position(|local| local.monitor == shared.number);
        let at = found.unwrap_or_else(|| {
            // Whoever alone knows a buffer belongs to a monitor that is gone.
            locals.retain(|local| Arc::strong_count(&local.buffer) > 1);
            locals.push(Local::new(shared));
            locals.len() - 1
        });
        Some(work(&mut locals[at]))
    };
    LOCALS.try_with(find).ok().flatten()
}

pub(super) fn open(shared: &Shared, attributes: &Attributes<'_>, id: &Id) {
    with_local(shared, |local| {
        if local.depth == local.stack.len() {
            local.stack.push(Open::new());
        }
        let open = &mut local.stack[local.depth];
        local.depth += 1;
        (open.id, open.name) = (id.into_u64(), attributes.metadata().name());
        (open.inner_ns, open.slow_ns) = (0, 0);
        open.memory = shared.memory.current();
        open.fields.clear();
        attributes.record(&mut open.fields);
        open.start = Instant::now();
    });
}

pub(super) fn record(shared: &Shared, values: &Record<'_>, id: &Id) {
    with_local(shared, |local| {
        let open = &mut local.stack[..local.depth];
        if let Some(open) = open.iter_mut().rfind(|open| open.id == id.into_u64()) {
            values.record(&mut open.fields);
        }
    });
}

pub(super) fn close(shared: &Shared, id: &Id) {
    let end = Instant::now();
    with_local(shared, |local| {
        let open = &local.stack[..local.depth];
        // What lies above it was never closed, and never will be in its time.
        if let Some(at) = open.iter().rposition(|open| open.id == id.into_u64()) {
            local.depth = at;
            local.closed(shared, end);
        }
    });
}

impl Open {
    fn new() -> Self {
        Self {
            id: 0,
            name: "",
            start: Instant::now(),
            fields: Fields::default(),
            inner_ns: 0,
            slow_ns: 0,
            memory: 0,
        }
    }
}

impl Local {
    fn new(shared: &Shared) -> Self {
        let buffer = Arc::<Mutex<Buffer>>::default();
        let thread = shared.next_thread.fetch_add(1, Ordering::Relaxed);
        if shared.trace.is_some() {
            trace::thread_name(&mut lock(&buffer).events, thread);
        }
        lock(&shared.buffers).push(Arc::clone(&buffer));
        Self {
            monitor: shared.number,
            thread,
            stack: Vec::new(),
            depth: 0,
            keys: Vec::new(),
            buffer,
        }
    }

    /// Notes the span that was just taken off the stack.
    fn closed(&mut self, shared: &Shared, end: Instant) {
        let (below, rest) = self.stack.split_at_mut(self.depth);
        let open = &rest[0];
        // 2^64 ns are 584 years.
        let ns = end.saturating_duration_since(open.start).as_nanos() as u64;
        let map = match open.fields.map.as_str() {
            "" => below
                .iter()
                .rev()
                .map(|open| open.fields.map.as_str())
                .find(|map| !map.is_empty()),
            map => Some(map),
        };
        if open.name == "map" {
            shared.notable.map(&open.fields.map, ns);
        }
        let slow = shared.notable.is_slow(open.name, ns);
        if slow && !is_blamed_inside(ns, open.slow_ns) {
            shared.notable.add(SlowOperation {
                name: open.name.to_owned(),
                of: open.fields.of.clone(),
                map: map.unwrap_or_default().to_owned(),
                start: open.start.saturating_duration_since(shared.start),
                time: std::time::Duration::from_nanos(ns),
                very_slow: shared.notable.is_very_slow(ns),
            });
        }
        if let Some(trace) = &shared.trace {
            let event = trace::Span {
                name: open.name,
                thread: self.thread,
                start: open.start.saturating_duration_since(shared.start),
                ns,
                map,
                fields: &open.fields,
            };
            trace.note(
                &mut lock(&self.buffer).events,
                &event,
                shared.memory.current(),
            );
        }
        if let Some(parent) = below.last_mut() {
            parent.inner_ns += ns;
            parent.slow_ns += if slow { ns } else { open.slow_ns };
        }
        let closed = Closed {
            key: key(&mut self.keys, shared, open),
            ns,
            own_ns: ns.saturating_sub(open.inner_ns),
            rows: open.fields.rows,
            bytes: open.fields.bytes,
            memory: shared.memory.current() as i64 - open.memory as i64,
        };
        shared.note(&self.buffer, closed);
    }
}

/// Whether more than half of a time is that of slow operations inside: those alone are told then.
pub(super) const fn is_blamed_inside(ns: u64, slow_inside_ns: u64) -> bool {
    slow_inside_ns > ns / 2
}

/// The number of a span's key, remembered by each thread.
fn key(known: &mut Vec<(&'static str, String, u16)>, shared: &Shared, open: &Open) -> u16 {
    let of = &open.fields.of;
    let found = known
        .iter()
        .find(|(name, by, _)| std::ptr::eq(*name, open.name) && by == of);
    if let Some((_, _, key)) = found {
        return *key;
    }
    let key = lock(&shared.tally).key(open.name, of);
    // What has no key of its own is not remembered either, so this is bounded as the keys are.
    if key != super::figures::OTHER_KEY {
        known.push((open.name, of.clone(), key));
    }
    key
}
