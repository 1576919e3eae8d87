//! Least recently used: a hit moves an entry to the young end, the old end dies first.
//!
//! Source: Mattson, Gecsei, Slutz and Traiger, "Evaluation techniques for storage hierarchies", IBM
//! Systems Journal 9 (1970), whose inclusion property makes it the yardstick of the others.

use eyemap_sdk::prelude::*;

eyemap_sdk::config! {
    /// LRU has no options.
    pub struct NoOptions {}
}

/// Slots from the least to the most recently used.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(crate = "eyemap_sdk::serde")]
pub struct Lru(SlotList);

impl CachePolicy for Lru {
    type Config = NoOptions;

    fn create(_options: NoOptions, _capacity_bytes: u64) -> Result<Self> {
        Ok(Self::default())
    }

    fn on_insert(&mut self, event: &Event) {
        self.0.push_newest(event.slot);
    }

    fn on_hit(&mut self, event: &Event) {
        self.0.push_newest(event.slot);
    }

    fn on_remove(&mut self, event: &Event) {
        self.0.remove(event.slot);
    }

    fn victim(&mut self, _slots: &[SlotMeta]) -> Option<u32> {
        self.0.pop_oldest()
    }

    eyemap_sdk::keep_state!();
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.lru-policy",
    cache: Lru,
}

#[cfg(test)]
mod tests {
    use eyemap_sdk::testing::{Request, Step, replay, replay_steps};

    use super::{Lru, NoOptions};

    fn ask(key: u64, weight: u64) -> Step {
        Step::Ask(Request::new(key, weight))
    }

    #[test]
    fn a_hit_saves_an_entry() {
        // 1 is hit, so 3 evicts 2; then 2 evicts 1, which was used before 3.
        let requests = [1, 2, 1, 3, 2, 3, 1].map(|key| Request::new(key, 10));
        assert_eq!(replay::<Lru>(&NoOptions {}, 20, &requests).bits, "0010010");
    }

    #[test]
    fn weights_removals_and_capacities_of_any_size_are_taken() {
        // 2 is too heavy. The hit saves 1, which weighs nothing and fits into capacity 0.
        let steps = [
            ask(1, 0),
            ask(2, 30),
            ask(3, 20),
            ask(1, 0),
            Step::Resize(0),
            ask(1, 0),
            ask(3, 20),
            Step::Resize(40),
            ask(3, 20),
            Step::Remove(1),
            ask(3, 20),
            ask(1, 0),
        ];
        assert_eq!(
            replay_steps::<Lru>(&NoOptions {}, 20, &steps).bits,
            "000110010"
        );
    }
}
