//! What the plugin promises, and what it answers.

use eyemap_sdk::{prelude::*, testing};
use template_coordinate::{Grid, TemplateCoordinate};

fn stage(config: &str) -> Result<TemplateCoordinate> {
    let config = eyemap_sdk::config::parse(config).expect("a configuration");
    TemplateCoordinate::create(config, &Tables::NONE)
}

/// The grid for a configuration, written as JSON: hexagons of 6 px that are 1.1 times as far apart as
/// hexagons that touch.
fn grid(config: &str) -> Grid {
    let stage = stage(config).expect("a stage");
    stage.prepare(&CoordinateJob::default()).expect("a grid")
}

fn columns() -> Vec<(i32, i32)> {
    (-3..=3)
        .flat_map(|hex1| (-3..=3).map(move |hex2| (hex1, hex2)))
        .collect()
}

#[test]
fn the_six_neighbours_are_equally_far_however_the_grid_is_turned() {
    for config in ["{}", r#"{"turn_deg": 30}"#, r#"{"turn_deg": -77.5}"#] {
        // `places` also fails if any split of the batch gives other places.
        let found = testing::places(&grid(config), &columns());
        let near = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)];
        for (place, column) in found.iter().zip(columns()) {
            let [x, y] = place.expect("every column has a place");
            let steps = x.hypot(y) / (6.0 * 1.1 * 3_f64.sqrt());
            match column {
                (0, 0) => assert_eq!([x, y], [0.0, 0.0]),
                column if near.contains(&column) => assert!((steps - 1.0).abs() < 1e-9),
                column => assert!(steps > 1.7, "{column:?} is {steps} steps away"),
            }
        }
    }
}

#[test]
fn columns_at_the_ends_of_the_range_have_finite_places() {
    let ends = [
        (i32::MIN, i32::MAX),
        (i32::MAX, i32::MIN),
        (i32::MIN, i32::MIN),
    ];
    for place in testing::places(&grid(r#"{"turn_deg": 45}"#), &ends) {
        assert!(place.is_some_and(|place| place.iter().all(|px| px.is_finite())));
    }
}

#[test]
fn an_angle_out_of_range_is_refused_with_its_key() {
    let message = stage(r#"{"turn_deg": 361}"#)
        .expect_err("refused")
        .to_string();
    assert_eq!(message, "361 is not from -360 to 360 (at turn_deg)");
}

#[test]
fn the_places_are_as_approved() {
    let mut text = String::new();
    for config in ["{}", r#"{"turn_deg": 30}"#, r#"{"turn_deg": 12.5}"#] {
        let grid = grid(config);
        text.push_str(&format!("[{config}]\n"));
        for (hex1, hex2) in [(0, 0), (1, 0), (0, 1), (1, 1), (-20, 17), (30, 31)] {
            let [x, y] = grid.place_one(hex1, hex2).expect("a place");
            text.push_str(&format!("column {hex1}, {hex2}: {x}, {y}\n"));
        }
        let cell = grid.describe().cell;
        let (shape, size_px) = (cell.shape, cell.circumradius_px);
        text.push_str(&format!("cell: {shape:?}, {size_px} px\n"));
    }
    testing::golden("golden/places.txt", &text);
}
