//! Tooltips in words: templates expanded for one hexagon, as the SVG's script does it.
//!
//! Known to every template: `hex1 hex2 region side cell_type metric`, in layer view `layer`, and the
//! attributes. `value` and attributes that a column does not have read as a dash.

use eyemap_abi::{
    job::{ColumnStatus, Templates},
    text::expand,
};

use super::number::value_text;
use crate::{
    model::AttributeValues,
    scene::{HexagonBatch, SceneHead},
};

/// What stands for a value that is not there.
pub(crate) const MISSING: &str = "–";
/// What follows a value that has the colour of an end of the scale and lies beyond it.
const BEYOND: &str = " (beyond the scale)";

/// Tooltip of a hexagon: `layer` 0 for the whole column, else the 1-based layer. `overrides` are
/// looked up by binary search, as they rise.
pub fn tooltip(head: &SceneHead, batch: &HexagonBatch<'_>, i: usize, layer: usize) -> String {
    let found = batch
        .overrides
        .binary_search_by_key(&(i, layer), |o| (o.index, o.layer));
    if let Some(replaced) = found.ok().and_then(|at| batch.overrides.get(at)) {
        return replaced.text.clone();
    }
    let (status, value, templates) = subject(head, batch, i, layer);
    expand(templates.of(status), |name| match name {
        "hex1" => Some(batch.hex1[i].to_string()),
        "hex2" => Some(batch.hex2[i].to_string()),
        "value" => Some(value.map_or_else(|| MISSING.into(), |value| told(head, value, layer))),
        "layer" if layer > 0 => head.layer_labels.get(layer - 1).cloned(),
        _ => map_word(head, name).or_else(|| attribute(head, batch.attributes, name, i)),
    })
}

/// A value, and that it lies beyond the scale that it is coloured by.
fn told(head: &SceneHead, value: f64, layer: usize) -> String {
    let text = value_text(value);
    match head
        .legend_of(layer)
        .and_then(|legend| legend.beyond(value))
    {
        Some(_) => text + BEYOND,
        None => text,
    }
}

fn subject<'h>(
    head: &'h SceneHead,
    batch: &HexagonBatch<'_>,
    i: usize,
    layer: usize,
) -> (ColumnStatus, Option<f64>, &'h Templates) {
    let (status, value, templates) = match layer {
        0 => (batch.status[i], batch.value[i], &head.whole_templates),
        _ if batch.status[i] != ColumnStatus::HasData => {
            (batch.status[i], 0.0, &head.layer_templates)
        }
        _ => {
            let at = i * head.n_layers + layer - 1;
            (
                batch.layer_status[at],
                batch.layer_value[at],
                &head.layer_templates,
            )
        }
    };
    let value = (status == ColumnStatus::HasData).then_some(value);
    (status, value, templates)
}

/// What stands for a name that is the same for all hexagons of a map.
pub(crate) fn map_word(head: &SceneHead, name: &str) -> Option<String> {
    match name {
        "region" => Some(head.map.region.to_string()),
        "side" => Some(head.side().word().to_owned()),
        "cell_type" => Some(head.map.cell_type.to_string()),
        "metric" => Some(head.map.metric.to_string()),
        _ => None,
    }
}

fn attribute(
    head: &SceneHead,
    columns: &[AttributeValues],
    name: &str,
    i: usize,
) -> Option<String> {
    let at = head.attributes.iter().position(|known| known == name)?;
    Some(attribute_text(columns.get(at), i).unwrap_or_else(|| MISSING.into()))
}

/// Text of an attribute's value, if there is one.
pub(crate) fn attribute_text(values: Option<&AttributeValues>, i: usize) -> Option<String> {
    match values? {
        AttributeValues::I64(v) => v.get(i).copied().flatten().map(|n| n.to_string()),
        AttributeValues::F64(v) => v.get(i).copied().flatten().map(value_text),
        AttributeValues::Text(v) => v.get(i).cloned().flatten().map(|t| t.to_string()),
    }
}

/// Indices of the attributes that some template of the map names.
pub(crate) fn referenced(head: &SceneHead) -> Vec<usize> {
    let named = |name: &String| {
        let mark = format!("{{{name}}}");
        [&head.whole_templates, &head.layer_templates]
            .iter()
            .flat_map(|t| ColumnStatus::ALL.map(|status| t.of(status)))
            .any(|template| template.contains(&mark))
    };
    let names = head.attributes.iter().enumerate();
    names
        .filter(|(_, name)| named(name))
        .map(|(i, _)| i)
        .collect()
}

/// The words that all hexagons of a status share: the template's lines that name nothing of a
/// single hexagon.
pub(crate) fn shared_words(head: &SceneHead, status: ColumnStatus) -> String {
    let own = |line: &&str| {
        let mut own = false;
        expand(line, |name| {
            own |= matches!(name, "hex1" | "hex2" | "value" | "layer")
                || head.attributes.iter().any(|known| known == name);
            None
        });
        !own
    };
    let lines = head.whole_templates.of(status).lines().filter(own);
    let kept = lines.map(|line| expand(line, |name| map_word(head, name)));
    let text = kept.collect::<Vec<_>>().join("\n");
    match (text.trim().is_empty(), status) {
        (false, _) => text,
        (_, ColumnStatus::HasData) => "has data".into(),
        (_, ColumnStatus::NoData) => "no data".into(),
        (_, ColumnStatus::NotInRegion) => "not in region".into(),
        (_, ColumnStatus::Unknown) => "unknown".into(),
    }
}
