//! Columns on the hexagonal grid, turned by an angle.
//!
//! With `q = hex2 - hex1` and `s = hex1 + hex2`, a column lies at `x = 3/2 a q`, `y = -sqrt(3)/2 a s`
//! before it is turned, where `a` is the size of a hexagon in px times the spacing; y points down.

#![forbid(unsafe_code)]

use eyemap_sdk::{coordinate::hexagons_only, libm, prelude::*};

eyemap_sdk::config! {
    /// `[stages.coordinate.config]` of `template-coordinate`.
    pub struct TemplateCoordinate {
        /// Angle by which the grid is turned, in degrees, clockwise; hexagons fit together at multiples of
        /// 30. Default: 0.
        pub turn_deg: f64 = 0.0,
    }
}

/// The grid of one region and side.
#[derive(Debug, Clone)]
pub struct Grid {
    /// Px of x and y for one step of `q`.
    per_q: [f64; 2],
    /// Px of x and y for one step of `s`.
    per_s: [f64; 2],
    shape: CellShape,
    hex_size_px: f64,
}

impl CoordinateStage for TemplateCoordinate {
    type Config = Self;
    type Placement = Grid;

    fn create(config: Self, _tables: &Tables<'_>) -> Result<Self> {
        if config.turn_deg.abs() <= 360.0 {
            return Ok(config);
        }
        let message = format!("{} is not from -360 to 360", config.turn_deg);
        Err(Error::config("turn_deg", message))
    }

    fn prepare(&self, job: &CoordinateJob) -> Result<Grid> {
        let size_px = job.hex_size_px * job.spacing;
        // The platform's own functions differ between systems in the last bit, these do not.
        let (sin, cos) = libm::sincos(self.turn_deg.to_radians());
        let (x, y) = (size_px * 1.5, size_px * -libm::sqrt(3.0) / 2.0);
        Ok(Grid {
            per_q: [x * cos, x * sin],
            per_s: [-y * sin, y * cos],
            // Hexagons are drawn with a vertex to the right or at the top, whichever is nearer.
            shape: match libm::rint(self.turn_deg / 30.0) % 2.0 == 0.0 {
                true => CellShape::FlatTop,
                false => CellShape::PointyTop,
            },
            hex_size_px: job.hex_size_px,
        })
    }
}

impl Placement for Grid {
    fn place_one(&self, hex1: i32, hex2: i32) -> Option<[f64; 2]> {
        // No sum of two i32 overflows in f64.
        let (hex1, hex2) = (f64::from(hex1), f64::from(hex2));
        let (q, s) = (hex2 - hex1, hex1 + hex2);
        Some([0, 1].map(|axis| self.per_q[axis] * q + self.per_s[axis] * s))
    }

    fn describe(&self) -> CoordinateDescription {
        hexagons_only(self.shape, self.hex_size_px)
    }
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.template-coordinate",
    coordinate: TemplateCoordinate,
}
