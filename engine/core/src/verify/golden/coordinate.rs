//! What a coordinate stage is asked: a patch of columns for three regions, both sides and the
//! orientations that every stage of the project knows.

use eyemap_abi::job::{CoordinateDescription, CoordinateJob, Extent, Guide, Side};

use super::{
    Question,
    lines::{Lines, Unanswered, number, quoted, word},
};
use crate::stage::{CoordinateStage, Placement, StageError};

/// The origin and its six neighbours, columns of a medulla, and some far beyond any eye.
const COLUMNS: [(i32, i32); 14] = [
    (0, 0),
    (1, 0),
    (0, 1),
    (1, 1),
    (-1, 0),
    (0, -1),
    (-1, -1),
    (17, 18),
    (29, 20),
    (3, 34),
    (-40, 25),
    (1000, -1000),
    (1_000_000, 999_999),
    (-1_000_000, -1_000_000),
];
/// Asked alone: a stage may refuse it, and the host refuses places beyond 10^9 px.
const FARTHEST: (i32, i32) = (i32::MAX, i32::MIN);
/// At most so many guides are written one by one.
const GUIDES: usize = 8;

pub(super) fn ask(question: &Question<'_>, lines: &mut Lines) -> Result<(), Unanswered> {
    let stage = CoordinateStage::load(question.finder, &question.stage_config());
    let Some(stage) = lines.or_refused(stage)? else {
        return Ok(());
    };
    for (title, job) in jobs() {
        lines.section(&title);
        if let Some(placement) = lines.or_refused(stage.prepare(&job))? {
            push_description(lines, &placement.description);
            push_places(lines, &placement)?;
        }
    }
    Ok(())
}

/// Three regions, both sides, every orientation; with a title each.
pub fn jobs() -> Vec<(String, CoordinateJob)> {
    let seen = COLUMNS.iter().copied().filter(|(hex1, _)| hex1.abs() < 100);
    let job = |region: &str, side, orientation: &str| CoordinateJob {
        region: region.into(),
        side,
        orientation: orientation.into(),
        extent: Extent::of(seen.clone()),
        ..Default::default()
    };
    let mut jobs = Vec::new();
    for orientation in ["peer", "anatomical", "none", "no orientation at all"] {
        for side in [Side::Left, Side::Right] {
            let title = format!("ME, {}, orientation {orientation}", side.word());
            jobs.push((title, job("ME", side, orientation)));
        }
    }
    for region in ["LO", "LOP", "a region <that> no fly has"] {
        let title = format!("{region}, right, orientation peer");
        jobs.push((title, job(region, Side::Right, "peer")));
    }
    let large = CoordinateJob {
        hex_size_px: 20.0,
        spacing: 1.0,
        extent: None,
        ..job("ME", Side::Right, "peer")
    };
    jobs.push((
        "ME, right, hexagons of 20 px that touch, extent not known".into(),
        large,
    ));
    jobs
}

fn push_description(lines: &mut Lines, description: &CoordinateDescription) {
    let cell = description.cell;
    let radius = number(cell.circumradius_px);
    lines.answer(
        "cell",
        &format!("{}, circumradius {radius} px", word(&cell.shape)),
    );
    for (i, guide) in description.guides.iter().take(GUIDES).enumerate() {
        lines.answer(&format!("guide {}", i + 1), &guide_text(guide));
    }
    let rest = description.guides.get(GUIDES..).unwrap_or_default();
    if !rest.is_empty() {
        let all: Vec<String> = rest.iter().map(guide_text).collect();
        let hash = &blake3::hash(all.join("\n").as_bytes()).to_hex()[..16];
        lines.answer("other guides", &format!("{}, BLAKE3 {hash}", rest.len()));
    }
}

fn guide_text(guide: &Guide) -> String {
    match guide {
        Guide::Polyline {
            points,
            color,
            width_px,
            arrow,
        } => {
            let all: Vec<String> = points
                .iter()
                .map(|[x, y]| format!("{},{}", number(*x), number(*y)))
                .collect();
            let all = if all.len() <= 4 {
                all.join(" ")
            } else {
                let hash = &blake3::hash(all.join(" ").as_bytes()).to_hex()[..16];
                let (first, last) = (&all[0], &all[all.len() - 1]);
                format!("{first} to {last}, {} points, BLAKE3 {hash}", all.len())
            };
            let arrow = if *arrow { ", arrow" } else { "" };
            let (color, width) = (quoted(color), number(*width_px));
            format!("line {all}, {color}, {width} px{arrow}")
        }
        Guide::Label {
            x,
            y,
            text,
            color,
            size_px,
        } => {
            let [x, y, size] = [*x, *y, *size_px].map(number);
            format!(
                "label {} at {x},{y}, {}, {size} px",
                quoted(text),
                quoted(color)
            )
        }
    }
}

fn push_places(lines: &mut Lines, placement: &Placement<'_>) -> Result<(), Unanswered> {
    for range in lines.batches(COLUMNS.len()) {
        let columns = &COLUMNS[range];
        let (hex1, hex2): (Vec<i32>, Vec<i32>) = columns.iter().copied().unzip();
        let placed = placement.place(&hex1, &hex2)?;
        for (i, (hex1, hex2)) in columns.iter().enumerate() {
            let place = place(placed.placed[i], placed.x[i], placed.y[i]);
            lines.answer(&format!("column {hex1},{hex2}"), &place);
        }
    }
    let key = format!("column {},{}", FARTHEST.0, FARTHEST.1);
    match placement.place(&[FARTHEST.0], &[FARTHEST.1]) {
        Ok(placed) => lines.answer(&key, &place(placed.placed[0], placed.x[0], placed.y[0])),
        Err(StageError::Answer { .. }) => lines.answer(&key, "beyond what can be drawn"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn place(placed: bool, x: f64, y: f64) -> String {
    if placed {
        format!("x {} y {}", number(x), number(y))
    } else {
        "not placed".into()
    }
}
