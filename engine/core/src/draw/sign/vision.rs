//! Signs as others see them: in greyscale, without one of three kinds of cones, on a projector.

use super::*;
use crate::draw::{
    DrawOptions, Format, draw, layout,
    test_scene::{Content, OwnedScene, count, scene},
};

type Matrix = [[f64; 3]; 3];

/// Dichromats as by Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB; and greyscale.
const VISIONS: [(&str, Matrix); 5] = [
    ("full", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    ("greyscale", [[0.2126, 0.7152, 0.0722]; 3]),
    (
        "protanopia",
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ),
];

/// Luminance of an sRGB colour as one sees it.
fn seen(vision: &Matrix, rgb: [f64; 3]) -> f64 {
    let linear = rgb.map(|channel| {
        let c = channel / 255.0;
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    });
    let row = |row: [f64; 3]| (0..3).map(|k| row[k] * linear[k]).sum::<f64>();
    let [r, g, b] = vision.map(|of| row(of).clamp(0.0, 1.0));
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Contrast of two luminances with light that falls on the picture, as a share of white.
fn contrast(a: f64, b: f64, ambient: f64) -> f64 {
    let [a, b] = [a, b].map(|luminance| luminance + 0.05 + ambient);
    if a > b { a / b } else { b / a }
}

fn parsed(text: &str) -> Rgba {
    Rgba::parse(text).unwrap()
}

/// Grounds that signs stand on by default, and with the palettes that are offered.
fn grounds() -> Vec<Rgba> {
    let plain = ["#ffffff", "#999999", "#d9d2e9"];
    let scales = [
        "#fee5d9", "#fcbba1", "#fc9272", "#ef6548", "#a50f15", "#440154", "#3b528b", "#21918c",
        "#5ec962", "#fde725", "#000004", "#b73779", "#fcfdbf", "#00224e", "#7d7c78", "#fee838",
        "#eff3ff", "#08519c", "#edf8e9", "#006d2c", "#feedde", "#a63603", "#f2f0f7", "#54278f",
        "#f7f7f7", "#252525",
    ];
    plain
        .iter()
        .chain(&scales)
        .map(|text| parsed(text))
        .collect()
}

#[test]
fn a_sign_stands_out_from_its_ground_whoever_looks() {
    for (name, vision) in &VISIONS {
        for ground in grounds() {
            let [sign, fill] = [ink(ground), ground].map(|color| seen(vision, on_white(color)));
            let by = contrast(sign, fill, 0.0);
            assert!(by >= 3.0, "{name}: {by} on {ground}");
            // A tenth of the light of white comes from the room.
            let by = contrast(sign, fill, 0.1);
            assert!(by >= 2.0, "{name}, on a projector: {by} on {ground}");
        }
        // Neighbours begin behind a white gap: a dark outline has to stand out from that.
        let [ring, gap] = [DARK, Rgba::WHITE].map(|color| seen(vision, on_white(color)));
        assert!(contrast(ring, gap, 0.1) >= 4.5, "{name}");
    }
}

/// A map whose columns are in turn a value, zero, no data, of another region and unknown, on fills
/// that fills alone could not tell apart.
fn in_turn(fill: Rgba) -> OwnedScene {
    let mut map = scene(90, 0, Content::Full, 3);
    for i in 0..map.hex1.len() {
        map.status[i] = [
            ColumnStatus::HasData,
            ColumnStatus::HasData,
            ColumnStatus::NoData,
            ColumnStatus::NotInRegion,
            ColumnStatus::Unknown,
        ][i % 5];
        map.value[i] = if i % 5 == 0 { 7.0 } else { 0.0 };
        map.fill[i] = fill;
    }
    count(&mut map);
    map
}

/// The luminances of a square of pixels around each hexagon's centre.
fn patches(map: &OwnedScene, vision: &Matrix, scale: f64) -> Vec<Vec<f64>> {
    let options = DrawOptions::scaled(scale);
    let png = draw(Format::Png, &map.head, &map.batch(), &options).unwrap();
    let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut data = vec![0; reader.output_buffer_size().unwrap()];
    let width = reader.next_frame(&mut data).unwrap().width as usize;
    let canvas = layout::canvas(&map.head);
    let half = (5.0 * scale) as i64;
    let patch = |i: usize| {
        let [x, y] = [map.x[i] - canvas.x, map.y[i] - canvas.y].map(|v| (v * scale) as i64);
        let square = (-half..=half).flat_map(|dy| (-half..=half).map(move |dx| [x + dx, y + dy]));
        let pixel = |[x, y]: [i64; 2]| {
            let at = (y as usize * width + x as usize) * 3;
            [0, 1, 2].map(|k| f64::from(data[at + k]))
        };
        square.map(|at| seen(vision, pixel(at))).collect()
    };
    (0..map.hex1.len()).map(patch).collect()
}

/// Pixels of two patches that clearly differ.
fn differing(a: &[f64], b: &[f64]) -> usize {
    let differs = |(a, b): (&f64, &f64)| contrast(*a, *b, 0.0) >= 1.4;
    a.iter().zip(b).filter(|&pair| differs(pair)).count()
}

#[test]
fn the_four_signs_and_a_value_look_different_on_one_fill() {
    let fills = ["#ffffff", "#fee5d9", "#d9d2e9", "#999999", "#440154"];
    for fill in fills.map(parsed) {
        let map = in_turn(fill);
        for (name, vision) in &VISIONS {
            for scale in [1.0, 2.0] {
                let patches = patches(&map, vision, scale);
                // A dot is the smallest sign; twice the scale has four times the pixels.
                let least = if scale > 1.0 { 10 } else { 3 };
                for a in 0..patches.len() {
                    for b in (0..a).filter(|b| a % 5 != b % 5) {
                        let by = differing(&patches[a], &patches[b]);
                        let kinds = [a % 5, b % 5];
                        assert!(
                            by >= least,
                            "{name} {fill} {kinds:?} at {scale}: {by} pixels"
                        );
                    }
                }
            }
        }
    }
}
