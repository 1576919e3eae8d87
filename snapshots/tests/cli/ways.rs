//! Every optimisation can be switched off, and no picture changes by it.

use std::collections::BTreeMap;

use crate::{Desk, files_in, stderr, succeeds};

/// Types in two regions with layers, nulls, a name that is awkward, and columns that only some have.
fn table() -> String {
    let mut table = "cell_type,region,side,hex1,hex2,layer,synapses,cells\n".to_owned();
    for (index, name) in ["Mi1", "R1&R6<x>", "Tm3", "aMe17e"].iter().enumerate() {
        for (region, layers) in [("ME", 10), ("LOP", 4)] {
            for column in 0..60 {
                let (hex1, hex2) = (10 + column / 8, 20 + column % 8);
                if (column + index) % 5 == 4 {
                    continue;
                }
                for layer in 0..=layers {
                    let value = (column * 7 + layer * 3 + index * 11) % 90;
                    let value = match value {
                        89 => String::new(),
                        value => value.to_string(),
                    };
                    table += &format!("{name},{region},R,{hex1},{hex2},{layer},{value},{layer}\n");
                }
            }
        }
    }
    table
}

/// Ways to do the same work, each with lines of the configuration that choose it.
const WAYS: [(&str, [&str; 2]); 6] = [
    (
        "memos",
        ["[cache]\nmode = \"on\"\n", "[cache]\nmode = \"off\"\n"],
    ),
    (
        "store",
        ["[cache.artifacts]\nstore = \"store\"\nmode = \"on\"\n", ""],
    ),
    ("threads", ["[run]\njobs = 1\n", "[run]\njobs = 3\n"]),
    ("streaming", ["stream_above = 1\n", "stream_above = 0\n"]),
    ("governor", ["governor = true\n", "governor = false\n"]),
    ("memory", ["limit = \"256 MiB\"\n", "limit = \"4 GiB\"\n"]),
];

/// The configuration of one choice for each way; bit n chooses for way n.
fn configuration(choice: usize) -> String {
    let chosen = |way: usize| WAYS[way].1[choice >> way & 1];
    let [memos, store, threads] = [0, 1, 2].map(chosen);
    let memory: String = (3..6).map(chosen).collect();
    format!(
        "{memos}{store}{threads}[memory]\n{memory}[monitor]\nenabled = {}\n",
        choice.is_multiple_of(3)
    )
}

#[test]
fn no_picture_depends_on_how_it_was_drawn() {
    let desk = Desk::new(&table());
    let mut expected: Option<BTreeMap<String, Vec<u8>>> = None;
    for choice in 0..1 << WAYS.len() {
        let toml = configuration(choice);
        desk.write("ways.toml", &toml);
        let formats = ["--format", "svg,svg-static,png,json", "--scale", "0.5"];
        // A second run into the same store takes everything from there.
        for round in 0..if choice & 2 == 0 { 2 } else { 1 } {
            let out = desk.path("out");
            let _ = std::fs::remove_dir_all(&out);
            let output = desk.render(&[&formats[..], &["--config", "ways.toml"]].concat());
            assert!(output.status.success(), "{toml}: {}", stderr(&output));
            let files = files_in(&out);
            let expected = expected.get_or_insert_with(|| files.clone());
            assert!(
                *expected == files,
                "round {round} of\n{toml}differs in {:?}",
                expected
                    .iter()
                    .filter(|(name, bytes)| files.get(*name) != Some(bytes))
                    .map(|(name, _)| name)
                    .collect::<Vec<_>>()
            );
        }
        let _ = std::fs::remove_dir_all(desk.path("store"));
    }
    assert!(expected.is_some_and(|files| files.len() > 60));
}

#[test]
fn colours_are_those_of_the_whole_table_in_every_scope() {
    let desk = Desk::new(&table());
    for scope in ["map", "region", "cell_type", "dataset"] {
        desk.write(
            "scope.toml",
            format!("[stages.color.config]\nscope = \"{scope}\"\n"),
        );
        let config = ["--config", "scope.toml", "--format", "json"];
        succeeds(&desk.render(&config));
        let whole = desk.files();
        for filter in [["--type", "Tm3"], ["--region", "LOP"], ["--shard", "2/3"]] {
            let _ = std::fs::remove_dir_all(desk.path("out"));
            succeeds(&desk.render(&[&config[..], &filter].concat()));
            let drawn = desk.files();
            let maps = drawn.iter().filter(|(name, _)| name.ends_with(".json"));
            let maps: Vec<_> = maps.filter(|(name, _)| *name != "manifest.json").collect();
            assert!(!maps.is_empty(), "{scope} {filter:?}");
            for (name, bytes) in maps {
                assert_eq!(whole.get(name), Some(bytes), "{scope} {filter:?} {name}");
            }
        }
        let _ = std::fs::remove_dir_all(desk.path("out"));
    }
}

#[test]
fn a_blank_map_is_streamed_also_where_each_layer_has_a_scale_of_its_own() {
    let desk = Desk::new(
        "cell_type,region,side,hex1,hex2,layer,synapses\nMi1,ME,R,1,1,1,\nMi1,ME,R,1,2,2,\n",
    );
    let library = eyemap_snapshots::trial::example("raw_answers");
    desk.write(
        "eyemap.toml",
        format!(
            "[stages.color]\nplugin = {library:?}\n\
             [stages.color.config]\nneeds = '{{\"layer\":{{\"per_layer\":true}}}}'\n\
             [plugins.by_id.\"org.eyemap.fixture.raw-answers\"]\ntrust = true\n\
             [memory]\nstream_above = 1\n"
        ),
    );
    let output = desk.render(&["--config", "eyemap.toml"]);
    succeeds(&output);
    assert!(
        crate::words(&output).contains("1 map (1 blank)"),
        "{}",
        crate::words(&output)
    );
}
