//! Any text as every name, title, label, badge, attribute and tooltip of a map: each format stays
//! well formed, runs no script but ours, and gives the text back.

#![no_main]

use std::sync::Arc;

use eyemap_engine::{
    draw::{
        DrawOptions, Format, draw,
        test_scene::{Content, OwnedScene, scene},
    },
    index,
    manifest::{Entry, Key, Manifest, Status},
    model::AttributeValues,
    scene::TooltipOverride,
};
use libfuzzer_sys::fuzz_target;
use roxmltree::Document;
use serde_json::Value;

/// Pixels take most of the time of an input and escape nothing, so there are few.
const OPTIONS: DrawOptions = DrawOptions::scaled(0.1);

fuzz_target!(|text: &str| {
    for content in [Content::Full, Content::Blank] {
        let scene = labelled(text, content);
        let svg = check_svg(&scene, Format::Svg, text);
        if content == Content::Full {
            check_island(&svg, text);
        }
        check_svg(&scene, Format::SvgStatic, text);
        check_json(&scene, text);
        drawn(&scene, Format::Png);
    }
    check_index(text);
});

fn labelled(text: &str, content: Content) -> OwnedScene {
    let mut scene = scene(9, 2, content, 5);
    let head = &mut scene.head;
    head.map.cell_type = text.into();
    head.map.region = text.into();
    head.map.metric = text.into();
    for label in [
        &mut head.title,
        &mut head.layer_title,
        &mut head.description,
    ] {
        *label = text.into();
    }
    for line in &mut head.subject {
        line.text = text.into();
        line.badge
            .iter_mut()
            .for_each(|badge| badge.text = text.into());
    }
    head.layer_labels = vec![text.into(); 2];
    for templates in [&mut head.whole_templates, &mut head.layer_templates] {
        for template in [
            &mut templates.has_data,
            &mut templates.no_data,
            &mut templates.not_in_region,
            &mut templates.unknown,
        ] {
            *template = format!("{text}{{own}}");
        }
    }
    for legend in head.legend.iter_mut().chain(&mut head.layer_legends) {
        legend.title = text.into();
        legend.labels = vec![text.into(); legend.ticks.len()];
    }
    head.attributes = vec!["own".into()];
    let n = scene.hex1.len();
    scene.attributes = vec![AttributeValues::Text(vec![Some(Arc::from(text)); n])];
    scene.overrides = vec![TooltipOverride {
        index: 0,
        layer: 0,
        text: text.into(),
    }];
    scene
}

fn drawn(scene: &OwnedScene, format: Format) -> Vec<u8> {
    draw(format, &scene.head, &scene.batch(), &OPTIONS).expect("drawn")
}

/// The text as XML can carry it.
fn carried(text: &str) -> String {
    let legal = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    text.chars()
        .map(|c| if legal(c) { c } else { '\u{fffd}' })
        .collect()
}

fn check_svg(scene: &OwnedScene, format: Format, text: &str) -> String {
    let svg = String::from_utf8(drawn(scene, format)).expect("UTF-8");
    let ours = if format == Format::Svg && !scene.head.blank {
        2
    } else {
        0
    };
    assert_eq!(svg.matches("<script").count(), ours, "{svg}");
    let document = Document::parse(&svg).unwrap_or_else(|error| panic!("{error}\n{svg}"));
    for element in document.descendants().filter(roxmltree::Node::is_element) {
        for attribute in element.attributes() {
            let name = attribute.name();
            assert!(
                !name.starts_with("on") && name != "style" && name != "href",
                "{name}"
            );
        }
    }
    let title = document
        .root_element()
        .first_element_child()
        .expect("a title");
    assert_eq!(title.tag_name().name(), "title");
    let title = title.text().unwrap_or_default();
    assert!(title.contains(&carried(text)), "{title:?}");
    svg
}

fn check_island(svg: &str, text: &str) {
    let document = Document::parse(svg).expect("parsed before");
    let island = document
        .descendants()
        .find(|node| node.attribute("type") == Some("application/json"))
        .and_then(|node| node.text())
        .expect("an island");
    let island: Value = serde_json::from_str(island).expect("JSON");
    for key in ["cell_type", "region", "metric"] {
        assert_eq!(island[key], text);
    }
    for key in ["whole", "layer"] {
        let templates = island[key].as_array().expect("templates");
        assert!(
            templates
                .iter()
                .all(|found| *found == format!("{text}{{own}}"))
        );
    }
    assert_eq!(island["layers"], Value::from(vec![text; 2]));
    assert_eq!(island["values"][0][0], text);
    assert_eq!(island["overrides"][0][2], text);
}

fn check_json(scene: &OwnedScene, text: &str) {
    let json: Value = serde_json::from_slice(&drawn(scene, Format::Json)).expect("JSON");
    assert_eq!(json["cell_type"], text);
    assert_eq!(json["title"], text);
    assert_eq!(json["hexagons"][0]["tooltip"], text);
}

/// The page has as much markup whatever the names in it are.
fn check_index(text: &str) {
    let markup = |page: String| page.matches(['<', '>', '"']).count();
    for status in [Status::Blank, Status::Failed] {
        assert_eq!(markup(page(text, status)), markup(page("x", status)));
    }
}

fn page(text: &str, status: Status) -> String {
    let key = Key {
        cell_type: text.into(),
        region: text.into(),
        side: eyemap_engine::Side::Left,
        metric: text.into(),
        format: Format::Svg,
    };
    let entry = Entry {
        key: key.clone(),
        path: String::new(),
        bytes: 0,
        fingerprint: String::new(),
        status,
        error: (status == Status::Failed).then(|| text.to_owned()),
        archive: None,
    };
    index::page(&Manifest {
        entries: [(key, entry)].into(),
    })
}
