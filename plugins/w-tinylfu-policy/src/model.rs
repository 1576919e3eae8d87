//! The rules of the crate's documentation word by word, with plain lists that are searched.

use std::collections::HashMap;

use super::Options;

/// Keys and weights, oldest first.
type List = Vec<(u64, u64)>;

fn bytes(list: &List) -> u64 {
    list.iter().map(|(_, weight)| weight).sum()
}

fn take(list: &mut List, key: u64) -> Option<(u64, u64)> {
    let index = list.iter().position(|(there, _)| *there == key)?;
    Some(list.remove(index))
}

pub(super) struct Model {
    capacity: u64,
    window_capacity: u64,
    protected_capacity: u64,
    window: List,
    probation: List,
    protected: List,
    width: u64,
    /// By row and column.
    counters: HashMap<(u64, u64), u64>,
    requests: u64,
}

impl Model {
    pub(super) fn new(options: &Options, capacity: u64) -> Self {
        let share = |of: u64, fraction: f64| (of as f64 * fraction).floor() as u64;
        let window_capacity = share(capacity, options.window_fraction);
        Self {
            capacity,
            window_capacity,
            protected_capacity: share(capacity - window_capacity, options.protected_fraction),
            window: List::new(),
            probation: List::new(),
            protected: List::new(),
            width: 1024,
            counters: HashMap::new(),
            requests: 0,
        }
    }

    pub(super) fn ask(&mut self, key: u64, weight: u64) -> bool {
        let is_hit = [&self.window, &self.probation, &self.protected]
            .iter()
            .any(|list| list.iter().any(|(there, _)| *there == key));
        if is_hit {
            self.count(key);
            self.hit(key);
        } else if weight <= self.capacity {
            self.count(key);
            if self.make_room(key, weight) {
                self.insert(key, weight);
            }
        }
        is_hit
    }

    fn column(&self, key: u64, row: u64) -> (u64, u64) {
        (row, super::sketch::mix(key, row) % self.width)
    }

    fn count(&mut self, key: u64) {
        for row in 0..4 {
            let counter = self.counters.entry(self.column(key, row)).or_default();
            *counter = 15.min(*counter + 1);
        }
        self.requests += 1;
        if self.requests == 10 * self.width {
            self.counters.values_mut().for_each(|counter| *counter /= 2);
            self.requests /= 2;
        }
    }

    fn count_of(&self, key: u64) -> u64 {
        let counters = (0..4).map(|row| self.counters.get(&self.column(key, row)));
        counters
            .map(|counter| counter.copied().unwrap_or(0))
            .min()
            .unwrap_or(0)
    }

    fn hit(&mut self, key: u64) {
        if let Some(entry) = take(&mut self.window, key) {
            self.window.push(entry);
        } else if let Some(entry) = take(&mut self.protected, key) {
            self.protected.push(entry);
        } else if let Some(entry) = take(&mut self.probation, key) {
            if entry.1 > self.protected_capacity {
                self.probation.push(entry);
            } else {
                self.protected.push(entry);
            }
        }
        while bytes(&self.protected) > self.protected_capacity {
            self.probation.push(self.protected.remove(0));
        }
    }

    /// Entries now, and their bytes.
    pub(super) fn held(&self) -> (u64, u64) {
        let entries = self.window.len() + self.probation.len() + self.protected.len();
        (entries as u64, self.occupied())
    }

    fn occupied(&self) -> u64 {
        bytes(&self.window) + bytes(&self.probation) + bytes(&self.protected)
    }

    /// Evicts and says whether the newcomer may come in.
    fn make_room(&mut self, key: u64, weight: u64) -> bool {
        let heavy = weight > self.window_capacity;
        let enters = if heavy { 0 } else { weight };
        while self.occupied() + weight > self.capacity {
            let first = |list: &List| list.first().map(|(key, _)| *key);
            let main = first(&self.probation).or(first(&self.protected));
            let window = first(&self.window);
            let is_over = bytes(&self.window) + enters > self.window_capacity;
            let dies = match (window, main) {
                (Some(window), Some(main)) if is_over => {
                    if self.count_of(window) > self.count_of(main) {
                        main
                    } else {
                        window
                    }
                }
                (Some(window), None) if is_over => window,
                _ => {
                    let victim = main.or(window).expect("an entry");
                    if heavy && self.count_of(key) <= self.count_of(victim) {
                        return false;
                    }
                    victim
                }
            };
            for list in [&mut self.window, &mut self.probation, &mut self.protected] {
                take(list, dies);
            }
        }
        true
    }

    fn insert(&mut self, key: u64, weight: u64) {
        if weight > self.window_capacity {
            self.probation.push((key, weight));
        } else {
            self.window.push((key, weight));
        }
        while bytes(&self.window) > self.window_capacity {
            self.probation.push(self.window.remove(0));
        }
        while self.width < self.held().0 {
            // A counter is found again at its column and at that of the new half.
            let old = std::mem::take(&mut self.counters);
            for ((row, column), counter) in old {
                self.counters.insert((row, column), counter);
                self.counters.insert((row, column + self.width), counter);
            }
            self.width *= 2;
        }
    }
}
