//! Two colours, split at a value.

#![forbid(unsafe_code)]

use eyemap_sdk::prelude::*;

eyemap_sdk::config! {
    /// `[stages.color.config]` of `template-color`.
    pub struct TemplateColor {
        /// Values above it are dark. Default: 10.
        pub at: f64 = 10.0,
    }
}

impl ColorStage for TemplateColor {
    type Config = Self;
    type Scale = Self;

    fn create(config: Self, _tables: &Tables<'_>) -> Result<Self> {
        Ok(config)
    }

    fn prepare(&self, _job: &ColorJob) -> Result<Self> {
        Ok(self.clone())
    }
}

impl ColorScale for TemplateColor {
    fn color_of(&self, value: f64) -> Rgba {
        if value > self.at {
            Rgba::opaque(0xa5, 0x0f, 0x15)
        } else {
            Rgba::opaque(0xfe, 0xe5, 0xd9)
        }
    }
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.template-color",
    color: TemplateColor,
}
