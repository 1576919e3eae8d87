//! How fast is a table read? A canonical CSV of a million rows, checked, sorted and grouped.

#![allow(clippy::print_stdout, missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eyemap_benches::{ROWS_PER_COLUMN, file, read, table};

fn csv(criterion: &mut Criterion) {
    const TYPES: usize = 101;
    let text = table(TYPES, 900);
    let rows = TYPES * 900 * ROWS_PER_COLUMN + 1;
    println!("{rows} rows, {:.1} MB", text.len() as f64 / 1e6);
    let (_dir, path) = file(&text);
    assert_eq!(read(&path).rows, rows as u64);
    let mut group = criterion.benchmark_group("ingest");
    group
        .throughput(Throughput::Elements(rows as u64))
        .sample_size(10);
    group.bench_function("csv", |b| b.iter(|| read(&path)));
    group.finish();
}

criterion_group!(benches, csv);
criterion_main!(benches);
