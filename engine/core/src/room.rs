//! Memory that is given to work before it begins, so that a limit is kept and not only noticed.
//!
//! What is there when a run begins is measured, what each piece of work will hold is predicted from what is
//! known of it without doing it: sizes in the heads of files, numbers of columns and layers, formats. No
//! more threads are started than fit, a piece waits until what it will hold is free, and where not even one
//! fits the run is refused with the limit that would do. Nothing here frees or measures anything while work
//! goes on; [`crate::governor`] does.

use std::{
    collections::BTreeMap,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;

/// The phase in which tables are read.
pub const READING: &str = "reading";
/// The phase in which maps are drawn.
pub const DRAWING: &str = "drawing";

/// What a thread holds beside its work: its stack, and pages that the allocator keeps for it.
pub(crate) const THREAD_BYTES: u64 = 1 << 20;

/// Code and tables that are touched for the first time after the run has begun.
const LATER_BYTES: u64 = 5 << 20;

/// By this much resident memory may differ when the same run begins once more.
const DIFFERS_BYTES: u64 = 2 << 20;

/// A waiting thread looks this often whether there is anything left to wait for.
const LOOKS_APART: Duration = Duration::from_millis(20);

/// Memory for work. By default there is no limit.
#[derive(Debug, Default)]
pub struct Room {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// None without a limit.
    limit: Option<Limit>,
    /// What outlasts the work, by what it is, such as rows that were read.
    held: BTreeMap<&'static str, u64>,
    given: u64,
    pieces: usize,
    phases: Vec<Phase>,
}

#[derive(Debug, Clone, Copy)]
struct Limit {
    /// As it is configured.
    bytes: u64,
    /// The part of it that is given away.
    share: f64,
    /// What is there without any work.
    base: u64,
}

/// Rows and values of a table are held in at most this part of the limit.
const HELD_SHARE: f64 = 3.0 / 16.0;

impl Limit {
    /// The limit under which this much fits, and with it what would be held besides: all of `growth`, or
    /// the part of the limit that it may take.
    fn enough(&self, bytes: u64, growth: u64) -> u64 {
        let all = bytes.saturating_add(growth) as f64 / self.share;
        let most = bytes as f64 / (self.share - HELD_SHARE).max(0.1);
        all.min(most) as u64
    }
}

/// What was predicted for a part of a run, and what it took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Phase {
    /// [`READING`] or [`DRAWING`].
    pub name: &'static str,
    /// Threads that were started for it.
    pub threads: usize,
    /// The most that was given away at a time, with what was there before, in bytes.
    pub predicted_bytes: u64,
    /// The largest sample of resident memory while it went on, in bytes.
    pub used_bytes: u64,
}

/// Why a run is refused before it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{doing} takes {} MB of memory on one thread, more than fit in the {} MB of [memory] limit", mega(*.needed), .limit / 1_000_000)]
pub struct TooLittle {
    /// What would be done.
    pub doing: &'static str,
    /// A limit that would do for it, in bytes: the smallest, and what runs differ by.
    pub needed: u64,
    /// The limit, in bytes.
    pub limit: u64,
}

impl TooLittle {
    /// What to do about it.
    pub fn help(&self) -> String {
        let needed = mega(self.needed);
        let less = match self.doing {
            // What maps hold is not known before their columns are.
            READING => {
                "write the table in smaller row groups or record batches; drawing may ask for more"
            }
            _ => "take less: a smaller --scale, fewer formats, a smaller `stream_above`",
        };
        format!("write limit = \"{needed} MB\" or more into [memory], or {less}")
    }
}

const fn mega(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}

/// What pieces of work hold, each on one thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pieces {
    /// Bytes of the smallest.
    pub(crate) least: u64,
    /// Bytes of the largest.
    pub(crate) most: u64,
    /// Bytes that are not held now and would be if there were more room.
    pub(crate) growth: u64,
}

impl Pieces {
    /// Of what each piece holds; none if there is no piece.
    pub(crate) fn of(bytes: impl Iterator<Item = u64>) -> Self {
        let all = bytes.fold((u64::MAX, 0), |(least, most), bytes| {
            (bytes.min(least), bytes.max(most))
        });
        Self {
            least: all.0.min(all.1),
            most: all.1,
            growth: 0,
        }
    }
}

impl State {
    /// What may still be given away.
    fn free(&self) -> u64 {
        let Some(limit) = self.limit else {
            return u64::MAX;
        };
        let all = (limit.bytes as f64 * limit.share) as u64;
        all.saturating_sub(limit.base)
            .saturating_sub(self.held())
            .saturating_sub(self.given)
    }

    fn held(&self) -> u64 {
        self.held.values().copied().fold(0, u64::saturating_add)
    }

    fn predicted(&self) -> u64 {
        let base = self.limit.map_or(0, |limit| limit.base);
        base.saturating_add(self.held()).saturating_add(self.given)
    }

    fn note_prediction(&mut self) {
        let predicted = self.predicted();
        if let Some(phase) = self.phases.last_mut() {
            phase.predicted_bytes = phase.predicted_bytes.max(predicted);
        }
    }
}

impl Room {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives away this share of a limit, less the resident memory that is there before any work.
    pub fn limit_to(&self, bytes: u64, share: f64, resident: u64) {
        self.state().limit = Some(Limit {
            bytes,
            share,
            base: resident + LATER_BYTES,
        });
    }

    /// What may still be given away, in bytes.
    pub(crate) fn free(&self) -> u64 {
        self.state().free()
    }

    /// Takes room for what outlasts the work, in place of what was held of it before.
    pub(crate) fn hold(&self, what: &'static str, bytes: u64) {
        let mut state = self.state();
        state.held.insert(what, bytes);
        state.note_prediction();
        self.freed.notify_all();
    }

    /// How many threads fit, of those that are wanted, if each holds this much beside its stack.
    pub(crate) fn threads(&self, wanted: usize, each: u64) -> usize {
        let fit = self.free() / (each.saturating_add(THREAD_BYTES));
        usize::try_from(fit)
            .unwrap_or(usize::MAX)
            .clamp(1, wanted.max(1))
    }

    /// Begins a part of a run and says how many threads fit, of those that are wanted.
    ///
    /// # Errors
    /// When the largest piece does not fit on one thread.
    pub(crate) fn begin(
        &self,
        doing: &'static str,
        wanted: usize,
        pieces: Pieces,
    ) -> Result<usize, TooLittle> {
        let threads = self.threads(wanted, pieces.least);
        let mut state = self.state();
        let one = pieces.most.saturating_add(THREAD_BYTES);
        if let Some(limit) = state.limit.filter(|_| one > state.free()) {
            let now = limit.base.saturating_add(state.held());
            let all = now.saturating_add(one).saturating_add(DIFFERS_BYTES);
            return Err(TooLittle {
                doing,
                needed: limit.enough(all, pieces.growth),
                limit: limit.bytes,
            });
        }
        state.phases.push(Phase {
            name: doing,
            threads,
            predicted_bytes: 0,
            used_bytes: 0,
        });
        state.note_prediction();
        Ok(threads)
    }

    /// Waits until a piece of work fits beside what others hold, and gives it its room; at once where
    /// nobody holds any, and none if there is nothing left to wait for.
    pub(crate) fn admit(&self, bytes: u64, goes_on: impl Fn() -> bool) -> Option<Given<'_>> {
        let bytes = bytes.saturating_add(THREAD_BYTES);
        let mut state = self.state();
        while state.pieces > 0 && state.free() < bytes {
            let waited = self.freed.wait_timeout(state, LOOKS_APART);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if !goes_on() {
                return None;
            }
        }
        state.given = state.given.saturating_add(bytes);
        state.pieces += 1;
        state.note_prediction();
        Some(Given { room: self, bytes })
    }

    /// Notes a sample of resident memory.
    pub(crate) fn note_used(&self, bytes: u64) {
        if let Some(phase) = self.state().phases.last_mut() {
            phase.used_bytes = phase.used_bytes.max(bytes);
        }
    }

    /// What was predicted, and what it took; nothing without a limit.
    pub fn phases(&self) -> Vec<Phase> {
        let state = self.state();
        let limited = state.limit.is_some();
        state.phases.iter().filter(|_| limited).cloned().collect()
    }
}

/// Room for a piece of work; free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Given<'a> {
    room: &'a Room,
    bytes: u64,
}

impl Drop for Given<'_> {
    fn drop(&mut self) {
        let mut state = self.room.state();
        state.given = state.given.saturating_sub(self.bytes);
        state.pieces -= 1;
        self.room.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const MEGA: u64 = 1_000_000;

    /// Room of 40 MB: nine tenths of 100, less 45 that are there and what comes later.
    fn room() -> Room {
        let room = Room::default();
        room.limit_to(100 * MEGA, 0.9, 50 * MEGA - LATER_BYTES);
        assert_eq!(room.free(), 40 * MEGA);
        room
    }

    fn alike(bytes: u64) -> Pieces {
        Pieces {
            least: bytes - THREAD_BYTES,
            most: bytes - THREAD_BYTES,
            growth: 0,
        }
    }

    #[test]
    fn as_many_threads_are_started_as_fit() {
        let room = room();
        let threads = |wanted, each| room.begin("drawing", wanted, alike(each * MEGA));
        assert_eq!(threads(2, 10), Ok(2));
        assert_eq!(threads(256, 10), Ok(4));
        assert_eq!(threads(256, 40), Ok(1));
        assert_eq!(
            Room::default().begin("drawing", 256, alike(1 << 40)),
            Ok(256)
        );
    }

    #[test]
    fn work_that_never_fits_is_refused_with_a_limit_that_would_do() {
        let refused = room()
            .begin("drawing", 8, alike(50 * MEGA))
            .expect_err("too much");
        assert!(
            refused.needed > 113 * MEGA && refused.needed < 114 * MEGA,
            "{refused:?}"
        );
        let enough = Room::default();
        enough.limit_to(mega(refused.needed) * MEGA, 0.9, 50 * MEGA - LATER_BYTES);
        assert_eq!(enough.begin("drawing", 8, alike(50 * MEGA)), Ok(1));
        assert!(
            refused.help().contains("limit = \"114 MB\""),
            "{}",
            refused.help()
        );
    }

    #[test]
    fn what_is_held_is_not_given_away() {
        let room = room();
        room.hold("rows", 20 * MEGA);
        room.hold("rows", 10 * MEGA);
        room.hold("values", 20 * MEGA);
        assert_eq!(room.free(), 10 * MEGA);
        room.hold("rows", 0);
        assert_eq!(room.free(), 20 * MEGA);
    }

    #[test]
    fn pieces_at_work_never_hold_more_than_there_is() {
        let room = room();
        room.begin("drawing", 8, alike(10 * MEGA)).expect("room");
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        crate::work::map_in_order(8, 40, |_| {
            let given = room.admit(10 * MEGA - THREAD_BYTES, || true);
            let others = now.fetch_add(1, Ordering::SeqCst);
            most.fetch_max(others + 1, Ordering::SeqCst);
            std::thread::yield_now();
            now.fetch_sub(1, Ordering::SeqCst);
            drop(given);
        });
        assert!((1..=4).contains(&most.into_inner()));
        assert_eq!(room.free(), 40 * MEGA);
        let phases = room.phases();
        assert!(phases[0].predicted_bytes <= 90 * MEGA, "{phases:?}");
    }

    #[test]
    fn a_piece_that_waits_goes_when_there_is_nothing_left_to_do() {
        let room = room();
        let all = room.admit(40 * MEGA, || true);
        assert!(room.admit(MEGA, || false).is_none());
        drop(all);
        assert!(room.admit(MEGA, || false).is_some());
    }
}
