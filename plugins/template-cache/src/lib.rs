//! First in, first out, but who was hit often enough goes round once more.
//!
//! The host counts hits ([`SlotMeta::hits`], up to 3), so the policy is not called for them. Source: the
//! clock of Corbató, "A paging experiment with the Multics system", MIT Project MAC, 1968, with a
//! number of hits in place of a single bit.

#![forbid(unsafe_code)]

use eyemap_sdk::{cache::NEEDS_HIT_META, prelude::*};

eyemap_sdk::config! {
    /// `[cache.policy_options]` of `template-cache`.
    pub struct TemplateCacheOptions {
        /// Hits since its last round that keep an entry, from 1 to 3. Default: 1.
        pub keep_at: u8 = 1,
    }
}

/// Slots from the oldest to the newest.
#[derive(Debug, Serialize, Deserialize)]
#[serde(crate = "eyemap_sdk::serde")]
pub struct TemplateCache {
    slots: SlotList,
    keep_at: u8,
}

impl CachePolicy for TemplateCache {
    type Config = TemplateCacheOptions;

    const NEEDS: u32 = NEEDS_HIT_META;

    fn create(options: TemplateCacheOptions, _capacity_bytes: u64) -> Result<Self> {
        let keep_at = options.keep_at;
        if !(1..=3).contains(&keep_at) {
            return Err(Error::config(
                "keep_at",
                format!("{keep_at} is not from 1 to 3"),
            ));
        }
        let slots = SlotList::default();
        Ok(Self { slots, keep_at })
    }

    fn on_insert(&mut self, event: &Event) {
        self.slots.push_newest(event.slot);
    }

    fn on_remove(&mut self, event: &Event) {
        self.slots.remove(event.slot);
    }

    fn victim(&mut self, slots: &[SlotMeta]) -> Option<u32> {
        loop {
            let oldest = self.slots.pop_oldest()?;
            let meta = slots.get(oldest as usize);
            let Some(kept) = meta.filter(|meta| meta.hits() >= self.keep_at) else {
                return Some(oldest);
            };
            // A round without hits ends it, so the search ends too.
            kept.set_hits(0);
            self.slots.push_newest(oldest);
        }
    }

    eyemap_sdk::keep_state!();
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.template-cache",
    cache: TemplateCache,
}
