//! Any bytes as a table, as an atlas and as a side table: refused with a reason that can be shown,
//! or read into a dataset that keeps its promises.

#![no_main]

use std::{collections::BTreeSet, path::Path, sync::OnceLock};

use eyemap_engine::{
    Side,
    config::{ColumnSource, Config, Unmatched},
    dataset::Dataset,
    ingest::{IngestOptions, TableError, read_dataset, read_side_table},
    model::{AttributeValues, MetricKind, SideAtlas},
};
use libfuzzer_sys::fuzz_target;
use tempfile::NamedTempFile;

/// A table that fits any atlas with column 1, 1 of the right medulla.
const TABLE: &[u8] = b"cell_type,region,side,hex1,hex2,layer,synapses\nTm3,ME,R,1,1,0,5\n";

fn file(which: &'static OnceLock<NamedTempFile>, bytes: &[u8]) -> &'static Path {
    let file = which.get_or_init(|| NamedTempFile::new().expect("a temporary file"));
    std::fs::write(file.path(), bytes).expect("written");
    file.path()
}

fuzz_target!(|bytes: &[u8]| {
    static FUZZED: OnceLock<NamedTempFile> = OnceLock::new();
    static FIXED: OnceLock<NamedTempFile> = OnceLock::new();
    let path = file(&FUZZED, bytes);
    let mut config = Config::default();
    config.table.skip_unplaced = bytes.len() % 2 == 1;
    if bytes.len().is_multiple_of(3) {
        let column = ColumnSource::Pattern {
            from: "roi".into(),
            pattern: r"(?P<region>\w+)_(?P<side>[LR])(_col_(?P<hex1>\d+)_(?P<hex2>\d+))?".into(),
            unmatched: Unmatched::Skip,
        };
        config.table.columns.insert("column".into(), column);
    }
    read(path, None, &config);
    read(file(&FIXED, TABLE), Some(path), &config);
    if let Err(error) = read_side_table(path) {
        check_error(&error);
    }
});

fn read(table: &Path, atlas: Option<&Path>, config: &Config) {
    let options = IngestOptions {
        atlas_file: atlas,
        ..IngestOptions::of(config)
    };
    match read_dataset(&[table.to_owned()], &options) {
        Ok(dataset) => check(&dataset),
        Err(error) => check_error(&error),
    }
}

/// An error goes to a terminal.
fn check_error(error: &TableError) {
    let text = format!("{error}\n{}", error.help().unwrap_or_default());
    assert!(!error.to_string().is_empty());
    let hostile = |c: char| c.is_control() && c != '\n';
    assert!(!text.contains(hostile), "{text:?}");
}

fn check(dataset: &Dataset) {
    assert!(!dataset.types.is_empty());
    assert!(
        dataset
            .types
            .windows(2)
            .all(|pair| pair[0].name < pair[1].name)
    );
    for side in [Side::Left, Side::Right] {
        check_atlas(dataset.atlas.side(side), dataset);
    }
    for index in 0..dataset.types.len() {
        let cell_type = dataset.cell_type(index).expect("in memory");
        assert!(!cell_type.name.is_empty() && !cell_type.name.contains(char::is_control));
        let places: Vec<_> = cell_type
            .parts
            .iter()
            .map(|part| (part.region, part.side))
            .collect();
        assert!(places.windows(2).all(|pair| pair[0] < pair[1]));
        for part in &cell_type.parts {
            let atlas = dataset.atlas.side(part.side);
            assert!(!part.columns.is_empty());
            assert!(part.columns.windows(2).all(|pair| pair[0] < pair[1]));
            for column in &part.columns {
                let at = atlas.columns.binary_search(column).expect("in the atlas");
                assert_eq!(atlas.regions[at] >> part.region & 1, 1);
            }
            assert_eq!(part.metrics.len(), dataset.metrics.len());
            for (values, metric) in part.metrics.iter().zip(&dataset.metrics) {
                assert_eq!(values.whole.len(), part.columns.len());
                assert_eq!(values.layers.len(), part.columns.len() * part.n_layers);
                let fine = |value: &f64| match metric.kind {
                    MetricKind::Count => value.is_nan() || (*value >= 0.0 && value.fract() == 0.0),
                    MetricKind::Number => !value.is_infinite(),
                };
                assert!(values.whole.iter().chain(&values.layers).all(fine));
            }
        }
    }
}

fn check_atlas(atlas: &SideAtlas, dataset: &Dataset) {
    assert!(atlas.columns.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(atlas.columns.len(), atlas.regions.len());
    assert!(
        atlas
            .regions
            .iter()
            .all(|&bits| bits != 0 && bits >> dataset.regions.len() == 0)
    );
    for values in atlas.attributes.iter().flatten() {
        let length = match values {
            AttributeValues::I64(values) => values.len(),
            AttributeValues::F64(values) => values.len(),
            AttributeValues::Text(values) => values.len(),
        };
        assert_eq!(length, atlas.columns.len());
    }
    let names: BTreeSet<_> = dataset.atlas.attribute_names.iter().collect();
    assert_eq!(names.len(), dataset.atlas.attribute_names.len());
}
