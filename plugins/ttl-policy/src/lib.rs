//! Time to live: the entry that expires first dies first; among equals the one that came first.
//!
//! The host removes what has expired, under every policy. This one also uses the time that is left
//! to choose among those that have not. Entries that never expire go by age, after all others.
//!
//! Source: the `volatile-ttl` eviction of Redis (Sanfilippo, "Redis: a persistent key-value
//! database", 2009), without its sampling.

use eyemap_sdk::prelude::*;

eyemap_sdk::config! {
    /// TTL has no options: how long an entry lives is the host's matter.
    pub struct NoOptions {}
}

/// Slots by the tick at which they expire, then by the order in which they came.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(crate = "eyemap_sdk::serde")]
pub struct Ttl {
    ranks: SlotRanks<(u64, u64)>,
    inserts: u64,
}

impl CachePolicy for Ttl {
    type Config = NoOptions;

    fn create(_options: NoOptions, _capacity_bytes: u64) -> Result<Self> {
        Ok(Self::default())
    }

    fn on_insert(&mut self, event: &Event) {
        self.inserts += 1;
        self.ranks.set(event.slot, (event.expires_at, self.inserts));
    }

    fn on_hit(&mut self, event: &Event) {
        // Where a hit gives an entry more time, its event says until when.
        if let Some((_, came)) = self.ranks.get(event.slot) {
            self.ranks.set(event.slot, (event.expires_at, came));
        }
    }

    fn on_remove(&mut self, event: &Event) {
        self.ranks.remove(event.slot);
    }

    fn victim(&mut self, _slots: &[SlotMeta]) -> Option<u32> {
        self.ranks.pop_first().map(|(_, slot)| slot)
    }

    eyemap_sdk::keep_state!();
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.ttl-policy",
    cache: Ttl,
}

#[cfg(test)]
mod tests {
    use eyemap_sdk::testing::{Request, Step, replay, replay_steps};

    use super::{NoOptions, Ttl};

    fn until(key: u64, tick: u64, expires_at: u64) -> Request {
        Request {
            tick,
            expires_at,
            ..Request::new(key, 10)
        }
    }

    #[test]
    fn the_entry_that_expires_first_dies_first() {
        let requests = [
            until(1, 0, 90),
            until(2, 0, 50),
            // 3 evicts 2, which expires before 1.
            until(3, 1, 90),
            until(1, 2, 90),
            // 2 evicts 1: it expires with 3 and came before it.
            until(2, 3, 60),
            until(3, 4, 90),
            // At 60 the host has removed 2, so that 4 and 3 fit.
            until(4, 60, 70),
            until(3, 60, 90),
        ];
        assert_eq!(replay::<Ttl>(&NoOptions {}, 20, &requests).bits, "00010101");
    }

    #[test]
    fn a_hit_that_renews_gives_more_time() {
        let renewing = Request {
            renews: true,
            ..until(1, 1, 99)
        };
        // The hit moves 1 from 50 to 99, so 3 evicts 2.
        let requests = [
            until(1, 0, 50),
            until(2, 0, 60),
            renewing,
            until(3, 2, 70),
            until(1, 2, 99),
        ];
        assert_eq!(replay::<Ttl>(&NoOptions {}, 20, &requests).bits, "00101");
    }

    #[test]
    fn weights_removals_and_capacities_of_any_size_are_taken() {
        let ask = |key, weight| Step::Ask(Request::new(key, weight));
        let steps = [
            ask(1, 0),
            ask(2, 30),
            ask(3, 20),
            Step::Resize(0),
            ask(3, 20),
            Step::Resize(40),
            ask(3, 20),
            Step::Remove(3),
            ask(3, 20),
        ];
        assert_eq!(
            replay_steps::<Ttl>(&NoOptions {}, 20, &steps).bits,
            "000000"
        );
    }
}
