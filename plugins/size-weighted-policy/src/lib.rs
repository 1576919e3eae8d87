//! GreedyDual-Size with frequency (GDSF): small entries that are asked for often live longest.
//!
//! The priority of an entry is `L + f * 1e6 / s`: `f` how often it was asked for while it was there,
//! `s` its weight in bytes (at least 1), `L` the priority of the last victim, so that entries which
//! nobody asks for any more fall behind. It is set at the insert and at each hit.
//!
//! A newcomer counts as there before anything is evicted: where its priority is the smallest, it is
//! refused and sets `L`, and the victims until then stay victims. Among equals, the entry that was
//! not asked for longest dies first; the newcomer is the youngest.
//!
//! Costs logarithmic time an event and about 80 bytes a slot.
//!
//! Source: Cherkasova, "Improving WWW proxies performance with Greedy-Dual-Size-Frequency caching
//! policy", Hewlett-Packard Laboratories, HPL-98-69R1 (1998).

use eyemap_sdk::{
    cache::{NEEDS_CANDIDATE, NEEDS_HIT_ORDER},
    prelude::*,
};

eyemap_sdk::config! {
    /// GDSF has no options.
    pub struct NoOptions {}
}

/// Slots by priority, then by the request that set it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(crate = "eyemap_sdk::serde")]
pub struct Gdsf {
    /// Priorities as their bits: those of numbers from 0 on are in the order of the numbers.
    ranks: SlotRanks<(u64, u64)>,
    frequencies: SlotTable<u32>,
    newcomer: Newcomer<f64>,
    /// Priority of the last victim.
    floor: f64,
    requests: u64,
}

/// What an entry adds to the floor.
fn value(frequency: u32, event: &Event) -> f64 {
    f64::from(frequency) * 1e6 / event.weight.max(1) as f64
}

impl Gdsf {
    fn rank(&mut self, slot: u32, frequency: u32, priority: f64) {
        self.requests += 1;
        self.frequencies.set(slot, frequency);
        self.ranks.set(slot, (priority.to_bits(), self.requests));
    }

    /// Whether the next victim would be worth more than this.
    fn is_least(&self, priority: f64) -> bool {
        let first = self.ranks.first();
        first.is_some_and(|((bits, _), _)| priority < f64::from_bits(bits))
    }
}

impl CachePolicy for Gdsf {
    type Config = NoOptions;

    const NEEDS: u32 = NEEDS_HIT_ORDER | NEEDS_CANDIDATE;

    fn create(_options: NoOptions, _capacity_bytes: u64) -> Result<Self> {
        Ok(Self::default())
    }

    fn on_insert(&mut self, event: &Event) {
        let known = self.newcomer.take(event.key_hash);
        let priority = known.unwrap_or_else(|| self.floor + value(1, event));
        self.rank(event.slot, 1, priority);
    }

    fn on_hit(&mut self, event: &Event) {
        let frequency = self.frequencies.get(event.slot).saturating_add(1);
        self.rank(event.slot, frequency, self.floor + value(frequency, event));
    }

    fn on_remove(&mut self, event: &Event) {
        self.ranks.remove(event.slot);
    }

    fn on_reweigh(&mut self, event: &Event) {
        let frequency = self.frequencies.get(event.slot);
        self.rank(event.slot, frequency, self.floor + value(frequency, event));
    }

    fn victim(&mut self, _slots: &[SlotMeta]) -> Option<u32> {
        let ((bits, _), slot) = self.ranks.pop_first()?;
        self.floor = f64::from_bits(bits);
        Some(slot)
    }

    fn make_room(&mut self, room: &mut Room<'_>) -> Result<bool> {
        // Its priority is that of before the first eviction, also when the host asks again.
        let newcomer = room.candidate().copied().map(|event| {
            let known = self.newcomer.get(event.key_hash);
            let priority = known.unwrap_or_else(|| self.floor + value(1, &event));
            self.newcomer.set(event.key_hash, priority);
            (event.key_hash, priority)
        });
        while room.is_wanted() {
            if let Some((key_hash, priority)) = newcomer
                && self.is_least(priority)
            {
                self.newcomer.take(key_hash);
                self.floor = priority;
                return Ok(false);
            }
            let Some(slot) = self.victim(room.slots()) else {
                break;
            };
            room.evict(slot)?;
        }
        Ok(true)
    }

    eyemap_sdk::keep_state!();
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.size-weighted-policy",
    cache: Gdsf,
}

#[cfg(test)]
mod tests {
    use eyemap_sdk::testing::{Request, Step, replay, replay_steps};

    use super::{Gdsf, NoOptions};

    fn bits(capacity_bytes: u64, requests: &[(u64, u64)]) -> String {
        let requests: Vec<_> = requests
            .iter()
            .map(|&(key, weight)| Request::new(key, weight))
            .collect();
        replay::<Gdsf>(&NoOptions {}, capacity_bytes, &requests).bits
    }

    #[test]
    fn small_and_frequent_entries_stay() {
        // Priorities in units of 1e6 / 100: 1 (weight 10) has 10, 2 (20) has 5, 3 (20) has 5.
        // 3 needs 10 bytes of 40: 2 is the older of the smallest, L = 5.
        // 1 is hit: 5 + 20 = 25. 2 needs 10 again, with 5 + 5 = 10: 3 dies at 5, L = 5.
        // 4 (30) needs 20 with 5 + 3.33: smaller than 2 at 10, so it is refused, L = 8.33.
        // 4 once more: 11.67 is larger than 10; 2 dies, L = 10.
        let requests = [
            (1, 10),
            (2, 20),
            (3, 20),
            (1, 10),
            (2, 20),
            (4, 30),
            (2, 20),
            (4, 30),
        ];
        assert_eq!(bits(40, &requests[..6]), "000100");
        assert_eq!(bits(40, &requests), "00010010");
        let again = [&requests[..6], &[(4, 30), (4, 30), (1, 10), (2, 20)]].concat();
        assert_eq!(bits(40, &again), "0001000110");
    }

    #[test]
    fn a_newcomer_evicts_its_equals_and_is_refused_by_its_betters() {
        // 2 has what 1 has and is younger. 3 is larger: refused, and 2 is still there.
        assert_eq!(bits(10, &[(1, 10), (2, 10), (2, 10), (1, 10)]), "0010");
        assert_eq!(bits(12, &[(1, 10), (3, 12), (1, 10)]), "001");
    }

    #[test]
    fn victims_stay_victims_when_the_newcomer_is_refused() {
        // Per 1e6: 1 (weight 20) has 0.05, 2 (10) 0.1; 3 (25) has 0.04, refused at once, L = 0.04;
        // then 0.08: 1 dies, and 2 is worth more, so 3 is refused after all.
        let requests = [(1, 20), (2, 10), (3, 25), (3, 25), (1, 20), (2, 10)];
        assert_eq!(bits(30, &requests), "000001");
    }

    #[test]
    fn weights_removals_and_capacities_of_any_size_are_taken() {
        let ask = |key, weight| Step::Ask(Request::new(key, weight));
        let steps = [
            ask(1, 0),
            ask(2, 30),
            ask(3, 20),
            Step::Reweigh(3, 5),
            Step::Resize(0),
            // 3 was the smallest, and nothing else had to go.
            ask(1, 0),
            ask(3, 20),
            Step::Resize(40),
            ask(3, 20),
            Step::Remove(3),
            ask(3, 20),
            ask(3, 20),
        ];
        assert_eq!(
            replay_steps::<Gdsf>(&NoOptions {}, 20, &steps).bits,
            "00010001"
        );
    }
}
