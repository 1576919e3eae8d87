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
