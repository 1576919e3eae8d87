//! `eyemap inspect`: what is in a table.

use std::{process::ExitCode, sync::atomic::AtomicBool};

use comfy_table::{Table, presets::NOTHING};
use eyemap_engine::{
    Side,
    dataset::Dataset,
    model::{MetricSummary, PartSummary, TableShape, TypeSummary},
};
use serde_json::json;

use crate::{args::InspectArgs, failure::Failure, out, session};

pub(crate) fn run(args: &InspectArgs) -> Result<ExitCode, Failure> {
    let (config, _) = session::config(args.table.config.as_deref())?;
    let scratch = config
        .memory
        .scratch
        .clone()
        .unwrap_or_else(std::env::temp_dir);
    let mut table = args.table.clone();
    let _spooled = session::take_standard_input(&mut table.tables, &scratch)?;
    let dataset = session::dataset(&table, &config, (None, None), &AtomicBool::new(false))?;
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
        "{} rows, {}; metrics: {}; {} cell types\n\n{}\nColumns with a row:\n",
        dataset.rows,
        shape(dataset.shape),
        metrics.join(", "),
        dataset.types.len(),
        table_of_metrics(dataset)
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
    push_lines(&mut text, &table);
    if !dataset.unused_columns.is_empty() {
        text.push_str(&unused(&dataset.unused_columns));
    }
    for note in &dataset.notes {
        text.push_str(&format!("\nnote: {note}\n"));
    }
    text
}

fn push_lines(text: &mut String, table: &Table) {
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

/// Rows, zeros and unknown values as the table has them, ranges as maps show them.
fn table_of_metrics(dataset: &Dataset) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header([
        "metric",
        "rows",
        "zeros",
        "unknown",
        "whole columns",
        "layers",
    ]);
    let range = |range: Option<[f64; 2]>| match range {
        Some([low, high]) if low == high => low.to_string(),
        Some([low, high]) => format!("{low} to {high}"),
        None => "-".into(),
    };
    for found in &dataset.metric_summaries {
        table.add_row([
            out::plain(&found.name),
            found.rows.to_string(),
            found.zeros.to_string(),
            found.unknown.to_string(),
            range(found.whole),
            range(found.layer),
        ]);
    }
    let mut text = String::new();
    push_lines(&mut text, &table);
    text
}

/// The columns that are not read, and how one becomes a metric.
fn unused(columns: &[String]) -> String {
    let shown: Vec<String> = columns
        .iter()
        .take(MOST_COLUMNS)
        .map(|name| out::plain(name))
        .collect();
    let more = match columns.len().saturating_sub(MOST_COLUMNS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "\nColumns that are not read: {}{more}\n(one of numbers becomes a metric with [metrics.NAME] in the \
         configuration)\n",
        shown.join(", ")
    )
}

/// More columns that are not read are not named.
const MOST_COLUMNS: usize = 24;

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
    let summary = |found: &MetricSummary| {
        json!({
            "metric": found.name,
            "rows": found.rows,
            "zeros": found.zeros,
            "unknown": found.unknown,
            "whole": found.whole,
            "layer": found.layer,
        })
    };
    json!({
        "rows": dataset.rows,
        "unplaced_rows": dataset.unplaced_rows,
        "shape": shape(dataset.shape),
        "metrics": dataset.metrics.iter().map(|metric| &metric.name).collect::<Vec<_>>(),
        "metric_summaries": dataset.metric_summaries.iter().map(summary).collect::<Vec<_>>(),
        "unused_columns": dataset.unused_columns,
        "atlas": {
            "derived": dataset.atlas.derived,
            "attributes": dataset.atlas.attribute_names,
            "places": places(dataset).into_iter().map(place).collect::<Vec<_>>(),
        },
        "cell_types": dataset.types.iter().map(cell_type).collect::<Vec<_>>(),
        "notes": dataset.notes,
    })
}
