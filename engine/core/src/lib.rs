//! The eyemap engine: a table of column counts goes in, pictures come out.
//!
//! The way of the data is one direction only: [`ingest`] reads typed columns, [`model`] names them,
//! [`draw`] writes a [`scene`] that knows no format. A writer never sees a plugin and a stage never
//! sees a file.

pub mod config;
pub mod draw;
pub mod ingest;
pub mod model;
pub mod scene;

pub use eyemap_abi::job::{ColumnStatus, Side};
