//! Pictures in the page: which ones, and why the others are not.
//!
//! A picture is a `<script>` of the type of an image: the browser neither runs nor decodes it until the
//! page's script makes it the address of an `<img>`, where scripts of an SVG never run.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use base64::{display::Base64Display, prelude::BASE64_STANDARD};

use super::{
    super::{Cause, Finding, Verdict},
    PageOptions, Pictures, Which,
};
use crate::draw::Format;

/// Why a picture is not in the page; none if it is.
type Absence = Option<Cow<'static, str>>;

/// What became of the pictures of each finding.
pub(super) struct Embedded<'a> {
    findings: &'a [Finding],
    left: usize,
    left_bytes: u64,
    absences: Vec<[Absence; 2]>,
}

impl<'a> Embedded<'a> {
    /// No picture is in the page yet.
    pub(super) fn new(findings: &'a [Finding], options: &PageOptions) -> Self {
        let limit = "The page holds no more pictures; the files have all of them.";
        let absence = |finding: &Finding, which| unnamed(finding, which).unwrap_or(limit);
        let of = |finding| Which::BOTH.map(|which| Some(absence(finding, which).into()));
        Self {
            findings,
            left: options.most_pictures,
            left_bytes: options.most_bytes,
            absences: findings.iter().map(of).collect(),
        }
    }

    /// Why the pictures of a finding are not in the page, the approved and the new one.
    pub(super) fn absences(&self, finding: usize) -> [Option<&str>; 2] {
        let [approved, new] = &self.absences[finding];
        [approved.as_deref(), new.as_deref()]
    }

    /// Whether any picture of a finding is in the page.
    pub(super) fn has_any(&self, finding: usize) -> bool {
        self.absences[finding].iter().any(Option::is_none)
    }

    /// Writes as many pictures as there is room for.
    pub(super) fn write(
        &mut self,
        out: &mut dyn Write,
        causes: &[Cause],
        pictures: &Pictures<'_>,
    ) -> io::Result<()> {
        for i in in_turn(causes) {
            let finding = &self.findings[i];
            let named = Which::BOTH.map(|which| unnamed(finding, which).is_none());
            let wanted = named.into_iter().filter(|&named| named).count();
            if wanted > self.left {
                return Ok(());
            }
            // Counted even if its bytes do not fit, so that no more are read either.
            self.left -= wanted;
            let read = Which::BOTH.map(|which| match named[which as usize] {
                true => Some(read(pictures, finding, which)),
                false => None,
            });
            self.write_pair(out, i, read)?;
        }
        Ok(())
    }

    /// Both or none: one alone would look as if the other were not there.
    fn write_pair(
        &mut self,
        out: &mut dyn Write,
        i: usize,
        pair: [Option<Result<Picture, Cow<'static, str>>>; 2],
    ) -> io::Result<()> {
        let size = |picture: &Picture| (picture.bytes.len() as u64).div_ceil(3) * 4;
        let size = pair.iter().flatten().flatten().map(size).sum::<u64>();
        if size > self.left_bytes {
            return Ok(());
        }
        self.left_bytes -= size;
        for (which, picture) in Which::BOTH.into_iter().zip(pair) {
            let absence = match picture {
                None => continue,
                Some(Err(why)) => Some(why),
                Some(Ok(picture)) => {
                    picture.write(out, i, which)?;
                    None
                }
            };
            self.absences[i][which as usize] = absence;
        }
        Ok(())
    }
}

/// Findings by turns of their causes, so that a large cause does not take the place of the others.
fn in_turn(causes: &[Cause]) -> Vec<usize> {
    let mut turns: Vec<(usize, usize, usize)> = Vec::new();
    for (n, cause) in causes.iter().enumerate() {
        let turn = cause.findings.iter().enumerate();
        turns.extend(turn.map(|(turn, &finding)| (turn, n, finding)));
    }
    turns.sort_unstable();
    turns.into_iter().map(|(_, _, finding)| finding).collect()
}

/// Why a finding names no such picture; none if it does.
fn unnamed(finding: &Finding, which: Which) -> Option<&'static str> {
    if finding.format == Some(Format::Json) {
        return Some("This is a JSON file, not a picture.");
    }
    match (which, finding.verdict) {
        (Which::Approved, _) if finding.reference.is_some() => None,
        (Which::New, _) if finding.pending.is_some() => None,
        (Which::Approved, Verdict::Missing) => Some("There is no approved picture."),
        (Which::Approved, Verdict::Damaged) => Some("The approved picture cannot be used."),
        (Which::Approved, _) => Some("Only hashes of the approved picture are kept."),
        (Which::New, Verdict::Orphaned) => Some("Nothing draws it any more."),
        (Which::New, Verdict::Failed) => Some("It could not be drawn."),
        (Which::New, _) => Some("The new picture was not kept."),
    }
}

struct Picture {
    kind: &'static str,
    bytes: Vec<u8>,
}

fn read(
    pictures: &Pictures<'_>,
    finding: &Finding,
    which: Which,
) -> Result<Picture, Cow<'static, str>> {
    let name = match which {
        Which::Approved => &finding.reference,
        Which::New => &finding.pending,
    };
    let name = name.as_deref().unwrap_or(&finding.path);
    let bytes =
        pictures(finding, which).map_err(|error| format!("{name} cannot be read: {error}"))?;
    let bytes = bytes.ok_or_else(|| format!("{name} is not there."))?;
    let kind = kind(&bytes).ok_or_else(|| format!("{name} is no SVG and no PNG."))?;
    Ok(Picture { kind, bytes })
}

/// The type of a picture by how it begins: a name can say anything.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    let text = bytes.trim_ascii_start();
    let is_svg = [&b"<svg"[..], b"<?xml", b"<!--"].map(|begin| text.starts_with(begin));
    match bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        true => Some("image/png"),
        false => is_svg.contains(&true).then_some("image/svg+xml"),
    }
}

impl Picture {
    fn write(&self, out: &mut dyn Write, finding: usize, which: Which) -> io::Result<()> {
        writeln!(
            out,
            "<script type=\"{}\" id=\"{}-{finding}\">{}</script>",
            self.kind,
            which.name(),
            Base64Display::new(&self.bytes, &BASE64_STANDARD)
        )
    }
}
