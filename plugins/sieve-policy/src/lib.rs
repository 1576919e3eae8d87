//! SIEVE: a queue that never moves its entries, and a hand that walks it from old to new.
//!
//! The hand evicts the first entry that was not asked for since it passed there last, and clears the
//! mark of those that were; past the newest it starts again at the oldest. A hit is only a mark,
//! which the host sets ([`SlotMeta::hits`]), so the policy is not called for it. State: 8 bytes a
//! slot.
//!
//! Source: Zhang, Yang, Yue, Vigfusson and Rashmi, "SIEVE is simpler than LRU: an efficient turn-key
//! eviction algorithm for web caches", NSDI 2024.

use eyemap_sdk::{cache::NEEDS_HIT_META, prelude::*};

eyemap_sdk::config! {
    /// SIEVE has no options.
    pub struct NoOptions {}
}

/// Slots from the oldest to the newest, and the hand.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(crate = "eyemap_sdk::serde")]
pub struct Sieve {
    slots: SlotList,
    /// Where the hand is; `None` is at the oldest.
    hand: Option<u32>,
}

impl Sieve {
    fn take_out(&mut self, slot: u32) {
        if self.hand == Some(slot) {
            self.hand = self.slots.newer(slot);
        }
        self.slots.remove(slot);
    }
}

impl CachePolicy for Sieve {
    type Config = NoOptions;

    const NEEDS: u32 = NEEDS_HIT_META;

    fn create(_options: NoOptions, _capacity_bytes: u64) -> Result<Self> {
        Ok(Self::default())
    }

    fn on_insert(&mut self, event: &Event) {
        self.slots.push_newest(event.slot);
    }

    fn on_remove(&mut self, event: &Event) {
        self.take_out(event.slot);
    }

    fn victim(&mut self, slots: &[SlotMeta]) -> Option<u32> {
        let mut hand = self.hand.or(self.slots.oldest())?;
        while let Some(meta) = slots.get(hand as usize)
            && meta.hits() > 0
        {
            meta.set_hits(0);
            hand = self.slots.newer(hand).or(self.slots.oldest())?;
        }
        self.hand = Some(hand);
        self.take_out(hand);
        Some(hand)
    }

    eyemap_sdk::keep_state!();
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.sieve-policy",
    cache: Sieve,
}

#[cfg(test)]
mod tests {
    use eyemap_sdk::testing::{Request, Step, replay, replay_steps};

    use super::{NoOptions, Sieve};

    fn ask(key: u64, weight: u64) -> Step {
        Step::Ask(Request::new(key, weight))
    }

    #[test]
    fn the_hand_passes_what_was_hit_and_stays_where_it_is() {
        // 1 2 3 fill the cache; 1 is hit. 4: the hand clears 1, evicts 2, waits at 3. 5: evicts 3,
        // waits at 4. 1 is hit; 3: evicts 4 and not the older 1. 1 and 5 are still there.
        let requests = [1, 2, 3, 1, 4, 5, 1, 3, 1, 5].map(|key| Request::new(key, 1));
        assert_eq!(
            replay::<Sieve>(&NoOptions {}, 3, &requests).bits,
            "0001001011"
        );
    }

    #[test]
    fn taking_out_the_entry_under_the_hand_moves_it_on() {
        let steps = [
            ask(1, 1),
            ask(2, 1),
            ask(3, 1),
            ask(1, 1),
            // Evicts 2; the hand is at 3, moves to 4 when 3 goes, and 5 takes the free place.
            ask(4, 1),
            Step::Remove(3),
            ask(5, 1),
            // Evicts 4.
            ask(6, 1),
            ask(1, 1),
            ask(5, 1),
        ];
        assert_eq!(
            replay_steps::<Sieve>(&NoOptions {}, 3, &steps).bits,
            "000100011"
        );
    }

    #[test]
    fn weights_and_capacities_of_any_size_are_taken() {
        let steps = [
            ask(1, 0),
            ask(2, 30),
            ask(3, 20),
            ask(1, 0),
            Step::Resize(0),
            // The hand passed 1, which was hit, and evicted 3.
            ask(1, 0),
            ask(3, 20),
            Step::Resize(40),
            ask(3, 20),
            ask(3, 20),
        ];
        assert_eq!(
            replay_steps::<Sieve>(&NoOptions {}, 20, &steps).bits,
            "00011001"
        );
    }
}
