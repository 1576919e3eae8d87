//! Pixels of a picture, or of a band of its rows, and what is drawn on them.

use std::io;

use eyemap_abi::job::Cell;
use tiny_skia::{Color, FillRule, Mask, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};

use super::{
    OUTLINE,
    chunk::invalid,
    layout::{Layout, ROW_PITCH, signs},
    mark::{Mark, Text},
    needs_outline,
    outline::Outline,
    raster::{Pixels, STEPS},
    sign::{self, DARK, Fills, INNER_ZOOM, Sign, Signs, ink},
    svg_parts::arrow_head,
    svg_signs::{SAMPLE_PX, row_texts, sample},
};
use crate::scene::{Rect, Rgba, SceneHead};

/// Steps of coverage of what lies on hexagons, which has many grounds: a map's colours stay few enough
/// for a palette.
const FEW_STEPS: u32 = 4;

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

/// How px become pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// Upper left corner of the picture, in px.
    pub(super) origin: [f64; 2],
    /// Pixels for each px.
    pub(super) scale: f64,
}

/// Rows of pixels, and how px become pixels.
pub(super) struct Canvas {
    pub(super) pixels: Pixmap,
    scale: f64,
    /// Upper left corner of the picture, in px.
    origin: [f64; 2],
    /// Rows of the picture above the first one here.
    top: u32,
}

/// Hexagons of one map.
pub(super) struct Shape {
    /// In px around the centre.
    corners: [[f64; 2]; 6],
    /// Half the width of an outline relative to the hexagon.
    rim: f64,
    /// Width of a zero's outline relative to the hexagon.
    ring: f64,
    signs: Signs,
}

impl Shape {
    pub(super) fn new(cell: Cell) -> Self {
        let signs = Signs::new(cell);
        let inradius = cell.circumradius_px * 3f64.sqrt() / 2.0;
        Self {
            corners: Outline::new(cell).corners_px(),
            rim: 0.25 / inradius,
            ring: signs.shape(Sign::Zero, DARK).width / inradius,
            signs,
        }
    }

    /// Corners around a centre, in px.
    fn zoomed(&self, [x, y]: [f64; 2], zoom: f64) -> [[f64; 2]; 6] {
        self.corners
            .map(|corner| [x + corner[0] * zoom, y + corner[1] * zoom])
    }

    /// How far a hexagon with its outline reaches above and below its centre, in px.
    pub(super) fn reach(&self) -> f64 {
        let reach = self.corners.iter().map(|corner| corner[1].abs());
        reach.fold(0.0, f64::max) * (1.0 + self.rim)
    }
}

/// Width and height of a picture, in pixels.
pub(super) fn size(canvas: Rect, scale: f64) -> io::Result<[u32; 2]> {
    if !(0.1..=8.0).contains(&scale) {
        return Err(invalid(format!("a PNG's scale is 0.1 to 8, not {scale}")));
    }
    let [width, height] = [canvas.width, canvas.height].map(|v| (v * scale).ceil().max(1.0));
    if width * height > MAX_PIXELS {
        return Err(invalid(format!(
            "a PNG of {width} x {height} pixels is larger than {MAX_PIXELS} pixels; lower the scale"
        )));
    }
    Ok([width as u32, height as u32])
}

impl Canvas {
    /// White rows of a picture, from `top` on.
    pub(super) fn new([width, rows]: [u32; 2], frame: Frame, top: u32) -> io::Result<Self> {
        let mut pixels =
            Pixmap::new(width, rows).ok_or_else(|| invalid("the PNG's size is out of range"))?;
        pixels.fill(Color::WHITE);
        Ok(Self {
            pixels,
            scale: frame.scale,
            origin: frame.origin,
            top,
        })
    }

    /// Draws a hexagon around a centre in px, with its sign.
    pub(super) fn hexagon(&mut self, shape: &Shape, at: [f64; 2], fill: Rgba, sign: Option<Sign>) {
        let zero = sign == Some(Sign::Zero);
        let rim = match (zero, ink(fill)) {
            (true, Rgba::WHITE) => {
                self.zoomed(shape, at, 1.0, fill);
                Some((INNER_ZOOM, INNER_ZOOM - shape.ring, Rgba::WHITE))
            }
            (true, dark) => Some((1.0, 1.0 - shape.ring, dark)),
            _ => needs_outline(fill, sign).then_some((1.0 + shape.rim, 1.0 - shape.rim, OUTLINE)),
        };
        match rim {
            None => self.zoomed(shape, at, 1.0, fill),
            Some((outer, inner, color)) => {
                self.zoomed(shape, at, outer, color);
                if fill.channels()[3] < 255 {
                    self.zoomed(shape, at, inner, Rgba::WHITE);
                }
                let corners = shape.zoomed(at, inner);
                self.polygon(&corners, fill, if zero { FEW_STEPS } else { STEPS });
            }
        }
        if let Some(sign) = sign.filter(|&sign| sign != Sign::Zero) {
            self.strokes(shape.signs.shape(sign, ink(fill)), at, ink(fill));
        }
    }

    /// Draws lines within a hexagon; one of no length is a dot.
    fn strokes(&mut self, shape: &sign::Shape, [x, y]: [f64; 2], color: Rgba) {
        let half = shape.width / 2.0;
        let ends = |stroke: &[[i64; 2]]| {
            let end = |at: [i64; 2]| [x + at[0] as f64 / 100.0, y + at[1] as f64 / 100.0];
            [end(stroke[0]), end(stroke[1])]
        };
        for stroke in shape.strokes.iter().filter(|stroke| stroke.len() == 2) {
            let [from, to] = ends(stroke);
            if from == to {
                let dot = DOT.map(|[dx, dy]| [from[0] + dx * half, from[1] + dy * half]);
                self.polygon(&dot, color, FEW_STEPS);
            } else {
                self.polygon(&bar(from, to, half), color, FEW_STEPS);
            }
        }
    }

    fn zoomed(&mut self, shape: &Shape, at: [f64; 2], zoom: f64, color: Rgba) {
        self.polygon(&shape.zoomed(at, zoom), color, STEPS);
    }

    /// Fills a convex polygon with corners in px.
    fn polygon<const N: usize>(&mut self, corners: &[[f64; 2]; N], color: Rgba, steps: u32) {
        let (scale, [left, top]) = (self.scale, self.origin);
        let corners = corners.map(|[x, y]| [(x - left) * scale, (y - top) * scale]);
        self.rows().fill(&corners, color, steps);
    }

    /// Draws what lies beside the hexagons.
    pub(super) fn foreground(&mut self, head: &SceneHead, layout: &Layout, fills: &Fills) {
        self.marks(&[layout.heading.title()]);
        self.marks(layout.heading.subtitle().as_slice());
        self.marks(&layout.heading.subject);
        self.marks(&layout.legend);
        self.counts(head, layout, fills);
        self.marks(&layout.compass);
    }

    /// The signs of whole columns, explained.
    fn counts(&mut self, head: &SceneHead, layout: &Layout, fills: &Fills) {
        let shape = Shape::new(sample(head.cell.shape));
        let [x, mut y] = layout.rows.at;
        for sign in signs(head, 0) {
            self.hexagon(&shape, [x + SAMPLE_PX, y], fills.of(sign), Some(sign));
            let texts = row_texts(sign, sign.count(&head.counts), layout.rows.width);
            self.marks(&texts.map(|text| text.moved([x, y])));
            y += ROW_PITCH;
        }
    }

    /// From px on the canvas to pixels here.
    fn place(&self) -> Transform {
        let scale = self.scale as f32;
        let [x, y] = self.origin.map(|v| v * self.scale);
        let down = -(y + f64::from(self.top));
        Transform::from_row(scale, 0.0, 0.0, scale, -x as f32, down as f32)
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
                Mark::Ramp { rect, colors } => self.ramp(*rect, colors),
                Mark::Text(text) => self.text(text),
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
        if radius == 0.0 {
            let [right, bottom] = [x + width, y + height];
            return self.polygon(
                &[[x, y], [right, y], [right, bottom], [x, bottom]],
                color,
                STEPS,
            );
        }
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

    /// One colour a row of pixels, that of the row's middle.
    fn ramp(&mut self, rect: Rect, colors: &[Rgba]) {
        let rows = (rect.height * self.scale).round().max(1.0) as usize;
        let height = rect.height / rows as f64;
        for row in 0..rows {
            let at = 1.0 - (row as f64 + 0.5) / rows as f64;
            let top = rect.y + height * row as f64;
            let [left, right, bottom] = [rect.x, rect.x + rect.width, top + height];
            let corners = [[left, top], [right, top], [right, bottom], [left, bottom]];
            self.polygon(&corners, mix(colors, at), STEPS);
        }
    }

    fn text(&mut self, text: &Text) {
        let font = text.font();
        let size = text.size * self.scale / font.units();
        let [left, top] = self.origin;
        let mut pen = text.left();
        for c in text.text.chars() {
            if let Some(outline) = font.outline(c) {
                let at = [(pen - left) * self.scale, (text.y - top) * self.scale];
                self.glyph(outline, at, size, text.color);
            }
            pen += font.advance(c) * text.size;
        }
    }

    /// Draws a letter with its origin at a pixel of the picture. Its coverage is rounded to as many
    /// steps as that of hexagons, which keeps a map's colours few enough for a palette, and is taken
    /// relative to whole pixels, so that it does not depend on the band.
    fn glyph(&mut self, outline: &Path, at: [f64; 2], size: f64, color: Rgba) {
        let bounds = outline.bounds();
        let [left, right] = [bounds.left(), bounds.right()].map(|x| at[0] + f64::from(x) * size);
        let [top, bottom] = [bounds.bottom(), bounds.top()].map(|y| at[1] - f64::from(y) * size);
        let [x0, y0] = [left.floor() - 1.0, top.floor() - 1.0];
        let [width, height] = [right - x0, bottom - y0].map(|v| v.ceil() as u32 + 1);
        // A label may be as large as the picture, and a band has little of it.
        let rows = f64::from(self.top)..f64::from(self.top + self.pixels.height());
        if y0 >= rows.end || y0 + f64::from(height) <= rows.start {
            return;
        }
        let Some(mut mask) = Mask::new(width, height) else {
            return;
        };
        let s = size as f32;
        let [dx, dy] = [at[0] - x0, at[1] - y0].map(|v| v as f32);
        let place = Transform::from_row(s, 0.0, 0.0, -s, dx, dy);
        mask.fill_path(outline, FillRule::Winding, true, place);
        let rows = mask.data().chunks_exact(width as usize);
        let [x0, y0] = [x0 as i64, y0 as i64 - i64::from(self.top)];
        let mut pixels = self.rows();
        for (y, row) in (y0..).zip(rows) {
            for (x, &coverage) in (x0..).zip(row).filter(|pair| *pair.1 > 0) {
                pixels.blend([x, y], coverage, color);
            }
        }
    }

    /// The rows of pixels.
    fn rows(&mut self) -> Pixels<'_> {
        let [width, height] = [self.pixels.width(), self.pixels.height()];
        Pixels {
            width: width as usize,
            height: height as usize,
            top: self.top as usize,
            data: self.pixels.data_mut(),
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

/// Corners of a dot of radius 1.
const DOT: [[f64; 2]; 8] = [
    [0.924, 0.383],
    [0.383, 0.924],
    [-0.383, 0.924],
    [-0.924, 0.383],
    [-0.924, -0.383],
    [-0.383, -0.924],
    [0.383, -0.924],
    [0.924, -0.383],
];

/// A line as a rectangle, with half its width.
fn bar(from: [f64; 2], to: [f64; 2], half: f64) -> [[f64; 2]; 4] {
    let [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    let by = half / (dx * dx + dy * dy).sqrt();
    let [nx, ny] = [-dy * by, dx * by];
    [
        [from[0] + nx, from[1] + ny],
        [to[0] + nx, to[1] + ny],
        [to[0] - nx, to[1] - ny],
        [from[0] - nx, from[1] - ny],
    ]
}

/// Colour at `t` in [0, 1] along evenly spaced colours, linear in sRGB as in a gradient of an SVG.
fn mix(colors: &[Rgba], t: f64) -> Rgba {
    let Some(last) = colors.len().checked_sub(1) else {
        return OUTLINE;
    };
    let at = t * last as f64;
    let i = (at as usize).min(last.saturating_sub(1));
    let [low, high] = [colors[i].channels(), colors[last.min(i + 1)].channels()];
    let part = at - i as f64;
    let channel = |c: usize| {
        let [a, b] = [f64::from(low[c]), f64::from(high[c])];
        (a + (b - a) * part).round() as u8
    };
    Rgba(u32::from_be_bytes([0, 1, 2, 3].map(channel)))
}

fn paint(color: Rgba) -> Paint<'static> {
    let [r, g, b, a] = color.channels();
    let mut paint = Paint::default();
    paint.set_color_rgba8(r, g, b, a);
    paint.anti_alias = true;
    paint
}
