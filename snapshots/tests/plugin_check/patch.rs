//! Breaks a good library, a few bytes at a time. Places are those of a 64-bit little-endian ELF file.

use object::{Object as _, ObjectSymbol as _};

/// `from` becomes `to`, of the same length, wherever it is.
pub(super) fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> = (0..bytes.len().saturating_sub(from.len()))
        .filter(|&i| bytes[i..].starts_with(from))
        .collect();
    assert!(!places.is_empty(), "no {}", String::from_utf8_lossy(from));
    for place in places {
        bytes[place..place + to.len()].copy_from_slice(to);
    }
    bytes
}

pub(super) fn put(bytes: &mut [u8], place: usize, value: &[u8]) {
    bytes[place..place + value.len()].copy_from_slice(value);
}

fn number(bytes: &[u8], place: usize, length: usize) -> usize {
    let mut value = [0; 8];
    value[..length].copy_from_slice(&bytes[place..place + length]);
    u64::from_le_bytes(value) as usize
}

/// Where the headers of segments of a type are.
pub(super) fn segments(bytes: &[u8], kind: u32) -> Vec<usize> {
    let (table, count) = (number(bytes, 32, 8), number(bytes, 56, 2));
    (0..count)
        .map(|i| table + i * 56)
        .filter(|&place| number(bytes, place, 4) == kind as usize)
        .collect()
}

/// Where the value of a dynamic entry is.
pub(super) fn dynamic(bytes: &[u8], tag: u64) -> usize {
    let segment = segments(bytes, object::elf::PT_DYNAMIC.0)[0];
    let (start, size) = (
        number(bytes, segment + 8, 8),
        number(bytes, segment + 32, 8),
    );
    let entry = (start..start + size)
        .step_by(16)
        .find(|&place| number(bytes, place, 8) as u64 == tag);
    entry.expect("the entry") + 8
}

/// Where the bytes of an exported static are in the file.
pub(super) fn symbol(bytes: &[u8], name: &str) -> usize {
    let file = object::File::parse(bytes).expect("a library");
    let symbol = file
        .dynamic_symbols()
        .find(|symbol| symbol.name() == Ok(name));
    let address = symbol.expect("the symbol").address() as usize;
    let inside = |&place: &usize| {
        let start = number(bytes, place + 16, 8);
        (start..start + number(bytes, place + 32, 8)).contains(&address)
    };
    let segment = segments(bytes, object::elf::PT_LOAD.0)
        .into_iter()
        .find(inside);
    let segment = segment.expect("a segment with the symbol");
    address - number(bytes, segment + 16, 8) + number(bytes, segment + 8, 8)
}

/// Where the entry of a symbol in the table of dynamic symbols is.
pub(super) fn symbol_entry(bytes: &[u8], name: &str) -> usize {
    let file = object::File::parse(bytes).expect("a library");
    let symbol = file
        .dynamic_symbols()
        .find(|symbol| symbol.name() == Ok(name));
    let index = symbol.expect("the symbol").index().0;
    // DT_SYMTAB is an address; the tables lie in the first segment, where address and place agree.
    number(bytes, dynamic(bytes, 6), 8) + index * 24
}
