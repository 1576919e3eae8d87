//! The scene for machines: a stable contract, one hexagon a line.
//!
//! Numbers are exact, as ECMAScript writes them; ticks are not rounded. Coordinates have two
//! decimals, the very hundredths that the SVG has.

use std::io::{self, Write};

use eyemap_abi::job::ColumnStatus;

use super::{
    chunk::Chunker,
    island::color_json,
    layout::layer_label,
    number::{hundredths, push_fixed, push_signed, push_value},
    text::push_json,
    tooltip::{map_word, tooltip},
};
use crate::scene::{HexagonBatch, SceneHead, SceneWriter};

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
    out.extend_from_slice(b"\"width\":");
    push_value(out, head.width_px);
    number(out, "height", head.height_px);
    out.extend_from_slice(b",\n");
    text(out, "title", &head.title);
    out.extend_from_slice(b",\n\"legend\":");
    match &head.legend {
        None => out.extend_from_slice(b"null"),
        Some(legend) => {
            out.push(b'{');
            text(out, "title", &legend.title);
            out.extend_from_slice(b",\"ticks\":");
            values(out, &legend.ticks);
            out.extend_from_slice(b",\"layer_ticks\":");
            match head.layer_legends.first() {
                Some(layers) => values(out, &layers.ticks),
                None => out.extend_from_slice(b"null"),
            }
            out.push(b'}');
        }
    }
    out.extend_from_slice(b",\n\"layer_labels\":[");
    for layer in 1..=head.n_layers {
        if layer > 1 {
            out.push(b',');
        }
        push_json(out, &layer_label(head, layer));
    }
    out.extend_from_slice(b"],\n\"hexagons\":[");
}

fn values(out: &mut Vec<u8>, values: &[f64]) {
    out.push(b'[');
    for (i, &value) in values.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        push_value(out, value);
    }
    out.push(b']');
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
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
}
