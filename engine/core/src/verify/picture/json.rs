//! Reads the JSON form of a map back.

use eyemap_abi::job::ColumnStatus;
use serde_json::{Map, Value};

use super::{Fill, Group, Hexagon, Item, LayerCell, NotRead, Picture, island::plain};

pub(super) fn read(text: &str) -> Result<Picture, NotRead> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| NotRead::new(format!("it is no JSON: {error}")))?;
    let Value::Object(mut map) = value else {
        return Err(NotRead::new("it is no JSON of a map"));
    };
    let Some(Value::Array(hexagons)) = map.remove("hexagons") else {
        return Err(NotRead::new("it has no hexagons"));
    };
    let labels = map.get("layer_labels").and_then(Value::as_array);
    let mut picture = Picture {
        canvas: canvas(&map),
        layers: labels.into_iter().flatten().map(plain).collect(),
        ..Picture::default()
    };
    head(&mut picture, &map);
    for hexagon in &hexagons {
        let wrong = || NotRead::new("a hexagon has no column or place");
        let (column, hexagon) = one(hexagon).ok_or_else(wrong)?;
        picture.columns.insert(column, hexagon);
    }
    Ok(picture)
}

fn canvas(map: &Map<String, Value>) -> [f64; 4] {
    let view = map.get("view_box");
    [0, 1, 2, 3].map(|k| view.and_then(|view| view[k].as_f64()).unwrap_or_default())
}

fn head(picture: &mut Picture, map: &Map<String, Value>) {
    let items = &mut picture.items;
    // The legend of whole columns before those of layers, as in a picture.
    let legends = ["legend", "layer_legends"];
    let named = legends
        .into_iter()
        .filter_map(|name| map.get_key_value(name));
    let others = map
        .iter()
        .filter(|(name, _)| !legends.contains(&name.as_str()));
    for (name, value) in named.chain(others) {
        let words = name.replace('_', " ");
        match (name.as_str(), value) {
            ("width" | "height" | "view_box", _) => {}
            ("title", _) => say(items, Group::Title, String::new(), value),
            ("subtitle", _) => say(items, Group::Title, words, value),
            ("legend", Value::Object(legend)) => {
                self::legend(items, "", legend);
                picture.bins.insert(0, bins(legend));
            }
            ("legend", _) => say(items, Group::Legend, String::new(), value),
            ("layer_legends", Value::Array(legends)) => {
                for (i, legend) in legends.iter().filter_map(Value::as_object).enumerate() {
                    let of = match i {
                        0 => "of layers, ".to_owned(),
                        i => format!("of layers ({}), ", i + 1),
                    };
                    self::legend(items, &of, legend);
                    picture.bins.push(bins(legend));
                }
            }
            ("counts" | "layer_counts", _) => say(items, Group::Sign, words, value),
            _ => say(items, Group::Label, words, value),
        }
    }
}

/// Colours of bins from low to high; none where a picture shows no bins.
fn bins(legend: &Map<String, Value>) -> Vec<Fill> {
    let is_bins = legend.get("kind").is_some_and(|kind| kind == "bins");
    let is_bins = is_bins && list(legend, "swatches").is_empty();
    let colors = legend.get("colors").filter(|_| is_bins);
    let colors = colors.and_then(Value::as_array).into_iter().flatten();
    colors.map(plain).collect()
}

/// The parts of a legend: its title, ticks, colours, then what is left.
fn legend(items: &mut Vec<Item>, of: &str, legend: &Map<String, Value>) {
    if let Some(title) = legend.get("title") {
        say(items, Group::Legend, format!("{of}title"), title);
    }
    ticks(items, of, legend);
    let colors = list(legend, "colors");
    for (i, color) in colors.iter().enumerate() {
        say(items, Group::Legend, format!("{of}colour {}", i + 1), color);
    }
    for (name, one) in [("swatches", "swatch"), ("entries", "entry")] {
        for (i, entry) in list(legend, name).iter().enumerate() {
            let name = format!("{of}{one} {}", i + 1);
            say(items, Group::Legend, name, &entry["label"]);
            also(items, "color", Some(&entry["color"]));
        }
    }
    for name in ["kind", "open_below", "open_above"] {
        if let Some(value) = legend.get(name) {
            let name = format!("{of}{}", name.replace('_', " "));
            say(items, Group::Legend, name, value);
        }
    }
}

/// Each tick with its label and its place, or where there are no ticks, the labels.
fn ticks(items: &mut Vec<Item>, of: &str, legend: &Map<String, Value>) {
    let [ticks, labels, positions] =
        ["ticks", "labels", "positions"].map(|name| list(legend, name));
    for i in 0..ticks.len().max(labels.len()) {
        let (one, text) = match (ticks.get(i), labels.get(i)) {
            (Some(tick), _) => ("tick", tick),
            (None, Some(label)) => ("label", label),
            (None, None) => continue,
        };
        say(items, Group::Legend, format!("{of}{one} {}", i + 1), text);
        also(items, "label", labels.get(i));
        also(items, "position", positions.get(i));
    }
}

fn list<'v>(map: &'v Map<String, Value>, name: &str) -> &'v [Value] {
    let list = map.get(name).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

/// How the last of some items is drawn.
fn also(items: &mut [Item], name: &str, value: Option<&Value>) {
    if let (Some(item), Some(value)) = (items.last_mut(), value) {
        item.form.push((name.to_owned(), plain(value)));
    }
}

fn say(items: &mut Vec<Item>, group: Group, name: String, value: &Value) {
    items.push(Item {
        group,
        kind: String::new(),
        name,
        text: plain(value),
        form: Vec::new(),
    });
}

fn one(value: &Value) -> Option<([i32; 2], Hexagon)> {
    let whole = |name: &str| value[name].as_i64().and_then(|v| i32::try_from(v).ok());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let layers = value["layers"].as_array().into_iter().flatten();
    let layers = layers.map(|layer| LayerCell {
        value: layer["value"].as_f64(),
        absent: layer["absent"] == true,
        fill: text(&layer["fill"]),
        tooltip: text(&layer["tooltip"]),
    });
    let status = value["status"].as_str()?;
    let hexagon = Hexagon {
        at: [value["x"].as_f64()?, value["y"].as_f64()?],
        status: ColumnStatus::ALL
            .into_iter()
            .find(|one| one.word() == status),
        words: status.into(),
        value: value["value"].as_f64(),
        fill: text(&value["fill"]),
        tooltip: text(&value["tooltip"]),
        layers: layers.collect(),
        ..Hexagon::default()
    };
    Some(([whole("hex1")?, whole("hex2")?], hexagon))
}
