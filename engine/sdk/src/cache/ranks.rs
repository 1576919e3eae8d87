//! Slots by rank.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::SlotTable;

/// Slots by rank, the smallest first, each step in logarithmic time.
///
/// Equal ranks go by slot, an order that means nothing; a rank should end in something that differs
/// for every slot, such as a stamp.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(
    serialize = "R: Serialize + Ord",
    deserialize = "R: DeserializeOwned + Ord"
))]
pub struct SlotRanks<R> {
    order: BTreeSet<(R, u32)>,
    ranks: SlotTable<Option<R>>,
}

impl<R> Default for SlotRanks<R> {
    fn default() -> Self {
        Self {
            order: BTreeSet::new(),
            ranks: SlotTable::default(),
        }
    }
}

impl<R: Copy + Ord> SlotRanks<R> {
    /// Number of slots with a rank.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// True without slots.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The rank of a slot.
    pub fn get(&self, slot: u32) -> Option<R> {
        self.ranks.get(slot)
    }

    /// Gives a slot a rank, in place of the one it has.
    pub fn set(&mut self, slot: u32, rank: R) {
        self.remove(slot);
        self.ranks.set(slot, Some(rank));
        self.order.insert((rank, slot));
    }

    /// Takes a slot out, if it is there, and returns its rank.
    pub fn remove(&mut self, slot: u32) -> Option<R> {
        let rank = self.ranks.get(slot)?;
        self.ranks.set(slot, None);
        self.order.remove(&(rank, slot));
        Some(rank)
    }

    /// The smallest rank and its slot.
    pub fn first(&self) -> Option<(R, u32)> {
        self.order.first().copied()
    }

    /// Takes out the slot with the smallest rank.
    pub fn pop_first(&mut self) -> Option<(R, u32)> {
        let (rank, slot) = self.order.pop_first()?;
        self.ranks.set(slot, None);
        Some((rank, slot))
    }
}

#[cfg(test)]
mod tests {
    use super::SlotRanks;

    #[test]
    fn slots_come_out_by_their_latest_rank() {
        let mut ranks = SlotRanks::default();
        for (slot, rank) in [(4, 30), (0, 10), (2, 20), (0, 40)] {
            ranks.set(slot, rank);
        }
        assert_eq!(
            (ranks.len(), ranks.get(0), ranks.get(1)),
            (3, Some(40), None)
        );
        assert_eq!((ranks.remove(4), ranks.remove(4)), (Some(30), None));
        assert_eq!(ranks.first(), Some((20, 2)));
        assert_eq!(ranks.pop_first(), Some((20, 2)));
        assert_eq!(ranks.pop_first(), Some((40, 0)));
        assert_eq!((ranks.pop_first(), ranks.is_empty()), (None, true));
        assert_eq!(ranks.get(0), None);
    }
}
