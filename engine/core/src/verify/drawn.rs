//! Draws maps to be compared: in memory, or, where a map is too large for that, into a hash.

use std::{
    io::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use super::{MapName, picture::Places};
use crate::{
    draw::{self, DrawOptions, Format},
    pipeline::{Fingerprint, Maps, Request, Scene, StreamError},
    render::{draw as draw_held, key, with_causes},
    scene::{Rgba, SceneHead},
};

/// An artifact in memory, or its hash alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Artifact {
    /// Where `render` would write it.
    pub(super) path: String,
    pub(super) format: Format,
    /// Hash of its bytes.
    pub(super) hash: Fingerprint,
    /// Its bytes; none for a map too large to be held.
    pub(super) bytes: Option<Vec<u8>>,
}

/// A map in some formats. One that could not be drawn has the reason.
pub(super) struct Drawn {
    pub(super) map: MapName,
    pub(super) artifacts: Vec<Result<Artifact, String>>,
    /// What was drawn; none for a map too large to be held, or that could not be drawn.
    pub(super) scene: Option<Scene>,
    /// Whether the run was interrupted, so that artifacts are not there.
    pub(super) interrupted: bool,
    /// Time that hashing took.
    pub(super) hashing: Duration,
}

/// How maps are drawn.
#[derive(Clone, Copy)]
pub(super) struct Drawing<'a> {
    pub(super) maps: &'a Maps<'a>,
    pub(super) options: DrawOptions,
    pub(super) cancel: &'a AtomicBool,
}

impl Drawing<'_> {
    /// Draws a map. A fault of the program is an error of this map alone.
    pub(super) fn draw(&self, request: Request, formats: &[Format]) -> Drawn {
        let drawn = catch_unwind(AssertUnwindSafe(|| {
            if self.maps.is_streamed(request) {
                self.streamed(request, formats)
            } else {
                self.held(request, formats)
            }
        }));
        drawn.unwrap_or_else(|_| {
            let reason = "a fault of the program; please report it with the table";
            self.failed(request, formats, reason)
        })
    }

    fn name(&self, request: Request) -> MapName {
        let id = request.id(self.maps.dataset);
        MapName {
            cell_type: id.cell_type.to_string(),
            region: id.region.to_string(),
            side: id.side.letter().to_owned(),
            metric: id.metric.to_string(),
        }
    }

    fn failed(&self, request: Request, formats: &[Format], reason: &str) -> Drawn {
        Drawn {
            map: self.name(request),
            artifacts: formats.iter().map(|_| Err(reason.to_owned())).collect(),
            scene: None,
            interrupted: false,
            hashing: Duration::ZERO,
        }
    }

    fn held(&self, request: Request, formats: &[Format]) -> Drawn {
        let scene = match self.maps.scene(request) {
            Ok(scene) => scene,
            Err(error) => return self.failed(request, formats, &with_causes(&error)),
        };
        let id = request.id(self.maps.dataset);
        let mut hashing = Duration::ZERO;
        let artifact = |&format: &Format| {
            let bytes = draw_held(format, &scene, &self.options).map_err(|e| e.to_string())?;
            let start = Instant::now();
            let hash = Fingerprint::of_bytes(&bytes);
            hashing += start.elapsed();
            Ok(Artifact {
                path: key(&id, format).path(),
                format,
                hash,
                bytes: Some(bytes),
            })
        };
        let artifacts = formats.iter().map(artifact).collect();
        Drawn {
            map: self.name(request),
            artifacts,
            scene: Some(scene),
            interrupted: false,
            hashing,
        }
    }

    fn streamed(&self, request: Request, formats: &[Format]) -> Drawn {
        let mut drawn = self.failed(request, &[], "");
        let stream = match self.maps.stream(request, self.cancel) {
            Ok(stream) => stream,
            Err(StreamError::Interrupted) => {
                drawn.interrupted = true;
                return drawn;
            }
            Err(error) => return self.failed(request, formats, &with_causes(&error)),
        };
        let id = request.id(self.maps.dataset);
        for &format in formats {
            let mut out = Hashed(blake3::Hasher::new());
            let written = draw::writer(format, &stream.head, &mut out, &self.options)
                .map_err(StreamError::from)
                .and_then(|mut writer| stream.write(&mut *writer, self.cancel));
            if self.cancel.load(Ordering::Relaxed) {
                drawn.interrupted = true;
                return drawn;
            }
            let artifact = written
                .map_err(|error| with_causes(&error))
                .map(|()| Artifact {
                    path: key(&id, format).path(),
                    format,
                    hash: Fingerprint::of_hasher(&out.0),
                    bytes: None,
                });
            drawn.artifacts.push(artifact);
        }
        drawn
    }

    /// Names of a map's artifacts.
    pub(super) fn path(&self, request: Request, format: Format) -> String {
        key(&request.id(self.maps.dataset), format).path()
    }
}

struct Hashed(blake3::Hasher);

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Where the columns of a scene are.
pub(super) fn places(scene: &Scene) -> Places {
    let batch = scene.batch();
    let columns =
        (0..batch.len()).map(|i| ([batch.hex1[i], batch.hex2[i]], [batch.x[i], batch.y[i]]));
    Places::new(columns, scene.head.cell.circumradius_px)
}

/// The upper left corner of a scene's canvas, in px of the map.
pub(super) fn corner(head: &SceneHead) -> [f64; 2] {
    let canvas = draw::canvas(head);
    [canvas.x, canvas.y]
}

/// Fills of bins from low to high, `#rrggbb`; empty where the picture shows no bins.
pub(super) fn bins(head: &SceneHead) -> Vec<String> {
    use eyemap_abi::job::LegendKind;
    let legend = head.legend.as_ref();
    let legend =
        legend.filter(|legend| legend.kind == LegendKind::Bins && legend.swatches.is_empty());
    let colors = legend.map_or(&[][..], |legend| &legend.colors);
    colors
        .iter()
        .map(|color| format!("#{:06x}", color.rgb()))
        .collect()
}

/// The smallest step between two fills of a picture, in 255ths of a channel, with the two; none if it
/// has one fill only. A picture of more than 256 fills has steps of 1.
pub(super) fn smallest_step(scene: &Scene) -> Option<(u8, [Rgba; 2])> {
    const MOST: usize = 256;
    let batch = scene.batch();
    let mut fills: Vec<Rgba> = batch.fill.iter().chain(batch.layer_fill).copied().collect();
    fills.extend(scene.head.legend.iter().flat_map(|legend| &legend.colors));
    let layers = &scene.head.layer_legends;
    fills.extend(layers.iter().flat_map(|legend| &legend.colors));
    fills.sort_unstable();
    fills.dedup();
    if fills.len() > MOST {
        return Some((1, [fills[0], fills[1]]));
    }
    let pairs = (0..fills.len()).flat_map(|a| (0..a).map(move |b| [b, a]));
    pairs
        .map(|pair| {
            let [a, b] = pair.map(|at| fills[at]);
            let steps = a.channels().into_iter().zip(b.channels());
            let step = steps.map(|(a, b)| a.abs_diff(b)).max().unwrap_or(0);
            (step, [a, b])
        })
        .min_by_key(|(step, _)| *step)
}
