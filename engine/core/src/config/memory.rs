//! How much memory a run may take: `[memory]`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Size;

/// How much memory a run may take: `[memory]`. Nothing here changes a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryConfig {
    /// The most resident memory that the process may take, programs and libraries included. Above it
    /// a run that cannot shrink any further ends with an error. Default: 1 GiB.
    pub limit: Size,
    /// Whether resident memory is watched, and caches, batches and the number of threads shrink as it
    /// comes near the limit. Default: true.
    pub governor: bool,
    /// Share of the limit from which on caches shrink, 0 to 1. Default: 0.7.
    pub shrink_caches: f64,
    /// Share of the limit from which on batches shrink, 0 to 1. Default: 0.8.
    pub shrink_batches: f64,
    /// Share of the limit from which on fewer threads work, 0 to 1. Default: 0.9.
    pub shrink_jobs: f64,
    /// Maps with more columns than this are drawn batch by batch and never held, where the plugins can
    /// do so and the atlas has no attributes; 0 holds every map, whatever memory that takes. From 65536
    /// on it is also how many columns of a side are held while a table is read. Default: 65536.
    pub stream_above: u64,
    /// The directory for rows that do not fit in memory, relative to the configuration file. Default:
    /// the output directory.
    pub scratch: Option<PathBuf>,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self {
            limit: Size::of_bytes(1 << 30),
            governor: true,
            shrink_caches: 0.7,
            shrink_batches: 0.8,
            shrink_jobs: 0.9,
            stream_above: 65_536,
            scratch: None,
        }
    }
}

/// Less than this and the program itself hardly fits.
const LEAST_LIMIT: u64 = 64 << 20;

/// So many columns take little memory, and reading them from the disk takes time.
const LEAST_COLUMNS: usize = 1 << 16;

impl MemoryConfig {
    /// Bytes of packed rows that may be in memory while a table is read.
    pub const fn buffer_bytes(&self) -> usize {
        let share = self.limit.bytes() / 8;
        let most = 128 << 20;
        (if share < most { share } else { most }) as usize
    }

    /// Bytes of values of a small table that may be kept.
    pub const fn held_bytes(&self) -> u64 {
        let share = self.limit.bytes() / 16;
        let most = 64 << 20;
        if share < most { share } else { most }
    }

    /// Columns of a side that may be in memory while a table is read: those of maps that are held.
    pub fn held_columns(&self) -> usize {
        match self.stream_above {
            0 => usize::MAX,
            most => usize::try_from(most)
                .unwrap_or(usize::MAX)
                .max(LEAST_COLUMNS),
        }
    }

    /// The first key whose value is out of its range.
    pub(super) fn wrong_value(&self) -> Option<(String, String)> {
        if self.limit.bytes() < LEAST_LIMIT {
            let message = format!("{} is too little: give 64 MiB or more", self.limit);
            return Some(("memory.limit".into(), message));
        }
        let shares = [
            ("memory.shrink_caches", self.shrink_caches),
            ("memory.shrink_batches", self.shrink_batches),
            ("memory.shrink_jobs", self.shrink_jobs),
        ];
        let wrong = |(_, share): &&(&str, f64)| !(0.0..=1.0).contains(share);
        let (key, share) = shares.iter().find(wrong)?;
        Some(((*key).into(), format!("{share} is not between 0 and 1")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_maps_that_are_held_are_held() {
        let held = |stream_above| {
            let config = MemoryConfig {
                stream_above,
                ..MemoryConfig::default()
            };
            config.held_columns()
        };
        assert_eq!([1, 65_536, 100_000].map(held), [65_536, 65_536, 100_000]);
        assert_eq!(held(0), usize::MAX);
    }
}
