//! The same rows in every format give the same dataset.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::*;

const TEXT: &str = "cell_type,region,side,hex1,hex2,layer,synapses,cells\n\
    Mi1,ME,R,1,1,0,5,1\nMi1,ME,R,1,1,3,5,1\nT4a,LOP,L,-2,7,0,8,2\n";

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn compressed_text_equals_plain_text() {
    let bench = Bench::new();
    let plain = bench.read(TEXT);
    let path = bench.write("counts.dat", gzip(TEXT.as_bytes()));
    assert_eq!(bench.read_file(&path).unwrap(), plain);
    let (first, second) = TEXT.as_bytes().split_at(70);
    let path = bench.write("counts.csv.gz", [gzip(first), gzip(second)].concat());
    assert_eq!(bench.read_file(&path).unwrap(), plain);
}

#[test]
fn windows_ends_marks_and_separators_do_not_matter() {
    let bench = Bench::new();
    let plain = bench.read(TEXT);
    assert_eq!(
        bench.read(&format!("\u{feff}{}", TEXT.replace('\n', "\r\n"))),
        plain
    );
    assert_eq!(bench.read(&TEXT.replace(',', ";")), plain);
    assert_eq!(bench.read(&TEXT.replace(',', "\t")), plain);
    assert_eq!(bench.read(TEXT.trim_end()), plain);
    assert_eq!(
        bench.read(&TEXT.replace("Mi1", "\"Mi1\"").replace(",1\n", ",\"1\"\r\n")),
        plain
    );
}

#[test]
fn cut_gzip_is_refused() {
    let bench = Bench::new();
    let whole = gzip(TEXT.as_bytes());
    let path = bench.write("counts.csv.gz", &whole[..whole.len() - 12]);
    insta::assert_snapshot!(bench.refusal(&path), @r#"
    counts.csv.gz: is damaged or cut short, or is not a gzip file
    help: write or copy the file again
    "#);
    let path = bench.write("picture.csv.gz", gzip(b"\x89PNG\r\n\x1a\n"));
    insta::assert_snapshot!(bench.refusal(&path), @r#"
    picture.csv.gz: is a PNG picture, not a table
    help: a table is CSV (also .csv.gz), Parquet, or Arrow IPC / Feather version 2
    "#);
}

#[cfg(feature = "arrow")]
mod binary {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, Decimal128Array, DictionaryArray, Float64Array, Int32Array, LargeStringArray,
        RecordBatch, StringArray, StringViewArray, UInt8Array, UInt64Array,
    };
    use arrow_ipc::{
        CompressionType,
        writer::{FileWriter, IpcWriteOptions, StreamWriter},
    };
    use parquet::arrow::ArrowWriter;
    use proptest::prelude::*;

    use super::*;

    fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
        RecordBatch::try_from_iter(
            columns
                .iter()
                .map(|(name, array)| (*name, Arc::clone(array))),
        )
        .unwrap()
    }

    fn counts() -> RecordBatch {
        let types: DictionaryArray<arrow_array::types::Int8Type> =
            vec!["Mi1", "Mi1", "T4a"].into_iter().collect();
        let cells = Decimal128Array::from(vec![100, 100, 200])
            .with_precision_and_scale(10, 2)
            .unwrap();
        batch(&[
            ("cell_type", Arc::new(types)),
            (
                "region",
                Arc::new(StringViewArray::from(vec!["ME", "ME", "LOP"])),
            ),
            (
                "side",
                Arc::new(LargeStringArray::from(vec!["R", "R", "L"])),
            ),
            (
                "unread",
                Arc::new(StringArray::from(vec![None, Some("x"), None])),
            ),
            ("hex1", Arc::new(Float64Array::from(vec![1.0, 1.0, -2.0]))),
            ("hex2", Arc::new(Int32Array::from(vec![1, 1, 7]))),
            ("layer", Arc::new(UInt8Array::from(vec![0, 3, 0]))),
            (
                "synapses",
                Arc::new(StringArray::from(vec!["5", "5.0", "8"])),
            ),
            ("cells", Arc::new(cells)),
        ])
    }

    #[test]
    fn a_buffer_that_lies_about_what_it_expands_to_is_refused_before_memory_is_asked_for() {
        let names: StringArray = (0..3000)
            .map(|row| Some(format!("Mi{}", row % 2)))
            .collect();
        let batch = batch(&[("cell_type", Arc::new(names))]);
        let options = IpcWriteOptions::default()
            .try_with_compression(Some(CompressionType::ZSTD))
            .unwrap();
        let mut whole = Vec::new();
        let mut writer =
            FileWriter::try_new_with_options(&mut whole, &batch.schema(), options).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        drop(writer);
        // Before the bytes of Zstandard stands what they expand to.
        let magic = [0x28, 0xb5, 0x2f, 0xfd];
        let frames = whole.windows(4).enumerate();
        let frames: Vec<usize> = frames
            .filter(|(_, w)| *w == magic)
            .map(|(at, _)| at)
            .collect();
        assert!(!frames.is_empty(), "nothing is compressed");
        for at in frames {
            for claim in [1_i64 << 40, 1 << 60, i64::MAX] {
                let mut bytes = whole.clone();
                bytes[at - 8..at].copy_from_slice(&claim.to_le_bytes());
                let bench = Bench::new();
                let path = bench.write("counts.feather", &bytes);
                let refusal = bench.refusal(&path);
                assert!(refusal.contains("is damaged"), "{refusal}");
            }
        }
    }

    fn parquet(batch: &RecordBatch) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
        bytes
    }

    fn ipc_file(batch: &RecordBatch) -> Vec<u8> {
        let mut writer = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        writer.write(batch).unwrap();
        writer.into_inner().unwrap()
    }

    fn ipc_stream(batch: &RecordBatch) -> Vec<u8> {
        let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
        writer.write(batch).unwrap();
        writer.into_inner().unwrap()
    }

    fn bodies(ids: ArrayRef) -> RecordBatch {
        let one: ArrayRef = Arc::new(Int32Array::from(vec![1; ids.len()]));
        let text = |word| Arc::new(StringArray::from(vec![word; ids.len()])) as ArrayRef;
        batch(&[
            ("body_id", Arc::clone(&ids)),
            ("cell_type", text("Mi1")),
            ("region", text("ME")),
            ("side", text("R")),
            ("hex1", Arc::clone(&one)),
            ("hex2", one),
        ])
    }

    #[test]
    fn binary_tables_equal_text() {
        let bench = Bench::new();
        let plain = bench.read(TEXT);
        for bytes in [
            parquet(&counts()),
            ipc_file(&counts()),
            ipc_stream(&counts()),
        ] {
            let path = bench.write("counts.csv", bytes);
            assert_eq!(bench.read_file(&path).unwrap(), plain);
        }
    }

    #[test]
    fn body_ids_of_any_size_are_exact_unless_floats() {
        let bench = Bench::new();
        let ids = bodies(Arc::new(UInt64Array::from(vec![u64::MAX, u64::MAX - 1])));
        let path = bench.write("cells.parquet", parquet(&ids));
        let dataset = bench.read_file(&path).unwrap();
        assert_eq!(shown(&only_part(&dataset).metrics[0].whole), "2");
        let floats = bodies(Arc::new(Float64Array::from(vec![
            12.0,
            720_575_940_603_042_272.0,
        ])));
        let path = bench.write("cells.parquet", parquet(&floats));
        insta::assert_snapshot!(bench.refusal(&path), @r#"
        cells.parquet, row 2, column body_id: "720575940603042300" is a float above 2^53, which has lost digits
        help: store body ids as 64-bit integers (in pandas: dtype "Int64"), not as floats
        "#);
    }

    #[test]
    fn nulls_and_nested_columns_are_refused_by_row() {
        let bench = Bench::new();
        let ids = bodies(Arc::new(UInt64Array::from(vec![Some(1), None])));
        let path = bench.write("cells.feather", ipc_file(&ids));
        insta::assert_snapshot!(bench.refusal(&path), @r#"
        cells.feather, row 2, column body_id: is empty
        help: every row needs a value here
        "#);
        let list = arrow_array::ListArray::from_iter_primitive::<arrow_array::types::Int32Type, _, _>(
            vec![Some(vec![Some(1)])],
        );
        let path = bench.write("cells.feather", ipc_file(&bodies(Arc::new(list))));
        insta::assert_snapshot!(bench.refusal(&path), @r#"
        cells.feather, column body_id: has the type List(Int32), not numbers or text
        "#);
    }

    #[test]
    fn a_cut_binary_table_is_refused() {
        let bench = Bench::new();
        for (name, bytes) in [
            ("a.parquet", parquet(&counts())),
            ("a.arrow", ipc_file(&counts())),
        ] {
            for length in [8, 50, bytes.len() / 2, bytes.len() - 1] {
                let path = bench.write(name, &bytes[..length]);
                let refusal = bench.refusal(&path);
                assert!(refusal.contains("is damaged or cut short"), "{refusal}");
            }
        }
        let bytes = ipc_stream(&counts());
        let path = bench.write("a.arrows", &bytes[..bytes.len() - 100]);
        insta::assert_snapshot!(bench.refusal(&path), @r#"
        a.arrows: is damaged or cut short, or is not an Arrow IPC stream
        help: write or copy the file again
        "#);
    }

    #[test]
    fn a_side_table_is_the_same_in_parquet() {
        let bench = Bench::new();
        let path = bench.write("directions.parquet", parquet(&counts()));
        let table = read_side_table(&path).unwrap();
        let of = |name: &str| table.column(name).unwrap().values.clone();
        assert_eq!(of("hex2"), SideValues::I64(vec![1, 1, 7]));
        assert_eq!(of("hex1"), SideValues::F64(vec![1.0, 1.0, -2.0]));
        assert_eq!(table.column("unread").unwrap().valid, [0, 1, 0]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(192))]

        #[test]
        fn changed_binary_tables_are_read_or_refused(
            format in 0..3_usize,
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let mut bytes = [parquet, ipc_file, ipc_stream][format](&counts());
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            let bench = Bench::new();
            let path = bench.write("counts", &bytes);
            if let Err(error) = bench.read_file(&path) {
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}
