//! Reads an SVG of this program back: paths, islands, marks, script.

use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;

use crate::pipeline::Fingerprint;

use super::{
    Fill, Group, Hexagon, Item, NotRead, Picture, SIGN_PATH, island, lattice,
    outline::{numbers, outlined},
};

/// A map of ten million hexagons has as many paths; more elements are no eyemap.
const MOST_NODES: u32 = 60_000_000;
/// Groups of this program are nested less deeply.
const DEEPEST: usize = 16;
/// Legends with more colours than this are ramps, whose colours are no bins.
const MOST_BINS: usize = 20;

/// Boxes of colours in legends are no thinner.
const THINNEST_PX: f64 = 1.0;

/// What marks on hexagons are called.
const SIGNS: &str = "signs";

pub(super) const SVG: &str = "http://www.w3.org/2000/svg";

pub(super) fn read(text: &str) -> Result<Picture, NotRead> {
    let options = ParsingOptions {
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| NotRead::new(format!("it is no XML: {error}")))?;
    let root = document.root_element();
    if !root.has_tag_name((SVG, "svg")) {
        return Err(NotRead::new("it is no SVG"));
    }
    let mut reader = Reader::default();
    reader.picture.canvas = canvas(root)?;
    reader.children(root, Group::Label, 0)?;
    reader.take_legends();
    let Reader {
        mut picture,
        chunks,
        islands,
        ..
    } = reader;
    island::join(&mut picture, chunks, &islands)?;
    Ok(picture)
}

fn canvas(root: Node<'_, '_>) -> Result<[f64; 4], NotRead> {
    match numbers(root.attribute("viewBox").unwrap_or_default())[..] {
        [x, y, width, height] => Ok([x, y, width, height]),
        _ => Err(NotRead::new("its root has no viewBox")),
    }
}

#[derive(Default)]
struct Reader {
    picture: Picture,
    /// Chunks of hexagons, as they are drawn.
    chunks: Vec<Vec<Hexagon>>,
    islands: Vec<Value>,
    /// Marks of each legend, in their order.
    legends: Vec<Vec<LegendMark>>,
}

/// A text or coloured rectangle of a legend.
struct LegendMark {
    y: f64,
    height: f64,
    /// A colour; a text has none.
    fill: Option<Fill>,
    text: String,
    form: Vec<(String, String)>,
}

impl Reader {
    fn children(&mut self, node: Node<'_, '_>, group: Group, depth: usize) -> Result<(), NotRead> {
        if depth > DEEPEST {
            return Err(NotRead::new("its groups are nested too deeply"));
        }
        for child in node.children().filter(Node::is_element) {
            self.element(child, group, depth)?;
        }
        Ok(())
    }

    fn element(&mut self, node: Node<'_, '_>, group: Group, depth: usize) -> Result<(), NotRead> {
        let has = |name| node.attribute(name).is_some();
        match node.tag_name().name() {
            "script" => return self.script(node),
            "g" if has("data-hexagons") => return self.hexagons(node),
            "g" if has("stroke-dasharray") => return lattice::read(node, &mut self.picture),
            "g" if has("data-title") || has("data-subtitle") => {
                return self.children(node, Group::Title, depth + 1);
            }
            "g" if has("data-legend") => self.legend(node),
            "g" if has("data-counts") => return self.children(node, Group::Sign, depth + 1),
            "g" if has("data-signs") => self.signs(node),
            // Its id is a hash of its colours.
            "linearGradient" => self.item(node, Group::Legend),
            "g" => return self.children(node, group, depth + 1),
            "path" if title_of(node).is_some() => self.alike(node),
            _ => self.item(node, group),
        }
        Ok(())
    }

    fn script(&mut self, node: Node<'_, '_>) -> Result<(), NotRead> {
        let text = node.text().unwrap_or_default();
        if node.attribute("type") != Some("application/json") {
            self.picture.script.push_str(text);
            return Ok(());
        }
        let island = serde_json::from_str(text)
            .map_err(|error| NotRead::new(format!("its data cannot be read: {error}")))?;
        self.islands.push(island);
        Ok(())
    }

    /// A chunk: runs of hexagons, each with a place of its own.
    fn hexagons(&mut self, group: Node<'_, '_>) -> Result<(), NotRead> {
        let mut chunk = Vec::new();
        for run in group.children().filter(Node::is_element) {
            let from = numbers(run.attribute("transform").unwrap_or_default());
            let [left, top] = from[..] else {
                return Err(NotRead::new("a run of hexagons has no place"));
            };
            for path in run.children().filter(Node::is_element) {
                let mut hexagon = outlined(path.attribute("d").unwrap_or_default())
                    .ok_or_else(|| NotRead::new("a hexagon has no outline"))?;
                hexagon.at = [hexagon.at[0] + left, hexagon.at[1] + top];
                hexagon.fill = paint(path, Some(group), "fill");
                chunk.push(hexagon);
            }
        }
        self.chunks.push(chunk);
        Ok(())
    }

    /// Hexagons of the static form that are drawn alike, with words for all.
    fn alike(&mut self, path: Node<'_, '_>) {
        let words = title_of(path).unwrap_or_default();
        let fill = paint(path, None, "fill");
        let data = path.attribute("d").unwrap_or_default();
        for outline in data.split_inclusive(['z', 'Z']).filter_map(outlined) {
            self.picture.nameless.push(Hexagon {
                words: words.clone(),
                fill: fill.clone(),
                ..outline
            });
        }
    }

    /// Marks of a chunk, those that look alike in one path: long data, of which a hash is enough.
    fn signs(&mut self, group: Node<'_, '_>) {
        for path in group.children().filter(Node::is_element) {
            let data = path.attribute("d").unwrap_or_default();
            let hash = Fingerprint::of_bytes(data.as_bytes()).short();
            let before = self.picture.items.iter();
            let name = before.filter(|item| item.kind == SIGNS).count() + 1;
            let mut form = form(path);
            form.retain(|(name, _)| name != "d");
            form.push((SIGN_PATH.to_owned(), format!("{hash:016x}")));
            self.picture.items.push(Item {
                group: Group::Sign,
                kind: SIGNS.into(),
                name: format!("marks {name}"),
                text: String::new(),
                form,
            });
        }
    }

    fn item(&mut self, node: Node<'_, '_>, group: Group) {
        let kind = node.tag_name().name();
        let same = |item: &&Item| item.group == group && item.kind == kind;
        let number = self.picture.items.iter().filter(same).count() + 1;
        let text = node.text().filter(|text| !text.trim().is_empty());
        self.picture.items.push(Item {
            group,
            kind: kind.to_owned(),
            name: format!("{kind} {number}"),
            text: text.map_or_else(|| paint(node, None, "fill"), str::to_owned),
            form: form(node),
        });
    }

    fn legend(&mut self, node: Node<'_, '_>) {
        let marks = node.children().filter(Node::is_element).map(|mark| {
            let number = |name| mark.attribute(name).and_then(|v| v.parse::<f64>().ok());
            // What is thinner is the line of a tick.
            let height = number("height").unwrap_or_default();
            let is_box = mark.has_tag_name((SVG, "rect")) && height >= THINNEST_PX;
            LegendMark {
                y: number("y").unwrap_or(f64::INFINITY),
                height,
                fill: is_box.then(|| paint(mark, None, "fill")),
                text: mark.text().unwrap_or_default().to_owned(),
                form: form(mark),
            }
        });
        self.legends.push(marks.collect());
    }

    /// Names the marks of legends from low to high, which is from the bottom up, and finds the bins.
    fn take_legends(&mut self) {
        for (view, mut marks) in std::mem::take(&mut self.legends).into_iter().enumerate() {
            marks.sort_by(|a, b| b.y.total_cmp(&a.y));
            let of = match view {
                0 => String::new(),
                1 => "of layers, ".to_owned(),
                _ => format!("of layers ({view}), "),
            };
            let boxes = marks.iter().filter(|mark| mark.fill.is_some());
            let top = boxes.map(|mark| mark.y).fold(f64::INFINITY, f64::min);
            let bins = bins(&marks);
            let (mut colors, mut ticks, mut lines) = (0, 0, 0);
            for mark in marks {
                // Each kind is compared with its own: a label may come or go without its line.
                let (kind, name, text) = match mark.fill {
                    Some(fill) => {
                        colors += 1;
                        ("mark", format!("{of}colour {colors}"), fill)
                    }
                    None if mark.text.is_empty() => {
                        lines += 1;
                        ("rule", format!("{of}line {lines}"), String::new())
                    }
                    None if mark.y < top => ("", format!("{of}title"), mark.text),
                    None => {
                        ticks += 1;
                        ("label", format!("{of}tick {ticks}"), mark.text)
                    }
                };
                self.picture.items.push(Item {
                    group: Group::Legend,
                    kind: kind.into(),
                    name,
                    text,
                    form: mark.form,
                });
            }
            self.picture.bins.push(bins);
        }
    }
}

/// Colours of bins, out of the marks of a legend from the bottom up: boxes that stand on each other. A
/// swatch stands alone, and so does a ramp, which is one box.
fn bins(marks: &[LegendMark]) -> Vec<Fill> {
    let boxes: Vec<_> = marks
        .iter()
        .filter_map(|mark| Some((mark, mark.fill.clone()?)))
        .collect();
    let stands = |[below, above]: [&LegendMark; 2]| (above.y + above.height - below.y).abs() < 0.5;
    let runs = boxes.chunk_by(|below, above| stands([below.0, above.0]));
    let longest = runs.max_by_key(|run| run.len()).unwrap_or_default();
    if longest.len() < 2 || longest.len() > MOST_BINS {
        return Vec::new();
    }
    longest.iter().map(|(_, fill)| fill.clone()).collect()
}

/// A paint of an element, or the one that it inherits: `#rrggbb` or `#rrggbbaa`, as in JSON.
pub(super) fn paint(node: Node<'_, '_>, parent: Option<Node<'_, '_>>, what: &str) -> Fill {
    let own = node.attribute(what).map(|color| (node, color));
    let inherited = || parent.and_then(|parent| Some((parent, parent.attribute(what)?)));
    let Some((holder, color)) = own.or_else(inherited) else {
        return String::new();
    };
    let mut color = long(color);
    let opacity = holder.attribute(format!("{what}-opacity").as_str());
    if let Some(opacity) = opacity.and_then(|text| text.parse::<f64>().ok()) {
        let alpha = (opacity * 255.0).round().clamp(0.0, 255.0) as u8;
        color.push_str(&format!("{alpha:02x}"));
    }
    color
}

/// `#rgb` as `#rrggbb`.
fn long(color: &str) -> String {
    match color.strip_prefix('#') {
        Some(short) if short.len() == 3 && short.is_ascii() => {
            let twice = short.chars().flat_map(|digit| [digit, digit]);
            std::iter::once('#').chain(twice).collect()
        }
        _ => color.to_owned(),
    }
}

/// The words of an element's `<title>`, if it has one.
pub(super) fn title_of(node: Node<'_, '_>) -> Option<String> {
    let title = node
        .children()
        .find(|child| child.has_tag_name((SVG, "title")))?;
    Some(title.text().unwrap_or_default().to_owned())
}

/// All attributes with their values.
fn form(node: Node<'_, '_>) -> Vec<(String, String)> {
    let attributes = node.attributes();
    let told = attributes.map(|one| (one.name().to_owned(), one.value().to_owned()));
    told.collect()
}
