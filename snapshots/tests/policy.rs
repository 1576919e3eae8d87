//! A cache policy crosses the boundary: `lru-policy`, loaded as a library, decides exactly as the
//! reference does, however its events are cut into batches.

use std::{collections::HashMap, io::Read as _};

use eyemap_abi::{
    CacheExtension, CachePolicyBox, Event, SlotMeta,
    abi_stable::std_types::{RNone, RSlice, RSliceMut, RSome, RStr},
    cache::{EventKind, NEEDS_HIT_ORDER},
};
use eyemap_snapshots::{finder, shared};
use sha2::{Digest as _, Sha256};

/// What is asked for: a key and its weight in bytes.
type Request = (u64, u64);

/// An entry in its slot.
#[derive(Clone, Copy)]
struct Entry {
    key: u64,
    weight: u64,
}

/// The smallest host that keeps every promise to a policy: ordered events, all of them delivered
/// before a decision, and no slot used anew before its removal was told.
struct Host {
    policy: CachePolicyBox,
    capacity: u64,
    occupied: u64,
    batch: usize,
    entries: Vec<Option<Entry>>,
    generations: Vec<u32>,
    meta: Vec<SlotMeta>,
    slot_of: HashMap<u64, u32>,
    pending: Vec<Event>,
    /// Slots whose removal the policy has not heard of.
    retired: Vec<u32>,
    free: Vec<u32>,
    tick: u64,
}

/// Hits and missed ones, in order.
#[derive(Default)]
struct Played {
    hits: u64,
    hit_bytes: u64,
    bits: String,
}

impl Host {
    fn new(capacity: u64, batch: usize) -> Self {
        let plugin = finder().load("lru-policy").expect("the policy");
        let extension = plugin.extension::<CacheExtension>().expect("its extension");
        let policy = (extension.create)(RStr::from_str("{}"), capacity)
            .into_result()
            .expect("created");
        assert_eq!(policy.needs(), NEEDS_HIT_ORDER);
        Self {
            policy,
            capacity,
            occupied: 0,
            batch,
            entries: Vec::new(),
            generations: Vec::new(),
            meta: Vec::new(),
            slot_of: HashMap::new(),
            pending: Vec::new(),
            retired: Vec::new(),
            free: Vec::new(),
            tick: 0,
        }
    }

    fn event(&self, kind: EventKind, slot: u32, (key, weight): Request) -> Event {
        Event {
            kind,
            cache: 3,
            flags: 0,
            slot,
            generation: self
                .generations
                .get(slot as usize)
                .copied()
                .unwrap_or_default(),
            key_hash: key,
            weight,
            cost_ns: 0,
            tick: self.tick,
            expires_at: u64::MAX,
            next_use: u64::MAX,
        }
    }

    fn tell(&mut self, event: Event) {
        self.pending.push(event);
        if self.pending.len() >= self.batch {
            assert!(self.decide(0, None).is_empty(), "nothing was asked for");
        }
    }

    /// Delivers what is pending and returns the victims.
    fn decide(&mut self, need: u64, candidate: Option<Event>) -> Vec<u32> {
        let mut victims = [u32::MAX; 8];
        let decision = self.policy.decide(
            RSlice::from_slice(&self.pending),
            RSlice::from_slice(&self.meta),
            need,
            candidate.map_or(RNone, RSome),
            RSliceMut::from_mut_slice(&mut victims),
        );
        let decision = decision.into_result().expect("a decision");
        assert!(decision.admit, "LRU admits everything");
        self.pending.clear();
        self.free.append(&mut self.retired);
        victims[..decision.victims as usize].to_vec()
    }

    fn evict(&mut self, need: u64, newcomer: Event) {
        let mut freed = 0;
        while freed < need {
            let victims = self.decide(need - freed, Some(newcomer));
            assert!(!victims.is_empty(), "{freed} of {need} bytes freed");
            for slot in victims {
                // Taking it out shows that it was resident and is named once.
                let entry = self.entries[slot as usize]
                    .take()
                    .expect("a resident victim");
                self.slot_of.remove(&entry.key);
                freed += entry.weight;
                self.occupied -= entry.weight;
                self.retired.push(slot);
                let removed = self.event(EventKind::Remove, slot, (entry.key, entry.weight));
                self.tell(removed);
            }
        }
    }

    fn slot(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.generations.push(0);
            self.meta.push(SlotMeta::default());
            u32::try_from(self.entries.len() - 1).expect("few slots")
        })
    }

    /// Whether the request hit.
    fn ask(&mut self, request @ (key, weight): Request) -> bool {
        self.tick += 1;
        if let Some(&slot) = self.slot_of.get(&key) {
            let hit = self.event(EventKind::Hit, slot, request);
            self.tell(hit);
            return true;
        }
        if weight > self.capacity {
            return false;
        }
        let excess = (self.occupied + weight).saturating_sub(self.capacity);
        if excess > 0 {
            let newcomer = self.event(EventKind::Miss, u32::MAX, request);
            self.evict(excess, newcomer);
        }
        let slot = self.slot();
        self.generations[slot as usize] += 1;
        self.entries[slot as usize] = Some(Entry { key, weight });
        self.slot_of.insert(key, slot);
        self.occupied += weight;
        let inserted = self.event(EventKind::Insert, slot, request);
        self.tell(inserted);
        false
    }
}

fn play(requests: &[Request], capacity: u64, batch: usize) -> Played {
    let mut host = Host::new(capacity, batch);
    let mut played = Played::default();
    for &request in requests {
        let hit = host.ask(request);
        played.hits += u64::from(hit);
        played.hit_bytes += if hit { request.1 } else { 0 };
        played.bits.push(if hit { '1' } else { '0' });
        assert!(
            host.occupied <= capacity,
            "{} bytes in {capacity}",
            host.occupied
        );
    }
    played
}

/// As the first 16 hexadecimal digits of its SHA-256.
fn hash(bits: &str) -> String {
    Sha256::digest(bits)[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

const BATCHES: [usize; 4] = [1, 7, 64, 1024];

#[test]
fn lru_by_hand() {
    // Capacity 3: 1 2 3 fill it, 1 is renewed, 4 evicts 2, which then evicts 3.
    let requests = [1, 2, 3, 1, 4, 2, 1, 3, 4].map(|key| (key, 1));
    for batch in BATCHES {
        let played = play(&requests, 3, batch);
        assert_eq!(played.bits, "000100100", "batches of {batch}");
    }
}

#[test]
fn a_heavy_newcomer_evicts_several_and_one_that_can_never_fit_evicts_none() {
    // 2 + 2 + 2 bytes fill 6; 5 bytes evict all three; 7 bytes pass by; the 5 are still there.
    let requests = [
        (1, 2),
        (2, 2),
        (3, 2),
        (1, 2),
        (4, 5),
        (5, 7),
        (4, 5),
        (1, 2),
        (4, 5),
    ];
    for batch in BATCHES {
        let played = play(&requests, 6, batch);
        assert_eq!(
            (played.bits.as_str(), played.hit_bytes),
            ("000100100", 7),
            "batches of {batch}"
        );
    }
}

fn trace(name: &str) -> Option<(Vec<Request>, serde_json::Value)> {
    let read = |path: std::path::PathBuf| std::fs::read(path).expect("a trace");
    let reference = read(shared(&format!("traces/{name}.hits.json"))?);
    let mut text = String::new();
    flate2::read::GzDecoder::new(&read(shared(&format!("traces/{name}.csv.gz"))?)[..])
        .read_to_string(&mut text)
        .expect("a trace");
    let number = |text: Option<&str>| text.and_then(|text| text.parse().ok()).expect("a number");
    let request = |line: &str| {
        let mut cells = line.split(',').skip(1);
        (number(cells.next()), number(cells.next()))
    };
    let requests = text.lines().skip(1).map(request).collect();
    Some((requests, serde_json::from_slice(&reference).expect("JSON")))
}

/// Replays a trace, where the reference material is present, at every size.
fn replays(name: &str, batches: &[usize]) {
    let Some((requests, reference)) = trace(name) else {
        return;
    };
    let sizes = reference["exact"]["LRU"].as_array().expect("LRU");
    assert_eq!(requests.len() as u64, reference["requests"], "{name}");
    assert!(sizes.len() >= 6, "{name}");
    for expected in sizes {
        let capacity = expected["cache_size"].as_u64().expect("a size");
        for &batch in batches {
            let played = play(&requests, capacity, batch);
            let what = format!("{name}, {capacity} bytes, batches of {batch}");
            assert_eq!(played.hits, expected["hits"], "{what}");
            assert_eq!(played.hit_bytes, expected["hit_bytes"], "{what}");
            assert_eq!(hash(&played.bits), expected["hit_bits_sha256_16"], "{what}");
        }
    }
}

#[test]
fn lru_replays_zipf10_in_any_batches() {
    replays("zipf10_unit", &BATCHES);
}

#[test]
fn lru_replays_drifting_sizes_in_any_batches() {
    replays("drift_lognormal", &BATCHES);
}

#[test]
fn lru_replays_every_other_trace() {
    for name in [
        "zipf08_unit",
        "zipf12_unit",
        "zipf09_lognormal",
        "drift_unit",
        "loop_scan_unit",
        "shifting_unit",
        "render_batch",
        "render_mixed",
    ] {
        replays(name, &[64]);
    }
}
