//! The findings as JSON within the page, for its script.
//!
//! `<` becomes an escape, so that no text can end the element; all else is left to JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::{
    super::{
        Cause, Difference, Finding, Findings, Kind, MapName, PixelDifference, Verdict,
        can_be_accepted,
    },
    PageOptions,
    pictures::Embedded,
};

/// Of a finding without pictures so many differences are in the page: enough to see what it is about.
const BRIEF: usize = 10;

/// What the whole page is about.
#[derive(Serialize)]
struct Whole<'a> {
    manifest: &'a str,
    /// Under which a browser remembers decisions: other findings have another one.
    key: String,
    png_scale: f64,
    causes: Vec<Group<'a>>,
}

#[derive(Serialize)]
struct Group<'a> {
    verdict: Verdict,
    kind: Option<Kind>,
    title: &'a str,
    findings: &'a [usize],
}

impl<'a> Group<'a> {
    fn of(cause: &'a Cause) -> Self {
        Self {
            verdict: cause.verdict,
            kind: cause.kind,
            title: &cause.title,
            findings: &cause.findings,
        }
    }
}

#[derive(Serialize)]
struct Entry<'a> {
    path: &'a str,
    map: Option<&'a MapName>,
    verdict: Verdict,
    message: &'a str,
    can_be_accepted: bool,
    differences: &'a [Difference],
    n_differences: u64,
    pixels: Option<PixelDifference>,
    /// Why the approved and the new picture are not here.
    absences: [Option<&'a str>; 2],
}

/// Writes two islands: what the page is about, and the findings, one a line.
pub(super) fn write(
    out: &mut dyn Write,
    findings: &Findings,
    causes: &[Cause],
    embedded: &Embedded<'_>,
    options: &PageOptions,
) -> io::Result<()> {
    let whole = Whole {
        manifest: &findings.manifest,
        key: key(findings)?,
        png_scale: options.png_scale,
        causes: causes.iter().map(Group::of).collect(),
    };
    out.write_all(b"<script type=\"application/json\" id=\"about\">")?;
    serde_json::to_writer(Inert(out), &whole)?;
    out.write_all(b"</script>\n<script type=\"application/json\" id=\"findings\">[")?;
    for (i, finding) in findings.findings.iter().enumerate() {
        out.write_all(if i == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(Inert(out), &entry(finding, i, embedded))?;
    }
    out.write_all(b"\n]</script>\n")
}

fn entry<'a>(finding: &'a Finding, i: usize, embedded: &'a Embedded<'_>) -> Entry<'a> {
    let most = match embedded.has_any(i) {
        true => finding.differences.len(),
        false => finding.differences.len().min(BRIEF),
    };
    Entry {
        path: &finding.path,
        map: finding.map.as_ref(),
        verdict: finding.verdict,
        message: &finding.message,
        can_be_accepted: can_be_accepted(finding),
        differences: &finding.differences[..most],
        n_differences: finding.n_differences,
        pixels: finding.pixels,
        absences: embedded.absences(i),
    }
}

fn key(findings: &Findings) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    serde_json::to_writer(&mut hasher, findings)?;
    let hash = hasher.finalize().to_hex();
    Ok(format!("eyemap-verify {} {hash}", findings.manifest))
}

/// Passes JSON on with `<` as an escape; outside of strings JSON has none.
struct Inert<'w>(&'w mut dyn Write);

impl Write for Inert<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for (i, part) in bytes.split(|&byte| byte == b'<').enumerate() {
            if i > 0 {
                self.0.write_all(b"\\u003c")?;
            }
            self.0.write_all(part)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
