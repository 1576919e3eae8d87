//! GreedyDual with real costs: what is dear to compute, often asked for and small lives longest.
//!
//! The priority of an entry is `L + f * c / s`: `f` how often it was asked for while it was there,
//! `c` what it costs to compute it again in nanoseconds, `s` its weight in bytes (at least 1), `L`
//! the priority of the last victim, so that entries which nobody asks for any more fall behind. It
//! is set at the insert and at each hit.
//!
//! A newcomer counts as there before anything is evicted: where its priority is the smallest, it is
//! refused and sets `L`, and the victims until then stay victims. Among equals, the entry that was
//! not asked for longest dies first; the newcomer is the youngest.
//!
//! Costs logarithmic time an event and about 80 bytes a slot.
//!
//! Sources: Young, "The k-server dual and loose competitiveness for paging", Algorithmica 11 (1994),
//! for the floor and the cost; Cao and Irani, "Cost-aware WWW proxy caching algorithms", USITS 1997,
//! for the size; Cherkasova, HPL-98-69R1 (1998), for the frequency.

use eyemap_sdk::{
    cache::{NEEDS_CANDIDATE, NEEDS_COST, NEEDS_HIT_ORDER},
    prelude::*,
};

eyemap_sdk::config! {
    /// GDSF with costs has no options.
    pub struct NoOptions {}
}

/// Slots by priority, then by the request that set it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(crate = "eyemap_sdk::serde")]
pub struct GdsfCost {
    /// Priorities as their bits: those of numbers from 0 on are in the order of the numbers.
    ranks: SlotRanks<(u64, u64)>,
    frequencies: SlotTable<u32>,
    /// As they were at the insert: later events have them rounded.
    costs: SlotTable<u64>,
    newcomer: Newcomer<f64>,
    /// Priority of the last victim.
    floor: f64,
    requests: u64,
}

/// What an entry adds to the floor.
fn value(frequency: u32, cost_ns: u64, weight: u64) -> f64 {
    f64::from(frequency) * cost_ns as f64 / weight.max(1) as f64
}

impl GdsfCost {
    fn rank(&mut self, slot: u32, frequency: u32, priority: f64) {
        self.requests += 1;
        self.frequencies.set(slot, frequency);
        self.ranks.set(slot, (priority.to_bits(), self.requests));
    }

    fn renew(&mut self, event: &Event, frequency: u32) {
        let value = value(frequency, self.costs.get(event.slot), event.weight);
        self.rank(event.slot, frequency, self.floor + value);
    }

    /// The priority of an entry that is asked for for the first time.
    fn newcomers(&self, event: &Event) -> f64 {
        self.floor + value(1, event.cost_ns, event.weight)
    }

    /// Whether the next victim would be worth more than this.
    fn is_least(&self, priority: f64) -> bool {
        let first = self.ranks.first();
        first.is_some_and(|((bits, _), _)| priority < f64::from_bits(bits))
    }
}

impl CachePolicy for GdsfCost {
    type Config = NoOptions;

    const NEEDS: u32 = NEEDS_HIT_ORDER | NEEDS_CANDIDATE | NEEDS_COST;

    fn create(_options: NoOptions, _capacity_bytes: u64) -> Result<Self> {
        Ok(Self::default())
    }

    fn on_insert(&mut self, event: &Event) {
        let known = self.newcomer.take(event.key_hash);
        let priority = known.unwrap_or_else(|| self.newcomers(event));
        self.costs.set(event.slot, event.cost_ns);
        self.rank(event.slot, 1, priority);
    }

    fn on_hit(&mut self, event: &Event) {
        let frequency = self.frequencies.get(event.slot).saturating_add(1);
        self.renew(event, frequency);
    }

    fn on_remove(&mut self, event: &Event) {
        self.ranks.remove(event.slot);
    }

    fn on_reweigh(&mut self, event: &Event) {
        let frequency = self.frequencies.get(event.slot);
        self.renew(event, frequency);
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
            let priority = known.unwrap_or_else(|| self.newcomers(&event));
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
    id: "org.eyemap.gdsf-cost-policy",
    cache: GdsfCost,
}

#[cfg(test)]
mod tests {
    use eyemap_sdk::testing::{Request, Step, replay, replay_steps};

    use super::{GdsfCost, NoOptions};

    fn dear(key: u64, weight: u64, cost_ns: u64) -> Request {
        Request {
            cost_ns,
            ..Request::new(key, weight)
        }
    }

    #[test]
    fn dear_entries_stay() {
        let requests = [
            dear(1, 10, 1000),
            dear(2, 10, 10),
            // 100 and 1 nanoseconds a byte: 2 dies, L = 1, and 3 is at 1 + 5.
            dear(3, 10, 50),
            dear(1, 10, 1000),
            // 1 + 1 is less than 6: 2 is refused, L = 2; once more at 3, L = 3.
            dear(2, 10, 10),
            dear(2, 10, 10),
            dear(3, 10, 50),
        ];
        let replayed = replay::<GdsfCost>(&NoOptions {}, 20, &requests);
        assert_eq!(replayed.bits, "0001001");
        assert_eq!(replayed.hit_cost_ns, 1050);
    }

    #[test]
    fn what_nobody_asks_for_falls_behind() {
        // 1 is at 100. 3 evicts 2 at 50, which lifts the floor to 50, so that 4 comes in at 100 in
        // place of 3. Then 5 is at 100 too, and 1 dies as the oldest of equals.
        let requests = [1, 2, 3, 4, 5, 4, 5].map(|key| match key {
            1 => dear(key, 10, 1000),
            _ => dear(key, 10, 500),
        });
        let replayed = replay::<GdsfCost>(&NoOptions {}, 20, &requests);
        assert_eq!(replayed.bits, "0000011");
    }

    #[test]
    fn weights_costs_removals_and_capacities_of_any_size_are_taken() {
        let ask = |key, weight, cost_ns| Step::Ask(dear(key, weight, cost_ns));
        let steps = [
            ask(1, 0, 0),
            ask(2, 30, u64::MAX),
            ask(3, 20, 0),
            ask(4, 20, u64::MAX),
            Step::Reweigh(4, 5),
            Step::Resize(0),
            ask(1, 0, 0),
            Step::Resize(40),
            ask(4, 20, 5),
            Step::Remove(4),
            ask(4, 20, 5),
            ask(4, 20, 5),
        ];
        // 4 evicts 1 and 3, the older first, although 1 frees nothing.
        assert_eq!(
            replay_steps::<GdsfCost>(&NoOptions {}, 20, &steps).bits,
            "00000001"
        );
    }
}
