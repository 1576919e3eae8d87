//! The report of `eyemap verify`: one page in which people look at what changed and decide.
//!
//! The page needs no network and no other file. Names and texts come from tables and plugins, so all
//! of them are escaped, and a policy lets nothing run but the page's one script. Pictures are data
//! that the script shows as images: what is in them never runs. Findings are data too, and the list
//! draws only the rows that are seen, so that ten thousand of them are as quick as ten.
//!
//! The page accepts nothing: it writes `accept.json`, see [`Decisions`](super::Decisions).

mod head;
mod island;
mod pictures;

use std::io::{self, Write};

use super::{Finding, Findings, causes};
use crate::draw::{hash_source, xml};
use pictures::Embedded;

const STYLE: &str = include_str!("page/page.css");
const BODY: &str = include_str!("page/page.html");

/// One script, in the order in which its parts need each other.
const SCRIPT: &str = concat!(
    "\"use strict\";(()=>{\n",
    include_str!("page/text.js"),
    include_str!("page/decisions.js"),
    include_str!("page/picture.js"),
    include_str!("page/viewer.js"),
    include_str!("page/list.js"),
    include_str!("page/page.js"),
    "})();\n"
);

/// Which picture of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The approved one, [`Finding::reference`].
    Approved,
    /// The new one, [`Finding::pending`].
    New,
}

impl Which {
    /// Both, in the order in which they are shown.
    pub const BOTH: [Self; 2] = [Self::Approved, Self::New];

    const fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::New => "new",
        }
    }
}

/// Gives the bytes of a picture; none if it is not there. It is asked only for pictures that the
/// finding names, one after the other, and for no more than the page holds. An error is told in the
/// page, in the picture's place.
pub type Pictures<'a> = dyn Fn(&Finding, Which) -> io::Result<Option<Vec<u8>>> + 'a;

/// What a page holds.
#[derive(Debug, Clone, PartialEq)]
pub struct PageOptions {
    /// What was compared, in words, below the head: a configuration, a directory. Default: empty.
    pub subject: String,
    /// At most so many pictures; each finding has up to two. Default: 200.
    pub most_pictures: usize,
    /// At most so many bytes of pictures, as they are in the page. Default: 64 MiB.
    pub most_bytes: u64,
    /// Pixels of a PNG for each px of the canvas, as in
    /// [`DrawOptions`](crate::draw::DrawOptions): changed hexagons are outlined with it. Default: 1.
    pub png_scale: f64,
}

impl Default for PageOptions {
    fn default() -> Self {
        Self {
            subject: String::new(),
            most_pictures: 200,
            most_bytes: 64 << 20,
            png_scale: 1.0,
        }
    }
}

/// Writes the page of a report. Each cause gets its first pictures before any gets its second; of
/// what has no picture in the page the first differences are listed, and why there is none. No more
/// than the two pictures of one finding are held at a time. The bytes depend on the arguments alone.
///
/// # Errors
/// When the page cannot be written. A picture that cannot be read is no error.
pub fn write_page(
    out: &mut dyn Write,
    findings: &Findings,
    pictures: &Pictures<'_>,
    options: &PageOptions,
) -> io::Result<()> {
    let causes = causes(&findings.findings);
    open(out, findings, options)?;
    if !findings.is_clean() {
        out.write_all(BODY.as_bytes())?;
        let mut embedded = Embedded::new(&findings.findings, options);
        embedded.write(out, &causes, pictures)?;
        island::write(out, findings, &causes, &embedded, options)?;
        writeln!(out, "<script>{SCRIPT}</script>")?;
    }
    let engine = xml(&findings.engine);
    writeln!(out, "<footer>eyemap {engine}</footer>\n</body>\n</html>")
}

fn open(out: &mut dyn Write, findings: &Findings, options: &PageOptions) -> io::Result<()> {
    let sentence = head::sentence(findings);
    writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>",
        hash_source(SCRIPT),
        hash_source(STYLE),
        xml(&sentence)
    )?;
    out.write_all(head::head(findings, &sentence, &options.subject).as_bytes())
}

#[cfg(test)]
mod tests;
