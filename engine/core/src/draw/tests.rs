//! What all writers promise, tested on whole scenes. One file, and long, because each promise is asked of every
//! writer with the same scenes.

use eyemap_abi::job::{Badge, ColumnStatus, Guide, LegendKind, SubjectLine};
use proptest::prelude::*;

use super::{
    test_scene::{Content, OwnedScene, count, scene},
    *,
};
use crate::{model::AttributeValues, scene::TooltipOverride};

fn bytes(format: Format, scene: &OwnedScene) -> Vec<u8> {
    draw(format, &scene.head, &scene.batch(), &DrawOptions::default()).unwrap()
}

fn svg(scene: &OwnedScene) -> String {
    String::from_utf8(bytes(Format::Svg, scene)).unwrap()
}

fn in_parts(format: Format, scene: &OwnedScene, cuts: &[usize]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut to = writer(format, &scene.head, &mut out, &DrawOptions::default()).unwrap();
    let mut from = 0;
    for &cut in cuts.iter().chain([&scene.hex1.len()]) {
        let cut = cut.clamp(from, scene.hex1.len());
        to.hexagons(&scene.part(from, cut).batch()).unwrap();
        from = cut;
    }
    to.finish().unwrap();
    drop(to);
    out
}

/// A small map with everything that a scene can have.
fn rich() -> OwnedScene {
    let mut map = scene(12, 3, Content::Full, 11);
    map.status[2] = ColumnStatus::Unknown;
    map.status[3] = ColumnStatus::NotInRegion;
    map.status[4] = ColumnStatus::NoData;
    for i in 2..5 {
        map.value[i] = 0.0;
        map.fill[i] = Rgba([0xd9d9_d9ff, 0x9999_99ff, 0xffff_ffff][i - 2]);
        for layer in 0..3 {
            map.layer_value[i * 3 + layer] = 0.0;
            map.layer_status[i * 3 + layer] = map.status[i];
            map.layer_fill[i * 3 + layer] = map.fill[i];
        }
    }
    map.fill[5] = Rgba(0x1234_5680);
    let n = map.hex1.len() as i64;
    map.head.attributes = vec!["class".into(), "unused".into(), "root".into()];
    let class = (0..n).map(|i| (i != 1).then(|| format!("c{i}").as_str().into()));
    map.attributes = vec![
        AttributeValues::Text(class.collect()),
        AttributeValues::F64(vec![Some(0.5); n as usize]),
        AttributeValues::I64((0..n).map(|i| Some(720_575_940_596_125_868 + i)).collect()),
    ];
    map.head.whole_templates.has_data += "\n{class} {root} {what}";
    map.overrides = vec![
        TooltipOverride {
            index: 0,
            layer: 0,
            text: "mine\n<b>".into(),
        },
        TooltipOverride {
            index: 6,
            layer: 2,
            text: "{hex1}".into(),
        },
    ];
    map.head.guides = vec![
        Guide::Polyline {
            points: vec![[200.0, 300.0], [200.0, 260.0]],
            color: "#3366cc".into(),
            width_px: 1.0,
            arrow: true,
        },
        Guide::Label {
            x: 200.0,
            y: 254.0,
            text: "dorsal".into(),
            color: "#3366cc".into(),
            size_px: 9.0,
        },
    ];
    map.head.subject[1].badge = Some(Badge {
        text: "R".into(),
        fill: Some("#a50f15".into()),
    });
    map
}

#[test]
fn each_format_of_a_small_map() {
    let map = rich();
    for format in [Format::Svg, Format::SvgStatic, Format::Json] {
        let text = String::from_utf8(bytes(format, &map)).unwrap();
        let text = text.split("<script><![CDATA[").next().unwrap();
        insta::assert_snapshot!(format!("rich_{}", format.name()), text);
    }
    let blank = scene(40, 0, Content::Blank, 2);
    insta::assert_snapshot!("blank_svg", svg(&blank));
    let hash = |map| {
        blake3::hash(&pixels(&bytes(Format::Png, map)).2)
            .to_hex()
            .to_string()
    };
    insta::assert_snapshot!("png_pixels", format!("{}\n{}", hash(&map), hash(&blank)));
}

#[test]
fn a_png_in_bands_has_the_pixels_of_one_that_is_held() {
    let map = scene(900, 4, Content::Full, 7);
    let whole = pixels(&bytes(Format::Png, &map));
    for (scale, rows) in [(1.0, 16), (1.0, 37), (1.0, 5000)] {
        let mut file = Vec::new();
        let band = 4 * rows * whole.0;
        let mut writer = png::PngWriter::holding(&map.head, &mut file, scale, (0, band)).unwrap();
        writer.hexagons(&map.batch()).unwrap();
        writer.finish().unwrap();
        drop(writer);
        let banded = pixels(&file);
        assert_eq!((banded.0, banded.1), (whole.0, whole.1));
        // Frames and arrows are drawn with single precision, which rounds otherwise in another band.
        let differences = banded.2.iter().zip(&whole.2).map(|(&a, &b)| a.abs_diff(b));
        let different = differences.filter(|&by| by > 0).count();
        assert!(different < 30, "bands of {rows} rows: {different}");
    }
}

/// Width, height and RGB of a PNG.
fn pixels(png: &[u8]) -> (usize, usize, Vec<u8>) {
    let mut decoder = ::png::Decoder::new(std::io::Cursor::new(png));
    decoder.set_transformations(::png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut data = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut data).unwrap();
    (info.width as usize, info.height as usize, data)
}

/// Column, status, value, values of layers.
type Row = (i32, i32, ColumnStatus, Option<f64>, Vec<Option<f64>>);

/// Values by column, as the island of an interactive SVG has them.
fn read_back(svg: &str) -> Vec<Row> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let islands = document
        .descendants()
        .filter(|node| node.attribute("type") == Some("application/json"))
        .map(|node| serde_json::from_str(node.text().unwrap()).unwrap());
    let islands: Vec<serde_json::Value> = islands.collect();
    let n = islands[0]["layers"].as_array().unwrap().len();
    islands
        .iter()
        .flat_map(|island| {
            let rows = island["rows"].as_array().unwrap();
            let minus_layers = island["minus_layers"] == true;
            let read = move |((hex1, hex2), row): ((i32, i32), &serde_json::Value)| {
                let (status, value, layers) = read_row(row, n, minus_layers);
                (hex1, hex2, status, value, layers)
            };
            columns_of(island).zip(rows).map(read)
        })
        .collect()
}

fn columns_of(island: &serde_json::Value) -> impl Iterator<Item = (i32, i32)> {
    let runs = island["columns"].as_array().unwrap().iter();
    runs.flat_map(|run| {
        let [hex1, hex2, n] = [0, 1, 2].map(|k| run[k].as_i64().unwrap() as i32);
        (0..n).map(move |k| (hex1, hex2 + k))
    })
}

fn read_row(
    row: &serde_json::Value,
    n: usize,
    minus_layers: bool,
) -> (ColumnStatus, Option<f64>, Vec<Option<f64>>) {
    let without = |status| (status, None, Vec::new());
    let Some(row) = row.as_array() else {
        return without(if row.is_null() {
            ColumnStatus::Unknown
        } else {
            ColumnStatus::NotInRegion
        });
    };
    let Some(first) = row.first() else {
        return without(ColumnStatus::NoData);
    };
    let layer = |l: usize| row.get(1 + l).map_or(Some(0.0), serde_json::Value::as_f64);
    let layers: Vec<Option<f64>> = (0..n).map(layer).collect();
    let sum: f64 = if minus_layers {
        layers.iter().flatten().sum()
    } else {
        0.0
    };
    (
        ColumnStatus::HasData,
        Some(first.as_f64().unwrap() + sum),
        layers,
    )
}

#[test]
fn every_value_can_be_read_back() {
    for map in [
        rich(),
        scene(900, 10, Content::Full, 7),
        scene(5000, 1, Content::Full, 8),
    ] {
        let rows = read_back(&svg(&map));
        assert_eq!(rows.len(), map.hex1.len());
        for (i, row) in rows.iter().enumerate() {
            assert_eq!(
                (row.0, row.1, row.2),
                (map.hex1[i], map.hex2[i], map.status[i])
            );
            let known = row.2 == ColumnStatus::HasData;
            assert_eq!(row.3, known.then_some(map.value[i]));
            for (layer, &value) in row.4.iter().enumerate() {
                let at = i * map.head.n_layers + layer;
                let known = map.layer_status[at] == ColumnStatus::HasData;
                assert_eq!(value, known.then_some(map.layer_value[at]));
            }
        }
    }
}

#[test]
fn chunks_are_fixed_however_hexagons_come() {
    let map = scene(5000, 1, Content::Full, 3);
    let whole = svg(&map);
    assert_eq!(whole.matches("<script type=").count(), 2);
    for format in Format::ALL {
        assert_eq!(
            in_parts(format, &map, &[1, 4095, 4096, 4097]),
            bytes(format, &map)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn bytes_do_not_depend_on_cuts(mut cuts in prop::collection::vec(0usize..14, 0..6), blank: bool) {
        cuts.sort_unstable();
        let map = if blank { scene(12, 0, Content::Blank, 1) } else { rich() };
        for format in Format::ALL {
            prop_assert_eq!(in_parts(format, &map, &cuts), bytes(format, &map));
        }
    }
}

#[test]
fn a_wrong_number_of_hexagons_is_an_error() {
    let map = rich();
    for format in Format::ALL {
        let mut out = Vec::new();
        let mut to = writer(format, &map.head, &mut out, &DrawOptions::default()).unwrap();
        to.hexagons(&map.part(0, 5).batch()).unwrap();
        assert!(to.finish().unwrap_err().to_string().starts_with("fewer"));
        let error = to.hexagons(&map.batch()).unwrap_err();
        assert!(error.to_string().starts_with("more"));
    }
}

fn hostile() -> OwnedScene {
    let mut map = rich();
    let name = format!(
        "R1&R6<script>alert(1)</script>]]>\u{1}\u{ffff}\"'\u{1fab0}{}",
        "x".repeat(300)
    );
    map.head.map.cell_type = name.as_str().into();
    map.head.title = name.clone();
    map.head.description = name.clone();
    map.head.layer_labels = vec![name.clone(), "<b>".into(), "5A".into()];
    map.head.subject = vec![SubjectLine {
        text: name.clone(),
        badge: None,
    }];
    map.head.whole_templates.no_data = format!("{name} {{cell_type}}");
    map.head.attributes[0] = "on<x>&".into();
    map.head.whole_templates.has_data += "{on<x>&}";
    for legend in map
        .head
        .legend
        .iter_mut()
        .chain(&mut map.head.layer_legends)
    {
        legend.title = name.clone();
    }
    map
}

#[test]
fn hostile_names_stay_text() {
    let map = hostile();
    for format in [Format::Svg, Format::SvgStatic] {
        let text = String::from_utf8(bytes(format, &map)).unwrap();
        let document = roxmltree::Document::parse(&text).unwrap();
        let title = document.root_element().first_element_child().unwrap();
        assert!(
            title
                .text()
                .unwrap()
                .contains("<script>alert(1)</script>]]>\u{fffd}")
        );
        assert!(title.text().unwrap().contains(&"x".repeat(300)));
        let before = text.split("<![CDATA[").next().unwrap();
        assert!(!before.contains("]]>") && !before.contains("<script>a"));
        let visible = document
            .descendants()
            .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")));
        for node in visible {
            assert!(node.text().unwrap_or("").chars().count() < 110);
        }
        assert!(text.contains('…'));
    }
    let json = bytes(Format::Json, &map);
    let back: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(back["cell_type"], *map.head.map.cell_type);
    bytes(Format::Png, &map);
}

#[test]
fn nothing_that_a_strict_policy_or_a_second_map_minds() {
    for map in [rich(), hostile(), scene(60, 0, Content::Blank, 4)] {
        for format in [Format::Svg, Format::SvgStatic] {
            let text = String::from_utf8(bytes(format, &map)).unwrap();
            let document = roxmltree::Document::parse(&text).unwrap();
            for node in document.descendants() {
                assert_ne!(node.tag_name().name(), "style");
                for attribute in node.attributes() {
                    let name = attribute.name();
                    assert!(!name.starts_with("on") && !["id", "style", "href"].contains(&name));
                    assert!(!attribute.value().contains("url("));
                }
            }
            assert_eq!(
                text.matches("http").count(),
                1 + text.matches("const NS=\"http").count()
            );
        }
    }
}

/// Pixels at the centre of a hexagon and on four sides of it, where signs leave room.
fn near(map: &OwnedScene, i: usize, scale: f64) -> [[usize; 2]; 5] {
    let canvas = layout::canvas(&map.head);
    let steps = [[0.0, 0.0], [0.0, -3.4], [0.0, 3.4], [-3.4, 0.0], [3.4, 0.0]];
    steps.map(|[dx, dy]| {
        let at = [map.x[i] + dx - canvas.x, map.y[i] + dy - canvas.y];
        at.map(|v| (v * scale) as usize)
    })
}

#[test]
fn png_colours_are_the_fills() {
    for scale in [1.0, 1.7, 3.0] {
        let mut map = scene(900, 0, Content::Full, 5);
        map.head.legend = None;
        let png = draw(
            Format::Png,
            &map.head,
            &map.batch(),
            &DrawOptions::scaled(scale),
        )
        .unwrap();
        let (width, _, data) = pixels(&png);
        for i in 0..map.hex1.len() {
            let column = (map.hex1[i], map.hex2[i]);
            let near = near(&map, i, scale);
            let seen = near.map(|[x, y]| data[(y * width + x) * 3..][..3].to_vec());
            let [r, g, b, _] = map.fill[i].channels();
            assert!(seen.contains(&vec![r, g, b]), "column {column:?}: {seen:?}");
        }
    }
}

#[test]
fn a_ramp_is_one_gradient_and_exact_rows() {
    let mut map = scene(60, 2, Content::Full, 5);
    let legends = map
        .head
        .legend
        .iter_mut()
        .chain(&mut map.head.layer_legends);
    for legend in legends {
        legend.kind = LegendKind::Ramp;
        legend.colors = vec![Rgba(0x0000_40ff), Rgba(0xff80_00ff)];
    }
    for format in [Format::Svg, Format::SvgStatic] {
        let text = String::from_utf8(bytes(format, &map)).unwrap();
        let document = roxmltree::Document::parse(&text).unwrap();
        let ids: Vec<&str> = document
            .descendants()
            .filter_map(|node| node.attribute("id"))
            .collect();
        // Both legends have the same colours and share the one gradient; its id says what is in it.
        assert_eq!(ids, ["ramp-bb5ac602e6f70c1e"]);
        let paint = format!("url(#{})", ids[0]);
        let painted = document
            .descendants()
            .filter(|node| node.attribute("fill") == Some(&paint));
        assert_eq!(painted.count(), if format == Format::Svg { 2 } else { 1 });
    }
    let (width, height, data) = pixels(&bytes(Format::Png, &map));
    let layout = layout::layout(&map.head);
    let ramp = layout.legend.iter().find_map(|mark| match mark {
        mark::Mark::Ramp { rect, .. } => Some(*rect),
        _ => None,
    });
    let (ramp, canvas) = (ramp.unwrap(), layout.canvas);
    let left = (ramp.x - canvas.x) as usize + 6;
    let rows = (0..ramp.height as usize).map(|row| {
        let y = (ramp.y - canvas.y) as usize + row;
        assert!(y < height);
        data[(y * width + left) * 3..][..3].to_vec()
    });
    for (row, rgb) in rows.enumerate().skip(1).take(ramp.height as usize - 2) {
        let t = 1.0 - (row as f64 + 0.5) / ramp.height;
        let wanted = [255.0 * t, 128.0 * t, 64.0 * (1.0 - t)].map(|v| v.round() as u8);
        assert_eq!(rgb, wanted, "row {row}");
    }
}

#[test]
fn a_png_too_large_is_refused() {
    let mut map = scene(4, 0, Content::Full, 5);
    let scaled = |map: &OwnedScene, scale| {
        draw(
            Format::Png,
            &map.head,
            &map.batch(),
            &DrawOptions::scaled(scale),
        )
    };
    assert!(
        scaled(&map, 8.5)
            .unwrap_err()
            .to_string()
            .contains("0.1 to 8")
    );
    assert!(scaled(&map, f64::NAN).is_err());
    map.head.width_px = 200_000.0;
    assert!(
        scaled(&map, 8.0)
            .unwrap_err()
            .to_string()
            .contains("lower the scale")
    );
}

#[test]
fn more_colours_than_a_palette_holds_are_kept_exactly() {
    let mut map = scene(400, 0, Content::Full, 5);
    for (i, fill) in map.fill.iter_mut().enumerate() {
        *fill = Rgba((i as u32 * 0x0003_0201) << 8 | 0xff);
    }
    let (width, _, data) = pixels(&bytes(Format::Png, &map));
    for i in 0..map.hex1.len() {
        let seen = near(&map, i, 1.0).map(|[x, y]| data[(y * width + x) * 3..][..3].to_vec());
        assert!(seen.contains(&map.fill[i].channels()[..3].to_vec()));
    }
}

fn gzipped(bytes: &[u8]) -> usize {
    let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    to.write_all(bytes).unwrap();
    to.finish().unwrap().len()
}

#[test]
fn sizes_keep_to_their_targets() {
    let full = scene(900, 10, Content::Full, 7);
    let svg = bytes(Format::Svg, &full);
    assert!(svg.len() <= 90_000, "{} bytes raw", svg.len());
    assert!(gzipped(&svg) <= GZIPPED, "{} bytes gzipped", gzipped(&svg));
    let png = bytes(Format::Png, &full);
    assert!(png.len() <= 32_000, "{} bytes of PNG", png.len());
    assert_eq!(png[25], 3, "a palette holds all colours");
    let blank = bytes(Format::Svg, &scene(900, 0, Content::Blank, 5));
    assert!(blank.len() <= 10_000, "{} bytes raw", blank.len());
    assert!(
        gzipped(&blank) <= 1_536,
        "{} bytes gzipped",
        gzipped(&blank)
    );
}

/// 16 KiB of a packed map.
const GZIPPED: usize = 16 << 10;

#[test]
fn a_blank_map_has_dots_also_where_no_data_is_rare() {
    for rare in [1, 40, 400] {
        let mut map = scene(900, 0, Content::Blank, 5);
        let grey = map.fill.iter().copied().find(|fill| *fill != Rgba::WHITE);
        for i in 0..map.status.len() {
            let is_rare = i < rare;
            map.status[i] = match is_rare {
                true => ColumnStatus::NoData,
                false => ColumnStatus::NotInRegion,
            };
            map.fill[i] = match is_rare {
                true => Rgba::WHITE,
                false => grey.unwrap_or(Rgba(0x9999_99ff)),
            };
        }
        count(&mut map);
        for format in [Format::Svg, Format::SvgStatic] {
            let text = String::from_utf8(bytes(format, &map)).unwrap();
            let dots = text.matches("<g pointer-events=\"none\" stroke=").count();
            assert_eq!(dots, 1, "{rare}: {text}");
        }
    }
}

#[test]
fn blank_maps_can_be_read_back() {
    let map = scene(300, 0, Content::Blank, 9);
    let text = svg(&map);
    let document = roxmltree::Document::parse(&text).unwrap();
    let path = document
        .descendants()
        .find(|node| node.has_attribute("transform"))
        .unwrap();
    let mut columns = Vec::new();
    let [mut x, mut y] = [0, 0];
    for run in path.attribute("d").unwrap().split('m').skip(1) {
        let numbers: Vec<i32> = run.split([' ', 'h']).map(|n| n.parse().unwrap()).collect();
        [x, y] = [x + numbers[0], y + numbers[1]];
        columns.extend((0..numbers[2] / 2).map(|k| (y, (x + 1 + y) / 2 + k)));
        x += numbers[2];
    }
    let wanted: Vec<_> = map
        .hex1
        .iter()
        .copied()
        .zip(map.hex2.iter().copied())
        .collect();
    assert_eq!(columns, wanted);
    let grey = document
        .descendants()
        .find(|node| node.attribute("fill") == Some("#999"))
        .unwrap();
    let drawn = grey.attribute("d").unwrap().matches('M').count();
    let wanted = map
        .status
        .iter()
        .filter(|&&s| s == ColumnStatus::NotInRegion)
        .count();
    assert_eq!(drawn, wanted);
}

#[test]
fn columns_off_any_lattice_are_drawn_as_paths() {
    let mut map = scene(60, 0, Content::Blank, 4);
    map.x[7] += 0.5;
    let text = svg(&map);
    assert!(!text.contains("stroke-dasharray"));
    let hexagons = text.split("data-counts").next().unwrap();
    assert_eq!(hexagons.matches("h6l3 5.2").count(), 60);
}

#[test]
fn the_policy_hash_is_that_of_the_script_in_the_file() {
    use sha2::Digest;
    let text = svg(&rich());
    let script = text
        .split("<![CDATA[")
        .nth(1)
        .unwrap()
        .split("]]>")
        .next()
        .unwrap();
    let digest = sha2::Sha256::digest(script);
    let hash = csp_hash();
    let digits = hash.strip_prefix("sha256-").unwrap();
    assert_eq!(digits.len(), 44);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let first: Vec<usize> = digits
        .chars()
        .take(4)
        .map(|c| alphabet.find(c).unwrap())
        .collect();
    let bits = first.iter().fold(0, |bits, digit| bits << 6 | digit);
    assert_eq!(bits.to_be_bytes()[5..], digest[..3]);
}
