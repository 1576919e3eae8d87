//! Once-per-map data, as JSON: jobs that go to a stage and descriptions that come back.
//!
//! Each document has a `version`; unknown keys are ignored and missing ones have the defaults given
//! here, so that either side may be the newer one. A key that takes words (`kind`, `scope`) takes the
//! words given here and no others for ever: a new meaning is a new key beside it. These types are a
//! convenience of this crate, not part of the frozen layout: the JSON is.

mod color;
mod column;
mod coordinate;
mod form;
mod legend;
mod metadata;
mod plugin;

pub use color::{
    ColorDescription, ColorJob, ColorNeeds, MAX_CATEGORIES, Rgba, Scope, Statistic, Statistics,
    Subject, SubjectNeeds,
};
pub use column::{ColumnStatus, Side};
pub use coordinate::{
    Cell, CellShape, Compass, CoordinateDescription, CoordinateJob, Extent, Guide,
};
pub use form::{FORM, Form};
pub use legend::{LegendDescription, LegendEntry, LegendKind};
pub use metadata::{Badge, MetadataDescription, MetadataJob, SubjectLine, Templates};
pub use plugin::{ExtensionDescription, PluginDescription};
