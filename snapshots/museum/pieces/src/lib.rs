//! Plugins of other times, one an example. What they draw does not matter, so they share it.

use eyemap_sdk::prelude::*;

eyemap_sdk::config! {
    /// Two colours, split at a value.
    pub struct Split {
        /// Values above it are dark. Default: 10.
        pub at: f64 = 10.0,
    }
}

impl ColorStage for Split {
    type Config = Self;
    type Scale = Self;

    fn create(config: Self, _tables: &Tables<'_>) -> Result<Self> {
        Ok(config)
    }

    fn prepare(&self, _job: &ColorJob) -> Result<Self> {
        Ok(self.clone())
    }
}

impl ColorScale for Split {
    fn color_of(&self, value: f64) -> Rgba {
        if value > self.at {
            Rgba::opaque(0xa5, 0x0f, 0x15)
        } else {
            Rgba::opaque(0xfe, 0xe5, 0xd9)
        }
    }
}
