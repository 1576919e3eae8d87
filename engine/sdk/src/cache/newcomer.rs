//! What a policy knows of the entry that wants in, between the question and the insert.

use serde::{Deserialize, Serialize};

/// What was found out about the newcomer when it first asked, for the later calls of the same
/// decision and for its insert.
///
/// It holds one newcomer. Where several misses are under way at once, an insert may come for another
/// key than the last that asked; [`Self::take`] then gives `None`, and the policy looks anew.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Newcomer<T>(Option<(u64, T)>);

impl<T> Default for Newcomer<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Copy> Newcomer<T> {
    /// What is known of a key.
    pub fn get(&self, key_hash: u64) -> Option<T> {
        let (_, found) = self.0.filter(|(known, _)| *known == key_hash)?;
        Some(found)
    }

    /// Notes what was found out about a key, and forgets the newcomer before it.
    pub const fn set(&mut self, key_hash: u64, found: T) {
        self.0 = Some((key_hash, found));
    }

    /// Gives away what is known of a key: it came in, or was refused.
    pub fn take(&mut self, key_hash: u64) -> Option<T> {
        let (_, found) = self.0.take_if(|(known, _)| *known == key_hash)?;
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::Newcomer;

    #[test]
    fn a_newcomer_is_looked_up_once() {
        let mut newcomer = Newcomer::default();
        assert_eq!(newcomer.get(7), None);
        newcomer.set(7, 'a');
        assert_eq!((newcomer.get(7), newcomer.get(8)), (Some('a'), None));
        assert_eq!(newcomer.take(8), None);
        assert_eq!((newcomer.take(7), newcomer.get(7)), (Some('a'), None));
        newcomer.set(7, 'b');
        newcomer.set(8, 'c');
        assert_eq!((newcomer.get(7), newcomer.take(8)), (None, Some('c')));
    }
}
