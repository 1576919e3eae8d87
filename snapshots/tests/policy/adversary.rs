//! Traces that no laboratory would record, to find where a policy is not what it says: sizes over five
//! decades, capacities of a few entries, popularity that goes with size or against it. The same each time.

use eyemap_engine::cache::{Asked, CacheName};

/// Numbers that look random: SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// From 0 to below 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About normal, of mean 0 and deviation 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.share()).sum::<f64>() - 6.0
    }
}

/// How large the entry of a key is; keys are numbered from the most popular on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sizes {
    /// Log-normal around 2 kB, whatever the popularity.
    LogNormal,
    /// Any of five decades, whatever the popularity.
    FiveDecades,
    /// The most popular are the largest.
    BigPopular,
    /// The most popular are the smallest.
    SmallPopular,
}

impl Sizes {
    pub(crate) const ALL: [Self; 4] = [
        Self::LogNormal,
        Self::FiveDecades,
        Self::BigPopular,
        Self::SmallPopular,
    ];

    fn of(self, rank: f64, random: &mut Random) -> u64 {
        let decades = match self {
            Self::LogNormal => {
                return (2000.0 * (2.0 * random.normal()).exp()) as u64 % 100_000 + 1;
            }
            Self::FiveDecades => 5.0 * random.share(),
            Self::BigPopular => 5.0 * (1.0 - rank) * (0.5 + random.share() / 2.0),
            Self::SmallPopular => 5.0 * rank * (0.5 + random.share() / 2.0),
        };
        (10f64.powf(decades) as u64).max(1)
    }
}

/// In which order keys are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// By popularity alone, which falls as 1 / rank.
    Popular,
    /// With walks over keys that nobody asked for before, between.
    Scans,
    /// What is popular moves on.
    Drifts,
}

impl Order {
    pub(crate) const ALL: [Self; 3] = [Self::Popular, Self::Scans, Self::Drifts];
}

/// A trace of a seed.
pub(crate) struct Adversary {
    pub(crate) sizes: Sizes,
    pub(crate) order: Order,
    pub(crate) keys: u64,
    pub(crate) requests: u64,
}

impl Adversary {
    pub(crate) fn trace(&self, seed: u64) -> Vec<Asked> {
        let mut random = Random(seed);
        let facts: Vec<(u64, u64)> = (0..self.keys)
            .map(|key| {
                let rank = key as f64 / self.keys as f64;
                let size = self.sizes.of(rank, &mut random);
                (size, (10f64.powf(9.0 * random.share())) as u64)
            })
            .collect();
        let mut walked = 0;
        let ask = |tick| {
            let popular = (self.keys as f64).powf(random.share()) as u64 - 1;
            let key = match self.order {
                Order::Popular => popular,
                Order::Drifts => (popular + tick / 16) % self.keys,
                Order::Scans if tick / 200 % 3 == 2 => {
                    walked += 1;
                    self.keys - 1 - walked % (self.keys / 2)
                }
                Order::Scans => popular,
            };
            let (size, cost_ns) = facts[key as usize];
            Asked {
                tick: tick / 4,
                // A hash of a key is any number.
                key: key.wrapping_mul(0x2545_f491_4f6c_dd1d),
                size,
                cost_ns,
                stage: Some(CacheName::ALL[(key % 4) as usize]),
                ..Asked::default()
            }
        };
        (0..self.requests).map(ask).collect()
    }
}

/// Capacities from one that holds a few small entries to a fifth of everything.
pub(crate) fn capacities(footprint_bytes: u64) -> [u64; 5] {
    [
        17,
        1000,
        footprint_bytes / 1000 + 1,
        footprint_bytes / 100 + 1,
        footprint_bytes / 5,
    ]
}

/// Large entries that fill nine tenths of 2,000 bytes, and three walks over keys of one byte that are
/// gone from the rest just before they are asked for again.
pub(crate) fn walks_over_small_keys() -> Vec<Asked> {
    let asked = |(key, size)| Asked {
        key,
        size,
        cost_ns: 1,
        ..Asked::default()
    };
    let large = (0..11).map(|key| (1_000_000 + key, 180));
    let small = (0..3).flat_map(|_| (0..2080).map(|key| (key, 1)));
    large.chain(small).map(asked).collect()
}
