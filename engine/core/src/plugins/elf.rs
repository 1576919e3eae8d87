//! Looks at a plugin's file without running it.
//!
//! The system's loader trusts its input: a truncated library kills the process inside `dlopen`. So
//! the structure is checked first, on the bytes that will be loaded.

use std::path::Path;

use eyemap_abi::{abi_stable::library::AbiHeader, manifest, root::ENTRY_SYMBOL};
use object::{
    Endianness,
    elf::{self, FileHeader64},
    read::{
        ReadCache, ReadRef,
        elf::{Dyn as _, FileHeader as _, ProgramHeader as _, SectionHeader as _, Sym as _},
    },
};

use super::{Manifest, PluginError};

/// A manifest is a few hundred bytes; more is not one.
const MAX_MANIFEST_BYTES: usize = 64 * 1024;

/// More than any plugin has; what a hostile file may put in a message.
const MAX_EXTENSIONS: usize = 16;

type Header = FileHeader64<Endianness>;

#[cfg(target_arch = "x86_64")]
const MACHINE: (u16, &str) = (elf::EM_X86_64.0, "x86-64");
#[cfg(target_arch = "aarch64")]
const MACHINE: (u16, &str) = (elf::EM_AARCH64.0, "aarch64");

/// Checks that the bytes are a whole shared library for this machine, with the plugin entry.
///
/// # Errors
/// [`PluginError::NotALibrary`] with what is wrong.
pub fn check(path: &Path, bytes: &[u8]) -> Result<(), PluginError> {
    structure(bytes).map_err(|reason| PluginError::NotALibrary {
        path: path.into(),
        reason,
    })
}

fn structure(bytes: &[u8]) -> Result<(), String> {
    let (header, endian) = header(bytes)?;
    if header.e_type(endian) != elf::ET_DYN {
        return Err("it is an ELF file, but no shared library".into());
    }
    let segments = header
        .program_headers(endian, bytes)
        .map_err(|_| "it is truncated: its program headers lie outside the file".to_owned())?;
    let mut dynamic = false;
    for segment in segments {
        let end = segment
            .p_offset(endian)
            .checked_add(segment.p_filesz(endian));
        if end.is_none_or(|end| end > bytes.len() as u64) {
            return Err(format!(
                "it is truncated or damaged: a segment ends beyond its {} bytes",
                bytes.len()
            ));
        }
        if segment.p_filesz(endian) > segment.p_memsz(endian)
            && segment.p_type(endian) == elf::PT_LOAD
        {
            return Err("it is damaged: a segment is larger in the file than in memory".into());
        }
        dynamic |= segment.p_type(endian) == elf::PT_DYNAMIC;
    }
    if !dynamic {
        return Err("it has nothing to link: no dynamic segment".into());
    }
    entry_symbol(header, endian, bytes).map(drop)
}

fn header<'a, R: ReadRef<'a>>(bytes: R) -> Result<(&'a Header, Endianness), String> {
    let magic = bytes.read_bytes_at(0, elf::ELFMAG.len() as u64);
    if !magic.is_ok_and(|magic| magic == elf::ELFMAG) {
        let what = match bytes.len() {
            Ok(0) => "it is empty",
            _ => "it is not an ELF file",
        };
        return Err(what.into());
    }
    let header =
        Header::parse(bytes).map_err(|_| "it is truncated, or not a 64-bit ELF file".to_owned())?;
    let endian = header.endian().map_err(|error| error.to_string())?;
    let machine = header.e_machine(endian);
    if machine.0 != MACHINE.0 || header.is_big_endian() != cfg!(target_endian = "big") {
        return Err(format!(
            "it is for another processor: expected {}, found ELF machine {}",
            MACHINE.1, machine.0
        ));
    }
    Ok((header, endian))
}

/// Looks whether a library makes the system's loader run files that it names itself: what is in them changes
/// without its hash. Libraries of the system are named without a place, and found where the system has them.
///
/// # Errors
/// [`PluginError::NotALibrary`] with the first that it names.
pub(super) fn check_alone(path: &Path, bytes: &[u8]) -> Result<(), PluginError> {
    alone(bytes).map_err(|reason| PluginError::NotALibrary {
        path: path.into(),
        reason,
    })
}

fn alone(bytes: &[u8]) -> Result<(), String> {
    let (header, endian) = header(bytes)?;
    let damaged = |_| "it is damaged: its dynamic segment lies outside the file".to_owned();
    let segments = header.program_headers(endian, bytes).map_err(damaged)?;
    for segment in segments {
        let Some(entries) = segment.dynamic(endian, bytes).map_err(damaged)? else {
            continue;
        };
        let text = entries
            .iter()
            .find(|entry| entry.tag(endian) == elf::DT_STRTAB);
        let text = text.map_or(0, |entry| entry.val(endian));
        for entry in entries {
            let name = || {
                name_at(
                    segments,
                    endian,
                    bytes,
                    text.wrapping_add(entry.val(endian)),
                )
            };
            let tag = entry.tag(endian);
            if NAMES_FILES.contains(&tag) || tag == elf::DT_NEEDED && name().contains('/') {
                return Err(format!(
                    "it makes the loader run files that no lock lists ({:?}): link it without a search path of \
                     its own, or let it run in a worker",
                    name()
                ));
            }
        }
    }
    Ok(())
}

/// Entries that lead to files beside those of the system.
const NAMES_FILES: [elf::DynamicTag; 6] = [
    elf::DT_RPATH,
    elf::DT_RUNPATH,
    elf::DT_AUDIT,
    elf::DT_DEPAUDIT,
    elf::DT_AUXILIARY,
    elf::DT_FILTER,
];

/// A text of a loaded library; empty where there is none.
fn name_at(
    segments: &[elf::ProgramHeader64<Endianness>],
    endian: Endianness,
    bytes: &[u8],
    at: u64,
) -> String {
    let loaded = segments
        .iter()
        .filter(|segment| segment.p_type(endian) == elf::PT_LOAD);
    let text = loaded.filter_map(|segment| {
        let into = at.checked_sub(segment.p_vaddr(endian))?;
        let data = segment.data(endian, bytes).ok()?;
        data.get(usize::try_from(into).ok()?..)
    });
    let text = text.flat_map(|text| text.iter().take_while(|&&byte| byte != 0).take(200));
    String::from_utf8_lossy(&text.copied().collect::<Vec<u8>>()).into_owned()
}

/// Where the plugin entry lies in memory.
fn entry_symbol(header: &Header, endian: Endianness, bytes: &[u8]) -> Result<u64, String> {
    let damaged = |_| "it is damaged: its section table cannot be read".to_owned();
    let sections = header.sections(endian, bytes).map_err(damaged)?;
    let symbols = sections
        .symbols(endian, bytes, elf::SHT_DYNSYM)
        .map_err(damaged)?;
    let mut exported = symbols.iter().filter(|symbol| {
        !symbol.is_undefined(endian)
            && symbol
                .name(endian, symbols.strings())
                .is_ok_and(|name| name == ENTRY_SYMBOL.as_bytes())
    });
    match exported.next() {
        Some(entry) => Ok(entry.st_value(endian)),
        None => Err("it does not export the plugin entry of this ABI (a library of another kind, or of another abi_stable)".into()),
    }
}

/// Reads what the plugin entry says of the ABI that it was made for. A file that says it otherwise when it
/// runs is refused then.
///
/// # Errors
/// [`PluginError::NotALibrary`] when the entry does not lie in the file.
pub(super) fn root(path: &Path, bytes: &[u8]) -> Result<AbiHeader, PluginError> {
    root_in(bytes).map_err(|reason| PluginError::NotALibrary {
        path: path.into(),
        reason,
    })
}

fn root_in(bytes: &[u8]) -> Result<AbiHeader, String> {
    let (header, endian) = header(bytes)?;
    let entry = entry_symbol(header, endian, bytes)?;
    let segments = header
        .program_headers(endian, bytes)
        .map_err(|_| "it is truncated: its program headers lie outside the file".to_owned())?;
    let loaded = segments
        .iter()
        .filter(|segment| segment.p_type(endian) == elf::PT_LOAD);
    let read = |at: u64, len: u64| {
        let mut data = loaded
            .clone()
            .filter_map(|segment| segment.data_range(endian, bytes, at, len).ok()?);
        data.next()
            .ok_or_else(|| "it is damaged: its plugin entry lies outside the file".to_owned())
    };
    let mut root = AbiHeader::VALUE;
    let magic = root.magic_string.len() as u64;
    root.magic_string.copy_from_slice(read(entry, magic)?);
    let number = |at| {
        let bytes = read(entry.wrapping_add(at), 4)?.try_into();
        let bytes = bytes.map_err(|_| "it is damaged: its plugin entry is cut".to_owned())?;
        Ok::<_, String>(u32::from_ne_bytes(bytes))
    };
    root.abi_major = number(magic)?;
    root.abi_minor = number(magic + 4)?;
    Ok(root)
}

/// Reads the manifest out of its section.
///
/// # Errors
/// [`PluginError::NotALibrary`] for a file that is no library, [`PluginError::NoManifest`] for one
/// without a manifest or with one that cannot be read.
pub fn read_manifest(path: &Path, bytes: &[u8]) -> Result<Manifest, PluginError> {
    manifest_in(path, bytes)
}

/// Reads the manifest of a file, and no more of it than that takes.
///
/// # Errors
/// As [`read_manifest`], and when the file cannot be read.
pub(super) fn glance(path: &Path) -> Result<Manifest, PluginError> {
    let file = std::fs::File::open(path).map_err(|source| PluginError::Read {
        path: path.into(),
        source,
    })?;
    manifest_in(path, &ReadCache::new(file))
}

fn manifest_in<'a, R: ReadRef<'a>>(path: &Path, bytes: R) -> Result<Manifest, PluginError> {
    let not_a_library = |reason| PluginError::NotALibrary {
        path: path.into(),
        reason,
    };
    let (header, endian) = header(bytes).map_err(not_a_library)?;
    let json = section(header, endian, bytes).map_err(not_a_library)?;
    let no_manifest = |reason: String| PluginError::NoManifest {
        path: path.into(),
        reason,
    };
    let json =
        json.ok_or_else(|| no_manifest(format!("it has no section {}", manifest::SECTION)))?;
    if json.len() > MAX_MANIFEST_BYTES {
        return Err(no_manifest(format!("it has {} bytes", json.len())));
    }
    let manifest: Manifest =
        serde_json::from_slice(json).map_err(|error| no_manifest(error.to_string()))?;
    if !is_id(&manifest.id) {
        return Err(no_manifest(format!(
            "its id {:?} is not reverse-DNS, for example org.example.my-plugin",
            manifest.id
        )));
    }
    if manifest.extensions.len() > MAX_EXTENSIONS
        || !manifest.extensions.iter().all(|id| is_extension(id))
    {
        return Err(no_manifest(
            "its extensions are no ids such as eyemap.color/1".into(),
        ));
    }
    Ok(manifest)
}

fn section<'a, R: ReadRef<'a>>(
    header: &Header,
    endian: Endianness,
    bytes: R,
) -> Result<Option<&'a [u8]>, String> {
    let damaged = |_| "it is truncated: its section table lies outside the file".to_owned();
    let sections = header.sections(endian, bytes).map_err(damaged)?;
    let found = sections.section_by_name(endian, manifest::SECTION.as_bytes());
    found
        .map(|(_, section)| section.data(endian, bytes).map_err(damaged))
        .transpose()
}

/// Ids end up in messages, TOML and reports, so only plain letters are taken.
pub fn is_id(id: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    id.len() <= 200 && id.contains('.') && id.split('.').all(plain)
}

/// `eyemap.color/1`: a name and a number. What has no number may mean something else, `in-process` in a lock.
fn is_extension(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let parts = id.rsplit_once('/');
    id.len() <= 100
        && parts.is_some_and(|(name, number)| {
            !name.is_empty() && name.bytes().all(plain) && number.parse::<u32>().is_ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        check(Path::new("x.so"), bytes)
            .expect_err("refused")
            .to_string()
    }

    #[test]
    fn text_an_empty_file_and_a_bare_header_are_refused() {
        assert!(refusal(b"").ends_with("it is empty"));
        assert!(refusal(b"#!/bin/sh\n").ends_with("it is not an ELF file"));
        assert!(refusal(b"\x7fELF\x02\x01\x01").contains("truncated"));
    }

    #[test]
    fn ids_are_plain_reverse_dns() {
        assert!(is_id("org.eyemap.binned-color"));
        for bad in [
            "",
            "binned",
            "org..x",
            "org.e\u{1b}[31m",
            "org.a b",
            "a/b.c",
        ] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
