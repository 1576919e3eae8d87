//! 2Q: newcomers queue up, and who is asked for again soon after leaving the queue is kept by recency.
//!
//! With a capacity of `C` bytes, `in_fraction * C` are for newcomers (`A1in`, first in first out, hits change
//! nothing), the rest for entries that proved themselves (`Am`, least recently used). Keys of
//! `out_fraction * C` bytes that left `A1in` are remembered (`A1out`), without their values.
//!
//! - A newcomer that is remembered goes to `Am`, any other to `A1in`.
//! - A victim is the oldest of `A1in` while that holds more than its share, or `Am` is empty; it is
//!   remembered. Else it is the least recent of `Am`, and forgotten.
//!
//! So one walk over many entries passes through `A1in` and leaves `Am` alone. Constant time an event.
//!
//! Source: Johnson and Shasha, "2Q: a low overhead high performance buffer management replacement
//! algorithm", VLDB 1994, in bytes in place of pages.

#![forbid(unsafe_code)]

use eyemap_sdk::prelude::*;

eyemap_sdk::config! {
    /// `[cache.policy_options]` of `two-queue-cache`.
    pub struct Options {
        /// Share of the capacity that is for newcomers, above 0 and below 1. Default: 0.25.
        pub in_fraction: f64 = 0.25,
        /// Keys of how many bytes are remembered, as a share of the capacity, from 0 to 4. Default: 0.5.
        pub out_fraction: f64 = 0.5,
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
pub struct TwoQueue {
    options: Options,
    capacity: u64,
    /// `A1in`, from the oldest on.
    newcomers: SlotQueue,
    /// `Am`, from the least recent on.
    proven: SlotQueue,
    /// `A1out`.
    remembered: Ghosts,
    entries: SlotTable<Entry>,
}

impl TwoQueue {
    fn share(&self, fraction: f64) -> u64 {
        (self.capacity as f64 * fraction) as u64
    }

    fn remember(&mut self, entry: Entry) {
        let limit = self.share(self.options.out_fraction);
        self.remembered.push_newest(entry.key_hash, entry.weight);
        self.remembered.keep_within(limit, self.entries.len());
    }

    fn oldest_newcomer(&mut self) -> Option<u32> {
        let slot = self.newcomers.oldest()?;
        let entry = self.entries.get(slot);
        self.newcomers.remove(slot, entry.weight);
        self.remember(entry);
        Some(slot)
    }

    fn least_recent(&mut self) -> Option<u32> {
        let slot = self.proven.oldest()?;
        self.proven.remove(slot, self.entries.get(slot).weight);
        Some(slot)
    }
}

impl CachePolicy for TwoQueue {
    type Config = Options;

    fn create(options: Options, capacity: u64) -> Result<Self> {
        let Options {
            in_fraction,
            out_fraction,
        } = options;
        if !(in_fraction > 0.0 && in_fraction < 1.0) {
            let message = format!("{in_fraction} is not between 0 and 1");
            return Err(Error::config("in_fraction", message));
        }
        if !(0.0..=4.0).contains(&out_fraction) {
            let message = format!("{out_fraction} is not from 0 to 4");
            return Err(Error::config("out_fraction", message));
        }
        Ok(Self {
            options,
            capacity,
            newcomers: SlotQueue::default(),
            proven: SlotQueue::default(),
            remembered: Ghosts::default(),
            entries: SlotTable::default(),
        })
    }

    fn on_insert(&mut self, event: &Event) {
        let (key_hash, weight) = (event.key_hash, event.weight);
        self.entries.set(event.slot, Entry { key_hash, weight });
        match self.remembered.remove(key_hash) {
            Some(_) => self.proven.push_newest(event.slot, weight),
            None => self.newcomers.push_newest(event.slot, weight),
        }
    }

    fn on_hit(&mut self, event: &Event) {
        let weight = self.entries.get(event.slot).weight;
        if self.proven.remove(event.slot, weight) {
            self.proven.push_newest(event.slot, weight);
        }
    }

    fn on_remove(&mut self, event: &Event) {
        let weight = self.entries.get(event.slot).weight;
        self.newcomers.remove(event.slot, weight);
        self.proven.remove(event.slot, weight);
    }

    fn on_reweigh(&mut self, event: &Event) {
        let mut entry = self.entries.get(event.slot);
        self.newcomers
            .reweigh(event.slot, entry.weight, event.weight);
        self.proven.reweigh(event.slot, entry.weight, event.weight);
        entry.weight = event.weight;
        self.entries.set(event.slot, entry);
    }

    fn victim(&mut self, _slots: &[SlotMeta]) -> Option<u32> {
        let is_full = self.newcomers.bytes() > self.share(self.options.in_fraction);
        if is_full || self.proven.slots().is_empty() {
            return self.oldest_newcomer().or_else(|| self.least_recent());
        }
        self.least_recent()
    }

    fn resize(&mut self, capacity_bytes: u64) {
        self.capacity = capacity_bytes;
    }

    eyemap_sdk::keep_state!();
}

eyemap_sdk::export_plugin! {
    id: "org.example.two-queue-cache",
    cache: TwoQueue,
}
