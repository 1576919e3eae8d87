//! Everything that the author of an eyemap plugin needs, and nothing of the host.
//!
//! A plugin is a `cdylib` that implements one or more of four safe traits and exports them:
//!
//! | trait | decides | extension |
//! |---|---|---|
//! | [`CoordinateStage`] | where every hexagon lies | `eyemap.coordinate/1` |
//! | [`ColorStage`] | how it is coloured | `eyemap.color/1` |
//! | [`MetadataStage`] | what is written on the map | `eyemap.metadata/1` |
//! | [`CachePolicy`] | which cache entry dies first | `eyemap.cache/1` |
//!
//! ```
//! use eyemap_sdk::prelude::*;
//!
//! eyemap_sdk::config! {
//!     /// Two colours, split at a value.
//!     pub struct Split {
//!         /// Values above it are dark. Default: 10.
//!         pub at: f64 = 10.0,
//!     }
//! }
//!
//! impl ColorStage for Split {
//!     type Config = Self;
//!     type Scale = Self;
//!     fn create(config: Self, _tables: &Tables<'_>) -> Result<Self> {
//!         Ok(config)
//!     }
//!     fn prepare(&self, _job: &ColorJob) -> Result<Self> {
//!         Ok(self.clone())
//!     }
//! }
//!
//! impl ColorScale for Split {
//!     fn color_of(&self, value: f64) -> Rgba {
//!         if value > self.at { Rgba::opaque(0xa5, 0x0f, 0x15) } else { Rgba::opaque(0xfe, 0xe5, 0xd9) }
//!     }
//! }
//!
//! eyemap_sdk::export_plugin! {
//!     id: "org.example.split",
//!     color: Split,
//! }
//! ```
//!
//! The adapters behind [`export_plugin!`] check lengths, catch panics, turn errors into values that
//! cross the boundary and forward what the plugin logs with [`tracing`] into the host's span.
//!
//! **Determinism.** The same inputs must give the same bytes on every machine. The platform's `sin`,
//! `exp` and friends differ between C libraries, so mathematics that reaches output goes through
//! [`libm`], re-exported here.

extern crate self as eyemap_sdk;

pub mod cache;
pub mod color;
pub mod config;
pub mod coordinate;
pub mod error;
#[doc(hidden)]
pub mod export;
mod guard;
mod log;
#[doc(hidden)]
pub mod manifest;
pub mod metadata;
pub mod tables;
pub mod testing;

pub use eyemap_abi as abi;
pub use libm;
pub use schemars;
pub use serde;
pub use serde_json;
pub use tracing;

pub use cache::CachePolicy;
pub use color::{ColorScale, ColorStage};
pub use coordinate::{CoordinateStage, Placement};
pub use error::{Error, Result};
pub use eyemap_abi::{job, text};
pub use metadata::{Annotate, MetadataStage};
pub use tables::Tables;

/// What a plugin usually names.
pub mod prelude {
    pub use crate::abi::{Event, SlotMeta};
    pub use crate::cache::{
        CachePolicy, Ghosts, Newcomer, Room, SlotList, SlotQueue, SlotRanks, SlotTable,
    };
    pub use crate::color::{ColorScale, ColorStage};
    pub use crate::coordinate::{CoordinateStage, Placement};
    pub use crate::error::{Error, Result};
    pub use crate::job::{
        Badge, Cell, CellShape, ColorDescription, ColorJob, ColorNeeds, ColumnStatus,
        CoordinateDescription, CoordinateJob, Extent, Guide, LegendDescription, LegendEntry,
        LegendKind, MetadataDescription, MetadataJob, Rgba, Scope, Side, Statistic, Subject,
        SubjectLine, SubjectNeeds, Templates,
    };
    pub use crate::metadata::{Annotate, Columns, MetadataStage};
    pub use crate::tables::{Tables, Values};
    pub use serde::{Deserialize, Serialize};
}
