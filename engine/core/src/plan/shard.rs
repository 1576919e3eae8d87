//! Parts of a plan, for machines that share the work.
//!
//! A shard is a run of consecutive maps that holds cell types whole, or archives whole where maps go
//! into archives. Every machine that cuts the same plan into the same number of shards gets the same.

use std::{fmt, ops::Range, str::FromStr};

use serde::{Deserialize, Serialize};

use super::Estimate;
use crate::pipeline::Request;

/// The i-th of n shards, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which one, from 1 to `of`.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write i/n with i from 1 to n, for example 3/8".to_owned();
        let (number, of) = text.split_once('/').ok_or_else(wrong)?;
        let parse = |text: &str| text.trim().parse::<u32>().map_err(|_| wrong());
        let (number, of) = (parse(number)?, parse(of)?);
        match number >= 1 && number <= of {
            true => Ok(Self { number, of }),
            false => Err(wrong()),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// Maps that stay together, and the bytes that they are estimated to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Which requests.
    pub requests: Range<usize>,
    /// Their bytes, in all formats.
    pub bytes: u64,
}

/// What stays together: cell types, or archives of so many maps.
pub fn units(requests: &[Request], archive_maps: Option<usize>, at: &Estimate<'_>) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for (i, &request) in requests.iter().enumerate() {
        let starts = match archive_maps {
            Some(maps) => i % maps == 0,
            None => i == 0 || requests[i - 1].cell_type != request.cell_type,
        };
        if starts {
            units.push(Unit {
                requests: i..i,
                bytes: 0,
            });
        }
        if let Some(unit) = units.last_mut() {
            unit.requests.end = i + 1;
            unit.bytes += at.bytes(request);
        }
    }
    units
}

/// The units of each of n shards: as even as whole units allow. A shard may be empty.
pub fn cut(units: &[Unit], of: u32) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut middles = Vec::with_capacity(units.len());
    let mut total: u128 = 0;
    for unit in units {
        // Where the middle of a unit lies decides whose it is. Doubled, to stay whole.
        middles.push(2 * total + u128::from(unit.bytes));
        total += u128::from(unit.bytes);
    }
    let mut start = 0;
    (1..=u128::from(of)).map(move |number| {
        let rest = &middles[start..];
        let end =
            start + rest.partition_point(|&middle| middle * u128::from(of) < 2 * total * number);
        let range = start..end;
        start = end;
        range
    })
}

/// The requests of one shard.
pub fn requests_of(units: &[Unit], shard: Shard) -> Range<usize> {
    let found = cut(units, shard.of).nth(shard.number as usize - 1);
    let found = &units[found.unwrap_or_default()];
    match (found.first(), found.last()) {
        (Some(first), Some(last)) => first.requests.start..last.requests.end,
        _ => 0..0,
    }
}

/// The number of shards of about a size: at least 1, at most one a unit.
pub fn how_many(units: &[Unit], shard_bytes: u64) -> u32 {
    let total: u64 = units.iter().map(|unit| unit.bytes).sum();
    let shards = total.div_ceil(shard_bytes.max(1)).min(units.len() as u64);
    u32::try_from(shards.max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shards_are_numbered_from_one() {
        let shard = |number, of| Ok(Shard { number, of });
        assert_eq!(("1/1".parse(), "3/8".parse()), (shard(1, 1), shard(3, 8)));
        for wrong in ["0/3", "4/3", "1", "a/b", "1/0", "-1/2", ""] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn shards_are_every_unit_once_and_even(
            bytes in proptest::collection::vec(1..5000_u64, 1..80),
            of in 1..20_u32,
        ) {
            let units: Vec<Unit> = bytes.iter().enumerate()
                .map(|(i, &bytes)| Unit { requests: i..i + 1, bytes }).collect();
            let shards: Vec<_> = cut(&units, of).collect();
            prop_assert_eq!(shards.len(), of as usize);
            prop_assert_eq!(shards.iter().cloned().flatten().collect::<Vec<_>>(), (0..units.len()).collect::<Vec<_>>());
            let (total, largest): (u64, _) = (bytes.iter().sum(), bytes.iter().max().copied().unwrap_or(0));
            for shard in shards {
                let share: u64 = bytes[shard].iter().sum();
                prop_assert!(share <= total / u64::from(of) + largest + 1);
            }
        }
    }
}
