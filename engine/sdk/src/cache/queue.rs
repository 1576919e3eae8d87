//! A list of slots that knows how many bytes are in it.

use serde::{Deserialize, Serialize};

use super::SlotList;

/// A [`SlotList`] with the sum of the weights in it.
///
/// Its owner knows the weight of a slot, and gives the same on the way in and out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SlotQueue {
    slots: SlotList,
    bytes: u64,
}

impl SlotQueue {
    /// The slots in their order.
    pub const fn slots(&self) -> &SlotList {
        &self.slots
    }

    /// Sum of the weights.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The slot at the old end.
    pub fn oldest(&self) -> Option<u32> {
        self.slots.oldest()
    }

    /// Puts a slot at the newest end; one that is there moves, and keeps its weight.
    pub fn push_newest(&mut self, slot: u32, weight: u64) {
        if !self.slots.contains(slot) {
            self.bytes = self.bytes.saturating_add(weight);
        }
        self.slots.push_newest(slot);
    }

    /// Takes a slot out, and says whether it was there.
    pub fn remove(&mut self, slot: u32, weight: u64) -> bool {
        let there = self.slots.contains(slot);
        if there {
            self.slots.remove(slot);
            self.bytes = self.bytes.saturating_sub(weight);
        }
        there
    }

    /// Counts a slot that is there with another weight.
    pub fn reweigh(&mut self, slot: u32, before: u64, now: u64) {
        if self.slots.contains(slot) {
            self.bytes = self.bytes.saturating_sub(before).saturating_add(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SlotQueue;

    #[test]
    fn a_queue_counts_what_is_in_it() {
        let mut queue = SlotQueue::default();
        queue.push_newest(3, 10);
        queue.push_newest(1, 5);
        queue.push_newest(3, 10);
        assert_eq!((queue.bytes(), queue.oldest()), (15, Some(1)));
        assert!(queue.remove(3, 10) && !queue.remove(3, 10));
        queue.reweigh(3, 10, 99);
        queue.reweigh(1, 5, 7);
        assert_eq!((queue.bytes(), queue.slots().len()), (7, 1));
    }
}
