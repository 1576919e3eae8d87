//! The outline of a hexagon in whole hundredths of a px, the same for every format.

use eyemap_abi::job::{Cell, CellShape};

use super::number::{hundredths, push_hundredths};

/// Corners relative to the centre, in hundredths of a px.
pub(crate) struct Outline {
    corners: [[i64; 2]; 6],
    tail: Vec<u8>,
}

impl Outline {
    /// The outline of a cell.
    pub(crate) fn new(cell: Cell) -> Self {
        let half = hundredths(cell.circumradius_px / 2.0);
        let far = 2 * half;
        let side = hundredths(cell.circumradius_px * 3f64.sqrt() / 2.0);
        // From the corner that the path starts at, clockwise on the screen.
        let flat = [
            [-far, 0],
            [-half, -side],
            [half, -side],
            [far, 0],
            [half, side],
            [-half, side],
        ];
        let corners = match cell.shape {
            CellShape::FlatTop => flat,
            CellShape::PointyTop => flat.map(|[x, y]| [-y, x]),
        };
        let tail = tail(&corners);
        Self { corners, tail }
    }

    /// Corners relative to the centre, in hundredths of a px; paths start at the first.
    pub(crate) const fn corners(&self) -> &[[i64; 2]; 6] {
        &self.corners
    }

    /// Corners in px.
    pub(crate) fn corners_px(&self) -> [[f64; 2]; 6] {
        self.corners.map(|corner| corner.map(|v| v as f64 / 100.0))
    }

    /// Appends path data for a hexagon with its centre at hundredths `x, y`.
    pub(crate) fn push_path(&self, out: &mut Vec<u8>, x: i64, y: i64) {
        out.push(b'M');
        push_hundredths(out, x + self.corners[0][0]);
        let y = y + self.corners[0][1];
        if y >= 0 {
            out.push(b' ');
        }
        push_hundredths(out, y);
        out.extend_from_slice(&self.tail);
    }
}

/// The relative commands after the first corner.
fn tail(corners: &[[i64; 2]; 6]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut open = 0;
    for pair in corners.windows(2) {
        let [dx, dy] = [pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]];
        let command = match (dx, dy) {
            (_, 0) => b'h',
            (0, _) => b'v',
            _ => b'l',
        };
        if command != open || command != b'l' {
            out.push(command);
            open = command;
        } else if dx >= 0 {
            out.push(b' ');
        }
        if command != b'v' {
            push_hundredths(&mut out, dx);
        }
        if command == b'l' && dy >= 0 {
            out.push(b' ');
        }
        if command != b'h' {
            push_hundredths(&mut out, dy);
        }
    }
    out.push(b'z');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_short() {
        let path = |shape| {
            let cell = Cell {
                shape,
                circumradius_px: 6.0,
            };
            let mut out = Vec::new();
            Outline::new(cell).push_path(&mut out, 24380, 38181);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            path(CellShape::FlatTop),
            "M237.8 381.81l3-5.2h6l3 5.2-3 5.2h-6z"
        );
        assert_eq!(
            path(CellShape::PointyTop),
            "M243.8 375.81l5.2 3v6l-5.2 3-5.2-3v-6z"
        );
    }
}
