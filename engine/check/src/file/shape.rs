//! Is it a whole shared library for this machine?

use object::read::elf::FileHeader as _;

use super::*;

/// Larger than any plugin is in memory.
const MAX_MEMORY_BYTES: u64 = 1 << 30;

const BUILD_AGAIN: &str =
    "build it again, or download it again and compare its SHA-256: it is not whole";

#[cfg(target_arch = "x86_64")]
const MACHINE: (object::elf::Machine, &str) = (object::elf::EM_X86_64, "x86-64");
#[cfg(target_arch = "aarch64")]
const MACHINE: (object::elf::Machine, &str) = (object::elf::EM_AARCH64, "aarch64");

/// The file can be read: it was, before anything was asked.
pub(super) fn readable(subject: &Subject) -> Outcome {
    Outcome::noted(format!("{} bytes", subject.bytes.len()))
}

/// Its header and tables can be read, and it is a shared library.
pub(super) fn well_formed(subject: &Subject) -> Outcome {
    let library = match Library::read(&subject.bytes) {
        Ok(library) => library,
        Err(what) => {
            return Outcome::failed(
                what,
                "name the shared library of a plugin, whole and unchanged",
            );
        }
    };
    if !library.is_shared() {
        return Outcome::failed(
            "it is an ELF file, but no shared library",
            "set `crate-type = [\"cdylib\"]` in [lib] of Cargo.toml",
        );
    }
    // Read here, so that what is damaged is told once and not by each check that needs it.
    match library
        .symbols()
        .and_then(|symbols| Ok((symbols, library.needed()?)))
    {
        Ok((symbols, _)) => Outcome::noted(format!(
            "{} segments, {} symbols",
            library.segments.len(),
            symbols.len()
        )),
        Err(what) => Outcome::failed(what, BUILD_AGAIN),
    }
}

/// Each segment lies in the file, and where the loader can put it.
pub(super) fn segments_in_file(subject: &Subject) -> Outcome {
    let library = match library(subject) {
        Ok(library) => library,
        Err(outcome) => return outcome,
    };
    let file_bytes = subject.bytes.len() as u64;
    let mut memory_bytes = 0_u64;
    for (i, range) in library.ranges().enumerate() {
        let end = range.offset.checked_add(range.in_file_bytes);
        let what = match end {
            None => format!("segment {i} ends beyond what a file can have"),
            Some(end) if end > file_bytes => {
                format!("segment {i} ends at byte {end}, the file at byte {file_bytes}")
            }
            _ if !range.is_loaded => continue,
            _ if range.in_file_bytes > range.in_memory_bytes => format!(
                "segment {i} has {} bytes in the file and {} in memory",
                range.in_file_bytes, range.in_memory_bytes
            ),
            _ if !range.is_aligned => format!("segment {i} is not aligned as the loader demands"),
            _ => {
                memory_bytes = memory_bytes.saturating_add(range.in_memory_bytes);
                continue;
            }
        };
        return Outcome::failed(what, BUILD_AGAIN);
    }
    match memory_bytes {
        0 => Outcome::failed("nothing of it is loaded", BUILD_AGAIN),
        n if n > MAX_MEMORY_BYTES => Outcome::failed(
            format!("it takes {n} bytes of memory, more than {MAX_MEMORY_BYTES}"),
            "make large tables when a job is prepared, not as statics",
        ),
        n => Outcome::noted(format!("{n} bytes in memory")),
    }
}

/// It is for this processor.
pub(super) fn arch(subject: &Subject) -> Outcome {
    let library = match library(subject) {
        Ok(library) => library,
        Err(outcome) => return outcome,
    };
    let machine = library.header.e_machine(library.endian);
    let big = library.header.is_big_endian();
    if machine == MACHINE.0 && big == cfg!(target_endian = "big") {
        return Outcome::noted(MACHINE.1);
    }
    let what = format!(
        "it is for another processor: ELF machine {}{}, and this is {} ({})",
        machine.0,
        if big { ", big-endian" } else { "" },
        MACHINE.1,
        MACHINE.0.0
    );
    Outcome::failed(
        what,
        "build it on this machine, or with `cargo build --target`",
    )
}
