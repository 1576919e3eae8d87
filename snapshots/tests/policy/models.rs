//! Every policy as its rules say it, with plain lists that are searched; written from the text of the
//! rules and not from the plugins.

use eyemap_engine::cache::Asked;

/// A cache that asks nobody.
pub(crate) trait Model {
    /// Whether the request hit; what missed comes in if the rules let it.
    fn ask(&mut self, asked: &Asked) -> bool;

    /// Entries now, and their bytes.
    fn held(&self) -> (u64, u64);
}

/// What a list knows of an entry.
#[derive(Debug, Clone, Copy)]
struct Entry {
    key: u64,
    size: u64,
    /// Hits, or whether there were any, as the rules need them.
    hits: u64,
}

/// Entries, oldest first.
#[derive(Debug, Default)]
struct List {
    entries: Vec<Entry>,
    bytes: u64,
}

impl List {
    fn find(&self, key: u64) -> Option<usize> {
        // What is asked for again is mostly young.
        self.entries.iter().rposition(|entry| entry.key == key)
    }

    fn push(&mut self, entry: Entry) {
        self.bytes += entry.size;
        self.entries.push(entry);
    }

    fn take_at(&mut self, index: usize) -> Entry {
        let entry = self.entries.remove(index);
        self.bytes -= entry.size;
        entry
    }

    fn take(&mut self, key: u64) -> Option<Entry> {
        self.find(key).map(|index| self.take_at(index))
    }

    fn pop(&mut self) -> Option<Entry> {
        (!self.entries.is_empty()).then(|| self.take_at(0))
    }
}

fn newcomer(asked: &Asked) -> Entry {
    Entry {
        key: asked.key,
        size: asked.size,
        hits: 0,
    }
}

fn held(lists: &[&List]) -> (u64, u64) {
    let entries = lists.iter().map(|list| list.entries.len() as u64).sum();
    (entries, lists.iter().map(|list| list.bytes).sum())
}

/// FIFO, and LRU where hits make an entry the newest.
pub(crate) struct Queue {
    pub(crate) capacity: u64,
    pub(crate) renews: bool,
    list: List,
}

impl Queue {
    pub(crate) fn new(capacity: u64, renews: bool) -> Self {
        Self {
            capacity,
            renews,
            list: List::default(),
        }
    }
}

impl Model for Queue {
    fn ask(&mut self, asked: &Asked) -> bool {
        if let Some(index) = self.list.find(asked.key) {
            if self.renews {
                let entry = self.list.take_at(index);
                self.list.push(entry);
            }
            return true;
        }
        if asked.size <= self.capacity {
            while self.list.bytes + asked.size > self.capacity {
                self.list.pop();
            }
            self.list.push(newcomer(asked));
        }
        false
    }

    fn held(&self) -> (u64, u64) {
        held(&[&self.list])
    }
}

/// SIEVE.
pub(crate) struct Sieve {
    capacity: u64,
    list: List,
    /// The key that the hand is at; none is the oldest.
    hand: Option<u64>,
}

impl Sieve {
    pub(crate) fn new(capacity: u64) -> Self {
        Self {
            capacity,
            list: List::default(),
            hand: None,
        }
    }

    fn evict(&mut self) {
        let mut at = self.hand.and_then(|key| self.list.find(key)).unwrap_or(0);
        while self.list.entries[at].hits > 0 {
            self.list.entries[at].hits = 0;
            at = (at + 1) % self.list.entries.len();
        }
        self.list.take_at(at);
        self.hand = self.list.entries.get(at).map(|entry| entry.key);
    }
}

impl Model for Sieve {
    fn ask(&mut self, asked: &Asked) -> bool {
        if let Some(index) = self.list.find(asked.key) {
            self.list.entries[index].hits = 1;
            return true;
        }
        if asked.size <= self.capacity {
            while self.list.bytes + asked.size > self.capacity {
                self.evict();
            }
            self.list.push(newcomer(asked));
        }
        false
    }

    fn held(&self) -> (u64, u64) {
        held(&[&self.list])
    }
}

/// S3-FIFO.
pub(crate) struct S3Fifo {
    capacity: u64,
    promote_at: u64,
    small: List,
    main: List,
    ghosts: List,
    has_evicted: bool,
    /// Ghosts at most, for each slot there ever was and 64 more; the rules know no such bound.
    most_ghosts: Option<u64>,
    slots: u64,
}

impl S3Fifo {
    pub(crate) fn new(capacity: u64, promote_at: u64) -> Self {
        Self {
            capacity,
            promote_at,
            small: List::default(),
            main: List::default(),
            ghosts: List::default(),
            has_evicted: false,
            most_ghosts: None,
            slots: 0,
        }
    }

    /// With a bound by slots, which is not S3-FIFO.
    pub(crate) fn with_few_ghosts(capacity: u64, a_slot: u64) -> Self {
        Self {
            most_ghosts: Some(a_slot),
            ..Self::new(capacity, 2)
        }
    }

    fn evict(&mut self) {
        self.has_evicted = true;
        let (small, ghosts) = (self.capacity / 10, self.capacity * 9 / 10);
        let from_small = self.main.bytes <= self.capacity - small;
        while let Some(mut oldest) = from_small.then(|| self.small.pop()).flatten() {
            if oldest.hits < self.promote_at {
                if oldest.size <= ghosts && self.ghosts.find(oldest.key).is_none() {
                    self.ghosts.push(oldest);
                }
                let most = self.most_ghosts.map_or(u64::MAX, |a| a * self.slots + 64);
                while self.ghosts.bytes > ghosts || self.ghosts.entries.len() as u64 > most {
                    self.ghosts.pop();
                }
                return;
            }
            oldest.hits = 0;
            self.main.push(oldest);
        }
        while let Some(mut oldest) = self.main.pop() {
            if oldest.hits == 0 {
                return;
            }
            oldest.hits = oldest.hits.min(3) - 1;
            self.main.push(oldest);
        }
    }
}

impl Model for S3Fifo {
    fn ask(&mut self, asked: &Asked) -> bool {
        for list in [&mut self.small, &mut self.main] {
            if let Some(index) = list.find(asked.key) {
                list.entries[index].hits += 1;
                return true;
            }
        }
        let remembered = self.ghosts.take(asked.key).is_some();
        let small = self.capacity / 10;
        if asked.size > small {
            return false;
        }
        while self.small.bytes + self.main.bytes + asked.size > self.capacity {
            self.evict();
        }
        if remembered {
            self.main.push(newcomer(asked));
        } else if asked.size >= small {
            return false;
        } else if !self.has_evicted && self.small.bytes >= small {
            self.main.push(newcomer(asked));
        } else {
            self.small.push(newcomer(asked));
        }
        self.slots = self.slots.max(self.held().0);
        false
    }

    fn held(&self) -> (u64, u64) {
        held(&[&self.small, &self.main])
    }
}

/// ARC: T1, T2, B1, B2 and p.
pub(crate) struct Arc {
    capacity: u64,
    once: List,
    again: List,
    once_ghosts: List,
    again_ghosts: List,
    target: f64,
    /// See [`S3Fifo::most_ghosts`].
    most_ghosts: Option<u64>,
    slots: u64,
}

/// Where the key of a newcomer was.
#[derive(PartialEq)]
enum Found {
    Nowhere,
    Once,
    Again,
}

impl Arc {
    pub(crate) fn new(capacity: u64) -> Self {
        Self {
            capacity,
            once: List::default(),
            again: List::default(),
            once_ghosts: List::default(),
            again_ghosts: List::default(),
            target: 0.0,
            most_ghosts: None,
            slots: 0,
        }
    }

    /// With a bound by slots, which is not ARC.
    pub(crate) fn with_few_ghosts(capacity: u64, a_slot: u64) -> Self {
        Self {
            most_ghosts: Some(a_slot),
            ..Self::new(capacity)
        }
    }

    fn find_ghost(&mut self, key: u64) -> Found {
        let once = self.once_ghosts.bytes as f64;
        let again = self.again_ghosts.bytes as f64;
        if self.once_ghosts.take(key).is_some() {
            self.target = (self.target + (again / once).max(1.0)).min(self.capacity as f64);
            return Found::Once;
        }
        if self.again_ghosts.take(key).is_some() {
            self.target = (self.target - (once / again).max(1.0)).max(0.0);
            return Found::Again;
        }
        Found::Nowhere
    }

    fn replace(&mut self, found: &Found) {
        let once = self.once.bytes as f64;
        let over = once > self.target || once == self.target && *found == Found::Again;
        let most = self.most_ghosts.map_or(u64::MAX, |a| a * self.slots + 64);
        let from_once = self.once.bytes > 0 && over || self.again.bytes == 0;
        let (list, ghosts) = match from_once {
            true => (&mut self.once, &mut self.once_ghosts),
            false => (&mut self.again, &mut self.again_ghosts),
        };
        ghosts.push(list.pop().expect("an entry"));
        if ghosts.entries.len() as u64 > most {
            ghosts.pop();
        }
    }

    fn make_room(&mut self, found: &Found, size: u64) {
        while self.once.bytes + self.again.bytes + size > self.capacity {
            let once = self.once.bytes + self.once_ghosts.bytes;
            let again = self.again.bytes + self.again_ghosts.bytes;
            if *found == Found::Nowhere && once + size > self.capacity {
                if self.once_ghosts.pop().is_none() {
                    self.once.pop();
                    continue;
                }
            } else if *found == Found::Nowhere && once + again >= 2 * self.capacity {
                self.again_ghosts.pop();
            }
            self.replace(found);
        }
    }
}

impl Model for Arc {
    fn ask(&mut self, asked: &Asked) -> bool {
        let hit = self.once.take(asked.key);
        if let Some(entry) = hit.or_else(|| self.again.take(asked.key)) {
            self.again.push(entry);
            return true;
        }
        if asked.size <= self.capacity {
            let found = self.find_ghost(asked.key);
            self.make_room(&found, asked.size);
            match found {
                Found::Nowhere => self.once.push(newcomer(asked)),
                Found::Once | Found::Again => self.again.push(newcomer(asked)),
            }
            self.slots = self.slots.max(self.held().0);
        }
        false
    }

    fn held(&self) -> (u64, u64) {
        held(&[&self.once, &self.again])
    }
}

/// GDSF, by size or by cost and size.
pub(crate) struct Gdsf {
    capacity: u64,
    by_cost: bool,
    /// Least recently asked for first; priorities are beside them.
    list: List,
    priorities: Vec<f64>,
    floor: f64,
}

impl Gdsf {
    pub(crate) fn new(capacity: u64, by_cost: bool) -> Self {
        Self {
            capacity,
            by_cost,
            list: List::default(),
            priorities: Vec::new(),
            floor: 0.0,
        }
    }

    /// Makes an entry the one that was asked for last.
    fn ask_for(&mut self, mut entry: Entry, cost_ns: u64) {
        entry.hits += 1;
        let worth = if self.by_cost { cost_ns as f64 } else { 1e6 };
        let value = entry.hits as f64 * worth / entry.size as f64;
        self.list.push(entry);
        self.priorities.push(self.floor + value);
    }
}

impl Model for Gdsf {
    fn ask(&mut self, asked: &Asked) -> bool {
        if let Some(index) = self.list.find(asked.key) {
            self.priorities.remove(index);
            let entry = self.list.take_at(index);
            self.ask_for(entry, asked.cost_ns);
            return true;
        }
        if asked.size > self.capacity {
            return false;
        }
        self.ask_for(newcomer(asked), asked.cost_ns);
        while self.list.bytes > self.capacity {
            let least = (0..self.priorities.len())
                .min_by(|&a, &b| self.priorities[a].total_cmp(&self.priorities[b]));
            let least = least.expect("an entry");
            self.list.take_at(least);
            self.floor = self.priorities.remove(least);
        }
        false
    }

    fn held(&self) -> (u64, u64) {
        held(&[&self.list])
    }
}

/// The policy TTL: what expires first leaves first, and what has expired is gone before each request.
pub(crate) struct Ttl {
    capacity: u64,
    /// By stage, in ticks from the insert.
    ttl: [Option<u64>; 4],
    list: List,
    expiries: Vec<u64>,
}

impl Ttl {
    pub(crate) fn new(capacity: u64, ttl: [Option<u64>; 4]) -> Self {
        Self {
            capacity,
            ttl,
            list: List::default(),
            expiries: Vec::new(),
        }
    }

    fn leave(&mut self, index: usize) {
        self.list.take_at(index);
        self.expiries.remove(index);
    }
}

impl Model for Ttl {
    fn ask(&mut self, asked: &Asked) -> bool {
        for index in (0..self.expiries.len()).rev() {
            if self.expiries[index] <= asked.tick {
                self.leave(index);
            }
        }
        if self.list.find(asked.key).is_some() {
            return true;
        }
        if asked.size <= self.capacity {
            while self.list.bytes + asked.size > self.capacity {
                let first = (0..self.expiries.len()).min_by_key(|&index| self.expiries[index]);
                self.leave(first.expect("an entry"));
            }
            let ttl = self.ttl[asked.stage.map_or(3, |stage| stage as usize)];
            self.list.push(newcomer(asked));
            self.expiries
                .push(ttl.map_or(u64::MAX, |ttl| asked.tick + ttl));
        }
        false
    }

    fn held(&self) -> (u64, u64) {
        held(&[&self.list])
    }
}
