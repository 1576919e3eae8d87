//! Entries that are gone and still remembered, by the hash of their key.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

/// Hashes and weights in the order they came, each step in constant time on average.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(into = "Vec<(u64, u64)>", from = "Vec<(u64, u64)>")]
pub struct Ghosts {
    /// Hashes with the stamp that they came with; one whose stamp is old is no more.
    order: VecDeque<(u64, u64)>,
    /// Stamp and weight of those that are remembered.
    known: HashMap<u64, (u64, u64)>,
    bytes: u64,
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

    /// Sum of their weights.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether a hash is remembered.
    pub fn contains(&self, key_hash: u64) -> bool {
        self.known.contains_key(&key_hash)
    }

    /// Remembers a hash as the newest; one that is known moves there.
    pub fn push_newest(&mut self, key_hash: u64, weight: u64) {
        self.remove(key_hash);
        self.stamp += 1;
        self.order.push_back((key_hash, self.stamp));
        self.known.insert(key_hash, (self.stamp, weight));
        self.bytes = self.bytes.saturating_add(weight);
    }

    /// Forgets a hash, and returns its weight.
    pub fn remove(&mut self, key_hash: u64) -> Option<u64> {
        let (_, weight) = self.known.remove(&key_hash)?;
        self.bytes -= weight;
        // What was removed stays in the order until it is oldest; not more of it than of the rest.
        if self.order.len() > 2 * self.known.len() + 16 {
            let known = &self.known;
            self.order
                .retain(|(hash, stamp)| known.get(hash).is_some_and(|(found, _)| found == stamp));
        }
        Some(weight)
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
    fn what_is_removed_does_not_pile_up() {
        let mut ghosts = Ghosts::default();
        for hash in 0..100_000 {
            ghosts.push_newest(hash, 1);
            ghosts.remove(hash);
        }
        assert!(ghosts.order.len() < 64, "{}", ghosts.order.len());
    }
}
