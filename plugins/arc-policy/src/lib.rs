//! ARC: two LRU lists, of what was asked for once and what was asked for again, whose shares follow
//! what was evicted too early.
//!
//! All sizes are in bytes. `T1` holds what was asked for once, `T2` what was asked for again, `B1`
//! and `B2` the keys of what left them, and `p` is the share that `T1` should have of the capacity
//! `C`.
//! - A hit makes an entry the newest of `T2`.
//! - A newcomer whose key is in `B1` adds `max(B2 / B1, 1)` to `p`, one in `B2` takes
//!   `max(B1 / B2, 1)`, and leaves its list; both come into `T2`, all others into `T1`.
//! - *Replace*: `T1` gives its oldest when it is over `p`, or just at it and the newcomer was in
//!   `B2`, or when `T2` is empty; else `T2` does. Its key goes to the list behind.
//! - Each victim is a replace. For a newcomer of `s` bytes that was in neither list, first: when
//!   `T1 + B1 + s > C`, the oldest of `B1` is forgotten (without one, the oldest of `T1` is the
//!   victim and its key is not kept); else, when all four hold `2 C`, the oldest of `B2` is.
//!
//! What weighs nothing is not remembered.
//!
//! Costs constant time an event, 32 bytes a slot, and the keys in `B1` and `B2`: as many as weigh what
//! the rules let them weigh, and no more than four a slot and 2^20 each.
//!
//! Source: Megiddo and Modha, "ARC: a self-tuning, low overhead replacement cache", FAST 2003; with
//! bytes in place of pages.

use eyemap_sdk::prelude::*;

#[cfg(test)]
mod tests;

eyemap_sdk::config! {
    /// ARC has no options: it finds its own.
    pub struct NoOptions {}
}

/// What is kept of a slot.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(crate = "eyemap_sdk::serde")]
struct Entry {
    key_hash: u64,
    weight: u64,
}

/// Where the key of a newcomer was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "eyemap_sdk::serde")]
enum Found {
    Nowhere,
    Once,
    Again,
}

/// The four lists and the share of the first.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(crate = "eyemap_sdk::serde")]
pub struct Arc {
    capacity: u64,
    /// `p`.
    once_target: f64,
    /// `T1`.
    once: SlotQueue,
    /// `T2`.
    again: SlotQueue,
    /// `B1`.
    once_ghosts: Ghosts,
    /// `B2`.
    again_ghosts: Ghosts,
    entries: SlotTable<Entry>,
    newcomer: Newcomer<Found>,
}

impl Arc {
    /// Where a newcomer was; it is there no more, but noted until it came in.
    fn look_up(&mut self, key_hash: u64) -> Found {
        let known = self.newcomer.get(key_hash);
        let found = known.unwrap_or_else(|| self.take_ghost(key_hash));
        self.newcomer.set(key_hash, found);
        found
    }

    fn take_ghost(&mut self, key_hash: u64) -> Found {
        let once = self.once_ghosts.bytes() as f64;
        let again = self.again_ghosts.bytes() as f64;
        if self.once_ghosts.remove(key_hash).is_some() {
            let more = self.once_target + (again / once).max(1.0);
            self.once_target = more.min(self.capacity as f64);
            Found::Once
        } else if self.again_ghosts.remove(key_hash).is_some() {
            self.once_target = (self.once_target - (once / again).max(1.0)).max(0.0);
            Found::Again
        } else {
            Found::Nowhere
        }
    }

    /// The victim for a newcomer of a weight.
    fn victim_for(&mut self, found: Found, weight: u64) -> Option<u32> {
        if found == Found::Nowhere {
            let once = self.once.bytes() + self.once_ghosts.bytes();
            let again = self.again.bytes() + self.again_ghosts.bytes();
            if once.saturating_add(weight) > self.capacity {
                if self.once_ghosts.pop_oldest().is_none() {
                    return self.take_oldest_of_once().or_else(|| self.replace(found));
                }
            } else if once + again >= self.capacity.saturating_mul(2) {
                self.again_ghosts.pop_oldest();
            }
        }
        self.replace(found)
    }

    fn replace(&mut self, found: Found) -> Option<u32> {
        let once = self.once.bytes() as f64;
        let over = once > self.once_target || (once == self.once_target && found == Found::Again);
        let from_once = !self.once.slots().is_empty() && over;
        let (slot, ghosts) = if from_once || self.again.slots().is_empty() {
            (self.take_oldest_of_once()?, &mut self.once_ghosts)
        } else {
            let slot = self.again.oldest()?;
            self.again.remove(slot, self.entries.get(slot).weight);
            (slot, &mut self.again_ghosts)
        };
        let entry = self.entries.get(slot);
        ghosts.push_newest(entry.key_hash, entry.weight);
        // The bounds of bytes are those of the rules.
        ghosts.keep_within(u64::MAX, self.entries.len());
        Some(slot)
    }

    fn take_oldest_of_once(&mut self) -> Option<u32> {
        let slot = self.once.oldest()?;
        self.once.remove(slot, self.entries.get(slot).weight);
        Some(slot)
    }
}

impl CachePolicy for Arc {
    type Config = NoOptions;

    fn create(_options: NoOptions, capacity: u64) -> Result<Self> {
        Ok(Self {
            capacity,
            ..Self::default()
        })
    }

    fn on_insert(&mut self, event: &Event) {
        let found = self.look_up(event.key_hash);
        self.newcomer.take(event.key_hash);
        let (key_hash, weight) = (event.key_hash, event.weight);
        self.entries.set(event.slot, Entry { key_hash, weight });
        match found {
            Found::Nowhere => self.once.push_newest(event.slot, weight),
            Found::Once | Found::Again => self.again.push_newest(event.slot, weight),
        }
    }

    fn on_hit(&mut self, event: &Event) {
        let weight = self.entries.get(event.slot).weight;
        self.once.remove(event.slot, weight);
        self.again.push_newest(event.slot, weight);
    }

    fn on_remove(&mut self, event: &Event) {
        let weight = self.entries.get(event.slot).weight;
        self.once.remove(event.slot, weight);
        self.again.remove(event.slot, weight);
    }

    fn on_reweigh(&mut self, event: &Event) {
        let mut entry = self.entries.get(event.slot);
        self.once.reweigh(event.slot, entry.weight, event.weight);
        self.again.reweigh(event.slot, entry.weight, event.weight);
        entry.weight = event.weight;
        self.entries.set(event.slot, entry);
    }

    fn victim(&mut self, _slots: &[SlotMeta]) -> Option<u32> {
        self.replace(Found::Nowhere)
    }

    fn make_room(&mut self, room: &mut Room<'_>) -> Result<bool> {
        let newcomer = room.candidate().copied();
        let found = newcomer.map(|newcomer| self.look_up(newcomer.key_hash));
        while room.is_wanted() {
            let victim = match (newcomer, found) {
                (Some(newcomer), Some(found)) => self.victim_for(found, newcomer.weight),
                _ => self.victim(room.slots()),
            };
            let Some(slot) = victim else { break };
            room.evict(slot)?;
        }
        Ok(true)
    }

    fn resize(&mut self, capacity_bytes: u64) {
        self.capacity = capacity_bytes;
        self.once_target = self.once_target.min(capacity_bytes as f64);
        for ghosts in [&mut self.once_ghosts, &mut self.again_ghosts] {
            while ghosts.bytes() > capacity_bytes {
                ghosts.pop_oldest();
            }
        }
    }

    eyemap_sdk::keep_state!();
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.arc-policy",
    cache: Arc,
}
