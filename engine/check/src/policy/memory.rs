//! What a policy does to memory that is not its own.

use eyemap_abi::{
    CacheExtension, CachePolicyBox, Event, SlotMeta,
    abi_stable::std_types::{RNone, RSlice, RSliceMut, RStr},
    cache::EventKind,
};
use eyemap_worker::{
    forked::{self, Ended},
    guarded::{Against, Guarded},
};

use super::{OPTIONS, outcome, policy};
use crate::{Outcome, Subject, calls::memory::harm};

/// Entries in the cache, each of one byte.
const ENTRIES: u32 = 40;

/// Every number of events and of places for victims, between pages that nobody may touch.
pub(crate) fn guard_pages(subject: &Subject) -> Outcome {
    outcome((|| {
        let extension = policy(subject)?;
        for places in [1, 2, 3, 8, 64] {
            for against in Against::ALL {
                guarded(&extension, places, against)?;
            }
        }
        Ok(String::new())
    })())
}

fn insert(slot: u32) -> Event {
    Event {
        kind: EventKind::Insert,
        cache: 0,
        flags: 0,
        slot,
        generation: slot + 1,
        key_hash: u64::from(slot),
        weight: 1,
        cost_ns: 1000,
        tick: 0,
        expires_at: u64::MAX,
        next_use: u64::MAX,
    }
}

fn guarded(extension: &CacheExtension, places: usize, against: Against) -> Result<(), Outcome> {
    let unable = |error: std::io::Error| Outcome::skipped(format!("no guarded memory: {error}"));
    let inserts: Vec<Event> = (0..ENTRIES).map(insert).collect();
    let events = Guarded::new(&inserts, against).map_err(unable)?;
    let mut out = Guarded::new(&vec![u32::MAX; places], against).map_err(unable)?;
    let created = (extension.create)(RStr::from_str(OPTIONS), u64::from(ENTRIES));
    let Ok(mut policy) = created.into_result() else {
        return Err(Outcome::skipped("it refuses its default options"));
    };
    let ended = forked::run(|| decide(&mut policy, &events, &mut out)).map_err(unable)?;
    match ended {
        None => decide(&mut policy, &events, &mut out),
        Some(Ended::Done | Ended::Panicked) => {}
        Some(ended) => {
            let call = format!("cache policy: `decide` with {places} places for victims");
            let fault = harm(&call, ended, |address| {
                let events = events.miss(address).map(|miss| ("events", miss));
                events.or(out.miss(address).map(|miss| ("out_victims", miss)))
            });
            return Err(fault.into());
        }
    }
    Ok(())
}

/// Fills the cache, and asks for more than there is place for.
fn decide(policy: &mut CachePolicyBox, events: &Guarded<Event>, out: &mut Guarded<u32>) {
    let slots: Vec<SlotMeta> = (0..ENTRIES).map(|_| SlotMeta::resident(1)).collect();
    // What it answers is a matter of other checks.
    let _ = policy.decide(
        RSlice::from_slice(events.as_slice()),
        RSlice::from_slice(&slots),
        u64::from(ENTRIES),
        RNone,
        RSliceMut::from_mut_slice(out.as_mut_slice()),
    );
}
