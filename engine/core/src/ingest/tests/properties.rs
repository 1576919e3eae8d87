//! Properties: order does not matter, and no bytes bring it down.

use proptest::prelude::*;

use super::*;

const HEAD: &str = "cell_type,region,side,hex1,hex2,layer,synapses,cells";

/// Distinct rows of a canonical table.
fn rows() -> impl Strategy<Value = Vec<String>> {
    let place = (0..3_usize, 0..2_usize, -2..3_i32, 0..3_i32, 0..5_u8);
    let name = prop::sample::select(vec!["Mi1", "T4a", "a", "É"]);
    let values = (prop::option::of(0..100_u32), prop::option::of(0..9_u32));
    prop::collection::btree_map((name, place), values, 1..40).prop_map(|rows| {
        let shown = |value: Option<u32>| value.map_or(String::new(), |value| value.to_string());
        rows.into_iter()
            .map(
                |((name, (region, side, hex1, hex2, layer)), (synapses, cells))| {
                    let (region, side) = (["ME", "LO", "LOP"][region], ["L", "R"][side]);
                    let (synapses, cells) = (shown(synapses), shown(cells));
                    format!("{name},{region},{side},{hex1},{hex2},{layer},{synapses},{cells}")
                },
            )
            .collect()
    })
}

fn text(rows: &[String]) -> String {
    format!("{HEAD}\n{}\n", rows.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_rows_does_not_matter(
        (sorted, shuffled) in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
    ) {
        let bench = Bench::new();
        let [sorted, shuffled] = [sorted, shuffled].map(|rows| told(&bench.read(&text(&rows))));
        prop_assert_eq!(sorted, shuffled);
    }

    #[test]
    fn nothing_depends_on_memory_threads_or_files(
        rows in rows().prop_shuffle(), cut in any::<prop::sample::Index>(), jobs in 1..4_usize
    ) {
        let bench = Bench::new();
        let whole = bench.read(&text(&rows));
        let (first, second) = rows.split_at(cut.index(rows.len() + 1).clamp(1, rows.len()));
        let paths: Vec<_> = [("a.csv", first), ("b.csv", second)]
            .into_iter()
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(name, rows)| bench.write(name, text(rows)))
            .collect();
        let options = IngestOptions {
            jobs,
            buffer_bytes: 0,
            held_bytes: 0,
            held_columns: 1 << 16,
            ..bench.options()
        };
        let parts = read_dataset(&paths, &options).unwrap();
        prop_assert!(parts.spilled_bytes > 0);
        prop_assert_eq!(told(&whole), told(&parts));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let bench = Bench::new();
        let path = bench.write("bytes", &bytes);
        if let Err(error) = bench.read_file(&path) {
            prop_assert!(!error.to_string().chars().any(char::is_control));
        }
        let _ = read_side_table(&path);
    }

    #[test]
    fn a_table_with_changed_bytes_is_read_or_refused(
        rows in rows(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let bench = Bench::new();
        let mut bytes = text(&rows).into_bytes();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let path = bench.write("counts.csv", &bytes);
        if let Err(error) = bench.read_file(&path) {
            prop_assert!(!error.to_string().chars().any(char::is_control));
        }
    }

    #[test]
    fn lines_are_those_of_the_text(blanks in prop::collection::vec((0..3_usize, any::<bool>()), 1..20)) {
        let mut text = format!("{HEAD}\n");
        for (index, (blank, windows)) in blanks.iter().enumerate() {
            text += &"\n".repeat(*blank);
            text += &format!("Mi1,ME,L,{index},1,0,5,1{}", if *windows { "\r\n" } else { "\n" });
        }
        text += "Mi1,ME,nowhere,1,1,0,5,1";
        let refusal = Bench::new().refusal_of(&text);
        let start = format!("counts.csv, line {}, column side", text.lines().count());
        prop_assert!(refusal.starts_with(&start), "{}", refusal);
    }
}
