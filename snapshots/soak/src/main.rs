//! Adversarial rounds for as long as one likes: hostile tables, configurations, names, directories and
//! plugins, damaged stores, killed and signalled runs, small memory limits.
//!
//! A trial is made of a seed, the name of its kind and its number, so that one that fails can be had again:
//! `cargo xtask soak --seed 7 --only kills:12`. When processes are stopped depends on the machine; what is
//! asked of them does not.

// What it prints is what it is for.
#![allow(clippy::print_stdout)]

mod configurations;
mod damage;
mod kills;
mod limits;
mod names;
mod places;
mod plugins;
mod signals;
mod tables;
mod trial;

use std::{
    collections::BTreeMap,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::Parser;
use trial::{Fault, Trial};

/// What can be tried, and how.
struct Kind {
    name: &'static str,
    /// One trial. It says what is wrong, if anything is.
    run: fn(&mut Trial) -> Result<(), Fault>,
}

const KINDS: [Kind; 9] = [
    Kind {
        name: "tables",
        run: tables::run,
    },
    Kind {
        name: "configurations",
        run: configurations::run,
    },
    Kind {
        name: "names",
        run: names::run,
    },
    Kind {
        name: "kills",
        run: kills::run,
    },
    Kind {
        name: "signals",
        run: signals::run,
    },
    Kind {
        name: "damage",
        run: damage::run,
    },
    Kind {
        name: "places",
        run: places::run,
    },
    Kind {
        name: "limits",
        run: limits::run,
    },
    Kind {
        name: "plugins",
        run: plugins::run,
    },
];

/// Tries to break eyemap.
#[derive(Debug, Parser)]
struct Args {
    /// How long
    #[arg(long, default_value_t = 5)]
    minutes: u64,
    /// What trials are made of
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One kind (kills) or one trial (kills:12)
    #[arg(long, value_name = "KIND[:N]")]
    only: Option<String>,
}

/// What was found of a kind.
#[derive(Debug, Default)]
struct Count {
    trials: u64,
    faults: u64,
    time: Duration,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let (kind, number) = match args.only.as_deref().map(|only| only.split_once(':')) {
        Some(Some((kind, number))) => (Some(kind), number.parse().ok()),
        _ => (args.only.as_deref(), None),
    };
    let kinds: Vec<&Kind> = KINDS
        .iter()
        .filter(|known| kind.is_none_or(|kind| kind == known.name))
        .collect();
    if kinds.is_empty() {
        let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        println!("there is no such kind; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    let mut counts = BTreeMap::new();
    match number {
        Some(number) => kinds
            .iter()
            .for_each(|kind| one(kind, args.seed, number, &mut counts)),
        None => {
            let end = Instant::now() + Duration::from_secs(60 * args.minutes);
            let rounds = (0..).take_while(|_| Instant::now() < end);
            for number in rounds {
                for kind in kinds.iter().take_while(|_| Instant::now() < end) {
                    one(kind, args.seed, number, &mut counts);
                }
            }
        }
    }
    close(&counts, args.seed)
}

/// Runs a trial and says what is wrong.
fn one(kind: &Kind, seed: u64, number: u64, counts: &mut BTreeMap<&'static str, Count>) {
    let started = Instant::now();
    let mut trial = Trial::new(kind.name, seed, number);
    let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (kind.run)(&mut trial)));
    let found = tried.unwrap_or_else(|_| Err("the trial itself gave up, see above".into()));
    let count = counts.entry(kind.name).or_default();
    count.trials += 1;
    count.time += started.elapsed();
    if let Err(fault) = found {
        count.faults += 1;
        println!("{}:{number} of seed {seed}: {fault}", kind.name);
        println!(
            "  again: cargo xtask soak --seed {seed} --only {}:{number}",
            kind.name
        );
        if let Some(kept) = trial.keep() {
            println!("  its files: {}", kept.display());
        }
    }
}

fn close(counts: &BTreeMap<&'static str, Count>, seed: u64) -> ExitCode {
    println!(
        "\n{:16} {:>7} {:>7} {:>9}",
        "kind", "trials", "faults", "seconds"
    );
    for (name, count) in counts {
        let seconds = count.time.as_secs();
        println!(
            "{name:16} {:>7} {:>7} {seconds:>9}",
            count.trials, count.faults
        );
    }
    let sum = |of: fn(&Count) -> u64| counts.values().map(of).sum::<u64>();
    let (trials, faults) = (sum(|count| count.trials), sum(|count| count.faults));
    println!("{trials} trials of seed {seed}, {faults} faults");
    match faults {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
