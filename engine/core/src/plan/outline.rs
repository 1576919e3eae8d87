//! Makes a plan to be written down.

use std::path::{Path, PathBuf};

use super::{
    Amount, Choice, Estimate, PlanError, PlanFile, Product, ShardAmount, Source, Unit, cut,
    file::{Stage, configuration, engine},
    how_many, units,
};
use crate::{
    config::{Config, Size},
    dataset::Dataset,
    draw::{DrawOptions, Format},
    pipeline::{Pipeline, Request},
};

/// What would be drawn from a table, and into which shards it is best cut.
///
/// # Errors
/// When a table cannot be read once more, to be hashed.
pub fn outline(
    (dataset, requests): (&Dataset, &[Request]),
    (config, path): (&Config, Option<&Path>),
    pipeline: &Pipeline,
    (tables, atlas): (&[PathBuf], Option<&Path>),
    (formats, shard_size): (&[Format], Option<Size>),
) -> Result<PlanFile, PlanError> {
    let draw = DrawOptions::scaled(config.output.scale);
    let estimate = Estimate::new(dataset, formats, draw);
    let units = units(requests, config.output.archived(), &estimate);
    let shards = shard_size.map_or(1, |size| how_many(&units, size.bytes()));
    let tables: Result<_, _> = tables.iter().map(|path| Source::of(path)).collect();
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.into());
    Ok(PlanFile {
        form: PlanFile::FORM,
        engine: engine(),
        amount: amount(requests, &estimate),
        shard_bytes: shard_size.map(Size::bytes),
        shards: shard_amounts((dataset, requests), &units, shards, &estimate),
        tables: tables?,
        atlas: atlas.map(Source::of).transpose()?,
        config: path.map(absolute),
        configuration: configuration(config),
        plugins: pipeline.identities().iter().map(Stage::of).collect(),
        choice: Choice::of(config),
        product: product(dataset, requests, formats),
    })
}

fn amount(requests: &[Request], estimate: &Estimate<'_>) -> Amount {
    let mut amount = Amount::default();
    let mut last = None;
    for &request in requests {
        amount.maps += 1;
        amount.cell_types += u64::from(last != Some(request.cell_type));
        amount.blank += u64::from(estimate.size(request).columns == 0);
        amount.bytes += estimate.bytes(request);
        last = Some(request.cell_type);
    }
    amount
}

fn shard_amounts(
    (dataset, requests): (&Dataset, &[Request]),
    units: &[Unit],
    shards: u32,
    estimate: &Estimate<'_>,
) -> Vec<ShardAmount> {
    let name = |request: &Request| dataset.type_name(request.cell_type).to_string();
    let describe = |(number, range): (u32, std::ops::Range<usize>)| {
        let units = &units[range];
        let range = match (units.first(), units.last()) {
            (Some(first), Some(last)) => first.requests.start..last.requests.end,
            _ => 0..0,
        };
        let requests = &requests[range];
        ShardAmount {
            shard: number,
            first: requests.first().map(name),
            last: requests.last().map(name),
            amount: amount(requests, estimate),
        }
    };
    (1..).zip(cut(units, shards)).map(describe).collect()
}

/// A plan without gaps is a product, and far shorter as one.
fn product(dataset: &Dataset, requests: &[Request], formats: &[Format]) -> Product {
    let mut product = Product {
        formats: formats.to_vec(),
        ..Product::default()
    };
    let Some(first) = requests.first() else {
        return product;
    };
    let same = |request: &&Request| request.cell_type == first.cell_type;
    for request in requests.iter().take_while(same) {
        let place = (dataset.regions[request.region].name.clone(), request.side);
        if !product.places.contains(&place) {
            product.places.push(place);
        }
        let metric = &dataset.metrics[request.metric].name;
        if !product.metrics.contains(metric) {
            product.metrics.push(metric.clone());
        }
    }
    let names = requests.chunk_by(|a, b| a.cell_type == b.cell_type);
    let names = names.map(|chunk| dataset.type_name(chunk[0].cell_type).to_string());
    product.cell_types = names.collect();
    product
}
