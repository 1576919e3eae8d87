//! The frozen contract between the eyemap host and its plugins.
//!
//! A plugin is a dynamic library with one entry: the [`PluginRoot`]. The root never changes. It
//! hands out [`ExtEntry`]s, each naming an [extension id](ids), the memory layout of that extension
//! and a pointer to it; the host checks the layout of each extension by itself, so an older plugin
//! loads in a newer host and the reverse, in any mixture.
//!
//! Two rules make the traits last:
//!
//! * **bulk data are frozen arrays**, lent by the host for one call;
//! * **once-per-map data are versioned JSON** ([`job`]) in which unknown keys are ignored.
//!
//! A published extension never changes, not even by appending a method: a new ability is a new id.
//! `layout_is_frozen` in this crate's tests fails when anybody tries.
//!
//! Plugin authors use `eyemap-sdk` and never name this crate. It refuses to hold behaviour: there is
//! no logic here beyond conversions.

// `sabi_trait` of the pinned abi_stable defines impls inside an anonymous constant.
#![allow(non_local_definitions)]

pub mod cache;
pub mod color;
pub mod coordinate;
pub mod describe;
pub mod error;
pub mod host;
pub mod ids;
pub mod job;
pub mod manifest;
pub mod metadata;
pub mod root;
pub mod table;
pub mod text;

pub use abi_stable;

pub use cache::{
    CacheExtension, CachePolicy, CachePolicyBox, Candidate, Decision, Event, SlotMeta,
};
pub use color::{ColorExtension, ColorStage, ColorStageBox, PreparedColor, PreparedColorBox};
pub use coordinate::{
    CoordinateExtension, CoordinateStage, CoordinateStageBox, PreparedCoordinate,
    PreparedCoordinateBox,
};
pub use describe::DescribeExtension;
pub use error::{ErrorKind, PluginError};
pub use host::{HostApi, LogLevel, LogRecord};
pub use metadata::{
    ColumnBatch, MetadataExtension, MetadataStage, MetadataStageBox, Override, PreparedMetadata,
    PreparedMetadataBox,
};
pub use root::{ExtEntry, PluginRoot, PluginRootRef};
pub use table::{ColumnData, Table, TableColumn};
