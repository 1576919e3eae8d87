//! Path data of hexagons.

use super::Hexagon;

/// Numbers of a path or list, wherever one begins.
pub(super) fn numbers(text: &str) -> Vec<f64> {
    let mut found = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let goes_on = c.is_ascii_digit() || c == '.';
        if let Some(from) = start.filter(|_| !goes_on) {
            found.extend(text[from..at].parse::<f64>().ok());
            start = None;
        }
        if start.is_none() && (goes_on || c == '-') {
            start = Some(at);
        }
    }
    found
}

/// One outline: where it begins, its centre, and how it goes on.
pub(super) fn outlined(data: &str) -> Option<Hexagon> {
    let data = data.trim_start().strip_prefix('M')?;
    let end = data.find(|c: char| !(c.is_ascii_digit() || " .-".contains(c)))?;
    let (start, outline) = data.split_at(end);
    let [x, y] = numbers(start)[..] else {
        return None;
    };
    Some(Hexagon {
        at: [x, y],
        to_center: to_center(outline),
        outline: outline.into(),
        ..Hexagon::default()
    })
}

/// From the first corner to the centre: half way to the fourth, after three steps along the outline.
fn to_center(outline: &str) -> [f64; 2] {
    let commands = outline
        .char_indices()
        .filter(|(_, c)| c.is_ascii_alphabetic());
    let starts: Vec<(usize, char)> = commands.collect();
    let mut steps: Vec<[f64; 2]> = Vec::with_capacity(6);
    for (k, &(start, command)) in starts.iter().enumerate() {
        let end = starts.get(k + 1).map_or(outline.len(), |next| next.0);
        let numbers = numbers(&outline[start + command.len_utf8()..end]);
        match command {
            'h' => steps.extend(numbers.iter().map(|&dx| [dx, 0.0])),
            'v' => steps.extend(numbers.iter().map(|&dy| [0.0, dy])),
            _ => steps.extend(numbers.chunks_exact(2).map(|step| [step[0], step[1]])),
        }
    }
    let first = steps.iter().take(3);
    let corner = first.fold([0.0, 0.0], |at, step| [at[0] + step[0], at[1] + step[1]]);
    corner.map(|v| v / 2.0)
}

#[cfg(test)]
mod tests {
    use eyemap_abi::job::{Cell, CellShape};

    use super::*;
    use crate::draw::outline_of;

    #[test]
    fn numbers_need_no_space_between_them() {
        assert_eq!(numbers("translate(-1.5 20)"), [-1.5, 20.0]);
        assert_eq!(numbers("3-4.25-.5h7"), [3.0, -4.25, -0.5, 7.0]);
        assert_eq!(numbers("1.2.3 - é 5"), [5.0]);
    }

    #[test]
    fn a_hexagon_is_read_back_where_it_was_drawn() {
        for shape in [CellShape::FlatTop, CellShape::PointyTop] {
            let cell = Cell {
                shape,
                circumradius_px: 6.3,
            };
            let data = outline_of(cell, [12_345, -678]);
            let [x, y] = outlined(&data).expect("a hexagon").center();
            assert!((x - 123.45).abs() < 1e-9, "{shape:?} {x} {data}");
            assert!((y + 6.78).abs() < 1e-9, "{shape:?} {y} {data}");
        }
    }

    #[test]
    fn what_is_no_hexagon_is_no_hexagon() {
        for wrong in ["", "M", "M1h2", "m1 2h3", "M1 2 3h4", "é"] {
            assert_eq!(outlined(wrong), None, "{wrong}");
        }
    }
}
