//! `index.html`: static thumbnails that link to the maps, so that a run can be looked at.
//!
//! Plain HTML without a script; pictures load as they are scrolled to.

use std::{collections::BTreeMap, fmt::Write as _};

use eyemap_abi::job::Side;

use crate::{
    draw::Format,
    manifest::{Entry, Manifest, Status},
};

/// Name of the page in the output directory.
pub const INDEX_FILE: &str = "index.html";

const STYLE: &str = "body{font:15px/1.4 system-ui,sans-serif;margin:1.5rem;color:#222}\
h1{font-size:1.3rem}h2{font-size:1.05rem;margin:1.5rem 0 .4rem;border-bottom:1px solid #ddd}\
ul{display:flex;flex-wrap:wrap;gap:.8rem;list-style:none;padding:0;margin:0}\
a{color:inherit;text-decoration:none}a:focus-visible,a:hover{outline:2px solid #a50f15}\
li{font-size:.8rem;text-align:center}img{display:block;width:190px;height:205px;object-fit:contain}\
.failed{width:190px;color:#a50f15;text-align:left}";

/// Entries of one map.
type Formats<'a> = BTreeMap<Format, &'a Entry>;

/// The page for all maps of a manifest.
pub fn page(manifest: &Manifest) -> String {
    let mut types: BTreeMap<&str, BTreeMap<(&str, Side, &str), Formats<'_>>> = BTreeMap::new();
    for (key, entry) in &manifest.entries {
        let maps = types.entry(&key.cell_type).or_default();
        maps.entry((&key.region, key.side, &key.metric))
            .or_default()
            .insert(key.format, entry);
    }
    let maps: usize = types.values().map(BTreeMap::len).sum();
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Eyemaps</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>{maps} eyemaps of {} cell types</h1>\n",
        types.len()
    );
    for (cell_type, maps) in types {
        // Writing into a String cannot fail.
        let _ = writeln!(page, "<h2>{}</h2>\n<ul>", escape(cell_type));
        for ((region, side, metric), formats) in maps {
            let name = format!("{region} ({}) {metric}", side.letter());
            page.push_str(&item(&format!("{cell_type}, {name}"), &name, &formats));
        }
        page.push_str("</ul>\n");
    }
    page.push_str("</body>\n</html>\n");
    page
}

fn item(alt: &str, name: &str, formats: &Formats<'_>) -> String {
    let first = formats.values().find(|entry| entry.error.is_none());
    let error = formats.values().find_map(|entry| entry.error.as_ref());
    if let (None, Some(error)) = (first, error) {
        return format!(
            "<li class=\"failed\">{}: {}</li>\n",
            escape(name),
            escape(error)
        );
    }
    let link = first.map_or("", |entry| entry.path.as_str());
    let thumbnail = [Format::SvgStatic, Format::Png, Format::Svg];
    let picture = thumbnail
        .iter()
        .find_map(|format| formats.get(format).filter(|entry| entry.error.is_none()));
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
    use super::*;
    use crate::manifest::Key;

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
            key: key.clone(),
            path: "ME_L/cells/R1%26R6%3Cscript%3E~3.svg".into(),
            bytes: 1,
            fingerprint: String::new(),
            status: Status::Blank,
            error: None,
        };
        let page = page(&Manifest {
            entries: [(key, entry)].into(),
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
