//! Entries that are gone and still remembered, by the hash of their key.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

/// So many hashes, and four more for each slot of the cache, are remembered at most. Rules bound them by
/// bytes; this is more than those let in, unless entries weigh a few bytes each and there are millions.
const MOST: usize = 1 << 20;

/// Hashes and weights in the order they came, each step in constant time on average.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(into = "Vec<(u64, u64)>", from = "Vec<(u64, u64)>")]
pub struct Ghosts {
    /// Hashes with the stamp that they came with; one whose stamp is old is no more.
    order: VecDeque<(u64, u64)>,
    /// Stamp and weight of those that are remembered.
    known: HashMap<u64, (u64, u64)>,
    bytes: u128,
    stamp: u64,
}

impl Ghosts {
    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// True when nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Sum of their weights, at most `u64::MAX`.
    pub fn bytes(&self) -> u64 {
        u64::try_from(self.bytes).unwrap_or(u64::MAX)
    }

    /// Whether a hash is remembered.
    pub fn contains(&self, key_hash: u64) -> bool {
        self.known.contains_key(&key_hash)
    }

    /// Remembers a hash as the newest; one that is known moves there. What weighs nothing is not
    /// remembered: no rule that counts bytes would ever forget it.
    pub fn push_newest(&mut self, key_hash: u64, weight: u64) {
        self.remove(key_hash);
        if weight == 0 {
            return;
        }
        self.stamp += 1;
        self.order.push_back((key_hash, self.stamp));
        self.known.insert(key_hash, (self.stamp, weight));
        self.bytes += u128::from(weight);
    }

    /// Forgets a hash, and returns its weight.
    pub fn remove(&mut self, key_hash: u64) -> Option<u64> {
        let (_, weight) = self.known.remove(&key_hash)?;
        self.bytes -= u128::from(weight);
        // What was removed stays in the order until it is oldest; not more of it than of the rest.
        if self.order.len() > 2 * self.known.len() + 16 {
            let known = &self.known;
            self.order
                .retain(|(hash, stamp)| known.get(hash).is_some_and(|(found, _)| found == stamp));
        }
        Some(weight)
    }

    /// Forgets the oldest until the others weigh no more than this together, and are no more than a
    /// cache of so many slots has use for.
    pub fn keep_within(&mut self, bytes: u64, slots: usize) {
        let most = slots.saturating_mul(4).saturating_add(MOST);
        while (self.bytes > u128::from(bytes) || self.len() > most) && self.pop_oldest().is_some() {
        }
    }

    /// Forgets the oldest, and returns its hash and weight.
    pub fn pop_oldest(&mut self) -> Option<(u64, u64)> {
        loop {
            let (hash, stamp) = self.order.pop_front()?;
            if self
                .known
                .get(&hash)
                .is_some_and(|(found, _)| *found == stamp)
            {
                return Some((hash, self.remove(hash)?));
            }
        }
    }
}

impl From<Vec<(u64, u64)>> for Ghosts {
    fn from(entries: Vec<(u64, u64)>) -> Self {
        let mut ghosts = Self::default();
        for (hash, weight) in entries {
            ghosts.push_newest(hash, weight);
        }
        ghosts
    }
}

impl From<Ghosts> for Vec<(u64, u64)> {
    fn from(ghosts: Ghosts) -> Self {
        let known = &ghosts.known;
        let weight = |(hash, stamp): &(u64, u64)| {
            let (found, weight) = known.get(hash)?;
            (found == stamp).then_some((*hash, *weight))
        };
        ghosts.order.iter().filter_map(weight).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Ghosts;

    #[test]
    fn ghosts_keep_their_order_through_moves_and_removals() {
        let mut ghosts = Ghosts::default();
        for hash in 1..=4 {
            ghosts.push_newest(hash, hash * 10);
        }
        ghosts.push_newest(1, 11);
        assert_eq!(ghosts.remove(3), Some(30));
        assert_eq!(ghosts.remove(3), None);
        assert_eq!((ghosts.len(), ghosts.bytes()), (3, 71));
        let listed = Vec::from(ghosts.clone());
        assert_eq!(listed, [(2, 20), (4, 40), (1, 11)]);
        assert_eq!(Vec::from(Ghosts::from(listed)), Vec::from(ghosts.clone()));
        assert_eq!(ghosts.pop_oldest(), Some((2, 20)));
        assert_eq!(ghosts.pop_oldest(), Some((4, 40)));
        assert_eq!(ghosts.pop_oldest(), Some((1, 11)));
        assert_eq!((ghosts.pop_oldest(), ghosts.bytes()), (None, 0));
    }

    #[test]
    fn weights_beyond_all_numbers_end() {
        let mut ghosts = Ghosts::default();
        ghosts.push_newest(1, u64::MAX);
        ghosts.push_newest(2, u64::MAX);
        ghosts.keep_within(0, 0);
        assert!(ghosts.is_empty());
        ghosts.push_newest(3, u64::MAX);
        ghosts.push_newest(4, 1);
        assert_eq!(ghosts.remove(3), Some(u64::MAX));
        assert_eq!(ghosts.remove(4), Some(1));
        ghosts.keep_within(0, 0);
    }

    #[test]
    fn they_are_bounded_by_bytes_and_by_a_number_that_honest_use_does_not_meet() {
        let mut ghosts = Ghosts::default();
        for hash in 0..1000 {
            ghosts.push_newest(hash, 3);
            ghosts.keep_within(300, 1);
        }
        assert_eq!((ghosts.len(), ghosts.bytes()), (100, 300));
        assert_eq!(ghosts.pop_oldest(), Some((900, 3)));
        ghosts.push_newest(2000, 0);
        assert!(!ghosts.contains(2000), "what weighs nothing stays for ever");
        for hash in 0..super::MOST as u64 + 100 {
            ghosts.push_newest(hash, 1);
            ghosts.keep_within(u64::MAX, 10);
        }
        assert_eq!(ghosts.len(), super::MOST + 40);
    }

    #[test]
    fn what_is_removed_does_not_pile_up() {
        let mut ghosts = Ghosts::default();
        for hash in 0..100_000 {
            ghosts.push_newest(hash, 1);
            ghosts.remove(hash);
        }
        assert!(ghosts.order.len() < 64, "{}", ghosts.order.len());
    }
}
