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
    insta::assert_snapshot!(row("Mi1,ME,R,0a,1,0,5,1"), @r#""#);
    insta::assert_snapshot!(row("Mi1,ME,R,1,0x1F,0,5,1"), @r#""#);
    insta::assert_snapshot!(row("Mi1,ME,R,1.5,1,0,5,1"), @r#""#);
    insta::assert_snapshot!(row("Mi1,ME,R,99999999999,1,0,5,1"), @r#""#);
}

#[test]
fn values_that_are_no_counts_are_refused() {
    insta::assert_snapshot!(row("Mi1,ME,R,1,2,0,-5,1"), @r#""#);
    for value in [
        "2.5",
        "inf",
        "-inf",
        "1e-3",
        "9007199254740993",
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
fn a_null_place_is_refused() {
    insta::assert_snapshot!(row("Mi1,ME,R,,1,0,5,1"), @r#""#);
    insta::assert_snapshot!(row("Mi1,ME,R,1,1,,5,1"), @r#""#);
}

#[test]
fn nameless_rows_are_refused() {
    insta::assert_snapshot!(row(",ME,R,1,1,0,5,1"), @r#""#);
    insta::assert_snapshot!(row("Mi1,,R,1,1,0,5,1"), @r#""#);
    insta::assert_snapshot!(body(",Mi1,ME,R,1,1,1,5"), @r#""#);
}

#[test]
fn control_characters_in_names_are_refused_and_escaped() {
    insta::assert_snapshot!(row("Mi\u{1b}[31m1,ME,R,1,1,0,5,1"), @r#""#);
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
    insta::assert_snapshot!(row("Mi1,ME,M,1,1,0,5,1"), @r#""#);
    insta::assert_snapshot!(row("Mi1,AME,R,1,1,0,5,1"), @r#""#);
    insta::assert_snapshot!(row("Mi1,LOP,R,1,1,5,5,1"), @r#""#);
    insta::assert_snapshot!(row("Mi1,LOP,R,1,1,-1,5,1"), @r#""#);
}

#[test]
fn duplicates_name_both_rows() {
    insta::assert_snapshot!(row("Mi1,ME,right,1,1,0,6,1"), @r#""#);
    insta::assert_snapshot!(body("7,Mi1,ME,R,1,1,1,5\n7,Mi1,ME,R,1,1,2,5\n7,Mi1,ME,R,1,1,1,4"), @r#""#);
    let cells = "body_id,cell_type,region,side,hex1,hex2\n7,C2,ME,R,1,1\n7,C2,ME,R,1,1\n";
    insta::assert_snapshot!(Bench::new().refusal_of(cells), @r#""#);
    let tall =
        "cell_type,region,side,hex1,hex2,metric,value\nC2,ME,R,1,1,cells,1\nC2,ME,R,1,1,cells,1\n";
    insta::assert_snapshot!(Bench::new().refusal_of(tall), @r#""#);
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
    insta::assert_snapshot!(body("7.20575940603042e17,Mi1,ME,R,1,1,1,5"), @r#""#);
    insta::assert_snapshot!(body("-7,Mi1,ME,R,1,1,1,5"), @r#""#);
    insta::assert_snapshot!(body("99999999999999999999,Mi1,ME,R,1,1,1,5"), @r#""#);
    let neighbours = "18446744073709551615,Mi1,ME,R,1,1,1,5\n18446744073709551614,Mi1,ME,R,1,1,1,5\n12.0,Mi1,ME,R,1,1,1,5\n";
    let head = "body_id,cell_type,region,side,hex1,hex2,layer,synapses\n";
    let dataset = Bench::new().read(&format!("{head}{neighbours}"));
    assert_eq!(wholes(only_part(&dataset))[0], "3");
}

#[test]
fn bodies_need_a_layer_where_there_are_layers() {
    insta::assert_snapshot!(body("7,Mi1,ME,R,1,1,0,5"), @r#""#);
    insta::assert_snapshot!(Bench::new().refusal_of("body_id,cell_type,region,side,hex1,hex2,layer\n7,C2,ME,R,1,1,1\n"), @r#""#);
}

#[test]
fn missing_columns_are_named_with_their_nearest() {
    insta::assert_snapshot!(Bench::new().refusal_of("cell_type,region,side,olHex1,hex2,synapses\n"), @r#""#);
    insta::assert_snapshot!(Bench::new().refusal_of("type,region,side,hex1,hex2,synapses\n"), @r#""#);
    insta::assert_snapshot!(Bench::new().refusal_of("cell_type,region,side,hex1,hex2,total_synapses\n"), @r#""#);
    insta::assert_snapshot!(Bench::new().map("hex1", "olHex1").refusal_of(format!("{HEAD}{GOOD}")), @r#""#);
    insta::assert_snapshot!(Bench::new().map("hexl", "hex1").refusal_of(format!("{HEAD}{GOOD}")), @r#""#);
    let metric = "cell_type,region,side,hex1,hex2,metric,value\nC2,ME,R,1,1,cell,1\n";
    insta::assert_snapshot!(Bench::new().refusal_of(metric), @r#""#);
}

#[test]
fn empty_and_uneven_tables_are_refused() {
    insta::assert_snapshot!(Bench::new().refusal_of(""), @r#""#);
    insta::assert_snapshot!(Bench::new().refusal_of("\n\n\r\n"), @r#""#);
    insta::assert_snapshot!(Bench::new().refusal_of(HEAD), @r#""#);
    insta::assert_snapshot!(row("Mi1,ME,R,1,2,0,5"), @r#""#);
    insta::assert_snapshot!(Bench::new().refusal_of("cell_type,side,side\n"), @r#""#);
    insta::assert_snapshot!(Bench::new().skipping().refusal_of(format!("{HEAD}Mi1,ME,R,,1,0,5,1\n")), @r#""#);
}

#[test]
fn files_that_are_no_tables_are_refused() {
    insta::assert_snapshot!(Bench::new().refusal_of(b"\x89PNG\r\n\x1a\n\0\0"), @r#""#);
    insta::assert_snapshot!(Bench::new().refusal_of(b"\x7fELF\x02\x01\x01\0"), @r#""#);
    insta::assert_snapshot!(Bench::new().refusal_of(b"a\0b"), @r#""#);
    insta::assert_snapshot!(Bench::new().refusal_of(b"cell\xff_type,region,side,hex1\nMi1\n"), @r#""#);
    let latin = [HEAD.as_bytes(), GOOD.as_bytes(), b"Mi\xe9,ME,R,1,2,0,5,1\n"].concat();
    insta::assert_snapshot!(Bench::new().refusal_of(latin), @r#""#);
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
        read_dataset(&path, &options),
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
    read_dataset(&path, &options).unwrap();
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
    insta::assert_snapshot!(bench.refusal_of(format!("{HEAD}{GOOD}")), @r#""#);
}
