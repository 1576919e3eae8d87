//! Keeps the resident memory of the process below a limit.
//!
//! Before work begins, [`Room`] gives it what it is predicted to hold. Besides, a thread looks at the memory
//! every 20 ms. As it comes near the limit, first caches shrink, then
//! batches and buffers, then fewer threads work; once there is room again, all of it is taken back, and
//! caches never get more than they were configured with. Each step is told. What is freed goes back to the
//! system with the allocator of the program. A process that is above the limit and cannot shrink any
//! further is asked to end, with what to change, before the system would end it. Nothing here changes a
//! picture.

use std::{
    fmt,
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use crate::{
    config::MemoryConfig,
    memory::{MemoryWatch, SAMPLES_APART},
    pipeline::Memos,
    room::Room,
};

/// What work has to heed. Shared by all threads; each question is one atomic load.
#[derive(Debug)]
pub struct Pressure {
    /// What is given to work before it begins.
    pub room: Room,
    /// Batches are this many times halved.
    halvings: AtomicU32,
    /// Threads with this number or a higher one wait.
    threads: AtomicUsize,
    /// Memory above the limit, when nothing helped; 0 if that did not happen.
    exceeded: AtomicU64,
}

/// Batches are halved at most so often.
const MOST_HALVINGS: u32 = 4;

impl Default for Pressure {
    /// None.
    fn default() -> Self {
        Self {
            room: Room::default(),
            halvings: AtomicU32::new(0),
            threads: AtomicUsize::new(usize::MAX),
            exceeded: AtomicU64::new(0),
        }
    }
}

impl Pressure {
    /// How large a batch or buffer of `usual` may be now; never 0.
    pub fn shrunk(&self, usual: usize) -> usize {
        (usual >> self.halvings.load(Ordering::Relaxed)).max(1)
    }

    /// Waits while the thread with this number, from 0, is one too many and there is more to do. The
    /// first never waits.
    pub fn wait_for_turn(&self, number: usize, cancel: &AtomicBool, more: impl Fn() -> bool) {
        while number > 0
            && more()
            && number >= self.threads.load(Ordering::Relaxed)
            && !cancel.load(Ordering::Relaxed)
        {
            std::thread::sleep(SAMPLES_APART);
        }
    }

    /// Resident memory in bytes at which the governor gave up, if it did.
    pub fn exceeded(&self) -> Option<u64> {
        let bytes = self.exceeded.load(Ordering::Relaxed);
        (bytes > 0).then_some(bytes)
    }
}

/// What the governor did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Caches may hold so many bytes together from now on.
    Caches(u64),
    /// Batches and buffers are one part in so many of their usual size.
    Batches(u32),
    /// So many threads work.
    Threads(usize),
    /// Nothing is left to shrink; the run ends.
    GiveUp,
}

/// A step of the governor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Time since it began to watch.
    pub at: Duration,
    /// Resident memory of the process, in bytes.
    pub used: u64,
    /// What it may be, in bytes.
    pub limit: u64,
    /// What was done about it.
    pub action: Action,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mega = |bytes: u64| bytes as f64 / 1e6;
        write!(
            f,
            "memory {:.0} of {:.0} MB after {:.1} s: ",
            mega(self.used),
            mega(self.limit),
            self.at.as_secs_f64()
        )?;
        match self.action {
            Action::Caches(0) => f.write_str("caches are emptied"),
            Action::Caches(bytes) => write!(f, "caches may hold {:.1} MB together", mega(bytes)),
            Action::Batches(1) => f.write_str("batches have their usual size again"),
            Action::Batches(parts) => write!(f, "batches are 1/{parts} of their size"),
            Action::Threads(1) => f.write_str("1 thread works"),
            Action::Threads(threads) => write!(f, "{threads} threads work"),
            Action::GiveUp => f.write_str("nothing is left to shrink, the run ends"),
        }
    }
}

/// Watches the memory while work goes on.
pub struct Governor<'a> {
    /// Limit and thresholds.
    pub config: &'a MemoryConfig,
    /// What measures the memory.
    pub watch: &'a MemoryWatch,
    /// The caches that can shrink.
    pub memos: &'a Memos,
    /// What work heeds.
    pub pressure: &'a Pressure,
    /// Threads that work at most.
    pub threads: usize,
    /// Set when the run has to end.
    pub cancel: &'a AtomicBool,
    /// Told of each step.
    pub tell: &'a (dyn Fn(&Step) + Sync),
}

/// Time that a step gets to show its effect.
const PATIENCE: Duration = Duration::from_millis(200);
/// Above the limit for so long with nothing left to shrink, and the run ends.
const LAST_PATIENCE: Duration = Duration::from_secs(1);
/// Far enough below the first threshold for so long, and threads, batches and caches grow again.
const RELIEF: Duration = Duration::from_secs(1);
/// Caches smaller than this are emptied.
const LEAST_CACHE: u64 = 1 << 20;

impl Governor<'_> {
    /// Does some work, with the governor beside it if the configuration wants it.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        if !self.config.governor || !self.watch.works() {
            return work();
        }
        let limit = self.config.limit.bytes();
        let resident = self.watch.sample();
        let room = &self.pressure.room;
        room.limit_to(limit, self.config.shrink_jobs, resident);
        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let govern = || {
                let mut state = State::new(self);
                while !ended.load(Ordering::Relaxed) {
                    std::thread::park_timeout(SAMPLES_APART);
                    state.look(self.watch.current(), Instant::now());
                }
            };
            let thread = std::thread::Builder::new().name("eyemap-governor".into());
            // Without a thread of its own memory is not governed, and nothing else changes.
            let thread = thread.spawn_scoped(scope, govern).ok();
            // Also when the work panics: the scope waits for the thread.
            let _end = End {
                ended: &ended,
                governor: thread.as_ref().map(|thread| thread.thread()),
            };
            work()
        })
    }
}

/// Ends the governor when it is dropped, at once.
struct End<'a> {
    ended: &'a AtomicBool,
    governor: Option<&'a std::thread::Thread>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(governor) = self.governor {
            governor.unpark();
        }
    }
}

/// What the governor remembers between two looks.
struct State<'g, 'a> {
    governor: &'g Governor<'a>,
    start: Instant,
    /// No further step before this.
    next: Instant,
    /// What caches may hold together.
    cache_bytes: u64,
    halvings: u32,
    threads: usize,
    /// Since when the memory is above the limit, with nothing left to shrink.
    hopeless: Option<Instant>,
    /// Since when there is room again.
    relieved: Option<Instant>,
}

impl<'g, 'a> State<'g, 'a> {
    fn new(governor: &'g Governor<'a>) -> Self {
        let start = Instant::now();
        Self {
            governor,
            start,
            next: start,
            // What the user gave them is theirs as long as there is room.
            cache_bytes: governor.memos.ceiling(),
            halvings: 0,
            threads: governor.threads,
            hopeless: None,
            relieved: None,
        }
    }

    fn look(&mut self, used: u64, now: Instant) {
        self.governor.pressure.room.note_used(used);
        let config = self.governor.config;
        let limit = config.limit.bytes();
        let above = |share: f64| used as f64 >= share * limit as f64;
        self.judge(used > limit, used, now);
        if now < self.next {
            return;
        }
        let action = if above(config.shrink_caches) && self.cache_bytes > 0 {
            Some(self.shrink_caches())
        } else if above(config.shrink_batches) && self.halvings < MOST_HALVINGS {
            Some(self.halve_batches())
        } else if above(config.shrink_jobs) && self.threads > 1 {
            Some(self.work_with(self.threads.div_ceil(2)))
        } else if above(config.shrink_caches * 0.9) {
            self.relieved = None;
            None
        } else {
            self.relieve(now)
        };
        if let Some(action) = action {
            self.relieved = None;
            self.tell(used, now, action);
        }
    }

    fn tell(&mut self, used: u64, now: Instant, action: Action) {
        self.next = now + PATIENCE;
        let step = Step {
            at: now - self.start,
            used,
            limit: self.governor.config.limit.bytes(),
            action,
        };
        tracing::info!(target: "eyemap_engine::governor", "{step}");
        (self.governor.tell)(&step);
    }

    fn shrink_caches(&mut self) -> Action {
        let memos = self.governor.memos;
        // Half of what they hold, for room that is empty frees nothing.
        self.cache_bytes = match self.cache_bytes.min(memos.held()) / 2 {
            bytes if bytes < LEAST_CACHE => 0,
            bytes => bytes,
        };
        memos.limit_to(self.cache_bytes);
        Action::Caches(self.cache_bytes)
    }

    fn grow_caches(&mut self) -> Action {
        let memos = self.governor.memos;
        let twice = self.cache_bytes.saturating_mul(2).max(LEAST_CACHE);
        self.cache_bytes = twice.min(memos.ceiling());
        memos.limit_to(self.cache_bytes);
        Action::Caches(self.cache_bytes)
    }

    fn halve_batches(&mut self) -> Action {
        self.halvings += 1;
        self.set_halvings()
    }

    fn set_halvings(&self) -> Action {
        let halvings = &self.governor.pressure.halvings;
        halvings.store(self.halvings, Ordering::Relaxed);
        Action::Batches(1 << self.halvings)
    }

    fn work_with(&mut self, threads: usize) -> Action {
        self.threads = threads;
        let most = &self.governor.pressure.threads;
        most.store(threads, Ordering::Relaxed);
        Action::Threads(threads)
    }

    /// Takes a step back once there was room for a while: threads first, since they cost time, and
    /// caches last, since they fill what they are given.
    fn relieve(&mut self, now: Instant) -> Option<Action> {
        let since = *self.relieved.get_or_insert(now);
        if now - since < RELIEF {
            return None;
        }
        if self.threads < self.governor.threads {
            let threads = (self.threads * 2).min(self.governor.threads);
            return Some(self.work_with(threads));
        }
        if self.halvings > 0 {
            self.halvings -= 1;
            return Some(self.set_halvings());
        }
        (self.cache_bytes < self.governor.memos.ceiling()).then(|| self.grow_caches())
    }

    /// Ends the run if it is above the limit for long and nothing is left to shrink.
    fn judge(&mut self, above: bool, used: u64, now: Instant) {
        let shrunk = self.cache_bytes == 0 && self.halvings == MOST_HALVINGS && self.threads <= 1;
        if !(above && shrunk) {
            self.hopeless = None;
            return;
        }
        let since = *self.hopeless.get_or_insert(now);
        let given_up = self.governor.pressure.exceeded().is_some();
        if now - since >= LAST_PATIENCE && !given_up {
            let exceeded = &self.governor.pressure.exceeded;
            exceeded.store(used, Ordering::Relaxed);
            self.governor.cancel.store(true, Ordering::Relaxed);
            self.tell(used, now, Action::GiveUp);
        }
    }
}

#[cfg(test)]
mod tests;
