//! First in, first out: the entry that came first dies first, and hits change nothing.
//!
//! Source: Belady, "A study of replacement algorithms for a virtual-storage computer", IBM Systems
//! Journal 5 (1966), where it is one of the baselines.

use eyemap_sdk::prelude::*;

eyemap_sdk::config! {
    /// FIFO has no options.
    pub struct NoOptions {}
}

/// Slots from the oldest to the newest.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(crate = "eyemap_sdk::serde")]
pub struct Fifo(SlotList);

impl CachePolicy for Fifo {
    type Config = NoOptions;

    const NEEDS: u32 = 0;

    fn create(_options: NoOptions, _capacity_bytes: u64) -> Result<Self> {
        Ok(Self::default())
    }

    fn on_insert(&mut self, event: &Event) {
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
    id: "org.eyemap.fifo-policy",
    cache: Fifo,
}

#[cfg(test)]
mod tests {
    use eyemap_sdk::testing::{Request, Step, replay, replay_steps};

    use super::{Fifo, NoOptions};

    fn ask(key: u64, weight: u64) -> Step {
        Step::Ask(Request::new(key, weight))
    }

    #[test]
    fn a_hit_does_not_save_the_oldest() {
        // 1 2 fill the cache; 1 is hit; 3 evicts 1 all the same; 1 evicts 2; 3 is still there.
        let requests = [1, 2, 1, 3, 1, 3].map(|key| Request::new(key, 10));
        assert_eq!(replay::<Fifo>(&NoOptions {}, 20, &requests).bits, "001001");
    }

    #[test]
    fn weights_removals_and_capacities_of_any_size_are_taken() {
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
        // 2 is too heavy. At capacity 0 only what weighs nothing fits; the oldest goes first, so 1
        // is evicted before 3 covers the need, and comes in again.
        assert_eq!(
            replay_steps::<Fifo>(&NoOptions {}, 20, &steps).bits,
            "000100010"
        );
    }
}
