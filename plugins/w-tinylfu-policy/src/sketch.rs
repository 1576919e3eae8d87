//! How often keys were asked for of late, roughly and in little space.

use eyemap_sdk::prelude::*;

const ROWS: u64 = 4;
const SMALLEST: u64 = 1024;
/// Counters of 4 bits in a word.
const A_WORD: u64 = 16;
/// Requests for each counter of a row between two halvings.
const SAMPLE: u64 = 10;

/// A count-min sketch: four rows of counters from 0 to 15, of which a key has one a row.
#[derive(Debug, Serialize, Deserialize)]
#[serde(crate = "eyemap_sdk::serde")]
pub(crate) struct Sketch {
    /// Counters a row, a power of two.
    width: u64,
    /// Row after row.
    words: Vec<u64>,
    /// Requests since the last halving, and half of those before it.
    requests: u64,
}

impl Default for Sketch {
    fn default() -> Self {
        Self {
            width: SMALLEST,
            words: vec![0; (ROWS * SMALLEST / A_WORD) as usize],
            requests: 0,
        }
    }
}

impl Sketch {
    /// The smallest of a key's counters: never too small but for the halving.
    pub(crate) fn frequency(&self, key_hash: u64) -> u64 {
        let counters = (0..ROWS).map(|row| {
            let (word, shift) = self.place(row, key_hash);
            self.words[word] >> shift & 15
        });
        counters.min().unwrap_or(0)
    }

    /// Counts a request.
    pub(crate) fn count(&mut self, key_hash: u64) {
        for row in 0..ROWS {
            let (word, shift) = self.place(row, key_hash);
            if self.words[word] >> shift & 15 < 15 {
                self.words[word] += 1 << shift;
            }
        }
        self.requests += 1;
        if self.requests >= SAMPLE * self.width {
            self.halve();
        }
    }

    /// Widens the rows to one counter an entry or more. A key keeps its counts, and shares them with
    /// those it shared them with before.
    pub(crate) fn hold(&mut self, entries: u64) {
        while self.width < entries {
            let row = (self.width / A_WORD) as usize;
            let twice = self.words.chunks(row).flat_map(|row| [row, row]);
            self.words = twice.flatten().copied().collect();
            self.width *= 2;
        }
    }

    fn halve(&mut self) {
        for word in &mut self.words {
            // The bit that a counter loses must not come in at its neighbour.
            *word = *word >> 1 & 0x7777_7777_7777_7777;
        }
        self.requests /= 2;
    }

    fn place(&self, row: u64, key_hash: u64) -> (usize, u64) {
        let column = mix(key_hash, row) & (self.width - 1);
        let index = row * self.width + column;
        ((index / A_WORD) as usize, index % A_WORD * 4)
    }
}

/// Another hash of the key for each row: the finalizer of SplitMix64.
pub(crate) const fn mix(key_hash: u64, row: u64) -> u64 {
    let mut z = key_hash.wrapping_add((row + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::Sketch;

    #[test]
    fn counts_saturate_survive_growth_and_are_halved() {
        let mut sketch = Sketch::default();
        assert_eq!(sketch.frequency(7), 0);
        for _ in 0..20 {
            sketch.count(7);
        }
        sketch.count(8);
        assert_eq!((sketch.frequency(7), sketch.frequency(8)), (15, 1));
        sketch.hold(5000);
        assert_eq!((sketch.width, sketch.words.len()), (8192, 2048));
        assert_eq!((sketch.frequency(7), sketch.frequency(8)), (15, 1));
        sketch.halve();
        assert_eq!((sketch.frequency(7), sketch.frequency(8)), (7, 0));
        assert_eq!(sketch.requests, 10);
    }

    #[test]
    fn ten_requests_a_counter_halve() {
        let mut sketch = Sketch::default();
        for request in 0..10_239 {
            sketch.count(request % 3);
        }
        assert_eq!(sketch.frequency(0), 15);
        sketch.count(0);
        assert_eq!((sketch.frequency(0), sketch.requests), (7, 5120));
    }
}
