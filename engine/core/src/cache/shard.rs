//! Slots, weights and expiry of one cache or one part of it, and the talk with its policy.
//!
//! A shard is used by one thread at a time. It keeps the promises that policies rely on: events in
//! order, all of them delivered before a decision, and no slot used anew before its removal was told. These hold
//! together, which is why the file is longer than most.

mod entry;
mod room;

use eyemap_abi::{
    Event, SlotMeta,
    cache::{EventKind, NEEDS_ADMISSION, NEEDS_HIT_ORDER, NEEDS_MISSES},
};
use hashbrown::HashTable;

pub(super) use entry::spread;
pub use entry::{CacheKey, Facts, Inserted, Manner, Resident};
use entry::{Slot, pack, unpack};

use super::{
    policy::{Fifo, Policy, PolicyError, PolicySource, VICTIMS},
    stats::Counts,
    wheel::Wheel,
};

#[derive(Debug)]
enum Decider {
    Policy(Policy),
    /// First in, first out, after a policy failed.
    Fifo(Fifo),
}

/// Entries that left, for the caller to drop where no lock is held.
pub type Gone<K, V> = Vec<(K, V)>;

/// A cache for one thread.
#[derive(Debug)]
pub struct Shard<K, V> {
    index: HashTable<u32>,
    slots: Vec<Slot<K, V>>,
    meta: Vec<SlotMeta>,
    /// Slots that can be used.
    free: Vec<u32>,
    /// Slots whose removal the policy has not heard of.
    retired: Vec<u32>,
    pending: Vec<Event>,
    decider: Decider,
    needs: u32,
    manner: Manner,
    wheel: Option<Box<Wheel>>,
    capacity: u64,
    occupied: u64,
    live: usize,
    tick: u64,
    number: u32,
    counts: Counts,
    fault: Option<String>,
}

impl<K: CacheKey, V> Shard<K, V> {
    /// An empty cache of this many bytes.
    ///
    /// # Errors
    /// When the policy refuses its options.
    pub fn new(source: &PolicySource, capacity: u64, manner: Manner) -> Result<Self, PolicyError> {
        let policy = source.create(capacity)?;
        Ok(Self {
            index: HashTable::new(),
            slots: Vec::new(),
            meta: Vec::new(),
            free: Vec::new(),
            retired: Vec::new(),
            pending: Vec::new(),
            needs: policy.needs,
            decider: Decider::Policy(policy),
            manner: Manner {
                batch: manner.batch.max(1),
                ..manner
            },
            wheel: None,
            capacity,
            occupied: 0,
            live: 0,
            tick: 0,
            number: 0,
            counts: Counts::default(),
            fault: None,
        })
    }

    /// Asks for an entry at a tick. `renewed` is its new tick of expiry, if a hit renews it.
    pub fn get(
        &mut self,
        key: &K,
        tick: u64,
        renewed: Option<u64>,
        gone: &mut Gone<K, V>,
    ) -> Option<&V> {
        self.get_hashed(spread(key.key_hash()), key, (tick, renewed), gone)
    }

    pub(super) fn get_hashed(
        &mut self,
        hash: u64,
        key: &K,
        (tick, renewed): (u64, Option<u64>),
        gone: &mut Gone<K, V>,
    ) -> Option<&V> {
        self.advance(tick, gone);
        let Some(slot) = self
            .find(hash, key)
            .filter(|&slot| self.is_alive(slot, gone))
        else {
            self.miss(key);
            return None;
        };
        // Also where no entry had a time to live so far.
        if let Some(at) = renewed.filter(|&at| at != u64::MAX || self.wheel.is_some()) {
            let tick = self.tick;
            let wheel = self.wheel.get_or_insert_with(|| Box::new(Wheel::new(tick)));
            wheel.set(slot, at);
        }
        if self.needs & NEEDS_HIT_ORDER != 0 {
            let event = self.event(EventKind::Hit, slot, key.key_hash());
            self.tell(event);
        }
        let meta = &self.meta[slot as usize];
        meta.touch();
        self.counts.hits += 1;
        self.counts.hit_bytes += meta.weight();
        match &self.slots[slot as usize] {
            Slot::Taken { cost, value, .. } => {
                self.counts.saved_ns += unpack(*cost);
                Some(value)
            }
            Slot::Free => None,
        }
    }

    /// Puts an entry in, over one with the same key.
    pub fn insert(
        &mut self,
        key: K,
        value: V,
        facts: Facts,
        tick: u64,
        gone: &mut Gone<K, V>,
    ) -> Inserted {
        self.advance(tick, gone);
        let hash = spread(key.key_hash());
        if let Some(slot) = self.find(hash, &key) {
            self.remove_slot(slot, EventKind::Remove, gone);
        }
        let excess = self
            .occupied
            .saturating_add(facts.weight)
            .saturating_sub(self.capacity);
        let fits = facts.weight <= self.capacity.min(SlotMeta::MAX_WEIGHT);
        let asked = excess > 0 || self.needs & NEEDS_ADMISSION != 0;
        let newcomer = Event {
            weight: facts.weight,
            cost_ns: facts.cost_ns,
            expires_at: facts.expires_at,
            next_use: facts.next_use,
            ..self.event(EventKind::Miss, u32::MAX, key.key_hash())
        };
        if !fits || asked && !self.make_room(excess, Some(newcomer), gone) {
            self.counts.refused += 1;
            gone.push((key, value));
            return if fits {
                Inserted::Refused
            } else {
                Inserted::TooHeavy
            };
        }
        self.place(hash, (key, value), newcomer);
        Inserted::Stored
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: &K, gone: &mut Gone<K, V>) -> bool {
        let found = self.find(spread(key.key_hash()), key);
        if let Some(slot) = found {
            self.remove_slot(slot, EventKind::Remove, gone);
        }
        found.is_some()
    }

    /// Looks at an entry without asking for it.
    pub fn peek(&self, key: &K) -> Option<&V> {
        let slot = self.find(spread(key.key_hash()), key)?;
        match &self.slots[slot as usize] {
            Slot::Taken { value, .. } => Some(value),
            Slot::Free => None,
        }
    }

    /// Moves the clock and removes what has expired.
    pub fn advance(&mut self, tick: u64, gone: &mut Gone<K, V>) {
        self.tick = self.tick.max(tick);
        if self.wheel.is_some() && !self.manner.lazy_expiry {
            self.expire(gone);
        }
    }

    fn expire(&mut self, gone: &mut Gone<K, V>) {
        while let Some(slot) = self
            .wheel
            .as_mut()
            .and_then(|wheel| wheel.pop_expired(self.tick))
        {
            self.counts.expiries += 1;
            self.remove_slot(slot, EventKind::Expire, gone);
        }
    }

    /// Gives it another capacity; what does not fit leaves at once, and memory is given back.
    pub fn resize(&mut self, capacity: u64, gone: &mut Gone<K, V>) {
        self.capacity = capacity;
        self.deliver();
        if let Decider::Policy(policy) = &mut self.decider
            && let Err(fault) = policy.resize(capacity)
        {
            self.quarantine(fault);
        }
        let excess = self.occupied.saturating_sub(capacity);
        if excess > 0 {
            self.make_room(excess, None, gone);
        }
        self.give_back();
    }

    /// Capacity in bytes.
    pub const fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Weight of all entries in bytes.
    pub const fn occupied(&self) -> u64 {
        self.occupied
    }

    /// Number of entries.
    pub const fn len(&self) -> usize {
        self.live
    }

    /// Whether it is empty.
    pub const fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// What it did so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// Why the policy is asked no more, if that is so.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// All entries with their facts, in the order of their slots.
    pub fn entries(&self) -> impl Iterator<Item = Resident<'_, K, V>> {
        let slots = self.slots.iter().zip(&self.meta).enumerate();
        slots.filter_map(|(slot, (found, meta))| match found {
            Slot::Free => None,
            Slot::Taken {
                cost, key, value, ..
            } => Some(Resident {
                // Slots are counted in u32.
                slot: slot as u32,
                key,
                value,
                hits: meta.hits(),
                facts: Facts {
                    expires_at: self.expires_at(slot as u32),
                    ..Facts::new(meta.weight(), unpack(*cost))
                },
            }),
        })
    }

    /// Delivers what is pending and returns the policy's state.
    ///
    /// # Errors
    /// When the policy has failed or has no state.
    pub fn snapshot(&mut self) -> Result<Vec<u8>, String> {
        self.deliver();
        match &mut self.decider {
            Decider::Policy(policy) => policy.snapshot(),
            Decider::Fifo(_) => Err("the policy has failed".into()),
        }
    }

    /// Puts entries into the slots that they had, and gives the policy the state it had. Only for a
    /// cache that is empty. Without a state that the policy takes, entries are told to it as inserts.
    pub fn restore(
        &mut self,
        entries: impl IntoIterator<Item = (u32, K, V, Facts, u8)>,
        state: Option<&[u8]>,
        tick: u64,
    ) -> bool {
        self.tick = self.tick.max(tick);
        let mut inserted = Vec::new();
        for (slot, key, value, facts, hits) in entries {
            while self.slots.len() <= slot as usize {
                self.grow();
            }
            if matches!(self.slots[slot as usize], Slot::Taken { .. }) {
                continue;
            }
            let event = Event {
                weight: facts.weight,
                cost_ns: facts.cost_ns,
                expires_at: facts.expires_at,
                ..self.event(EventKind::Insert, slot, key.key_hash())
            };
            let hash = spread(event.key_hash);
            inserted.push(self.settle(slot, hash, (key, value), event));
            self.meta[slot as usize].set_hits(hits);
        }
        let is_free = |&slot: &u32| matches!(self.slots[slot as usize], Slot::Free);
        self.free = (0..self.slots.len() as u32).rev().filter(is_free).collect();
        let restored = match (&mut self.decider, state) {
            (Decider::Policy(policy), Some(state)) => policy.restore(state).is_ok(),
            _ => false,
        };
        if !restored {
            inserted.into_iter().for_each(|event| self.tell(event));
        }
        restored
    }

    fn find(&self, hash: u64, key: &K) -> Option<u32> {
        let same = |&slot: &u32| matches!(&self.slots[slot as usize], Slot::Taken { key: found, .. } if found == key);
        self.index.find(hash, same).copied()
    }

    /// With lazy expiry, an entry whose time is over is found out here.
    fn is_alive(&mut self, slot: u32, gone: &mut Gone<K, V>) -> bool {
        if !self.manner.lazy_expiry || self.expires_at(slot) > self.tick {
            return true;
        }
        self.counts.expiries += 1;
        self.remove_slot(slot, EventKind::Expire, gone);
        false
    }

    fn expires_at(&self, slot: u32) -> u64 {
        self.wheel
            .as_ref()
            .map_or(u64::MAX, |wheel| wheel.expires_at(slot))
    }

    fn miss(&mut self, key: &K) {
        self.counts.misses += 1;
        if self.needs & NEEDS_MISSES != 0 {
            let event = self.event(EventKind::Miss, u32::MAX, key.key_hash());
            self.tell(event);
        }
    }

    fn event(&self, kind: EventKind, slot: u32, key_hash: u64) -> Event {
        let (cost_ns, generation) = match self.slots.get(slot as usize) {
            Some(Slot::Taken { cost, number, .. }) => (unpack(*cost), *number),
            _ => (0, 0),
        };
        Event {
            kind,
            cache: self.manner.cache,
            flags: 0,
            slot,
            generation,
            key_hash,
            weight: self.meta.get(slot as usize).map_or(0, SlotMeta::weight),
            cost_ns,
            tick: self.tick,
            expires_at: self.expires_at(slot),
            next_use: u64::MAX,
        }
    }

    fn place(&mut self, hash: u64, entry: (K, V), newcomer: Event) {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.grow(),
        };
        let event = Event {
            kind: EventKind::Insert,
            slot,
            ..newcomer
        };
        let event = self.settle(slot, hash, entry, event);
        self.counts.insertions += 1;
        match &mut self.decider {
            Decider::Policy(_) => self.tell(event),
            Decider::Fifo(fifo) => fifo.push(slot, event.generation),
        }
    }

    /// Fills a free slot, and returns the event with the number of the insert.
    fn settle(&mut self, slot: u32, hash: u64, (key, value): (K, V), event: Event) -> Event {
        self.number = self.number.wrapping_add(1);
        self.meta[slot as usize] = SlotMeta::resident(event.weight);
        self.slots[slot as usize] = Slot::Taken {
            cost: pack(event.cost_ns),
            number: self.number,
            key,
            value,
        };
        if event.expires_at != u64::MAX {
            let tick = self.tick;
            let wheel = self.wheel.get_or_insert_with(|| Box::new(Wheel::new(tick)));
            wheel.set(slot, event.expires_at);
        }
        self.enter(hash, slot);
        self.occupied += event.weight;
        self.live += 1;
        Event {
            generation: self.number,
            ..event
        }
    }

    fn enter(&mut self, hash: u64, slot: u32) {
        let slots = &self.slots;
        let hash_of = |&slot: &u32| match &slots[slot as usize] {
            Slot::Taken { key, .. } => spread(key.key_hash()),
            Slot::Free => 0,
        };
        // The table takes places of removed entries for full and would grow twofold for them.
        if self.index.len() == self.index.capacity() && self.index.len() > 64 {
            let mut fresh = HashTable::with_capacity(self.index.len() + self.index.len() / 16);
            for &slot in &self.index {
                fresh.insert_unique(hash_of(&slot), slot, hash_of);
            }
            self.index = fresh;
        }
        self.index.insert_unique(hash, slot, hash_of);
    }

    fn remove_slot(&mut self, slot: u32, kind: EventKind, gone: &mut Gone<K, V>) {
        let Slot::Taken { key, .. } = &self.slots[slot as usize] else {
            return;
        };
        let key_hash = key.key_hash();
        let event = self.event(kind, slot, key_hash);
        if let Ok(found) = self
            .index
            .find_entry(spread(key_hash), |&other| other == slot)
        {
            found.remove();
        }
        if let Some(wheel) = &mut self.wheel {
            wheel.cancel(slot);
        }
        self.occupied -= event.weight;
        self.live -= 1;
        self.meta[slot as usize] = SlotMeta::default();
        if let Slot::Taken { key, value, .. } =
            std::mem::replace(&mut self.slots[slot as usize], Slot::Free)
        {
            gone.push((key, value));
        }
        if let Decider::Fifo(fifo) = &mut self.decider {
            self.free.push(slot);
            // What was removed by name stays in the queue; not more of it than of the rest.
            if fifo.len() > 2 * self.live + 64 {
                let slots = &self.slots;
                fifo.retain(|slot, number| matches!(slots.get(slot as usize), Some(Slot::Taken { number: found, .. }) if *found == number));
            }
            return;
        }
        self.retired.push(slot);
        self.tell(event);
    }

    /// One more slot. Grows by a sixteenth, not twofold: small entries should not pay for empty slots.
    fn grow(&mut self) -> u32 {
        if self.slots.len() == self.slots.capacity() {
            let more = (self.slots.len() / 16).max(16);
            self.slots.reserve_exact(more);
            self.meta.reserve_exact(more);
        }
        self.slots.push(Slot::Free);
        self.meta.push(SlotMeta::default());
        // More than four thousand million entries do not fit into memory.
        self.slots.len() as u32 - 1
    }

    /// Frees slots at the end that hold nothing.
    fn give_back(&mut self) {
        self.deliver();
        let used = self
            .slots
            .iter()
            .rposition(|slot| matches!(slot, Slot::Taken { .. }));
        let len = used.map_or(0, |last| last + 1);
        self.slots.truncate(len);
        self.meta.truncate(len);
        self.free.retain(|&slot| (slot as usize) < len);
        self.slots.shrink_to_fit();
        self.meta.shrink_to_fit();
        self.free.shrink_to_fit();
        self.pending.shrink_to_fit();
        if let Some(wheel) = &mut self.wheel {
            wheel.truncate(len);
        }
        let slots = &self.slots;
        self.index
            .shrink_to_fit(|&slot| match &slots[slot as usize] {
                Slot::Taken { key, .. } => spread(key.key_hash()),
                Slot::Free => 0,
            });
    }
}
