//! The freeze gate: six plugins of other kinds than the project's own run against the frozen traits,
//! unchanged, through a real `dlopen`.

use eyemap_abi::job::{Guide, LegendKind};
use eyemap_engine::{
    Rgba, Side,
    draw::{DrawOptions, Format, draw},
    pipeline::Scene,
    scene::Legend,
    stage::StageName::{Color, Coordinate, Metadata},
};
use eyemap_snapshots::{
    material_text,
    trial::{Trial, dataset, row_of_values},
};
use serde_json::json;

/// Draws in every format and returns the static SVG.
fn in_every_format(scene: &Scene) -> String {
    let bytes = |format| {
        draw(format, &scene.head, &scene.batch(), &DrawOptions::default()).expect("an artifact")
    };
    assert!(bytes(Format::Png).starts_with(b"\x89PNG"));
    let json: serde_json::Value = serde_json::from_slice(&bytes(Format::Json)).expect("JSON");
    assert!(json.is_object());
    assert!(bytes(Format::Svg).starts_with(b"<svg"));
    String::from_utf8(bytes(Format::SvgStatic)).expect("UTF-8")
}

/// Fills in the order of the columns.
fn fills(scene: &Scene) -> Vec<String> {
    scene.batch().fill.iter().map(Rgba::to_string).collect()
}

fn legend(scene: &Scene) -> &Legend {
    scene.head.legend.as_ref().expect("a legend")
}

#[test]
fn quantile_bins_hold_the_same_share_of_columns_and_have_unequal_edges() {
    let table = row_of_values(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 50.0, 1000.0]);
    let scene = Trial::default()
        .with(Color, "quantile_color", json!({}))
        .draw(&table, Side::Right)
        .expect("a scene");
    assert_eq!(fills(&scene)[..6], ["#41b6c4"; 6]);
    assert_eq!(
        fills(&scene)[6..],
        ["#2c7fb8", "#2c7fb8", "#253494", "#253494"]
    );
    let legend = legend(&scene);
    assert_eq!(legend.kind, LegendKind::Bins);
    // Quantiles of type 7, by hand: ranks 5.4, 7.2 and 9 of 0, ..., 0, 1, 2, 50, 1000.
    let expected = [0.0, 0.4, 11.6, 1000.0];
    assert_eq!(legend.ticks.len(), expected.len(), "{:?}", legend.ticks);
    for (tick, expected) in legend.ticks.iter().zip(expected) {
        assert!((tick - expected).abs() < 1e-9, "{:?}", legend.ticks);
    }
    in_every_format(&scene);
}

#[test]
fn quantiles_of_one_value_are_one_bin() {
    let scene = Trial::default()
        .with(Color, "quantile_color", json!({}))
        .draw(&row_of_values(&[7.0, 7.0]), Side::Right)
        .expect("a scene");
    assert_eq!(fills(&scene), ["#253494", "#253494"]);
    assert_eq!(legend(&scene).ticks, [7.0, 7.0]);
}

#[test]
fn categories_have_a_colour_and_a_label_each_whatever_their_size() {
    let config = json!({ "labels": { "7": "yellow R7", "1000": "pale R7" } });
    let scene = Trial::default()
        .with(Color, "categorical_color", config)
        .draw(&row_of_values(&[1000.0, 7.0, 3.0, 7.0]), Side::Right)
        .expect("a scene");
    assert_eq!(fills(&scene), ["#8da0cb", "#fc8d62", "#66c2a5", "#fc8d62"]);
    let legend = legend(&scene);
    assert_eq!(legend.kind, LegendKind::Swatches);
    assert_eq!(legend.labels, ["3", "yellow R7", "pale R7"]);
    let svg = in_every_format(&scene);
    assert!(svg.contains("yellow R7") && svg.contains("pale R7"));
}

#[test]
fn more_categories_than_colours_are_refused_at_the_key_to_change() {
    let error = Trial::default()
        .with(Color, "categorical_color", json!({ "colors": ["#000000"] }))
        .draw(&row_of_values(&[1.0, 2.0]), Side::Right)
        .expect_err("too many");
    assert!(
        error
            .to_string()
            .contains("1 colours for 2 values of synapses"),
        "{error}"
    );
    assert_eq!(
        error.config_key().as_deref(),
        Some("stages.color.config.colors")
    );
}

#[test]
fn a_diverging_scale_is_even_about_its_reference_and_has_a_ramp() {
    // Mean 4 and population deviation 2, so the reach of two deviations is 4.
    let table = row_of_values(&[2.0, 2.0, 6.0, 6.0]);
    let scene = |config| {
        let trial = Trial::default().with(Color, "diverging_color", config);
        trial.draw(&table, Side::Right).expect("a scene")
    };
    let by_mean = scene(json!({}));
    // Half way from the middle #f7f7f7 to each end.
    assert_eq!(
        fills(&by_mean),
        ["#8cafd2", "#8cafd2", "#d58891", "#d58891"]
    );
    let found = legend(&by_mean);
    assert_eq!(
        (found.kind, &found.ticks[..]),
        (LegendKind::Ramp, &[0.0, 4.0, 8.0][..])
    );
    assert_eq!(
        found.colors.iter().map(Rgba::to_string).collect::<Vec<_>>(),
        ["#2166ac", "#f7f7f7", "#b2182b"]
    );
    in_every_format(&by_mean);

    let by_reference = scene(json!({ "reference": 2.0 }));
    assert_eq!(
        fills(&by_reference),
        ["#f7f7f7", "#f7f7f7", "#b2182b", "#b2182b"]
    );
    assert_eq!(legend(&by_reference).ticks, [-2.0, 2.0, 6.0]);
}

#[test]
fn a_range_set_by_hand_overrules_the_statistics_of_a_diverging_scale() {
    let mut trial = Trial::default().with(Color, "diverging_color", json!({}));
    let range = eyemap_engine::config::RangeConfig {
        whole: Some([0.0, 20.0]),
        layer: None,
    };
    trial.config.range.insert("synapses".into(), range);
    let scene = trial
        .draw(&row_of_values(&[0.0, 10.0, 20.0]), Side::Right)
        .expect("a scene");
    assert_eq!(fills(&scene), ["#2166ac", "#f7f7f7", "#b2182b"]);
}

const DIRECTIONS: &str = "p,q,x,y,z
10,10,0,-1,0
10,11,1,0,0
10,12,0,-0.8660254037844386,0.5
11,10,0,0,1
";

fn mollweide(directions: &str) -> (tempfile::TempDir, Trial) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("directions.csv");
    std::fs::write(&path, directions).expect("written");
    let mut trial = Trial::default().with(Coordinate, "mollweide_coordinates", json!({}));
    trial
        .stage(Coordinate)
        .tables
        .insert("directions".into(), path);
    (dir, trial)
}

/// Centre of a column relative to another.
fn offset(scene: &Scene, column: (i32, i32), from: (i32, i32)) -> [f64; 2] {
    let batch = scene.batch();
    let at = |(hex1, hex2)| {
        let i = (0..batch.len()).find(|&i| (batch.hex1[i], batch.hex2[i]) == (hex1, hex2));
        let i = i.unwrap_or_else(|| panic!("{hex1},{hex2} has no place"));
        [batch.x[i], batch.y[i]]
    };
    let (a, b) = (at(column), at(from));
    [a[0] - b[0], a[1] - b[1]]
}

#[test]
fn mollweide_places_columns_where_they_look_and_leaves_out_the_blind() {
    let table = "cell_type,region,side,hex1,hex2,layer,synapses\n\
        Tm1,ME,R,10,10,0,1\nTm1,ME,R,11,10,0,2\nTm1,ME,R,12,10,0,3\nTm1,ME,R,10,11,0,4\nTm1,ME,R,13,13,0,5\n";
    let (_dir, mut trial) = mollweide(DIRECTIONS);
    let table = dataset(table);
    let scene = trial.draw(&table, Side::Right).expect("a scene");
    // q = hex1 and p = hex2; 13,13 looks nowhere.
    assert_eq!((scene.unplaced(), scene.batch().len()), (1, 4));
    let radius = 19.0 * 6.0 * 1.1;
    let near = |found: [f64; 2], x: f64, y: f64| {
        let far = (found[0] - x * radius).hypot(found[1] - y * radius);
        // Near the pole an error of 1e-16 in sin phi moves a place by 1e-5 radii.
        assert!(far < 0.01, "{found:?} is not {x}, {y} radii away");
    };
    let side = (10, 10);
    // The front lies a quarter turn from the side: X = 2 sqrt 2 / pi * pi / 2 = sqrt 2.
    near(offset(&scene, (11, 10), side), 2f64.sqrt(), 0.0);
    // Tabulated by Snyder (1987, table 41): latitude 30 degrees has Y = 0.40397 sqrt 2.
    let [x, y] = offset(&scene, (12, 10), side);
    assert!(
        x.abs() < 1e-6 && (y / radius / 2f64.sqrt() + 0.40397).abs() < 1e-5,
        "{x}, {y}"
    );
    // Straight up is the pole.
    near(offset(&scene, (10, 11), side), 0.0, -(2f64.sqrt()));

    trial.config.map.orientation = "anatomical".into();
    let turned = trial.draw(&table, Side::Right).expect("a scene");
    near(offset(&turned, (11, 10), side), -(2f64.sqrt()), 0.0);
}

#[test]
fn the_graticule_lies_on_the_canvas_of_every_format() {
    let (_dir, trial) = mollweide(DIRECTIONS);
    let scene = trial
        .draw(&row_of_values(&[1.0, 2.0, 3.0]), Side::Right)
        .expect("a scene");
    let lines = scene
        .head
        .guides
        .iter()
        .filter(|guide| matches!(guide, Guide::Polyline { .. }));
    // Meridians from -30 to 210 degrees, parallels from -60 to 60, each 30 degrees apart.
    assert_eq!(lines.count(), 9 + 5);
    guides_are_on_the_canvas(&scene);
    let svg = in_every_format(&scene);
    for label in ["0°", "90°", "180°"] {
        assert!(svg.contains(label), "{label}");
    }
}

fn guides_are_on_the_canvas(scene: &Scene) {
    let head = &scene.head;
    let inside = |[x, y]: [f64; 2]| {
        (0.0..=head.width_px).contains(&x) && (0.0..=head.height_px).contains(&y)
    };
    assert!(!head.guides.is_empty());
    for guide in &head.guides {
        match guide {
            Guide::Polyline { points, .. } => assert!(points.iter().all(|&point| inside(point))),
            Guide::Label { x, y, text, .. } => assert!(inside([*x, *y]), "{text} at {x}, {y}"),
        }
    }
}

#[test]
fn a_missing_direction_table_says_how_to_give_one() {
    let trial = Trial::default().with(Coordinate, "mollweide_coordinates", json!({}));
    let error = trial.pipeline().err().expect("no table");
    assert!(
        error.to_string().contains("add `directions = \"FILE\"`"),
        "{error}"
    );
    assert_eq!(
        error.config_key().as_deref(),
        Some("stages.coordinate.tables")
    );
}

/// The published directions of a whole eye: the projection must agree with the hexagonal grid on where front and top are, in every orientation.
#[test]
fn a_whole_eye_in_mollweide_lies_as_its_hexagonal_grid_does() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("directions.csv");
    std::fs::write(&path, material_text("view_directions_right.csv.gz")).expect("written");
    let mut csv = String::from("cell_type,region,side,hex1,hex2,layer,synapses\n");
    let mut rows = csv::Reader::from_path(&path).expect("a table");
    for row in rows.records().map(|row| row.expect("a row")) {
        for side in ["L", "R"] {
            csv.push_str(&format!(
                "Tm1,ME,{side},{},{},0,{}\n",
                &row[1], &row[0], &row[0]
            ));
        }
    }
    let table = dataset(&csv);
    for orientation in ["peer", "anatomical", "none"] {
        for side in [Side::Left, Side::Right] {
            let mut views = Trial::default().with(Coordinate, "mollweide_coordinates", json!({}));
            views
                .stage(Coordinate)
                .tables
                .insert("directions".into(), path.clone());
            let mut grid = Trial::default();
            views.config.map.orientation = orientation.into();
            grid.config.map.orientation = orientation.into();
            let views = views.draw(&table, side).expect("a scene");
            let grid = grid.draw(&table, side).expect("a scene");
            assert_eq!(views.batch().len(), 852);
            guides_are_on_the_canvas(&views);
            for (a, b) in [
                (views.batch().x, grid.batch().x),
                (views.batch().y, grid.batch().y),
            ] {
                let r = correlation(a, b);
                assert!(r > 0.85, "{orientation} {side:?}: correlation {r}");
            }
        }
    }
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| f(a - mean_a, b - mean_b))
            .sum()
    };
    sum(&|a, b| a * b) / (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt()
}

#[test]
fn a_map_away_from_home_carries_the_contralateral_badge() {
    let table = dataset(
        "cell_type,region,side,hex1,hex2,layer,synapses\nTm3,LO,L,1,1,0,1\nTm3,LO,R,1,1,0,2\n",
    );
    let trial = Trial::default().with(
        Metadata,
        "contralateral_badge",
        json!({ "homes": { "Tm3": "L" } }),
    );
    let home = trial.draw(&table, Side::Left).expect("a scene");
    assert!(home.head.subject.iter().all(|line| line.badge.is_none()));
    assert!(!in_every_format(&home).contains("contra"));

    let away = trial.draw(&table, Side::Right).expect("a scene");
    let badge = away.head.subject[0].badge.as_ref().expect("a badge");
    assert_eq!(
        (badge.text.as_str(), badge.fill.as_deref()),
        ("contra", Some("#d95f02"))
    );
    assert_eq!(away.head.title, "synapses of Tm3");
    let svg = in_every_format(&away);
    assert!(svg.contains(">contra<") && svg.contains("#d95f02"), "{svg}");
}

#[test]
fn arrows_lie_beside_the_columns_and_turn_with_the_eye() {
    let table = dataset(
        "cell_type,region,side,hex1,hex2,layer,synapses\nTm3,LO,L,1,1,0,1\nTm3,LO,L,9,4,0,1\nTm3,LO,R,1,1,0,2\nTm3,LO,R,9,4,0,1\n",
    );
    let trial = Trial::default().with(Coordinate, "orientation_arrows", json!({}));
    for (side, front_is_left) in [(Side::Left, true), (Side::Right, false)] {
        let scene = trial.draw(&table, side).expect("a scene");
        let label = |wanted: &str| {
            let at = scene.head.guides.iter().find_map(|guide| match guide {
                Guide::Label { x, y, text, .. } if text == wanted => Some([*x, *y]),
                _ => None,
            });
            at.unwrap_or_else(|| panic!("no {wanted}"))
        };
        assert!(label("D")[1] < label("V")[1], "up is dorsal");
        assert_eq!(label("A")[0] < label("P")[0], front_is_left, "{side:?}");
        guides_are_on_the_canvas(&scene);
        let lowest = scene.batch().y.iter().fold(0.0, |a: f64, &b| a.max(b))
            + scene.head.cell.circumradius_px;
        assert!(label("D")[1] > lowest, "arrows lie below the columns");
        let arrows = scene
            .head
            .guides
            .iter()
            .filter(|guide| matches!(guide, Guide::Polyline { arrow: true, .. }));
        assert_eq!(arrows.count(), 4);
        let svg = in_every_format(&scene);
        assert!(svg.contains(">D<") && svg.contains(">A<"));
    }
}

/// What `telling` wrote below its legend: names, values and statistics of its job.
fn told(scene: &Scene) -> Vec<&str> {
    let entries = &legend(scene).entries;
    entries.iter().map(|entry| entry.label.as_str()).collect()
}

#[test]
fn a_colour_job_names_what_its_scope_fixes_and_lists_few_values() {
    let names = [
        ("dataset", "||-"),
        ("cell_type", "Tm1||-"),
        ("region", "Tm1|LOP|-"),
        ("map", "Tm1|LOP|R"),
    ];
    let few = row_of_values(&[3.0, 1.0, 3.0, f64::NAN, 200.0]);
    for (scope, names) in names {
        let trial = Trial::default().with(Color, "telling", json!({ "scope": scope }));
        let scene = trial.draw(&few, Side::Right).expect("a scene");
        assert_eq!(
            told(&scene),
            [names, "[1.0, 3.0, 200.0]", "Some(207.0) true"]
        );
    }
    let draw = |values: &[f64]| {
        let trial = Trial::default().with(Color, "telling", json!({}));
        trial
            .draw(&row_of_values(values), Side::Right)
            .expect("a scene")
    };
    let many = draw(&[1.0, 2.0, 3.0, 4.0]);
    assert_eq!(
        told(&many)[1..],
        ["[]", "Some(10.0) true"],
        "four are no error"
    );
}

#[test]
fn a_scale_with_uneven_ticks_and_an_open_end_is_written_whole() {
    let trial = Trial::default().with(Color, "telling", json!({}));
    let table = row_of_values(&[3.0, 1.0, 200.0]);
    let scene = trial.draw(&table, Side::Right).expect("a scene");
    let counts = scene.head.counts;
    assert_eq!((counts.has_data, counts.above, counts.below), (3, 1, 0));
    let json = draw(
        Format::Json,
        &scene.head,
        &scene.batch(),
        &DrawOptions::default(),
    );
    let json: serde_json::Value = serde_json::from_slice(&json.expect("JSON")).expect("JSON");
    let legend = &json["legend"];
    assert_eq!(legend["kind"], "ramp");
    assert_eq!(legend["positions"], json!([0, 0.5, 1]));
    assert_eq!(
        (&legend["open_above"], &legend["open_below"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        legend["entries"][0],
        json!({ "label": "Tm1||-", "color": "#ff0000" })
    );
    let tooltips: Vec<&str> = json["hexagons"]
        .as_array()
        .expect("hexagons")
        .iter()
        .map(|hexagon| hexagon["tooltip"].as_str().expect("a text"))
        .collect();
    let beyond = tooltips
        .iter()
        .filter(|text| text.contains("200 (beyond the scale)"));
    assert_eq!(beyond.count(), 1, "{tooltips:?}");
    assert_eq!(
        tooltips
            .iter()
            .filter(|text| text.contains("beyond"))
            .count(),
        1
    );
    in_every_format(&scene);
    for wrong in [
        json!([0.0, 1.0]),
        json!([0.0, 0.7, 0.5]),
        json!([0.0, 0.5, 1.1]),
    ] {
        let trial = Trial::default().with(Color, "telling", json!({ "positions": wrong }));
        let error = trial
            .draw(&table, Side::Right)
            .expect_err("refused")
            .to_string();
        assert!(error.contains("positions"), "{error}");
    }
}

#[test]
fn a_metadata_job_has_the_numbers_of_its_map() {
    let trial = Trial::default().with(Metadata, "telling", json!({}));
    let table = row_of_values(&[3.0, 0.0, 0.0, f64::NAN, 9.0]);
    let scene = trial.draw(&table, Side::Right).expect("a scene");
    assert_eq!(scene.head.title, "2 zero, 1 unknown");
    assert_eq!(
        scene.head.subtitle,
        "4 values, Some(0.0) to Some(9.0), mean Some(3.0), sum Some(12.0)"
    );
    assert_eq!(scene.head.layer_subtitle, "in {layer}");
}
