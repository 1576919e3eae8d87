//! Slots in an order.

use serde::{Deserialize, Serialize};

const NONE: u32 = u32::MAX;

/// Slots in an order, oldest to newest, each step in constant time.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "Vec<u32>", try_from = "Vec<u32>")]
pub struct SlotList {
    older: Vec<u32>,
    newer: Vec<u32>,
    oldest: u32,
    newest: u32,
    len: usize,
}

impl Default for SlotList {
    fn default() -> Self {
        Self {
            older: Vec::new(),
            newer: Vec::new(),
            oldest: NONE,
            newest: NONE,
            len: 0,
        }
    }
}

impl SlotList {
    /// Number of slots in the list.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// True without slots.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a slot is in the list.
    pub fn contains(&self, slot: u32) -> bool {
        let index = slot as usize;
        index < self.older.len()
            && (self.older[index] != NONE || self.newer[index] != NONE || self.oldest == slot)
    }

    /// Puts a slot at the newest end; one that is in the list moves there.
    pub fn push_newest(&mut self, slot: u32) {
        self.remove(slot);
        let index = slot as usize;
        if index >= self.older.len() {
            // By a sixteenth, not twofold: small entries should not pay for empty slots.
            let more = (index + 1 - self.older.len()).max(self.older.len() / 16);
            for links in [&mut self.older, &mut self.newer] {
                if index >= links.capacity() {
                    links.reserve_exact(more);
                }
                links.resize(index + 1, NONE);
            }
        }
        self.older[index] = self.newest;
        match self.newest {
            NONE => self.oldest = slot,
            newest => self.newer[newest as usize] = slot,
        }
        self.newest = slot;
        self.len += 1;
    }

    /// Takes a slot out, if it is in the list.
    pub fn remove(&mut self, slot: u32) {
        if !self.contains(slot) {
            return;
        }
        let index = slot as usize;
        let (older, newer) = (self.older[index], self.newer[index]);
        match older {
            NONE => self.oldest = newer,
            older => self.newer[older as usize] = newer,
        }
        match newer {
            NONE => self.newest = older,
            newer => self.older[newer as usize] = older,
        }
        (self.older[index], self.newer[index]) = (NONE, NONE);
        self.len -= 1;
    }

    /// Takes out the oldest slot.
    pub fn pop_oldest(&mut self) -> Option<u32> {
        let slot = self.oldest()?;
        self.remove(slot);
        Some(slot)
    }

    /// The slot at the old end.
    pub fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// The neighbour of a slot on the way to the newest end.
    pub fn newer(&self, slot: u32) -> Option<u32> {
        let newer = self.newer.get(slot as usize).copied()?;
        (newer != NONE).then_some(newer)
    }

    /// The slots, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        std::iter::successors(self.oldest(), |&slot| self.newer(slot))
    }
}

impl From<SlotList> for Vec<u32> {
    fn from(list: SlotList) -> Self {
        list.iter().collect()
    }
}

/// More slots than any cache has; a limit on what a damaged state can ask for.
const MAX_SLOT: u32 = 1 << 28;

impl TryFrom<Vec<u32>> for SlotList {
    type Error = &'static str;

    fn try_from(slots: Vec<u32>) -> Result<Self, Self::Error> {
        let mut list = Self::default();
        for slot in slots {
            if slot > MAX_SLOT || list.contains(slot) {
                return Err("a list of slots with one that is impossible or there twice");
            }
            list.push_newest(slot);
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::SlotList;

    #[test]
    fn a_slot_list_keeps_its_order_through_moves_and_removals() {
        let mut list = SlotList::default();
        for slot in [3, 0, 7, 1] {
            list.push_newest(slot);
        }
        list.push_newest(0);
        list.remove(7);
        list.remove(7);
        assert_eq!(list.iter().collect::<Vec<_>>(), [3, 1, 0]);
        assert_eq!((list.pop_oldest(), list.len()), (Some(3), 2));
        assert_eq!(
            (list.oldest(), list.newer(1), list.newer(0)),
            (Some(1), Some(0), None)
        );
        let copy = SlotList::try_from(Vec::from(list.clone())).expect("a list");
        assert_eq!(copy.iter().collect::<Vec<_>>(), [1, 0]);
        assert!(SlotList::try_from(vec![1, 1]).is_err());
        list.remove(1);
        list.remove(0);
        assert_eq!((list.pop_oldest(), list.is_empty()), (None, true));
    }
}
