//! Scenes for tests and benches, from a seed: the sizes and distributions of real maps.

use eyemap_abi::job::{
    Badge, Cell, CellShape, ColumnStatus, Compass, LegendKind, Side, SubjectLine, Templates,
};

use crate::{
    model::{AttributeValues, MapId},
    scene::{Counts, HexagonBatch, Legend, Rect, Rgba, SceneHead, TooltipOverride},
};

/// The five reds of the classic map.
pub const REDS: [u32; 5] = [
    0xfee5_d9ff,
    0xfcbb_a1ff,
    0xfc92_72ff,
    0xef65_48ff,
    0xa50f_15ff,
];

/// A whole map in memory.
#[derive(Debug, Clone)]
pub struct OwnedScene {
    /// Its head.
    pub head: SceneHead,
    /// First coordinates.
    pub hex1: Vec<i32>,
    /// Second coordinates.
    pub hex2: Vec<i32>,
    /// Centres.
    pub x: Vec<f64>,
    /// Centres.
    pub y: Vec<f64>,
    /// Statuses.
    pub status: Vec<ColumnStatus>,
    /// Values.
    pub value: Vec<f64>,
    /// Fills.
    pub fill: Vec<Rgba>,
    /// Values of layers.
    pub layer_value: Vec<f64>,
    /// Statuses of layers.
    pub layer_status: Vec<ColumnStatus>,
    /// Fills of layers.
    pub layer_fill: Vec<Rgba>,
    /// Layers without a row.
    pub layer_absent: Vec<bool>,
    /// Tooltips of their own.
    pub overrides: Vec<TooltipOverride>,
    /// Attributes.
    pub attributes: Vec<AttributeValues>,
}

impl OwnedScene {
    /// All hexagons as one batch.
    pub fn batch(&self) -> HexagonBatch<'_> {
        HexagonBatch {
            hex1: &self.hex1,
            hex2: &self.hex2,
            x: &self.x,
            y: &self.y,
            status: &self.status,
            value: &self.value,
            fill: &self.fill,
            layer_value: &self.layer_value,
            layer_status: &self.layer_status,
            layer_fill: &self.layer_fill,
            layer_absent: &self.layer_absent,
            overrides: &self.overrides,
            attributes: &self.attributes,
        }
    }

    /// Hexagons `from..to` as a scene of their own under the same head.
    #[must_use]
    pub fn part(&self, from: usize, to: usize) -> Self {
        let n = self.head.n_layers;
        let layers = from * n..to * n;
        let inside = |o: &&TooltipOverride| (from..to).contains(&o.index);
        let moved = |o: &TooltipOverride| TooltipOverride {
            index: o.index - from,
            ..o.clone()
        };
        let cut = |column: &AttributeValues| match column {
            AttributeValues::I64(v) => AttributeValues::I64(v[from..to].to_vec()),
            AttributeValues::F64(v) => AttributeValues::F64(v[from..to].to_vec()),
            AttributeValues::Text(v) => AttributeValues::Text(v[from..to].to_vec()),
        };
        Self {
            head: self.head.clone(),
            hex1: self.hex1[from..to].to_vec(),
            hex2: self.hex2[from..to].to_vec(),
            x: self.x[from..to].to_vec(),
            y: self.y[from..to].to_vec(),
            status: self.status[from..to].to_vec(),
            value: self.value[from..to].to_vec(),
            fill: self.fill[from..to].to_vec(),
            layer_value: self.layer_value[layers.clone()].to_vec(),
            layer_status: self.layer_status[layers.clone()].to_vec(),
            layer_fill: self.layer_fill[layers.clone()].to_vec(),
            layer_absent: self.layer_absent[layers].to_vec(),
            overrides: self.overrides.iter().filter(inside).map(moved).collect(),
            attributes: self.attributes.iter().map(cut).collect(),
        }
    }
}

/// A small generator of numbers (splitmix64), the same on every machine.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// Next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in (0, 1).
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.unit().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Poisson by counting (Knuth 1969), normal above 30.
    pub fn poisson(&mut self, mean: f64) -> f64 {
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0);
        }
        let [limit, mut product, mut count] = [(-mean).exp(), self.unit(), 0.0];
        while product > limit {
            product *= self.unit();
            count += 1.0;
        }
        count
    }

    /// Gamma with shape below one, for Dirichlet shares (Ahrens and Dieter 1974).
    pub fn gamma(&mut self, shape: f64) -> f64 {
        let b = 1.0 + shape / std::f64::consts::E;
        loop {
            let p = b * self.unit();
            let (x, keep) = if p <= 1.0 {
                let x = p.powf(1.0 / shape);
                (x, (-x).exp())
            } else {
                let x = -((b - p) / shape).ln();
                (x, x.powf(shape - 1.0))
            };
            if self.unit() <= keep {
                return x;
            }
        }
    }
}

/// What a test map holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Data in nine columns of ten.
    Full,
    /// No data at all.
    Blank,
}

/// A map of about `n` columns in the oval of an eye, with `n_layers` layers.
pub fn scene(n: usize, n_layers: usize, content: Content, seed: u64) -> OwnedScene {
    let mut random = Random(seed);
    let columns = oval(n);
    let mut out = empty(n_layers, content);
    place(&mut out, &columns);
    let profile: Vec<f64> = (0..n_layers).map(|_| random.gamma(0.35)).collect();
    for at in 0..columns.len() {
        let status = match (content, random.bits() % 40) {
            (Content::Full, 0) => ColumnStatus::NotInRegion,
            (Content::Full, 1..=3) => ColumnStatus::NoData,
            (Content::Blank, _) if at % 75 == 40 => ColumnStatus::NotInRegion,
            (Content::Full, 4) if at % 2 == 0 => ColumnStatus::Unknown,
            (Content::Full, _) => ColumnStatus::HasData,
            (Content::Blank, _) => ColumnStatus::NoData,
        };
        out.status.push(status);
        fill_values(&mut out, &mut random, &profile);
    }
    colour(&mut out);
    out
}

/// Columns by rising `hex1`, `hex2` within an ellipse, as in an eye.
fn oval(n: usize) -> Vec<(i32, i32)> {
    let mut near: Vec<(f64, i32, i32)> = Vec::new();
    for hex1 in -80..80 {
        for hex2 in -80..80 {
            let [x, y] = [f64::from(hex2 - hex1), f64::from(hex1 + hex2)];
            let tilt = x * 0.25 + y;
            near.push((x * x * 3.9 + tilt * tilt, hex1, hex2));
        }
    }
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut columns: Vec<(i32, i32)> = near.iter().take(n).map(|c| (c.1, c.2)).collect();
    columns.sort_unstable();
    let low = columns
        .iter()
        .fold([i32::MAX; 2], |m, c| [m[0].min(c.0), m[1].min(c.1)]);
    columns
        .iter()
        .map(|c| (c.0 - low[0] + 1, c.1 - low[1] + 1))
        .collect()
}

fn place(out: &mut OwnedScene, columns: &[(i32, i32)]) {
    let s = 6.6;
    for &(hex1, hex2) in columns {
        let [q, r] = [f64::from(hex2 - hex1), -f64::from(hex2)];
        out.hex1.push(hex1);
        out.hex2.push(hex2);
        out.x.push(1.5 * q * s);
        out.y.push(3f64.sqrt() * (q / 2.0 + r) * s);
    }
    let low = |v: &[f64]| v.iter().copied().fold(f64::INFINITY, f64::min);
    let high = |v: &[f64]| v.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let [dx, dy] = [20.0 - low(&out.x), 20.0 - low(&out.y)];
    out.x.iter_mut().for_each(|x| *x += dx);
    out.y.iter_mut().for_each(|y| *y += dy);
    out.head.width_px = (high(&out.x) + 20.0).max(380.0);
    out.head.height_px = (high(&out.y) + 20.0).max(410.0);
    out.head.n_hexagons = columns.len() as u64;
    out.head.bounds = Rect {
        x: 14.0,
        y: 14.0,
        width: high(&out.x) - 8.0,
        height: high(&out.y) - 8.0,
    };
}

/// A type's layers share each column's synapses by its profile, give or take Poisson noise.
fn fill_values(out: &mut OwnedScene, random: &mut Random, profile: &[f64]) {
    let status = out.status[out.status.len() - 1];
    let known = status == ColumnStatus::HasData;
    let total = (5.0 + 1.5 * random.normal()).exp();
    let sum: f64 = profile.iter().sum();
    let layers: Vec<f64> = profile
        .iter()
        .map(|share| random.poisson(total * share / sum))
        .collect();
    let whole = if layers.is_empty() {
        total.round()
    } else {
        layers.iter().sum()
    };
    out.value.push(if known { whole } else { 0.0 });
    for value in layers {
        let null = known && random.bits().is_multiple_of(211);
        // Few tables list zeros.
        let absent = known && !null && value == 0.0 && !out.layer_value.len().is_multiple_of(23);
        out.layer_absent.push(absent);
        out.layer_value
            .push(if known && !null { value } else { 0.0 });
        out.layer_status
            .push(if null { ColumnStatus::Unknown } else { status });
    }
}

/// Colours five linear bins, and sets the legends to them.
fn colour(out: &mut OwnedScene) {
    let top = |v: &[f64]| v.iter().copied().fold(1.0, f64::max);
    let [whole, layer] = [top(&out.value), top(&out.layer_value)];
    let bin = |value: f64, high: f64| {
        let t = (value - 1.0) / (high - 1.0).max(1e-9);
        Rgba(
            REDS[[0.2, 0.4, 0.6, 0.8]
                .iter()
                .filter(|&&edge| t > edge)
                .count()],
        )
    };
    let other = |status| match status {
        ColumnStatus::NotInRegion => Rgba(0x9999_99ff),
        ColumnStatus::Unknown => Rgba(0xd9d9_d9ff),
        _ => Rgba(0xffff_ffff),
    };
    let pick = |status, value, high| match status {
        ColumnStatus::HasData if value == 0.0 => Rgba(0xffff_ffff),
        ColumnStatus::HasData => bin(value, high),
        status => other(status),
    };
    let pairs = out.status.iter().zip(&out.value);
    out.fill = pairs
        .map(|(&status, &value)| pick(status, value, whole))
        .collect();
    let pairs = out.layer_status.iter().zip(&out.layer_value);
    out.layer_fill = pairs
        .map(|(&status, &value)| pick(status, value, layer))
        .collect();
    if !out.head.blank {
        out.head.legend = Some(legend(1.0, whole));
        out.head.layer_legends = vec![legend(1.0, layer)];
        out.head.layer_legends.truncate(out.head.n_layers);
    }
    count(out);
}

/// Counts what columns are, as the pipeline does.
pub fn count(out: &mut OwnedScene) {
    let mut whole = Counts::default();
    let columns = out.status.iter().copied().zip(out.value.iter().copied());
    whole.add(columns, out.head.legend.as_ref());
    let n = out.head.n_layers;
    let layers = (0..n).map(|layer| {
        let columns = (layer..out.layer_value.len()).step_by(n).map(|at| {
            let status = match out.layer_absent[at] {
                true => ColumnStatus::NoData,
                false => out.layer_status[at],
            };
            (status, out.layer_value[at])
        });
        let mut counts = Counts::default();
        counts.add(columns, out.head.legend_of(layer + 1));
        counts
    });
    (out.head.layer_counts, out.head.counts) = (layers.collect(), whole);
}

/// A legend of five bins between two values.
pub fn legend(low: f64, high: f64) -> Legend {
    Legend {
        kind: LegendKind::Bins,
        ticks: (0..6)
            .map(|i| low + (high - low) * f64::from(i) / 5.0)
            .collect(),
        labels: Vec::new(),
        colors: REDS.map(Rgba).to_vec(),
        title: "Total Synapses".into(),
        ..Legend::default()
    }
}

fn templates(count: &str, region: &str) -> Templates {
    Templates {
        has_data: format!(
            "Column: {{hex1}}, {{hex2}}\nSynapse count: {{value}}\nROI: {region} ({{side}})"
        ),
        no_data: format!("Column: {{hex1}}, {{hex2}}\n{count}: 0\nROI: {region} ({{side}})"),
        not_in_region: "Column: {hex1}, {hex2}\nColumn not identified in {region} ({side})".into(),
        unknown: format!("Column: {{hex1}}, {{hex2}}\n{count}: unknown\nROI: {region} ({{side}})"),
    }
}

fn empty(n_layers: usize, content: Content) -> OwnedScene {
    let line = |text: &str| SubjectLine {
        text: text.into(),
        badge: Some(Badge {
            text: "R".into(),
            fill: None,
        }),
    };
    let head = SceneHead {
        map: MapId {
            cell_type: "Tm3".into(),
            region: "ME".into(),
            side: Side::Right,
            metric: "synapses".into(),
        },
        width_px: 380.0,
        height_px: 410.0,
        bounds: Rect::default(),
        cell: Cell {
            shape: CellShape::FlatTop,
            circumradius_px: 6.0,
        },
        n_hexagons: 0,
        n_layers,
        blank: content == Content::Blank,
        title: "Synapses (All Columns)".into(),
        layer_title: "Synapses ({layer})".into(),
        subject: vec![line("Tm3"), line("ME")],
        subtitle: String::new(),
        layer_subtitle: String::new(),
        counts: Counts::default(),
        layer_counts: Vec::new(),
        description: "Synapses of Tm3 in each column of the right ME.".into(),
        layer_labels: (1..=n_layers).map(|layer| format!("ME{layer}")).collect(),
        whole_templates: templates("Synapse count", "{region}"),
        layer_templates: templates("Synapse count", "{layer}"),
        legend: None,
        layer_legends: Vec::new(),
        guides: Vec::new(),
        attributes: Vec::new(),
        compass: Some(Compass {
            dorsal: [0.0, -1.0],
            anterior: [1.0, 0.0],
        }),
    };
    OwnedScene {
        head,
        hex1: Vec::new(),
        hex2: Vec::new(),
        x: Vec::new(),
        y: Vec::new(),
        status: Vec::new(),
        value: Vec::new(),
        fill: Vec::new(),
        layer_value: Vec::new(),
        layer_status: Vec::new(),
        layer_fill: Vec::new(),
        layer_absent: Vec::new(),
        overrides: Vec::new(),
        attributes: Vec::new(),
    }
}
