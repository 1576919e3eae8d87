//! Files that people hand over by mistake: what each is, and how to make a table of it.
//!
//! Bytes decide. The ending of the name is looked at only where the bytes are nothing that we know.

use std::path::Path;

use super::{error::clean, spool::Spooled};

/// What a table can be, in words.
pub(super) const TABLES: &str =
    "a table is CSV (also .csv.gz), Parquet, or Arrow IPC / Feather version 2";

/// A file that is no table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Foreign {
    /// What it is, with its article.
    pub(super) name: &'static str,
    /// What to do about it.
    pub(super) help: String,
}

/// Formats by their first bytes.
const BY_BYTES: [(&[u8], Kind); 21] = [
    (b"PK\x03\x04", Kind::Zip),
    (b"PK\x05\x06", Kind::Zip),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind::Excel),
    (b"\xff\xfe", Kind::Utf16),
    (b"\xfe\xff", Kind::Utf16),
    (b"BZh", Kind::Bzip2),
    (b"\xfd7zXZ\0", Kind::Xz),
    (b"\x28\xb5\x2f\xfd", Kind::Zstd),
    (b"7z\xbc\xaf\x27\x1c", Kind::SevenZip),
    (b"\x89HDF", Kind::Hdf5),
    (b"SQLite format 3\0", Kind::Sqlite),
    (b"FEA1", Kind::Feather1),
    (b"\x93NUMPY", Kind::Numpy),
    (b"\x89PNG", Kind::Other("a PNG picture")),
    (b"\xff\xd8\xff", Kind::Other("a JPEG picture")),
    (b"\x7fELF", Kind::Other("a program (ELF)")),
    (b"MZ\x90", Kind::Other("a program (PE)")),
    (b"%PDF", Kind::Other("a PDF document")),
    (b"<!DOCTYPE", Kind::Other("a web page (HTML)")),
    (b"<html", Kind::Other("a web page (HTML)")),
    (b"<?xml", Kind::Other("an XML document")),
];

/// Formats by the ending of the name.
const BY_ENDING: [(&str, Kind); 14] = [
    ("xlsx", Kind::Excel),
    ("xlsm", Kind::Excel),
    ("xls", Kind::Excel),
    ("ods", Kind::OpenDocument),
    ("zip", Kind::Zip),
    ("bz2", Kind::Bzip2),
    ("xz", Kind::Xz),
    ("zst", Kind::Zstd),
    ("7z", Kind::SevenZip),
    ("json", Kind::Json),
    ("jsonl", Kind::Json),
    ("ndjson", Kind::Json),
    ("h5", Kind::Hdf5),
    ("npy", Kind::Numpy),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Excel,
    OpenDocument,
    Zip,
    Bzip2,
    Xz,
    Zstd,
    SevenZip,
    Utf16,
    Json,
    Hdf5,
    Sqlite,
    Feather1,
    Numpy,
    Other(&'static str),
}

/// What is in a file that was compressed with gzip, by its first bytes.
pub(super) fn in_gzip(path: &Path, first: &[u8]) -> Option<Foreign> {
    let file = shell_word(path);
    let foreign = by_bytes(Path::new(""), first)?;
    let help = match foreign.name == Kind::Utf16.name() {
        true => format!(
            "save it as UTF-8, or: gzip -dc {file} | iconv -f UTF-16 -t UTF-8 | eyemap render - -o maps"
        ),
        false if foreign.help == TABLES => TABLES.into(),
        false => format!(
            "unpack it with gzip -d {file} first; then, {}",
            foreign.help
        ),
    };
    Some(Foreign { help, ..foreign })
}

/// What a file is whose first bytes are `first`, if it is known and no table.
pub(super) fn by_bytes(path: &Path, first: &[u8]) -> Option<Foreign> {
    let magic = BY_BYTES.iter().find(|(magic, _)| first.starts_with(magic));
    let kind = match magic {
        Some((_, Kind::Zip)) => Some(in_zip(path, first)),
        Some((_, kind)) => Some(*kind),
        None if is_json(first) => Some(Kind::Json),
        None if is_bare_utf16(first) => Some(Kind::Utf16),
        None => None,
    };
    kind.map(|kind| kind.foreign(path))
}

/// What a file seems to be by its name.
pub(super) fn by_ending(path: &Path) -> Option<Foreign> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    let (_, kind) = BY_ENDING.iter().find(|(known, _)| *known == ending)?;
    Some(kind.foreign(path))
}

/// Spreadsheets are ZIP archives: the name of the first file in them tells.
fn in_zip(path: &Path, first: &[u8]) -> Kind {
    let length = first
        .get(26..28)
        .map_or(0, |b| usize::from(b[0]) | usize::from(b[1]) << 8);
    let name = first.get(30..30 + length).unwrap_or_default();
    let office: [&[u8]; 4] = [b"[Content_Types].xml", b"_rels/", b"docProps/", b"xl/"];
    let by_name = BY_ENDING.iter().find(|(ending, _)| {
        let actual = path.extension().and_then(|actual| actual.to_str());
        actual.is_some_and(|actual| actual.eq_ignore_ascii_case(ending))
    });
    match by_name {
        Some((_, kind @ (Kind::Excel | Kind::OpenDocument))) => *kind,
        _ if office.iter().any(|part| name.starts_with(part)) => Kind::Excel,
        _ if name == b"mimetype" => Kind::OpenDocument,
        _ => Kind::Zip,
    }
}

/// An object or a list of objects or lists; `[` alone begins headers that some databases write.
fn is_json(first: &[u8]) -> bool {
    let first = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first);
    let mut marks = first.iter().filter(|byte| !byte.is_ascii_whitespace());
    let first = (marks.next(), marks.next());
    matches!(
        first,
        (Some(b'{'), Some(b'"' | b'}')) | (Some(b'['), Some(b'{' | b'[' | b']'))
    )
}

/// Latin letters in UTF-16 have a NUL beside each.
fn is_bare_utf16(first: &[u8]) -> bool {
    let head = &first[..first.len().min(64) & !1];
    let nul = |at: usize| head.chunks_exact(2).filter(|pair| pair[at] == 0).count();
    let pairs = head.len() / 2;
    pairs >= 4 && (nul(0) == pairs && nul(1) == 0 || nul(1) == pairs && nul(0) == 0)
}

impl Kind {
    fn foreign(self, path: &Path) -> Foreign {
        Foreign {
            name: self.name(),
            help: self.help(path),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Excel => "an Excel spreadsheet",
            Self::OpenDocument => "an OpenDocument spreadsheet",
            Self::Zip => "a ZIP archive",
            Self::Bzip2 => "compressed with bzip2",
            Self::Xz => "compressed with xz",
            Self::Zstd => "compressed with zstd",
            Self::SevenZip => "a 7-Zip archive",
            Self::Utf16 => "UTF-16 text",
            Self::Json => "JSON",
            Self::Hdf5 => "an HDF5 file",
            Self::Sqlite => "an SQLite database",
            Self::Feather1 => "a Feather version 1 file",
            Self::Numpy => "a NumPy array",
            Self::Other(name) => name,
        }
    }

    fn help(self, path: &Path) -> String {
        let file = shell_word(path);
        let pandas = |read: &str| {
            format!(
                "write it as CSV, in Python: pandas.{read}(FILE).to_csv(\"table.csv\", index=False)"
            )
        };
        match self {
            Self::Excel => format!(
                "save the sheet as CSV (in Excel: Save As, CSV UTF-8), or in Python: {}",
                "pandas.read_excel(FILE).to_csv(\"table.csv\", index=False)"
            ),
            Self::OpenDocument => {
                "save the sheet as CSV in UTF-8 (in LibreOffice: Save As, Text CSV)".into()
            }
            Self::Zip => format!("unpack it: unzip {file}"),
            Self::Bzip2 => format!("unpack it: bzip2 -dc {file} | eyemap render - -o maps"),
            Self::Xz => format!("unpack it: xz -dc {file} | eyemap render - -o maps"),
            Self::Zstd => format!("unpack it: zstd -dc {file} | eyemap render - -o maps"),
            Self::SevenZip => format!("unpack it: 7z x {file}"),
            Self::Utf16 => format!(
                "save it as UTF-8, or: iconv -f UTF-16 -t UTF-8 {file} | eyemap render - -o maps"
            ),
            Self::Json => pandas("read_json"),
            Self::Hdf5 => pandas("read_hdf"),
            Self::Feather1 => pandas("read_feather"),
            Self::Sqlite => {
                "write the rows as CSV: sqlite3 -header -csv FILE \"select * from ...\"".into()
            }
            Self::Numpy => "write it as CSV with a line of column names".into(),
            Self::Other(_) => TABLES.into(),
        }
    }
}

/// A path as a shell takes it, so that a line of help can be pasted; `FILE` where there is none, as of a
/// table that came through a pipe.
fn shell_word(path: &Path) -> String {
    let text = clean(&path.to_string_lossy());
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_' | b'-' | b'+');
    let is_named = !text.is_empty() && !Spooled::is_one(path);
    match is_named && text.bytes().all(plain) && !text.starts_with('-') {
        true => text,
        false => "FILE".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(path: &str, first: &[u8]) -> Option<&'static str> {
        by_bytes(Path::new(path), first).map(|foreign| foreign.name)
    }

    #[test]
    fn json_is_told_from_headers_with_brackets() {
        for json in ["{\"a\": 1}", " [\n {}]", "[[1, 2]]", "\u{feff}{}", "[]"] {
            assert_eq!(name("x", json.as_bytes()), Some("JSON"), "{json}");
        }
        for header in ["[cell_type],[region]", "{cell},b", "a,{\"b\"}", ""] {
            assert_eq!(name("x", header.as_bytes()), None, "{header}");
        }
    }

    #[test]
    fn an_archive_is_told_from_a_spreadsheet() {
        let zip = |name: &str| {
            let mut bytes = b"PK\x03\x04".to_vec();
            bytes.resize(26, 0);
            bytes.extend([name.len() as u8, 0, 0, 0]);
            bytes.extend(name.as_bytes());
            bytes
        };
        let excel = Some("an Excel spreadsheet");
        assert_eq!(name("x", &zip("[Content_Types].xml")), excel);
        assert_eq!(name("x.XLSX", &zip("whatever")), excel);
        assert_eq!(
            name("x", &zip("mimetype")),
            Some("an OpenDocument spreadsheet")
        );
        assert_eq!(name("x.csv", &zip("cells.csv")), Some("a ZIP archive"));
        assert_eq!(name("x", b"PK\x03\x04"), Some("a ZIP archive"));
    }

    #[test]
    fn text_in_utf_16_needs_no_mark_to_be_known() {
        let wide = |text: &str, big: bool| -> Vec<u8> {
            let units = text.encode_utf16();
            units
                .flat_map(|unit| {
                    if big {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                })
                .collect()
        };
        for big in [true, false] {
            assert_eq!(
                name("x", &wide("cell_type,region", big)),
                Some("UTF-16 text")
            );
        }
        assert_eq!(name("x", b"a\0b\0c\0\0\0"), None);
    }

    #[test]
    fn a_path_that_a_shell_would_read_otherwise_is_not_repeated() {
        let help = |path: &str| by_bytes(Path::new(path), b"BZh9").map(|foreign| foreign.help);
        let with = |file: &str| {
            Some(format!(
                "unpack it: bzip2 -dc {file} | eyemap render - -o maps"
            ))
        };
        assert_eq!(help("data/x.csv.bz2"), with("data/x.csv.bz2"));
        assert_eq!(help("a b.bz2"), with("FILE"));
        assert_eq!(help("$(x).bz2"), with("FILE"));
        assert_eq!(help("-x.bz2"), with("FILE"));
        assert_eq!(help("/proc/self/fd/7"), with("FILE"));
    }

    #[test]
    fn what_is_in_a_gzip_is_unpacked_before_it_is_translated() {
        let help = |first: &[u8]| in_gzip(Path::new("t.csv.gz"), first).map(|foreign| foreign.help);
        assert_eq!(
            help(b"\xff\xfea\0").as_deref(),
            Some(
                "save it as UTF-8, or: gzip -dc t.csv.gz | iconv -f UTF-16 -t UTF-8 | eyemap render - -o maps"
            )
        );
        let packed = help(b"BZh9").unwrap_or_default();
        assert!(
            packed.starts_with(
                "unpack it with gzip -d t.csv.gz first; then, unpack it: bzip2 -dc FILE"
            ),
            "{packed}"
        );
    }
}
