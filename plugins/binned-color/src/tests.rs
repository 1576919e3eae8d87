use super::*;
use eyemap_sdk::{job::Statistics, testing};

fn stage(config: &str) -> Result<BinnedColor> {
    let config = eyemap_sdk::config::parse(config)?;
    BinnedColor::create(config, &Tables::NONE)
}

fn bins(config: &str, subject: Subject, low: f64, high: f64) -> Bins {
    let job = ColorJob {
        subject,
        statistics: Statistics {
            min: Some(low),
            min_nonzero: Some(low),
            max: Some(high),
            ..Default::default()
        },
        ..Default::default()
    };
    stage(config)
        .and_then(|stage| stage.prepare(&job))
        .expect("bins")
}

/// The legend of whole columns with these values, in a range set by hand or not.
fn legend(
    config: &str,
    subject: Subject,
    values: &[f64],
    range: Option<[f64; 2]>,
) -> LegendDescription {
    let least = |values: &mut dyn Iterator<Item = f64>| values.reduce(f64::min);
    let mut distinct = values.to_vec();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    distinct.truncate(if distinct.len() > 9 { 0 } else { 9 });
    let job = ColorJob {
        subject,
        range,
        statistics: Statistics {
            count: values.len() as u64,
            min: least(&mut values.iter().copied()),
            min_nonzero: least(&mut values.iter().copied().filter(|value| *value > 0.0)),
            max: values.iter().copied().reduce(f64::max),
            whole_numbers: values.iter().all(|value| value.fract() == 0.0),
            ..Default::default()
        },
        categories: distinct,
        ..Default::default()
    };
    let scale = stage(config).and_then(|stage| stage.prepare(&job));
    scale.expect("bins").describe().legend.expect("a legend")
}

fn swatches(legend: &LegendDescription) -> Vec<(&str, &str)> {
    let pairs = legend.swatches.iter();
    pairs
        .map(|entry| (entry.label.as_str(), entry.color.as_str()))
        .collect()
}

fn hex(colors: &[Rgba]) -> Vec<String> {
    colors.iter().map(ToString::to_string).collect()
}

#[test]
fn a_value_on_an_edge_belongs_to_the_bin_below() {
    let bins = bins("{}", Subject::Whole, 0.0, 10.0);
    let colors = testing::colors(&bins, &[0.0, 2.0, 2.1, 4.0, 6.0, 8.0, 8.1, 10.0]);
    let expected = [
        "#fee5d9", "#fee5d9", "#fcbba1", "#fcbba1", "#fc9272", "#ef6548", "#a50f15", "#a50f15",
    ];
    assert_eq!(hex(&colors), expected);
}

#[test]
fn values_outside_a_range_set_by_hand_take_the_end_colours() {
    let job = ColorJob {
        range: Some([10.0, 20.0]),
        ..Default::default()
    };
    let bins = stage("{}")
        .and_then(|stage| stage.prepare(&job))
        .expect("bins");
    assert_eq!(
        hex(&testing::colors(&bins, &[-5.0, 1e300])),
        ["#fee5d9", "#a50f15"]
    );
}

#[test]
fn equal_values_lie_in_the_middle_of_whole_columns_and_in_the_first_bin_of_layers() {
    let whole = bins("{}", Subject::Whole, 5.0, 5.0);
    assert_eq!(hex(&testing::colors(&whole, &[5.0])), ["#fc9272"]);
    let legend = whole.describe().legend.expect("a legend");
    assert_eq!(
        legend.labels,
        ["", "", "5", "", "", ""],
        "one label, at the middle bin"
    );
    let layer = bins("{}", Subject::AnyLayer, 5.0, 5.0);
    assert_eq!(
        hex(&testing::colors(&layer, &[0.0, 5.0])),
        ["#ffffff", "#fee5d9"]
    );
    let legend = layer.describe().legend.expect("a legend");
    assert_eq!(legend.ticks, [5.0; 6]);
}

#[test]
fn every_status_has_its_own_colour_whatever_the_batch() {
    let bins = bins("{}", Subject::Whole, 0.0, 1.0);
    let status: Vec<_> = ColumnStatus::ALL
        .iter()
        .copied()
        .cycle()
        .take(150)
        .collect();
    let mut out = vec![Rgba(0); 150];
    bins.color(&[0.0; 150], &status, &mut out);
    let expected = ["#fee5d9", "#ffffff", "#999999", "#d9d2e9"];
    assert!(
        hex(&out)
            .iter()
            .zip(expected.iter().cycle())
            .all(|(a, b)| a == b),
        "{out:?}"
    );
}

#[test]
fn without_any_value_in_the_scope_there_is_no_legend() {
    let bins = stage("{}")
        .and_then(|stage| stage.prepare(&ColorJob::default()))
        .expect("bins");
    assert_eq!(bins.describe().legend, None);
}

#[test]
fn any_number_of_bins_and_any_palette() {
    let three = bins(
        r##"{"palette": ["#000000", "#0000ff"], "bins": 3}"##,
        Subject::Whole,
        0.0,
        3.0,
    );
    assert_eq!(
        hex(&testing::colors(&three, &[1.0, 2.0, 3.0])),
        ["#000000", "#000080", "#0000ff"]
    );
    assert_eq!(
        three.describe().legend.map(|l| l.ticks),
        Some(vec![0.0, 1.0, 2.0, 3.0])
    );
}

#[test]
fn the_fast_loop_agrees_with_the_definition() {
    for n in [1u32, 2, 5, 7, 64] {
        let bins = bins(&format!(r#"{{"bins": {n}}}"#), Subject::Whole, 3.0, 997.0);
        let values: Vec<_> = (0..1000).map(f64::from).collect();
        let by_definition = |value: f64| {
            let share = ((value - 3.0) / 994.0).clamp(0.0, 1.0);
            let bin = (1..n)
                .filter(|&k| share > f64::from(k) / f64::from(n))
                .count();
            bins.colors[bin]
        };
        let expected: Vec<_> = values.iter().copied().map(by_definition).collect();
        assert_eq!(testing::colors(&bins, &values), expected, "{n} bins");
    }
}

#[test]
fn a_wrong_key_or_number_names_the_key() {
    let message = |config: &str| stage(config).expect_err("an error").to_string();
    assert!(message(r#"{"bins": 65}"#).contains("65 bins: give 1 to 64 (at bins)"));
    assert!(message(r#"{"binz": 5}"#).contains("unknown field `binz`"));
    assert!(message(r#"{"unknown": "violet"}"#).ends_with("(at unknown)"));
    assert!(message(r#"{"palette": []}"#).contains("the palette is empty"));
}

#[test]
fn an_end_is_open_where_values_lie_beyond_it_and_only_there() {
    let values: Vec<f64> = (0..=532).map(f64::from).collect();
    let open = |range, subject| {
        let legend = legend("{}", subject, &values, range);
        (legend.open_below, legend.open_above)
    };
    assert_eq!(open(Some([50.0, 100.0]), Subject::Whole), (true, true));
    assert_eq!(open(Some([0.0, 100.0]), Subject::Whole), (false, true));
    assert_eq!(open(Some([0.0, 600.0]), Subject::Whole), (false, false));
    assert_eq!(open(None, Subject::Whole), (false, false));
    // A zero of a layer has a colour of its own, so it does not lie below the scale.
    assert_eq!(open(None, Subject::AnyLayer), (false, false));
    assert_eq!(open(Some([1.0, 600.0]), Subject::AnyLayer), (false, false));
    assert_eq!(open(Some([2.0, 600.0]), Subject::AnyLayer), (true, false));
    let below_zero = legend("{}", Subject::AnyLayer, &[-5.0, 0.0, 5.5], None);
    assert!(
        below_zero.open_below,
        "layers begin at the least value above zero"
    );
}

#[test]
fn few_whole_numbers_have_a_swatch_each_in_the_colour_that_they_have() {
    let few = legend("{}", Subject::Whole, &[1.0, 2.0, 2.0, 4.0], None);
    let expected = [("1", "#fee5d9"), ("2", "#fcbba1"), ("4", "#a50f15")];
    assert_eq!(swatches(&few), expected);
    assert_eq!(
        few.ticks.len(),
        6,
        "edges stay for those who compute with them"
    );
    let one = legend("{}", Subject::Whole, &[7.5, 7.5], None);
    assert_eq!(
        swatches(&one),
        [("7.5", "#fc9272")],
        "not five for one value"
    );
    let layers = legend("{}", Subject::AnyLayer, &[0.0, 1.0, 3.0], None);
    assert_eq!(swatches(&layers), [("1", "#fee5d9"), ("3", "#a50f15")]);
    let own_zero = legend(
        r##"{"layer_zero": ""}"##,
        Subject::AnyLayer,
        &[0.0, 1.0],
        None,
    );
    assert_eq!(swatches(&own_zero), [("0", "#fee5d9"), ("1", "#fee5d9")]);
    for other in [
        legend("{}", Subject::Whole, &[1.0, 1.5], None),
        legend("{}", Subject::Whole, &[1.0, 2.0], Some([0.0, 9.0])),
        legend(
            "{}",
            Subject::Whole,
            &(0..10).map(f64::from).collect::<Vec<_>>(),
            None,
        ),
    ] {
        assert_eq!(other.swatches, []);
    }
}

#[test]
fn bins_of_whole_numbers_are_labelled_by_the_last_number_that_they_hold() {
    let values: Vec<f64> = (1..=30).map(f64::from).collect();
    let found = legend("{}", Subject::Whole, &values, None);
    assert_eq!(found.labels, ["1", "6", "12", "18", "24", "30"]);
    let bins = bins("{}", Subject::Whole, 1.0, 30.0);
    let colors = testing::colors(&bins, &[6.0, 7.0, 12.0, 13.0, 24.0, 25.0]);
    let of = |k: usize| found.colors[k].clone();
    assert_eq!(hex(&colors), [of(0), of(1), of(1), of(2), of(3), of(4)]);
    let narrow = legend(
        r#"{"bins": 20}"#,
        Subject::Whole,
        &(0..=10).map(f64::from).collect::<Vec<_>>(),
        None,
    );
    let told: Vec<_> = narrow
        .labels
        .iter()
        .filter(|label| !label.is_empty())
        .collect();
    assert_eq!(
        told,
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]
    );
    let broken = legend("{}", Subject::Whole, &[0.5, 30.0], None);
    assert_eq!(broken.labels, [""; 0], "the host writes numbers");
}
