//! One decision: how much room is wanted, for whom, and who was named so far.

use eyemap_abi::{Event, SlotMeta};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What the host asks for, and the victims so far.
#[derive(Debug)]
pub struct Room<'a> {
    need: u64,
    freed: u64,
    candidate: Option<Event>,
    slots: &'a [SlotMeta],
    out: &'a mut [u32],
    victims: usize,
    named: &'a mut Named,
}

impl<'a> Room<'a> {
    pub(crate) const fn new(
        need: u64,
        candidate: Option<Event>,
        slots: &'a [SlotMeta],
        out: &'a mut [u32],
        named: &'a mut Named,
    ) -> Self {
        Self {
            need,
            freed: 0,
            candidate,
            slots,
            out,
            victims: 0,
            named,
        }
    }

    /// Whether more has to go. Also false when the host takes no more victims in this call.
    pub const fn is_wanted(&self) -> bool {
        self.freed < self.need && self.victims < self.out.len()
    }

    /// Bytes that still have to go.
    pub const fn need(&self) -> u64 {
        self.need.saturating_sub(self.freed)
    }

    /// The entry that wants in, if that is why room is wanted.
    pub const fn candidate(&self) -> Option<&Event> {
        self.candidate.as_ref()
    }

    /// What the host knows of each slot.
    pub const fn slots(&self) -> &'a [SlotMeta] {
        self.slots
    }

    /// Names a victim.
    ///
    /// # Errors
    /// When the slot holds no entry, was named already, or no more is wanted.
    pub fn evict(&mut self, slot: u32) -> Result<()> {
        let meta = self.slots.get(slot as usize);
        let Some(meta) = meta.filter(|meta| meta.is_resident()) else {
            return Err(Error::internal(format!("victim {slot} is not resident")));
        };
        let Some(place) = self.out.get_mut(self.victims) else {
            return Err(Error::internal("more victims than the host takes"));
        };
        if !self.named.note(slot) {
            return Err(Error::internal(format!("victim {slot} was named before")));
        }
        *place = slot;
        self.victims += 1;
        self.freed = self.freed.saturating_add(meta.weight());
        Ok(())
    }

    pub(crate) const fn victims(&self) -> u32 {
        // As many as fit in `out`, which the host counts in u32.
        self.victims as u32
    }
}

/// Victims whose removal the host has not told yet: a bit a slot.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Named(Vec<u64>);

impl Named {
    /// False when it was noted before.
    fn note(&mut self, slot: u32) -> bool {
        let (word, bit) = (slot as usize / 64, 1 << (slot % 64));
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let before = self.0[word];
        self.0[word] |= bit;
        before & bit == 0
    }

    /// Whether it was noted; it is not any more.
    pub(crate) fn forget(&mut self, slot: u32) -> bool {
        let (word, bit) = (slot as usize / 64, 1 << (slot % 64));
        let Some(word) = self.0.get_mut(word) else {
            return false;
        };
        let before = *word;
        *word &= !bit;
        before & bit != 0
    }
}
