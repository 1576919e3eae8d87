//! What a program or library needs of the machine that it runs on, read from its dynamic section.

use std::{collections::BTreeSet, fmt};

use object::{
    Endianness,
    elf::{DT_NEEDED, FileHeader64},
    read::elf::{Dyn as _, FileHeader as _, SectionTable},
};

/// Libraries that come with glibc and the compiler of every distribution.
const SYSTEM: [&str; 7] = [
    "ld-linux",
    "libc.so",
    "libdl.so",
    "libgcc_s.so",
    "libm.so",
    "libpthread.so",
    "librt.so",
];

/// A version of glibc, `2.34`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Glibc {
    major: u32,
    minor: u32,
}

impl Glibc {
    /// Of a symbol version such as `GLIBC_2.2.5`; others, as `GCC_3.0` and `GLIBC_PRIVATE`, say nothing.
    fn of(version: &str) -> Option<Self> {
        let mut numbers = version.strip_prefix("GLIBC_")?.split('.').map(str::parse);
        let (major, minor) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        Some(Self { major, minor })
    }
}

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// What a file needs.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// The oldest glibc that has all its symbols.
    pub(crate) glibc: Glibc,
    /// Shared libraries, by the name that the loader looks for.
    pub(crate) libraries: BTreeSet<String>,
}

impl Needs {
    /// Libraries that a machine may not have.
    pub(crate) fn foreign_libraries(&self) -> Vec<&str> {
        let is_system = |name: &str| SYSTEM.iter().any(|start| name.starts_with(start));
        let all = self.libraries.iter().map(String::as_str);
        all.filter(|name| !is_system(name)).collect()
    }
}

type Header = FileHeader64<Endianness>;

/// What a file needs.
pub(crate) fn of(bytes: &[u8]) -> Result<Needs, String> {
    read(bytes).map_err(|error| format!("it is no 64-bit ELF file that can be read: {error}"))
}

fn read(bytes: &[u8]) -> object::read::Result<Needs> {
    let header = Header::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    Ok(Needs {
        glibc: glibc(&sections, endian, bytes)?,
        libraries: libraries(&sections, endian, bytes)?,
    })
}

/// The newest version among the symbols that are looked for in glibc.
fn glibc(
    sections: &SectionTable<'_, Header>,
    endian: Endianness,
    bytes: &[u8],
) -> object::read::Result<Glibc> {
    let mut newest = Glibc::default();
    let Some((mut libraries, link)) = sections.gnu_verneed(endian, bytes)? else {
        return Ok(newest);
    };
    let strings = sections.strings(endian, bytes, link)?;
    while let Some((_, mut versions)) = libraries.next()? {
        while let Some(version) = versions.next()? {
            let name = String::from_utf8_lossy(version.name(endian, strings)?);
            newest = newest.max(Glibc::of(&name).unwrap_or_default());
        }
    }
    Ok(newest)
}

fn libraries(
    sections: &SectionTable<'_, Header>,
    endian: Endianness,
    bytes: &[u8],
) -> object::read::Result<BTreeSet<String>> {
    let Some((entries, link)) = sections.dynamic(endian, bytes)? else {
        return Ok(BTreeSet::new());
    };
    let strings = sections.strings(endian, bytes, link)?;
    let needed = entries
        .iter()
        .filter(|entry| entry.tag(endian) == DT_NEEDED);
    needed
        .map(|entry| Ok(String::from_utf8_lossy(entry.string(endian, strings)?).into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let version = |text: &str| Glibc::of(text).map(|glibc| glibc.to_string());
        assert_eq!(version("GLIBC_2.2.5").as_deref(), Some("2.2"));
        assert_eq!(version("GLIBC_2.34").as_deref(), Some("2.34"));
        for other in ["GCC_3.0", "GLIBC_PRIVATE", "GLIBC_2", ""] {
            assert_eq!(version(other), None, "{other}");
        }
        assert!(Glibc::of("GLIBC_2.4") < Glibc::of("GLIBC_2.17"));
    }

    #[test]
    fn a_program_needs_the_c_library_and_nothing_foreign() {
        let this = std::env::current_exe().expect("a program");
        let needs = of(&std::fs::read(this).expect("a file")).expect("an ELF file");
        assert!(needs.libraries.contains("libc.so.6"), "{needs:?}");
        assert!(needs.glibc >= Glibc { major: 2, minor: 2 }, "{needs:?}");
        assert_eq!(needs.foreign_libraries(), [""; 0]);
        let needs = Needs {
            libraries: ["libc.so.6".into(), "libstd-1234.so".into()].into(),
            ..needs
        };
        assert_eq!(needs.foreign_libraries(), ["libstd-1234.so"]);
        assert!(of(b"#!/bin/sh").is_err());
    }
}
