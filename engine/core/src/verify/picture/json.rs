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
    for (name, value) in map {
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

/// Colours of bins from low to high; none where colours are no bins.
fn bins(legend: &Map<String, Value>) -> Vec<Fill> {
    let is_bins = legend.get("kind").is_some_and(|kind| kind == "bins");
    let colors = legend.get("colors").filter(|_| is_bins);
    let colors = colors.and_then(Value::as_array).into_iter().flatten();
    colors.map(plain).collect()
}

fn legend(items: &mut Vec<Item>, of: &str, legend: &Map<String, Value>) {
    for (name, value) in legend {
        let one = match name.as_str() {
            // They are told with the legend of the layers.
            "layer_ticks" => continue,
            "ticks" => "tick",
            "labels" => "label",
            "colors" => "colour",
            "positions" => "position of tick",
            "swatches" => "swatch",
            "entries" => "entry",
            _ => {
                say(
                    items,
                    Group::Legend,
                    format!("{of}{}", name.replace('_', " ")),
                    value,
                );
                continue;
            }
        };
        for (i, value) in value.as_array().into_iter().flatten().enumerate() {
            say(items, Group::Legend, format!("{of}{one} {}", i + 1), value);
        }
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
