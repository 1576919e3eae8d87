//! The interactive SVG: one path a hexagon, one JSON island a chunk, one constant script.
//!
//! One line a hexagon, so that version control shows what changed. Fills of layers are not stored:
//! the island has step tables that are exact for the values given (see [`super::steps`]). Nothing
//! here is drawn twice, and nothing depends on the script to be seen: without it the whole-column
//! view remains, and the layer buttons stay hidden. Blank maps have no script at all; they are
//! written by [`super::svg_static`].

use std::{
    io::{self, Write},
    ops::Range,
    sync::LazyLock,
};

use super::{
    OUTLINE,
    chunk::Chunker,
    island::Island,
    layout::{Layout, layer_label, layout},
    mark::SMALL_PX,
    needs_outline,
    number::{hundredths, push_value},
    outline::Outline,
    sign::{Fills, Sign, Signs},
    svg_parts::{
        attribute_px, open_root, open_words, push_fill, push_gradients, push_group, push_guides,
        push_marks, push_rect, push_short,
    },
    svg_signs::{push_rows, push_signs},
    text::xml,
};
use crate::scene::{HexagonBatch, Rgba, SceneHead, SceneWriter};

const SCRIPT: &str = include_str!("eyemap.js");

/// The source expression that lets a content security policy run the one script of all maps:
/// `sha256-` and the base64 of its hash.
///
/// ```
/// let policy = format!("default-src 'none'; script-src '{}'", eyemap_engine::draw::csp_hash());
/// assert!(policy.contains("'sha256-"));
/// ```
pub fn csp_hash() -> String {
    static HASH: LazyLock<String> = LazyLock::new(|| hash_source(SCRIPT));
    HASH.clone()
}

/// A Content-Security-Policy source, without its quotes, that allows one script or style.
pub(crate) fn hash_source(text: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    use sha2::Digest;
    format!(
        "sha256-{}",
        BASE64_STANDARD.encode(sha2::Sha256::digest(text))
    )
}

pub(crate) struct SvgWriter<'w> {
    head: &'w SceneHead,
    out: &'w mut dyn Write,
    chunker: Option<Chunker>,
    page: Page<'w>,
}

/// What a chunk is written with.
struct Page<'w> {
    head: &'w SceneHead,
    layout: Layout,
    outline: Outline,
    signs: Signs,
    fills: Fills,
    island: Island<'w>,
}

impl<'w> SvgWriter<'w> {
    pub(crate) fn new(head: &'w SceneHead, out: &'w mut dyn Write) -> io::Result<Self> {
        let layout = layout(head);
        let page = Page {
            head,
            island: Island::new(head, &layout.heading),
            layout,
            outline: Outline::new(head.cell),
            signs: Signs::new(head.cell),
            fills: Fills::default(),
        };
        let mut buffer = Vec::with_capacity(2048);
        open_root(&mut buffer, head, page.layout.canvas, " data-eyemap=\"1\"");
        push_guides(&mut buffer, &page.layout);
        out.write_all(&buffer)?;
        Ok(Self {
            head,
            out,
            chunker: Some(Chunker::default()),
            page,
        })
    }
}

impl SceneWriter for SvgWriter<'_> {
    fn hexagons(&mut self, batch: &HexagonBatch<'_>) -> io::Result<()> {
        let mut chunker = self.chunker.take().unwrap_or_default();
        let done = chunker.push(self.head, batch, |chunk| {
            let bytes = self.page.chunk(chunk);
            self.out.write_all(&bytes)
        });
        self.chunker = Some(chunker);
        done
    }

    fn finish(&mut self) -> io::Result<()> {
        self.chunker.get_or_insert_default().finish(self.head)?;
        let mut out = Vec::with_capacity(8192 + SCRIPT.len());
        if self.page.island.is_first() {
            self.page.island.push(&mut out, &EMPTY);
        }
        foreground(&mut out, self.head, &self.page.layout, &self.page.fills);
        out.extend_from_slice(b"<script><![CDATA[");
        out.extend_from_slice(SCRIPT.as_bytes());
        out.extend_from_slice(b"]]></script>\n</svg>\n");
        self.out.write_all(&out)
    }
}

const EMPTY: HexagonBatch<'static> = HexagonBatch {
    hex1: &[],
    hex2: &[],
    x: &[],
    y: &[],
    status: &[],
    value: &[],
    fill: &[],
    layer_value: &[],
    layer_status: &[],
    layer_fill: &[],
    layer_absent: &[],
    overrides: &[],
    attributes: &[],
};

impl Page<'_> {
    fn chunk(&mut self, chunk: &HexagonBatch<'_>) -> Vec<u8> {
        let mut out = Vec::with_capacity(chunk.len() * (90 + 4 * self.head.n_layers) + 4096);
        self.paths(&mut out, chunk);
        self.fills.see(chunk);
        push_signs(&mut out, chunk, &self.signs, self.head.n_layers > 0);
        self.island.push(&mut out, chunk);
        out
    }

    fn paths(&self, out: &mut Vec<u8>, chunk: &HexagonBatch<'_>) {
        let common = most_frequent(chunk.fill);
        out.extend_from_slice(b"<g data-hexagons=\"\"");
        push_fill(out, common);
        out.extend_from_slice(b" stroke-width=\".5\">\n");
        for run in runs(chunk) {
            self.run(out, chunk, run, common);
        }
        out.extend_from_slice(b"</g>\n");
    }

    /// Columns that follow each other, in a group of their own. Within it their places are those of
    /// any other run, and what repeats packs to nothing.
    fn run(&self, out: &mut Vec<u8>, chunk: &HexagonBatch<'_>, run: Range<usize>, common: Rgba) {
        let [left, top] = [chunk.x[run.start], chunk.y[run.start]];
        out.extend_from_slice(b"<g transform=\"translate(");
        push_value(out, (left * 1e4).round() / 1e4);
        out.push(b' ');
        push_value(out, (top * 1e4).round() / 1e4);
        out.extend_from_slice(b")\">\n");
        for i in run {
            out.extend_from_slice(b"<path d=\"");
            let [x, y] = [chunk.x[i] - left, chunk.y[i] - top].map(hundredths);
            self.outline.push_path(out, x, y);
            out.push(b'"');
            let fill = chunk.fill[i];
            if fill != common {
                push_fill(out, fill);
            }
            if needs_outline(fill, Sign::of(chunk.status[i], chunk.value[i])) {
                out.extend_from_slice(b" stroke=\"");
                push_short(out, OUTLINE);
                out.push(b'"');
            }
            out.extend_from_slice(b"/>\n");
        }
        out.extend_from_slice(b"</g>\n");
    }
}

/// Runs of columns that follow each other: `hex1` stays, `hex2` rises by one.
pub(crate) fn runs(chunk: &HexagonBatch<'_>) -> Vec<Range<usize>> {
    let breaks = (1..chunk.len()).filter(|&i| {
        chunk.hex1[i] != chunk.hex1[i - 1]
            || i64::from(chunk.hex2[i]) != i64::from(chunk.hex2[i - 1]) + 1
    });
    let mut start = 0;
    let mut runs = Vec::new();
    for end in breaks.chain([chunk.len()]).filter(|&end| end > 0) {
        runs.push(start..end);
        start = end;
    }
    runs
}

/// The fill that most hexagons can inherit; the smallest of several.
fn most_frequent(fills: &[Rgba]) -> Rgba {
    let mut sorted = fills.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|a, b| a == b);
    let longest = runs.reduce(|a, b| if b.len() > a.len() { b } else { a });
    longest.map_or(Rgba::WHITE, |run| run[0])
}

/// Title, legends, marks, buttons and compass, beside the hexagons.
fn foreground(out: &mut Vec<u8>, head: &SceneHead, layout: &Layout, fills: &Fills) {
    open_words(out);
    push_gradients(out, layout);
    push_group(out, "data-title=\"\"", &[layout.heading.title()]);
    push_group(
        out,
        "data-subtitle=\"\"",
        layout.heading.subtitle().as_slice(),
    );
    push_marks(out, &layout.heading.subject);
    push_group(out, "data-legend=\"0\"", &layout.legend);
    for (i, legend) in layout.layer_legends.iter().enumerate() {
        let attributes = format!("data-legend=\"{}\" display=\"none\"", i + 1);
        match legend.is_empty() {
            // The script tells a legend for all layers from one each by their number.
            true => out.extend_from_slice(format!("<g {attributes}/>\n").as_bytes()),
            false => push_group(out, &attributes, legend),
        }
    }
    push_rows(out, head, layout, fills, true);
    push_group(out, "data-compass=\"\"", &layout.compass);
    out.extend_from_slice(b"</g>\n");
    buttons(out, head, layout);
}

/// The layer choice; hidden until the script runs, as it would do nothing without.
fn buttons(out: &mut Vec<u8>, head: &SceneHead, layout: &Layout) {
    if layout.buttons.is_empty() {
        return;
    }
    out.extend_from_slice(b"<g role=\"radiogroup\" aria-label=\"Layer\" text-anchor=\"middle\" cursor=\"pointer\" fill=\"#222\" stroke-width=\".5\" display=\"none\">\n");
    for (i, button) in layout.buttons.iter().enumerate() {
        let full = match i {
            0 => "All".to_owned(),
            layer => layer_label(head, layer),
        };
        let [ground, ink] = if i == 0 {
            ["444", " fill=\"#fff\""]
        } else {
            ["fff", ""]
        };
        let _ = write!(out, "<g role=\"radio\" aria-checked=\"{}\"", i == 0);
        if full != button.label {
            let _ = write!(out, " aria-label=\"{}\"", xml(&full));
        }
        out.push(b'>');
        push_rect(out, button.rect);
        let _ = write!(out, " rx=\"3\" fill=\"#{ground}\" stroke=\"#888\"/><text");
        attribute_px(out, "x", button.rect.x + button.rect.width / 2.0);
        attribute_px(
            out,
            "y",
            button.rect.y + button.rect.height / 2.0 + SMALL_PX * 0.35,
        );
        let _ = writeln!(out, "{ink}>{}</text></g>", xml(&button.label));
    }
    out.extend_from_slice(b"</g>\n");
}
