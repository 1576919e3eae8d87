//! When entries expire: a hierarchical timing wheel.
//!
//! Varghese and Lauck, "Hashed and hierarchical timing wheels" (SOSP '87), scheme 7: eleven wheels of
//! 64 buckets each cover every 64-bit tick. Setting, cancelling and expiring an entry take constant
//! time, and an entry expires exactly at its tick, never later than the next look at the clock.

const NONE: u32 = u32::MAX;
const LEVELS: usize = 11;
const BUCKETS: usize = 64;
/// Bits of a tick that one wheel covers.
const BITS: u32 = 6;

/// An entry that waits in a bucket, a node of a list.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    at: u64,
    before: u32,
    after: u32,
    /// Its bucket, or `NONE` when it does not wait.
    bucket: u32,
}

const IDLE: Waiting = Waiting {
    at: u64::MAX,
    before: NONE,
    after: NONE,
    bucket: NONE,
};

/// Entries, known by their slots, in the order of their ticks.
#[derive(Debug)]
pub(super) struct Wheel {
    now: u64,
    /// First and last of each bucket.
    buckets: Vec<[u32; 2]>,
    /// A bit a bucket that is not empty.
    occupied: [u64; LEVELS],
    slots: Vec<Waiting>,
}

impl Wheel {
    pub(super) fn new(now: u64) -> Self {
        Self {
            now,
            buckets: vec![[NONE; 2]; LEVELS * BUCKETS],
            occupied: [0; LEVELS],
            slots: Vec::new(),
        }
    }

    /// The tick at which a slot expires; `u64::MAX` is never.
    pub(super) fn expires_at(&self, slot: u32) -> u64 {
        self.slots.get(slot as usize).map_or(u64::MAX, |s| s.at)
    }

    /// Sets when a slot expires, in place of what was set before.
    pub(super) fn set(&mut self, slot: u32, at: u64) {
        self.cancel(slot);
        let index = slot as usize;
        if index >= self.slots.len() {
            self.slots.resize(index + 1, IDLE);
        }
        self.slots[index].at = at;
        if at != u64::MAX {
            self.wait(slot, at);
        }
    }

    /// A slot does not expire any more.
    pub(super) fn cancel(&mut self, slot: u32) {
        let Some(found) = self.slots.get_mut(slot as usize) else {
            return;
        };
        let Waiting {
            before,
            after,
            bucket,
            ..
        } = std::mem::replace(found, IDLE);
        if bucket == NONE {
            return;
        }
        match before {
            NONE => self.buckets[bucket as usize][0] = after,
            before => self.slots[before as usize].after = after,
        }
        match after {
            NONE => self.buckets[bucket as usize][1] = before,
            after => self.slots[after as usize].before = before,
        }
        if self.buckets[bucket as usize][0] == NONE {
            self.occupied[bucket as usize / BUCKETS] &= !(1 << (bucket as usize % BUCKETS));
        }
    }

    /// Takes out one slot that has expired at `now`, until none is left. Slots of one tick come out
    /// in the order in which they were set, unless one of them was set much earlier.
    pub(super) fn pop_expired(&mut self, now: u64) -> Option<u32> {
        loop {
            let Some(level) = self.occupied.iter().position(|&buckets| buckets != 0) else {
                self.now = self.now.max(now);
                return None;
            };
            let bucket = self.occupied[level].trailing_zeros() as usize;
            let due = self.due(level, bucket);
            if due > now {
                self.now = self.now.max(now);
                return None;
            }
            self.now = self.now.max(due);
            let bucket = level * BUCKETS + bucket;
            if level == 0 {
                let slot = self.buckets[bucket][0];
                self.cancel(slot);
                return Some(slot);
            }
            self.deal(bucket);
        }
    }

    /// Deals a bucket whose time has come to the smaller wheels: all of it, for a smaller wheel is
    /// looked at first.
    fn deal(&mut self, bucket: usize) {
        while self.buckets[bucket][0] != NONE {
            let slot = self.buckets[bucket][0];
            let at = self.slots[slot as usize].at;
            self.cancel(slot);
            self.slots[slot as usize].at = at;
            self.wait(slot, at);
        }
    }

    /// The tick at which a bucket begins.
    fn due(&self, level: usize, bucket: usize) -> u64 {
        let shift = BITS * level as u32;
        let above = match self.now.checked_shr(shift + BITS) {
            Some(high) => high.checked_shl(shift + BITS).unwrap_or(0),
            None => 0,
        };
        above | (bucket as u64) << shift
    }

    fn wait(&mut self, slot: u32, at: u64) {
        // The highest digit in which it differs from now says how far away it is.
        let at = at.max(self.now);
        let level = (63 - ((at ^ self.now) | 63).leading_zeros()) / BITS;
        let bucket = level as usize * BUCKETS + (at >> (BITS * level)) as usize % BUCKETS;
        let last = std::mem::replace(&mut self.buckets[bucket][1], slot);
        match last {
            NONE => self.buckets[bucket][0] = slot,
            last => self.slots[last as usize].after = slot,
        }
        self.occupied[level as usize] |= 1 << (bucket % BUCKETS);
        let waiting = &mut self.slots[slot as usize];
        waiting.before = last;
        waiting.after = NONE;
        // 704 buckets.
        waiting.bucket = bucket as u32;
    }

    /// Forgets slots from `len` up.
    pub(super) fn truncate(&mut self, len: usize) {
        self.slots.truncate(len);
        self.slots.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Set(u32, u64),
        Cancel(u32),
        Advance(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        // Small steps and such that cross several wheels.
        let span = || (0u32..50, any::<u64>()).prop_map(|(bits, n)| n & ((1 << bits) - 1));
        prop_oneof![
            (0u32..20, span()).prop_map(|(slot, by)| Step::Set(slot, by)),
            (0u32..20).prop_map(Step::Cancel),
            span().prop_map(Step::Advance),
        ]
    }

    proptest! {
        #[test]
        fn slots_expire_exactly_when_a_sorted_set_says(
            start in any::<u64>().prop_map(|n| n >> 2),
            steps in prop::collection::vec(step(), 1..200),
        ) {
            let mut wheel = Wheel::new(start);
            let mut model = BTreeSet::new();
            let mut now = start;
            for step in steps {
                match step {
                    Step::Set(slot, by) => {
                        model.retain(|&(_, other)| other != slot);
                        model.insert((now + by, slot));
                        wheel.set(slot, now + by);
                        prop_assert_eq!(wheel.expires_at(slot), now + by);
                    }
                    Step::Cancel(slot) => {
                        model.retain(|&(_, other)| other != slot);
                        wheel.cancel(slot);
                    }
                    Step::Advance(by) => now += by,
                }
                let mut expired = BTreeSet::new();
                while let Some(slot) = wheel.pop_expired(now) {
                    prop_assert!(expired.insert(slot));
                }
                let due: BTreeSet<u32> =
                    model.iter().filter(|(at, _)| *at <= now).map(|(_, slot)| *slot).collect();
                model.retain(|(at, _)| *at > now);
                prop_assert_eq!(expired, due);
            }
        }
    }

    #[test]
    fn the_end_of_time_is_never() {
        let mut wheel = Wheel::new(5);
        wheel.set(0, u64::MAX);
        wheel.set(1, u64::MAX - 1);
        assert_eq!(wheel.pop_expired(u64::MAX - 2), None);
        assert_eq!(wheel.pop_expired(u64::MAX), Some(1));
        assert_eq!(wheel.pop_expired(u64::MAX), None);
    }
}
