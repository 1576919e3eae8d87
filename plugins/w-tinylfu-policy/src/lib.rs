//! W-TinyLFU: newcomers wait in a small window, and get past it only when they are asked for more
//! often than what would have to go for them.
//!
//! Source: Einziger, Friedman and Manes, "TinyLFU: a highly efficient cache admission policy", ACM
//! Transactions on Storage 13 (2017); with bytes in place of entries and rules of our own where the
//! paper has none. A model can be written from these:
//!
//! **Lists.** `C` is the capacity. The window holds up to `W = floor(window_fraction * C)` bytes; the
//! rest is main, of which up to `floor(protected_fraction * (C - W))` bytes are protected and the
//! others on probation. All three lists are in order of use.
//!
//! **Count.** Each request counts its key once: a hit before anything else, a newcomer when it asks
//! for room or, if it did not have to, when it comes in.
//!
//! **Hit.** In the window and in protected: newest of its list. On probation: newest of protected
//! (but of probation when it is heavier than all of protected); while protected holds too much, its
//! oldest becomes the newest on probation.
//!
//! **Victim**, one after the other while room is wanted. *Main's* is the oldest on probation, without
//! one the oldest protected. `s` is the newcomer's weight if it is not over `W`, else 0.
//! 1. When the window is not empty and with `s` would hold more than `W`, its oldest contends with
//!    main's, and the one with the smaller count dies; of equals, the one of the window; alone, it
//!    dies.
//! 2. Else, a newcomer heavier than `W` contends with main's (without one, with the oldest of the
//!    window). When its count is not larger, it is refused, and the victims until then stay victims.
//! 3. Else main's dies (without one, the oldest of the window).
//!
//! **Insert.** What is heavier than `W` becomes the newest on probation, all others the newest of the
//! window; while that holds too much, its oldest becomes the newest on probation.
//!
//! **Counts** are those of a sketch of four rows of counters from 0 to 15; a key has the counter
//! `mix(key, row) mod width` in each, all of which a request raises, and its count is the smallest.
//! `width` is 1024, doubled at an insert while it is less than the number of entries. After every
//! request that makes it `10 * width` since the last time, all counters and that number are halved.
//!
//! Costs constant time an event on average, and about 45 bytes a slot.

mod sketch;

use eyemap_sdk::{
    cache::{NEEDS_CANDIDATE, NEEDS_HIT_ORDER},
    prelude::*,
};
use sketch::Sketch;

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

eyemap_sdk::config! {
    /// The options of W-TinyLFU.
    pub struct Options {
        /// The window's share of the capacity, from 0 to 1. A larger one is better when what is new
        /// is asked for again soon. Default: 0.1, with which requests of rendering hit more often than
        /// with the 0.01 of the paper.
        pub window_fraction: f64 = 0.1,
        /// The share of the rest that is kept for what was hit there, from 0 to 1. Default: 0.8.
        pub protected_fraction: f64 = 0.8,
    }
}

/// What is kept of a slot.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(crate = "eyemap_sdk::serde")]
struct Entry {
    key_hash: u64,
    weight: u64,
}

/// Who loses a contest.
enum Loser {
    Slot(u32),
    Newcomer,
}

/// The three lists and the counts.
#[derive(Debug, Serialize, Deserialize)]
#[serde(crate = "eyemap_sdk::serde")]
pub struct WTinyLfu {
    options: Options,
    capacity: u64,
    window: SlotQueue,
    probation: SlotQueue,
    protected: SlotQueue,
    entries: SlotTable<Entry>,
    /// Notes that the newcomer was counted.
    newcomer: Newcomer<()>,
    sketch: Sketch,
}

impl WTinyLfu {
    fn window_capacity(&self) -> u64 {
        (self.capacity as f64 * self.options.window_fraction) as u64
    }

    fn protected_capacity(&self) -> u64 {
        let main = self.capacity.saturating_sub(self.window_capacity());
        (main as f64 * self.options.protected_fraction) as u64
    }

    fn count_newcomer(&mut self, key_hash: u64) {
        if self.newcomer.get(key_hash).is_none() {
            self.sketch.count(key_hash);
            self.newcomer.set(key_hash, ());
        }
    }

    fn count_of(&self, slot: u32) -> u64 {
        self.sketch.frequency(self.entries.get(slot).key_hash)
    }

    fn loser(&self, newcomer: Option<&Event>) -> Option<Loser> {
        let capacity = self.window_capacity();
        let (oldest, main) = (self.window.oldest(), self.victim_of_main());
        let heavy = newcomer.filter(|newcomer| newcomer.weight > capacity);
        let enters = newcomer.map_or(0, |newcomer| newcomer.weight);
        let enters = if heavy.is_some() { 0 } else { enters };
        if let Some(contender) = oldest
            && self.window.bytes().saturating_add(enters) > capacity
        {
            let wins = |&main: &u32| self.count_of(contender) > self.count_of(main);
            return Some(Loser::Slot(main.filter(wins).unwrap_or(contender)));
        }
        let victim = main.or(oldest)?;
        match heavy {
            Some(newcomer) if self.sketch.frequency(newcomer.key_hash) <= self.count_of(victim) => {
                Some(Loser::Newcomer)
            }
            _ => Some(Loser::Slot(victim)),
        }
    }

    fn victim_of_main(&self) -> Option<u32> {
        self.probation.oldest().or_else(|| self.protected.oldest())
    }

    fn take_out(&mut self, slot: u32) {
        let weight = self.entries.get(slot).weight;
        for list in [&mut self.window, &mut self.probation, &mut self.protected] {
            list.remove(slot, weight);
        }
    }

    /// Moves the oldest of the window on while it holds too much.
    fn leave_window(&mut self) {
        while self.window.bytes() > self.window_capacity()
            && let Some(slot) = self.window.oldest()
        {
            self.take_out(slot);
            let weight = self.entries.get(slot).weight;
            self.probation.push_newest(slot, weight);
        }
    }

    fn protect(&mut self, slot: u32, weight: u64) {
        let capacity = self.protected_capacity();
        if weight > capacity {
            self.probation.push_newest(slot, weight);
            return;
        }
        self.probation.remove(slot, weight);
        self.protected.push_newest(slot, weight);
        while self.protected.bytes() > capacity
            && let Some(slot) = self.protected.oldest()
        {
            self.take_out(slot);
            let weight = self.entries.get(slot).weight;
            self.probation.push_newest(slot, weight);
        }
    }
}

impl CachePolicy for WTinyLfu {
    type Config = Options;

    const NEEDS: u32 = NEEDS_HIT_ORDER | NEEDS_CANDIDATE;

    fn create(options: Options, capacity: u64) -> Result<Self> {
        let fractions = [
            ("window_fraction", options.window_fraction),
            ("protected_fraction", options.protected_fraction),
        ];
        for (key, fraction) in fractions {
            if !(0.0..=1.0).contains(&fraction) {
                return Err(Error::config(key, format!("{fraction} is not from 0 to 1")));
            }
        }
        Ok(Self {
            options,
            capacity,
            window: SlotQueue::default(),
            probation: SlotQueue::default(),
            protected: SlotQueue::default(),
            entries: SlotTable::default(),
            newcomer: Newcomer::default(),
            sketch: Sketch::default(),
        })
    }

    fn on_insert(&mut self, event: &Event) {
        self.count_newcomer(event.key_hash);
        self.newcomer.take(event.key_hash);
        let (key_hash, weight) = (event.key_hash, event.weight);
        self.entries.set(event.slot, Entry { key_hash, weight });
        if weight > self.window_capacity() {
            self.probation.push_newest(event.slot, weight);
        } else {
            self.window.push_newest(event.slot, weight);
            self.leave_window();
        }
        let lists = [&self.window, &self.probation, &self.protected];
        let entries: usize = lists.map(|list| list.slots().len()).iter().sum();
        self.sketch.hold(entries as u64);
    }

    fn on_hit(&mut self, event: &Event) {
        let (slot, weight) = (event.slot, self.entries.get(event.slot).weight);
        self.sketch.count(event.key_hash);
        if self.window.slots().contains(slot) {
            self.window.push_newest(slot, weight);
        } else if self.protected.slots().contains(slot) {
            self.protected.push_newest(slot, weight);
        } else if self.probation.slots().contains(slot) {
            self.protect(slot, weight);
        }
    }

    fn on_remove(&mut self, event: &Event) {
        self.take_out(event.slot);
    }

    fn on_reweigh(&mut self, event: &Event) {
        let mut entry = self.entries.get(event.slot);
        for list in [&mut self.window, &mut self.probation, &mut self.protected] {
            list.reweigh(event.slot, entry.weight, event.weight);
        }
        entry.weight = event.weight;
        self.entries.set(event.slot, entry);
    }

    fn victim(&mut self, _slots: &[SlotMeta]) -> Option<u32> {
        match self.loser(None)? {
            Loser::Slot(slot) => {
                self.take_out(slot);
                Some(slot)
            }
            Loser::Newcomer => None,
        }
    }

    fn make_room(&mut self, room: &mut Room<'_>) -> Result<bool> {
        let newcomer = room.candidate().copied();
        if let Some(newcomer) = newcomer {
            self.count_newcomer(newcomer.key_hash);
        }
        while room.is_wanted() {
            match self.loser(newcomer.as_ref()) {
                Some(Loser::Slot(slot)) => {
                    self.take_out(slot);
                    room.evict(slot)?;
                }
                Some(Loser::Newcomer) => {
                    self.newcomer = Newcomer::default();
                    return Ok(false);
                }
                None => break,
            }
        }
        Ok(true)
    }

    fn resize(&mut self, capacity_bytes: u64) {
        self.capacity = capacity_bytes;
    }

    eyemap_sdk::keep_state!();
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.w-tinylfu-policy",
    cache: WTinyLfu,
}
