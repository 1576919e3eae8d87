//! A cache whose every answer is compared with what must be in it.

use eyemap_engine::cache::{Facts, Gone, Inserted, Manner, PolicySource, Shard};

/// What the cache of a key holds; anything else is a wrong value.
pub(crate) const fn value_of(key: u64) -> u64 {
    key.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 42
}

/// Bytes of a key's entry, from 0 to 8.
pub(crate) const fn weight_of(key: u64) -> u64 {
    key % 9
}

/// A sequence without end of keys below 40, the small ones more often.
pub(crate) fn keys() -> impl Iterator<Item = u64> {
    let mut state = 7u64;
    std::iter::from_fn(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let drawn = state >> 33;
        Some((drawn % 40).min(drawn / 40 % 40))
    })
}

/// A shard, and who is in it from the oldest to the newest.
pub(crate) struct Watched {
    pub(crate) shard: Shard<u64, u64>,
    pub(crate) order: Vec<u64>,
    what: String,
}

impl Watched {
    pub(crate) fn new(source: &PolicySource, capacity: u64, manner: Manner) -> Self {
        Self {
            shard: Shard::new(source, capacity, manner).expect("a shard"),
            order: Vec::new(),
            what: format!("{source:?} {manner:?}"),
        }
    }

    /// What left, after checking that it was there and, once the policy had failed, the oldest.
    fn left(&mut self, gone: Gone<u64, u64>, had_failed: bool) {
        for (key, value) in gone {
            assert_eq!(
                value,
                value_of(key),
                "{}: a value of another key",
                self.what
            );
            let age = self.order.iter().position(|&other| other == key);
            let age = age.unwrap_or_else(|| panic!("{}: {key} was not there", self.what));
            assert!(
                !had_failed || age == 0,
                "{}: {key} left before {} that is older",
                self.what,
                self.order[0]
            );
            self.order.remove(age);
        }
        assert_eq!(self.order.len(), self.shard.len(), "{}", self.what);
        assert!(
            self.shard.occupied() <= self.shard.capacity(),
            "{}: {} of {} bytes",
            self.what,
            self.shard.occupied(),
            self.shard.capacity()
        );
    }

    pub(crate) fn ask(&mut self, key: u64, weight: u64) -> Option<Inserted> {
        let mut gone = Gone::new();
        let found = self.shard.get(&key, 0, None, &mut gone).copied();
        assert_eq!(found.is_some(), self.order.contains(&key), "{}", self.what);
        if let Some(found) = found {
            assert_eq!(found, value_of(key), "{}: a wrong value", self.what);
            return None;
        }
        let had_failed = self.shard.fault().is_some();
        let facts = Facts::new(weight, 1000);
        let inserted = self.shard.insert(key, value_of(key), facts, 0, &mut gone);
        match inserted {
            Inserted::Stored => self.order.push(key),
            // It was handed back as what left.
            _ => {
                gone.retain(|&(other, _)| other != key);
            }
        }
        self.left(gone, had_failed);
        Some(inserted)
    }

    pub(crate) fn remove(&mut self, key: u64) {
        let mut gone = Gone::new();
        let removed = self.shard.remove(&key, &mut gone);
        assert_eq!(removed, self.order.contains(&key), "{}", self.what);
        self.left(gone, false);
    }

    pub(crate) fn resize(&mut self, capacity: u64) {
        let (mut gone, had_failed) = (Gone::new(), self.shard.fault().is_some());
        self.shard.resize(capacity, &mut gone);
        self.left(gone, had_failed);
    }

    /// Everything that can happen to a cache.
    pub(crate) fn live(&mut self) {
        for (index, key) in keys().take(1500).enumerate() {
            self.ask(key, weight_of(key));
            match index {
                _ if index % 11 == 10 => self.remove(key / 2),
                400 => self.resize(20),
                600 => self.resize(0),
                700 => self.resize(100),
                900 => self.resize(33),
                _ => {}
            }
        }
    }
}
