//! Which columns exist: read from an atlas file, or taken from the rows of the table.
//!
//! No column is made up: one that neither the atlas nor the table names does not exist.

use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
};

use eyemap_abi::job::{Extent, Side};

use regex::CaptureLocations;

use super::{
    IngestOptions,
    error::{Objection, Place, TableError, clean},
    field::{Field, Pattern},
    infer::ColumnBuilder,
    listing::Listing,
    no_match,
    propose::Lacking,
    regions::Regions,
    rows::{part_of, region_and_side},
    sample::Sample,
    schema::Names,
    source::{Batch, Source},
    spill::Spill,
    visits::{Seen, Sides, WideColumns},
};
use crate::{
    config::Unlisted,
    model::{Atlas, AttributeValues, Column, SideAtlas},
};

const OURS: [&str; 4] = ["region", "side", "hex1", "hex2"];

/// The columns that an atlas file lists; none if the atlas is derived from the table.
#[derive(Debug)]
pub(super) struct AtlasIndex {
    columns: Listing,
    listed: Option<Listed>,
    /// Columns of a side that a thread holds; more are kept on disk.
    pub(super) held_columns: usize,
}

/// What an atlas file says.
#[derive(Debug)]
struct Listed {
    file: PathBuf,
    unlisted: Unlisted,
    names: Vec<String>,
    /// One entry an attribute, with one value for each of `rows`.
    attributes: Vec<AttributeValues>,
    /// The part and column of each row of the file, if there are attributes.
    rows: Vec<(u8, Column)>,
    /// Rows that were left out because the pattern does not match.
    unmatched: u64,
}

/// What becomes of a column that a row names.
pub(super) enum Standing {
    Known,
    New,
}

impl AtlasIndex {
    /// An atlas that takes its columns from the table.
    pub(super) fn derived() -> Self {
        Self {
            columns: Listing::default(),
            listed: None,
            held_columns: usize::MAX,
        }
    }

    /// Reads an atlas file.
    pub(super) fn read(
        path: &Path,
        options: &IngestOptions<'_>,
        regions: Regions<'_>,
    ) -> Result<Self, TableError> {
        let mut source = Source::open(path)?;
        let reader = AtlasReader::new(&source, options, regions)
            .map_err(|objection| objection.at(path, Place::File))?;
        let (columns, listed) = reader.read(&mut source, options.atlas.unlisted)?;
        Ok(Self {
            columns,
            listed: Some(listed),
            ..Self::derived()
        })
    }

    /// Whether a column is listed, or may be added.
    pub(super) fn standing(&self, part: u8, column: Column) -> Result<Standing, Objection> {
        match &self.listed {
            Some(_) if self.columns.has(part, column) => Ok(Standing::Known),
            Some(listed) if listed.unlisted == Unlisted::Error => Err(listed.objection(column)),
            _ => Ok(Standing::New),
        }
    }

    /// Whether so many columns of a side go to the disk: those with attributes never do.
    pub(super) fn is_wide(&self, columns: usize) -> bool {
        let listed = self.listed.as_ref();
        columns > self.held_columns && listed.is_none_or(|listed| listed.names.is_empty())
    }

    /// What the user should know about the atlas.
    fn note(&self, added: u64) -> Option<String> {
        let Some(listed) = &self.listed else {
            let note = "the atlas is derived from the table: a column where no cell type has a row does not appear";
            return Some(note.into());
        };
        let file = clean(&listed.file.to_string_lossy());
        let added = (added > 0)
            .then(|| format!("{added} columns of the table are not in {file} and were added"));
        let unmatched = (listed.unmatched > 0).then(|| {
            let unmatched = listed.unmatched;
            format!("{unmatched} rows of {file} do not match the pattern and were left out")
        });
        let notes: Vec<String> = added.into_iter().chain(unmatched).collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }

    /// The atlas, sorted, and what the user should know about it.
    pub(super) fn finish(
        self,
        visits: Vec<Seen>,
        spill: &Spill,
        n_regions: usize,
    ) -> io::Result<(Atlas, Option<WideColumns>, Option<String>)> {
        let listed = self.columns.len();
        let most = usize::try_from(self.columns.most_columns()).unwrap_or(usize::MAX);
        if visits.iter().any(Seen::is_wide) || self.is_wide(most) {
            let wide = WideColumns::of(&self.columns, &visits)?;
            let (left, right) = wide.summaries(spill, n_regions)?;
            let all: u64 = left.counts.iter().chain(&right.counts).sum();
            let note = self.note(all - listed);
            let atlas = Atlas {
                left,
                right,
                attribute_names: Vec::new(),
                derived: self.listed.is_none(),
            };
            return Ok((atlas, Some(wide), note));
        }
        let mut sides = Sides::default();
        for (part, column) in self.columns.columns() {
            sides.insert(part, column);
        }
        for seen in visits {
            sides.join(seen.sides);
        }
        let note = self.note(sides.len() as u64 - listed);
        let [left, right] = sides.0;
        let listed = self.listed.as_ref();
        let atlas = Atlas {
            left: side_atlas(left, Side::Left, listed, n_regions),
            right: side_atlas(right, Side::Right, listed, n_regions),
            attribute_names: listed.map_or(Vec::new(), |listed| listed.names.clone()),
            derived: listed.is_none(),
        };
        Ok((atlas, None, note))
    }
}

fn side_atlas(
    columns: HashMap<Column, u64>,
    side: Side,
    listed: Option<&Listed>,
    n_regions: usize,
) -> SideAtlas {
    let mut sorted: Vec<_> = columns.into_iter().collect();
    sorted.sort_unstable_by_key(|(column, _)| *column);
    let (columns, regions): (Vec<_>, Vec<_>) = sorted.into_iter().unzip();
    let attributes = match listed {
        Some(listed) if !listed.names.is_empty() => (0..n_regions)
            .map(|region| listed.attributes_of(region, side, &columns))
            .collect(),
        _ => Vec::new(),
    };
    let places = columns.iter().map(|column| (column.hex1, column.hex2));
    SideAtlas {
        counts: counts(&regions, n_regions),
        extent: Extent::of(places),
        columns,
        regions,
        attributes,
        wide: false,
    }
}

/// Number of columns in each region.
fn counts(regions: &[u64], n_regions: usize) -> Vec<u64> {
    let of = |region: usize| {
        regions
            .iter()
            .filter(|&bits| bits >> region & 1 == 1)
            .count() as u64
    };
    (0..n_regions).map(of).collect()
}

impl Listed {
    fn objection(&self, column: Column) -> Objection {
        let Column { hex1, hex2 } = column;
        let atlas = clean(&self.file.to_string_lossy());
        let message = format!(
            "the column {hex1}, {hex2} is not in the atlas {atlas} for this region and side"
        );
        Objection::new(message)
            .help("to add such columns to the atlas, write\n[atlas]\nunlisted = \"add\"")
    }

    fn attributes_of(&self, region: usize, side: Side, columns: &[Column]) -> Vec<AttributeValues> {
        let places: Vec<(usize, usize)> = self
            .rows
            .iter()
            .enumerate()
            .filter(|(_, (part, _))| region_and_side(*part) == (region, side))
            .filter_map(|(row, (_, column))| Some((row, columns.binary_search(column).ok()?)))
            .collect();
        let of = |attribute: &AttributeValues| match attribute {
            AttributeValues::I64(values) => {
                AttributeValues::I64(scatter(values, &places, columns.len()))
            }
            AttributeValues::F64(values) => {
                AttributeValues::F64(scatter(values, &places, columns.len()))
            }
            AttributeValues::Text(values) => {
                AttributeValues::Text(scatter(values, &places, columns.len()))
            }
        };
        self.attributes.iter().map(of).collect()
    }
}

fn scatter<T: Clone>(
    values: &[Option<T>],
    places: &[(usize, usize)],
    length: usize,
) -> Vec<Option<T>> {
    let mut out = vec![None; length];
    for &(row, place) in places {
        if let (Some(slot), Some(value)) = (out.get_mut(place), values.get(row)) {
            slot.clone_from(value);
        }
    }
    out
}

struct AtlasReader<'a> {
    header: Vec<String>,
    regions: Regions<'a>,
    /// Where [`OURS`] come from.
    ours: [Field; 4],
    pattern: Option<Pattern>,
    groups: Option<CaptureLocations>,
    /// Indices of the attributes.
    others: Vec<usize>,
    builders: Vec<ColumnBuilder>,
    rows: Vec<(u8, Column)>,
    columns: Listing,
}

impl<'a> AtlasReader<'a> {
    fn new(
        source: &Source,
        options: &IngestOptions<'_>,
        regions: Regions<'a>,
    ) -> Result<Self, Objection> {
        let header = &source.header;
        let names = Names::new(header, &options.atlas.columns, "atlas.columns", &OURS)?;
        let lacking = Lacking {
            missing: names.missing(&OURS),
            counts: false,
        };
        if !lacking.is_nothing() {
            return Err(lacking.objection(&names, options, &OURS, &Sample::take(&source.file)));
        }
        let [region, side, hex1, hex2] = OURS;
        let ours = [
            names.require(region)?,
            names.require(side)?,
            names.require(hex1)?,
            names.require(hex2)?,
        ];
        let pattern = names.row_pattern();
        let read: Vec<usize> = ours.iter().filter_map(Field::column).collect();
        let others: Vec<_> = (0..header.len())
            .filter(|index| !read.contains(index))
            .collect();
        let mut builders = Vec::new();
        builders.resize_with(others.len(), ColumnBuilder::default);
        Ok(Self {
            header: header.to_vec(),
            regions,
            ours,
            groups: pattern.as_ref().map(Pattern::groups),
            pattern,
            others,
            builders,
            rows: Vec::new(),
            columns: Listing::default(),
        })
    }

    fn read(
        mut self,
        source: &mut Source,
        unlisted: Unlisted,
    ) -> Result<(Listing, Listed), TableError> {
        let file = source.file.clone();
        let place = source.numbering();
        let mut unmatched = 0;
        while let Some(batch) = source.next_batch()? {
            for row in 0..batch.len() {
                let number = batch.number(row);
                let at = |objection: Objection| objection.at(&file, place(number));
                let Some((part, column)) = self.place(&batch, row).map_err(at)? else {
                    unmatched += 1;
                    continue;
                };
                if !self.columns.insert(part, column) {
                    let first = self.first_row(&file, (part, column))?;
                    return Err(at(duplicate(place(first))));
                }
                if !self.others.is_empty() {
                    self.rows.push((part, column));
                }
                for (builder, &index) in self.builders.iter_mut().zip(&self.others) {
                    builder.push(batch.cell(index, row));
                }
            }
        }
        if self.columns.len() == 0 {
            let objection = match unmatched {
                0 => Objection::new("has a header and no rows"),
                _ => no_match(),
            };
            return Err(objection.at(&file, Place::File));
        }
        let names = self.others.iter();
        let names = names.map(|&index| self.header[index].clone()).collect();
        let attributes = self.builders.into_iter().map(ColumnBuilder::finish);
        let listed = Listed {
            unmatched,
            file,
            unlisted,
            names,
            attributes: attributes.collect(),
            rows: self.rows,
        };
        Ok((self.columns, listed))
    }

    /// The number of the first row of a column. Only an error needs it, so the file is read again.
    fn first_row(&mut self, file: &Path, entry: (u8, Column)) -> Result<u64, TableError> {
        let mut source = Source::open(file)?;
        while let Some(batch) = source.next_batch()? {
            for row in 0..batch.len() {
                if matches!(self.place(&batch, row), Ok(Some(found)) if found == entry) {
                    return Ok(batch.number(row));
                }
            }
        }
        Ok(0)
    }

    /// The part and column of a row; none if the pattern leaves the row out.
    fn place(&mut self, batch: &Batch<'_>, row: usize) -> Result<Option<(u8, Column)>, Objection> {
        if let (Some(pattern), Some(groups)) = (&self.pattern, &mut self.groups) {
            let found = pattern.find(batch.cell(pattern.column, row), groups);
            if !found.map_err(|o| o.column(&self.header[pattern.column]))? {
                return Ok(None);
            }
        }
        let [region, side, hex1, hex2] = &self.ours;
        let in_column = |field: &Field| {
            let name = field.column().map(|column| &self.header[column]);
            move |objection: Objection| match name {
                Some(name) => objection.column(name),
                None => objection,
            }
        };
        let groups = self.groups.as_ref();
        let regions = self.regions;
        let index = region
            .cell(batch, row, groups)
            .text()
            .and_then(|name| regions.find(&name))
            .map_err(in_column(region))?;
        let part = part_of(
            index,
            side.cell(batch, row, groups)
                .side()
                .map_err(in_column(side))?,
        );
        let column = Column {
            hex1: hex1
                .cell(batch, row, groups)
                .small()
                .map_err(in_column(hex1))?,
            hex2: hex2
                .cell(batch, row, groups)
                .small()
                .map_err(in_column(hex2))?,
        };
        Ok(Some((part, column)))
    }
}

fn duplicate(first: Place) -> Objection {
    Objection::new(format!("the same region, side and column as {first}"))
        .help("keep one of the two rows")
}
