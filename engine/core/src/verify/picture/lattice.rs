//! Reads the dashed lines of a blank map back: each dash is a hexagon's height.
//!
//! The first of three families of lines is enough: `hex1` is a line's row, and twice `hex2` is the sum
//! of the row and how far along it is.

use roxmltree::Node;

use super::{
    Hexagon, NotRead, Picture,
    outline::numbers,
    svg::{SVG, paint, title_of},
};

/// Lines are drawn for columns of coordinates below 250, so that there are fewer columns than this. A file
/// may claim any number.
const MOST: usize = 250_000;

/// Takes a group of lines; later groups lie over earlier ones.
pub(super) fn read(group: Node<'_, '_>, picture: &mut Picture) -> Result<(), NotRead> {
    let Some(words) = title_of(group) else {
        // The rim of pale hexagons says nothing of its own.
        return Ok(());
    };
    let wrong = || NotRead::new("lines of hexagons have no places");
    let fill = paint(group, None, "stroke");
    let mut paths = group
        .children()
        .filter(|child| child.has_tag_name((SVG, "path")));
    let path = paths.next().ok_or_else(wrong)?;
    let matrix = numbers(path.attribute("transform").unwrap_or_default());
    let [ax, ay, bx, by, ox, oy] = matrix[..] else {
        return Err(wrong());
    };
    for [along, hex1] in dashes(path.attribute("d").unwrap_or_default()) {
        let twice = along.saturating_add(hex1);
        let (Ok(hex1), Ok(hex2)) = (i32::try_from(hex1), i32::try_from(twice / 2)) else {
            return Err(wrong());
        };
        let [u, v] = [along as f64, f64::from(hex1)];
        let hexagon = Hexagon {
            at: [ax * u + bx * v + ox, ay * u + by * v + oy],
            words: words.clone(),
            fill: fill.clone(),
            ..Hexagon::default()
        };
        picture.columns.insert([hex1, hex2], hexagon);
    }
    Ok(())
}

/// How far along, and in which row, the middle of each dash is.
fn dashes(data: &str) -> Vec<[i64; 2]> {
    let mut middles = Vec::new();
    let [mut along, mut row] = [0_i64, 0_i64];
    for run in numbers(data).chunks_exact(3) {
        let [right, down, long] = [run[0] as i64, run[1] as i64, run[2] as i64];
        along = along.saturating_add(right);
        row = row.saturating_add(down);
        let dashes = (long / 2).clamp(0, MOST.saturating_sub(middles.len()) as i64);
        middles.extend((0..dashes).map(|k| [along.saturating_add(1 + 2 * k), row]));
        along = along.saturating_add(long);
    }
    middles
}
