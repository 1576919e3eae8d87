//! What is refused, in which words, and with which remedy.

use super::*;

const HEAD: &str = "cell_type,region,side,hex1,hex2,layer,synapses,cells\n";
const GOOD: &str = "Mi1,ME,R,1,1,0,5,1\n";

/// The refusal of a row after a good one, in a canonical table.
fn row(text: &str) -> String {
    Bench::new().refusal_of(format!("{HEAD}{GOOD}{text}\n"))
}

fn body(text: &str) -> String {
    Bench::new().refusal_of(format!(
        "body_id,cell_type,region,side,hex1,hex2,layer,synapses\n{text}\n"
    ))
}

#[test]
fn hexadecimal_names_are_refused() {
    insta::assert_snapshot!(row("Mi1,ME,R,0a,1,0,5,1"), @r#"
    counts.csv, line 3, column hex1: "0a" is not a decimal whole number
    help: decimal and hexadecimal names seem to be mixed in this table; write all of them as decimals, 10 in place of 0a
    "#);
    insta::assert_snapshot!(row("Mi1,ME,R,1,0x1F,0,5,1"), @r#"
    counts.csv, line 3, column hex2: "0x1F" is not a decimal whole number
    help: decimal and hexadecimal names seem to be mixed in this table; write all of them as decimals, 10 in place of 0a
    "#);
    insta::assert_snapshot!(row("Mi1,ME,R,1.5,1,0,5,1"), @r#"
    counts.csv, line 3, column hex1: "1.5" is not a decimal whole number
    help: whole numbers are written as 12 or 12.0
    "#);
    insta::assert_snapshot!(row("Mi1,ME,R,99999999999,1,0,5,1"), @r#"
    counts.csv, line 3, column hex1: "99999999999" is not a decimal whole number
    help: whole numbers are written as 12 or 12.0
    "#);
}

#[test]
fn values_that_are_no_counts_are_refused() {
    insta::assert_snapshot!(row("Mi1,ME,R,1,2,0,-5,1"), @r#"
    counts.csv, line 3, column synapses: "-5" is not a count
    help: a count is a whole number from 0 up to 2^53; leave the cell empty if it is unknown, or set kind = "number" for this metric
    "#);
    for value in [
        "2.5",
        "inf",
        "-inf",
        "1e-3",
        "9007199254740993",
        "9007199254740993.0",
        "0.99999999999999999999",
        "7.00000000000000000001",
        "1e300",
        "0x5",
        "abc",
        "1_000",
    ] {
        let refusal = row(&format!("Mi1,ME,R,1,2,0,5,{value}"));
        let start = format!("counts.csv, line 3, column cells: \"{value}\" is not a count\n");
        assert!(refusal.starts_with(&start), "{refusal}");
    }
    for value in ["3.0", "1e3", "+4", "9007199254740992", "-0", "-0.0", " 7 "] {
        Bench::new().read(&format!("{HEAD}Mi1,ME,R,1,2,0,5,{value}\n"));
    }
}

#[test]
fn counts_that_add_up_to_more_than_is_exact_are_refused() {
    let largest = 1_u64 << 53;
    let of_layers = |first: u64, second: u64| {
        format!(
            "cell_type,region,side,hex1,hex2,layer,synapses\nMi1,ME,R,1,1,1,{first}\nMi1,ME,R,1,1,2,{second}\n"
        )
    };
    Bench::new().read(&of_layers(largest - 2, 1));
    for (first, second) in [(largest - 1, 1), (largest, 1), (largest, largest)] {
        let refusal = Bench::new().refusal_of(of_layers(first, second));
        assert!(refusal.contains("add up to 2^53 or more"), "{refusal}");
    }
}

#[test]
fn a_null_place_is_refused() {
    insta::assert_snapshot!(row("Mi1,ME,R,,1,0,5,1"), @r#"
    counts.csv, line 3, column hex1: is empty
    help: to leave out rows that name no column, write
    [table]
    skip_unplaced = true
    "#);
    insta::assert_snapshot!(row("Mi1,ME,R,1,1,,5,1"), @r#"
    counts.csv, line 3, column layer: is empty
    help: to leave out rows that name no column, write
    [table]
    skip_unplaced = true
    "#);
}

#[test]
fn nameless_rows_are_refused() {
    insta::assert_snapshot!(row(",ME,R,1,1,0,5,1"), @r#"
    counts.csv, line 3, column cell_type: is empty
    help: every row needs a value here
    "#);
    insta::assert_snapshot!(row("Mi1,,R,1,1,0,5,1"), @r#"
    counts.csv, line 3, column region: is empty
    help: every row needs a value here
    "#);
    insta::assert_snapshot!(body(",Mi1,ME,R,1,1,1,5"), @r#"
    counts.csv, line 2, column body_id: is empty
    help: every row needs a value here
    "#);
}

#[test]
fn control_characters_in_names_are_refused_and_escaped() {
    insta::assert_snapshot!(row("Mi\u{1b}[31m1,ME,R,1,1,0,5,1"), @r#"
    counts.csv, line 3, column cell_type: the cell type "Mi\u{1b}[31m1" has a control character
    help: remove it from the name
    "#);
    let refusal = row(&format!("Mi1,\u{202e}\u{7}{},R,1,1,0,5,1", "x".repeat(100)));
    let message = refusal.lines().next().unwrap();
    assert_eq!(
        message,
        format!(
            "counts.csv, line 3, column region: \"\\u{{202e}}\\u{{7}}{}…\" is not a configured region",
            "x".repeat(58)
        )
    );
}

#[test]
fn unknown_sides_regions_and_layers_are_refused() {
    insta::assert_snapshot!(row("Mi1,ME,M,1,1,0,5,1"), @r#"
    counts.csv, line 3, column side: "M" is not a side
    help: a side is L, R, left or right
    "#);
    insta::assert_snapshot!(row("Mi1,AME,R,1,1,0,5,1"), @r#"
    counts.csv, line 3, column region: "AME" is not a configured region
    help: is "ME" meant? the regions are "ME", "LO", "LOP"; to add one, write
    [[regions]]
    name = "AME"
    layers = [...]
    "#);
    insta::assert_snapshot!(row("Mi1,LOP,R,1,1,5,5,1"), @r#"
    counts.csv, line 3, column layer: layer 5 of "LOP", which has 4 layers
    help: if the region has more layers, write
    [[regions]]
    name = "LOP"
    layers = ["1", "2", "3", "4", "5"]
    "#);
    insta::assert_snapshot!(row("Mi1,LOP,R,1,1,-1,5,1"), @r#"
    counts.csv, line 3, column layer: "-1" is not a layer
    help: layers are numbered from 1, and 0 stands for the whole column
    "#);
}

#[test]
fn duplicates_name_both_rows() {
    insta::assert_snapshot!(row("Mi1,ME,right,1,1,0,6,1"), @r#"
    counts.csv, line 3: the same cell type, region, side, column and layer as line 2
    help: keep one of the two rows, or sum them before
    "#);
    insta::assert_snapshot!(body("7,Mi1,ME,R,1,1,1,5\n7,Mi1,ME,R,1,1,2,5\n7,Mi1,ME,R,1,1,1,4"), @r#"
    counts.csv, line 4: the same body, column and layer as line 2
    help: keep one of the two rows, or sum them before
    "#);
    let tall =
        "cell_type,region,side,hex1,hex2,metric,value\nC2,ME,R,1,1,cells,1\nC2,ME,R,1,1,cells,1\n";
    insta::assert_snapshot!(Bench::new().refusal_of(tall), @r#"
    counts.csv, line 3: the same cell type, region, side, column, layer and metric as line 2
    help: keep one of the two rows, or sum them before
    "#);
}

#[test]
fn the_first_error_of_the_file_is_reported() {
    let refusal = row(&format!("{GOOD}Mi1,ME,X,1,1,0,5,1"));
    assert!(
        refusal.starts_with("counts.csv, line 3: the same cell type"),
        "{refusal}"
    );
    let refusal = row("Mi1,ME,X,1,1,0,5,1\nMi1,ME");
    assert!(
        refusal.starts_with("counts.csv, line 3, column side"),
        "{refusal}"
    );
    let refusal = row("Zz,ME,L,1,1,0,5,1\nZz,ME,L,1,1,0,5,1\nMi1,ME,R,1,1,0,5,1");
    assert!(
        refusal.starts_with("counts.csv, line 4: the same"),
        "{refusal}"
    );
}

#[test]
fn body_ids_are_exact() {
    insta::assert_snapshot!(body("7.20575940603042e17,Mi1,ME,R,1,1,1,5"), @r#"
    counts.csv, line 2, column body_id: "7.20575940603042e17" is a float above 2^53, which has lost digits
    help: store body ids as 64-bit integers (in pandas: dtype "Int64"), not as floats
    "#);
    insta::assert_snapshot!(body("-7,Mi1,ME,R,1,1,1,5"), @r#"
    counts.csv, line 2, column body_id: "-7" is not a body id
    help: a body id is a whole number from 0 up to 2^64 - 1
    "#);
    for fraction in ["123.00000000000000001", "0.99999999999999999999"] {
        let refusal = body(&format!("{fraction},Mi1,ME,R,1,1,1,5"));
        assert!(refusal.contains("is not a body id"), "{refusal}");
    }
    insta::assert_snapshot!(body("99999999999999999999,Mi1,ME,R,1,1,1,5"), @r#"
    counts.csv, line 2, column body_id: "99999999999999999999" is not a body id
    help: a body id is a whole number from 0 up to 2^64 - 1
    "#);
    let neighbours = "18446744073709551615,Mi1,ME,R,1,1,1,5\n18446744073709551614,Mi1,ME,R,1,1,1,5\n12.0,Mi1,ME,R,1,1,1,5\n";
    let head = "body_id,cell_type,region,side,hex1,hex2,layer,synapses\n";
    let dataset = Bench::new().read(&format!("{head}{neighbours}"));
    assert_eq!(wholes(&only_part(&dataset))[0], "3");
}

#[test]
fn bodies_need_a_layer_where_there_are_layers() {
    insta::assert_snapshot!(body("7,Mi1,ME,R,1,1,0,5"), @r#"
    counts.csv, line 2, column layer: layer 0 in a table of bodies
    help: give the layer of each row, from 1; whole columns are summed from the layers
    "#);
    insta::assert_snapshot!(Bench::new().refusal_of("body_id,cell_type,region,side,hex1,hex2,layer\n7,C2,ME,R,1,1,1\n"), @r#"
    counts.csv: no column "synapses"
    help: the file has the columns "body_id", "cell_type", "region", "side", "hex1", "hex2", "layer"; to say which one it is, write
    [table.columns]
    synapses = "<its name in the file>"
    "#);
}

#[test]
fn missing_columns_are_named_with_their_nearest() {
    insta::assert_snapshot!(Bench::new().refusal_of("cell_type,region,side,olHex1,hex2,synapses\n"), @r#"
    counts.csv: no column "hex1"
    help: the file has the columns "cell_type", "region", "side", "olHex1", "hex2", "synapses"; to say which one it is, write
    [table.columns]
    hex1 = "olHex1"
    "#);
    insta::assert_snapshot!(Bench::new().refusal_of("type,region,side,hex1,hex2,synapses\n"), @r#"
    counts.csv: no column "cell_type"
    help: the file has the columns "type", "region", "side", "hex1", "hex2", "synapses"; to say which one it is, write
    [table.columns]
    cell_type = "type"
    "#);
    insta::assert_snapshot!(Bench::new().refusal_of("cell_type,region,side,hex1,hex2,total_synapses\n"), @r#"
    counts.csv: no column of a metric ("cells", "synapses") and no "body_id"
    help: the file has the columns "cell_type", "region", "side", "hex1", "hex2", "total_synapses"; to say which one it is, write
    [table.columns]
    synapses = "total_synapses"
    "#);
    insta::assert_snapshot!(Bench::new().map("hex1", "olHex1").refusal_of(format!("{HEAD}{GOOD}")), @r#"
    counts.csv: no column "olHex1", named in [table.columns] for hex1
    help: the file has the columns "cell_type", "region", "side", "hex1", "hex2", "layer", "synapses", "cells"; to say which one it is, write
    [table.columns]
    hex1 = "hex1"
    "#);
    insta::assert_snapshot!(Bench::new().map("hexl", "hex1").refusal_of(format!("{HEAD}{GOOD}")), @r#"
    counts.csv: [table.columns] maps "hexl", which is not read
    help: names on the left are body_id, cell_type, region, side, hex1, hex2, layer, synapses, metric, value, cells; is hex1 meant?
    "#);
    let metric = "cell_type,region,side,hex1,hex2,metric,value\nC2,ME,R,1,1,cell,1\n";
    insta::assert_snapshot!(Bench::new().refusal_of(metric), @r#"
    counts.csv, line 2, column metric: "cell" is not a configured metric
    help: is "cells" meant? to add it, write
    [metrics.cell]
    kind = "count"
    [metrics.cells]
    kind = "count"
    [metrics.synapses]
    kind = "count"
    sum_layers = true
    "#);
}

#[test]
fn hostile_headers_and_names_reach_no_terminal() {
    let many: Vec<_> = (0..3000).map(|index| format!("c{index}\u{1b}")).collect();
    let refusal = Bench::new().refusal_of(format!("{}\n1\n", many.join(",")));
    assert!(refusal.len() < 1000, "{refusal}");
    assert!(
        refusal.contains("and 2976 more") && !refusal.contains('\u{1b}'),
        "{refusal}"
    );
    let refusal = row(&format!("Mi1,{}\u{202e},R,1,1,0,5,1", "ME".repeat(5000)));
    assert!(
        refusal.len() < 1000 && !refusal.contains('\u{202e}'),
        "{refusal}"
    );
}

#[test]
fn empty_and_uneven_tables_are_refused() {
    insta::assert_snapshot!(Bench::new().refusal_of(""), @r#"
    counts.csv: is empty
    help: a table starts with a line of column names
    "#);
    insta::assert_snapshot!(Bench::new().refusal_of("\n\n\r\n"), @r#"
    counts.csv: is empty
    help: a table starts with a line of column names
    "#);
    insta::assert_snapshot!(Bench::new().refusal_of(HEAD), @r#"
    counts.csv: has a header and no rows
    "#);
    insta::assert_snapshot!(row("Mi1,ME,R,1,2,0,5"), @r#"
    counts.csv, line 3: 7 fields where the header has 8
    help: a text that contains the separator needs double quotes around it, and numbers are written without thousands separators and with a decimal point
    "#);
    insta::assert_snapshot!(Bench::new().refusal_of("cell_type,side,side\n"), @r#"
    counts.csv: the column "side" is there twice
    help: rename or remove one of the columns side
    "#);
    insta::assert_snapshot!(Bench::new().skipping().refusal_of(format!("{HEAD}Mi1,ME,R,,1,0,5,1\n")), @r#"
    counts.csv: no row names a column
    "#);
}

#[test]
fn files_that_are_no_tables_are_refused() {
    insta::assert_snapshot!(Bench::new().refusal_of(b"\x89PNG\r\n\x1a\n\0\0"), @r#"
    counts.csv: is a PNG picture, not a table
    help: a table is CSV (also .csv.gz), Parquet, or Arrow IPC / Feather version 2
    "#);
    insta::assert_snapshot!(Bench::new().refusal_of(b"\x7fELF\x02\x01\x01\0"), @r#"
    counts.csv: is a program (ELF), not a table
    help: a table is CSV (also .csv.gz), Parquet, or Arrow IPC / Feather version 2
    "#);
    insta::assert_snapshot!(Bench::new().refusal_of(b"a\0b"), @r#"
    counts.csv: is a binary file, not a table
    help: a table is CSV (also .csv.gz), Parquet, or Arrow IPC / Feather version 2
    "#);
    insta::assert_snapshot!(Bench::new().refusal_of(b"cell\xff_type,region,side,hex1\nMi1\n"), @r#"
    counts.csv: is not UTF-8 text
    help: save the table as UTF-8 (in Excel: CSV UTF-8); on the command line: iconv -f WINDOWS-1252 -t UTF-8 FILE > table.csv
    "#);
    let latin = [HEAD.as_bytes(), GOOD.as_bytes(), b"Mi\xe9,ME,R,1,2,0,5,1\n"].concat();
    insta::assert_snapshot!(Bench::new().refusal_of(latin), @r#"
    counts.csv, line 3: is not UTF-8 text
    help: save the table as UTF-8 (in Excel: CSV UTF-8); on the command line: iconv -f WINDOWS-1252 -t UTF-8 FILE > table.csv
    "#);
}

#[test]
fn lines_are_counted_over_blank_lines_windows_ends_and_long_fields() {
    let refusal = |text: &str| {
        Bench::new()
            .refusal_of(text)
            .lines()
            .next()
            .unwrap()
            .to_owned()
    };
    let bad = "Mi1,ME,X,1,2,0,5,1";
    let side = |line: u32| format!("counts.csv, line {line}, column side: \"X\" is not a side");
    assert_eq!(refusal(&format!("{HEAD}\n\n{GOOD}\n{bad}")), side(6));
    let windows = format!("\u{feff}{HEAD}\n{GOOD}{bad}\n{GOOD}").replace('\n', "\r\n");
    assert_eq!(refusal(&windows), side(4));
    let noted = format!("note,{HEAD}\"two\nlines\",{GOOD}\"three\r\nmore\nlines\",{bad}\n");
    assert_eq!(refusal(&noted), side(4));
    assert_eq!(
        refusal(&format!("{HEAD}{GOOD}\"never closed,ME\n")),
        "counts.csv, line 3: 1 fields where the header has 8"
    );
    assert_eq!(
        refusal(&format!("{HEAD}{GOOD}\r\n\"a\"\n")),
        "counts.csv, line 4: 1 fields where the header has 8"
    );
}

#[test]
fn a_cancelled_reading_is_interrupted() {
    let bench = Bench::new();
    let path = bench.write("counts.csv", format!("{HEAD}{GOOD}{GOOD}"));
    let cancel = AtomicBool::new(true);
    let options = IngestOptions {
        cancel: Some(&cancel),
        ..bench.options()
    };
    assert!(matches!(
        read_dataset(std::slice::from_ref(&path), &options),
        Err(TableError::Interrupted)
    ));
}

#[test]
fn progress_ends_with_every_row_and_byte() {
    let bench = Bench::new();
    let text = format!("{HEAD}{GOOD}");
    let path = bench.write("counts.csv", &text);
    let last = std::sync::Mutex::new(None);
    let progress = |progress| *last.lock().unwrap() = Some(progress);
    let options = IngestOptions {
        progress: Some(&progress),
        ..bench.options()
    };
    read_dataset(std::slice::from_ref(&path), &options).unwrap();
    let bytes = text.len() as u64;
    let expected = Progress {
        rows: 1,
        bytes,
        total_bytes: bytes,
    };
    assert_eq!(*last.lock().unwrap(), Some(expected));
}

#[test]
fn more_than_sixty_four_regions_are_refused() {
    let mut bench = Bench::new();
    bench.regions = (0..65)
        .map(|index| RegionConfig {
            name: format!("R{index}"),
            layers: Vec::new(),
        })
        .collect();
    insta::assert_snapshot!(bench.refusal_of(format!("{HEAD}{GOOD}")), @r#"
    counts.csv: 65 regions are configured, at most 64 are possible
    help: remove [[regions]] that no map is drawn of
    "#);
}
