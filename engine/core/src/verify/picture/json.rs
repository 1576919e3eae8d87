//! Reads the JSON form of a map back.

use eyemap_abi::job::ColumnStatus;
use serde_json::{Map, Value};

use super::{Group, Hexagon, Item, LayerCell, NotRead, Picture, island::plain};

pub(super) fn read(text: &str) -> Result<Picture, NotRead> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| NotRead::new(format!("it is no JSON: {error}")))?;
    let Value::Object(mut map) = value else {
        return Err(NotRead::new("it is no JSON of a map"));
    };
    let Some(Value::Array(hexagons)) = map.remove("hexagons") else {
        return Err(NotRead::new("it has no hexagons"));
    };
    let number = |name: &str| map.get(name).and_then(Value::as_f64).unwrap_or_default();
    let labels = map.get("layer_labels").and_then(Value::as_array);
    let mut picture = Picture {
        canvas: [number("width"), number("height")],
        layers: labels.into_iter().flatten().map(plain).collect(),
        ..Picture::default()
    };
    head(&mut picture.items, &map);
    for hexagon in &hexagons {
        let wrong = || NotRead::new("a hexagon has no column or place");
        let (column, hexagon) = one(hexagon).ok_or_else(wrong)?;
        picture.columns.insert(column, hexagon);
    }
    Ok(picture)
}

fn head(items: &mut Vec<Item>, map: &Map<String, Value>) {
    for (name, value) in map {
        match (name.as_str(), value) {
            ("width" | "height", _) => {}
            ("title", _) => say(items, Group::Title, String::new(), value),
            ("legend", Value::Object(legend)) => self::legend(items, legend),
            ("legend", _) => say(items, Group::Legend, String::new(), value),
            _ => say(items, Group::Label, name.replace('_', " "), value),
        }
    }
}

fn legend(items: &mut Vec<Item>, legend: &Map<String, Value>) {
    for (name, value) in legend {
        let of = if name == "layer_ticks" {
            "of layers, "
        } else {
            ""
        };
        match value {
            Value::Array(ticks) => {
                for (i, tick) in ticks.iter().enumerate() {
                    say(items, Group::Legend, format!("{of}tick {}", i + 1), tick);
                }
            }
            _ => say(items, Group::Legend, name.replace('_', " "), value),
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
