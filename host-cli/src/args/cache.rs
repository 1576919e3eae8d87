//! Arguments of `eyemap cache`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};
use eyemap_engine::{
    cache::TtlMode,
    config::{Period, Size},
};

use super::TrustedArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Replay a trace through cache policies and count what each hits
    Simulate(SimulateArgs),
    /// Say which policy and capacity save most time on a trace, as TOML to paste
    Tune(TuneArgs),
    /// Say what is in the store, and what it saved
    Stats(StoreArgs),
    /// Remove every artifact of the store
    Clear(StoreArgs),
    /// Check every artifact of the store, and remove what is damaged
    Verify(StoreArgs),
    /// Read the artifacts that are dearest for their size, so that the system holds them in memory
    Warm(WarmArgs),
}

/// Which store.
#[derive(Debug, ClapArgs)]
pub(crate) struct StoreArgs {
    /// The store's directory; without it that of the configuration, else .eyemap/cache
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Configuration file with [cache.artifacts]; without it the store has the policy and the capacity
    /// that it was last used with
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trusted: TrustedArgs,
    /// Write one JSON document to standard output, for machines
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct WarmArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Read up to this much
    #[arg(long, value_name = "SIZE", default_value = "1 GiB")]
    pub(crate) bytes: Size,
    /// Stop after this time; without it there is no limit
    #[arg(long, value_name = "TIME")]
    pub(crate) time: Option<Period>,
}

/// What is replayed through what.
#[derive(Debug, ClapArgs)]
pub(crate) struct SweepArgs {
    /// The trace: CSV (also .gz) with time,key,size and, if known, cost_ns,stage,run,answered
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: PathBuf,
    /// Policies, as TOML names them; without it all of the search path
    #[arg(long = "policy", value_name = "NAME", num_args = 1.., value_delimiter = ',')]
    pub(crate) policies: Vec<String>,
    /// Capacities: sizes ("64 MiB"), or shares of the bytes of all keys ("10%")
    #[arg(long = "capacity", value_name = "SIZE", num_args = 1.., value_delimiter = ',',
          value_parser = capacity)]
    pub(crate) capacities: Vec<Capacity>,
    /// Options of the policies, as a JSON object
    #[arg(long, value_name = "JSON", value_parser = options)]
    pub(crate) options: Option<serde_json::Map<String, serde_json::Value>>,
    /// Configuration file whose search path counts, and whose policy_options if the policy is its own
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) trusted: TrustedArgs,
    /// Write one JSON document to standard output, for machines
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SimulateArgs {
    #[command(flatten)]
    pub(crate) sweep: SweepArgs,
    /// How long entries live: ticks of the trace, or a time ("1h") if its ticks are milliseconds
    #[arg(long, value_name = "TIME", value_parser = ticks, allow_hyphen_values = true)]
    pub(crate) ttl: Option<u64>,
    /// From when they live: write (when they came in) or access (when they were last used)
    #[arg(long, value_name = "MODE", default_value = "write", value_parser = ttl_mode)]
    pub(crate) ttl_mode: TtlMode,
    /// Leave expired entries in until they are asked for, for comparison
    #[arg(long)]
    pub(crate) lazy: bool,
    /// Events that a policy gets in one call at most
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) batch: u32,
    /// Draw a miss-ratio curve
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) chart: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct TuneArgs {
    #[command(flatten)]
    pub(crate) sweep: SweepArgs,
}

/// A capacity as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Capacity {
    Bytes(u64),
    /// Of the bytes of all keys of the trace.
    Percent(f64),
}

impl Capacity {
    /// In bytes; never 0, as that would hold nothing.
    pub(crate) fn of(self, footprint_bytes: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => {
                ((footprint_bytes as f64 * percent / 100.0).floor() as u64).max(1)
            }
        }
    }
}

fn capacity(text: &str) -> Result<Capacity, String> {
    if let Some(percent) = text.strip_suffix('%') {
        return match percent.trim().parse::<f64>() {
            Ok(percent) if percent > 0.0 && percent <= 1000.0 => Ok(Capacity::Percent(percent)),
            _ => Err("write a share above 0% and up to 1000%, such as 10%".into()),
        };
    }
    let size: Size = text.parse()?;
    match size.bytes() {
        0 => {
            Err("a cache of 0 bytes holds nothing: write a size such as \"64 MiB\", or 10%".into())
        }
        bytes => Ok(Capacity::Bytes(bytes)),
    }
}

fn ticks(text: &str) -> Result<u64, String> {
    let ticks = match text.trim().parse::<u64>() {
        Ok(ticks) => ticks,
        Err(_) => {
            let period: Period = text.parse()?;
            u64::try_from(period.duration().as_millis()).unwrap_or(u64::MAX)
        }
    };
    match ticks {
        0 => Err("entries that live for 0 ticks are never found: give 1 or more".into()),
        ticks => Ok(ticks),
    }
}

fn ttl_mode(text: &str) -> Result<TtlMode, String> {
    match text {
        "write" => Ok(TtlMode::Write),
        "access" => Ok(TtlMode::Access),
        _ => Err("write `write` or `access`".into()),
    }
}

fn options(text: &str) -> Result<serde_json::Map<String, serde_json::Value>, String> {
    serde_json::from_str(text)
        .map_err(|error| format!("{error}; write a JSON object such as {{\"key\": 1}}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacities_are_sizes_or_shares() {
        assert_eq!(capacity("64 KiB"), Ok(Capacity::Bytes(65_536)));
        assert_eq!(capacity("56"), Ok(Capacity::Bytes(56)));
        assert_eq!(capacity("2.5%").map(|c| c.of(1000)), Ok(25));
        assert_eq!(capacity("1%").map(|c| c.of(10)), Ok(1));
        for wrong in ["0", "0%", "-5%", "nan%", "1001%", "", "many", "-1"] {
            assert!(capacity(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_ticks_or_milliseconds() {
        assert_eq!((ticks("250"), ticks("2s")), (Ok(250), Ok(2000)));
        for wrong in ["0", "0s", "-1", "", "soon"] {
            assert!(ticks(wrong).is_err(), "{wrong}");
        }
    }
}
