//! What a metadata stage is asked: maps with and without layers and data, with metrics that it may not
//! know and names that mean something elsewhere; then tooltips of a few columns of every status.

use eyemap_abi::{
    ColumnBatch, ColumnData, TableColumn,
    abi_stable::std_types::{RSlice, RStr},
    job::{ColumnStatus, MetadataDescription, MetadataJob, Side, Statistics, Templates},
};

use super::{
    Question,
    lines::{Lines, Unanswered, quoted},
};
use crate::stage::{MetadataStage, Texts};

const HEX1: [i32; 9] = [0, 1, 2, 3, -4, 29, 30, 1_000_000, 8];
const HEX2: [i32; 9] = [0, 0, -2, 3, 5, 20, 20, 1_000_000, 8];
const VALUES: [f64; 9] = [0.0, 1.0, 12.5, 0.0, 0.0, -3.0, 1e21, 5.0, 0.0];
const STATUS: [ColumnStatus; 9] = {
    use ColumnStatus::{HasData, NoData, NotInRegion, Unknown};
    [
        HasData,
        HasData,
        HasData,
        NoData,
        NotInRegion,
        HasData,
        HasData,
        HasData,
        Unknown,
    ]
};
/// Attributes of the columns: whole numbers, numbers and texts, each with a null.
const ATTRIBUTES: [&str; 3] = ["ommatidium", "area_um2", "note"];
const OMMATIDIA: [i64; 9] = [1, 2, 3, 4, 5, 6, 7, 8, 0];
const AREAS: [f64; 9] = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 0.0];
const NOTES: [&str; 9] = [
    "dorsal rim",
    "",
    "<b>",
    "{value}",
    "\u{202e}x",
    "a\nb",
    "ü",
    "\\n",
    "",
];
const PRESENT: [u8; 9] = [1, 1, 1, 1, 1, 1, 1, 1, 0];

pub(super) fn ask(question: &Question<'_>, lines: &mut Lines) -> Result<(), Unanswered> {
    let stage = MetadataStage::load(question.finder, &question.stage_config());
    let Some(stage) = lines.or_refused(stage)? else {
        return Ok(());
    };
    for (title, job) in jobs() {
        lines.section(title);
        if let Some(texts) = lines.or_refused(stage.prepare(&job))? {
            push_description(lines, &texts.description);
            push_tooltips(lines, &texts, &job)?;
        }
    }
    Ok(())
}

/// Maps of several kinds, with a title each.
pub fn jobs() -> [(&'static str, MetadataJob); 6] {
    let strings = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let plain = MetadataJob {
        cell_type: "Tm3".into(),
        region: "ME".into(),
        side: Side::Right,
        metric: "synapses".into(),
        columns_with_data: 6,
        columns_in_region: 8,
        zeros: 1,
        unknown: 1,
        statistics: Statistics {
            count: 6,
            min: Some(-3.0),
            max: Some(1e21),
            min_nonzero: Some(1.0),
            mean: Some(12.25),
            deviation: Some(0.5),
            sum: Some(73.5),
            ..Default::default()
        },
        ..Default::default()
    };
    let with = |change: fn(&mut MetadataJob)| {
        let mut job = plain.clone();
        change(&mut job);
        job
    };
    let mut layers = with(|job| job.side = Side::Left);
    layers.region = "LO".into();
    layers.layer_labels = strings(&["1", "4", "5A", "5B"]);
    layers.attributes = strings(&ATTRIBUTES);
    let hostile = MetadataJob {
        cell_type: "<b>&{hex1}\"\n\u{202e}]]>".into(),
        region: "{region}".into(),
        metric: "a|b".into(),
        layer_labels: strings(&["{layer}", "", "<1>"]),
        attributes: strings(&ATTRIBUTES),
        ..plain.clone()
    };
    [
        ("whole columns", plain.clone()),
        ("four layers and attributes", layers),
        ("cells", with(|job| job.metric = "cells".into())),
        (
            "a metric that nobody knows",
            with(|job| job.metric = "gap_junctions".into()),
        ),
        (
            "no data",
            with(|job| {
                (job.blank, job.columns_with_data, job.zeros) = (true, 0, 0);
                job.statistics = Statistics::default();
            }),
        ),
        ("names that mean something elsewhere", hostile),
    ]
}

fn push_description(lines: &mut Lines, description: &MetadataDescription) {
    let texts = [
        ("title", &description.title),
        ("title of a layer", &description.layer_title),
        ("subtitle", &description.subtitle),
        ("subtitle of a layer", &description.layer_subtitle),
        ("title of the legend", &description.legend_title),
        ("description", &description.description),
    ];
    for (what, text) in texts {
        lines.answer(what, &quoted(text));
    }
    for (i, line) in description.subject.iter().enumerate() {
        let badge = match &line.badge {
            None => String::new(),
            Some(badge) => {
                let fill = badge.fill.as_deref().map_or("default".into(), quoted);
                format!(", badge {}, fill {fill}", quoted(&badge.text))
            }
        };
        let text = format!("{}{badge}", quoted(&line.text));
        lines.answer(&format!("subject {}", i + 1), &text);
    }
    for (i, label) in description.layer_labels.iter().enumerate() {
        lines.answer(&format!("label of layer {}", i + 1), &quoted(label));
    }
    push_templates(lines, "whole columns", &description.whole);
    push_templates(lines, "layers", &description.layer);
}

fn push_templates(lines: &mut Lines, subject: &str, templates: &Templates) {
    for status in ColumnStatus::ALL {
        let question = format!("template of {subject}, {}", status.word().replace('_', " "));
        lines.answer(&question, &quoted(templates.of(status)));
    }
}

fn push_tooltips(
    lines: &mut Lines,
    texts: &Texts<'_>,
    job: &MetadataJob,
) -> Result<(), Unanswered> {
    let layers = if job.layer_labels.is_empty() { 0 } else { 2 };
    for layer in 0..=layers {
        let mut none = true;
        for range in lines.batches(HEX1.len()) {
            let start = range.start;
            for (index, text) in annotate(texts, job, layer, range)? {
                let i = start + index;
                let question = format!("tooltip of column {},{}{}", HEX1[i], HEX2[i], of(layer));
                lines.answer(&question, &quoted(&text));
                none = false;
            }
        }
        if none {
            lines.answer(&format!("tooltips{}", of(layer)), "as the templates say");
        }
    }
    Ok(())
}

fn of(layer: u32) -> String {
    match layer {
        0 => String::new(),
        n => format!(" in layer {n}"),
    }
}

fn annotate(
    texts: &Texts<'_>,
    job: &MetadataJob,
    layer: u32,
    range: std::ops::Range<usize>,
) -> Result<crate::stage::Annotations, Unanswered> {
    let status: Vec<u8> = STATUS[range.clone()].iter().map(|&s| s as u8).collect();
    let notes = NOTES.map(RStr::from_str);
    let data = [
        ColumnData::I64(RSlice::from_slice(&OMMATIDIA[range.clone()])),
        ColumnData::F64(RSlice::from_slice(&AREAS[range.clone()])),
        ColumnData::Text(RSlice::from_slice(&notes[range.clone()])),
    ];
    let columns: Vec<TableColumn<'_>> = ATTRIBUTES
        .iter()
        .zip(data)
        .take(job.attributes.len())
        .map(|(name, data)| TableColumn {
            name: RStr::from_str(name),
            data,
            valid: RSlice::from_slice(&PRESENT[range.clone()]),
        })
        .collect();
    let batch = ColumnBatch {
        layer,
        hex1: RSlice::from_slice(&HEX1[range.clone()]),
        hex2: RSlice::from_slice(&HEX2[range.clone()]),
        values: RSlice::from_slice(&VALUES[range]),
        status: RSlice::from_slice(&status),
        attributes: RSlice::from_slice(&columns),
    };
    Ok(texts.annotate(&batch)?)
}
