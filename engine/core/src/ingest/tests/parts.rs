//! Tables of several files, and tables that do not fit in memory.

use super::*;

const HEAD: &str = "cell_type,region,side,hex1,hex2,layer,synapses,cells\n";

#[test]
fn a_directory_stands_for_its_tables_by_name() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("parts")).unwrap();
    for name in ["b.csv", "a.csv", ".hidden.csv", "_SUCCESS", "notes.txt"] {
        bench.write(&format!("parts/{name}"), HEAD);
    }
    let found = table_files(&[bench.path("parts"), bench.path("c.csv")]).unwrap();
    let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap()).collect();
    assert_eq!(names, ["a.csv", "b.csv", "c.csv"]);
    std::fs::create_dir(bench.path("empty")).unwrap();
    let error = table_files(&[bench.path("empty")]).unwrap_err();
    assert!(error.to_string().ends_with("is a directory without tables"));
}

#[test]
fn a_duplicate_in_two_files_names_both() {
    let bench = Bench::new();
    let row = "Mi1,ME,L,1,2,0,5,1\n";
    let a = bench.write("a.csv", format!("{HEAD}{row}"));
    let b = bench.write("b.csv", format!("{HEAD}Mi1,ME,L,1,3,0,5,1\n{row}"));
    let error = bench.read_files(&[a, b]).unwrap_err().to_string();
    let folder = format!("{}/", bench.folder.path().display());
    assert_eq!(
        error.replace(&folder, ""),
        "b.csv, line 3: the same cell type, region, side, column and layer as line 2 of a.csv"
    );
}

#[test]
fn of_errors_in_several_files_the_first_is_told() {
    let bench = Bench::new();
    let files: Vec<_> = (0..6)
        .map(|i| {
            let side = if i >= 2 { "nowhere" } else { "L" };
            bench.write(
                &format!("{i}.csv"),
                format!("{HEAD}Mi1,ME,{side},{i},2,0,5,1\n"),
            )
        })
        .collect();
    for _ in 0..20 {
        let error = bench.read_files(&files).unwrap_err().to_string();
        assert!(error.contains("2.csv, line 2, column side"), "{error}");
    }
}

#[test]
fn parts_with_other_columns_are_refused() {
    let bench = Bench::new();
    let a = bench.write("a.csv", format!("{HEAD}Mi1,ME,L,1,2,0,5,1\n"));
    let b = bench.write(
        "b.csv",
        "cell_type,region,side,hex1,hex2,layer,synapses\nMi1,ME,L,1,3,0,5\n",
    );
    let error = bench.read_files(&[a, b]).unwrap_err().to_string();
    assert!(error.contains("b.csv: has other columns than"), "{error}");
}

/// More columns than are held, in an order that is no order.
fn wide_table(columns: usize) -> String {
    let mut text = String::from(HEAD);
    for i in 0..columns {
        let at = i * 7919 % columns;
        let (hex1, hex2) = (at / 400, at % 400);
        text += &format!("Mi1,ME,R,{hex1},{hex2},0,{},1\n", at % 97);
    }
    text
}

#[test]
fn columns_that_are_too_many_are_kept_on_disk() {
    let bench = Bench::new();
    let n = 150_000;
    let dataset = bench.read(&wide_table(n));
    let right = &dataset.atlas.right;
    assert!(right.wide && right.columns.is_empty());
    assert_eq!(right.counts, [n as u64, 0, 0]);
    assert_eq!(right.extent.unwrap().hex1, [0, 374]);
    let (mut columns, mut seen) = (dataset.columns(Side::Right).unwrap(), 0);
    while let Some((found, regions)) = columns.next().unwrap() {
        assert_eq!((found, regions), (column(seen / 400, seen % 400), 1));
        seen += 1;
    }
    assert_eq!(seen as usize, n);
    assert!(
        dataset
            .columns(Side::Left)
            .unwrap()
            .next()
            .unwrap()
            .is_none()
    );
    let mut rows = dataset.part(0, (0, Side::Right)).unwrap();
    let (mut at, mut sum) = (0, 0.0);
    while let Some(batch) = rows.next_batch(4096).unwrap() {
        at += batch.columns.len();
        sum += batch.whole[1].iter().sum::<f64>();
    }
    let expected: usize = (0..n).map(|at| at % 97).sum();
    assert_eq!((at, sum), (n, expected as f64));
}

#[test]
fn as_many_columns_are_held_as_the_options_say() {
    let bench = Bench::new();
    let path = bench.write("a.csv", wide_table(70_000));
    for (held_columns, wide) in [(69_999, true), (70_000, false), (usize::MAX, false)] {
        let options = IngestOptions {
            held_columns,
            jobs: 1,
            ..bench.options()
        };
        let dataset = read_dataset(std::slice::from_ref(&path), &options).unwrap();
        let right = &dataset.atlas.right;
        assert_eq!((right.wide, right.columns.is_empty()), (wide, wide));
        assert_eq!(right.counts[0], 70_000);
    }
}

#[test]
fn a_directory_that_cannot_hold_rows_is_named() {
    let bench = Bench::new();
    let path = bench.write("a.csv", format!("{HEAD}Mi1,ME,L,1,2,0,5,1\n"));
    let options = IngestOptions {
        buffer_bytes: 0,
        scratch: bench.path("missing"),
        ..bench.options()
    };
    let error = read_dataset(&[path], &options).unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
    assert!(error.help().unwrap().contains("scratch"));
}
