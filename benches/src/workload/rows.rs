//! Rows of a workload, made chunk by chunk.
//!
//! A chunk is what one cell type has in one region and side, or one line of a single map. Each comes
//! from random numbers of its own, so that chunks can be made in any order.

use super::{
    Workload, names,
    random::{Random, Use},
    shape::{Column, Line, Oval, oval, patch},
};

/// A region and side, with its layers and columns. Those of the male CNS where they are published,
/// the others alike.
pub(super) const SLOTS: [Slot; 6] = [
    Slot::new("LO", "L", 7, 876),
    Slot::new("LO", "R", 7, 888),
    Slot::new("LOP", "L", 4, 781),
    Slot::new("LOP", "R", 4, 787),
    Slot::new("ME", "L", 10, 880),
    Slot::new("ME", "R", 10, 892),
];

/// The slot of a single map, and of the last resort for a type without any column.
pub(super) const ME_R: usize = 5;

/// Of maps, this share has no data; the next share covers an eye, the rest a patch of it.
const BLANK: f64 = 0.40;
const COVERING: f64 = 0.35;

/// Share of the columns in a patch, from and to.
const PATCH: (f64, f64) = (0.01, 0.40);

/// Of layers without a synapse, this share has a row that says 0; the others have none.
const ZERO_ROWS: f64 = 0.05;

/// Where maps lie.
pub(super) struct Slot {
    pub(super) region: &'static str,
    pub(super) side: &'static str,
    layers: u8,
    pub(super) columns: usize,
}

impl Slot {
    const fn new(region: &'static str, side: &'static str, layers: u8, columns: usize) -> Self {
        Self {
            region,
            side,
            layers,
            columns,
        }
    }
}

/// A row of the table, by the order of a sorted table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Index of the name.
    pub cell_type: u32,
    /// Index of region and side.
    pub slot: u8,
    /// First coordinate.
    pub hex1: i32,
    /// Second coordinate.
    pub hex2: i32,
    /// 0 for the whole column, layers from 1 up.
    pub layer: u8,
    /// Number of synapses; none is unknown.
    pub synapses: Option<u32>,
    /// Number of cells; none is unknown.
    pub cells: Option<u8>,
}

/// What a workload is made of.
pub(super) struct Source<'a> {
    workload: &'a Workload,
    /// Names of the types by rising bytes.
    pub(super) names: Vec<String>,
    /// Columns of each slot; none for a single map.
    pub(super) eyes: Vec<Vec<Column>>,
    /// Lines of a single map.
    lines: Vec<Line>,
    /// Place of each type among all by size, from 0; empty without skew.
    ranks: Vec<u32>,
}

impl<'a> Source<'a> {
    pub(super) fn new(workload: &'a Workload) -> Self {
        let mut source = Self {
            workload,
            names: vec!["Single".to_owned()],
            eyes: Vec::new(),
            lines: Vec::new(),
            ranks: Vec::new(),
        };
        if let Some(single) = workload.single {
            source.lines = oval(Oval::DISC, single.columns);
            return source;
        }
        source.names = names::names(workload.seed, workload.types);
        let eye = |slot: &Slot| oval(Oval::EYE, slot.columns);
        source.eyes = SLOTS
            .iter()
            .map(|slot| eye(slot).into_iter().flat_map(Line::columns).collect())
            .collect();
        if workload.skew {
            source.ranks = (0..workload.types as u32).collect();
            Random::new(workload.seed, Use::Cover, u64::MAX).shuffle(&mut source.ranks);
        }
        source
    }

    /// Number of chunks.
    pub(super) fn chunks(&self) -> usize {
        match self.workload.single {
            Some(_) => self.lines.len(),
            None => self.names.len() * SLOTS.len(),
        }
    }

    /// The rows of a chunk, sorted, in place of what `rows` held.
    pub(super) fn fill(&self, chunk: usize, rows: &mut Vec<Row>) {
        rows.clear();
        let (cell_type, slot) = match self.workload.single {
            Some(_) => (0, ME_R),
            None => (chunk / SLOTS.len(), chunk % SLOTS.len()),
        };
        let layers = match self.workload.single {
            Some(single) => single.layers,
            None => SLOTS[slot].layers,
        };
        let mut random = Random::new(self.workload.seed, Use::Counts, chunk as u64);
        for (hex1, hex2) in self.columns(chunk, &mut random) {
            let row = Row {
                cell_type: cell_type as u32,
                slot: slot as u8,
                hex1,
                hex2,
                layer: 0,
                synapses: None,
                cells: None,
            };
            column(&mut random, row, layers, rows);
        }
        self.put_nulls(chunk, rows);
        self.repeat(chunk, rows);
    }

    fn columns(&self, chunk: usize, random: &mut Random) -> Vec<Column> {
        if self.workload.single.is_some() {
            return self.lines[chunk].columns().collect();
        }
        let (cell_type, slot) = (chunk / SLOTS.len(), chunk % SLOTS.len());
        let eye = &self.eyes[slot];
        match self.covers(cell_type)[slot] {
            Cover::Blank => Vec::new(),
            Cover::Patch(n) => patch(eye, eye[random.below(eye.len())], n),
            Cover::Most(n) => most(eye, n, random),
        }
    }

    /// What a type has in each slot; in one of them it has something.
    fn covers(&self, cell_type: usize) -> [Cover; SLOTS.len()] {
        if let Some(&rank) = self.ranks.get(cell_type) {
            return std::array::from_fn(|slot| zipf(rank, slot));
        }
        let mut random = Random::new(self.workload.seed, Use::Cover, cell_type as u64);
        let mut covers = std::array::from_fn(|slot| cover(&mut random, SLOTS[slot].columns));
        if covers.iter().all(|&cover| cover == Cover::Blank) {
            covers[ME_R] = Cover::Patch(1);
        }
        covers
    }

    fn put_nulls(&self, chunk: usize, rows: &mut [Row]) {
        let share = self.workload.nulls;
        if share <= 0.0 {
            return;
        }
        // Other random numbers than those of the counts: the values that stay are the same without.
        let mut random = Random::new(self.workload.seed, Use::Nulls, chunk as u64);
        for row in rows {
            if random.unit() < share {
                row.synapses = None;
            }
            if random.unit() < share {
                row.cells = None;
            }
        }
    }

    /// Repeats rows, so many over all chunks as asked for: each type has its part of them in its first
    /// slot with data.
    fn repeat(&self, chunk: usize, rows: &mut Vec<Row>) {
        if self.workload.duplicates == 0 || rows.is_empty() {
            return;
        }
        let (group, groups) = match self.workload.single {
            Some(_) => (chunk, self.chunks()),
            None => (chunk / SLOTS.len(), self.names.len()),
        };
        let has_data = |&cover: &Cover| cover != Cover::Blank;
        if self.workload.single.is_none()
            && self.covers(group).iter().position(has_data) != Some(chunk % SLOTS.len())
        {
            return;
        }
        let until = |group| (self.workload.duplicates as u128 * group as u128) / groups as u128;
        let (n, kept) = ((until(group + 1) - until(group)) as usize, rows.len());
        (0..n).for_each(|i| rows.push(rows[i % kept]));
        rows.sort_unstable();
    }
}

/// Columns with data of one map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cover {
    Blank,
    Patch(usize),
    Most(usize),
}

fn cover(random: &mut Random, columns: usize) -> Cover {
    let which = random.unit();
    let of = |share: f64| ((share * columns as f64).round() as usize).max(1);
    if which < BLANK {
        Cover::Blank
    } else if which < BLANK + COVERING {
        Cover::Most(of(random.between(0.85, 1.0)))
    } else {
        Cover::Patch(of(random.between(PATCH.0, PATCH.1)))
    }
}

/// Zipf's law: the type of rank k (from 0) covers 1 / (k + 1) of each eye, and one column at least.
fn zipf(rank: u32, slot: usize) -> Cover {
    let least = usize::from(slot == ME_R);
    match (SLOTS[slot].columns / (rank as usize + 1)).max(least) {
        0 => Cover::Blank,
        n => Cover::Patch(n),
    }
}

/// `n` of the columns, in their order (Knuth's selection sampling).
fn most(columns: &[Column], n: usize, random: &mut Random) -> Vec<Column> {
    let mut chosen = Vec::with_capacity(n);
    for (seen, &column) in columns.iter().enumerate() {
        if random.below(columns.len() - seen) < n - chosen.len() {
            chosen.push(column);
        }
    }
    chosen
}

/// The rows of one column: the whole, which is the sum of its layers, then layers with synapses.
fn column(random: &mut Random, row: Row, layers: u8, rows: &mut Vec<Row>) {
    let total = libm::exp(5.0 + 1.5 * random.normal());
    let cells = 1 + random.below(6) as u8;
    let whole = rows.len();
    rows.push(row);
    let mut shares = [0.0; 255];
    let shares = &mut shares[..usize::from(layers)];
    shares.fill_with(|| random.gamma(0.35));
    let all: f64 = shares.iter().sum();
    let mut sum = 0;
    for (layer, share) in (1..).zip(&*shares) {
        let synapses = random.poisson(total * share / all);
        sum += synapses;
        if synapses > 0 || random.unit() < ZERO_ROWS {
            let most = u32::from(cells).min(synapses) as usize;
            let cells = if most == 0 { 0 } else { 1 + random.below(most) };
            rows.push(Row {
                layer,
                synapses: Some(synapses),
                cells: Some(cells as u8),
                ..row
            });
        }
    }
    if layers == 0 {
        sum = random.poisson(total);
    }
    rows[whole].synapses = Some(sum);
    rows[whole].cells = Some(u32::from(cells).min(sum) as u8);
}
