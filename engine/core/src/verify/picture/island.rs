//! Reads the data islands of an interactive SVG back, and joins them with its hexagons.

use eyemap_abi::job::ColumnStatus;
use serde_json::Value;

use super::{Fill, Group, Hexagon, Item, LayerCell, NotRead, Picture};

/// Joins the hexagons of each chunk with the rows of its island.
pub(super) fn join(
    picture: &mut Picture,
    chunks: Vec<Vec<Hexagon>>,
    islands: &[Value],
) -> Result<(), NotRead> {
    if let Some(first) = islands.first() {
        head(picture, first);
    }
    if chunks.is_empty() && islands.len() <= 1 {
        return Ok(());
    }
    if chunks.len() != islands.len() {
        return Err(NotRead::new("hexagons and their data do not go together"));
    }
    for (hexagons, island) in chunks.into_iter().zip(islands) {
        chunk(picture, hexagons, island)?;
    }
    Ok(())
}

/// What all hexagons of a map share.
fn head(picture: &mut Picture, island: &Value) {
    picture.layers = texts(&island["layers"]);
    let mut say = |group, name: String, text| {
        picture.items.push(Item {
            group,
            kind: String::new(),
            name,
            text,
            form: Vec::new(),
        });
    };
    let layers = texts(&island["layers"]);
    for (name, what) in [("titles", "of layer"), ("subtitles", "subtitle of layer")] {
        let texts = texts(&island[name]);
        for (label, text) in layers.iter().zip(texts.into_iter().skip(1)) {
            say(Group::Title, format!("{what} {label}"), text);
        }
    }
    for (name, group, what) in [
        ("ends", Group::Legend, "open ends"),
        ("signs", Group::Label, "shapes of marks"),
    ] {
        say(group, what.into(), plain(&island[name]));
    }
    for (name, what) in [("whole", "of columns"), ("layer", "of layers")] {
        for (text, status) in texts(&island[name]).into_iter().zip(ColumnStatus::ALL) {
            let status = status.word().replace('_', " ");
            say(Group::Template, format!("{what}, {status}"), text);
        }
    }
    for name in ["cell_type", "region", "side", "metric"] {
        let text = island[name].as_str().unwrap_or_default();
        say(Group::Label, name.replace('_', " "), text.to_owned());
    }
    let attributes = texts(&island["attributes"]).join(", ");
    say(Group::Template, "attributes".into(), attributes);
}

fn chunk(picture: &mut Picture, mut hexagons: Vec<Hexagon>, island: &Value) -> Result<(), NotRead> {
    let rows = island["rows"].as_array().map_or(&[][..], Vec::as_slice);
    let columns = columns(&island["columns"], rows.len());
    if hexagons.len() != rows.len() || columns.len() != rows.len() {
        return Err(NotRead::new("hexagons and their rows do not go together"));
    }
    let n_layers = picture.layers.len();
    let minus_layers = island["minus_layers"] == true;
    for (i, (hexagon, row)) in hexagons.iter_mut().zip(rows).enumerate() {
        take_row(hexagon, row, (n_layers, minus_layers));
        for layer in 0..hexagon.layers.len() {
            let cell = &mut hexagon.layers[layer];
            cell.fill = layer_fill(island, (i, layer), cell.value);
        }
        let attributes = island["values"][i].as_array().into_iter().flatten();
        hexagon.attributes = attributes.map(plain).collect();
    }
    take_overrides(&mut hexagons, &island["overrides"]);
    picture.columns.extend(columns.into_iter().zip(hexagons));
    Ok(())
}

/// The columns of a chunk, out of their runs, and at most one run more than there are rows: a file may
/// claim any length.
fn columns(runs: &Value, rows: usize) -> Vec<[i32; 2]> {
    let mut columns = Vec::new();
    for run in runs.as_array().into_iter().flatten() {
        if columns.len() > rows {
            break;
        }
        let number = |k: usize| run[k].as_i64().and_then(|v| i32::try_from(v).ok());
        if let (Some(hex1), Some(hex2), Some(n)) = (number(0), number(1), number(2)) {
            let n = n.clamp(0, i32::try_from(rows).unwrap_or(i32::MAX).saturating_add(1));
            columns.extend((0..n).map(|k| [hex1, hex2.saturating_add(k)]));
        }
    }
    columns
}

fn take_row(hexagon: &mut Hexagon, row: &Value, (n_layers, minus_layers): (usize, bool)) {
    hexagon.status = Some(match row {
        Value::Null => ColumnStatus::Unknown,
        Value::Array(values) if values.is_empty() => ColumnStatus::NoData,
        Value::Array(_) => ColumnStatus::HasData,
        _ => ColumnStatus::NotInRegion,
    });
    let Some(values) = row.as_array().filter(|values| !values.is_empty()) else {
        return;
    };
    // Zeros at the end are left out.
    let value = |at: usize| values.get(at).map_or(Some(0.0), Value::as_f64);
    let layer = |layer| LayerCell {
        value: value(layer),
        // A row that says zero has a minus, which changes no number.
        absent: value(layer).is_some_and(|value| value == 0.0 && value.is_sign_positive()),
        ..LayerCell::default()
    };
    hexagon.layers = (1..=n_layers).map(layer).collect();
    let sum: f64 = hexagon.layers.iter().filter_map(|cell| cell.value).sum();
    let less = if minus_layers { sum } else { 0.0 };
    hexagon.value = value(0).map(|value| value + less);
}

/// The fill of a layer: by the steps of its value, or as it is listed.
fn layer_fill(island: &Value, (i, layer): (usize, usize), value: Option<f64>) -> Fill {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if let Some(at) = island["fills"][i][layer].as_u64() {
        return text(&island["colors"][at as usize]);
    }
    let Some(value) = value else {
        return text(&island["unknown"]);
    };
    let tables = island["steps"].as_array().map_or(&[][..], Vec::as_slice);
    let table = if tables.len() > 1 {
        tables.get(layer)
    } else {
        tables.first()
    };
    let steps = table.and_then(Value::as_array);
    let steps = steps.map_or(&[][..], Vec::as_slice);
    let is_above = |step: &Value| step[0].as_f64().is_some_and(|from| from > value);
    let above = steps.iter().position(is_above).unwrap_or(steps.len());
    let step = steps.get(above.saturating_sub(1));
    step.map_or_else(String::new, |step| text(&step[1]))
}

fn take_overrides(hexagons: &mut [Hexagon], overrides: &Value) {
    for one in overrides.as_array().into_iter().flatten() {
        let number = |k: usize| one[k].as_u64().map_or(usize::MAX, |v| v as usize);
        let Some(hexagon) = hexagons.get_mut(number(0)) else {
            continue;
        };
        let tooltip = match number(1).checked_sub(1) {
            None => Some(&mut hexagon.tooltip),
            Some(layer) => hexagon.layers.get_mut(layer).map(|cell| &mut cell.tooltip),
        };
        if let Some(tooltip) = tooltip {
            *tooltip = plain(&one[2]);
        }
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(plain).collect()
}

/// A text without its quotes; anything else as JSON.
pub(super) fn plain(value: &Value) -> String {
    let text = value.as_str().map(str::to_owned);
    text.unwrap_or_else(|| value.to_string())
}
