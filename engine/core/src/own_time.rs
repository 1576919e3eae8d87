//! How long a call took, without the time for which other work held the core.
//!
//! A deadline by the clock blames a policy for a busy machine. Linux counts for each thread how long it
//! was ready to run and had no core (`/proc/thread-self/schedstat`, second number, in ns); what is left of
//! the elapsed time is the callee's own, computing or sleeping. Reading that file takes microseconds and a
//! decision a fraction of one, so it is read after slow calls, and before one only where the last reading
//! is old. Where the kernel does not count, all of the time is the callee's own.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

/// A reading that is older is taken anew before a call.
const FRESH: Duration = Duration::from_millis(20);

/// Time without a core, read at some time.
#[derive(Clone, Copy)]
struct Reading {
    at: Instant,
    waited: Duration,
}

thread_local! {
    static LAST: Cell<Option<Reading>> = const { Cell::new(None) };
}

/// A call that has begun.
#[derive(Debug)]
pub struct OwnTime {
    start: Instant,
    before: Duration,
}

impl OwnTime {
    /// Begins.
    pub fn start() -> Self {
        let now = Instant::now();
        if let Some(last) = LAST.get().filter(|last| now - last.at < FRESH) {
            return Self {
                start: now,
                before: last.waited,
            };
        }
        let before = waited();
        // Only now: what was waited while it was read lies before the call.
        let start = Instant::now();
        LAST.set(Some(Reading {
            at: start,
            waited: before,
        }));
        Self { start, before }
    }

    /// The callee's own time, if it is longer than a limit. What the thread waited shortly before the call
    /// is taken off too: rather too little is told than too much.
    pub fn above(&self, limit: Duration) -> Option<Duration> {
        let elapsed = self.start.elapsed();
        if elapsed <= limit {
            return None;
        }
        let own = self.without_waiting(elapsed);
        (own > limit).then_some(own)
    }

    /// The callee's own time so far.
    pub fn elapsed(&self) -> Duration {
        self.without_waiting(self.start.elapsed())
    }

    fn without_waiting(&self, elapsed: Duration) -> Duration {
        elapsed.saturating_sub(waited().saturating_sub(self.before))
    }
}

/// For how long this thread was ready and had no core, since it began.
fn waited() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let number = text
        .split_whitespace()
        .nth(1)
        .and_then(|ns| ns.parse().ok());
    Duration::from_nanos(number.unwrap_or(0))
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
        // More threads than cores compute 60 ms each: by the clock each takes several times as long.
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let told = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..cores * 6)
                .map(|_| {
                    scope.spawn(|| {
                        let call = OwnTime::start();
                        let before = cpu();
                        while cpu() - before < Duration::from_millis(60) {}
                        (call.start.elapsed(), call.above(LIMIT))
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("told"))
                .collect::<Vec<_>>()
        });
        let late = told.iter().filter(|(elapsed, _)| *elapsed > LIMIT).count();
        assert!(late > 0, "the machine was never busy: {told:?}");
        assert!(told.iter().all(|(_, own)| own.is_none()), "{told:?}");
    }

    /// Processor time of this thread.
    fn cpu() -> Duration {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("schedstat");
        let number = text
            .split_whitespace()
            .next()
            .and_then(|ns| ns.parse().ok());
        Duration::from_nanos(number.expect("a number"))
    }
}
