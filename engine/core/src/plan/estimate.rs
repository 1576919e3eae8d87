//! How many bytes a map will have, before it is drawn.
//!
//! A line for each format: a constant, so much for each hexagon of the region, so much for each value of
//! a layer. The numbers are those of real maps of 880 columns and of small ones: whole maps are met
//! within 10 %, PNGs within 40 %. Maps that no column has data for are counted apart.

use crate::{
    dataset::Dataset,
    draw::{DrawOptions, Format},
    model::TableShape,
    pipeline::Request,
};

/// Bytes of a map in one format.
struct Line {
    constant: u64,
    hexagon: u64,
    /// In hundredths of a byte.
    layer_value_100: u64,
    blank_constant: u64,
    blank_hexagon: u64,
}

const fn line(format: Format) -> Line {
    match format {
        Format::Svg => Line {
            constant: 10_000,
            hexagon: 56,
            layer_value_100: 300,
            blank_constant: 1000,
            blank_hexagon: 3,
        },
        Format::SvgStatic => Line {
            constant: 1600,
            hexagon: 37,
            layer_value_100: 0,
            blank_constant: 1000,
            blank_hexagon: 3,
        },
        Format::Png => Line {
            constant: 2500,
            hexagon: 12,
            layer_value_100: 170,
            blank_constant: 2400,
            blank_hexagon: 12,
        },
        Format::Json => Line {
            constant: 500,
            hexagon: 167,
            layer_value_100: 9000,
            blank_constant: 500,
            blank_hexagon: 171,
        },
    }
}

/// The size of a map: hexagons of its region, columns that have data, layers of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapSize {
    /// Columns of the side's atlas.
    pub hexagons: u64,
    /// Columns with a row.
    pub columns: u64,
    /// Layers of each.
    pub layers: u64,
}

impl MapSize {
    /// Bytes in a format.
    pub fn bytes(self, format: Format, draw: &DrawOptions) -> u64 {
        let line = line(format);
        let bytes = if self.columns == 0 {
            line.blank_constant + line.blank_hexagon * self.hexagons
        } else {
            let values = self.columns * self.layers;
            line.constant + line.hexagon * self.hexagons + line.layer_value_100 * values / 100
        };
        match format {
            // Edges grow with the scale, faces compress to nothing.
            Format::Png => (bytes as f64 * draw.scale) as u64,
            _ => bytes,
        }
    }
}

/// Sizes of the maps of a dataset.
#[derive(Debug)]
pub struct Estimate<'a> {
    dataset: &'a Dataset,
    formats: &'a [Format],
    draw: DrawOptions,
}

impl<'a> Estimate<'a> {
    /// For maps in these formats.
    pub const fn new(dataset: &'a Dataset, formats: &'a [Format], draw: DrawOptions) -> Self {
        Self {
            dataset,
            formats,
            draw,
        }
    }

    /// The size of one map.
    pub fn size(&self, request: Request) -> MapSize {
        let data = self.dataset;
        let has_layers = !matches!(data.shape, TableShape::Cells);
        let labels = data.regions[request.region].layer_labels.len();
        MapSize {
            hexagons: data.atlas.side(request.side).columns.len() as u64,
            columns: data.columns_of(request.cell_type, request.region, request.side) as u64,
            layers: if has_layers { labels as u64 } else { 0 },
        }
    }

    /// Bytes of one map in all formats; never 0.
    pub fn bytes(&self, request: Request) -> u64 {
        let size = self.size(request);
        let formats = self.formats.iter();
        let bytes: u64 = formats.map(|&format| size.bytes(format, &self.draw)).sum();
        bytes.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_and_blank_maps_have_about_the_size_that_was_measured() {
        let size = |columns, layers| MapSize {
            hexagons: 880,
            columns,
            layers,
        };
        for (size, format, measured) in [
            (size(880, 10), Format::Svg, 85_700),
            (size(880, 0), Format::Svg, 59_900),
            (size(0, 10), Format::Svg, 3300),
            (size(880, 10), Format::SvgStatic, 34_300),
            (size(880, 0), Format::Png, 12_500),
            (size(880, 10), Format::Json, 945_500),
            (size(0, 10), Format::Json, 150_200),
        ] {
            let bytes = size.bytes(format, &DrawOptions::default());
            let off = bytes.abs_diff(measured) * 100 / measured;
            assert!(off <= 12, "{format:?}: {bytes}, measured {measured}");
        }
    }
}
