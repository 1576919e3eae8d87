//! Nothing covers a hexagon, everything lies on the canvas, and it lies there on every map.

use eyemap_abi::job::{Badge, ColumnStatus, Guide, LegendKind, SubjectLine};
use proptest::prelude::*;

use super::*;
use crate::{
    draw::{
        mark,
        svg_signs::{SAMPLE_PX, row_texts},
        test_scene::{Content, OwnedScene, count, legend, scene},
    },
    scene::{Legend, LegendEntry},
};

/// Rectangles of all that is drawn beside the hexagons, in every view.
fn furniture(head: &SceneHead, layout: &Layout) -> Vec<(&'static str, Rect)> {
    let of = |what, marks: &[Mark]| -> Vec<_> {
        marks.iter().map(|mark| (what, mark.extent())).collect()
    };
    let mut all = of("title", &[layout.heading.title()]);
    for text in &layout.heading.titles {
        let mut title = layout.heading.title();
        if let Mark::Text(mark) = &mut title {
            mark.text.clone_from(text);
        }
        all.push(("title", title.extent()));
    }
    for text in &layout.heading.subtitles {
        let mut subtitle = layout.heading.subtitle();
        if let Some(Mark::Text(mark)) = &mut subtitle {
            mark.text.clone_from(text);
        }
        all.extend(subtitle.map(|mark| ("subtitle", mark.extent())));
    }
    all.extend(of("subject", &layout.heading.subject));
    all.extend(of("legend", &layout.legend));
    layout
        .layer_legends
        .iter()
        .for_each(|one| all.extend(of("layer legend", one)));
    all.extend(of("compass", &layout.compass));
    all.extend(layout.buttons.iter().map(|button| ("button", button.rect)));
    for view in 0..=head.n_layers {
        let counts = if view == 0 {
            &head.counts
        } else {
            &head.layer_counts[view - 1]
        };
        for (i, sign) in signs(head, view).enumerate() {
            let at = [layout.rows.at[0], layout.rows.at[1] + ROW_PITCH * i as f64];
            let texts = row_texts(sign, sign.count(counts), layout.rows.width);
            all.extend(texts.map(|text| ("count", text.moved(at).extent())));
            let sample = Rect {
                x: at[0],
                y: at[1] - SAMPLE_PX,
                width: 2.0 * SAMPLE_PX,
                height: 2.0 * SAMPLE_PX,
            };
            all.push(("sample", sample));
        }
    }
    all
}

fn meets(a: Rect, b: Rect) -> bool {
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

fn holds(canvas: Rect, rect: Rect) -> bool {
    canvas.union(rect) == canvas
}

fn check(map: &OwnedScene) {
    let head = &map.head;
    let layout = layout(head);
    let r = head.cell.circumradius_px;
    let hexagons = map.x.iter().zip(&map.y).map(|(&x, &y)| Rect {
        x: x - r,
        y: y - r,
        width: 2.0 * r,
        height: 2.0 * r,
    });
    let hexagons: Vec<Rect> = hexagons.collect();
    for &hexagon in &hexagons {
        assert!(
            holds(layout.canvas, hexagon),
            "{hexagon:?} in {:?}",
            layout.canvas
        );
    }
    for (what, rect) in furniture(head, &layout) {
        assert!(
            holds(layout.canvas, rect),
            "{what} {rect:?} in {:?}",
            layout.canvas
        );
        let covered = hexagons.iter().find(|&&hexagon| meets(hexagon, rect));
        assert!(covered.is_none(), "{what} {rect:?} covers {covered:?}");
    }
    for (what, mark) in layout.guides.iter().map(|mark| ("guide", mark.extent())) {
        assert!(
            holds(layout.canvas, mark),
            "{what} {mark:?} in {:?}",
            layout.canvas
        );
    }
    assert!(layout.canvas.width >= head.width_px && layout.canvas.height >= head.height_px);
    // What stands beside the map is of a size that no name decides.
    let map = extent(&layout.guides).map_or(head.bounds, |guides| guides.union(head.bounds));
    assert!(layout.canvas.width <= (map.width + 228.0).max(364.0).max(head.width_px + 1.0));
}

/// Words of any length, as people and machines give them.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-zA-Z0-9 ()&<>'/_-]{1,24}",
        "[W]{1,400}",
        "([a-z]{1,12} ){1,60}",
        "\\PC{1,80}",
    ]
}

fn any_legend() -> impl Strategy<Value = Legend> {
    (
        0..3usize,
        2..40usize,
        words(),
        prop::collection::vec(words(), 0..30),
        any::<[bool; 3]>(),
    )
        .prop_map(|(kind, n, title, labels, [below, above, swatches])| {
            let kind = [LegendKind::Bins, LegendKind::Ramp, LegendKind::Swatches][kind];
            let colors = vec![Rgba(0x8040_20ff); n];
            let ticks = if kind == LegendKind::Bins { n + 1 } else { n };
            let entry = |label: &String| LegendEntry {
                label: label.clone(),
                color: Rgba(0x1122_33ff),
            };
            let entries: Vec<_> = labels.iter().map(entry).collect();
            Legend {
                kind,
                ticks: (0..ticks).map(|i| i as f64 * 1e7 / 3.0).collect(),
                labels: Vec::new(),
                colors,
                title,
                open_below: below,
                open_above: above,
                swatches: if swatches {
                    entries.clone()
                } else {
                    Vec::new()
                },
                entries,
                ..Legend::default()
            }
        })
}

prop_compose! {
    fn any_map()(
        size in (1usize..400, 0usize..12, any::<u64>(), any::<bool>()),
        texts in (words(), words(), words(), words()),
        subject in prop::collection::vec((words(), prop::option::of((words(), any::<bool>()))), 0..6),
        labels in prop::collection::vec(words(), 12),
        legends in prop::collection::vec(any_legend(), 0..4),
        least in (0.01f64..900.0, 0.01f64..900.0),
        guide in prop::option::of((-300.0f64..900.0, -300.0f64..900.0, words())),
        compass: bool,
    ) -> OwnedScene {
        let (n, layers, seed, blank) = size;
        let content = if blank { Content::Blank } else { Content::Full };
        let mut map = scene(n, if blank { 0 } else { layers }, content, seed);
        let head = &mut map.head;
        (head.title, head.layer_title, head.subtitle, head.layer_subtitle) = texts;
        head.subject = subject
            .into_iter()
            .map(|(text, badge)| SubjectLine {
                text,
                badge: badge.map(|(text, solid)| Badge {
                    text,
                    fill: solid.then(|| "#a50f15".into()),
                }),
            })
            .collect();
        head.layer_labels = labels;
        let mut legends = legends.into_iter();
        if !blank {
            head.legend = legends.next();
            head.layer_legends = legends.take(head.n_layers).collect();
        }
        (head.width_px, head.height_px) = least;
        if let Some((x, y, text)) = guide {
            head.guides.push(Guide::Label { x, y, text, color: "#666666".into(), size_px: 9.0 });
        }
        if !compass {
            head.compass = None;
        }
        count(&mut map);
        map
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn nothing_covers_a_hexagon_and_all_lies_on_the_canvas(map in any_map()) {
        check(&map);
    }
}

#[test]
fn a_map_without_words_above_it_has_no_room_for_them() {
    let mut map = scene(870, 3, Content::Full, 5);
    let with = layout(&map.head).canvas;
    let head = &mut map.head;
    for text in [
        &mut head.title,
        &mut head.layer_title,
        &mut head.subtitle,
        &mut head.layer_subtitle,
    ] {
        text.clear();
    }
    head.subject.clear();
    let without = layout(&map.head).canvas;
    assert_eq!(without.height, with.height - HEADING);
    assert_eq!(without.y, with.y + HEADING);
    check(&map);
}

#[test]
fn a_layer_without_a_legend_leaves_the_others_theirs() {
    let mut map = scene(60, 3, Content::Full, 5);
    let named = |title: &str| Legend {
        title: title.into(),
        ..legend(1.0, 9.0)
    };
    let given = vec![None, Some(named("second")), Some(named("third"))];
    map.head.layer_legends = Legend::of_layers(given);
    count(&mut map);
    let titles = |layer: usize| {
        let marks = &layout(&map.head).layer_legends[layer - 1];
        marks.iter().find_map(|mark| match mark {
            Mark::Text(text) => Some(text.text.clone()),
            _ => None,
        })
    };
    let found = [1, 2, 3].map(titles);
    assert_eq!(found, [None, Some("second".into()), Some("third".into())]);
    let own = map.head.legend_of(1).expect("a place");
    assert!(own.is_empty());
    check(&map);
    // Without any there is none, and one of one layer is that layer's.
    assert!(Legend::of_layers(vec![None, None]).is_empty());
    assert_eq!(Legend::of_layers(vec![Some(named("one"))]).len(), 1);
}

#[test]
fn real_sizes_keep_their_order() {
    for (n, layers) in [(1, 0), (24, 4), (870, 10), (870, 0)] {
        let map = scene(n, layers, Content::Full, 6);
        check(&map);
        let layout = layout(&map.head);
        let right = map.head.bounds.x + map.head.bounds.width;
        let mut below = map.head.bounds.y - 1.0;
        let blocks = [
            mark::extent(&layout.legend),
            layout
                .buttons
                .iter()
                .map(|button| button.rect)
                .reduce(Rect::union),
            mark::extent(&layout.compass),
        ];
        for block in blocks.into_iter().flatten() {
            assert!(block.x > right && block.y > below, "{n}: {block:?}");
            below = block.y + block.height;
        }
    }
}

#[test]
fn maps_of_one_run_have_everything_at_one_place() {
    let first = scene(870, 4, Content::Full, 1);
    let mut second = first.clone();
    second.head.title = "another".into();
    second.head.legend = Some(legend(3.0, 77_777.0));
    second.value[7] = 0.0;
    count(&mut second);
    let [a, b] = [&first, &second].map(|map| layout(&map.head));
    assert_eq!(a.canvas, b.canvas);
    assert_eq!(a.rows, b.rows);
    assert_eq!(a.compass, b.compass);
    assert_eq!(a.buttons, b.buttons);
    let top = |layout: &Layout| mark::extent(&layout.legend).map(|rect| [rect.x, rect.y]);
    assert_eq!(top(&a), top(&b));
    // A legend of another height and fewer kinds of marks move neither buttons nor compass.
    let mut third = first.clone();
    let swatch = Legend {
        swatches: vec![LegendEntry {
            label: "1".into(),
            color: Rgba::WHITE,
        }],
        ..legend(0.0, 1.0)
    };
    third.head.layer_legends = vec![swatch.clone()];
    third.head.legend = Some(swatch);
    third.status.fill(ColumnStatus::HasData);
    third.value.fill(1.0);
    count(&mut third);
    let third = layout(&third.head);
    assert_ne!(
        mark::extent(&third.legend).map(|rect| rect.height),
        mark::extent(&a.legend).map(|rect| rect.height),
        "the legend has another height"
    );
    assert_eq!(third.buttons, a.buttons);
    assert_eq!(third.compass, a.compass);
}
