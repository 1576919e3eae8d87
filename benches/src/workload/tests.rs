use std::{collections::BTreeSet, fs::File};

use parquet::{file::reader::FileReader as _, file::serialized_reader::SerializedFileReader};

use super::{
    rows::ME_R,
    shape::{Line, Oval, oval, patch},
    *,
};
use crate::read;

fn rows(workload: &Workload) -> Vec<Row> {
    let mut all = Vec::new();
    workload
        .for_each(|rows| {
            all.extend_from_slice(rows);
            Ok(())
        })
        .unwrap();
    all
}

/// The lines of all parts as texts, in their order.
fn lines(dir: &Path) -> Vec<Vec<String>> {
    let mut parts: Vec<_> = fs::read_dir(dir.join("table"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    parts.sort();
    let read = |path| {
        let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
        let rows = reader.get_row_iter(None).unwrap();
        rows.map(|row| row.unwrap().to_string()).collect()
    };
    parts.into_iter().map(read).collect()
}

#[test]
fn a_seed_gives_the_same_files_and_another_seed_others() {
    let workload = Workload {
        types: 4,
        parts: 2,
        ..Workload::default()
    };
    let written = |workload: &Workload| {
        let dir = tempfile::tempdir().unwrap();
        workload.write(dir.path()).unwrap();
        let bytes = |name| fs::read(dir.path().join(name)).unwrap();
        [
            "table/part-0000.parquet",
            "table/part-0001.parquet",
            "atlas.csv",
        ]
        .map(bytes)
    };
    assert_eq!(written(&workload), written(&workload));
    let other = Workload {
        seed: 2,
        ..workload.clone()
    };
    assert_ne!(written(&workload), written(&other));
}

#[test]
fn the_rows_of_a_seed_are_the_same_on_every_machine() {
    // What machines could disagree about: the bits of random numbers, logarithms and powers.
    let rows = rows(&Workload {
        types: 5,
        nulls: 0.01,
        ..Workload::default()
    });
    let hash = blake3::hash(format!("{rows:?}").as_bytes()).to_hex();
    assert_eq!(hash[..16], *"aef8fcf5067157c9");
}

#[test]
fn shares_of_maps_and_sizes_of_types_are_those_of_a_real_data_set() {
    let workload = Workload {
        types: 120,
        ..Workload::default()
    };
    let rows = rows(&workload);
    let per_type = rows.len() as f64 / 120.0;
    assert!((11_000.0..13_600.0).contains(&per_type), "{per_type}");

    let mut columns = std::collections::BTreeMap::new();
    for row in rows.iter().filter(|row| row.layer == 0) {
        *columns.entry((row.cell_type, row.slot)).or_insert(0_usize) += 1;
    }
    let maps = 120.0 * SLOTS.len() as f64;
    let blank = 1.0 - columns.len() as f64 / maps;
    assert!((0.35..0.45).contains(&blank), "{blank}");
    let covers = |((_, slot), n): (&(u32, u8), &usize)| {
        let share = *n as f64 / SLOTS[usize::from(*slot)].columns as f64;
        share >= 0.849
    };
    let covering = columns.iter().filter(|&map| covers(map)).count() as f64 / maps;
    assert!((0.30..0.40).contains(&covering), "{covering}");
    assert_eq!(
        columns
            .keys()
            .map(|key| key.0)
            .collect::<BTreeSet<_>>()
            .len(),
        120
    );
}

#[test]
fn a_whole_column_is_the_sum_of_its_layers_and_some_layers_say_zero() {
    let rows = rows(&Workload::default());
    let mut zeros = 0;
    for column in rows.chunk_by(|a, b| (a.hex1, a.hex2, a.slot) == (b.hex1, b.hex2, b.slot)) {
        let layers = &column[1..];
        let sum = layers.iter().filter_map(|row| row.synapses).sum();
        assert_eq!((column[0].layer, column[0].synapses), (0, Some(sum)));
        assert!(layers.iter().all(|row| row.cells <= column[0].cells));
        zeros += layers.iter().filter(|row| row.synapses == Some(0)).count();
    }
    let share = zeros as f64 / rows.len() as f64;
    assert!((0.005..0.05).contains(&share), "{share}");
    let mut totals: Vec<_> = rows.iter().filter(|row| row.layer == 0).collect();
    totals.sort_by_key(|row| row.synapses);
    // The median of a log-normal number is e^mu.
    let median = f64::from(totals[totals.len() / 2].synapses.unwrap());
    assert!((140.0..157.0).contains(&median), "{median}");
}

#[test]
fn awkward_names_occur_and_some_names_differ_by_case_only() {
    let names = Workload {
        types: 2_000,
        ..Workload::default()
    }
    .names();
    assert_eq!(names.len(), 2_000);
    assert!(names.is_sorted_by(|a, b| a < b));
    for awkward in AWKWARD {
        assert!(names.iter().any(|name| name == awkward), "{awkward}");
    }
    let folded: BTreeSet<_> = names.iter().map(|name| name.to_lowercase()).collect();
    assert!((3..50).contains(&(2_000 - folded.len())));
    let few = Workload {
        types: 4,
        ..Workload::default()
    };
    assert!(few.names().contains(&"aMe17e".to_owned()));
    assert!(few.names().contains(&"AME17e".to_owned()));
}

#[test]
fn a_scattered_table_has_the_rows_of_the_sorted_one_in_another_order() {
    let sorted = Workload {
        types: 6,
        parts: 3,
        ..Workload::default()
    };
    let scattered = Workload {
        scatter: true,
        ..sorted.clone()
    };
    let [a, b] = [&sorted, &scattered].map(|workload| {
        let dir = tempfile::tempdir().unwrap();
        let made = workload.write(dir.path()).unwrap();
        let lines = lines(dir.path());
        assert_eq!(lines.len(), 3);
        assert_eq!(made.rows, lines.iter().map(Vec::len).sum::<usize>() as u64);
        lines
    });
    let types = |part: &[String]| {
        let name = |line: &String| line.split(", region").next().unwrap().to_owned();
        part.iter().map(name).collect::<BTreeSet<_>>().len()
    };
    assert_eq!(a.iter().map(|part| types(part)).collect::<Vec<_>>(), [2; 3]);
    assert_eq!(b.iter().map(|part| types(part)).collect::<Vec<_>>(), [6; 3]);
    let all = |parts: Vec<Vec<String>>| {
        let mut all: Vec<_> = parts.into_iter().flatten().collect();
        all.sort();
        all
    };
    assert!(all(a) == all(b));
}

#[test]
fn nulls_leave_the_other_values_as_they_are() {
    let full = Workload {
        types: 5,
        ..Workload::default()
    };
    let holed = Workload {
        nulls: 0.1,
        ..full.clone()
    };
    let (full, holed) = (rows(&full), rows(&holed));
    let nulls = holed.iter().filter(|row| row.synapses.is_none()).count();
    let share = nulls as f64 / holed.len() as f64;
    assert!((0.09..0.11).contains(&share), "{share}");
    assert_eq!(full.len(), holed.len());
    let same = |(a, b): (&Row, &Row)| b.synapses.is_none_or(|n| a.synapses == Some(n));
    assert!(full.iter().zip(&holed).all(same));
}

#[test]
fn so_many_rows_are_repeated_as_asked_for() {
    let repeated = rows(&Workload {
        types: 7,
        duplicates: 100,
        ..Workload::default()
    });
    let mut once = repeated.clone();
    once.dedup();
    assert_eq!(repeated.len() - once.len(), 100);
}

#[test]
fn with_skew_one_type_has_much_more_than_others() {
    let workload = Workload {
        skew: true,
        ..Workload::default()
    };
    let mut sizes = [0; 100];
    for row in rows(&workload).iter().filter(|row| row.layer == 0) {
        sizes[row.cell_type as usize] += 1;
    }
    sizes.sort_unstable();
    let all: usize = SLOTS.iter().map(|slot| slot.columns).sum();
    assert_eq!(sizes[99], all);
    assert!(sizes[98].abs_diff(all / 2) < 6);
    assert!(sizes[0] > 0 && sizes[0] < 60, "{sizes:?}");
}

#[test]
fn a_single_map_has_exactly_the_columns_asked_for() {
    for (columns, layers, scatter) in [(1, 0, false), (1_000, 3, false), (1_000, 3, true)] {
        let workload = Workload {
            scatter,
            single: Some(Single { columns, layers }),
            ..Workload::default()
        };
        let rows = rows(&workload);
        let places: BTreeSet<_> = rows.iter().map(|row| (row.hex1, row.hex2)).collect();
        assert_eq!(places.len(), columns);
        assert_eq!(rows.is_sorted(), !scatter);
        assert_eq!(rows.iter().map(|row| row.layer).max(), Some(layers));
        assert!(rows.iter().all(|row| usize::from(row.slot) == ME_R));
    }
}

#[test]
fn ovals_have_the_size_asked_for_and_no_gaps() {
    for n in (1..200).chain([787, 892, 12_345]) {
        for shape in [Oval::EYE, Oval::DISC] {
            let lines = oval(shape, n);
            let columns: Vec<_> = lines.iter().copied().flat_map(Line::columns).collect();
            assert_eq!(columns.len(), n);
            assert!(columns.is_sorted());
            assert!(
                lines
                    .windows(2)
                    .all(|pair| pair[0].hex1 + 1 == pair[1].hex1)
            );
        }
    }
}

#[test]
fn the_eye_is_about_as_large_as_a_real_one() {
    let columns: Vec<_> = oval(Oval::EYE, 892)
        .into_iter()
        .flat_map(Line::columns)
        .collect();
    let extent = |value: fn(&(i32, i32)) -> i32| {
        let values = columns.iter().map(value);
        values.clone().max().unwrap() - values.min().unwrap()
    };
    // Nern et al. 2024, right medulla: 35 and 65.
    assert!((33..37).contains(&extent(|(hex1, hex2)| hex2 - hex1)));
    assert!((62..68).contains(&extent(|(hex1, hex2)| hex2 + hex1)));
}

#[test]
fn a_patch_hangs_together() {
    let eye: Vec<_> = oval(Oval::EYE, 892)
        .into_iter()
        .flat_map(Line::columns)
        .collect();
    let patch = patch(&eye, eye[400], 60);
    assert_eq!(patch.len(), 60);
    let mut seen = BTreeSet::from([patch[0]]);
    let mut next = vec![patch[0]];
    while let Some((hex1, hex2)) = next.pop() {
        for (a, b) in [(1, 0), (0, 1), (1, 1), (-1, 0), (0, -1), (-1, -1)] {
            let near = (hex1 + a, hex2 + b);
            if patch.contains(&near) && seen.insert(near) {
                next.push(near);
            }
        }
    }
    assert_eq!(seen.len(), 60);
}

#[test]
fn the_engine_reads_a_part_and_refuses_repeated_rows() {
    let dir = tempfile::tempdir().unwrap();
    let workload = Workload {
        types: 3,
        ..Workload::default()
    };
    let made = workload.write(dir.path()).unwrap();
    let part = dir.path().join("table/part-0000.parquet");
    let dataset = read(&part);
    assert_eq!(dataset.rows, made.rows);
    let names: Vec<_> = (0..3).map(|i| dataset.type_name(i).to_string()).collect();
    assert_eq!(names, workload.names());
    let repeated = Workload {
        duplicates: 1,
        ..workload
    };
    repeated.write(dir.path()).unwrap();
    let refused = std::panic::catch_unwind(|| read(&part));
    assert!(refused.is_err());
}

#[test]
fn numbers_out_of_range_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = Workload {
        parts: 0,
        ..Workload::default()
    };
    let error = wrong.write(dir.path()).unwrap_err();
    assert_eq!(error.to_string(), "parts are 1 to 256");
}
