//! Pictures read back and compared, on scenes made from a seed.

use eyemap_abi::job::ColumnStatus;

use super::{
    Difference, Kind,
    drawn::{bins, corner},
    picture::{Picture, Places},
    pixels::{self, Pixels, Seen},
    structure::{self, Parts},
};
use crate::draw::{
    DrawOptions, Format, draw,
    test_scene::{Content, OwnedScene, scene},
};

fn bytes(map: &OwnedScene, format: Format) -> Vec<u8> {
    draw(format, &map.head, &map.batch(), &DrawOptions::default()).unwrap()
}

fn places(map: &OwnedScene) -> Places {
    let columns = (0..map.hex1.len()).map(|i| ([map.hex1[i], map.hex2[i]], [map.x[i], map.y[i]]));
    Places::new(columns, map.head.cell.circumradius_px)
}

fn read(map: &OwnedScene, format: Format) -> Picture {
    let mut picture = Picture::read(format, &bytes(map, format)).unwrap();
    picture.name_columns(&places(map));
    picture
}

fn maps() -> Vec<(&'static str, OwnedScene)> {
    vec![
        ("full", scene(300, 7, Content::Full, 1)),
        ("without layers", scene(200, 0, Content::Full, 2)),
        ("blank", scene(300, 3, Content::Blank, 3)),
        ("large", scene(5000, 2, Content::Full, 4)),
    ]
}

#[test]
fn the_interactive_form_tells_all_that_the_json_form_tells() {
    for (name, map) in maps().into_iter().filter(|(_, map)| !map.head.blank) {
        let [svg, json] = [Format::Svg, Format::Json].map(|format| read(&map, format));
        let hundredths = |picture: &Picture| picture.canvas.map(|px| (px * 100.0).round());
        assert_eq!(hundredths(&svg), hundredths(&json), "{name}");
        assert_eq!(svg.columns.len(), map.hex1.len(), "{name}");
        assert_eq!(svg.layers, json.layers, "{name}");
        for (column, hexagon) in &svg.columns {
            let other = &json.columns[column];
            let told = (hexagon.status, hexagon.value, &hexagon.fill);
            assert_eq!(
                told,
                (other.status, other.value, &other.fill),
                "{name} {column:?}"
            );
            let values = |hexagon: &super::picture::Hexagon| {
                let layers = hexagon.layers.iter();
                layers
                    .map(|l| (l.value, l.absent, l.fill.clone()))
                    .collect::<Vec<_>>()
            };
            assert_eq!(values(hexagon), values(other), "{name} {column:?}");
            let [x, y] = [0, 1].map(|k| hexagon.center()[k] - other.at[k]);
            assert!(
                x.abs() < 0.0101 && y.abs() < 0.0101,
                "{name} {column:?} {x} {y}"
            );
        }
    }
}

#[test]
fn the_static_form_has_every_column_at_its_place() {
    for (name, map) in maps() {
        let picture = read(&map, Format::SvgStatic);
        assert_eq!(picture.nameless, [], "{name}");
        assert_eq!(picture.columns.len(), map.hex1.len(), "{name}");
        for i in 0..map.hex1.len() {
            let hexagon = &picture.columns[&[map.hex1[i], map.hex2[i]]];
            let fill = format!("#{:06x}", map.fill[i].rgb());
            assert_eq!(hexagon.fill, fill, "{name} {i}");
        }
    }
}

#[test]
fn a_picture_is_equal_to_itself() {
    for (name, map) in maps() {
        for format in [Format::Svg, Format::SvgStatic, Format::Json] {
            let [a, b] = [read(&map, format), read(&map, format)];
            let found = structure::compare(&a, &b, None);
            assert!(found.is_empty(), "{name} {format:?}: {}", found.message());
            assert_eq!(Parts::of(&a), Parts::of(&b));
        }
    }
}

/// What a map is compared with, read once.
struct Approved {
    svg: Picture,
    png: Pixels,
}

impl Approved {
    fn of(map: &OwnedScene) -> Self {
        Self {
            svg: read(map, Format::Svg),
            png: Pixels::decode(&bytes(map, Format::Png)).unwrap(),
        }
    }

    /// What the structure tells first.
    fn structure(&self, now: &OwnedScene) -> Vec<Difference> {
        structure::compare(&self.svg, &read(now, Format::Svg), None).into_told()
    }

    /// What the pixels tell first.
    fn pixels(&self, now: &OwnedScene) -> Vec<Difference> {
        let after = Pixels::decode(&bytes(now, Format::Png)).unwrap();
        let Some(found) = pixels::compare(&self.png, &after, None) else {
            return Vec::new();
        };
        let (places, bins) = (places(now), bins(&now.head));
        let seen = Seen {
            places: &places,
            corner: corner(&now.head),
            scale: 1.0,
            bins: &bins,
        };
        pixels::explain([&self.png, &after], found, Some(&seen), None).0
    }
}

/// A small generator: the tests' choices depend on the seed alone.
struct Choice(u64);

impl Choice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % n
    }

    /// A column with a status.
    fn column(&mut self, map: &OwnedScene, status: ColumnStatus) -> usize {
        loop {
            let i = self.below(map.status.len());
            if map.status[i] == status {
                return i;
            }
        }
    }
}

/// One change of a map: what it is about, the column and layer, and where else it is seen.
struct Change {
    map: OwnedScene,
    kind: Kind,
    column: Option<usize>,
    layer: Option<usize>,
    told: String,
    seen_in_png: bool,
}

fn change(map: &OwnedScene, kind: usize, choice: &mut Choice) -> Change {
    let mut map = map.clone();
    let colors = map.head.legend.as_ref().unwrap().colors.clone();
    let n = map.head.n_layers;
    let of = |map, kind, column, told: &str| Change {
        map,
        kind,
        column,
        layer: None,
        told: told.into(),
        seen_in_png: true,
    };
    match kind {
        0 => {
            let i = choice.column(&map, ColumnStatus::HasData);
            let bin = colors
                .iter()
                .position(|&color| color == map.fill[i])
                .unwrap();
            let to = if bin + 1 < colors.len() {
                bin + 1
            } else {
                bin - 1
            };
            map.value[i] += if to > bin { 1.0 } else { -1.0 };
            map.fill[i] = colors[to];
            let told = format!("(bin {}) -> {} (bin {})", bin + 1, map.value[i], to + 1);
            of(map, Kind::Value, Some(i), &told)
        }
        1 => {
            let i = choice.column(&map, ColumnStatus::NoData);
            map.status[i] = ColumnStatus::HasData;
            map.value[i] = 1.0;
            map.fill[i] = colors[0];
            map.layer_status[i * n..(i + 1) * n].fill(ColumnStatus::HasData);
            of(map, Kind::Status, Some(i), "no data -> 1 (bin 1)")
        }
        2 => {
            let i = choice.column(&map, ColumnStatus::HasData);
            let layer = choice.below(n);
            let at = i * n + layer;
            map.layer_status[at] = ColumnStatus::HasData;
            map.layer_absent[at] = false;
            map.layer_value[at] += 1.0;
            let told = format!("-> {}", map.layer_value[at]);
            Change {
                layer: Some(layer),
                seen_in_png: false,
                ..of(map, Kind::LayerValue, Some(i), &told)
            }
        }
        3 => {
            map.head.whole_templates.no_data += ".";
            let told = of(map, Kind::Template, None, ".");
            Change {
                seen_in_png: false,
                ..told
            }
        }
        4 => {
            map.head.subject[0].text += "x";
            of(map, Kind::Label, None, "x")
        }
        5 => {
            let legend = map.head.legend.as_mut().unwrap();
            let tick = legend.ticks.len() - 1 - choice.below(2);
            legend.ticks[tick] += 7.0;
            of(map, Kind::Legend, None, &format!("tick {}", tick + 1))
        }
        6 => {
            let i = choice.below(map.hex1.len());
            map.x[i] += 0.02;
            // Two hundredths of a px change a pixel's shade by less than one step.
            Change {
                seen_in_png: false,
                ..of(map, Kind::Place, Some(i), "px")
            }
        }
        _ => unreachable!("seven kinds are changes of a scene"),
    }
}

#[test]
fn a_hundred_single_changes_are_each_found_and_named() {
    let original = scene(900, 10, Content::Full, 77);
    let approved = Approved::of(&original);
    let mut choice = Choice(5);
    for round in 0..100 {
        let change = change(&original, round % 7, &mut choice);
        let told = approved.structure(&change.map);
        let first = told
            .first()
            .unwrap_or_else(|| panic!("{round}: {:?} is not found", change.kind));
        assert_eq!(first.kind, change.kind, "{round}: {}", first.line());
        assert!(
            first.line().contains(&change.told),
            "{round}: {} lacks {}",
            first.line(),
            change.told
        );
        let column = change.column.map(|i| [original.hex1[i], original.hex2[i]]);
        assert_eq!(first.column, column, "{round}: {}", first.line());
        let layer = change
            .layer
            .map(|layer| original.head.layer_labels[layer].clone());
        assert_eq!(
            first.layer.is_some(),
            layer.is_some(),
            "{round}: {}",
            first.line()
        );
        if column.is_some() {
            assert_eq!(
                told.len(),
                1,
                "{round}: more than one is told: {}",
                told[1].line()
            );
        }
        // What can be seen is seen in pixels too, and named if it is a hexagon's colour.
        let pixels = approved.pixels(&change.map);
        assert!(
            !change.seen_in_png || !pixels.is_empty(),
            "{round}: not in the PNG"
        );
        if change.seen_in_png && column.is_some() {
            assert_eq!(pixels[0].column, column, "{round}: {}", pixels[0].line());
        }
    }
}

#[test]
fn hashes_alone_tell_what_a_change_is_about() {
    let original = scene(400, 4, Content::Full, 78);
    let mut choice = Choice(6);
    let before = Parts::of(&read(&original, Format::Svg));
    for round in 0..28 {
        let change = change(&original, round % 7, &mut choice);
        let after = Parts::of(&read(&change.map, Format::Svg));
        let kinds: Vec<Kind> = before
            .differences(&after)
            .iter()
            .map(|one| one.kind)
            .collect();
        let wanted = match change.kind {
            Kind::Status | Kind::LayerValue => Kind::Value,
            Kind::Label => Kind::Title,
            kind => kind,
        };
        assert!(
            kinds.contains(&wanted),
            "{round}: {kinds:?} lacks {wanted:?}"
        );
    }
}

#[test]
fn a_mark_that_is_not_what_its_hexagon_is_is_told() {
    let map = scene(300, 3, Content::Full, 12);
    for format in [Format::Svg, Format::SvgStatic] {
        let before = String::from_utf8(bytes(&map, format)).unwrap();
        let signs = before.find("data-signs").expect("marks");
        let (head, tail) = before.split_at(signs);
        let after = format!("{head}{}", tail.replacen("d=\"M", "d=\"M1 1m0 0M", 1));
        let sides = [&before, &after].map(|text| Picture::read(format, text.as_bytes()).unwrap());
        let told = structure::compare(&sides[0], &sides[1], None).into_told();
        assert_eq!((told.len(), told[0].kind), (1, Kind::Label), "{format:?}");
        assert!(told[0].line().contains("marks 1"), "{}", told[0].line());
    }
}

#[test]
fn pixels_tell_the_fill_beside_the_mark_on_it() {
    let map = scene(60, 2, Content::Full, 14);
    let colors = map.head.legend.as_ref().unwrap().colors.clone();
    let ends = [colors[0], colors[colors.len() - 1]];
    for status in ColumnStatus::ALL {
        // Zeros have a mark too.
        let sides = ends.map(|fill| {
            let mut map = map.clone();
            (map.status[30], map.value[30], map.fill[30]) = (status, 0.0, fill);
            map
        });
        let told = Approved::of(&sides[0]).pixels(&sides[1]);
        let fills = ends.map(|fill| format!("#{:06x}", fill.rgb()));
        let column = Some([map.hex1[30], map.hex2[30]]);
        let [one] = &told[..] else {
            panic!("{status:?}: {told:?}");
        };
        assert_eq!((one.kind, one.column), (Kind::Color, column), "{status:?}");
        assert_eq!(one.fills, Some(fills), "{status:?}");
    }
}

#[test]
fn places_are_told_from_the_corner_of_the_canvas() {
    let map = scene(60, 2, Content::Full, 13);
    let i = map
        .status
        .iter()
        .position(|&status| status == ColumnStatus::HasData)
        .unwrap();
    let mut now = map.clone();
    now.value[i] += 1.0;
    let corner = corner(&map.head);
    let wanted = [map.x[i] - corner[0], map.y[i] - corner[1]];
    for format in [Format::Svg, Format::Json] {
        let [before, after] = [&map, &now].map(|map| read(map, format));
        assert_eq!(before.canvas[..2], corner);
        let told = structure::compare(&before, &after, None).into_told();
        let at = told[0].at.expect("a place");
        let off = [0, 1].map(|k| (at[k] - wanted[k]).abs());
        assert!(
            off.iter().all(|px| *px < 0.02),
            "{format:?}: {at:?} for {wanted:?}"
        );
    }
}

#[test]
fn one_byte_in_the_script_is_told_with_its_place() {
    let map = scene(50, 2, Content::Full, 9);
    let before = String::from_utf8(bytes(&map, Format::Svg)).unwrap();
    let after = before.replacen("\"use strict\"", "\"use strict'", 1);
    let sides = [&before, &after].map(|text| Picture::read(Format::Svg, text.as_bytes()).unwrap());
    let told = structure::compare(&sides[0], &sides[1], None).into_told();
    assert_eq!((told.len(), told[0].kind), (1, Kind::Script));
    assert!(told[0].line().contains("letter 12"), "{}", told[0].line());
}

#[test]
fn damaged_pictures_are_refused_and_never_panic() {
    let map = scene(12, 2, Content::Full, 10);
    for format in [Format::Svg, Format::SvgStatic, Format::Json] {
        let whole = bytes(&map, format);
        for cut in (0..whole.len()).step_by(61) {
            assert!(
                Picture::read(format, &whole[..cut]).is_err(),
                "{format:?} cut at {cut}"
            );
        }
        let mut choice = Choice(11);
        for _ in 0..200 {
            let mut damaged = whole.clone();
            let at = choice.below(damaged.len());
            damaged[at] = choice.below(256) as u8;
            // It is read or refused; either is fine.
            let _ = Picture::read(format, &damaged);
        }
    }
}

#[test]
fn files_that_claim_much_in_few_bytes_take_little() {
    let svg = |inside: &str| {
        let text =
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\">{inside}</svg>");
        Picture::read(Format::Svg, text.as_bytes())
    };
    let deep = "<g>".repeat(100_000) + &"</g>".repeat(100_000);
    assert!(svg(&deep).is_err());
    let runs = ["[0,0,2147483647]"; 10_000].join(",");
    let island = format!("{{\"columns\":[{runs}],\"rows\":[]}}");
    let island =
        format!("<g data-hexagons=\"\"/><script type=\"application/json\">{island}</script>");
    assert!(svg(&island).is_err());
    let dashes = "m0 0h2147483647".repeat(10_000);
    let lines = format!(
        "<g stroke=\"#fff\" stroke-dasharray=\"0\"><title>t</title><path transform=\"matrix(1 0 0 1 0 0)\" d=\"{dashes}\"/></g>"
    );
    assert!(svg(&lines).is_ok_and(|picture| picture.columns.len() <= 250_000));
}
