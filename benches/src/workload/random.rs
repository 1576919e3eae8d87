//! Random numbers that are the same on every machine.
//!
//! The bits come from ChaCha with eight rounds, whose streams are independent: each piece of a workload
//! has its own, so that it can be made without the pieces before it. What is made of the bits goes
//! through `libm`, because the C libraries of two machines round differently.

use chacha20::{
    ChaCha8Rng,
    rand_core::{Rng as _, SeedableRng as _},
};

/// What a stream is for; streams of different use share no bits.
#[derive(Debug, Clone, Copy)]
pub(super) enum Use {
    Names = 1,
    Cover = 2,
    Counts = 3,
    Nulls = 4,
    Order = 5,
}

/// A stream of random numbers.
pub(super) struct Random(ChaCha8Rng);

impl Random {
    /// The stream `number` of a use, for a seed.
    pub(super) fn new(seed: u64, what: Use, number: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8] = what as u8;
        let mut bits = ChaCha8Rng::from_seed(key);
        bits.set_stream(number);
        Self(bits)
    }

    /// Uniform in (0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
    }

    /// Uniform in 0..n; the bias of n / 2^64 is of no account here.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// Uniform in `low..high`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Standard normal (Box and Muller 1958).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(self.unit())).sqrt();
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// Poisson by counting (Knuth 1969), normal above 30.
    pub(super) fn poisson(&mut self, mean: f64) -> u32 {
        if mean > 30.0 {
            let value = mean + mean.sqrt() * self.normal();
            return value.round().max(0.0) as u32;
        }
        let (limit, mut product, mut count) = (libm::exp(-mean), self.unit(), 0);
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// Gamma with a shape below one, for Dirichlet shares (Ahrens and Dieter 1974).
    pub(super) fn gamma(&mut self, shape: f64) -> f64 {
        let b = 1.0 + shape / std::f64::consts::E;
        loop {
            let p = b * self.unit();
            let (x, keep) = if p <= 1.0 {
                let x = libm::pow(p, 1.0 / shape);
                (x, libm::exp(-x))
            } else {
                let x = -libm::log((b - p) / shape);
                (x, libm::pow(x, shape - 1.0))
            };
            if self.unit() <= keep {
                return x;
            }
        }
    }

    /// Puts items into random order (Fisher and Yates).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
