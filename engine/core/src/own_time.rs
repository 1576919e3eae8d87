//! How long a call took, without the time for which other work held the core.
//!
//! A deadline by the clock blames the callee for a busy machine. Linux counts for each thread how long it
//! computed and how long it was ready and had no core (`/proc/thread-self/schedstat`), and how often it gave
//! the core away by itself (`/proc/thread-self/status`). A callee that never did that took the time that it
//! computed; one that slept or waited took all but the time for which it was ready. Reading these files takes
//! microseconds and a decision of a cache a fraction of one, so they are read after slow calls, and before
//! a call only where the last reading is old. Where the kernel does not count, all of the time is the
//! callee's own.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// A reading that is older is taken anew before a call.
const FRESH: Duration = Duration::from_millis(20);

/// What the kernel counted for this thread until a moment.
#[derive(Debug, Clone, Copy)]
struct Reading {
    at: Instant,
    counted: Option<Counted>,
}

#[derive(Debug, Clone, Copy)]
struct Counted {
    computed: Duration,
    ready: Duration,
    /// How often it gave the core away by itself.
    gave_up: u64,
}

impl Counted {
    fn now() -> Option<Self> {
        let numbers = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        let mut numbers = numbers.split_whitespace().map(str::parse);
        let mut next = || numbers.next()?.ok().map(Duration::from_nanos);
        let status = std::fs::read_to_string("/proc/thread-self/status").ok()?;
        let prefix = "voluntary_ctxt_switches:";
        let gave_up = status.lines().find_map(|line| line.strip_prefix(prefix))?;
        Some(Self {
            computed: next()?,
            ready: next()?,
            gave_up: gave_up.trim().parse().ok()?,
        })
    }
}

impl Reading {
    fn now() -> Self {
        let counted = Counted::now();
        // Only now: what passed while it was read lies before the call.
        let at = Instant::now();
        Self { at, counted }
    }
}

thread_local! {
    static LAST: Cell<Option<Reading>> = const { Cell::new(None) };
}

/// A call that has begun.
#[derive(Debug)]
pub struct OwnTime {
    start: Instant,
    before: Reading,
}

impl OwnTime {
    /// Begins, on the thread that will ask for the time.
    pub fn start() -> Self {
        let start = Instant::now();
        if let Some(before) = LAST.get().filter(|last| start - last.at < FRESH) {
            return Self { start, before };
        }
        let before = Reading::now();
        LAST.set(Some(before));
        Self {
            start: before.at,
            before,
        }
    }

    /// The callee's own time, if it is longer than a limit.
    pub fn above(&self, limit: Duration) -> Option<Duration> {
        let elapsed = self.start.elapsed();
        if elapsed <= limit {
            return None;
        }
        let own = self.own(elapsed);
        (own > limit).then_some(own)
    }

    /// The callee's own time so far.
    pub fn elapsed(&self) -> Duration {
        self.own(self.start.elapsed())
    }

    /// What the thread did between the last reading and the call is taken off too: rather too little is told
    /// than too much.
    fn own(&self, elapsed: Duration) -> Duration {
        let (Some(before), Some(now)) = (self.before.counted, Counted::now()) else {
            return elapsed;
        };
        if now.gave_up == before.gave_up {
            let computed = now.computed.saturating_sub(before.computed);
            return computed.saturating_sub(self.start - self.before.at);
        }
        elapsed.saturating_sub(now.ready.saturating_sub(before.ready))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_millis(100);

    #[test]
    fn sleeping_is_the_callees_own_time() {
        let call = OwnTime::start();
        std::thread::sleep(Duration::from_millis(160));
        assert!(call.above(LIMIT).is_some());
        assert_eq!(OwnTime::start().above(LIMIT), None);
    }

    #[test]
    fn waiting_for_a_core_is_not() {
        let Some(rounds) = rounds_of(LIMIT / 5) else {
            crate::testing::skipped("the kernel does not count what threads wait for a core");
            return;
        };
        // More threads than cores compute a while each: by the clock each takes several times as long.
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let told: Vec<Told> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..cores * 12)
                .map(|_| scope.spawn(move || compute(rounds)))
                .collect();
            let told = threads.into_iter().map(|thread| thread.join());
            told.map(|told| told.expect("told")).collect()
        });
        // A page that was not in memory makes a thread give its core away, now and then.
        let only_computed = told.iter().filter(|told| told.computed_alone);
        let late: Vec<_> = only_computed.filter(|told| told.elapsed > LIMIT).collect();
        assert!(!late.is_empty(), "no thread waited: {told:?}");
        assert!(late.iter().all(|told| told.above.is_none()), "{told:?}");
    }

    #[derive(Debug)]
    struct Told {
        elapsed: Duration,
        above: Option<Duration>,
        /// Less than the limit, and without giving the core away.
        computed_alone: bool,
    }

    fn sum(rounds: u64) {
        let sum = (0..rounds).fold(0, |sum, n| std::hint::black_box(sum ^ n));
        std::hint::black_box(sum);
    }

    /// How much to compute for a thread to have so long to do on this machine; none if the kernel does not
    /// count.
    fn rounds_of(long: Duration) -> Option<u64> {
        let mut rounds = 1 << 16;
        loop {
            let before = Counted::now()?;
            sum(rounds);
            let took = Counted::now()?.computed.saturating_sub(before.computed);
            if took >= long / 4 {
                return Some((rounds as f64 * long.as_secs_f64() / took.as_secs_f64()) as u64);
            }
            rounds *= 2;
        }
    }

    /// Computes without a call of the system.
    fn compute(rounds: u64) -> Told {
        let before = Counted::now().expect("the kernel counts");
        let call = OwnTime::start();
        sum(rounds);
        let (elapsed, above) = (call.start.elapsed(), call.above(LIMIT));
        let after = Counted::now().expect("the kernel counts");
        Told {
            elapsed,
            above,
            computed_alone: after.gave_up == before.gave_up
                && after.computed - before.computed < LIMIT,
        }
    }
}
