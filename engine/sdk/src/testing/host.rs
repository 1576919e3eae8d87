//! The exact host behind a replay: one thread, every event, nothing pending at a decision.

use std::collections::{BTreeSet, HashMap};

use eyemap_abi::{
    CachePolicy as _, Event, SlotMeta,
    abi_stable::std_types::{ROption, RSlice, RSliceMut},
    cache::{EventKind, NEEDS_ADMISSION, NEEDS_HIT_ORDER, NEEDS_MISSES},
};

use super::{Replayed, Request, Step};
use crate::{CachePolicy, cache::PolicyAdapter};

/// What must not matter: events a call, victims a call, steps between two restores.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) batch: usize,
    pub(super) places: usize,
    pub(super) restore_every: usize,
}

/// A cache without values around one policy.
pub(super) struct Host<'a, P: CachePolicy> {
    config: &'a P::Config,
    shape: Shape,
    policy: PolicyAdapter<P>,
    capacity: u64,
    occupied: u64,
    tick: u64,
    generation: u32,
    meta: Vec<SlotMeta>,
    /// The insert of each slot.
    entries: Vec<Event>,
    slots: HashMap<u64, u32>,
    expiries: BTreeSet<(u64, u32)>,
    free: Vec<u32>,
    /// Slots that are free as soon as their removal was delivered.
    leaving: Vec<u32>,
    pending: Vec<Event>,
}

fn create<P: CachePolicy>(config: &P::Config, capacity: u64) -> PolicyAdapter<P> {
    // A configuration need not be `Clone`.
    let json = serde_json::to_string(config).expect("a configuration that can be written");
    let config = crate::config::parse(&json).expect("a configuration that can be read");
    PolicyAdapter::new(P::create(config, capacity).expect("a policy"))
}

impl<'a, P: CachePolicy> Host<'a, P> {
    pub(super) fn new(config: &'a P::Config, capacity: u64, shape: Shape) -> Self {
        Self {
            config,
            shape,
            policy: create(config, capacity),
            capacity,
            occupied: 0,
            tick: 0,
            generation: 0,
            meta: Vec::new(),
            entries: Vec::new(),
            slots: HashMap::new(),
            expiries: BTreeSet::new(),
            free: Vec::new(),
            leaving: Vec::new(),
            pending: Vec::new(),
        }
    }

    pub(super) fn run(mut self, steps: &[Step]) -> Replayed {
        let mut replayed = Replayed::default();
        for (index, step) in steps.iter().enumerate() {
            match *step {
                Step::Ask(request) => {
                    let hit = self.ask(&request);
                    replayed.bits.push(if hit { '1' } else { '0' });
                    replayed.hits += u64::from(hit);
                    replayed.hit_bytes += request.weight * u64::from(hit);
                    replayed.hit_cost_ns += request.cost_ns * u64::from(hit);
                }
                Step::Remove(key) => {
                    if let Some(&slot) = self.slots.get(&key) {
                        self.leave(slot, EventKind::Remove);
                    }
                }
                Step::Reweigh(key, weight) => {
                    if let Some(&slot) = self.slots.get(&key) {
                        self.reweigh(slot, weight);
                    }
                }
                Step::Resize(capacity) => self.resize(capacity),
            }
            assert!(self.occupied <= self.capacity, "step {index}: too full");
            if (index + 1).is_multiple_of(self.shape.restore_every) {
                self.restore();
            }
        }
        replayed
    }

    fn ask(&mut self, request: &Request) -> bool {
        self.tick = request.tick;
        self.expire();
        if let Some(&slot) = self.slots.get(&request.key) {
            self.hit(slot, request);
            return true;
        }
        let mut event = Event {
            kind: EventKind::Miss,
            cache: 0,
            flags: 0,
            slot: u32::MAX,
            generation: 0,
            key_hash: request.key,
            weight: request.weight,
            cost_ns: request.cost_ns,
            tick: request.tick,
            expires_at: request.expires_at,
            next_use: u64::MAX,
        };
        if P::NEEDS & NEEDS_MISSES != 0 {
            self.tell(event);
        }
        if request.weight <= self.capacity && self.make_room(Some(event)) {
            event.kind = EventKind::Insert;
            self.insert(event);
        }
        false
    }

    fn hit(&mut self, slot: u32, request: &Request) {
        self.meta[slot as usize].touch();
        let entry = &mut self.entries[slot as usize];
        if request.renews {
            self.expiries.remove(&(entry.expires_at, slot));
            entry.expires_at = request.expires_at;
            self.expiries.insert((entry.expires_at, slot));
        }
        let event = Event {
            kind: EventKind::Hit,
            tick: request.tick,
            ..*entry
        };
        if P::NEEDS & NEEDS_HIT_ORDER != 0 {
            self.tell(event);
        }
    }

    fn reweigh(&mut self, slot: u32, weight: u64) {
        let (kind, tick) = (EventKind::Reweigh, self.tick);
        let entry = &mut self.entries[slot as usize];
        self.occupied = self.occupied - entry.weight + weight;
        entry.weight = weight;
        let event = Event {
            kind,
            tick,
            ..*entry
        };
        let before = &self.meta[slot as usize];
        let meta = SlotMeta::resident(weight);
        meta.set_hits(before.hits());
        self.meta[slot as usize] = meta;
        self.tell(event);
        self.make_room(None);
    }

    fn expire(&mut self) {
        while let Some(&(at, slot)) = self.expiries.first()
            && at <= self.tick
        {
            self.leave(slot, EventKind::Expire);
        }
    }

    fn resize(&mut self, capacity: u64) {
        // What happened before the change is told before it.
        self.decide(0, None);
        let resized = self.policy.resize(capacity).into_result();
        resized.expect("a policy that takes another capacity");
        self.capacity = capacity;
        self.make_room(None);
    }

    fn make_room(&mut self, candidate: Option<Event>) -> bool {
        let weight = candidate.map_or(0, |candidate| candidate.weight);
        let asks = candidate.is_some() && P::NEEDS & NEEDS_ADMISSION != 0;
        let need = |host: &Self| (host.occupied + weight).saturating_sub(host.capacity);
        if need(self) == 0 && !asks {
            return true;
        }
        loop {
            let (victims, admit) = self.decide(need(self), candidate);
            let stuck = victims.is_empty() && admit && need(self) > 0;
            assert!(!stuck, "no victim although {} bytes are wanted", need(self));
            for slot in victims {
                self.leave(slot, EventKind::Remove);
            }
            if !admit || need(self) == 0 {
                return admit;
            }
        }
    }

    fn insert(&mut self, event: Event) {
        if self.free.is_empty() && !self.leaving.is_empty() {
            self.decide(0, None);
        }
        let slot = self.free.pop().unwrap_or(self.meta.len() as u32);
        if slot as usize == self.meta.len() {
            self.meta.push(SlotMeta::default());
            self.entries.push(event);
        }
        self.generation += 1;
        let event = Event {
            slot,
            generation: self.generation,
            ..event
        };
        self.meta[slot as usize] = SlotMeta::resident(event.weight);
        self.entries[slot as usize] = event;
        self.slots.insert(event.key_hash, slot);
        self.expiries.insert((event.expires_at, slot));
        self.occupied += event.weight;
        self.tell(event);
    }

    fn leave(&mut self, slot: u32, kind: EventKind) {
        let resident = self
            .meta
            .get(slot as usize)
            .is_some_and(SlotMeta::is_resident);
        assert!(resident, "victim {slot} is not there");
        let tick = self.tick;
        let entry = Event {
            kind,
            tick,
            ..self.entries[slot as usize]
        };
        self.meta[slot as usize] = SlotMeta::default();
        self.slots.remove(&entry.key_hash);
        self.expiries.remove(&(entry.expires_at, slot));
        self.occupied -= entry.weight;
        self.leaving.push(slot);
        self.tell(entry);
    }

    fn tell(&mut self, event: Event) {
        self.pending.push(event);
        if self.pending.len() >= self.shape.batch {
            self.decide(0, None);
        }
    }

    /// Delivers what is pending and returns the victims, and whether the candidate may come in.
    fn decide(&mut self, need: u64, candidate: Option<Event>) -> (Vec<u32>, bool) {
        let mut out = vec![u32::MAX; self.shape.places];
        let decided = self.policy.decide(
            RSlice::from_slice(&self.pending),
            RSlice::from_slice(&self.meta),
            need,
            ROption::from(candidate),
            RSliceMut::from_mut_slice(&mut out),
        );
        let decision = decided.into_result().expect("a decision");
        self.pending.clear();
        self.free.append(&mut self.leaving);
        out.truncate(decision.victims as usize);
        (out, decision.admit)
    }

    fn restore(&mut self) {
        let state = self.policy.snapshot().into_result().expect("a state");
        self.policy = create(self.config, self.capacity);
        let restored = self.policy.restore(RSlice::from_slice(&state));
        restored.into_result().expect("a state that can be read");
    }
}
