//! The exact host around one policy, which notes what the policy does wrong and goes on.
//!
//! Unlike the engine's it believes what it is told, so that every wrong answer shows itself, and it
//! can reweigh an entry. Decisions are noted by key: slots depend on when a removal was told.

use std::collections::{BTreeSet, HashMap};

use eyemap_abi::{
    CacheExtension, CachePolicyBox, ErrorKind, Event, PluginError, SlotMeta,
    abi_stable::std_types::{RErr, RNone, ROk, RSlice, RSliceMut, RSome, RStr},
    cache::{EventKind, NEEDS_ADMISSION, NEEDS_HIT_ORDER, NEEDS_MISSES},
};

use super::step::{Decided, Outcome, Shape, Step, Wrong};

/// A cache without values around a policy.
///
/// Steps are taken one by one; what the policy decides and does wrong is in [`Driver::outcome`].
pub struct Driver<'a> {
    extension: &'a CacheExtension,
    options: &'a str,
    rename: fn(u64) -> u64,
    clock: Clock,
    shape: Shape,
    policy: CachePolicyBox,
    needs: u32,
    /// In bytes.
    pub capacity: u64,
    /// Weight of all entries, in bytes.
    pub occupied: u64,
    tick: u64,
    generation: u32,
    step: usize,
    meta: Vec<SlotMeta>,
    /// The insert of each slot that holds an entry, with its key.
    entries: Vec<Option<(u64, Event)>>,
    slots: HashMap<u64, u32>,
    expiries: BTreeSet<(u64, u32, u32)>,
    free: Vec<u32>,
    /// Slots that are free as soon as their removal was told.
    leaving: Vec<u32>,
    pending: Vec<Event>,
    /// Whether decisions are noted.
    pub notes: bool,
    /// What happened so far.
    pub outcome: Outcome,
}

impl std::fmt::Debug for Driver<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Driver(step {}, {} of {} bytes)",
            self.step, self.occupied, self.capacity
        )
    }
}

/// What a policy is told in place of the driver's own clock, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// A tick is as long as so many.
    pub times: u64,
    /// Where it begins.
    pub plus: u64,
}

impl Default for Clock {
    fn default() -> Self {
        Self { times: 1, plus: 0 }
    }
}

impl Clock {
    fn told(self, event: Event) -> Event {
        let told = |tick: u64| match tick {
            u64::MAX => u64::MAX,
            tick => tick.saturating_mul(self.times).saturating_add(self.plus),
        };
        Event {
            tick: told(event.tick),
            expires_at: told(event.expires_at),
            ..event
        }
    }
}

fn create(
    extension: &CacheExtension,
    options: &str,
    capacity: u64,
) -> Result<CachePolicyBox, PluginError> {
    (extension.create)(RStr::from_str(options), capacity).into_result()
}

impl<'a> Driver<'a> {
    /// An empty cache of a capacity in bytes around a new policy.
    ///
    /// # Errors
    /// When the policy refuses its options (canonical JSON) or the capacity.
    pub fn new(
        extension: &'a CacheExtension,
        options: &'a str,
        capacity: u64,
        shape: Shape,
    ) -> Result<Self, PluginError> {
        let policy = create(extension, options, capacity)?;
        Ok(Self {
            extension,
            options,
            rename: |key| key,
            clock: Clock::default(),
            shape,
            needs: policy.needs(),
            policy,
            capacity,
            occupied: 0,
            tick: 0,
            generation: 0,
            step: 0,
            meta: Vec::new(),
            entries: Vec::new(),
            slots: HashMap::new(),
            expiries: BTreeSet::new(),
            free: Vec::new(),
            leaving: Vec::new(),
            pending: Vec::new(),
            notes: true,
            outcome: Outcome::default(),
        })
    }

    /// Tells the policy other hashes; what is noted has the keys all the same.
    #[must_use]
    pub fn renamed(mut self, rename: fn(u64) -> u64) -> Self {
        self.rename = rename;
        self
    }

    /// Tells the policy other ticks, in the same order.
    #[must_use]
    pub const fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Takes steps and returns all that was decided.
    pub fn run(mut self, steps: &[Step]) -> Outcome {
        steps.iter().for_each(|&step| self.take(step));
        self.outcome
    }

    /// Takes one step.
    pub fn take(&mut self, step: Step) {
        self.step += 1;
        match step {
            Step::Ask { .. } => self.ask(step),
            Step::Remove(key) => {
                if let Some(&slot) = self.slots.get(&key) {
                    self.leave(slot, EventKind::Remove);
                }
            }
            Step::Reweigh(key, weight) => self.reweigh(key, weight),
            Step::Resize(capacity) => self.resize(capacity),
            Step::Advance(ticks) => {
                self.tick = self.tick.saturating_add(ticks);
                self.expire();
            }
            Step::Restore => self.restore(),
        }
        if self.occupied > self.capacity {
            let full = format!("{} bytes in {}", self.occupied, self.capacity);
            self.complain(Wrong::TooFull, full);
        }
    }

    /// Slots that there were so far.
    pub fn slots(&self) -> usize {
        self.meta.len()
    }

    /// The policy's state.
    pub fn state(&mut self) -> Option<Vec<u8>> {
        self.decide(0, None);
        match self.policy.snapshot() {
            ROk(state) => Some(state.to_vec()),
            RErr(error) => {
                self.failed(&error);
                None
            }
        }
    }

    fn complain(&mut self, wrong: Wrong, words: String) {
        let step = self.step;
        let first = || format!("step {step}: {words}");
        self.outcome.wrong.entry(wrong).or_insert_with(first);
    }

    fn failed(&mut self, error: &PluginError) {
        let wrong = match error.kind {
            ErrorKind::Panic => Wrong::Panicked,
            _ => Wrong::Failed,
        };
        self.complain(wrong, error.to_string());
    }

    fn note(&mut self, decided: Decided) {
        if self.notes {
            self.outcome.decided.push(decided);
        }
    }

    fn ask(&mut self, step: Step) {
        let Step::Ask {
            key,
            weight,
            cost_ns,
            ttl,
            renews,
        } = step
        else {
            return;
        };
        let expires_at = ttl.map_or(u64::MAX, |ttl| self.tick.saturating_add(ttl.max(1)));
        let hit = self.slots.get(&key).copied();
        self.outcome.bits.push(hit.is_some());
        if let Some(slot) = hit {
            self.hit(slot, renews.then_some(expires_at));
            self.note(Decided::Hit(key));
            return;
        }
        let event = Event {
            kind: EventKind::Miss,
            cache: 0,
            flags: 0,
            slot: u32::MAX,
            generation: 0,
            key_hash: (self.rename)(key),
            weight,
            cost_ns,
            tick: self.tick,
            expires_at,
            next_use: u64::MAX,
        };
        if self.needs & NEEDS_MISSES != 0 {
            self.tell(event);
        }
        if weight > self.capacity {
            return;
        }
        if self.make_room(Some(event)) {
            self.insert(key, event);
        } else {
            self.note(Decided::Refused(key));
        }
    }

    fn hit(&mut self, slot: u32, renewed: Option<u64>) {
        let tick = self.tick;
        self.meta[slot as usize].touch();
        let Some((_, entry)) = &mut self.entries[slot as usize] else {
            return;
        };
        if let Some(expires_at) = renewed {
            self.expiries
                .remove(&(entry.expires_at, entry.generation, slot));
            entry.expires_at = expires_at;
            self.expiries.insert((expires_at, entry.generation, slot));
        }
        let event = Event {
            kind: EventKind::Hit,
            tick,
            ..*entry
        };
        if self.needs & NEEDS_HIT_ORDER != 0 {
            self.tell(event);
        }
    }

    fn reweigh(&mut self, key: u64, weight: u64) {
        let Some(&slot) = self.slots.get(&key) else {
            return;
        };
        let tick = self.tick;
        let Some((_, entry)) = &mut self.entries[slot as usize] else {
            return;
        };
        self.occupied = self.occupied - entry.weight + weight;
        entry.weight = weight;
        let event = Event {
            kind: EventKind::Reweigh,
            tick,
            ..*entry
        };
        self.meta[slot as usize].set_weight(weight);
        self.tell(event);
        self.make_room(None);
    }

    fn expire(&mut self) {
        while let Some(&(at, _, slot)) = self.expiries.first()
            && at <= self.tick
        {
            self.leave(slot, EventKind::Expire);
        }
    }

    fn resize(&mut self, capacity: u64) {
        // What happened before the change is told before it.
        self.decide(0, None);
        if let RErr(error) = self.policy.resize(capacity) {
            self.failed(&error);
        }
        self.capacity = capacity;
        self.make_room(None);
    }

    fn need(&self, candidate: Option<Event>) -> u64 {
        let weight = candidate.map_or(0, |candidate| candidate.weight);
        self.occupied
            .saturating_add(weight)
            .saturating_sub(self.capacity)
    }

    fn make_room(&mut self, candidate: Option<Event>) -> bool {
        let asks = candidate.is_some() && self.needs & NEEDS_ADMISSION != 0;
        if self.need(candidate) == 0 && !asks {
            return true;
        }
        loop {
            let (victims, admit) = self.decide(self.need(candidate), candidate);
            let named = victims.len();
            let mut left = BTreeSet::new();
            for slot in victims {
                self.evict(slot, &mut left);
            }
            // Without a newcomer there is nothing to refuse.
            if candidate.is_some() && !admit {
                return false;
            }
            let need = self.need(candidate);
            if need == 0 {
                return true;
            }
            if named == 0 || left.is_empty() {
                if !self.slots.is_empty() {
                    let words = format!("{need} bytes are wanted and {} are in", self.slots.len());
                    self.complain(Wrong::TooFew, words);
                }
                return true;
            }
        }
    }

    fn evict(&mut self, slot: u32, left: &mut BTreeSet<u32>) {
        match self.entries.get(slot as usize) {
            Some(&Some((key, _))) => {
                self.note(Decided::Evicted(key));
                left.insert(slot);
                self.leave(slot, EventKind::Remove);
            }
            _ if left.contains(&slot) => self.complain(Wrong::Twice, format!("slot {slot}")),
            Some(None) => self.complain(Wrong::Gone, format!("slot {slot}")),
            None => self.complain(Wrong::NotResident, format!("slot {slot}")),
        }
    }

    fn insert(&mut self, key: u64, event: Event) {
        if self.free.is_empty() && !self.leaving.is_empty() {
            self.decide(0, None);
        }
        let slot = self.free.pop().unwrap_or(self.meta.len() as u32);
        if slot as usize == self.meta.len() {
            self.meta.push(SlotMeta::default());
            self.entries.push(None);
        }
        self.generation += 1;
        let event = Event {
            kind: EventKind::Insert,
            slot,
            generation: self.generation,
            ..event
        };
        self.meta[slot as usize] = SlotMeta::resident(event.weight);
        self.entries[slot as usize] = Some((key, event));
        self.slots.insert(key, slot);
        if event.expires_at != u64::MAX {
            self.expiries
                .insert((event.expires_at, event.generation, slot));
        }
        self.occupied += event.weight;
        self.tell(event);
    }

    fn leave(&mut self, slot: u32, kind: EventKind) {
        let Some((key, entry)) = self.entries[slot as usize].take() else {
            return;
        };
        let event = Event {
            kind,
            tick: self.tick,
            ..entry
        };
        self.meta[slot as usize] = SlotMeta::default();
        self.slots.remove(&key);
        self.expiries
            .remove(&(entry.expires_at, entry.generation, slot));
        self.occupied -= entry.weight;
        self.leaving.push(slot);
        self.tell(event);
    }

    fn tell(&mut self, event: Event) {
        self.pending.push(event);
        if self.pending.len() >= self.shape.batch {
            self.decide(0, None);
        }
    }

    /// Delivers what is pending. Returns the victims, and whether the candidate may come in.
    fn decide(&mut self, need: u64, candidate: Option<Event>) -> (Vec<u32>, bool) {
        let mut out = vec![u32::MAX; self.shape.places];
        let clock = self.clock;
        for event in &mut self.pending {
            *event = clock.told(*event);
        }
        let candidate = candidate.map(|event| clock.told(event));
        let decided = self.policy.decide(
            RSlice::from_slice(&self.pending),
            RSlice::from_slice(&self.meta),
            need,
            candidate.map_or(RNone, RSome),
            RSliceMut::from_mut_slice(&mut out),
        );
        self.pending.clear();
        self.free.append(&mut self.leaving);
        match decided {
            ROk(decision) if decision.victims as usize <= out.len() => {
                out.truncate(decision.victims as usize);
                (out, decision.admit)
            }
            ROk(decision) => {
                let words = format!("{} victims in {} places", decision.victims, out.len());
                self.complain(Wrong::Failed, words);
                (Vec::new(), true)
            }
            RErr(error) => {
                self.failed(&error);
                (Vec::new(), true)
            }
        }
    }

    fn restore(&mut self) {
        let Some(state) = self.state() else { return };
        // It learns its capacity from its state, not from where it was created.
        match create(self.extension, self.options, self.capacity) {
            Ok(policy) => self.policy = policy,
            Err(error) => return self.failed(&error),
        }
        if let RErr(error) = self.policy.restore(RSlice::from_slice(&state)) {
            self.failed(&error);
        }
    }
}
