//! S3-FIFO: a small queue for newcomers, a main queue for what was asked for again, and a memory of
//! what the small one evicted.
//!
//! With a capacity of `C` bytes, the small queue is meant for `floor(small_fraction * C)`, the main
//! queue for the rest, and the memory holds the keys of `floor(0.9 * C)` bytes.
//! - A newcomer heavier than the small queue is refused. One that is remembered goes to main, any
//!   other to small; while nothing was evicted yet and small is full, to main. One that is not
//!   remembered and just as heavy as the small queue is refused after its victims went.
//! - Victims come from main while it is over its share or small is empty, else from small.
//! - Small: the oldest goes to main when it was hit `promote_at` times, else it dies and is
//!   remembered.
//! - Main: the oldest starts again as newest with one hit less (of 3 at most) until one without dies.
//!
//! Hits are only counted, by the host ([`SlotMeta::hits`]), so the policy is not called for them.
//! What weighs nothing is not remembered. Costs constant time an event, 32 bytes a slot, and the keys of
//! the memory: as many as weigh what it may hold, and no more than four a slot and 2^20.
//!
//! Source: Yang, Zhang, Qiu, Yue and Rashmi, "FIFO queues are all you need for cache eviction", SOSP
//! 2023.

use eyemap_sdk::{
    cache::{NEEDS_ADMISSION, NEEDS_HIT_META},
    prelude::*,
};

#[cfg(test)]
mod tests;

/// The memory's share of the capacity.
const GHOST_FRACTION: f64 = 0.9;

eyemap_sdk::config! {
    /// The options of S3-FIFO.
    pub struct Options {
        /// Hits in the small queue that move an entry to the main queue, from 1 to 3. With 1 more is
        /// kept, and more of it in vain. Default: 2.
        pub promote_at: u8 = 2,
        /// The small queue's share of the capacity, above 0 and below 1. No entry that is heavier
        /// comes in. Default: 0.1.
        pub small_fraction: f64 = 0.1,
    }
}

/// What is kept of a slot.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(crate = "eyemap_sdk::serde")]
struct Entry {
    key_hash: u64,
    weight: u64,
}

/// The two queues and the memory.
#[derive(Debug, Serialize, Deserialize)]
#[serde(crate = "eyemap_sdk::serde")]
pub struct S3Fifo {
    options: Options,
    capacity: u64,
    small: SlotQueue,
    main: SlotQueue,
    ghosts: Ghosts,
    entries: SlotTable<Entry>,
    /// Whether the newcomer was remembered.
    newcomer: Newcomer<bool>,
    has_evicted: bool,
}

impl S3Fifo {
    fn small_capacity(&self) -> u64 {
        (self.capacity as f64 * self.options.small_fraction) as u64
    }

    fn remember(&mut self, entry: Entry) {
        let capacity = (self.capacity as f64 * GHOST_FRACTION) as u64;
        if entry.weight > capacity || self.ghosts.contains(entry.key_hash) {
            return;
        }
        self.ghosts.push_newest(entry.key_hash, entry.weight);
        self.ghosts.keep_within(capacity, self.entries.len());
    }

    fn victim_of_small(&mut self, slots: &[SlotMeta]) -> Option<u32> {
        loop {
            let slot = self.small.oldest()?;
            let entry = self.entries.get(slot);
            self.small.remove(slot, entry.weight);
            match slots.get(slot as usize) {
                Some(meta) if meta.hits() >= self.options.promote_at => {
                    meta.set_hits(0);
                    self.main.push_newest(slot, entry.weight);
                }
                _ => {
                    self.remember(entry);
                    return Some(slot);
                }
            }
        }
    }

    fn victim_of_main(&mut self, slots: &[SlotMeta]) -> Option<u32> {
        loop {
            let slot = self.main.oldest()?;
            let weight = self.entries.get(slot).weight;
            match slots.get(slot as usize) {
                Some(meta) if meta.hits() > 0 => {
                    meta.set_hits(meta.hits().min(3) - 1);
                    self.main.push_newest(slot, weight);
                }
                _ => {
                    self.main.remove(slot, weight);
                    return Some(slot);
                }
            }
        }
    }

    /// Whether a newcomer was remembered; it is not any more, but noted until it is in or refused.
    fn is_remembered(&mut self, key_hash: u64) -> bool {
        let known = self.newcomer.get(key_hash);
        let remembered = known.unwrap_or_else(|| self.ghosts.remove(key_hash).is_some());
        self.newcomer.set(key_hash, remembered);
        remembered
    }
}

impl CachePolicy for S3Fifo {
    type Config = Options;

    const NEEDS: u32 = NEEDS_HIT_META | NEEDS_ADMISSION;

    fn create(options: Options, capacity: u64) -> Result<Self> {
        if !(1..=3).contains(&options.promote_at) {
            let message = format!("{} is not from 1 to 3", options.promote_at);
            return Err(Error::config("promote_at", message));
        }
        if !(options.small_fraction > 0.0 && options.small_fraction < 1.0) {
            let message = format!("{} is not between 0 and 1", options.small_fraction);
            return Err(Error::config("small_fraction", message));
        }
        Ok(Self {
            options,
            capacity,
            small: SlotQueue::default(),
            main: SlotQueue::default(),
            ghosts: Ghosts::default(),
            entries: SlotTable::default(),
            newcomer: Newcomer::default(),
            has_evicted: false,
        })
    }

    fn on_insert(&mut self, event: &Event) {
        let remembered = self.is_remembered(event.key_hash);
        self.newcomer.take(event.key_hash);
        let (key_hash, weight) = (event.key_hash, event.weight);
        self.entries.set(event.slot, Entry { key_hash, weight });
        let is_filling = !self.has_evicted && self.small.bytes() >= self.small_capacity();
        if remembered || is_filling {
            self.main.push_newest(event.slot, weight);
        } else {
            self.small.push_newest(event.slot, weight);
        }
    }

    fn on_remove(&mut self, event: &Event) {
        let weight = self.entries.get(event.slot).weight;
        self.small.remove(event.slot, weight);
        self.main.remove(event.slot, weight);
    }

    fn on_reweigh(&mut self, event: &Event) {
        let mut entry = self.entries.get(event.slot);
        self.small.reweigh(event.slot, entry.weight, event.weight);
        self.main.reweigh(event.slot, entry.weight, event.weight);
        entry.weight = event.weight;
        self.entries.set(event.slot, entry);
    }

    fn victim(&mut self, slots: &[SlotMeta]) -> Option<u32> {
        self.has_evicted = true;
        let main_capacity = self.capacity.saturating_sub(self.small_capacity());
        if self.main.bytes() <= main_capacity
            && let Some(slot) = self.victim_of_small(slots)
        {
            return Some(slot);
        }
        self.victim_of_main(slots)
    }

    fn make_room(&mut self, room: &mut Room<'_>) -> Result<bool> {
        let small = self.small_capacity();
        let newcomer = room.candidate().copied();
        let remembered = newcomer.is_some_and(|newcomer| self.is_remembered(newcomer.key_hash));
        if let Some(newcomer) = newcomer.filter(|newcomer| newcomer.weight > small) {
            self.newcomer.take(newcomer.key_hash);
            return Ok(false);
        }
        while room.is_wanted() {
            let Some(slot) = self.victim(room.slots()) else {
                break;
            };
            room.evict(slot)?;
        }
        let refused = newcomer.filter(|newcomer| !remembered && newcomer.weight >= small);
        // A refusal ends the decision, so it waits until all victims are named.
        if let Some(newcomer) = refused.filter(|_| room.need() == 0) {
            self.newcomer.take(newcomer.key_hash);
            return Ok(false);
        }
        Ok(true)
    }

    fn resize(&mut self, capacity_bytes: u64) {
        self.capacity = capacity_bytes;
    }

    eyemap_sdk::keep_state!();
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.s3-fifo-policy",
    cache: S3Fifo,
}
