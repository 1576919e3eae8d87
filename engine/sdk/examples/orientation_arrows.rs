//! The hexagonal grid with arrows that say where the animal's directions lie.
//!
//! Places are those of `hex-coordinates` (Patel's axial layout, "Hexagonal Grids", redblobgames.com,
//! with the axes of Nern et al. 2025): `x = 3/2 s (hex2 - hex1)`, `y = -sqrt(3)/2 s (hex1 + hex2)`.
//! View directions rise from ventral to dorsal along `hex1 + hex2` and from anterior to posterior
//! along `hex2 - hex1` (Zhao et al. 2024), so mirroring a side turns A and P with it. The arrows lie
//! below the lowest column, at the left.

use eyemap_sdk::prelude::*;

eyemap_sdk::config! {
    /// `[stages.coordinate.config]` of `orientation-arrows`.
    pub struct ArrowConfig {
        /// Length of an arrow, in hexagons. Default: 6.
        pub length: f64 = 6.0,
    }
}

struct OrientationArrows(ArrowConfig);

struct Grid {
    job: CoordinateJob,
    length_px: f64,
    px: [f64; 2],
}

const SQRT_3: f64 = 1.732_050_807_568_877_2;

impl CoordinateStage for OrientationArrows {
    type Config = ArrowConfig;
    type Placement = Grid;

    fn create(config: ArrowConfig, _tables: &Tables<'_>) -> Result<Self> {
        Ok(Self(config))
    }

    fn prepare(&self, job: &CoordinateJob) -> Result<Grid> {
        let mirrored = match job.orientation.as_str() {
            "peer" => job.side == Side::Right,
            "anatomical" => job.side == Side::Left,
            "none" => false,
            other => {
                return Err(Error::config(
                    "orientation",
                    format!("{other:?} is not known"),
                ));
            }
        };
        let scale = job.hex_size_px * job.spacing;
        let sign = if mirrored { -1.0 } else { 1.0 };
        Ok(Grid {
            job: job.clone(),
            length_px: self.0.length * scale,
            px: [1.5 * sign * scale, -SQRT_3 / 2.0 * scale],
        })
    }
}

impl Grid {
    fn arrow(&self, [x, y]: [f64; 2], to: [f64; 2], text: &str) -> [Guide; 2] {
        let tip = |share: f64| {
            [
                x + to[0] * share * self.length_px,
                y + to[1] * share * self.length_px,
            ]
        };
        let [label_x, label_y] = tip(1.25);
        let line = Guide::Polyline {
            points: vec![[x, y], tip(1.0)],
            color: "#333333".into(),
            width_px: 1.0,
            arrow: true,
        };
        let label = Guide::Label {
            x: label_x,
            y: label_y,
            text: text.into(),
            color: "#333333".into(),
            size_px: 10.0,
        };
        [line, label]
    }

    /// Where the arrows start: far enough out that none reaches a column.
    fn corner(&self, extent: Extent) -> [f64; 2] {
        let x = extent.across.map(|across| across as f64 * self.px[0]);
        let y = extent.along.map(|along| along as f64 * self.px[1]);
        let gap = 1.5 * self.length_px + self.job.hex_size_px;
        [x[0].min(x[1]) + gap, y[0].max(y[1]) + gap]
    }
}

impl Placement for Grid {
    fn place_one(&self, hex1: i32, hex2: i32) -> Option<[f64; 2]> {
        let (hex1, hex2) = (f64::from(hex1), f64::from(hex2));
        Some([self.px[0] * (hex2 - hex1), self.px[1] * (hex1 + hex2)])
    }

    fn describe(&self) -> CoordinateDescription {
        let mut description =
            eyemap_sdk::coordinate::hexagons_only(CellShape::FlatTop, self.job.hex_size_px);
        // Without a table there is nothing to lie beside.
        if let Some(extent) = self.job.extent {
            let corner = self.corner(extent);
            let posterior = self.px[0].signum();
            for (to, text) in [
                ([0.0, -1.0], "D"),
                ([0.0, 1.0], "V"),
                ([-posterior, 0.0], "A"),
                ([posterior, 0.0], "P"),
            ] {
                description.guides.extend(self.arrow(corner, to, text));
            }
        }
        description
    }
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.example.orientation-arrows",
    coordinate: OrientationArrows,
}
