//! What reading an Arrow IPC file or stream takes, from the heads of its messages alone.
//!
//! A reader of Arrow IPC holds a whole record batch, and what compressed columns of it expand to. Both are
//! written in the head of the message, so it is known before a batch is read whether it fits. A reader asks for
//! that much memory at once, and ends the process where it gets none: a length that no such bytes expand to is
//! found here.

use std::{convert::Infallible, fs::File, io, os::unix::fs::FileExt as _};

use arrow_ipc::{
    Buffer, Message, RecordBatch, reader::read_footer_length, root_as_footer, root_as_message,
};
use arrow_schema::{DataType, Schema};

/// What stands before the length of a head, in files that are not very old.
const CONTINUED: u32 = u32::MAX;
/// A longer head is that of no table.
const MOST_HEAD_BYTES: u32 = 64 << 20;

/// How messages follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    /// A footer says where each is.
    File,
    /// One after the other.
    Stream,
}

/// Zstandard writes 128 KiB of one byte as a block of 4; LZ4 does not reach that.
const MOST_RATIO: u64 = 32 << 10;

/// Refuses a file or stream that says of a compressed buffer that it expands to more than its bytes can.
pub(super) fn check_lengths(file: &File, container: Container) -> Result<(), String> {
    for_each_message(file, container, |place, message| {
        let Some(batch) = batch_of(message).filter(|batch| batch.compression().is_some()) else {
            return Ok(());
        };
        for buffer in batch.buffers().into_iter().flatten() {
            let stored = u64::try_from(buffer.length()).unwrap_or(0);
            let says = expands_to(file, place, buffer);
            if says > stored.saturating_mul(MOST_RATIO) {
                return Err(format!("{stored} bytes say that they expand to {says}"));
            }
        }
        Ok(())
    })
}

/// The most that reading the selected columns of a file or stream holds at a time, in bytes: the largest
/// record batch, and all dictionaries. What cannot be read here is refused by the reader, with its reason.
pub(super) fn most_held(
    file: &File,
    container: Container,
    schema: &Schema,
    selected: &[usize],
) -> u64 {
    let wanted = wanted_buffers(schema, selected);
    let (mut largest, mut dictionaries) = (0_u64, 0_u64);
    let taken = for_each_message(file, container, |place, message| {
        let body = u64::try_from(message.bodyLength()).unwrap_or(0);
        let is_dictionary = message.header_as_dictionary_batch().is_some();
        let wanted = if is_dictionary { &[][..] } else { &wanted };
        let Some(batch) = batch_of(message) else {
            return Ok(());
        };
        let bytes = body.saturating_add(expanded(file, place, &batch, wanted));
        match is_dictionary {
            true => dictionaries = dictionaries.saturating_add(bytes),
            false => largest = largest.max(bytes),
        }
        Ok::<_, Infallible>(())
    });
    match taken {
        Ok(()) => largest.saturating_add(dictionaries),
        Err(never) => match never {},
    }
}

/// Shows each message with the place of its body; one that cannot be read ends a stream and is passed over in
/// a file.
fn for_each_message<E>(
    file: &File,
    container: Container,
    mut take: impl FnMut(u64, &Message<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut show = |at| -> Result<Option<u64>, E> {
        let Some(head) = Head::read(file, at).ok().flatten() else {
            return Ok(None);
        };
        let Ok(message) = root_as_message(&head.bytes) else {
            return Ok(None);
        };
        take(head.body, &message)?;
        let body = u64::try_from(message.bodyLength()).ok();
        Ok(body.and_then(|body| head.body.checked_add(body)))
    };
    match container {
        Container::File => {
            let messages = blocks(file).unwrap_or_default();
            messages.into_iter().try_for_each(|at| show(at).map(drop))
        }
        Container::Stream => {
            let mut at = Some(0);
            while let Some(next) = at {
                at = show(next)?;
            }
            Ok(())
        }
    }
}

/// The batch of a message: of rows, or of a dictionary.
fn batch_of<'a>(message: &Message<'a>) -> Option<RecordBatch<'a>> {
    let dictionary = message.header_as_dictionary_batch();
    message
        .header_as_record_batch()
        .or_else(|| dictionary?.data())
}

/// Where the messages of a file begin, by its footer.
fn blocks(file: &File) -> Option<Vec<u64>> {
    let end = file.metadata().ok()?.len().checked_sub(10)?;
    let mut tail = [0; 10];
    file.read_exact_at(&mut tail, end).ok()?;
    let length = read_footer_length(tail).ok()?;
    let start = end.checked_sub(u64::try_from(length).ok()?)?;
    let mut footer = vec![0; length];
    file.read_exact_at(&mut footer, start).ok()?;
    let footer = root_as_footer(&footer).ok()?;
    let lists = [footer.dictionaries(), footer.recordBatches()];
    let blocks = lists.into_iter().flatten().flatten();
    Some(
        blocks
            .filter_map(|block| u64::try_from(block.offset()).ok())
            .collect(),
    )
}

/// The head of a message.
struct Head {
    bytes: Vec<u8>,
    /// Where its body begins in the file.
    body: u64,
}

impl Head {
    /// Reads the head that begins at a place; none at the end.
    fn read(file: &File, at: u64) -> io::Result<Option<Self>> {
        let number = |at| {
            let mut bytes = [0; 4];
            file.read_exact_at(&mut bytes, at)?;
            Ok::<_, io::Error>(u32::from_le_bytes(bytes))
        };
        let (mut length, mut start) = (number(at)?, at + 4);
        if length == CONTINUED {
            (length, start) = (number(start)?, start + 4);
        }
        if length == 0 || length > MOST_HEAD_BYTES {
            return Ok(None);
        }
        let mut bytes = vec![0; length as usize];
        file.read_exact_at(&mut bytes, start)?;
        let body = start + u64::from(length);
        Ok(Some(Self { bytes, body }))
    }
}

fn wanted_buffers(schema: &Schema, selected: &[usize]) -> Vec<bool> {
    let mut wanted = Vec::new();
    for (index, field) in schema.fields().iter().enumerate() {
        let Some(buffers) = buffers_of(field.data_type()) else {
            return Vec::new();
        };
        wanted.extend(std::iter::repeat_n(selected.contains(&index), buffers));
    }
    wanted
}

/// Buffers of a column, where the type alone says how many.
fn buffers_of(kind: &DataType) -> Option<usize> {
    match kind {
        DataType::Null => Some(0),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Binary | DataType::LargeBinary => Some(3),
        DataType::Boolean | DataType::Dictionary(..) | DataType::FixedSizeBinary(_) => Some(2),
        kind if kind.is_primitive() => Some(2),
        _ => None,
    }
}

/// What the wanted buffers of a batch expand to; all of them if it is not known which are.
fn expanded(file: &File, body: u64, batch: &RecordBatch<'_>, wanted: &[bool]) -> u64 {
    let Some(buffers) = batch.buffers().filter(|_| batch.compression().is_some()) else {
        return 0;
    };
    let is_wanted = |index: usize| wanted.len() != buffers.len() || wanted[index];
    let lengths = (0..buffers.len())
        .filter(|&index| is_wanted(index))
        .map(|index| expands_to(file, body, buffers.get(index)));
    lengths.fold(0, u64::saturating_add)
}

/// What a buffer of a compressed batch says that it expands to.
fn expands_to(file: &File, body: u64, buffer: &Buffer) -> u64 {
    let place = body.saturating_add(u64::try_from(buffer.offset()).unwrap_or(0));
    let mut length = [0; 8];
    match buffer.length() {
        length if length < 8 => 0,
        // A buffer that is not compressed says -1.
        _ => match file.read_exact_at(&mut length, place) {
            Ok(()) => u64::try_from(i64::from_le_bytes(length)).unwrap_or(0),
            Err(_) => 0,
        },
    }
}
