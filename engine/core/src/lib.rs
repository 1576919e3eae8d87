//! The eyemap engine: a table of column counts goes in, pictures come out.
//!
//! The way of the data is one direction only: [`ingest`] reads typed columns, [`model`] names them,
//! [`draw`] writes a [`scene`] that knows no format. A writer never sees a plugin and a stage never
//! sees a file.

pub mod cache;
pub mod caches;
pub mod clipped;
pub mod config;
pub mod dataset;
pub mod draw;
mod fingerprint;
pub mod governor;
pub mod index;
pub mod ingest;
pub mod last_run;
pub mod manifest;
pub mod memory;
pub mod merge;
pub mod model;
pub mod monitor;
pub mod name;
pub mod own_time;
pub mod pipeline;
pub mod plan;
pub mod plugins;
pub mod render;
pub mod room;
pub mod scene;
pub mod sink;
pub mod stage;
pub mod statistics;
#[cfg(any(test, feature = "test-support"))]
pub mod testing;
pub mod verify;
mod work;

pub use eyemap_abi::job::{ColumnStatus, Rgba, Side};
