//! The compass: where dorsal and anterior lie on the map, as two arrows.

use eyemap_abi::job::Compass;

use super::mark::{Anchor, INK, Mark, SMALL_PX, Text, extent};
/// Length of an arrow, in px.
const ARM: f64 = 20.0;
/// From the origin to a letter's middle, in px.
const LETTER: f64 = 27.0;

/// The compass with its upper left corner at the origin.
pub(crate) fn draw(compass: Compass) -> Vec<Mark> {
    let arms = [(compass.dorsal, "D"), (compass.anterior, "A")];
    let mut marks: Vec<Mark> = Vec::new();
    for ([x, y], letter) in arms {
        marks.push(Mark::Line {
            points: vec![[0.0, 0.0], [ARM * x, ARM * y]],
            color: INK,
            width: 1.1,
            arrow: true,
        });
        let at = [LETTER * x, LETTER * y + 0.36 * SMALL_PX];
        let text = Text::new(at, SMALL_PX, letter);
        marks.push(Mark::Text(text.anchored(Anchor::Middle)));
    }
    let reach = extent(&marks).unwrap_or_default();
    let by = [-reach.x, -reach.y].map(f64::ceil);
    marks.into_iter().map(|mark| mark.moved(by)).collect()
}
