//! `[memory] limit` is kept, whatever the limit, the number of threads and the form of the table.

use eyemap_snapshots::limits::{Form, Outcome, Size, keeps, write_table};

const MEGA: u64 = 1_000_000;

/// Many small parts, so that each of many threads has something to read.
const PARTS: Size = Size {
    parts: 48,
    edge: 14,
    layers: 3,
    seed: 1,
};

#[track_caller]
fn kept(dir: &std::path::Path, table: &str, limit: u64, threads: usize) -> Outcome {
    keeps(dir, table, limit, threads).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_limit_is_kept_with_any_number_of_threads_and_in_every_form_of_table() {
    let dir = tempfile::tempdir().expect("a directory");
    for form in Form::ALL {
        write_table(&dir.path().join("table"), form, PARTS);
        for (limit, threads) in [(80, 256), (128, 64)] {
            let outcome = kept(dir.path(), "table", limit * MEGA, threads);
            assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
            // There is room for more than one, and not for all.
            let all = threads.min(PARTS.parts) as u64;
            assert!((2..all).contains(&outcome.threads), "{outcome:?}");
            std::fs::remove_dir_all(dir.path().join("out")).ok();
        }
        std::fs::remove_dir_all(dir.path().join("table")).expect("removed");
    }
}

#[test]
fn a_run_that_does_not_fit_is_refused_with_the_limit_that_would_do() {
    let dir = tempfile::tempdir().expect("a directory");
    let large = Size {
        parts: 1,
        edge: 240,
        layers: 10,
        seed: 1,
    };
    write_table(&dir.path().join("table"), Form::Parquet, large);
    let outcome = kept(dir.path(), "table", 68 * MEGA, 4);
    assert_eq!(outcome.code, Some(2), "{}", outcome.stderr);
    assert_eq!(outcome.threads, 0);
}
