//! Where columns are, and what is known of them.

use serde::{Deserialize, Serialize};

/// Side of the brain.
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
pub enum Side {
    /// The left optic lobe.
    #[default]
    #[serde(rename = "L", alias = "l", alias = "left", alias = "Left")]
    Left,
    /// The right optic lobe.
    #[serde(rename = "R", alias = "r", alias = "right", alias = "Right")]
    Right,
}

impl Side {
    /// `L` or `R`.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Left => "L",
            Self::Right => "R",
        }
    }

    /// `left` or `right`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// What is known of a column on one map.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnStatus {
    /// The column exists in the region and the cell type has a value there.
    HasData = 0,
    /// The column exists in the region and the cell type has no row there.
    NoData = 1,
    /// The column exists only in another region of this side.
    NotInRegion = 2,
    /// There is a row, and its value is null.
    Unknown = 3,
}

impl ColumnStatus {
    /// All statuses, in the order of their numbers.
    pub const ALL: [Self; 4] = [
        Self::HasData,
        Self::NoData,
        Self::NotInRegion,
        Self::Unknown,
    ];

    /// The status with this number.
    pub const fn from_u8(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::HasData),
            1 => Some(Self::NoData),
            2 => Some(Self::NotInRegion),
            3 => Some(Self::Unknown),
            _ => None,
        }
    }

    /// The word used in JSON: `has_data`, `no_data`, `not_in_region`, `unknown`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::HasData => "has_data",
            Self::NoData => "no_data",
            Self::NotInRegion => "not_in_region",
            Self::Unknown => "unknown",
        }
    }
}
