//! Pixels of a picture, or of a band of its rows, and what is drawn on them.

use std::io;

use eyemap_abi::job::Cell;
use tiny_skia::{Color, FillRule, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};

use super::{
    OUTLINE,
    chunk::invalid,
    font::font,
    is_pale,
    layout::{Anchor, Layout, Mark},
    outline::Outline,
    raster::Pixels,
    svg_parts::{BACKING, arrow_head, backing_rect},
};
use crate::scene::{Rect, Rgba, SceneHead};

/// More pixels than this are refused.
pub(crate) const MAX_PIXELS: f64 = 4e9;

fn polygon(corners: &[[f64; 2]]) -> Option<Path> {
    let mut path = PathBuilder::new();
    for (i, corner) in corners.iter().enumerate() {
        let [x, y] = corner.map(|v| v as f32);
        if i == 0 {
            path.move_to(x, y);
        } else {
            path.line_to(x, y);
        }
    }
    path.close();
    path.finish()
}

/// Rows of pixels, and how px become pixels.
pub(super) struct Canvas {
    pub(super) pixels: Pixmap,
    scale: f64,
    /// Rows of the picture above the first one here.
    top: u32,
}

/// Hexagons of one map: corners in px around the centre, and half the width of an outline relative to
/// the hexagon.
pub(super) struct Shape {
    corners: [[f64; 2]; 6],
    rim: f64,
}

impl Shape {
    pub(super) fn new(cell: Cell) -> Self {
        Self {
            corners: Outline::new(cell).corners_px(),
            rim: 0.25 / (cell.circumradius_px * 3f64.sqrt() / 2.0),
        }
    }

    /// How far a hexagon with its outline reaches above and below its centre, in px.
    pub(super) fn reach(&self) -> f64 {
        let reach = self.corners.iter().map(|corner| corner[1].abs());
        reach.fold(0.0, f64::max) * (1.0 + self.rim)
    }
}

/// Width and height of a picture, in pixels.
pub(super) fn size(head: &SceneHead, scale: f64) -> io::Result<[u32; 2]> {
    if !(0.1..=8.0).contains(&scale) {
        return Err(invalid(format!("a PNG's scale is 0.1 to 8, not {scale}")));
    }
    let [width, height] = [head.width_px, head.height_px].map(|v| (v * scale).ceil().max(1.0));
    if width * height > MAX_PIXELS {
        return Err(invalid(format!(
            "a PNG of {width} x {height} pixels is larger than {MAX_PIXELS} pixels; lower the scale"
        )));
    }
    Ok([width as u32, height as u32])
}

impl Canvas {
    /// White rows of a picture, from `top` on.
    pub(super) fn new([width, rows]: [u32; 2], scale: f64, top: u32) -> io::Result<Self> {
        let mut pixels =
            Pixmap::new(width, rows).ok_or_else(|| invalid("the PNG's size is out of range"))?;
        pixels.fill(Color::WHITE);
        Ok(Self { pixels, scale, top })
    }

    /// Draws a hexagon around a centre in px.
    pub(super) fn hexagon(&mut self, shape: &Shape, at: [f64; 2], fill: Rgba) {
        if is_pale(fill) {
            self.zoomed(shape, at, 1.0 + shape.rim, OUTLINE);
            self.zoomed(shape, at, 1.0 - shape.rim, Rgba(0xffff_ffff));
            if fill != Rgba(0xffff_ffff) {
                self.zoomed(shape, at, 1.0 - shape.rim, fill);
            }
        } else {
            self.zoomed(shape, at, 1.0, fill);
        }
    }

    fn zoomed(&mut self, shape: &Shape, [x, y]: [f64; 2], zoom: f64, color: Rgba) {
        let scale = self.scale;
        let place = |corner: [f64; 2]| {
            [
                (x + corner[0] * zoom) * scale,
                (y + corner[1] * zoom) * scale,
            ]
        };
        let corners = shape.corners.map(place);
        let [width, height] = [self.pixels.width(), self.pixels.height()];
        let mut pixels = Pixels {
            data: self.pixels.data_mut(),
            width: width as usize,
            height: height as usize,
            top: self.top as usize,
        };
        pixels.fill(&corners, color);
    }

    /// Draws what lies above the hexagons.
    pub(super) fn foreground(&mut self, layout: &Layout) {
        for &rect in &layout.backings {
            self.rounded(backing_rect(rect), 2.0, BACKING);
        }
        self.marks(&[layout.title()]);
        self.marks(&layout.subject);
        self.marks(&layout.legend);
    }

    /// From px on the canvas to pixels here.
    fn place(&self) -> Transform {
        let scale = self.scale as f32;
        Transform::from_row(scale, 0.0, 0.0, scale, 0.0, -(self.top as f32))
    }

    fn fill(&mut self, path: &Path, color: Rgba) {
        let place = self.place();
        self.pixels
            .fill_path(path, &paint(color), FillRule::Winding, place, None);
    }

    pub(super) fn marks(&mut self, marks: &[Mark]) {
        for mark in marks {
            match mark {
                Mark::Box { rect, fill, radius } => self.rounded(*rect, *radius, *fill),
                Mark::Text {
                    x,
                    y,
                    size,
                    anchor,
                    color,
                    text,
                } => {
                    let shift = match anchor {
                        Anchor::Start => 0.0,
                        Anchor::Middle => font().width(text, *size) / 2.0,
                        Anchor::End => font().width(text, *size),
                    };
                    self.text([x - shift, *y], *size, *color, text);
                }
                Mark::Line {
                    points,
                    color,
                    width,
                    arrow,
                } => {
                    self.line(points, *color, *width);
                    let head = arrow.then(|| arrow_head(points, *width)).flatten();
                    if let Some(path) = head.and_then(|head| polygon(&head)) {
                        self.fill(&path, *color);
                    }
                }
            }
        }
    }

    fn rounded(&mut self, rect: Rect, radius: f64, color: Rgba) {
        let Rect {
            x,
            y,
            width,
            height,
        } = rect;
        // A corner's arc as two chords is round enough for a radius of two px.
        let [r, k] = [radius, radius * 0.29];
        let [right, bottom] = [x + width, y + height];
        let corners = [
            [x + r, y],
            [right - r, y],
            [right - k, y + k],
            [right, y + r],
            [right, bottom - r],
            [right - k, bottom - k],
            [right - r, bottom],
            [x + r, bottom],
            [x + k, bottom - k],
            [x, bottom - r],
            [x, y + r],
            [x + k, y + k],
        ];
        if let Some(path) = polygon(&corners) {
            self.fill(&path, color);
        }
    }

    fn text(&mut self, [x, y]: [f64; 2], size: f64, color: Rgba, text: &str) {
        let font = font();
        let zoom = size / font.units();
        let s = (zoom * self.scale) as f32;
        let mut pen = x;
        for c in text.chars() {
            if let Some(outline) = font.outline(c) {
                let top = f64::from(self.top);
                let [px, py] = [pen * self.scale, y * self.scale - top].map(|v| v as f32);
                let place = Transform::from_row(s, 0.0, 0.0, -s, px, py);
                self.pixels
                    .fill_path(outline, &paint(color), FillRule::Winding, place, None);
            }
            pen += font.advance(c) * size;
        }
    }

    fn line(&mut self, points: &[[f64; 2]], color: Rgba, width: f64) {
        let mut path = PathBuilder::new();
        for (i, point) in points.iter().enumerate() {
            let [x, y] = point.map(|v| v as f32);
            if i == 0 {
                path.move_to(x, y);
            } else {
                path.line_to(x, y);
            }
        }
        let Some(path) = path.finish() else { return };
        let stroke = Stroke {
            width: width as f32,
            ..Stroke::default()
        };
        let place = self.place();
        self.pixels
            .stroke_path(&path, &paint(color), &stroke, place, None);
    }
}

fn paint(color: Rgba) -> Paint<'static> {
    let [r, g, b, a] = color.channels();
    let mut paint = Paint::default();
    paint.set_color_rgba8(r, g, b, a);
    paint.anti_alias = true;
    paint
}
