//! The data island of the interactive SVG: what its script and other readers know of a map.
//!
//! JSON that is also valid XML text and inert in HTML. A chunk has one island; the first one begins
//! with what the map's hexagons share. `columns` lists runs `[hex1, first hex2, number]`, and `rows`
//! has one line for each column of them, in the same order:
//!
//! - `[value,layer values...]`: `null` for an unknown layer, `-0` for a layer whose row says zero, `0`
//!   for one without a row, which is left out at the end,
//! - `[]` for no data, `false` for not in the region, `null` for unknown.
//!
//! With `"minus_layers":true` the first number is the value less the sum of its known layers: mostly
//! 0, which makes a packed file a tenth smaller. It is used where all numbers are whole and so exact.
//!
//! `steps` tells the fill of a layer's value: that of the last `[from, fill]` not above it, in one
//! table for all layers or one each. Where no table can, `fills` has indices into `colors`.

use eyemap_abi::job::ColumnStatus;

use super::{
    heading::Heading,
    layout::layer_label,
    number::{push_signed, push_unsigned, push_value},
    sign::Signs,
    steps::{Fills, fills},
    svg::runs,
    svg_parts::push_hex,
    text::push_json,
    tooltip::{attribute_text, map_word, referenced},
};
use crate::{
    model::AttributeValues,
    scene::{HexagonBatch, Legend, Rgba, SceneHead},
};

/// Writes the islands of a map, chunk by chunk.
pub(crate) struct Island<'w> {
    head: &'w SceneHead,
    titles: Vec<String>,
    subtitles: Vec<String>,
    attributes: Vec<usize>,
    first: bool,
}

impl<'w> Island<'w> {
    /// For a map with this heading.
    pub(crate) fn new(head: &'w SceneHead, heading: &Heading) -> Self {
        Self {
            head,
            titles: heading.titles.clone(),
            subtitles: heading.subtitles.clone(),
            attributes: referenced(head),
            first: true,
        }
    }

    /// Whether none has been written.
    pub(crate) const fn is_first(&self) -> bool {
        self.first
    }

    /// Appends the island of a chunk.
    pub(crate) fn push(&mut self, out: &mut Vec<u8>, chunk: &HexagonBatch<'_>) {
        out.extend_from_slice(b"<script type=\"application/json\">{");
        if std::mem::take(&mut self.first) {
            self.head_json(out);
        }
        self.fills_json(out, chunk);
        self.extras_json(out, chunk);
        columns(out, chunk);
        let minus_layers = self.head.n_layers > 0 && is_whole(chunk);
        if minus_layers {
            out.extend_from_slice(b"\"minus_layers\":true,\n");
        }
        out.extend_from_slice(b"\"rows\":[");
        for i in 0..chunk.len() {
            out.extend_from_slice(if i == 0 { b"\n" } else { b",\n" });
            row(out, chunk, i, (self.head.n_layers, minus_layers));
        }
        out.extend_from_slice(b"\n]}</script>\n");
    }

    fn head_json(&self, out: &mut Vec<u8>) {
        let head = self.head;
        out.extend_from_slice(b"\"version\":1,");
        for name in ["cell_type", "region", "side", "metric"] {
            key(out, name);
            push_json(out, &map_word(head, name).unwrap_or_default());
            out.extend_from_slice(b",\n");
        }
        let labels: Vec<String> = (1..=head.n_layers)
            .map(|layer| layer_label(head, layer))
            .collect();
        strings(out, "layers", &labels);
        strings(out, "titles", &self.titles);
        if self.subtitles.iter().any(|text| !text.is_empty()) {
            strings(out, "subtitles", &self.subtitles);
        }
        if head.n_layers > 0 {
            self.signs_json(out);
        }
        ends(out, head);
        for (name, templates) in [
            ("whole", &head.whole_templates),
            ("layer", &head.layer_templates),
        ] {
            strings(
                out,
                name,
                &ColumnStatus::ALL.map(|status| templates.of(status).to_owned()),
            );
        }
        let named = self
            .attributes
            .iter()
            .map(|&at| head.attributes[at].clone());
        strings(out, "attributes", &named.collect::<Vec<_>>());
    }

    /// Shapes of signs, as path data from a hexagon's first corner, and the width of their lines: what
    /// the script draws them with in a layer's view.
    fn signs_json(&self, out: &mut Vec<u8>) {
        let signs = Signs::new(self.head.cell);
        key(out, "signs");
        list(out, signs.all(), |out, shape| {
            out.push(b'[');
            push_json(out, &shape.from_corner);
            out.push(b',');
            push_value(out, shape.width);
            out.push(b']');
        });
        out.extend_from_slice(b",\n");
    }

    fn fills_json(&self, out: &mut Vec<u8>, chunk: &HexagonBatch<'_>) {
        match fills(chunk, self.head.n_layers) {
            Fills::Steps { tables, unknown } => {
                key(out, "steps");
                list(out, &tables, |out, table| {
                    list(out, table, |out, step| {
                        out.push(b'[');
                        push_value(out, step.0);
                        out.push(b',');
                        color_json(out, step.1);
                        out.push(b']');
                    });
                });
                if let Some(fill) = unknown {
                    out.extend_from_slice(b",\"unknown\":");
                    color_json(out, fill);
                }
            }
            Fills::Explicit => explicit(out, chunk, self.head.n_layers),
        }
        out.extend_from_slice(b",\n");
    }

    /// Attribute values and tooltips of their own, where there are any.
    fn extras_json(&self, out: &mut Vec<u8>, chunk: &HexagonBatch<'_>) {
        if !self.attributes.is_empty() {
            key(out, "values");
            let rows: Vec<usize> = (0..chunk.len()).collect();
            lines(out, &rows, |out, &i| {
                list(out, &self.attributes, |out, &at| {
                    attribute(out, chunk.attributes.get(at), i)
                });
            });
            out.extend_from_slice(b",\n");
        }
        if !chunk.overrides.is_empty() {
            key(out, "overrides");
            lines(out, chunk.overrides, |out, one| {
                out.push(b'[');
                push_unsigned(out, one.index as u64);
                out.push(b',');
                push_unsigned(out, one.layer as u64);
                out.push(b',');
                push_json(out, &one.text);
                out.push(b']');
            });
            out.extend_from_slice(b",\n");
        }
    }
}

/// Open ends of scales, where there are any: of the whole columns, then one for all layers or one each.
fn ends(out: &mut Vec<u8>, head: &SceneHead) {
    let whole = head.legend.as_ref();
    let scales: Vec<Option<&Legend>> = std::iter::once(whole)
        .chain(head.layer_legends.iter().map(Some))
        .collect();
    let is_open = |legend: &&Legend| legend.open_below || legend.open_above;
    if !scales.iter().flatten().any(is_open) {
        return;
    }
    key(out, "ends");
    list(out, &scales, |out, legend| {
        let end = |open: fn(&Legend) -> bool, tick: fn(&Legend) -> Option<&f64>| {
            let legend = legend.filter(|legend| open(legend));
            legend.and_then(tick).copied().unwrap_or(f64::NAN)
        };
        out.push(b'[');
        push_value(out, end(|l| l.open_below, |l| l.ticks.first()));
        out.push(b',');
        push_value(out, end(|l| l.open_above, |l| l.ticks.last()));
        if legend.is_some_and(|legend| legend.zero_apart) {
            out.extend_from_slice(b",true");
        }
        out.push(b']');
    });
    out.extend_from_slice(b",\n");
}

fn key(out: &mut Vec<u8>, name: &str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// A JSON list.
pub(super) fn list<T>(out: &mut Vec<u8>, items: &[T], mut push: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        push(out, item);
    }
    out.push(b']');
}

fn lines<T>(out: &mut Vec<u8>, items: &[T], mut push: impl FnMut(&mut Vec<u8>, &T)) {
    list(out, items, |out, item| {
        out.push(b'\n');
        push(out, item);
    });
}

fn strings(out: &mut Vec<u8>, name: &str, texts: &[String]) {
    key(out, name);
    list(out, texts, |out, text| push_json(out, text));
    out.extend_from_slice(b",\n");
}

/// `"#rrggbb"`, or `"#rrggbbaa"` if it is translucent.
pub(crate) fn color_json(out: &mut Vec<u8>, color: Rgba) {
    out.push(b'"');
    push_hex(out, color);
    let alpha = color.channels()[3];
    if alpha < 255 {
        for digit in [alpha >> 4, alpha & 15] {
            out.push(b"0123456789abcdef"[usize::from(digit)]);
        }
    }
    out.push(b'"');
}

/// Runs `[hex1, first hex2, number]` of columns that follow each other.
fn columns(out: &mut Vec<u8>, chunk: &HexagonBatch<'_>) {
    key(out, "columns");
    list(out, &runs(chunk), |out, run| {
        out.push(b'[');
        push_signed(out, i64::from(chunk.hex1[run.start]));
        out.push(b',');
        push_signed(out, i64::from(chunk.hex2[run.start]));
        out.push(b',');
        push_unsigned(out, run.len() as u64);
        out.push(b']');
    });
    out.extend_from_slice(b",\n");
}

/// Whether all numbers are whole, and so small that sums of them are exact.
fn is_whole(chunk: &HexagonBatch<'_>) -> bool {
    let whole = |value: &f64| value.abs() < 1e12 && value.trunc() == *value;
    chunk.value.iter().all(whole) && chunk.layer_value.iter().all(whole)
}

/// The layers of one hexagon that has data.
struct Layers<'c> {
    value: &'c [f64],
    status: &'c [ColumnStatus],
    absent: &'c [bool],
}

/// `[value,layers...]`, or what stands for a column without a value.
fn row(out: &mut Vec<u8>, chunk: &HexagonBatch<'_>, i: usize, (n, minus_layers): (usize, bool)) {
    match chunk.status[i] {
        ColumnStatus::NoData => out.extend_from_slice(b"[]"),
        ColumnStatus::NotInRegion => out.extend_from_slice(b"false"),
        ColumnStatus::Unknown => out.extend_from_slice(b"null"),
        ColumnStatus::HasData => {
            let layers = i * n..(i + 1) * n;
            let of = Layers {
                value: &chunk.layer_value[layers.clone()],
                status: &chunk.layer_status[layers.clone()],
                absent: &chunk.layer_absent[layers],
            };
            // An unknown layer has the value 0.
            let sum: f64 = if minus_layers {
                of.value.iter().sum()
            } else {
                0.0
            };
            out.push(b'[');
            push_value(out, chunk.value[i] - sum);
            layer_values(out, &of);
            out.push(b']');
        }
    }
}

fn layer_values(out: &mut Vec<u8>, layers: &Layers<'_>) {
    let told = layers.absent.iter().rposition(|&absent| !absent);
    for layer in 0..told.map_or(0, |last| last + 1) {
        out.push(b',');
        if layers.status[layer] != ColumnStatus::HasData {
            out.extend_from_slice(b"null");
        } else if layers.value[layer] == 0.0 && !layers.absent[layer] {
            out.extend_from_slice(b"-0");
        } else {
            push_value(out, layers.value[layer]);
        }
    }
}

fn explicit(out: &mut Vec<u8>, chunk: &HexagonBatch<'_>, n_layers: usize) {
    let mut colors = chunk.layer_fill.to_vec();
    colors.sort_unstable();
    colors.dedup();
    key(out, "colors");
    list(out, &colors, |out, &color| color_json(out, color));
    out.extend_from_slice(b",\n\"fills\":");
    let rows: Vec<&[Rgba]> = chunk.layer_fill.chunks_exact(n_layers).collect();
    lines(out, &rows, |out, fills| {
        list(out, fills, |out, fill| {
            push_unsigned(out, colors.binary_search(fill).unwrap_or(0) as u64);
        });
    });
}

fn attribute(out: &mut Vec<u8>, values: Option<&AttributeValues>, i: usize) {
    match attribute_text(values, i) {
        Some(text) => push_json(out, &text),
        None => out.extend_from_slice(b"null"),
    }
}
