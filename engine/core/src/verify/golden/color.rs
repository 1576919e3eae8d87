//! What a colour stage is asked: scopes of several kinds of values, for whole columns and for layers;
//! then fixed values, the ticks of its own legend with their nearest neighbours, and every status.

use eyemap_abi::job::{ColorJob, ColorNeeds, ColumnStatus, Scope, Side, Subject, SubjectNeeds};

use super::{
    Question,
    lines::{Lines, Unanswered, number, quoted, word},
};
use crate::{
    scene::{Legend, Rgba},
    stage::{ColorStage, Scale},
    statistics::Tally,
};

/// Zeros, small and large, of both signs, whatever the scope.
const VALUES: [f64; 12] = [
    -1e300, -1.0, -0.0, 0.0, 5e-324, 1e-9, 0.5, 1.0, 7.0, 12.5, 100.0, 1e300,
];
/// At most so many ticks of a legend are looked at, and so many of its entries written one by one.
const TICKS: usize = 12;

/// A scope: what it is called, its values, and a range that the user set.
type Values = (&'static str, Vec<f64>, Option<[f64; 2]>);

pub(super) fn ask(question: &Question<'_>, lines: &mut Lines) -> Result<(), Unanswered> {
    let stage = ColorStage::load(question.finder, &question.stage_config());
    let Some(stage) = lines.or_refused(stage)? else {
        return Ok(());
    };
    push_needs(lines, &stage.needs);
    for (title, job) in jobs(&stage.needs) {
        lines.section(&title);
        let Some(job) = job else {
            lines.answer(
                "not asked",
                "more distinct values than a scale of categories can have",
            );
            continue;
        };
        if let Some(scale) = lines.or_refused(stage.prepare(&job))? {
            push_answers(lines, &scale)?;
        }
    }
    Ok(())
}

/// The jobs that the host would make, with a title each; none where there are too many categories for it
/// to ask.
pub fn jobs(needs: &ColorNeeds) -> Vec<(String, Option<ColorJob>)> {
    let mut jobs = Vec::new();
    for subject in subjects(needs) {
        for (title, values, range) in scopes() {
            let job = job(needs, subject, &values).map(|job| ColorJob { range, ..job });
            jobs.push((format!("{}, {title}", subject_words(subject)), job));
        }
    }
    jobs
}

fn push_needs(lines: &mut Lines, needs: &ColorNeeds) {
    lines.section("what it needs");
    for (subject, needs) in [("whole columns", &needs.whole), ("layers", &needs.layer)] {
        let words: Vec<String> = needs.statistics.iter().map(word).collect();
        let quantiles: Vec<String> = needs.quantiles.iter().map(|&q| number(q)).collect();
        let flag = |set: bool, words: &str| {
            if set {
                format!(", {words}")
            } else {
                String::new()
            }
        };
        let answer = format!(
            "over {}; statistics [{}]; quantiles [{}]{}{}{}",
            word(&needs.scope),
            words.join(", "),
            quantiles.join(", "),
            flag(needs.categories, "categories"),
            flag(
                needs.few_values > 0,
                &format!("up to {} values one by one", needs.few_values)
            ),
            flag(needs.per_layer, "each layer by itself"),
        );
        lines.answer(subject, &answer);
    }
}

fn subjects(needs: &ColorNeeds) -> [Subject; 2] {
    let layer = if needs.layer.per_layer {
        Subject::Layer(2)
    } else {
        Subject::AnyLayer
    };
    [Subject::Whole, layer]
}

fn subject_words(subject: Subject) -> String {
    match subject {
        Subject::Whole => "whole columns".into(),
        Subject::AnyLayer => "any layer".into(),
        Subject::Layer(n) => format!("layer {n}"),
    }
}

fn scopes() -> [Values; 10] {
    let to = |from: i32, to: i32| (from..=to).map(f64::from).collect();
    [
        ("values 1 to 30", to(1, 30), None),
        (
            "values 1 to 30 in a range of 0 to 10",
            to(1, 30),
            Some([0.0, 10.0]),
        ),
        (
            "values 1 to 30 in a range of 0 to 40",
            to(1, 30),
            Some([0.0, 40.0]),
        ),
        ("the values 1, 2 and 4", vec![1.0, 2.0, 4.0], None),
        ("the value 7 three times", vec![7.0; 3], None),
        ("values -5 to 5", to(-5, 5), None),
        ("nothing but zeros", vec![0.0; 2], None),
        ("no value", Vec::new(), None),
        ("1e-300, 1 and 1e300", vec![1e-300, 1.0, 1e300], None),
        ("a thousand values from 0 in steps of 0.125", steps(), None),
    ]
}

/// Steps that binary numbers hold exactly, so that their mean does too.
fn steps() -> Vec<f64> {
    (0..1000).map(|i| f64::from(i) * 0.125).collect()
}

fn job(needs: &ColorNeeds, subject: Subject, values: &[f64]) -> Option<ColorJob> {
    let needs: &SubjectNeeds = if subject.is_whole() {
        &needs.whole
    } else {
        &needs.layer
    };
    let mut tally = Tally::new(needs);
    tally.add(values.iter());
    let summary = tally.finish(needs).ok()?;
    Some(ColorJob {
        metric: "synapses".into(),
        subject,
        scope: needs.scope,
        statistics: summary.statistics,
        categories: summary.categories,
        cell_type: named(needs.scope != Scope::Dataset, "Tm3"),
        region: named(matches!(needs.scope, Scope::Region | Scope::Map), "ME"),
        side: (needs.scope == Scope::Map).then_some(Side::Right),
        ..Default::default()
    })
}

/// A name, where the scope has one alone.
fn named(alone: bool, name: &str) -> String {
    if alone { name.into() } else { String::new() }
}

fn push_answers(lines: &mut Lines, scale: &Scale<'_>) -> Result<(), Unanswered> {
    let legend = scale.legend()?;
    push_legend(lines, legend.as_ref());
    let asked = asked(legend.as_ref());
    for range in lines.batches(asked.len()) {
        let batch = &asked[range];
        let values: Vec<f64> = batch.iter().map(|(_, value, _)| *value).collect();
        let status: Vec<ColumnStatus> = batch.iter().map(|(.., status)| *status).collect();
        let colors = scale.color(&values, &status)?;
        for ((question, ..), color) in batch.iter().zip(colors) {
            lines.answer(question, &rgba(color));
        }
    }
    Ok(())
}

/// Questions, each with a value and a status.
fn asked(legend: Option<&Legend>) -> Vec<(String, f64, ColumnStatus)> {
    let has_data = |what: String, value| {
        let question = format!("value {what} has data");
        (question, value, ColumnStatus::HasData)
    };
    let fixed = VALUES.iter().map(|&value| has_data(number(value), value));
    let ticks = legend.iter().flat_map(|legend| &legend.ticks).take(TICKS);
    // By the tick's number: a tick that moves is one line that differs, not seven.
    let ticks = ticks.enumerate().flat_map(|(i, &tick)| {
        let near = [
            ("just below", tick.next_down()),
            ("at", tick),
            ("just above", tick.next_up()),
        ];
        near.map(|(word, value)| has_data(format!("{word} tick {}", i + 1), value))
    });
    let others = ColumnStatus::ALL[1..].iter();
    let others = others.map(|&status| (status.word().replace('_', " "), 0.0, status));
    fixed.chain(ticks).chain(others).collect()
}

fn push_legend(lines: &mut Lines, legend: Option<&Legend>) {
    let Some(legend) = legend else {
        return lines.answer("legend", "none");
    };
    let title = quoted(&legend.title);
    lines.answer("legend", &format!("{}, title {title}", word(&legend.kind)));
    let ticks: Vec<String> = legend.ticks.iter().map(|&tick| number(tick)).collect();
    push_entries(lines, "legend tick", &ticks);
    let labels: Vec<String> = legend.labels.iter().map(|label| quoted(label)).collect();
    push_entries(lines, "legend label", &labels);
    let colors: Vec<String> = legend.colors.iter().map(|&color| rgba(color)).collect();
    push_entries(lines, "legend colour", &colors);
    let positions: Vec<String> = legend.positions.iter().map(|&at| number(at)).collect();
    push_entries(lines, "legend position", &positions);
    let ends = [(legend.open_below, "below"), (legend.open_above, "above")];
    for (_, end) in ends.iter().filter(|(open, _)| *open) {
        lines.answer(&format!("legend open {end}"), "yes");
    }
    for (what, entries) in [
        ("legend swatch", &legend.swatches),
        ("legend entry", &legend.entries),
    ] {
        let texts = entries.iter();
        let texts = texts.map(|entry| format!("{} {}", quoted(&entry.label), rgba(entry.color)));
        push_entries(lines, what, &texts.collect::<Vec<_>>());
    }
}

fn push_entries(lines: &mut Lines, what: &str, entries: &[String]) {
    for (i, entry) in entries.iter().take(TICKS).enumerate() {
        lines.answer(&format!("{what} {}", i + 1), entry);
    }
    let rest = entries.get(TICKS..).unwrap_or_default();
    if !rest.is_empty() {
        let hash = &blake3::hash(rest.join("\n").as_bytes()).to_hex()[..16];
        lines.answer(
            &format!("other {what}s"),
            &format!("{}, BLAKE3 {hash}", rest.len()),
        );
    }
}

fn rgba(color: Rgba) -> String {
    format!("#{:08x}", color.0)
}
