//! `index.html`: static thumbnails that link to the maps, so that a run can be looked at.
//!
//! Plain HTML without a script; pictures load as they are scrolled to.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use crate::{
    draw::Format,
    manifest::{Counts, Entries, Entry, Key, Listed, Manifest, ManifestError, Status},
    sink::Pending,
};

/// Name of the page in the output directory.
pub const INDEX_FILE: &str = "index.html";

const STYLE: &str = "body{font:15px/1.4 system-ui,sans-serif;margin:1.5rem;color:#222}\
h1{font-size:1.3rem}h2{font-size:1.05rem;margin:1.5rem 0 .4rem;border-bottom:1px solid #ddd}\
ul{display:flex;flex-wrap:wrap;gap:.8rem;list-style:none;padding:0;margin:0}\
a{color:inherit;text-decoration:none}a:focus-visible,a:hover{outline:2px solid #a50f15}\
li{font-size:.8rem;text-align:center}img{display:block;width:190px;height:205px;object-fit:contain}\
.failed{width:190px;color:#a50f15;text-align:left}";

/// Entries of one map, rising by format.
type Formats = BTreeMap<Format, Entry>;

/// Writes the page for all maps of a manifest into its directory, map by map.
///
/// # Errors
/// When the manifest cannot be read or the page cannot be written.
pub fn publish(listed: &Listed<'_>) -> Result<(), ManifestError> {
    let path = listed.dir.path().join(INDEX_FILE);
    let failed = |source| ManifestError::Io {
        path: path.clone(),
        source,
    };
    let mut page = Pending::begin(listed.scratch, INDEX_FILE).map_err(failed)?;
    let entries = Entries::open(listed.dir)?.into_iter().flatten();
    write(&mut page, listed.counts, entries, &failed)?;
    let done = page.finish().and_then(Pending::publish);
    done.map(drop).map_err(failed)
}

/// The page of a manifest that is held as a whole.
pub fn page(manifest: &Manifest) -> String {
    let failed = |source| ManifestError::Io {
        path: INDEX_FILE.into(),
        source,
    };
    let entries = || manifest.entries.values();
    let counts = Counts::of(entries().map(|entry| &entry.key));
    let mut page = Vec::new();
    // Writing into memory cannot fail.
    let _ = write(&mut page, counts, entries().cloned().map(Ok), &failed);
    String::from_utf8_lossy(&page).into_owned()
}

/// Writes the page of entries that rise by key.
fn write(
    page: &mut impl Write,
    counts: Counts,
    entries: impl Iterator<Item = Result<Entry, ManifestError>>,
    failed: &impl Fn(io::Error) -> ManifestError,
) -> Result<(), ManifestError> {
    let head = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Eyemaps</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>{} eyemaps of {} cell types</h1>\n",
        counts.maps, counts.cell_types
    );
    page.write_all(head.as_bytes()).map_err(failed)?;
    let mut formats = Formats::new();
    let mut last: Option<Key> = None;
    for entry in entries {
        let entry = entry?;
        if formats
            .values()
            .next()
            .is_some_and(|one| !one.key.is_same_map(&entry.key))
        {
            write_map(page, last.as_ref(), &formats).map_err(failed)?;
            last = formats.pop_first().map(|(_, entry)| entry.key);
            formats.clear();
        }
        formats.insert(entry.key.format, entry);
    }
    write_map(page, last.as_ref(), &formats).map_err(failed)?;
    let end = if counts.maps > 0 { "</ul>\n" } else { "" };
    write!(page, "{end}</body>\n</html>\n").map_err(failed)
}

/// Writes a map; the first one of a cell type comes after its heading.
fn write_map(page: &mut impl Write, last: Option<&Key>, formats: &Formats) -> io::Result<()> {
    let Some(Key {
        cell_type,
        region,
        side,
        metric,
        ..
    }) = formats.values().next().map(|entry| &entry.key)
    else {
        return Ok(());
    };
    if last.is_none_or(|last| last.cell_type != *cell_type) {
        let end = if last.is_some() { "</ul>\n" } else { "" };
        writeln!(page, "{end}<h2>{}</h2>\n<ul>", escape(cell_type))?;
    }
    let name = format!("{region} ({}) {metric}", side.letter());
    page.write_all(item(&format!("{cell_type}, {name}"), &name, formats).as_bytes())
}

fn item(alt: &str, name: &str, formats: &Formats) -> String {
    let first = formats.values().find(|entry| entry.error.is_none());
    let error = formats.values().find_map(|entry| entry.error.as_ref());
    if let (None, Some(error)) = (first, error) {
        return format!(
            "<li class=\"failed\">{}: {}</li>\n",
            escape(name),
            escape(error)
        );
    }
    let link = first.map_or("", Entry::file);
    let thumbnail = [Format::SvgStatic, Format::Png, Format::Svg];
    let picture = thumbnail
        .iter()
        .find_map(|format| formats.get(format).filter(|entry| entry.error.is_none()))
        // A page cannot show what is in an archive.
        .filter(|entry| entry.archive.is_none());
    let blank = first.is_some_and(|entry| entry.status == Status::Blank);
    let note = if blank { " · blank" } else { "" };
    let picture = picture.map_or_else(String::new, |entry| {
        format!(
            "<img loading=\"lazy\" src=\"{}\" alt=\"{}\" width=\"190\" height=\"205\">",
            url(&entry.path),
            escape(alt)
        )
    });
    format!(
        "<li><a href=\"{}\">{picture}{}{note}</a></li>\n",
        url(link),
        escape(name)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A relative path as a URL. Paths hold no letters beyond those of `name::file_stem`, of which `%`
/// alone means something in a URL.
fn url(path: &str) -> String {
    escape(&path.replace('%', "%25"))
}

#[cfg(test)]
mod tests {
    use eyemap_abi::job::Side;

    use super::*;

    #[test]
    fn hostile_names_are_escaped_and_links_reach_encoded_files() {
        let key = Key {
            cell_type: "R1&R6<script>".into(),
            region: "ME".into(),
            side: Side::Left,
            metric: "cells".into(),
            format: Format::Svg,
        };
        let entry = Entry {
            key,
            path: "ME_L/cells/R1%26R6%3Cscript%3E~3.svg".into(),
            bytes: 1,
            fingerprint: String::new(),
            status: Status::Blank,
            error: None,
            archive: None,
        };
        let page = page(&Manifest {
            entries: [(entry.key.clone(), entry)].into(),
        });
        assert!(page.contains("<h2>R1&amp;R6&lt;script&gt;</h2>"), "{page}");
        assert!(
            page.contains("href=\"ME_L/cells/R1%2526R6%253Cscript%253E~3.svg\""),
            "{page}"
        );
        assert!(page.contains("ME (L) cells · blank"), "{page}");
        assert!(!page.contains("<script"), "{page}");
    }
}
