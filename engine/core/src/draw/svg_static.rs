//! The static SVG: no script, one path for each status and colour of a chunk.
//!
//! Each path says in its `<title>` what it stands for: a bin's range, a category, the words of its
//! status. Single values cannot be read back; that is what the other forms are for.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use eyemap_abi::job::{ColumnStatus, LegendKind};

use super::{
    OUTLINE,
    chunk::Chunker,
    is_pale,
    layout::{Layout, layout},
    legend,
    number::{hundredths, value_text},
    outline::Outline,
    svg_blank,
    svg_parts::{open_root, push_backing, push_fill, push_guides, push_marks, push_short},
    text::push_xml,
    tooltip::shared_words,
};
use crate::scene::{HexagonBatch, Legend, Rgba, SceneHead, SceneWriter};

pub(crate) struct StaticWriter<'w> {
    head: &'w SceneHead,
    out: &'w mut dyn Write,
    chunker: Chunker,
    layout: Layout,
    outline: Outline,
}

impl<'w> StaticWriter<'w> {
    pub(crate) fn new(head: &'w SceneHead, out: &'w mut dyn Write) -> io::Result<Self> {
        let layout = layout(head);
        let mut buffer = Vec::with_capacity(2048);
        open_root(&mut buffer, head, "");
        push_guides(&mut buffer, &layout);
        out.write_all(&buffer)?;
        Ok(Self {
            head,
            out,
            chunker: Chunker::default(),
            layout,
            outline: Outline::new(head.cell),
        })
    }
}

impl SceneWriter for StaticWriter<'_> {
    fn hexagons(&mut self, batch: &HexagonBatch<'_>) -> io::Result<()> {
        let Self {
            head,
            out,
            chunker,
            outline,
            ..
        } = self;
        chunker.push(head, batch, |chunk| {
            let lattice = head
                .blank
                .then(|| svg_blank::lattice(chunk, head.cell))
                .flatten();
            let bytes = match lattice {
                Some(lattice) => svg_blank::runs(head, chunk, &lattice, outline),
                None => paths(head, chunk, outline),
            };
            out.write_all(&bytes)
        })
    }

    fn finish(&mut self) -> io::Result<()> {
        self.chunker.finish(self.head)?;
        let layout = &self.layout;
        let mut out = Vec::with_capacity(4096);
        for &rect in &layout.backings {
            push_backing(&mut out, rect);
        }
        push_marks(&mut out, &[layout.title()]);
        push_marks(&mut out, &layout.subject);
        push_marks(&mut out, &layout.legend);
        out.extend_from_slice(b"</svg>\n");
        self.out.write_all(&out)
    }
}

/// Hexagons that are drawn alike.
#[derive(Default)]
struct Alike {
    data: Vec<u8>,
    low: f64,
    high: f64,
}

fn paths(head: &SceneHead, chunk: &HexagonBatch<'_>, outline: &Outline) -> Vec<u8> {
    let mut groups: BTreeMap<(ColumnStatus, Rgba), Alike> = BTreeMap::new();
    for i in 0..chunk.len() {
        let value = chunk.value[i];
        let one = groups
            .entry((chunk.status[i], chunk.fill[i]))
            .or_insert_with(|| Alike {
                data: Vec::new(),
                low: value,
                high: value,
            });
        one.low = one.low.min(value);
        one.high = one.high.max(value);
        outline.push_path(
            &mut one.data,
            hundredths(chunk.x[i]),
            hundredths(chunk.y[i]),
        );
    }
    let mut out = Vec::with_capacity(chunk.len() * 48 + 1024);
    out.extend_from_slice(b"<g stroke-width=\".5\">\n");
    for ((status, fill), alike) in &groups {
        out.extend_from_slice(b"<path");
        push_fill(&mut out, *fill);
        if is_pale(*fill) {
            out.extend_from_slice(b" stroke=\"");
            push_short(&mut out, OUTLINE);
            out.push(b'"');
        }
        out.extend_from_slice(b" d=\"");
        out.extend_from_slice(&alike.data);
        out.extend_from_slice(b"\"><title>");
        push_xml(&mut out, &words(head, *status, *fill, alike));
        out.extend_from_slice(b"</title></path>\n");
    }
    out.extend_from_slice(b"</g>\n");
    out
}

fn words(head: &SceneHead, status: ColumnStatus, fill: Rgba, alike: &Alike) -> String {
    if status != ColumnStatus::HasData {
        return shared_words(head, status);
    }
    let named = head
        .legend
        .as_ref()
        .and_then(|legend| legend_words(legend, fill));
    named.unwrap_or_else(|| range(&value_text(alike.low), &value_text(alike.high)))
}

fn range(low: &str, high: &str) -> String {
    if low == high {
        return low.to_owned();
    }
    format!("{low} – {high}")
}

fn legend_words(legend: &Legend, fill: Rgba) -> Option<String> {
    let mut matching = (0..legend.colors.len()).filter(|&i| legend.colors[i] == fill);
    let (at, None) = (matching.next()?, matching.next()) else {
        return None;
    };
    let texts = legend::labels(legend);
    let text = |i: usize| texts.get(i).filter(|t| !t.is_empty());
    match legend.kind {
        LegendKind::Bins => Some(range(text(at)?, text(at + 1)?)),
        LegendKind::Swatches => text(at).cloned(),
        LegendKind::Ramp => None,
    }
}
