//! The configured regions, as rows name them.
//!
//! A region or layer that is not configured is refused with the lines that would configure it.

use super::{
    error::{Objection, quote},
    schema::{nearest, toml_text},
};
use crate::config::RegionConfig;

/// Regions are kept as bits of a `u64`.
const MOST_REGIONS: usize = 64;

/// Finds regions by name.
#[derive(Clone, Copy)]
pub(super) struct Regions<'a> {
    regions: &'a [RegionConfig],
}

impl<'a> Regions<'a> {
    pub(super) fn new(regions: &'a [RegionConfig]) -> Result<Self, Objection> {
        if regions.len() > MOST_REGIONS {
            let message = format!(
                "{} regions are configured, at most 64 are possible",
                regions.len()
            );
            return Err(Objection::new(message).help("remove [[regions]] that no map is drawn of"));
        }
        Ok(Self { regions })
    }

    /// No regions.
    pub(super) const fn none() -> Self {
        Self { regions: &[] }
    }

    /// Number of regions.
    pub(super) const fn len(&self) -> usize {
        self.regions.len()
    }

    /// The index of a region.
    pub(super) fn find(&self, name: &str) -> Result<u8, Objection> {
        let found = self.regions.iter().position(|region| region.name == name);
        match found.map(u8::try_from) {
            Some(Ok(index)) => Ok(index),
            _ => Err(self.unknown(name)),
        }
    }

    /// Checks a layer of a region; 0 stands for the whole column.
    pub(super) fn layer(&self, region: u8, layer: i32) -> Result<u16, Objection> {
        let Some(config) = self.regions.get(usize::from(region)) else {
            return Err(Objection::new("is in no region"));
        };
        let Ok(number) = u16::try_from(layer) else {
            let message = format!("{} is not a layer", quote(&layer.to_string()));
            return Err(Objection::new(message)
                .help("layers are numbered from 1, and 0 stands for the whole column"));
        };
        if usize::from(number) > config.layers.len() {
            return Err(too_deep(config, number));
        }
        Ok(number)
    }

    /// Number of layers of a region.
    pub(super) fn layers(&self, region: usize) -> usize {
        self.regions
            .get(region)
            .map_or(0, |region| region.layers.len())
    }

    fn unknown(&self, name: &str) -> Objection {
        let names = self.regions.iter().map(|region| region.name.as_str());
        let meant = nearest(name, names.clone()).map_or(String::new(), |nearest| {
            format!("is {} meant? ", quote(nearest))
        });
        let listed: Vec<_> = names.map(quote).collect();
        let message = format!("{} is not a configured region", quote(name));
        Objection::new(message).help(format!(
            "{meant}the regions are {}; to add one, write\n[[regions]]\nname = {}\nlayers = [...]",
            listed.join(", "),
            toml_text(name),
        ))
    }
}

fn too_deep(config: &RegionConfig, layer: u16) -> Objection {
    const SHOWN: u16 = 32;
    let message = format!(
        "layer {layer} of {}, which has {} layers",
        quote(&config.name),
        config.layers.len()
    );
    let name = toml_text(&config.name);
    if layer > SHOWN {
        return Objection::new(message)
            .help(format!("list its layers under [[regions]] name = {name}"));
    }
    let label = |number: u16| match config.layers.get(usize::from(number)) {
        Some(label) => toml_text(label),
        None => toml_text((number + 1).to_string()),
    };
    let labels: Vec<_> = (0..layer).map(label).collect();
    Objection::new(message).help(format!(
        "if the region has more layers, write\n[[regions]]\nname = {name}\nlayers = [{}]",
        labels.join(", ")
    ))
}
