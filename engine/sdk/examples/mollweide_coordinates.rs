//! Places columns where they look: the eye's view directions in Mollweide's equal-area projection.
//!
//! A unit view vector (x forward, y left, z up) has `lambda = atan2(y, x)` and `phi = asin z`, and
//!
//! ```text
//! 2t + sin 2t = pi sin phi      X = 2 sqrt2 / pi * lambda * cos t      Y = sqrt2 * sin t
//! ```
//!
//! (Snyder, "Map projections: a working manual", USGS 1987, p. 249). The side table `directions` has
//! `p, q, x, y, z` with `p = hex2`, `q = hex1`, as published with Zhao et al. 2024; the other eye is
//! its mirror image. A column without a direction has no place.
//!
//! Lambda is taken from a central meridian, so that the eye's edge behind the head is not torn.
//! Orientation turns the eyes as `hex-coordinates` does: `peer` plots X as it is, `anatomical` as the
//! fly sees it (its left on the left), `none` draws both eyes with their front on the left.

use std::{
    collections::BTreeMap,
    f64::consts::{FRAC_PI_2, PI, SQRT_2},
};

use eyemap_sdk::{libm, prelude::*};

eyemap_sdk::config! {
    /// `[stages.coordinate.config]` of `mollweide-coordinates`.
    pub struct MollweideConfig {
        /// Side on which `directions` were measured. Default: `R`.
        pub measured: Side = Side::Right,
        /// Radius of the sphere, in hexagons. Default: 19, where 850 columns of one eye just touch.
        pub radius: f64 = 19.0,
        /// Central meridian, in degrees from the front towards the eye's side. Default: 90.
        pub center_degrees: f64 = 90.0,
        /// Distance of the graticule's lines, in degrees. Default: 30.
        pub graticule_degrees: u32 = 30,
    }
}

struct Mollweide {
    config: MollweideConfig,
    directions: BTreeMap<(i32, i32), [f64; 3]>,
}

/// The projection of one eye; `px` is negative in x where left is drawn on the right.
struct View {
    px: [f64; 2],
    hex_px: f64,
    step: u32,
    /// 1 where the eye looks to the left, y above 0, else -1.
    outward: f64,
    /// Central meridian, in radians from the front towards the eye's side.
    center: f64,
    places: BTreeMap<(i32, i32), [f64; 2]>,
}

impl CoordinateStage for Mollweide {
    type Config = MollweideConfig;
    type Placement = View;

    fn create(config: MollweideConfig, tables: &Tables<'_>) -> Result<Self> {
        if !(1..=90).contains(&config.graticule_degrees) {
            return Err(Error::config("graticule_degrees", "give 1 to 90 degrees"));
        }
        let table = tables.get("directions")?;
        let (p, q) = (table.i64("p")?, table.i64("q")?);
        let (x, y, z) = (table.f64("x")?, table.f64("y")?, table.f64("z")?);
        let mut directions = BTreeMap::new();
        for i in 0..p.len() {
            let (Ok(hex1), Ok(hex2)) = (i32::try_from(q[i]), i32::try_from(p[i])) else {
                return Err(Error::input(format!(
                    "p, q = {}, {} is no column",
                    p[i], q[i]
                )));
            };
            directions.insert((hex1, hex2), [x[i], y[i], z[i]]);
        }
        Ok(Self { config, directions })
    }

    fn prepare(&self, job: &CoordinateJob) -> Result<View> {
        let right = job.side == Side::Right;
        let turned = match job.orientation.as_str() {
            "peer" => false,
            "anatomical" => true,
            "none" => right,
            other => {
                return Err(Error::config(
                    "orientation",
                    format!("{other:?} is not known"),
                ));
            }
        };
        let radius = self.config.radius * job.hex_size_px * job.spacing;
        let mut view = View {
            px: [if turned { -radius } else { radius }, -radius],
            hex_px: job.hex_size_px,
            step: self.config.graticule_degrees,
            outward: if right { -1.0 } else { 1.0 },
            center: self.config.center_degrees.to_radians(),
            places: BTreeMap::new(),
        };
        let mirror = if job.side == self.config.measured {
            1.0
        } else {
            -1.0
        };
        for (&column, &[x, y, z]) in &self.directions {
            let (lambda, phi) = (libm::atan2(y * mirror, x), libm::asin(z.clamp(-1.0, 1.0)));
            view.places.insert(column, view.project(lambda, phi));
        }
        Ok(view)
    }
}

/// Solves `2t + sin 2t = pi sin phi` by halving, which converges at the poles too, where Newton's
/// method does not, and takes the same steps on every machine.
fn auxiliary_angle(phi: f64) -> f64 {
    let wanted = PI * libm::sin(phi);
    let (mut low, mut high) = (-FRAC_PI_2, FRAC_PI_2);
    for _ in 0..60 {
        let t = (low + high) / 2.0;
        let below = 2.0 * t + libm::sin(2.0 * t) < wanted;
        (low, high) = if below { (t, high) } else { (low, t) };
    }
    (low + high) / 2.0
}

impl View {
    fn project(&self, lambda: f64, phi: f64) -> [f64; 2] {
        let t = auxiliary_angle(phi);
        let lambda = libm::remainder(lambda - self.outward * self.center, 2.0 * PI);
        [
            self.px[0] * 2.0 * SQRT_2 / PI * lambda * libm::cos(t),
            self.px[1] * SQRT_2 * libm::sin(t),
        ]
    }

    /// A line between two points of the sphere, in degrees from the front and the horizon.
    fn line(&self, from: [i32; 2], to: [i32; 2]) -> Guide {
        let along = |i: i32| {
            let at = |k: usize| f64::from(from[k] * (36 - i) + to[k] * i) / 36.0;
            self.project(self.outward * at(0).to_radians(), at(1).to_radians())
        };
        Guide::Polyline {
            points: (0..=36).map(along).collect(),
            color: "#b0b0b0".into(),
            width_px: 0.5,
            arrow: false,
        }
    }

    fn label(&self, longitude: i32, latitude: i32, text: String) -> Guide {
        let [x, y] = self.project(
            self.outward * f64::from(longitude).to_radians(),
            f64::from(latitude).to_radians(),
        );
        Guide::Label {
            x,
            y,
            text,
            color: "#666666".into(),
            size_px: 9.0,
        }
    }
}

impl Placement for View {
    fn place_one(&self, hex1: i32, hex2: i32) -> Option<[f64; 2]> {
        self.places.get(&(hex1, hex2)).copied()
    }

    /// The eye's own half of the sphere, and one step across the midline at front and back.
    fn describe(&self) -> CoordinateDescription {
        let step = self.step as i32;
        let mut description =
            eyemap_sdk::coordinate::hexagons_only(CellShape::FlatTop, self.hex_px);
        let guides = &mut description.guides;
        for longitude in (-step..=180 + step).step_by(self.step as usize) {
            guides.push(self.line([longitude, -90], [longitude, 90]));
        }
        for latitude in (-(89 / step)..=89 / step).map(|line| line * step) {
            guides.push(self.line([-step, latitude], [180 + step, latitude]));
        }
        for longitude in [0, 90, 180] {
            guides.push(self.label(longitude, -80, format!("{longitude}°")));
        }
        description
    }
}

eyemap_sdk::export_plugin! {
    id: "org.eyemap.example.mollweide-coordinates",
    coordinate: Mollweide,
}
