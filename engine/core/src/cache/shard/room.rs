//! The talk with the policy: what happened, and who goes.

use eyemap_abi::{
    Event,
    cache::{EventKind, NEEDS_ADMISSION, NEEDS_CANDIDATE},
};

use super::{CacheKey, Decider, Fifo, Gone, Manner, Shard, Slot, VICTIMS, spread};

impl<K: CacheKey, V> Shard<K, V> {
    pub(super) fn tell(&mut self, event: Event) {
        if matches!(self.decider, Decider::Fifo(_)) {
            return;
        }
        self.pending.push(event);
        if self.pending.len() >= self.manner.batch {
            self.deliver();
        }
    }

    /// Delivers what is pending.
    pub(super) fn deliver(&mut self) {
        if let Decider::Policy(policy) = &mut self.decider
            && !self.pending.is_empty()
        {
            let told = policy.decide(&self.pending, &self.meta, (0, None), &mut []);
            self.pending.clear();
            if let Err(fault) = told {
                self.quarantine(fault);
            }
        }
        self.free.append(&mut self.retired);
    }

    /// Asks for victims until `excess` bytes are free. Returns whether the newcomer may come in.
    pub(super) fn make_room(
        &mut self,
        excess: u64,
        newcomer: Option<Event>,
        gone: &mut Gone<K, V>,
    ) -> bool {
        let mut wanted = excess;
        let target = self.occupied - excess.min(self.occupied);
        let mut victims = [u32::MAX; VICTIMS];
        while let Decider::Policy(policy) = &mut self.decider {
            let ahead = ahead(
                self.manner,
                self.needs,
                (self.capacity, self.occupied, self.live),
            );
            let need = (wanted + ahead, newcomer);
            let answer = policy.decide(&self.pending, &self.meta, need, &mut victims);
            self.pending.clear();
            self.free.append(&mut self.retired);
            let done = answer.and_then(|answer| {
                self.fetch(&victims[..answer.victims]);
                for &slot in &victims[..answer.victims] {
                    self.evict(slot, gone)?;
                }
                wanted = self.occupied.saturating_sub(target);
                match answer {
                    // Without a newcomer there is nothing to refuse.
                    answer if !answer.admit && newcomer.is_some() => Ok(Some(false)),
                    _ if wanted == 0 => Ok(Some(true)),
                    answer if answer.victims == 0 => Err(format!(
                        "it named no victim although {wanted} bytes are wanted"
                    )),
                    _ => Ok(None),
                }
            });
            match done {
                Ok(Some(admit)) => return admit,
                Ok(None) => {}
                Err(fault) => self.quarantine(fault),
            }
        }
        self.evict_oldest(target, gone);
        true
    }

    /// Reads what the removal of each victim will need, all at once: their places in memory have
    /// nothing to do with each other, so the processor waits for all of them together.
    fn fetch(&self, victims: &[u32]) {
        let key_hash = |&slot: &u32| match self.slots.get(slot as usize) {
            Some(Slot::Taken { key, .. }) => spread(key.key_hash()),
            _ => 0,
        };
        let mut hashes = [0; VICTIMS];
        for (hash, slot) in hashes.iter_mut().zip(victims) {
            *hash = key_hash(slot);
        }
        let found = hashes
            .iter()
            .zip(victims)
            .filter(|&(&hash, &victim)| self.index.find(hash, |&slot| slot == victim).is_some());
        std::hint::black_box(found.count());
    }

    fn evict(&mut self, slot: u32, gone: &mut Gone<K, V>) -> Result<(), String> {
        if !matches!(self.slots.get(slot as usize), Some(Slot::Taken { .. })) {
            return Err(format!("it named slot {slot}, which holds no entry"));
        }
        self.counts.evictions += 1;
        self.remove_slot(slot, EventKind::Remove, gone);
        Ok(())
    }

    fn evict_oldest(&mut self, target: u64, gone: &mut Gone<K, V>) {
        while self.occupied > target {
            let Decider::Fifo(fifo) = &mut self.decider else {
                return;
            };
            let Some((slot, number)) = fifo.pop() else {
                return;
            };
            // The slot of an entry that was removed by name may be gone since.
            let same = matches!(self.slots.get(slot as usize), Some(Slot::Taken { number: found, .. }) if *found == number);
            if same {
                self.counts.evictions += 1;
                self.remove_slot(slot, EventKind::Remove, gone);
            }
        }
    }

    /// The policy is asked no more; the oldest entry goes first from now on.
    pub(super) fn quarantine(&mut self, fault: String) {
        let Decider::Policy(policy) = &self.decider else {
            return;
        };
        tracing::warn!(
            policy = policy.name(),
            fault,
            "a cache policy failed; first in, first out from now on"
        );
        self.fault = Some(format!("{}: {fault}", policy.name()));
        let used = self
            .slots
            .iter()
            .enumerate()
            .filter_map(|(slot, found)| match found {
                Slot::Taken { number, .. } => Some((slot as u32, *number)),
                Slot::Free => None,
            });
        self.decider = Decider::Fifo(Fifo::of(used.collect(), self.number));
        self.needs = 0;
        self.pending = Vec::new();
        self.free.append(&mut self.retired);
    }
}

/// How much room to make beyond what is needed: that of about as many entries as one call names. A
/// policy that weighs newcomers is not asked ahead.
const fn ahead(manner: Manner, needs: u32, (capacity, occupied, live): (u64, u64, usize)) -> u64 {
    let weighs = needs & (NEEDS_ADMISSION | NEEDS_CANDIDATE) != 0;
    if !manner.ahead || weighs || live == 0 {
        return 0;
    }
    let entries = occupied / live as u64 * (VICTIMS as u64 - 1);
    let share = capacity / 64;
    if entries < share { entries } else { share }
}
