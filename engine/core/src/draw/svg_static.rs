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
    layout::{Layout, layout},
    legend, needs_outline,
    number::{hundredths, value_text},
    outline::Outline,
    sign::{Fills, Sign, Signs},
    svg_blank,
    svg_parts::{
        open_root, open_words, push_fill, push_gradients, push_guides, push_marks, push_short,
    },
    svg_signs::{push_rows, push_signs},
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
    signs: Signs,
    fills: Fills,
}

impl<'w> StaticWriter<'w> {
    pub(crate) fn new(head: &'w SceneHead, out: &'w mut dyn Write) -> io::Result<Self> {
        let layout = layout(head);
        let mut buffer = Vec::with_capacity(2048);
        open_root(&mut buffer, head, layout.canvas, "");
        push_guides(&mut buffer, &layout);
        out.write_all(&buffer)?;
        Ok(Self {
            head,
            out,
            chunker: Chunker::default(),
            layout,
            outline: Outline::new(head.cell),
            signs: Signs::new(head.cell),
            fills: Fills::default(),
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
            signs,
            fills,
            ..
        } = self;
        fills.see(batch);
        chunker.push(head, batch, |chunk| {
            let lattice = head
                .blank
                .then(|| svg_blank::lattice(chunk, head.cell))
                .flatten();
            let bytes = match lattice {
                Some(lattice) => {
                    svg_blank::runs(head, chunk, &lattice, svg_blank::Shapes { outline, signs })
                }
                None => {
                    let mut out = paths(head, chunk, outline);
                    push_signs(&mut out, chunk, signs, false);
                    out
                }
            };
            out.write_all(&bytes)
        })
    }

    fn finish(&mut self) -> io::Result<()> {
        self.chunker.finish(self.head)?;
        let layout = &self.layout;
        let mut out = Vec::with_capacity(4096);
        open_words(&mut out);
        push_gradients(&mut out, layout);
        push_marks(&mut out, &[layout.heading.title()]);
        push_marks(&mut out, layout.heading.subtitle().as_slice());
        push_marks(&mut out, &layout.heading.subject);
        push_marks(&mut out, &layout.legend);
        push_rows(&mut out, self.head, layout, &self.fills, false);
        push_marks(&mut out, &layout.compass);
        out.extend_from_slice(b"</g>\n</svg>\n");
        self.out.write_all(&out)
    }
}

/// What hexagons have in common that are drawn alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    status: ColumnStatus,
    sign: Option<Sign>,
    fill: Rgba,
}

/// Hexagons that are drawn alike.
#[derive(Default)]
struct Alike {
    data: Vec<u8>,
    low: f64,
    high: f64,
}

fn paths(head: &SceneHead, chunk: &HexagonBatch<'_>, outline: &Outline) -> Vec<u8> {
    let mut groups: BTreeMap<Group, Alike> = BTreeMap::new();
    for i in 0..chunk.len() {
        let value = chunk.value[i];
        let group = Group {
            status: chunk.status[i],
            sign: Sign::of(chunk.status[i], value),
            fill: chunk.fill[i],
        };
        let one = groups.entry(group).or_insert_with(|| Alike {
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
    for (group, alike) in &groups {
        out.extend_from_slice(b"<path");
        push_fill(&mut out, group.fill);
        if needs_outline(group.fill, group.sign) {
            out.extend_from_slice(b" stroke=\"");
            push_short(&mut out, OUTLINE);
            out.push(b'"');
        }
        out.extend_from_slice(b" d=\"");
        out.extend_from_slice(&alike.data);
        out.extend_from_slice(b"\"><title>");
        push_xml(&mut out, &words(head, alike, *group));
        out.extend_from_slice(b"</title></path>\n");
    }
    out.extend_from_slice(b"</g>\n");
    out
}

fn words(head: &SceneHead, alike: &Alike, group: Group) -> String {
    if group.status != ColumnStatus::HasData {
        return shared_words(head, group.status);
    }
    // A legend of single values names each; the values themselves say more than its bins.
    let legend = head
        .legend
        .as_ref()
        .filter(|legend| legend.swatches.is_empty());
    let legend = legend.filter(|_| group.sign != Some(Sign::Zero));
    let named = legend.and_then(|legend| legend_words(legend, group.fill));
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
        // Bins hold their upper edges.
        LegendKind::Bins if legend.open_above && at + 1 == legend.colors.len() => {
            Some(format!("> {}", text(at)?))
        }
        LegendKind::Bins if legend.open_below && at == 0 => Some(format!("≤ {}", text(1)?)),
        LegendKind::Bins => Some(range(text(at)?, text(at + 1)?)),
        LegendKind::Swatches => text(at).cloned(),
        LegendKind::Ramp => None,
    }
}
