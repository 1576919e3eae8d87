//! Asks a plugin where hexagons lie.

use eyemap_abi::{
    CoordinateStageBox, PreparedCoordinateBox,
    abi_stable::std_types::{RSlice, RSliceMut, RStr},
    job::{CoordinateDescription, CoordinateJob, Guide},
};

use super::{Origin, StageError, StageName, to_json};
use crate::{config::StageConfig, plugins::Finder, scene::Rgba};

/// A coordinate stage.
pub struct CoordinateStage {
    /// The plugin behind it.
    pub origin: Origin,
    stage: CoordinateStageBox,
}

/// A coordinate stage that knows its region and side.
pub struct Placement<'a> {
    stage: &'a CoordinateStage,
    prepared: PreparedCoordinateBox,
    /// Shape of cells, and guides.
    pub description: CoordinateDescription,
}

/// Where columns lie, in the stage's plane.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Placed {
    /// Centres in px, from left to right; meaningless where not placed.
    pub x: Vec<f64>,
    /// Centres in px, from top to bottom.
    pub y: Vec<f64>,
    /// Whether the column has a place.
    pub placed: Vec<bool>,
}

/// Guides with more points are a fault, not a graticule.
const MAX_GUIDE_POINTS: usize = 100_000;
/// Lines and letters of guides are at most this large.
const MAX_GUIDE_PX: f64 = 1e4;
/// Canvases beyond this are refused; coordinates stay exact to a hundredth of a px far beyond it.
const MAX_COORDINATE_PX: f64 = 1e9;

impl CoordinateStage {
    /// Loads the plugin.
    ///
    /// # Errors
    /// When it cannot be loaded or refuses its configuration.
    pub fn load(finder: &Finder, config: &StageConfig) -> Result<Self, StageError> {
        let (origin, stage) = Origin::create(
            StageName::Coordinate,
            finder,
            config,
            |plugin, config, tables| plugin.create_coordinate(config, tables),
        )?;
        Ok(Self { origin, stage })
    }

    /// Prepares for a region and side.
    ///
    /// # Errors
    /// When the plugin refuses the job or its description is not usable.
    pub fn prepare(&self, job: &CoordinateJob) -> Result<Placement<'_>, StageError> {
        let _call = self.origin.enter();
        let prepared = self
            .origin
            .answer(self.stage.prepare(RStr::from_str(&to_json(job))))?;
        let json = self.origin.answer(prepared.describe())?;
        let description: CoordinateDescription = self.origin.describe(&json)?;
        self.check(&description)?;
        Ok(Placement {
            stage: self,
            prepared,
            description,
        })
    }

    fn check(&self, description: &CoordinateDescription) -> Result<(), StageError> {
        let radius = description.cell.circumradius_px;
        if !(radius > 0.0 && radius <= 1e4) {
            return Err(self.origin.wrong(format!("a circumradius of {radius} px")));
        }
        let fine = |number: &f64| number.abs() <= MAX_COORDINATE_PX;
        let size = |number: &f64| (0.0..=MAX_GUIDE_PX).contains(number);
        let mut points = 0;
        for guide in &description.guides {
            let (numbers, color) = match guide {
                Guide::Polyline {
                    points: line,
                    color,
                    width_px,
                    ..
                } => {
                    points += line.len();
                    let fine = line.iter().flatten().all(fine) && size(width_px);
                    (fine, color)
                }
                Guide::Label {
                    x,
                    y,
                    size_px,
                    color,
                    ..
                } => ([x, y].into_iter().all(fine) && size(size_px), color),
            };
            if !numbers || Rgba::parse(color).is_none() {
                return Err(self
                    .origin
                    .wrong("a guide with a number or colour that is none".into()));
            }
        }
        if let Some(compass) = description.compass {
            let length = |[x, y]: [f64; 2]| (x * x + y * y).sqrt();
            let points = |axis| (1e-9..=MAX_COORDINATE_PX).contains(&length(axis));
            if ![compass.dorsal, compass.anterior].into_iter().all(points) {
                return Err(self.origin.wrong("a compass that points nowhere".into()));
            }
        }
        if points > MAX_GUIDE_POINTS {
            return Err(self.origin.wrong(format!(
                "guides with {points} points, more than {MAX_GUIDE_POINTS}"
            )));
        }
        Ok(())
    }
}

impl Placement<'_> {
    /// Places columns.
    ///
    /// # Errors
    /// When the plugin fails or places a column at no finite point.
    pub fn place(&self, hex1: &[i32], hex2: &[i32]) -> Result<Placed, StageError> {
        let origin = &self.stage.origin;
        origin.check_size(hex1.len())?;
        let _span =
            tracing::debug_span!("coordinates", plugin = origin.id(), rows = hex1.len()).entered();
        let (mut x, mut y, mut placed) = (
            vec![0.0; hex1.len()],
            vec![0.0; hex1.len()],
            vec![0u8; hex1.len()],
        );
        let _call = origin.enter();
        let answer = self.prepared.place(
            RSlice::from_slice(hex1),
            RSlice::from_slice(hex2),
            RSliceMut::from_mut_slice(&mut x),
            RSliceMut::from_mut_slice(&mut y),
            RSliceMut::from_mut_slice(&mut placed),
        );
        origin.answer(answer)?;
        for i in 0..hex1.len() {
            let fine = x[i].abs() <= MAX_COORDINATE_PX && y[i].abs() <= MAX_COORDINATE_PX;
            if placed[i] != 0 && !fine {
                return Err(origin.wrong(format!(
                    "column {},{} at ({}, {}) px",
                    hex1[i], hex2[i], x[i], y[i]
                )));
            }
        }
        Ok(Placed {
            x,
            y,
            placed: placed.into_iter().map(|placed| placed != 0).collect(),
        })
    }
}
