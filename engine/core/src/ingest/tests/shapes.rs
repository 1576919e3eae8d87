//! The three shapes, and what a null, a zero and a missing row become.

use super::*;
use crate::model::{MetricKind, TableShape};

const HEAD: &str = "cell_type,region,side,hex1,hex2,layer,synapses,cells\n";
const BODIES: &str = "body_id,cell_type,region,side,hex1,hex2,layer,synapses\n";

#[test]
fn canonical_rows_become_whole_and_layer_values() {
    let text = format!("{HEAD}Tm3,LOP,L,4,3,0,7,2\nTm3,LOP,L,4,3,3,1,0\nTm3,LOP,L,4,3,4,6,1\n");
    let dataset = Bench::new().read(&text);
    assert_eq!(dataset.shape, TableShape::Canonical);
    assert_eq!(dataset.rows, 3);
    let part = only_part(&dataset);
    assert_eq!((part.region, part.side, part.n_layers), (2, Side::Left, 4));
    assert_eq!(part.columns, [column(4, 3)]);
    assert_eq!(wholes(&part), ["2", "7"]);
    assert_eq!(part.metrics[0].layers, [0.0, 0.0, 0.0, 1.0]);
    assert_eq!(part.metrics[1].layers, [0.0, 0.0, 1.0, 6.0]);
    let names: Vec<_> = dataset.metrics.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["cells", "synapses"]);
}

#[test]
fn null_is_unknown_zero_is_zero_and_absent_is_no_column() {
    let text = format!("{HEAD}Mi1,ME,R,1,1,0,0,0\nMi1,ME,R,1,2,0,,NA\nMi1,ME,R,1,2,1,nUlL,None\n");
    let dataset = Bench::new().read(&text);
    let part = only_part(&dataset);
    assert_eq!(part.columns, [column(1, 1), column(1, 2)]);
    assert_eq!(wholes(&part), ["0 ?", "0 ?"]);
    assert_eq!(
        shown(&part.metrics[1].layers[..11]),
        "-0 -0 -0 -0 -0 -0 -0 -0 -0 -0 ?"
    );
}

#[test]
fn without_layer_zero_synapses_are_summed_and_cells_are_underivable() {
    let text = format!(
        "{HEAD}Mi1,ME,R,1,1,2,3,1\nMi1,ME,R,1,1,1,4,2\nMi1,ME,R,0,5,1,,1\nMi1,ME,R,0,5,2,9,1\n"
    );
    let dataset = Bench::new().read(&text);
    let part = only_part(&dataset);
    assert_eq!(wholes(&part), ["? ?", "? 7"]);
    assert_eq!(part.metrics[0].underivable, Some(column(0, 5)));
    assert_eq!(part.metrics[1].underivable, None);
}

#[test]
fn a_given_whole_value_wins_over_the_sum_of_its_layers() {
    let text = format!("{HEAD}Mi1,ME,R,1,1,0,50,3\nMi1,ME,R,1,1,1,4,2\nMi1,ME,R,2,2,5,6,1\n");
    let dataset = Bench::new().read(&text);
    let part = only_part(&dataset);
    assert_eq!(wholes(&part), ["3 ?", "50 6"]);
    assert_eq!(part.metrics[0].underivable, Some(column(2, 2)));
}

#[test]
fn a_table_without_layers_has_none_anywhere() {
    let dataset =
        Bench::new().read("cell_type,region,side,hex1,hex2,synapses\nMi1,ME,right,1,1,5\n");
    let part = only_part(&dataset);
    assert_eq!(part.n_layers, 0);
    assert_eq!(part.metrics.len(), 1);
    assert_eq!(
        (shown(&part.metrics[0].whole), part.metrics[0].layers.len()),
        ("5".into(), 0)
    );
}

#[test]
fn one_layer_row_anywhere_gives_every_part_its_layers() {
    let text = format!("{HEAD}Mi1,ME,R,1,1,0,5,1\nT4,LOP,L,2,2,0,3,1\nT4,LOP,L,2,2,1,3,1\n");
    let dataset = Bench::new().read(&text);
    let types = cell_types(&dataset);
    let me = types[0].part(0, Side::Right).unwrap();
    assert_eq!((me.n_layers, me.metrics[0].layers.len()), (10, 10));
}

#[test]
fn tall_rows_equal_wide_rows() {
    let wide = format!("{HEAD}Mi1,ME,R,1,1,0,5,1\nMi1,ME,R,1,1,3,5,\n");
    let tall = "cell_type,region,side,hex1,hex2,layer,metric,value\n\
        Mi1,ME,R,1,1,0,synapses,5\nMi1,ME,R,1,1,3,cells,\nMi1,ME,R,1,1,0,cells,1\nMi1,ME,R,1,1,3,synapses,5\n";
    let bench = Bench::new();
    let (wide, tall) = (bench.read(&wide), bench.read(tall));
    assert_eq!(wide.metrics, tall.metrics);
    let (wide, tall) = (only_part(&wide), only_part(&tall));
    assert_eq!(wholes(&wide), wholes(&tall));
    for metric in [0, 1] {
        assert_eq!(
            shown(&wide.metrics[metric].layers),
            shown(&tall.metrics[metric].layers)
        );
    }
}

#[test]
fn a_tall_table_has_the_metrics_that_it_names() {
    let text = "cell_type,region,side,hex1,hex2,metric,value\nMi1,ME,R,1,1,synapses,5\n";
    let dataset = Bench::new().read(text);
    assert_eq!(dataset.metrics.len(), 1);
    assert_eq!(dataset.metrics[0].name, "synapses");
    assert_eq!(shown(&only_part(&dataset).metrics[0].whole), "5");
}

#[test]
fn a_tall_table_says_nothing_of_a_metric_without_rows_in_a_column() {
    let text = "cell_type,region,side,hex1,hex2,metric,value\n\
        Mi1,ME,R,1,1,synapses,5\nMi1,ME,R,1,2,cells,2\n";
    let dataset = Bench::new().read(text);
    let part = only_part(&dataset);
    assert_eq!(wholes(&part), ["? 2", "5 ?"]);
    assert_eq!(part.metrics[0].underivable, None);
}

#[test]
fn bodies_are_counted_once_in_a_column_and_once_in_each_layer() {
    let text = format!(
        "{BODIES}720575940603042272,Mi1,ME,R,1.0,1,1,4\n720575940603042273,Mi1,ME,R,1,1,1,2\n\
         720575940603042272,Mi1,ME,R,1,1,2,3\n7,Mi1,ME,R,1,2,10,1\n"
    );
    let dataset = Bench::new().read(&text);
    assert_eq!(dataset.shape, TableShape::BodySynapses);
    let part = only_part(&dataset);
    assert_eq!(wholes(&part), ["2 1", "9 1"]);
    assert_eq!(part.metrics[0].layers[..3], [2.0, 1.0, 0.0]);
    assert_eq!(part.metrics[1].layers[..3], [6.0, 3.0, 0.0]);
}

#[test]
fn a_body_with_unknown_synapses_counts_as_a_cell() {
    let dataset = Bench::new().read(&format!("{BODIES}1,Mi1,ME,R,1,1,1,\n2,Mi1,ME,R,1,1,2,5\n"));
    let part = only_part(&dataset);
    assert_eq!(wholes(&part), ["2", "?"]);
    assert_eq!(shown(&part.metrics[1].layers[..3]), "? 5 -0");
}

#[test]
fn cells_alone_are_counted_in_whole_columns() {
    let text =
        "body_id,cell_type,region,side,hex1,hex2\n3,C2,ME,R,1,7\n4,C2,ME,R,1,7\n3,C2,ME,R,1,8\n";
    let dataset = Bench::new().read(text);
    assert_eq!(dataset.shape, TableShape::Cells);
    let part = only_part(&dataset);
    assert_eq!(
        (part.n_layers, shown(&part.metrics[0].whole)),
        (0, "2 1".into())
    );
}

#[test]
fn columns_are_found_under_the_names_of_the_file() {
    let bench = Bench::new()
        .map("hex1", "olHex1")
        .map("synapses", "total_synapses");
    let dataset =
        bench.read("cell_type;region;side;olHex1;hex2;total_synapses;more\nMi1;ME;Left;1;1;5;x\n");
    assert_eq!(shown(&only_part(&dataset).metrics[0].whole), "5");
}

#[test]
fn a_number_metric_takes_any_finite_number() {
    let mut bench = Bench::new();
    let config = MetricConfig {
        kind: MetricKind::Number,
        sum_layers: false,
    };
    bench.metrics = BTreeMap::from([("angle".into(), config)]);
    let dataset = bench.read("cell_type\tregion\tside\thex1\thex2\tangle\nMi1\tME\tL\t1\t1\t-2.5e-1\nMi1\tME\tL\t1\t2\t-0.0\n");
    assert_eq!(shown(&only_part(&dataset).metrics[0].whole), "-0.25 0");
    let refusal = bench.refusal_of("cell_type,region,side,hex1,hex2,angle\nMi1,ME,L,1,1,inf\n");
    assert!(
        refusal.starts_with("counts.csv, line 2, column angle: \"inf\" is not a finite number"),
        "{refusal}"
    );
}

#[test]
fn hostile_cell_types_are_kept_as_they_are() {
    let long = "x".repeat(300);
    let names = [
        "../../etc/passwd",
        "R1&R6<script>",
        "🪰",
        "KCa'b'-ap1",
        "(PLP191,PLP192)b",
        &long,
    ];
    let rows: String = names
        .iter()
        .map(|name| format!("\"{name}\",ME,R,1,1,0,5,1\n"))
        .collect();
    let dataset = Bench::new().read(&format!("{HEAD}{rows}"));
    let mut sorted = names;
    sorted.sort_unstable();
    let found: Vec<_> = dataset.types.iter().map(|t| &*t.name).collect();
    assert_eq!(found, sorted);
}

#[test]
fn rows_without_a_place_are_left_out_and_counted() {
    let text =
        format!("{HEAD}Mi1,ME,R,,1,0,5,1\nMi1,ME,R,1,NaN,0,5,1\n,,,1,1,,5,1\nMi1,ME,R,1,1,0,5,1\n");
    let dataset = Bench::new().skipping().read(&text);
    assert_eq!((dataset.rows, dataset.unplaced_rows), (4, 3));
    assert_eq!(
        dataset.notes[0],
        "3 of 4 rows name no column (hex1, hex2 or layer is empty) and were left out"
    );
}

#[test]
fn a_cell_that_is_listed_twice_in_a_column_counts_once_and_is_reported() {
    let text = "body_id,cell_type,region,side,hex1,hex2\n7,C2,ME,R,1,1\n7,C2,ME,R,1,1\n8,C2,ME,R,1,1\n7,C2,ME,R,1,2\n";
    let dataset = Bench::new().read(text);
    assert_eq!(shown(&only_part(&dataset).metrics[0].whole), "2 1");
    assert_eq!(
        dataset.notes[0],
        "1 of 4 rows repeat a body in its column and were counted once"
    );
}

#[test]
fn a_layer_whose_row_says_zero_is_told_from_one_without_a_row() {
    let text = format!("{HEAD}Mi1,ME,R,1,1,0,5,1\nMi1,ME,R,1,1,1,0,0\nMi1,ME,R,1,1,2,5,1\n");
    let part = only_part(&Bench::new().read(&text));
    for metric in &part.metrics {
        let absent = metric.layers[..4]
            .iter()
            .map(|&value| crate::model::is_absent(value));
        assert_eq!(absent.collect::<Vec<_>>(), [false, false, true, true]);
    }
}
