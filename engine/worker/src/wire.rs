//! Bodies of requests and answers that are no plain arrays.

use std::ops::Range;

use eyemap_abi::{
    ColumnBatch, ColumnData, ErrorKind, Event, PluginError, Table, TableColumn,
    abi_stable::std_types::{RSlice, RStr},
    cache::EventKind,
};
use serde::{Deserialize, Serialize};

/// What a worker is told of the library it loads.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Load {
    /// The file that it came from, for messages.
    pub(crate) path: String,
    /// Bytes of memory that the plugin may use.
    pub(crate) memory: u64,
}

/// How a worker is confined, and what it has loaded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Loaded {
    /// What the kernel could not do, in a sentence; empty when it does all.
    pub(crate) missing: String,
    /// Extensions that cannot be used.
    pub(crate) misfits: Vec<Misfit>,
}

/// A plugin has fewer extensions.
const MAX_MISFITS: usize = 16;

impl Loaded {
    /// In words that may be shown.
    pub(crate) fn clean(self) -> Self {
        let misfits = self.misfits.into_iter().take(MAX_MISFITS);
        Self {
            missing: line(self.missing.as_bytes()),
            misfits: misfits.map(Misfit::clean).collect(),
        }
    }
}

/// An extension in a form that its host does not know: the first member that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Misfit {
    /// The extension's id.
    pub id: String,
    /// The member, with the id before it.
    pub member: String,
    /// What the host knows.
    pub expected: String,
    /// What the plugin has.
    pub found: String,
}

impl Misfit {
    fn clean(self) -> Self {
        let clean = |text: String| line(text.as_bytes());
        Self {
            id: clean(self.id),
            member: clean(self.member),
            expected: clean(self.expected),
            found: clean(self.found),
        }
    }
}

/// What comes with a prepared job: its description, or why it has none.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Prepared(pub(crate) Result<Vec<u8>, Failure>);

/// An error of a plugin.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Failure {
    kind: u8,
    message: String,
    at: String,
}

/// Longest line of a worker's words, in letters.
const MAX_LINE: usize = 1000;

/// Words of a worker as they may be shown: one line, cut, and nothing in it that moves a terminal or turns
/// the direction of letters.
pub(crate) fn line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * MAX_LINE)]);
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let text: String = text
        .chars()
        .take(MAX_LINE)
        .map(|c| if c.is_control() || turns(c) { ' ' } else { c })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Longest message of a plugin that is passed on, in bytes.
const MAX_TEXT: usize = 16 * 1024;

impl From<PluginError> for Failure {
    fn from(error: PluginError) -> Self {
        // The plugin's strings may hold anything.
        let text =
            |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_TEXT)]).into();
        Self {
            kind: error.kind as u8,
            message: text(error.message.as_bytes()),
            at: text(error.at.as_bytes()),
        }
    }
}

impl From<Failure> for PluginError {
    fn from(failure: Failure) -> Self {
        let kind = match failure.kind {
            0 => ErrorKind::Config,
            1 => ErrorKind::Input,
            2 => ErrorKind::Panic,
            _ => ErrorKind::Internal,
        };
        Self::new(kind, failure.message).at(failure.at)
    }
}

/// A column of a side table or of attributes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct WireColumn {
    name: String,
    data: WireData,
    valid: Vec<u8>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum WireData {
    I64(Vec<i64>),
    F64(Vec<f64>),
    Text(Vec<String>),
}

impl WireColumn {
    pub(crate) fn of(column: &TableColumn<'_>) -> Self {
        Self::part(column, 0..usize::MAX)
    }

    /// Some of its rows.
    fn part(column: &TableColumn<'_>, rows: Range<usize>) -> Self {
        let texts =
            |texts: &[RStr<'_>]| texts.iter().map(|text| text.as_str().to_owned()).collect();
        Self {
            name: column.name.as_str().to_owned(),
            data: match &column.data {
                ColumnData::I64(values) => WireData::I64(part(values, &rows).to_vec()),
                ColumnData::F64(values) => WireData::F64(part(values, &rows).to_vec()),
                ColumnData::Text(values) => WireData::Text(texts(part(values, &rows))),
            },
            valid: part(&column.valid, &rows).to_vec(),
        }
    }
}

/// Some rows of an array; all where it does not have them, so that the plugin sees what the host gave.
fn part<'a, T>(values: &'a [T], rows: &Range<usize>) -> &'a [T] {
    values.get(rows.clone()).unwrap_or(values)
}

/// The texts of each column as the ABI has them; columns borrow them.
fn texts(columns: &[WireColumn]) -> Vec<Vec<RStr<'_>>> {
    columns
        .iter()
        .map(|column| match &column.data {
            WireData::Text(values) => values.iter().map(|text| RStr::from_str(text)).collect(),
            WireData::I64(_) | WireData::F64(_) => Vec::new(),
        })
        .collect()
}

fn lent<'a>(columns: &'a [WireColumn], texts: &'a [Vec<RStr<'a>>]) -> Vec<TableColumn<'a>> {
    let data = |column: &'a WireColumn, texts: &'a [RStr<'a>]| match &column.data {
        WireData::I64(values) => ColumnData::I64(RSlice::from_slice(values)),
        WireData::F64(values) => ColumnData::F64(RSlice::from_slice(values)),
        WireData::Text(_) => ColumnData::Text(RSlice::from_slice(texts)),
    };
    let columns = columns.iter().zip(texts);
    columns
        .map(|(column, texts)| TableColumn {
            name: RStr::from_str(&column.name),
            data: data(column, texts),
            valid: RSlice::from_slice(&column.valid),
        })
        .collect()
}

/// A side table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct WireTable {
    name: String,
    columns: Vec<WireColumn>,
}

impl WireTable {
    pub(crate) fn of(table: &Table<'_>) -> Self {
        Self {
            name: table.name.as_str().to_owned(),
            columns: table.columns.iter().map(WireColumn::of).collect(),
        }
    }
}

/// Lends tables as the ABI has them.
pub(crate) fn lend_tables<R>(tables: &[WireTable], call: impl FnOnce(&[Table<'_>]) -> R) -> R {
    let texts: Vec<_> = tables.iter().map(|table| texts(&table.columns)).collect();
    let columns: Vec<_> = tables
        .iter()
        .zip(&texts)
        .map(|(table, texts)| lent(&table.columns, texts))
        .collect();
    let tables: Vec<_> = tables
        .iter()
        .zip(&columns)
        .map(|(table, columns)| Table {
            name: RStr::from_str(&table.name),
            columns: RSlice::from_slice(columns),
        })
        .collect();
    call(&tables)
}

/// What a stage is created from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Create {
    pub(crate) config: String,
    pub(crate) tables: Vec<WireTable>,
}

/// A batch of columns to annotate.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Batch {
    layer: u32,
    hex1: Vec<i32>,
    hex2: Vec<i32>,
    values: Vec<f64>,
    status: Vec<u8>,
    attributes: Vec<WireColumn>,
}

impl Batch {
    /// Some columns of a batch.
    pub(crate) fn of(batch: &ColumnBatch<'_>, rows: Range<usize>) -> Self {
        let attributes = batch.attributes.iter();
        Self {
            layer: batch.layer,
            hex1: part(&batch.hex1, &rows).to_vec(),
            hex2: part(&batch.hex2, &rows).to_vec(),
            values: part(&batch.values, &rows).to_vec(),
            status: part(&batch.status, &rows).to_vec(),
            attributes: attributes
                .map(|column| WireColumn::part(column, rows.clone()))
                .collect(),
        }
    }

    pub(crate) fn lend<R>(&self, call: impl FnOnce(&ColumnBatch<'_>) -> R) -> R {
        let texts = texts(&self.attributes);
        call(&ColumnBatch {
            layer: self.layer,
            hex1: RSlice::from_slice(&self.hex1),
            hex2: RSlice::from_slice(&self.hex2),
            values: RSlice::from_slice(&self.values),
            status: RSlice::from_slice(&self.status),
            attributes: RSlice::from_slice(&lent(&self.attributes, &texts)),
        })
    }
}

/// A tooltip that replaces the template's. The text is bytes: the host looks whether it is UTF-8.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Override {
    pub(crate) index: u32,
    pub(crate) text: Vec<u8>,
}

/// Numbers that an event has in the arena.
pub(crate) const EVENT: usize = 9;

/// An event as numbers.
pub(crate) fn numbers(event: &Event) -> [u64; EVENT] {
    let kind = event.kind as u64;
    let small = kind | u64::from(event.cache) << 8 | u64::from(event.flags) << 16;
    [
        small,
        u64::from(event.slot),
        u64::from(event.generation),
        event.key_hash,
        event.weight,
        event.cost_ns,
        event.tick,
        event.expires_at,
        event.next_use,
    ]
}

/// The event of [`numbers`]. Upper bits that an event does not have are cut off: the host wrote them.
pub(crate) fn event(numbers: &[u64]) -> Event {
    Event {
        kind: match numbers[0] & 0xff {
            0 => EventKind::Hit,
            1 => EventKind::Miss,
            2 => EventKind::Insert,
            3 => EventKind::Remove,
            4 => EventKind::Expire,
            _ => EventKind::Reweigh,
        },
        cache: (numbers[0] >> 8) as u8,
        flags: (numbers[0] >> 16) as u16,
        slot: numbers[1] as u32,
        generation: numbers[2] as u32,
        key_hash: numbers[3],
        weight: numbers[4],
        cost_ns: numbers[5],
        tick: numbers[6],
        expires_at: numbers[7],
        next_use: numbers[8],
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn words_of_a_worker_are_one_harmless_line() {
        let hostile = "a\u{1b}]0;title\u{7}\nhelp: run\tthis \u{202e}txt.exe\r\n";
        assert_eq!(
            line(hostile.as_bytes()),
            "a ]0;title help: run this txt.exe"
        );
        assert_eq!(line(&[b'x'; 10_000]).len(), 1000);
        assert_eq!(line(b"\xff\xfe"), "\u{fffd}\u{fffd}");
    }
}
