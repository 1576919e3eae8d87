//! Single changes, from the file that was edited to what is said: each is found, in every format that
//! can show it and in no other, and named by what it is.

use eyemap_snapshots::desk::Desk;
use serde_json::{Value, json};

use crate::{ALL, edit, finding, findings, first_line, init, kinds, listed, paths, verify, words};

/// Two types that share columns, and a region of one of them.
const TABLE: &str = "\
cell_type,region,side,hex1,hex2,layer,synapses
Mi1,ME,R,5,5,0,10
Mi1,ME,R,5,5,1,4
Mi1,ME,R,5,5,2,6
Mi1,ME,R,5,6,0,20
Mi1,ME,R,5,6,1,20
Mi1,ME,R,7,6,0,13
Tm3,ME,R,5,5,0,7
Tm3,ME,R,5,5,3,7
Tm3,ME,R,5,6,0,33
Tm3,LO,L,5,7,0,1
";
/// Ranges by hand, so that one value changes no other colour.
const CONFIG: &str = "[range.synapses]\nwhole = [0, 90]\nlayer = [0, 90]\n";
/// Artifacts of the table: two types in two regions, in four formats.
const ARTIFACTS: usize = 16;

/// What a comparison said and found.
struct Outcome {
    code: Option<i32>,
    line: String,
    words: String,
    findings: Value,
}

/// Approves everything, changes one thing, and compares.
fn after(change: impl FnOnce(&Desk)) -> Outcome {
    let desk = Desk::new(TABLE);
    desk.write("eyemap.toml", CONFIG);
    init(
        &desk,
        &["--config", "eyemap.toml", "--format", ALL, "--keep", "100"],
    );
    change(&desk);
    let output = verify(&desk, &[]);
    Outcome {
        code: output.status.code(),
        line: first_line(&output),
        words: words(&output),
        findings: findings(&desk),
    }
}

/// The same, for text of the configuration.
fn after_setting(toml: &str) -> Outcome {
    after(|desk| {
        desk.write("eyemap.toml", format!("{CONFIG}{toml}"));
    })
}

impl Outcome {
    /// Artifacts of these names differ, all others do not, and the first line says how many do.
    #[track_caller]
    fn differ(&self, expected: &[&str]) {
        assert_eq!(self.code, Some(1), "{}", self.words);
        let same = ARTIFACTS - expected.len();
        let line = format!(
            "{ARTIFACTS} artifacts compared: {same} as approved, {} differ",
            expected.len()
        );
        assert_eq!(self.line, line);
        assert_eq!(paths(&self.findings), expected);
        for finding in listed(&self.findings) {
            assert_eq!(finding["verdict"], "differs", "{finding}");
            assert_ne!(finding["level"], "bytes", "{finding}");
        }
    }

    /// The first difference of an artifact.
    #[track_caller]
    fn first(&self, path: &str) -> Value {
        finding(&self.findings, path)["differences"][0].clone()
    }

    #[track_caller]
    fn message(&self, path: &str) -> &str {
        let message = finding(&self.findings, path)["message"].as_str();
        message.unwrap_or_else(|| panic!("{path} has no message"))
    }
}

const MI1: [&str; 4] = [
    "ME_R/synapses/Mi1.json",
    "ME_R/synapses/Mi1.png",
    "ME_R/synapses/Mi1.static.svg",
    "ME_R/synapses/Mi1.svg",
];
const TM3: [&str; 4] = [
    "ME_R/synapses/Tm3.json",
    "ME_R/synapses/Tm3.png",
    "ME_R/synapses/Tm3.static.svg",
    "ME_R/synapses/Tm3.svg",
];

#[test]
fn a_value_that_moves_by_one_bin_is_named_in_every_format() {
    let found = after(|desk| edit(desk, "table.csv", "7,6,0,13", "7,6,0,23"));
    found.differ(&MI1);
    assert_eq!(
        found.message(MI1[0]),
        "column 7,6: 13 (bin 1) -> 23 (bin 2)"
    );
    let colors = "column 7,6 colour: #fee5d9 (bin 1) -> #fcbba1 (bin 2)";
    assert_eq!(found.message(MI1[1]), colors);
    assert_eq!(found.message(MI1[2]), "column 7,6: 0 – 18 -> 18 – 36");
    assert_eq!(
        found.message(MI1[3]),
        "column 7,6: 13 (bin 1) -> 23 (bin 2)"
    );
    let first = found.first(MI1[3]);
    assert_eq!(first["kind"], "value");
    assert_eq!(first["column"], json!([7, 6]));
    assert_eq!(first["fills"], json!(["#fee5d9", "#fcbba1"]));
    assert!(found.words.contains("values of columns"), "{}", found.words);
}

#[test]
fn a_new_row_in_the_lowest_bin_is_data_where_there_was_none() {
    let row = "Tm3,ME,R,7,6,0,1\nTm3,LO";
    let found = after(|desk| edit(desk, "table.csv", "Tm3,LO", row));
    found.differ(&TM3);
    let told = "column 7,6: no data -> 1 (bin 1); and 1 more (statuses of columns, title)";
    assert_eq!(found.message(TM3[0]), told);
    let colors = "column 7,6 colour: #ffffff -> #fee5d9 (bin 1)";
    assert_eq!(found.message(TM3[1]), colors);
    let (alone, interactive) = (found.message(TM3[2]), found.message(TM3[3]));
    assert!(alone.starts_with("column 7,6: ") && alone.contains("-> 0 – 18;"));
    assert!(interactive.starts_with("column 7,6: no data -> 1 (bin 1);"));
    assert_eq!(found.first(TM3[3])["kind"], "status");
}

#[test]
fn a_row_that_is_gone_leaves_no_data() {
    let row = "Tm3,ME,R,5,6,0,33\n";
    let found = after(|desk| edit(desk, "table.csv", row, ""));
    found.differ(&TM3);
    // The subtitle counts columns with data, which is told after the column.
    let told = "column 5,6: 33 (bin 2) -> no data; and 1 more (statuses of columns, title)";
    assert_eq!(found.message(TM3[0]), told);
    let colors = "column 5,6 colour: #fcbba1 (bin 2) -> #ffffff";
    assert_eq!(found.message(TM3[1]), colors);
    assert!(found.message(TM3[2]).starts_with("column 5,6: 18 – 36 -> "));
    assert!(
        found
            .message(TM3[3])
            .starts_with("column 5,6: 33 (bin 2) -> no data;")
    );
}

#[test]
fn a_new_value_among_few_changes_the_swatches_of_every_map_of_its_type() {
    let desk = Desk::new(TABLE);
    init(&desk, &["--format", "svg,json", "--keep", "100"]);
    edit(&desk, "table.csv", "Tm3,ME,R,5,5,0,7", "Tm3,ME,R,5,5,0,9");
    let output = verify(&desk, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    let found = findings(&desk);
    let first = |path: &str, told: &str| {
        let message = finding(&found, path)["message"]
            .as_str()
            .unwrap_or_default();
        assert!(message.starts_with(told), "{path}: {message}");
    };
    // Where the column is, it comes first; a swatch is no bin.
    first(TM3[0], "column 5,5: 7 -> 9; and ");
    first(TM3[3], "column 5,5: 7 -> 9; and ");
    first("LO_L/synapses/Tm3.json", "legend swatch 2: 7 -> 9");
    first("LO_L/synapses/Tm3.svg", "legend tick 2: 7 -> 9");
    assert_eq!(paths(&found).len(), 4, "{:?}", paths(&found));
}

#[test]
fn a_column_that_only_one_row_had_is_gone_from_every_map_of_the_region() {
    let found = after(|desk| edit(desk, "table.csv", "Mi1,ME,R,7,6,0,13\n", ""));
    let all: Vec<&str> = MI1.into_iter().chain(TM3).collect();
    found.differ(&all);
    for path in [MI1[0], MI1[3], TM3[0], TM3[3]] {
        let first = found.first(path);
        assert_eq!(
            (&first["kind"], &first["column"], &first["after"]),
            (&json!("column"), &json!([7, 6]), &json!("gone"))
        );
    }
}

#[test]
fn the_value_of_a_layer_is_seen_where_layers_are_and_nowhere_else() {
    let found = after(|desk| edit(desk, "table.csv", "5,6,1,20", "5,6,1,31"));
    found.differ(&[MI1[0], MI1[3]]);
    for path in [MI1[0], MI1[3]] {
        let told = "column 5,6 layer ME1: 20 (bin 2) -> 31 (bin 2)";
        assert_eq!(found.message(path), told);
    }
    assert_eq!(found.first(MI1[3])["kind"], "layer_value");
}

#[test]
fn a_tooltip_template_is_named_once_and_not_for_each_hexagon() {
    let found = after_setting("[stages.metadata.config]\nhas_data = \"{label} {value}\"\n");
    let lo = ["LO_L/synapses/Tm3.json", "LO_L/synapses/Tm3.svg"];
    found.differ(&[lo[0], lo[1], MI1[0], MI1[3], TM3[0], TM3[3]]);
    let told = "tooltip template of columns, has data: Column: {hex1}, {hex2}\nSynapse count: {value}\nROI: {region} ({side}) -> Column: {hex1}, {hex2}\nSynapse count {value}";
    assert_eq!(found.message(MI1[3]), told);
    assert_eq!(finding(&found.findings, MI1[3])["n_differences"], 1);
    assert!(
        found
            .words
            .contains("3 artifacts: tooltip template of columns")
    );
    // The JSON form has complete texts and no templates.
    assert_eq!(
        kinds(finding(&found.findings, MI1[0])),
        ["tooltip"],
        "one for each hexagon"
    );
}

fn labels(title: &str, legend: &str) -> String {
    format!(
        "[stages.metadata.config.labels.synapses]\ntitle = {title:?}\nlegend = {legend:?}\nvalue = \"Synapse count\"\n"
    )
}

/// The message of every finding has the words that belong to its format, by the ending of its path.
#[track_caller]
fn told_by_format(found: &Outcome, told: [(&str, &str); 4]) {
    for finding in listed(&found.findings) {
        let path = finding["path"].as_str().unwrap_or_default();
        let message = finding["message"].as_str().unwrap_or_default();
        let (_, expected) = told
            .iter()
            .find(|(ending, _)| path.ends_with(ending))
            .expect("a format");
        assert!(message.contains(expected), "{path}: {message}");
    }
}

#[test]
fn another_title_is_named_in_every_map() {
    let found = after_setting(&labels("Input", "Synapses"));
    assert_eq!(found.code, Some(1));
    assert_eq!(
        found.line,
        "16 artifacts compared: 0 as approved, 16 differ"
    );
    let said = " with data -> input per column";
    let told = [
        (".json", said),
        (".png", "pixels beside the hexagons"),
        (".static.svg", said),
        (".svg", said),
    ];
    told_by_format(&found, told);
    // One cause, though each map says how many columns have data.
    let cause = "2 artifacts: title subtitle: synapses per column, all layers · … of … columns with \
                 data -> input per column, all layers · … of … columns with data";
    assert!(found.words.contains(cause), "{}", found.words);
}

#[test]
fn another_legend_title_is_named_before_what_moved_because_of_it() {
    let found = after_setting(&labels("Synapses", "Input"));
    assert_eq!(
        found.line,
        "16 artifacts compared: 4 as approved, 12 differ"
    );
    let told = [
        (".json", "legend title: Synapses -> Input"),
        (".png", "pixels beside the hexagons"),
        (".static.svg", "Synapses -> Input"),
        (".svg", "legend title: Synapses -> Input"),
    ];
    told_by_format(&found, told);
    assert!(
        found
            .words
            .contains("6 artifacts: legend title: Synapses -> Input")
    );
}

#[test]
fn another_colour_range_is_named_by_the_ticks_of_the_legend() {
    let found = after(|desk| edit(desk, "eyemap.toml", "whole = [0, 90]", "whole = [0, 99]"));
    assert_eq!(
        found.line,
        "16 artifacts compared: 4 as approved, 12 differ"
    );
    let told = [
        (".json", "legend tick 2: 18 -> 19.8; and 4 more (legend"),
        (".png", "pixels beside the hexagons"),
        // Ticks are drawn from the ends on; ranges of bins come after those.
        (".static.svg", "90 -> 99; and "),
        (".svg", "legend tick 2: 18 -> 19; and 4 more (legend"),
    ];
    told_by_format(&found, told);
}

#[test]
fn another_label_of_a_layer_is_named() {
    let region =
        |name: &str, layers: &str| format!("[[regions]]\nname = {name:?}\nlayers = {layers}\n");
    let [lo, me] = [
        region("LO", "[\"1\", \"2\", \"3\", \"4\", \"5A\", \"5B\", \"6\"]"),
        region(
            "ME",
            "[\"1\", \"2\", \"X\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\"]",
        ),
    ];
    let found = after_setting(&(lo + &me));
    found.differ(&[MI1[0], MI1[3], TM3[0], TM3[3]]);
    for path in [MI1[3], TM3[3]] {
        let told = "title subtitle of layer MEX: synapses per column, layer ME3 ";
        assert!(
            found.message(path).starts_with(told),
            "{}",
            found.message(path)
        );
    }
    for path in [MI1[0], TM3[0]] {
        let first = found.first(path);
        let [before, after] = ["before", "after"].map(|side| first[side].as_str().unwrap_or(""));
        assert!(
            before.contains(" ME3 ") && after.contains(" MEX "),
            "{first}"
        );
    }
}

#[test]
fn another_orientation_is_named_by_the_places_of_hexagons() {
    let found = after_setting("[map]\norientation = \"none\"\n");
    let all: Vec<&str> = MI1.into_iter().chain(TM3).collect();
    found.differ(&all);
    for path in [MI1[0], MI1[3], TM3[0], TM3[3]] {
        let told = "column 5,6 place: 26, 27.43 px -> 45.8, 27.43 px; and ";
        assert!(found.message(path).starts_with(told), "{path}");
        // The compass turns with them; the JSON form has none.
        let kinds = kinds(finding(&found.findings, path));
        let is_json = path.ends_with(".json");
        assert_eq!(
            kinds,
            if is_json {
                &["place"][..]
            } else {
                &["place", "label"]
            }
        );
    }
    for path in [MI1[1], TM3[1]] {
        let pixels = &finding(&found.findings, path)["pixels"];
        assert!(pixels["count"].as_u64().is_some_and(|n| n > 0), "{pixels}");
    }
}

#[test]
fn another_size_of_hexagons_is_named_by_their_places() {
    let found = after_setting("[map]\nhex_size_px = 6.2\n");
    assert_eq!(
        found.line,
        "16 artifacts compared: 0 as approved, 16 differ"
    );
    let moved = "place: ";
    let told = [
        (".json", moved),
        (".png", "pixels "),
        (".static.svg", moved),
        (".svg", moved),
    ];
    told_by_format(&found, told);
}

#[test]
fn a_new_cell_type_has_no_reference() {
    let found = after(|desk| edit(desk, "table.csv", "Tm3,LO", "Tx,ME,R,5,6,0,1\nTm3,LO"));
    assert_eq!(found.code, Some(3), "{}", found.words);
    let line = "24 artifacts compared: 16 as approved, 8 have no reference";
    assert_eq!(found.line, line);
    for finding in listed(&found.findings) {
        assert_eq!(finding["verdict"], "missing");
        assert_eq!(finding["map"]["cell_type"], "Tx");
        assert_eq!(finding["approved"], Value::Null);
        assert!(
            finding["pending"]
                .as_str()
                .is_some_and(|path| path.contains("Tx"))
        );
    }
    assert!(found.words.contains("never approved"), "{}", found.words);
}

#[test]
fn a_cell_type_that_is_gone_leaves_orphans() {
    // Each of its columns is one of another type too, and the region has another type.
    let found = after(|desk| {
        let rows = TABLE.lines().filter(|row| !row.starts_with("Tm3,ME"));
        let rows = rows.collect::<Vec<_>>().join("\n").replace("Tm3", "Mi1");
        desk.write("table.csv", rows);
    });
    let orphans: Vec<&Value> = listed(&found.findings)
        .iter()
        .filter(|finding| finding["verdict"] == "orphaned")
        .collect();
    assert_eq!(orphans.len(), 8);
    // A map of Mi1 in LO has data now, which is worse news.
    assert_eq!(found.code, Some(1), "{}", found.words);
    for orphan in orphans {
        assert!(
            orphan["path"]
                .as_str()
                .is_some_and(|path| path.contains("Tm3"))
        );
        assert_eq!(orphan["map"], Value::Null);
    }
}

#[test]
fn orphans_alone_have_an_exit_code_of_their_own() {
    let found = after(|desk| {
        edit(
            desk,
            "eyemap.toml",
            "[range",
            "[select]\ntypes = [\"Tm3\"]\n[range",
        )
    });
    assert_eq!(found.code, Some(4), "{}", found.words);
    assert_eq!(
        found.line,
        "8 artifacts compared: 8 as approved, 8 are orphaned"
    );
    assert!(
        found
            .words
            .contains("8 artifacts: approved, but nothing draws it any more")
    );
}
