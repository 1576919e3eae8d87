//! Columns that are not simply there: constants, translations, patterns, and what is proposed.

use super::*;
use crate::model::MetricKind;

/// The table of FlyWire's right medulla: neither region nor side, and coordinates under other names.
const FLYWIRE: &str = "root_id,cell_type,column_id,x,y,p,q\n\
                       720575940603042272,Mi1,1,12,52,12,1\n\
                       720575940603200428,Mi1,2,17,41,9,-7\n";

/// Synapses by the columns of neuPrint.
const NEUPRINT: &str = "bodyId,type,roi,post\n\
                        1,Mi1,ME_R_col_01_18,5\n\
                        1,Mi1,LOP_L_col_10_07,2\n\
                        2,Mi1,ME_R_col_01_18,1\n";

const PATTERN: &str = r"pattern = '^(ME|LO|LOP)_([LR])_col_(\d+)_(\d+)$'";

/// The lines of a help that are to be written into the configuration.
fn to_paste(refusal: &str) -> String {
    let start = refusal
        .find("\n[")
        .unwrap_or_else(|| panic!("no lines in {refusal}"));
    refusal[start..].to_owned()
}

/// What is read once the lines of the help were written into the configuration as they are.
fn pasted(text: &str) -> Dataset {
    let lines = to_paste(&Bench::new().refusal_of(text));
    Bench::new().configured(&lines).read(text)
}

#[test]
fn a_table_without_region_and_side_is_read_with_the_lines_of_its_error() {
    let refusal = Bench::new().refusal_of(FLYWIRE);
    let expected = "counts.csv: no columns \"region\", \"side\", \"hex1\", \"hex2\"; no column of a \
                    metric (\"cells\", \"synapses\") and no \"body_id\"\nhelp: the file has the columns \
                    \"root_id\", \"cell_type\", \"column_id\", \"x\", \"y\", \"p\", \"q\"; to say where they \
                    come from, write\n[table.columns]\nregion = { value = \"ME\" }  # the same for all rows\n\
                    side = { value = \"R\" }  # the same for all rows\nhex1 = \"q\"\nhex2 = \"p\"\n\
                    body_id = \"root_id\"";
    assert_eq!(refusal, expected);
    let part = only_part(&pasted(FLYWIRE));
    assert_eq!((part.region, part.side), (0, Side::Right));
    assert_eq!(part.columns, [column(-7, 9), column(1, 12)]);
}

#[test]
fn columns_of_neuprint_are_taken_apart_with_the_lines_of_their_error() {
    let refusal = Bench::new().refusal_of(NEUPRINT);
    assert!(
        refusal.contains(&format!("column = {{ from = \"roi\", {PATTERN} }}")),
        "{refusal}"
    );
    let lines = format!("{}\nsynapses = \"post\"\n", to_paste(&refusal));
    let dataset = Bench::new().configured(&lines).read(NEUPRINT);
    let types = cell_types(&dataset);
    let parts = &types[0].parts;
    assert_eq!(parts.len(), 2);
    assert_eq!((parts[0].region, parts[0].side), (0, Side::Right));
    assert_eq!(parts[0].columns, [column(1, 18)]);
    assert_eq!(wholes(&parts[0]), ["2", "6"]);
    assert_eq!((parts[1].region, parts[1].side), (2, Side::Left));
    assert_eq!(parts[1].columns, [column(10, 7)]);
}

#[test]
fn a_row_that_a_pattern_does_not_match_is_refused_or_counted() {
    let text = format!("{NEUPRINT}2,Mi1,ME(R),7\n2,Mi1,,7\n");
    let names = "[table.columns]\nbody_id = \"bodyId\"\ncell_type = \"type\"\nsynapses = \"post\"";
    let column = |more: &str| format!("{names}\ncolumn = {{ from = \"roi\", {PATTERN}{more} }}\n");
    insta::assert_snapshot!(Bench::new().configured(&column("")).refusal_of(&text), @r#"
    counts.csv, line 5, column roi: "ME(R)" does not match the pattern of `column`
    help: to leave out rows that it does not match, add unmatched = "skip" to `column` of [table.columns]
    "#);
    let dataset = Bench::new()
        .configured(&column(", unmatched = \"skip\""))
        .read(&text);
    assert_eq!(dataset.rows, 5);
    assert_eq!(
        dataset.notes[0],
        "2 of 5 rows do not match the pattern of `column` and were left out"
    );
    let none = "bodyId,type,roi,post\n1,Mi1,ME(R),5\n";
    let refusal = Bench::new()
        .configured(&column(", unmatched = \"skip\""))
        .refusal_of(none);
    assert!(
        refusal.starts_with("counts.csv: no row matches the pattern"),
        "{refusal}"
    );
    let bench = Bench::new().configured(&format!("{}[table]\nskip_unplaced = true\n", column("")));
    let dataset = bench.read(&format!("{NEUPRINT}2,Mi1,,7\n"));
    assert_eq!(dataset.unplaced_rows, 1);
}

#[test]
fn groups_may_be_named_and_give_some_of_the_columns() {
    let toml = "[table.columns]\ncolumn = { from = \"roi\", \
                pattern = '(?P<region>ME|LO)_(?P<side>[LR])_layer_(?P<layer>\\d+)' }\n";
    let text = "cell_type,roi,hex1,hex2,synapses\nMi1,LO_R_layer_03,1,2,7\n";
    let part = only_part(&Bench::new().configured(toml).read(text));
    assert_eq!((part.region, part.side, part.n_layers), (1, Side::Right, 7));
    // Minus zero: a layer without a row, which is told from one that says zero.
    assert_eq!(shown(&part.metrics[0].layers), "-0 -0 7 -0 -0 -0 -0");
}

#[test]
fn values_are_translated_and_others_stay() {
    let toml = "[table.columns]\nside = { column = \"hemisphere\", map = { RHS = \"R\" } }\n\
                region = { map = { Medulla = \"ME\", 7 = \"LO\" } }\n";
    let text = "cell_type,region,hemisphere,hex1,hex2,cells\n\
                Mi1,Medulla,RHS,1,1,1\nMi1,7,left,1,2,1\nMi1,LOP,L,1,3,1\n";
    let dataset = Bench::new().configured(toml).read(text);
    let types = cell_types(&dataset);
    let places: Vec<_> = types[0]
        .parts
        .iter()
        .map(|part| (part.region, part.side))
        .collect();
    assert_eq!(places, [(0, Side::Right), (1, Side::Left), (2, Side::Left)]);
}

#[test]
fn a_value_that_seems_to_be_one_of_ours_comes_with_its_translation() {
    let text = "cell_type,region,side,hex1,hex2,cells\nMi1,ME,RHS,1,1,1\n";
    insta::assert_snapshot!(Bench::new().refusal_of(text), @r#"
    counts.csv, line 2, column side: "RHS" is not a side
    help: a side is L, R, left or right
    to read "RHS" as "R", write
    [table.columns]
    side = { column = "side", map = { RHS = "R" } }
    "#);
    assert_eq!(pasted(text).rows, 1);
    let text = "cell_type,hemi,neuropil,hex1,hex2,cells\nMi1,rhs,ME_R,1,1,1\nMi1,lhs,ME_L,1,1,1\n";
    let refusal = Bench::new().refusal_of(text);
    assert!(
        refusal.ends_with(
            "[table.columns]\nregion = { column = \"neuropil\", map = { ME_L = \"ME\", ME_R = \"ME\" } }\n\
             side = { column = \"hemi\", map = { lhs = \"L\", rhs = \"R\" } }"
        ),
        "{refusal}"
    );
    assert_eq!(pasted(text).rows, 2);
}

#[test]
fn a_constant_that_is_wrong_is_blamed_on_the_configuration() {
    let toml = "[table.columns]\nregion = { value = \"MED\" }\n";
    let text = "cell_type,side,hex1,hex2,cells\nMi1,R,1,1,1\n";
    let refusal = Bench::new().configured(toml).refusal_of(text);
    let first = refusal.lines().next();
    assert_eq!(
        first,
        Some("counts.csv, column region of [table.columns]: \"MED\" is not a configured region")
    );
}

#[test]
fn an_odd_metric_leads_to_a_metric_of_its_own() {
    let text = "cell_type,region,side,hex1,hex2,note,mean_depth\nMi1,ME,R,1,1,x,-0.5\n";
    insta::assert_snapshot!(Bench::new().refusal_of(text), @r#"
    counts.csv: no column of a metric ("cells", "synapses") and no "body_id"
    help: the file has the columns "cell_type", "region", "side", "hex1", "hex2", "note", "mean_depth"; to draw "mean_depth", write
    [metrics.mean_depth]
    kind = "number"
    "#);
    let dataset = pasted(text);
    assert_eq!(dataset.metrics[0].name, "mean_depth");
    assert_eq!(dataset.metrics[0].kind, MetricKind::Number);
    let whole = text.replace("-0.5", "3");
    assert!(
        Bench::new()
            .refusal_of(&whole)
            .ends_with("kind = \"count\"")
    );
    // A configuration with metrics names all of them.
    let tall =
        "cell_type,region,side,hex1,hex2,metric,value\nC2,ME,R,1,1,depth,1\nC2,ME,R,1,1,cells,2\n";
    assert_eq!(pasted(tall).metrics.len(), 2);
}

#[test]
fn columns_that_are_not_read_are_named_and_noted_where_they_resemble_a_metric() {
    let text = "cell_type,region,side,hex1,hex2,cells,Synapses,note\nMi1,ME,R,1,1,1,7,x\n";
    let dataset = Bench::new().read(text);
    assert_eq!(dataset.unused_columns, ["Synapses", "note"]);
    let note = "the column \"Synapses\" is not read; if it is the metric synapses, write\n\
                [table.columns]\nsynapses = \"Synapses\"";
    assert_eq!(dataset.notes.last().map(String::as_str), Some(note));
    let both = text.replace("note", "synapses").replace(",x", ",3");
    assert_eq!(
        Bench::new().read(&both).notes.len(),
        1,
        "synapses are there"
    );
    for (name, is_noted) in [
        ("total_synapses", true),
        ("SYNAPSE", true),
        ("synapse_count", true),
        ("n_synapses", true),
        ("synapse_type", false),
        ("cell_class", false),
    ] {
        let dataset = Bench::new().read(&text.replace("Synapses", name));
        assert_eq!(
            dataset.notes.len() == 2,
            is_noted,
            "{name}: {:?}",
            dataset.notes
        );
    }
}

#[test]
fn rows_zeros_unknowns_and_ranges_of_metrics_are_told() {
    let text = "cell_type,region,side,hex1,hex2,layer,synapses,cells\n\
                Mi1,ME,R,1,1,0,0,2\nMi1,ME,R,1,1,1,4,\nMi1,ME,R,1,2,1,0,NA\nTm3,ME,R,1,1,0,70,1\n";
    let dataset = Bench::new().read(text);
    let [cells, synapses] = dataset.metric_summaries.as_slice() else {
        panic!("{:?}", dataset.metric_summaries);
    };
    assert_eq!((cells.rows, cells.zeros, cells.unknown), (4, 0, 2));
    assert_eq!((cells.whole, cells.layer), (Some([1.0, 2.0]), None));
    assert_eq!((synapses.rows, synapses.zeros, synapses.unknown), (4, 2, 0));
    assert_eq!(
        (synapses.whole, synapses.layer),
        (Some([0.0, 70.0]), Some([4.0, 4.0]))
    );
    let bodies =
        "body_id,cell_type,region,side,hex1,hex2\n7,C2,ME,R,1,1\n8,C2,ME,R,1,1\n9,C2,ME,R,1,2\n";
    let dataset = Bench::new().read(bodies);
    let cells = &dataset.metric_summaries[0];
    assert_eq!((cells.rows, cells.whole), (3, Some([1.0, 2.0])));
}

#[test]
fn an_atlas_has_constants_and_patterns_too() {
    let toml = format!(
        "[atlas.columns]\ncolumn = {{ from = \"roi\", {PATTERN}, unmatched = \"skip\" }}\n\
         [table.columns]\nregion = {{ value = \"ME\" }}\n"
    );
    let atlas = "roi,class\nME_R_col_01_18,a\nME(R),b\nME_R_col_02_18,c\n";
    let bench = Bench::new().configured(&toml).with_atlas(atlas);
    let dataset = bench.read("cell_type,side,hex1,hex2,cells\nMi1,R,1,18,3\n");
    assert_eq!(dataset.atlas.right.columns, [column(1, 18), column(2, 18)]);
    assert_eq!(dataset.atlas.attribute_names, ["class"]);
    let left_out = "1 rows of ";
    assert!(
        dataset.notes.iter().any(|note| note.starts_with(left_out)),
        "{:?}",
        dataset.notes
    );
    let bench = Bench::new()
        .configured(&toml)
        .with_atlas("roi,class\nME(R),b\n");
    let refusal = bench.refusal_of("cell_type,side,hex1,hex2,cells\nMi1,R,1,18,3\n");
    assert!(refusal.contains("no row matches the pattern"), "{refusal}");
}

#[test]
fn a_translation_of_a_column_that_is_not_there_is_refused() {
    let bench = Bench::new().configured("[table.columns]\nlayer = { map = { a = \"1\" } }\n");
    let refusal = bench.refusal_of("cell_type,region,side,hex1,hex2,cells\nMi1,ME,R,1,1,3\n");
    assert!(refusal.contains("\"layer\""), "{refusal}");
}

#[test]
fn a_pattern_whose_column_is_missing_is_named_with_all_else_that_is() {
    let toml = format!("[table.columns]\ncolumn = {{ from = \"ROI\", {PATTERN} }}\n");
    let refusal = Bench::new()
        .configured(&toml)
        .refusal_of("type,roi,cells\nMi1,x,1\n");
    assert!(
        refusal.starts_with(
            "counts.csv: no columns \"ROI\" (named in [table.columns] for column), \"cell_type\"\n"
        ),
        "{refusal}"
    );
}
