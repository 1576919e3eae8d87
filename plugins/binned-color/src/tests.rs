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
