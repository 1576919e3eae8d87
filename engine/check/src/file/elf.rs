//! What the checks ask of an ELF file.

use object::{
    Endianness,
    elf::{self, FileHeader64},
    read::elf::{
        DynamicTable, FileHeader as _, ProgramHeader as _, SectionHeader as _, SectionTable,
        Sym as _, SymbolTable,
    },
};

type Header = FileHeader64<Endianness>;
type Segment = elf::ProgramHeader64<Endianness>;

/// A 64-bit ELF file for any processor, whose tables lie inside of it.
pub(super) struct Library<'a> {
    pub(super) header: &'a Header,
    pub(super) endian: Endianness,
    pub(super) segments: &'a [Segment],
    bytes: &'a [u8],
    sections: SectionTable<'a, Header>,
    dynamic: DynamicTable<'a, Header>,
    symbols: SymbolTable<'a, Header>,
}

/// A range of the file that becomes memory.
pub(super) struct Range {
    pub(super) offset: u64,
    pub(super) in_file_bytes: u64,
    pub(super) in_memory_bytes: u64,
    pub(super) is_loaded: bool,
    /// Whether its place in the file and its address agree as the loader demands.
    pub(super) is_aligned: bool,
}

/// A symbol that other libraries provide or use.
pub(super) struct Symbol<'a> {
    pub(super) name: &'a [u8],
    /// Whether this library provides it to others.
    pub(super) is_exported: bool,
    /// Version of the library that provides it, `GLIBC_2.34`.
    pub(super) version: Option<&'a [u8]>,
}

impl<'a> Library<'a> {
    /// Reads all tables.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, String> {
        if !bytes.starts_with(&elf::ELFMAG) {
            return Err("it is no ELF file".into());
        }
        let header = Header::parse(bytes)
            .map_err(|_| "its header is no whole header of a 64-bit ELF file".to_owned())?;
        let endian = header.endian().map_err(|error| error.to_string())?;
        let damaged = |what: &'static str| {
            move |error| format!("its {what} cannot be read, it is truncated or damaged: {error}")
        };
        let segments = header
            .program_headers(endian, bytes)
            .map_err(damaged("table of segments"))?;
        let sections = header
            .sections(endian, bytes)
            .map_err(damaged("table of sections"))?;
        Ok(Self {
            header,
            endian,
            segments,
            bytes,
            dynamic: sections
                .dynamic_table(endian, bytes)
                .map_err(damaged("dynamic section"))?,
            symbols: sections
                .symbols(endian, bytes, elf::SHT_DYNSYM)
                .map_err(damaged("table of dynamic symbols"))?,
            sections,
        })
    }

    /// Whether it is a shared library, and not a program or an object file.
    pub(super) fn is_shared(&self) -> bool {
        self.header.e_type(self.endian) == elf::ET_DYN && !self.dynamic.is_empty()
    }

    pub(super) fn ranges(&self) -> impl Iterator<Item = Range> {
        let endian = self.endian;
        self.segments.iter().map(move |segment| {
            let (offset, address) = (segment.p_offset(endian), segment.p_vaddr(endian));
            let align = segment.p_align(endian).max(1);
            Range {
                offset,
                in_file_bytes: segment.p_filesz(endian),
                in_memory_bytes: segment.p_memsz(endian),
                is_loaded: segment.p_type(endian) == elf::PT_LOAD,
                is_aligned: offset % align == address % align,
            }
        })
    }

    /// Names of the libraries that the loader loads with it.
    pub(super) fn needed(&self) -> Result<Vec<String>, String> {
        let mut names = Vec::new();
        for entry in self.dynamic.iter() {
            if entry.tag == elf::DT_NEEDED {
                let name = self.dynamic.string(entry).map_err(|e| e.to_string())?;
                names.push(String::from_utf8_lossy(name).into_owned());
            }
        }
        Ok(names)
    }

    /// The value of a dynamic entry, if it is there.
    pub(super) fn entry(&self, tag: elf::DynamicTag) -> Option<u64> {
        self.dynamic
            .iter()
            .find(|entry| entry.tag == tag)
            .map(|entry| entry.val)
    }

    /// The contents of a section.
    ///
    /// # Errors
    /// When it lies outside of the file.
    pub(super) fn section(&self, name: &str) -> Result<Option<&'a [u8]>, String> {
        let found = self.sections.section_by_name(self.endian, name.as_bytes());
        let data = found.map(|(_, section)| section.data(self.endian, self.bytes));
        data.transpose()
            .map_err(|_| format!("its section {name} lies outside of the file"))
    }

    pub(super) fn symbols(&self) -> Result<Vec<Symbol<'a>>, String> {
        let endian = self.endian;
        let damaged = |error: object::Error| format!("its symbols cannot be read: {error}");
        let versions = self
            .sections
            .versions(endian, self.bytes)
            .map_err(damaged)?;
        let mut all = Vec::new();
        for (index, symbol) in self.symbols.enumerate().skip(1) {
            let version = match &versions {
                Some(versions) => versions
                    .version(versions.version_index(endian, index).index())
                    .map_err(damaged)?,
                None => None,
            };
            let visible = matches!(
                symbol.st_visibility(),
                elf::STV_DEFAULT | elf::STV_PROTECTED
            );
            all.push(Symbol {
                name: symbol
                    .name(endian, self.symbols.strings())
                    .map_err(damaged)?,
                is_exported: !symbol.is_undefined(endian) && !symbol.is_local() && visible,
                version: version.map(|version| version.name()),
            });
        }
        Ok(all)
    }
}
