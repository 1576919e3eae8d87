//! What a table may take in memory while it is read, whatever is in it.

use super::*;
use crate::ingest::source::Source;

const HEADER: &str = "cell_type,region,side,hex1,hex2,layer,synapses,cells";
const ROW: &str = "Mi1,ME,R,1,1,0,5,1";

#[test]
fn a_quote_that_is_never_closed_is_refused_at_its_line_and_takes_no_more_than_a_megabyte() {
    let rows = format!("{}\n", ROW).repeat(100_000);
    let text = format!("{HEADER}\n{ROW}\n\"Mi1,ME,R,2,2,0,5,1\n{rows}");
    let refusal = Bench::new().refusal_of(&text);
    assert_eq!(
        refusal,
        "counts.csv, line 3: a row of more than 1 MiB\nhelp: close the double quote that opens a text \
         here, or leave out columns that are not read"
    );
}

/// Numbers of rows in the batches of a table.
fn batches(source: &mut Source) -> Vec<usize> {
    let mut rows = Vec::new();
    while let Some(batch) = source.next_batch().unwrap() {
        rows.push(batch.len());
    }
    rows
}

#[test]
fn a_batch_of_long_rows_ends_early() {
    let bench = Bench::new();
    let long = "x".repeat(100_000);
    let path = bench.write(
        "long.csv",
        format!("a,b\n{}", format!("{long},1\n").repeat(100)),
    );
    let of = |columns: &[usize]| {
        let mut source = Source::open(&path).unwrap();
        source.select(columns);
        batches(&mut source)
    };
    assert_eq!(of(&[0, 1]), [[11; 9].as_slice(), &[1]].concat());
    // What is not read is not kept.
    assert_eq!(of(&[1]), [100]);
}

#[test]
fn a_table_of_many_columns_is_read_by_those_that_are_asked_for() {
    let more: String = (0..50_000).map(|n| format!(",c{n}")).collect();
    let cells = ",7".repeat(50_000);
    let rows: String = (0..20)
        .map(|n| format!("Mi1,ME,R,{n},1,0,5,1{cells}\n"))
        .collect();
    let bench = Bench::new();
    let path = bench.write("wide.csv", format!("{HEADER}{more}\n{rows}"));
    let mut source = Source::open(&path).unwrap();
    source.select(&[0, 3]);
    // Two records, and a batch as of any other table.
    assert!(source.most_held() < 16 << 20, "{}", source.most_held());
    assert_eq!(batches(&mut source), [20]);
}

/// What reading is refused with under a limit, if it is.
fn under(bench: &Bench, path: PathBuf, limit: u64) -> Result<Dataset, TableError> {
    let pressure = Pressure::default();
    pressure.room.limit_to(limit, 1.0, 0);
    let options = IngestOptions {
        pressure: Some(&pressure),
        ..bench.options()
    };
    read_dataset(&[path], &options)
}

#[test]
fn a_table_that_does_not_fit_is_refused_with_a_limit_that_would_do() {
    let bench = Bench::new();
    let path = bench.write("counts.csv", format!("{HEADER}\n{ROW}\n"));
    let Err(TableError::TooLittle(refused)) = under(&bench, path.clone(), 6 << 20) else {
        panic!("it was read");
    };
    assert!(
        refused.needed > 6 << 20 && refused.needed < 20 << 20,
        "{refused:?}"
    );
    let read = under(&bench, path, refused.needed + 1).unwrap();
    assert_eq!(read.rows, 1);
}

#[cfg(feature = "arrow")]
mod binary {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array, RecordBatch};
    use arrow_ipc::{
        CompressionType,
        writer::{FileWriter, IpcWriteOptions, StreamWriter},
    };
    use parquet::{arrow::ArrowWriter, file::properties::WriterProperties};

    use super::*;

    const ROWS: usize = 20_000;
    /// Bytes of a column.
    const COLUMN: u64 = 8 * ROWS as u64;

    fn table() -> RecordBatch {
        let column = |first: i64| {
            let numbers = (0..ROWS as i64).map(|n| first + n % 7);
            Arc::new(numbers.collect::<Int64Array>()) as ArrayRef
        };
        RecordBatch::try_from_iter([("a", column(1)), ("b", column(2)), ("c", column(3))]).unwrap()
    }

    fn ipc(compression: Option<CompressionType>) -> Vec<u8> {
        let options = IpcWriteOptions::default()
            .try_with_compression(compression)
            .unwrap();
        let table = table();
        let mut writer =
            FileWriter::try_new_with_options(Vec::new(), &table.schema(), options).unwrap();
        writer.write(&table).unwrap();
        writer.into_inner().unwrap()
    }

    fn opened(bench: &Bench, bytes: &[u8], columns: &[usize]) -> Source {
        let mut source = Source::open(&bench.write("table", bytes)).unwrap();
        source.select(columns);
        source
    }

    #[test]
    fn a_large_batch_of_a_file_is_taken_apart() {
        let bench = Bench::new();
        for bytes in [ipc(None), ipc(Some(CompressionType::LZ4_FRAME))] {
            let mut source = opened(&bench, &bytes, &[0, 2]);
            assert_eq!(batches(&mut source), [8192, 8192, 3616]);
        }
        let mut source = opened(&bench, &ipc(None), &[1]);
        source.batch_rows(5000);
        let mut numbers = Vec::new();
        while let Some(batch) = source.next_batch().unwrap() {
            numbers.push(batch.number(0));
        }
        assert_eq!(numbers, [1, 5001, 10_001, 15_001]);
    }

    #[test]
    fn what_a_batch_takes_is_known_before_it_is_read() {
        let bench = Bench::new();
        let held = |bytes: &[u8], columns: &[usize]| opened(&bench, bytes, columns).most_held();
        let cells = 2 << 20;
        // The body of a batch is read whole, and what is compressed expands where it is asked for.
        let plain = ipc(None);
        let body = held(&plain, &[0]) - cells;
        assert!((3 * COLUMN..4 * COLUMN).contains(&body), "{body}");
        let packed = ipc(Some(CompressionType::LZ4_FRAME));
        let one = held(&packed, &[0]);
        let all = held(&packed, &[0, 1, 2]);
        assert!(
            (2 * COLUMN..2 * COLUMN + 4096).contains(&(all - one)),
            "{one} {all}"
        );
        let table = table();
        let mut stream = StreamWriter::try_new(Vec::new(), &table.schema()).unwrap();
        stream.write(&table.slice(0, 1000)).unwrap();
        stream.write(&table).unwrap();
        stream.write(&table.slice(0, 10)).unwrap();
        let stream = stream.into_inner().unwrap();
        assert_eq!(held(&stream, &[0]) - cells, body);
    }

    #[test]
    fn of_parquet_pages_count_and_not_row_groups() {
        let bench = Bench::new();
        let held = |rows| {
            let table = table();
            let properties = WriterProperties::builder()
                .set_dictionary_enabled(false)
                .set_data_page_row_count_limit(rows)
                .set_write_batch_size(100);
            let mut writer =
                ArrowWriter::try_new(Vec::new(), table.schema(), Some(properties.build())).unwrap();
            writer.write(&table).unwrap();
            let bytes = writer.into_inner().unwrap();
            opened(&bench, &bytes, &[0, 1]).most_held()
        };
        let (one, many) = (held(ROWS), held(1000));
        assert!(one - many > 3 * COLUMN, "{one} {many}");
        assert!(one - many < 5 * COLUMN, "{one} {many}");
    }
}
