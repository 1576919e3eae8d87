//! What a policy notes of each slot.

use serde::{Deserialize, Serialize};

/// A value a slot; the default where none was set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SlotTable<T>(Vec<T>);

impl<T> Default for SlotTable<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone + Default> SlotTable<T> {
    /// The value of a slot.
    pub fn get(&self, slot: u32) -> T {
        self.0.get(slot as usize).cloned().unwrap_or_default()
    }

    /// Sets the value of a slot, and returns the one before.
    pub fn set(&mut self, slot: u32, value: T) -> T {
        let index = slot as usize;
        if index >= self.0.len() {
            self.0.resize(index + 1, T::default());
        }
        std::mem::replace(&mut self.0[index], value)
    }

    /// How many slots there were so far: one more than the highest that was set.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// True before any slot was set.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::SlotTable;

    #[test]
    fn a_table_grows_to_the_highest_slot() {
        let mut table = SlotTable::default();
        assert!(table.is_empty());
        assert_eq!((table.set(3, 'x'), table.len()), ('\0', 4));
        assert_eq!((table.set(3, 'y'), table.get(3)), ('x', 'y'));
        assert_eq!((table.get(0), table.get(9)), ('\0', '\0'));
    }
}
