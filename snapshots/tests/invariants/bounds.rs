//! How much a policy keeps, and how long it takes, when nothing is ever asked for again.

use std::time::Duration;

use eyemap_abi::CacheExtension;
use eyemap_engine::own_time::OwnTime;

use crate::{
    driver::Driver,
    step::{Shape, Step},
    subject::Subject,
};

/// Bytes of state for each slot there ever was, ghosts included: a key of ten bytes and its weight
/// four times over in two lists, and the lists.
const A_SLOT: usize = 160;
/// Bytes of state that do not depend on slots, such as the least width of a sketch.
const A_POLICY: usize = 24 << 10;

fn driver<'a>(extension: &'a CacheExtension, options: &'a str, capacity: u64) -> Driver<'a> {
    let shape = Shape {
        batch: 64,
        ..Shape::default()
    };
    let mut driver =
        Driver::new(extension, options, capacity, shape).unwrap_or_else(|error| panic!("{error}"));
    driver.notes = false;
    driver
}

/// How keys come that never come again.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scan {
    /// One that weighs 1 after the other.
    Units,
    /// Fifty that weigh nothing, then one that fills the cache.
    Weightless,
    /// Each is removed by name.
    Removed,
    /// Each expires after a tick.
    Expired,
}

impl Scan {
    pub(crate) const ALL: [Self; 4] = [Self::Units, Self::Weightless, Self::Removed, Self::Expired];

    fn ask(self, driver: &mut Driver<'_>, key: u64) {
        match self {
            Self::Units => driver.take(Step::ask(key, 1)),
            Self::Weightless if key % 51 == 50 => driver.take(Step::ask(key, driver.capacity)),
            Self::Weightless => driver.take(Step::ask(key, 0)),
            Self::Removed => {
                driver.take(Step::ask(key, 1));
                driver.take(Step::Remove(key));
            }
            Self::Expired => {
                driver.take(Step::Ask {
                    key,
                    weight: 1,
                    cost_ns: 1000,
                    ttl: Some(1),
                    renews: false,
                });
                driver.take(Step::Advance(1));
            }
        }
    }
}

/// The state stays within so many bytes a slot, however many keys there were.
pub(crate) fn keeps_little(subject: &Subject, scan: Scan, requests: u64) -> Result<(), String> {
    let mut driver = driver(&subject.extension, &subject.options, 1000);
    for key in 0..requests {
        scan.ask(&mut driver, key.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        if key % (requests / 4) != requests / 4 - 1 {
            continue;
        }
        let most = A_SLOT * driver.slots() + A_POLICY;
        let state = driver.state().ok_or("there is no state")?;
        if state.len() > most {
            return Err(format!(
                "{} {} keeps {} bytes of {} slots after {} keys ({scan:?})",
                subject.name,
                subject.options,
                state.len(),
                driver.slots(),
                key + 1
            ));
        }
    }
    match driver.outcome.wrong.first_key_value() {
        Some((wrong, words)) => Err(format!("{}: {wrong:?} at {words}", subject.name)),
        None => Ok(()),
    }
}

/// How many times longer a request takes after many than after few. The least of several stretches
/// is compared: a busy machine lengthens some of them, and never shortens one.
pub(crate) fn slowdown(subject: &Subject, requests: u64) -> f64 {
    const STRETCHES: u64 = 16;
    let mut driver = driver(&subject.extension, &subject.options, 1000);
    let mut stretch = |index: u64| -> Duration {
        let time = OwnTime::start();
        let first = index * requests / STRETCHES;
        for key in first..(index + 1) * requests / STRETCHES {
            Scan::Units.ask(&mut driver, key.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        }
        time.elapsed()
    };
    let times: Vec<_> = (0..STRETCHES).map(&mut stretch).collect();
    let least = |times: &[Duration]| times.iter().min().map_or(0.0, Duration::as_secs_f64);
    least(&times[12..]) / least(&times[..4])
}
