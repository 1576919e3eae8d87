//! The conformance tables of `snapshots/material`, and a few of their rows.

use super::*;
use crate::model::Atlas;

const FOLDER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../snapshots/material/conformance"
);

const COUNTS: &str = "cell_type,region,side,hex1,hex2,layer,synapses,cells\n\
    Tm3,LOP,L,4,3,0,2,1\nTm3,LOP,L,4,3,3,1,0\nTm3,LOP,L,4,3,4,1,1\n";
const COLUMNS: &str = "region,side,hex1,hex2\nLO,L,3,5\nLO,L,3,6\nLO,L,4,2\nLOP,L,4,3\n";

/// Reads a case and compares its totals with those of the text itself.
fn check(counts: &str, columns: &str) -> Dataset {
    let bench = Bench::new().with_atlas(columns);
    let dataset = bench.read(counts);
    let fields: Vec<Vec<&str>> = counts
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    assert_eq!(dataset.rows, fields.len() as u64);
    let total = |index: usize, whole: bool| -> f64 {
        let rows = fields.iter().filter(|row| (row[5] == "0") == whole);
        rows.map(|row| row[index].parse::<f64>().unwrap()).sum()
    };
    let types = cell_types(&dataset);
    let parts = || types.iter().flat_map(|cell_type| &cell_type.parts);
    for (metric, index) in [(0, 7), (1, 6)] {
        let wholes: f64 = parts().flat_map(|part| &part.metrics[metric].whole).sum();
        let layers: f64 = parts().flat_map(|part| &part.metrics[metric].layers).sum();
        assert_eq!((wholes, layers), (total(index, true), total(index, false)));
    }
    let Atlas { left, right, .. } = &dataset.atlas;
    let listed: u32 = left
        .regions
        .iter()
        .chain(&right.regions)
        .map(|bits| bits.count_ones())
        .sum();
    assert_eq!(listed as usize, columns.lines().count() - 1);
    dataset
}

#[test]
fn rows_of_the_toy_case_are_read() {
    let dataset = check(COUNTS, COLUMNS);
    assert_eq!(wholes(&only_part(&dataset)), ["1", "2"]);
}

#[test]
fn conformance_tables_are_read() {
    for case in ["toy", "degenerate", "optic-lobe"] {
        let file = |name: &str| {
            let file = std::fs::File::open(format!("{FOLDER}/{case}/{name}")).unwrap();
            std::io::read_to_string(flate2::read::GzDecoder::new(file)).unwrap()
        };
        let dataset = check(&file("counts.csv.gz"), &file("columns.csv.gz"));
        assert!(dataset.types.is_sorted_by(|a, b| a.name < b.name));
    }
}
