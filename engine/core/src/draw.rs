//! Pictures out: a scene in, the bytes of one format out.
//!
//! Writers are siblings over [`crate::scene`]; none of them knows a plugin, a table or a file, and
//! none holds a map: at most one chunk of 4096 hexagons, or 12 million pixels. Bytes depend on the scene
//! and the options alone, never on batches, threads, fonts or the locale of the machine.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod canvas;
mod chunk;
mod compass;
mod font;
mod heading;
mod island;
mod json;
mod layout;
mod legend;
mod mark;
mod number;
mod outline;
mod png;
mod png_bands;
mod png_file;
mod raster;
mod sign;
mod steps;
mod svg;
mod svg_blank;
mod svg_parts;
mod svg_signs;
mod svg_static;
mod text;
mod tooltip;

#[cfg(any(test, feature = "test-support"))]
#[doc(hidden)]
pub mod test_scene;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::scene::{HexagonBatch, Rgba, SceneHead, SceneWriter};

pub(crate) use font::{FAMILY, font};
pub(crate) use layout::canvas;
pub(crate) use number::value_text;
use sign::Sign;
pub use svg::csp_hash;
pub(crate) use svg::hash_source;
pub(crate) use text::{fit, xml};
pub use tooltip::tooltip;

/// Changes whenever any writer's bytes change for the same scene.
pub const WRITER_VERSION: u32 = 2;

/// Outline of hexagons too pale to be seen on white, and frame of legends.
pub(crate) const OUTLINE: Rgba = Rgba(0xaaaa_aaff);

/// A kind of artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Format {
    /// Interactive SVG: tooltips, layers, keyboard; one constant script. A blank map has none of
    /// these: it says its statuses in `<title>`s and takes a few kilobytes.
    Svg,
    /// SVG without a script, paths merged by colour: for thumbnails and print.
    SvgStatic,
    /// Pixels.
    Png,
    /// The scene for machines.
    Json,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Svg, Self::SvgStatic, Self::Png, Self::Json];

    /// Its name in configurations: `svg`, `svg-static`, `png`, `json`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::SvgStatic => "svg-static",
            Self::Png => "png",
            Self::Json => "json",
        }
    }

    /// The format with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// End of its file names, without the leading dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::SvgStatic => "static.svg",
            Self::Png => "png",
            Self::Json => "json",
        }
    }
}

/// How artifacts are written.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct DrawOptions {
    /// Pixels of a PNG for each px of the canvas, 0.1 to 8. Default: 1. Other formats have no pixels
    /// and ignore it.
    pub scale: f64,
}

impl DrawOptions {
    /// Options with a scale.
    pub const fn scaled(scale: f64) -> Self {
        Self { scale }
    }
}

impl Default for DrawOptions {
    fn default() -> Self {
        Self::scaled(1.0)
    }
}

/// Starts an artifact. It is complete only after [`SceneWriter::finish`].
///
/// # Errors
/// When the sink fails, the canvas is not finite and positive, or the scale or the number of pixels
/// is out of range.
pub fn writer<'w>(
    format: Format,
    head: &'w SceneHead,
    out: &'w mut dyn Write,
    options: &DrawOptions,
) -> io::Result<Box<dyn SceneWriter + 'w>> {
    check(head)?;
    Ok(match format {
        Format::Svg if head.blank => Box::new(svg_static::StaticWriter::new(head, out)?),
        Format::Svg => Box::new(svg::SvgWriter::new(head, out)?),
        Format::SvgStatic => Box::new(svg_static::StaticWriter::new(head, out)?),
        Format::Png => Box::new(png::PngWriter::new(head, out, options.scale)?),
        Format::Json => Box::new(json::JsonWriter::new(head, out)?),
    })
}

fn check(head: &SceneHead) -> io::Result<()> {
    let sizes = [head.width_px, head.height_px, head.cell.circumradius_px];
    let bounds = [
        head.bounds.x,
        head.bounds.y,
        head.bounds.width,
        head.bounds.height,
    ];
    let fine = sizes.iter().all(|size| (0.01..1e6).contains(size));
    if fine && bounds.iter().all(|px| (-1e6..=1e6).contains(px)) {
        return Ok(());
    }
    Err(chunk::invalid(format!(
        "a canvas of {} x {} px with hexagons of {} px cannot be drawn",
        head.width_px, head.height_px, head.cell.circumradius_px
    )))
}

/// Draws a whole scene at once.
///
/// # Errors
/// As [`writer`], and when the batch does not hold the hexagons that the head promises.
pub fn draw(
    format: Format,
    head: &SceneHead,
    hexagons: &HexagonBatch<'_>,
    options: &DrawOptions,
) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(4096 + hexagons.len() * (64 + 4 * head.n_layers));
    let mut to = writer(format, head, &mut bytes, options)?;
    to.hexagons(hexagons)?;
    to.finish()?;
    drop(to);
    Ok(bytes)
}

/// Whether a fill needs an outline to be seen on white.
pub(crate) fn is_pale(fill: Rgba) -> bool {
    let [r, g, b, a] = fill.channels();
    a < 16 || r.min(g).min(b) >= 0xf0
}

/// Whether a hexagon needs an outline: not where a sign outlines it, or where nothing is to be seen.
pub(crate) fn needs_outline(fill: Rgba, sign: Option<Sign>) -> bool {
    is_pale(fill) && !matches!(sign, Some(Sign::Zero | Sign::NoData))
}

/// Path data of one hexagon with its centre at hundredths of a px.
#[cfg(test)]
pub(crate) fn outline_of(cell: eyemap_abi::job::Cell, [x, y]: [i64; 2]) -> String {
    let mut out = Vec::new();
    outline::Outline::new(cell).push_path(&mut out, x, y);
    String::from_utf8_lossy(&out).into_owned()
}
