//! The PNG, drawn from the scene itself, never by way of SVG text.
//!
//! Holds the pixels and no hexagon. Colours are exact: an indexed file where 256 colours do, else
//! RGB. White ground, always opaque. No system font, no hinting, no random state: the same bytes on
//! every machine.

use std::io::{self, Write};

use tiny_skia::{Color, FillRule, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};

use super::{
    OUTLINE,
    chunk::invalid,
    font::font,
    is_pale,
    layout::{Anchor, Layout, Mark, layout},
    number::hundredths,
    outline::Outline,
    png_file,
    raster::Pixels,
    svg_parts::{BACKING, arrow_head, backing_rect},
};
use crate::scene::{HexagonBatch, Rect, Rgba, SceneHead, SceneWriter};

/// More pixels than this are refused.
pub(crate) const MAX_PIXELS: f64 = 100e6;

pub(crate) struct PngWriter<'w> {
    head: &'w SceneHead,
    out: &'w mut dyn Write,
    layout: Layout,
    canvas: Canvas,
    corners: [[f64; 2]; 6],
    rim: f64,
    seen: u64,
}

impl<'w> PngWriter<'w> {
    pub(crate) fn new(head: &'w SceneHead, out: &'w mut dyn Write, scale: f64) -> io::Result<Self> {
        let layout = layout(head);
        let mut canvas = Canvas::new(head, scale)?;
        canvas.marks(&layout.guides);
        Ok(Self {
            head,
            out,
            layout,
            canvas,
            corners: Outline::new(head.cell).corners_px(),
            rim: 0.25 / (head.cell.circumradius_px * 3f64.sqrt() / 2.0),
            seen: 0,
        })
    }
}

impl SceneWriter for PngWriter<'_> {
    fn hexagons(&mut self, batch: &HexagonBatch<'_>) -> io::Result<()> {
        self.seen += batch.len() as u64;
        if self.seen > self.head.n_hexagons {
            return Err(invalid("more hexagons than the scene's head promises"));
        }
        for i in 0..batch.len() {
            let [x, y] = [batch.x[i], batch.y[i]].map(|v| hundredths(v) as f64 / 100.0);
            self.draw(x, y, batch.fill[i]);
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.seen < self.head.n_hexagons {
            return Err(invalid("fewer hexagons than the scene's head promises"));
        }
        let layout = &self.layout;
        for &rect in &layout.backings {
            self.canvas.rounded(backing_rect(rect), 2.0, BACKING);
        }
        self.canvas.marks(&[layout.title()]);
        self.canvas.marks(&layout.subject);
        self.canvas.marks(&layout.legend);
        let bytes = png_file::encode(&self.canvas.pixels)?;
        self.out.write_all(&bytes)
    }
}

impl PngWriter<'_> {
    fn draw(&mut self, x: f64, y: f64, fill: Rgba) {
        if is_pale(fill) {
            self.hexagon([x, y], 1.0 + self.rim, OUTLINE);
            self.hexagon([x, y], 1.0 - self.rim, Rgba(0xffff_ffff));
            if fill != Rgba(0xffff_ffff) {
                self.hexagon([x, y], 1.0 - self.rim, fill);
            }
        } else {
            self.hexagon([x, y], 1.0, fill);
        }
    }

    fn hexagon(&mut self, [x, y]: [f64; 2], zoom: f64, color: Rgba) {
        let scale = self.canvas.scale;
        let place = |corner: [f64; 2]| {
            [
                (x + corner[0] * zoom) * scale,
                (y + corner[1] * zoom) * scale,
            ]
        };
        let corners = self.corners.map(place);
        let [width, height] = [self.canvas.pixels.width(), self.canvas.pixels.height()];
        let mut pixels = Pixels {
            data: self.canvas.pixels.data_mut(),
            width: width as usize,
            height: height as usize,
        };
        pixels.fill(&corners, color);
    }
}

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

/// Pixels, and how px become pixels.
struct Canvas {
    pixels: Pixmap,
    scale: f64,
}

impl Canvas {
    fn new(head: &SceneHead, scale: f64) -> io::Result<Self> {
        if !(0.1..=8.0).contains(&scale) {
            return Err(invalid(format!("a PNG's scale is 0.1 to 8, not {scale}")));
        }
        let [width, height] = [head.width_px, head.height_px].map(|v| (v * scale).ceil().max(1.0));
        if width * height > MAX_PIXELS {
            return Err(invalid(format!(
                "a PNG of {width} x {height} pixels is larger than {MAX_PIXELS} pixels; lower the scale"
            )));
        }
        let mut pixels = Pixmap::new(width as u32, height as u32)
            .ok_or_else(|| invalid("the PNG's size is out of range"))?;
        pixels.fill(Color::WHITE);
        Ok(Self { pixels, scale })
    }

    fn fill(&mut self, path: &Path, color: Rgba) {
        let place = Transform::from_scale(self.scale as f32, self.scale as f32);
        self.pixels
            .fill_path(path, &paint(color), FillRule::Winding, place, None);
    }

    fn marks(&mut self, marks: &[Mark]) {
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
                let [px, py] = [pen * self.scale, y * self.scale].map(|v| v as f32);
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
        let s = self.scale as f32;
        let place = Transform::from_scale(s, s);
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
