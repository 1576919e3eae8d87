//! Places columns on the hexagonal grid of the eye.
//!
//! Axial coordinates `q = hex2 - hex1`, `r = -hex2` become flat-top pixels with y down:
//!
//! ```text
//! x = s * 3/2 * q                      hex2 \   / hex1      up is where both rise
//! y = s * sqrt(3) * (q/2 + r)                \ /
//! s = hex size * spacing                      o------> x
//! ```
//!
//! (Patel's axial layout as in "Hexagonal Grids", redblobgames.com, with the axes of Nern et al.
//! 2025.) Orientation decides which eye is mirrored; nothing is mirrored unasked:
//!
//! | orientation | left | right |
//! |---|---|---|
//! | `peer` (default) | as computed | mirrored: the convention of neuView |
//! | `anatomical` | mirrored | as computed: the right eye as Nern et al. publish it |
//! | `none` | as computed | as computed |

use eyemap_sdk::{coordinate::Places, job::Compass, prelude::*};

eyemap_sdk::config! {
    /// The grid takes its size, spacing and orientation from `[map]` and has no options.
    pub struct NoOptions {}
}

/// The stage.
#[derive(Debug)]
pub struct HexCoordinates;

/// The grid of one side.
#[derive(Debug, Clone)]
pub struct Grid {
    /// Pixels of x per unit of `q`; negative on a mirrored side.
    x_per_q: f64,
    /// Pixels of y per half unit of `q + 2 r`.
    y_per_half: f64,
    hex_size_px: f64,
}

const SQRT_3: f64 = 1.732_050_807_568_877_2;
const ORIENTATIONS: [&str; 3] = ["peer", "anatomical", "none"];

impl CoordinateStage for HexCoordinates {
    type Config = NoOptions;
    type Placement = Grid;

    fn create(_config: NoOptions, _tables: &Tables<'_>) -> Result<Self> {
        Ok(Self)
    }

    fn prepare(&self, job: &CoordinateJob) -> Result<Grid> {
        let mirrored = match (job.orientation.as_str(), job.side) {
            ("peer", side) => side == Side::Right,
            ("anatomical", side) => side == Side::Left,
            ("none", _) => false,
            (other, _) => {
                let known = ORIENTATIONS.join(", ");
                let message = format!("orientation {other:?} is not known, only {known}");
                return Err(Error::config("orientation", message));
            }
        };
        let scale = job.hex_size_px * job.spacing;
        let sign = if mirrored { -1.0 } else { 1.0 };
        Ok(Grid {
            x_per_q: sign * scale * 1.5,
            y_per_half: scale * SQRT_3 / 2.0,
            hex_size_px: job.hex_size_px,
        })
    }
}

impl Placement for Grid {
    fn place_one(&self, hex1: i32, hex2: i32) -> Option<[f64; 2]> {
        // In f64 no difference of two i32 overflows. q + 2 r = -(hex1 + hex2).
        let (hex1, hex2) = (f64::from(hex1), f64::from(hex2));
        Some([
            self.x_per_q * (hex2 - hex1),
            self.y_per_half * -(hex1 + hex2),
        ])
    }

    fn place(&self, hex1: &[i32], hex2: &[i32], out: Places<'_>) {
        let columns = hex1
            .iter()
            .zip(hex2)
            .map(|(&h1, &h2)| (f64::from(h1), f64::from(h2)));
        for ((x, y), (hex1, hex2)) in out.x.iter_mut().zip(out.y).zip(columns) {
            *x = self.x_per_q * (hex2 - hex1);
            *y = self.y_per_half * -(hex1 + hex2);
        }
        out.placed.fill(1);
    }

    fn describe(&self) -> CoordinateDescription {
        // `hex1 + hex2` grows towards dorsal, `hex1 - hex2` towards anterior, in either eye.
        let compass = Compass {
            dorsal: [0.0, -1.0],
            anterior: [-self.x_per_q.signum(), 0.0],
        };
        CoordinateDescription {
            compass: Some(compass),
            ..eyemap_sdk::coordinate::hexagons_only(CellShape::FlatTop, self.hex_size_px)
        }
    }
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.hex-coordinates",
    coordinate: HexCoordinates;
    cost_hint_ns: 1,
}

#[cfg(test)]
mod tests {
    use super::*;
    use eyemap_sdk::testing;

    fn grid(orientation: &str, side: Side) -> Grid {
        let job = CoordinateJob {
            orientation: orientation.into(),
            side,
            ..Default::default()
        };
        HexCoordinates.prepare(&job).expect("a grid")
    }

    fn distance(a: [f64; 2], b: [f64; 2]) -> f64 {
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    #[test]
    fn the_six_neighbours_are_equally_far_and_all_others_farther() {
        let grid = grid("none", Side::Left);
        let step = 6.0 * 1.1 * SQRT_3;
        let origin = grid.place_one(0, 0).expect("placed");
        let near = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)];
        for hex1 in -3..=3 {
            for hex2 in -3..=3 {
                let place = grid.place_one(hex1, hex2).expect("placed");
                let far = distance(origin, place);
                if near.contains(&(hex1, hex2)) {
                    assert!((far - step).abs() < 1e-9, "{hex1},{hex2} at {far}");
                } else if (hex1, hex2) != (0, 0) {
                    assert!(far > step * 1.7, "{hex1},{hex2} at {far}");
                }
            }
        }
    }

    #[test]
    fn orientation_mirrors_one_side_and_only_in_x() {
        let columns: Vec<_> = (0..9).flat_map(|a| (0..9).map(move |b| (a, b))).collect();
        let places = |orientation: &str, side| testing::places(&grid(orientation, side), &columns);
        let plain = places("none", Side::Left);
        let mirrored: Vec<_> = plain
            .iter()
            .map(|place| place.map(|[x, y]| [-x, y]))
            .collect();
        assert_eq!(places("none", Side::Right), plain);
        assert_eq!(places("peer", Side::Left), plain);
        assert_eq!(places("peer", Side::Right), mirrored);
        assert_eq!(places("anatomical", Side::Left), mirrored);
        assert_eq!(places("anatomical", Side::Right), plain);
    }

    proptest::proptest! {
        #[test]
        fn a_place_tells_its_column(hex1 in -100_000..100_000i32, hex2 in -100_000..100_000i32) {
            let grid = grid("none", Side::Left);
            let [x, y] = grid.place_one(hex1, hex2).expect("placed");
            // The inverse of the formula in the module's documentation.
            let (q, sum) = (x / (6.6 * 1.5), -2.0 * y / (6.6 * SQRT_3));
            proptest::prop_assert_eq!((((sum - q) / 2.0).round(), ((sum + q) / 2.0).round()),
                (f64::from(hex1), f64::from(hex2)));
        }

        #[test]
        fn hexagons_that_touch_do_not_overlap(
            a in (-50..50i32, -50..50i32),
            b in (-50..50i32, -50..50i32),
            size in 0.1..100.0f64,
        ) {
            proptest::prop_assume!(a != b);
            let job = CoordinateJob { hex_size_px: size, spacing: 1.0, ..Default::default() };
            let grid = HexCoordinates.prepare(&job).expect("a grid");
            let place = |(hex1, hex2)| grid.place_one(hex1, hex2).expect("placed");
            // Centres of touching hexagons are two inradii apart.
            proptest::prop_assert!(distance(place(a), place(b)) >= size * SQRT_3 * (1.0 - 1e-12));
        }

        #[test]
        fn mirroring_twice_changes_nothing(hex1: i32, hex2: i32) {
            let place = |orientation: &str, side| {
                grid(orientation, side).place_one(hex1, hex2).expect("placed")
            };
            for side in [Side::Left, Side::Right] {
                let [x, y] = place("peer", side);
                let [mirrored_x, mirrored_y] = place("anatomical", side);
                proptest::prop_assert_eq!([x, y], [-mirrored_x, mirrored_y]);
                proptest::prop_assert_eq!(place("peer", Side::Left), place("anatomical", Side::Right));
            }
        }
    }

    #[test]
    fn the_compass_points_where_columns_rise() {
        for orientation in ORIENTATIONS {
            for side in [Side::Left, Side::Right] {
                let grid = grid(orientation, side);
                let compass = grid.describe().compass.expect("a compass");
                let place = |hex1, hex2| grid.place_one(hex1, hex2).expect("placed");
                let along = |[ax, ay]: [f64; 2], [x, y]: [f64; 2]| ax * x + ay * y;
                // Axes of docs/input.md: dorsal is hex1 + hex2, anterior hex1 - hex2.
                assert!(along(compass.dorsal, place(1, 1)) > 1.0);
                assert!(along(compass.anterior, place(1, -1)) > 1.0);
                let across = along(compass.dorsal, place(1, -1));
                assert!(across.abs() < 1e-9 && along(compass.dorsal, compass.anterior) == 0.0);
            }
        }
        let anterior = |orientation, side| {
            let compass = grid(orientation, side).describe().compass;
            compass.expect("a compass").anterior
        };
        assert_eq!(anterior("peer", Side::Right), [1.0, 0.0]);
        assert_eq!(anterior("peer", Side::Left), [-1.0, 0.0]);
        assert_eq!(anterior("anatomical", Side::Right), [-1.0, 0.0]);
        assert_eq!(anterior("none", Side::Right), [-1.0, 0.0]);
    }

    #[test]
    fn an_unknown_orientation_is_refused_with_the_known_ones() {
        let job = CoordinateJob {
            orientation: "upside".into(),
            ..Default::default()
        };
        let error = HexCoordinates
            .prepare(&job)
            .expect_err("an error")
            .to_string();
        assert!(
            error.contains("\"upside\" is not known, only peer, anatomical, none"),
            "{error}"
        );
    }

    #[test]
    fn the_batch_and_the_single_column_agree_at_the_ends_of_the_range() {
        let grid = grid("peer", Side::Right);
        let columns = [
            (i32::MIN, i32::MAX),
            (i32::MAX, i32::MIN),
            (i32::MIN, i32::MIN),
            (0, 0),
        ];
        for (place, (hex1, hex2)) in testing::places(&grid, &columns).into_iter().zip(columns) {
            assert_eq!(place, grid.place_one(hex1, hex2));
            assert!(place.is_some_and(|[x, y]| x.is_finite() && y.is_finite()));
        }
    }
}
