//! The model of W-TinyLFU that its plugin's tests use, beside the plugin as it is loaded.

use eyemap_engine::cache::Asked;

#[path = "../../../plugins/w-tinylfu-policy/src/model.rs"]
mod model;

/// What the model needs of the plugin's options.
struct Options {
    window_fraction: f64,
    protected_fraction: f64,
}

/// What the model needs of the plugin's sketch, as its documentation says it: the finalizer of
/// SplitMix64.
mod sketch {
    pub(super) fn mix(key_hash: u64, row: u64) -> u64 {
        let golden = 0x9e37_79b9_7f4a_7c15;
        let mut z = key_hash.wrapping_add((row + 1).wrapping_mul(golden));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// See the documentation of `plugins/w-tinylfu-policy`.
pub(crate) struct WTinyLfu(model::Model);

impl WTinyLfu {
    pub(crate) fn new(capacity: u64) -> Self {
        let options = Options {
            window_fraction: 0.1,
            protected_fraction: 0.8,
        };
        Self(model::Model::new(&options, capacity))
    }
}

impl crate::models::Model for WTinyLfu {
    fn ask(&mut self, asked: &Asked) -> bool {
        self.0.ask(asked.key, asked.size)
    }

    fn held(&self) -> (u64, u64) {
        self.0.held()
    }
}
