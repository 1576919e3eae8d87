//! A small table to draw a plugin's pictures from: every status, zero, one value everywhere, layers.

use std::fmt::Write as _;

/// Name of the table in a snapshot directory of a plugin.
pub const SAMPLE_FILE: &str = "sample.csv";
/// Columns are those within so many steps of the middle.
const RADIUS: i32 = 5;
/// Where the middle is.
const MIDDLE: [i32; 2] = [18, 18];

/// The table, as CSV: cell types `Ramp` (values rise to the upper right, as far as 270), `Sparse` (few
/// columns, zeros and unknown values among them) and `Even` (one value everywhere), in ME (right) with
/// ten layers and LOP (left) with four.
pub fn sample_table() -> String {
    let mut text = "cell_type,region,side,hex1,hex2,layer,synapses\n".to_owned();
    for cell_type in ["Even", "Ramp", "Sparse"] {
        for (region, side, layers) in [("ME", "R", 10), ("LOP", "L", 4)] {
            for [a, b] in patch() {
                let [hex1, hex2] = [MIDDLE[0] + a, MIDDLE[1] + b];
                for layer in 1..=layers {
                    let Some(value) = value(cell_type, [a, b], layer) else {
                        continue;
                    };
                    // Writing into a String cannot fail.
                    let _ = writeln!(
                        text,
                        "{cell_type},{region},{side},{hex1},{hex2},{layer},{value}"
                    );
                }
            }
        }
    }
    text
}

/// A hexagonal patch of columns around the middle.
fn patch() -> impl Iterator<Item = [i32; 2]> {
    let all = (-RADIUS..=RADIUS).flat_map(|a| (-RADIUS..=RADIUS).map(move |b| [a, b]));
    all.filter(|[a, b]| (a - b).abs() <= RADIUS)
}

/// The value of a layer as text; empty is unknown, none has no row.
fn value(cell_type: &str, [a, b]: [i32; 2], layer: i32) -> Option<String> {
    let place = a * 7 + b * 3 + layer;
    match cell_type {
        "Even" => Some("3".into()),
        "Ramp" => Some(((a + b + 2 * RADIUS) * layer / 4).to_string()),
        _ if place.rem_euclid(5) != 0 => None,
        _ if place.rem_euclid(35) == 0 => Some(String::new()),
        _ => Some((place.rem_euclid(4) * layer).to_string()),
    }
}
