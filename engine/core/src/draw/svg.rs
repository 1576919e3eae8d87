//! The interactive SVG: one path a hexagon, one JSON island a chunk, one constant script.
//!
//! One line a hexagon, so that version control shows what changed. Fills of layers are not stored:
//! the island has step tables that are exact for the values given (see [`super::steps`]). Nothing
//! here is drawn twice, and nothing depends on the script to be seen: without it the whole-column
//! view remains, and the layer buttons stay hidden. Blank maps have no script at all; they are
//! written by [`super::svg_static`].

use std::{
    fmt::Write as _,
    io::{self, Write},
    sync::LazyLock,
};

use eyemap_abi::job::ColumnStatus;

use super::{
    OUTLINE,
    chunk::Chunker,
    is_pale,
    layout::{Layout, Mark, SMALL_PX, layer_label, layout},
    number::{hundredths, push_signed, push_unsigned, push_value},
    outline::Outline,
    steps::{Fills, fills},
    svg_parts::{attribute_px, open_root, push_backing, push_fill, push_guides, push_hex, push_marks, push_rect, push_short},
    text::{push_json, push_xml},
    tooltip::{attribute_text, map_word, referenced},
};
use crate::{
    model::AttributeValues,
    scene::{HexagonBatch, Rgba, SceneHead, SceneWriter},
};

const SCRIPT: &str = include_str!("eyemap.js");

/// The source expression that lets a content security policy run the one script of all maps:
/// `sha256-` and the base64 of its hash.
///
/// ```
/// let policy = format!("default-src 'none'; script-src '{}'", eyemap_engine::draw::csp_hash());
/// # assert_eq!(policy.len(), 37 + 52);
/// ```
pub fn csp_hash() -> String {
    static HASH: LazyLock<String> = LazyLock::new(|| {
        use sha2::Digest;
        format!("sha256-{}", base64(&sha2::Sha256::digest(SCRIPT)))
    });
    HASH.clone()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let at = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= group.len() { char::from(digit) } else { '=' });
        }
    }
    out
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
    common: Rgba,
    attributes: Vec<usize>,
    first: bool,
}

impl<'w> SvgWriter<'w> {
    pub(crate) fn new(head: &'w SceneHead, out: &'w mut dyn Write) -> io::Result<Self> {
        let legend = head.legend.as_ref().or(head.layer_legends.first());
        let page = Page {
            head,
            layout: layout(head),
            outline: Outline::new(head.cell),
            common: legend.and_then(|l| l.colors.first()).copied().unwrap_or(Rgba(0xffff_ffff)),
            attributes: referenced(head),
            first: true,
        };
        let mut buffer = Vec::with_capacity(2048);
        open_root(&mut buffer, head, " data-eyemap=\"1\"");
        push_guides(&mut buffer, &page.layout);
        out.write_all(&buffer)?;
        Ok(Self { head, out, chunker: Some(Chunker::default()), page })
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
        if self.page.first {
            self.page.island(&mut out, &EMPTY);
        }
        foreground(&mut out, self.head, &self.page.layout);
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
    overrides: &[],
    attributes: &[],
};

impl Page<'_> {
    fn chunk(&mut self, chunk: &HexagonBatch<'_>) -> Vec<u8> {
        let mut out = Vec::with_capacity(chunk.len() * (90 + 4 * self.head.n_layers) + 4096);
        self.paths(&mut out, chunk);
        self.island(&mut out, chunk);
        out
    }

    fn paths(&self, out: &mut Vec<u8>, chunk: &HexagonBatch<'_>) {
        out.extend_from_slice(b"<g data-hexagons=\"\"");
        push_fill(out, self.common);
        out.extend_from_slice(b" stroke-width=\".5\">\n");
        for i in 0..chunk.len() {
            out.extend_from_slice(b"<path d=\"");
            let [x, y] = [hundredths(chunk.x[i]), hundredths(chunk.y[i])];
            self.outline.push_path(out, x, y);
            out.push(b'"');
            let fill = chunk.fill[i];
            if fill != self.common {
                push_fill(out, fill);
            }
            if is_pale(fill) {
                out.extend_from_slice(b" stroke=\"");
                push_short(out, OUTLINE);
                out.push(b'"');
            }
            out.extend_from_slice(b"/>\n");
        }
        out.extend_from_slice(b"</g>\n");
    }

    fn island(&mut self, out: &mut Vec<u8>, chunk: &HexagonBatch<'_>) {
        out.extend_from_slice(b"<script type=\"application/json\">{");
        if std::mem::take(&mut self.first) {
            self.head_json(out);
        }
        self.fills_json(out, chunk);
        self.extras_json(out, chunk);
        out.extend_from_slice(b"\"rows\":[");
        for i in 0..chunk.len() {
            out.extend_from_slice(if i == 0 { b"\n" } else { b",\n" });
            row(out, chunk, i, self.head.n_layers);
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
        let labels: Vec<String> = (1..=head.n_layers).map(|layer| layer_label(head, layer)).collect();
        strings(out, "layers", &labels);
        strings(out, "titles", &self.layout.titles);
        for (name, templates) in [("whole", &head.whole_templates), ("layer", &head.layer_templates)] {
            strings(out, name, &ColumnStatus::ALL.map(|status| templates.of(status).to_owned()));
        }
        let named = self.attributes.iter().map(|&at| head.attributes[at].clone());
        strings(out, "attributes", &named.collect::<Vec<_>>());
    }

    fn fills_json(&self, out: &mut Vec<u8>, chunk: &HexagonBatch<'_>) {
        match fills(chunk, self.head.n_layers) {
            Fills::Steps { tables, unknown } => {
                key(out, "steps");
                list(out, &tables, |out, table| {
                    list(out, table, |out, step| {
                        push_value(out, step.0);
                        out.push(b',');
                        color_json(out, step.1);
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
                list(out, &self.attributes, |out, &at| attribute(out, chunk.attributes.get(at), i));
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

fn key(out: &mut Vec<u8>, name: &str) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn list<T>(out: &mut Vec<u8>, items: &[T], mut push: impl FnMut(&mut Vec<u8>, &T)) {
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

/// `[hex1,hex2,value,layers...]`; trailing zeros of layers are left out.
fn row(out: &mut Vec<u8>, chunk: &HexagonBatch<'_>, i: usize, n_layers: usize) {
    out.push(b'[');
    push_signed(out, i64::from(chunk.hex1[i]));
    out.push(b',');
    push_signed(out, i64::from(chunk.hex2[i]));
    match chunk.status[i] {
        ColumnStatus::NoData => {}
        ColumnStatus::NotInRegion => out.extend_from_slice(b",false"),
        ColumnStatus::Unknown => out.extend_from_slice(b",null"),
        ColumnStatus::HasData => {
            out.push(b',');
            push_value(out, chunk.value[i]);
            let layers = i * n_layers..(i + 1) * n_layers;
            layer_values(out, &chunk.layer_value[layers.clone()], &chunk.layer_status[layers]);
        }
    }
    out.push(b']');
}

fn layer_values(out: &mut Vec<u8>, values: &[f64], statuses: &[ColumnStatus]) {
    let known = |layer: usize| statuses[layer] == ColumnStatus::HasData;
    let told = (0..values.len()).rfind(|&layer| !known(layer) || values[layer] != 0.0);
    for layer in 0..told.map_or(0, |last| last + 1) {
        out.push(b',');
        if known(layer) {
            push_value(out, values[layer]);
        } else {
            out.extend_from_slice(b"null");
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

/// Title, subject, legends and buttons, above the hexagons.
fn foreground(out: &mut Vec<u8>, head: &SceneHead, layout: &Layout) {
    out.extend_from_slice(b"<g pointer-events=\"none\">\n");
    for &rect in &layout.backings {
        push_backing(out, rect);
    }
    out.extend_from_slice(b"<g data-title=\"\">\n");
    push_marks(out, &[layout.title()]);
    out.extend_from_slice(b"</g>\n");
    push_marks(out, &layout.subject);
    if !layout.legend.is_empty() {
        view(out, "data-legend=\"0\"", &layout.legend);
    }
    for (i, legend) in layout.layer_legends.iter().enumerate() {
        view(out, &format!("data-legend=\"{}\" display=\"none\"", i + 1), legend);
    }
    out.extend_from_slice(b"</g>\n");
    buttons(out, head, layout);
}

fn view(out: &mut Vec<u8>, attributes: &str, marks: &[Mark]) {
    out.extend_from_slice(format!("<g {attributes}>\n").as_bytes());
    push_marks(out, marks);
    out.extend_from_slice(b"</g>\n");
}

/// The layer choice; hidden until the script runs, as it would do nothing without.
fn buttons(out: &mut Vec<u8>, head: &SceneHead, layout: &Layout) {
    if layout.buttons.is_empty() {
        return;
    }
    out.extend_from_slice(b"<g role=\"radiogroup\" aria-label=\"Layer\" text-anchor=\"middle\" cursor=\"pointer\" display=\"none\">\n");
    if let Some(rect) = layout.button_backing {
        push_backing(out, rect);
    }
    for (i, button) in layout.buttons.iter().enumerate() {
        let mut full = Vec::new();
        match i {
            0 => full.extend_from_slice(b"All"),
            layer => push_xml(&mut full, &layer_label(head, layer)),
        }
        let mut open = String::new();
        let _ = write!(open, "<g role=\"radio\" aria-checked=\"{}\" aria-label=\"", i == 0);
        out.extend_from_slice(open.as_bytes());
        out.extend_from_slice(&full);
        out.extend_from_slice(b"\">");
        push_rect(out, button.rect);
        out.extend_from_slice(if i == 0 {
            b" rx=\"3\" fill=\"#444444\" stroke=\"#888888\" stroke-width=\".5\"/><text"
        } else {
            b" rx=\"3\" fill=\"#ffffff\" stroke=\"#888888\" stroke-width=\".5\"/><text"
        });
        attribute_px(out, "x", button.rect.x + button.rect.width / 2.0);
        attribute_px(out, "y", button.rect.y + button.rect.height / 2.0 + SMALL_PX * 0.35);
        out.extend_from_slice(if i == 0 { b" fill=\"#ffffff\">" } else { b" fill=\"#222222\">" });
        push_xml(out, &button.label);
        out.extend_from_slice(b"</text></g>\n");
    }
    out.extend_from_slice(b"</g>\n");
}
