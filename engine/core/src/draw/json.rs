//! The scene for machines: a stable contract, one hexagon a line.
//!
//! Numbers are exact, as ECMAScript writes them; ticks are not rounded. Coordinates have two
//! decimals, the very hundredths that the SVG has.

use std::io::{self, Write};

use eyemap_abi::job::{ColumnStatus, LegendKind};

use super::{
    chunk::Chunker,
    island::{color_json, list},
    layout::{canvas, layer_label},
    legend::labels,
    number::{hundredths, push_fixed, push_signed, push_unsigned, push_value},
    text::push_json,
    tooltip::{map_word, tooltip},
};
use crate::scene::{Counts, HexagonBatch, Legend, LegendEntry, SceneHead, SceneWriter};

pub(crate) struct JsonWriter<'w> {
    head: &'w SceneHead,
    out: &'w mut dyn Write,
    chunker: Chunker,
    first: bool,
}

impl<'w> JsonWriter<'w> {
    pub(crate) fn new(head: &'w SceneHead, out: &'w mut dyn Write) -> io::Result<Self> {
        let mut buffer = Vec::with_capacity(2048);
        head_json(&mut buffer, head);
        out.write_all(&buffer)?;
        Ok(Self {
            head,
            out,
            chunker: Chunker::default(),
            first: true,
        })
    }
}

impl SceneWriter for JsonWriter<'_> {
    fn hexagons(&mut self, batch: &HexagonBatch<'_>) -> io::Result<()> {
        let Self {
            head,
            out,
            chunker,
            first,
        } = self;
        chunker.push(head, batch, |chunk| {
            let mut buffer = Vec::with_capacity(chunk.len() * (200 + 120 * head.n_layers));
            for i in 0..chunk.len() {
                let comma: &[u8] = if std::mem::take(first) { b"\n" } else { b",\n" };
                buffer.extend_from_slice(comma);
                hexagon(&mut buffer, head, chunk, i);
            }
            out.write_all(&buffer)
        })
    }

    fn finish(&mut self) -> io::Result<()> {
        self.chunker.finish(self.head)?;
        self.out.write_all(b"\n]}\n")
    }
}

fn text(out: &mut Vec<u8>, name: &str, value: &str) {
    push_json(out, name);
    out.push(b':');
    push_json(out, value);
}

fn number(out: &mut Vec<u8>, name: &str, value: f64) {
    out.extend_from_slice(format!(",\"{name}\":").as_bytes());
    push_value(out, value);
}

fn head_json(out: &mut Vec<u8>, head: &SceneHead) {
    out.push(b'{');
    for name in ["cell_type", "region", "side", "metric"] {
        // As in tables and in the manifest; only texts for people spell the side out.
        let word = match name {
            "side" => Some(head.side().letter().to_owned()),
            _ => map_word(head, name),
        };
        text(out, name, &word.unwrap_or_default());
        out.extend_from_slice(b",\n");
    }
    let canvas = canvas(head);
    out.extend_from_slice(b"\"width\":");
    push_value(out, canvas.width);
    number(out, "height", canvas.height);
    out.extend_from_slice(b",\"view_box\":");
    values(out, &[canvas.x, canvas.y, canvas.width, canvas.height]);
    out.extend_from_slice(b",\n");
    text(out, "title", &head.title);
    out.extend_from_slice(b",\n\"subject\":");
    list(out, &head.subject, |out, line| push_json(out, &line.text));
    out.extend_from_slice(b",\n");
    text(out, "subtitle", &head.subtitle);
    out.extend_from_slice(b",\n\"counts\":");
    counts(out, &head.counts);
    out.extend_from_slice(b",\n\"layer_counts\":");
    list(out, &head.layer_counts, counts);
    out.extend_from_slice(b",\n\"legend\":");
    match &head.legend {
        None => out.extend_from_slice(b"null"),
        Some(legend) => {
            out.push(b'{');
            legend_json(out, legend);
            out.extend_from_slice(b",\"layer_ticks\":");
            match head.layer_legends.first().filter(|one| !one.is_empty()) {
                Some(layers) => values(out, &layers.ticks),
                None => out.extend_from_slice(b"null"),
            }
            out.push(b'}');
        }
    }
    out.extend_from_slice(b",\n\"layer_legends\":");
    list(out, &head.layer_legends, |out, legend| {
        out.push(b'{');
        legend_json(out, legend);
        out.push(b'}');
    });
    out.extend_from_slice(b",\n\"layer_labels\":[");
    for layer in 1..=head.n_layers {
        if layer > 1 {
            out.push(b',');
        }
        push_json(out, &layer_label(head, layer));
    }
    out.extend_from_slice(b"],\n\"hexagons\":[");
}

fn counts(out: &mut Vec<u8>, counts: &Counts) {
    out.extend_from_slice(b"{\"has_data\":");
    push_unsigned(out, counts.has_data);
    for (name, count) in [
        ("zero", counts.zero),
        ("no_data", counts.no_data),
        ("not_in_region", counts.not_in_region),
        ("unknown", counts.unknown),
        ("below", counts.below),
        ("above", counts.above),
    ] {
        out.extend_from_slice(format!(",\"{name}\":").as_bytes());
        push_unsigned(out, count);
    }
    out.push(b'}');
}

/// The keys of a legend: the scale exactly, and the texts that a picture shows.
fn legend_json(out: &mut Vec<u8>, legend: &Legend) {
    text(out, "title", &legend.title);
    let kind = match legend.kind {
        LegendKind::Bins => "bins",
        LegendKind::Ramp => "ramp",
        LegendKind::Swatches => "swatches",
    };
    out.push(b',');
    text(out, "kind", kind);
    out.extend_from_slice(b",\"ticks\":");
    values(out, &legend.ticks);
    out.extend_from_slice(b",\"labels\":");
    list(out, &labels(legend), |out, label| push_json(out, label));
    out.extend_from_slice(b",\"colors\":");
    list(out, &legend.colors, |out, &color| color_json(out, color));
    out.extend_from_slice(b",\"positions\":");
    values(out, &positions(legend));
    for (name, open) in [
        ("open_below", legend.open_below),
        ("open_above", legend.open_above),
    ] {
        out.extend_from_slice(format!(",\"{name}\":{open}").as_bytes());
    }
    for (name, entries) in [("swatches", &legend.swatches), ("entries", &legend.entries)] {
        out.extend_from_slice(format!(",\"{name}\":").as_bytes());
        list(out, entries, entry);
    }
}

fn entry(out: &mut Vec<u8>, entry: &LegendEntry) {
    out.push(b'{');
    text(out, "label", &entry.label);
    out.extend_from_slice(b",\"color\":");
    color_json(out, entry.color);
    out.push(b'}');
}

/// Where ticks lie, from 0 to 1; nowhere for separate colours.
fn positions(legend: &Legend) -> Vec<f64> {
    if !legend.positions.is_empty() || legend.kind == LegendKind::Swatches {
        return legend.positions.clone();
    }
    let last = legend.ticks.len().saturating_sub(1).max(1) as f64;
    (0..legend.ticks.len()).map(|i| i as f64 / last).collect()
}

fn values(out: &mut Vec<u8>, values: &[f64]) {
    list(out, values, |out, &value| push_value(out, value));
}

fn hexagon(out: &mut Vec<u8>, head: &SceneHead, chunk: &HexagonBatch<'_>, i: usize) {
    out.extend_from_slice(b"{\"hex1\":");
    push_signed(out, i64::from(chunk.hex1[i]));
    out.extend_from_slice(b",\"hex2\":");
    push_signed(out, i64::from(chunk.hex2[i]));
    out.extend_from_slice(b",\"x\":");
    push_fixed(out, hundredths(chunk.x[i]));
    out.extend_from_slice(b",\"y\":");
    push_fixed(out, hundredths(chunk.y[i]));
    out.extend_from_slice(b",\"status\":\"");
    out.extend_from_slice(chunk.status[i].word().as_bytes());
    out.extend_from_slice(b"\",\"fill\":");
    color_json(out, chunk.fill[i]);
    let known = chunk.status[i] == ColumnStatus::HasData;
    out.extend_from_slice(b",\"value\":");
    push_value(out, if known { chunk.value[i] } else { f64::NAN });
    out.push(b',');
    text(out, "tooltip", &tooltip(head, chunk, i, 0));
    out.extend_from_slice(b",\"layers\":[");
    for layer in 1..=if known { head.n_layers } else { 0 } {
        if layer > 1 {
            out.push(b',');
        }
        let at = i * head.n_layers + layer - 1;
        let known = chunk.layer_status[at] == ColumnStatus::HasData;
        out.extend_from_slice(b"{\"value\":");
        push_value(
            out,
            if known {
                chunk.layer_value[at]
            } else {
                f64::NAN
            },
        );
        out.extend_from_slice(b",\"fill\":");
        color_json(out, chunk.layer_fill[at]);
        out.push(b',');
        text(out, "tooltip", &tooltip(head, chunk, i, layer));
        if chunk.layer_absent.get(at) == Some(&true) {
            out.extend_from_slice(b",\"absent\":true");
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
}
