//! `eyemap inspect`: what is in a table.

use std::{process::ExitCode, sync::atomic::AtomicBool};

use comfy_table::{Table, presets::NOTHING};
use eyemap_engine::{
    Side,
    dataset::Dataset,
    model::{PartSummary, TableShape, TypeSummary},
};
use serde_json::json;

use crate::{args::InspectArgs, failure::Failure, out, session};

pub(crate) fn run(args: &InspectArgs) -> Result<ExitCode, Failure> {
    let (config, _) = session::config(args.table.config.as_deref())?;
    let dataset = session::dataset(&args.table, &config, (None, None), &AtomicBool::new(false))?;
    if args.table.json {
        out::json(&document(&dataset))
    } else {
        out::text(&words(&dataset))
    }
}

/// Regions and sides that the atlas has.
fn places(dataset: &Dataset) -> Vec<(usize, Side)> {
    let sides = [Side::Left, Side::Right];
    let all = (0..dataset.regions.len()).flat_map(|region| sides.map(|side| (region, side)));
    all.filter(|&(region, side)| dataset.atlas.side(side).has_region(region))
        .collect()
}

fn columns_of_atlas(dataset: &Dataset, (region, side): (usize, Side)) -> usize {
    let counts = &dataset.atlas.side(side).counts;
    counts.get(region).map_or(0, |&count| count as usize)
}

const fn shape(shape: TableShape) -> &'static str {
    match shape {
        TableShape::Canonical => "one row a cell type, column and layer",
        TableShape::BodySynapses => "one row a body, column and layer",
        TableShape::Cells => "one row a cell",
    }
}

fn words(dataset: &Dataset) -> String {
    let places = places(dataset);
    let name = |&(region, side): &(usize, Side)| {
        format!(
            "{} {}",
            out::plain(&dataset.regions[region].name),
            side.letter()
        )
    };
    let metrics: Vec<&str> = dataset
        .metrics
        .iter()
        .map(|metric| metric.name.as_str())
        .collect();
    let mut text = format!(
        "{} rows, {}; metrics: {}; {} cell types\n\nColumns with a row:\n",
        dataset.rows,
        shape(dataset.shape),
        metrics.join(", "),
        dataset.types.len()
    );
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(std::iter::once("cell type".to_owned()).chain(places.iter().map(name)));
    for cell_type in &dataset.types {
        let count = |place: &(usize, Side)| columns_of(cell_type, *place).to_string();
        table.add_row(std::iter::once(out::plain(&cell_type.name)).chain(places.iter().map(count)));
    }
    let atlas = |place: &(usize, Side)| columns_of_atlas(dataset, *place).to_string();
    let label = if dataset.atlas.derived {
        "(any type)"
    } else {
        "(atlas)"
    };
    table.add_row(std::iter::once(label.to_owned()).chain(places.iter().map(atlas)));
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    for note in &dataset.notes {
        text.push_str(&format!("\nnote: {note}\n"));
    }
    text
}

fn columns_of(cell_type: &TypeSummary, (region, side): (usize, Side)) -> u64 {
    cell_type.part(region, side).map_or(0, |part| part.columns)
}

fn document(dataset: &Dataset) -> serde_json::Value {
    let place = |place: (usize, Side)| {
        json!({
            "region": dataset.regions[place.0].name,
            "side": place.1,
            "columns": columns_of_atlas(dataset, place),
            "layers": dataset.regions[place.0].layer_labels,
        })
    };
    let part = |part: &PartSummary| {
        json!({
            "region": dataset.regions[part.region].name,
            "side": part.side,
            "columns": part.columns,
        })
    };
    let cell_type = |cell_type: &TypeSummary| {
        json!({
            "name": &*cell_type.name,
            "parts": cell_type.parts.iter().map(part).collect::<Vec<_>>(),
        })
    };
    json!({
        "rows": dataset.rows,
        "unplaced_rows": dataset.unplaced_rows,
        "shape": shape(dataset.shape),
        "metrics": dataset.metrics.iter().map(|metric| &metric.name).collect::<Vec<_>>(),
        "atlas": {
            "derived": dataset.atlas.derived,
            "attributes": dataset.atlas.attribute_names,
            "places": places(dataset).into_iter().map(place).collect::<Vec<_>>(),
        },
        "cell_types": dataset.types.iter().map(cell_type).collect::<Vec<_>>(),
        "notes": dataset.notes,
    })
}
