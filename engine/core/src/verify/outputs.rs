//! What a comparison leaves for people and machines: one directory with all of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
};

use super::{
    FINDINGS_FILE, Finding, Findings, PENDING_DIR, PageOptions, Places, ReferenceError, Verdict,
    Which,
    drawn::Drawing,
    junit,
    merge::{MergeError, findings_in},
    pending,
    references::{MOST_PICTURE_BYTES, check_path, payload_path, snap_path},
    summary, write_page,
};
use crate::{
    draw::{DrawOptions, Format},
    pipeline::{Maps, Request},
    sink::Dir,
};

/// Name of the page for people.
pub const REPORT_FILE: &str = "report.html";
/// Name of the document for test runners.
pub const JUNIT_FILE: &str = "junit.xml";
/// Name of the summary in Markdown.
pub const SUMMARY_FILE: &str = "summary.md";
/// Directory of new pictures that the page shows though only hashes of them will be kept.
const PICTURES_DIR: &str = "pictures";
/// At most so many of them are drawn again for the page.
const SHOWN: usize = 60;

/// Where the outcome of a comparison goes.
#[derive(Debug, Clone, Copy)]
pub struct Outputs<'a> {
    /// The output directory; created if missing.
    pub out: &'a Path,
    /// The snapshot directory.
    pub snapshots: &'a Path,
    /// The directory that has the pending files.
    pub pending: &'a Path,
    /// Pixels of a PNG for each px of the canvas.
    pub scale: f64,
}

impl Outputs<'_> {
    /// Removes what an earlier comparison left for people to decide, and nothing else.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn begin(&self) -> Result<(), ReferenceError> {
        if let Some(pending) = self.open(self.pending)? {
            pending::clear(&pending)?;
        }
        let Some(out) = self.open(self.out)? else {
            return Ok(());
        };
        // Its pictures are those that its findings name: the directory may hold others.
        let Ok(earlier) = findings_in(&out) else {
            return Ok(());
        };
        forget_pictures(&out, earlier.findings.iter())
    }

    /// What the last comparison found.
    ///
    /// # Errors
    /// When there was none, or its findings are damaged.
    pub fn findings(&self) -> Result<Findings, MergeError> {
        let nothing = |source| MergeError::Read {
            path: self.out.join(FINDINGS_FILE),
            source,
        };
        match self.open(self.out) {
            Ok(Some(out)) => findings_in(&out),
            Ok(None) => Err(nothing(io::ErrorKind::NotFound.into())),
            Err(ReferenceError::Io { source, .. }) => Err(nothing(source)),
            Err(error) => Err(nothing(io::Error::other(error))),
        }
    }

    fn open(&self, dir: &Path) -> Result<Option<Dir>, ReferenceError> {
        pending::open(dir, self.snapshots)
    }

    fn make(&self, dir: &Path) -> Result<Dir, ReferenceError> {
        pending::make(dir, self.snapshots)
    }

    /// Leaves out findings that were accepted, and writes what is left, to be looked at and accepted
    /// later.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn settle(
        &self,
        findings: &mut Findings,
        accepted: &BTreeSet<String>,
    ) -> Result<(), ReferenceError> {
        let settled = |finding: &&Finding| accepted.contains(&finding.path);
        let out = self.make(self.out)?;
        forget_pictures(&out, findings.findings.iter().filter(settled))?;
        findings.settle(accepted);
        self.write(findings)
    }

    /// Draws the first new pictures of which only hashes will be kept, for the page.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn show_hashed(
        &self,
        maps: &Maps<'_>,
        requests: &[Request],
        findings: &mut Findings,
    ) -> Result<(), ReferenceError> {
        let never = std::sync::atomic::AtomicBool::new(false);
        let drawing = Drawing {
            maps,
            options: DrawOptions::scaled(self.scale),
            cancel: &never,
        };
        let is_hashed = |finding: &&mut Finding| {
            let pending = finding.pending.as_deref();
            pending.is_some_and(|pending| pending.ends_with(".snap.new"))
        };
        let hashed = findings.findings.iter_mut().filter(is_hashed).take(SHOWN);
        let mut wanted: BTreeMap<String, &mut Finding> = hashed
            .map(|finding| (finding.path.clone(), finding))
            .collect();
        for &request in requests {
            for format in Format::ALL {
                if wanted.is_empty() {
                    return Ok(());
                }
                let Some(finding) = wanted.remove(&drawing.path(request, format)) else {
                    continue;
                };
                let drawn = drawing.draw(request, &[format]).artifacts.pop();
                if let Some(Ok(bytes)) = drawn.map(|drawn| drawn.map(|artifact| artifact.bytes))
                    && let Some(bytes) = bytes
                {
                    let shown = format!("{PICTURES_DIR}/{}", finding.path);
                    pending::publish(&self.make(self.out)?, &shown, &bytes)?;
                    finding.pending = Some(shown);
                }
            }
        }
        Ok(())
    }

    /// Writes the findings, the page, the document for test runners and the summary.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn write(&self, findings: &Findings) -> Result<(), ReferenceError> {
        let out = self.make(self.out)?;
        let wrong = |name: &str, error| ReferenceError::write(&self.out.join(name), error);
        let json = serde_json::to_vec_pretty(findings).map_err(io::Error::other);
        let json = json.map_err(|error| wrong(FINDINGS_FILE, error))?;
        pending::publish(&out, FINDINGS_FILE, &json)?;
        let mut text = Vec::new();
        junit(findings, &mut text).map_err(|error| wrong(JUNIT_FILE, error))?;
        pending::publish(&out, JUNIT_FILE, &text)?;
        let summary = self.with_places(|places| summary(findings, places));
        pending::publish(&out, SUMMARY_FILE, summary.as_bytes())?;
        let page = self.page(findings)?;
        pending::publish(&out, REPORT_FILE, &page)
    }

    /// Lends the places of files, as texts tell them.
    pub fn with_places<T>(&self, tell: impl FnOnce(&Places<'_>) -> T) -> T {
        let manifest = self.snapshots.join(super::MANIFEST_FILE);
        let [snapshots, manifest, out] =
            [self.snapshots, &manifest, self.out].map(|path| path.display().to_string());
        tell(&Places {
            snapshots: &snapshots,
            manifest: &manifest,
            out: &out,
        })
    }

    fn page(&self, findings: &Findings) -> Result<Vec<u8>, ReferenceError> {
        let options = PageOptions {
            subject: self.snapshots.display().to_string(),
            png_scale: self.scale,
            ..PageOptions::default()
        };
        let places = Opened {
            snapshots: self.open(self.snapshots)?,
            pending: self.open(self.pending)?,
            out: self.open(self.out)?,
        };
        let pictures = |finding: &Finding, which| places.picture(finding, which);
        let mut page = Vec::new();
        write_page(&mut page, findings, &pictures, &options)
            .map_err(|error| ReferenceError::write(&self.out.join(REPORT_FILE), error))?;
        Ok(page)
    }

    /// Takes the pending files and pictures of findings over from the output directory of a part.
    ///
    /// # Errors
    /// When a file is not there, or cannot be written.
    pub fn take_over(&self, part: &Path, findings: &Findings) -> Result<(), ReferenceError> {
        let (from, out) = (pending::open(part, part)?, self.make(self.out)?);
        let from_pending = pending::open(&part.join(PENDING_DIR), part)?;
        let gone = || ReferenceError::read(part, io::ErrorKind::NotFound.into());
        for finding in &findings.findings {
            let offers = finding.pending.is_some() && finding.verdict != Verdict::Orphaned;
            if !offers || check_path(&finding.path).is_err() {
                continue;
            }
            let from_pending = from_pending.as_ref().ok_or_else(gone)?;
            pending::copy(from_pending, &self.make(self.pending)?, &finding.path)?;
            let picture = format!("{PICTURES_DIR}/{}", finding.path);
            if finding.pending.as_deref() == Some(picture.as_str()) {
                let from = from.as_ref().ok_or_else(gone)?;
                let bytes = from.read(&picture, MOST_PICTURE_BYTES);
                let failed = |error| ReferenceError::read(&part.join(&picture), error);
                pending::publish(&out, &picture, &bytes.map_err(failed)?)?;
            }
        }
        Ok(())
    }
}

/// Removes pictures that were drawn for the page alone.
fn forget_pictures<'a>(
    out: &Dir,
    mut findings: impl Iterator<Item = &'a Finding>,
) -> Result<(), ReferenceError> {
    findings.try_for_each(|finding| {
        let picture = format!("{PICTURES_DIR}/{}", finding.path);
        match check_path(&finding.path).is_ok() && finding.pending.as_ref() == Some(&picture) {
            true => pending::remove_file(out, &picture),
            false => Ok(()),
        }
    })
}

/// The directories of a comparison that are there.
struct Opened {
    snapshots: Option<Dir>,
    pending: Option<Dir>,
    out: Option<Dir>,
}

impl Opened {
    /// A picture of a finding. Paths follow from its name alone: findings may come from elsewhere.
    fn picture(&self, finding: &Finding, which: Which) -> io::Result<Option<Vec<u8>>> {
        let Some((Some(dir), name)) = self.place(finding, which) else {
            return Ok(None);
        };
        match dir.read(name, MOST_PICTURE_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            bytes => bytes.map(Some),
        }
    }

    fn place(&self, finding: &Finding, which: Which) -> Option<(Option<&Dir>, String)> {
        let path = &finding.path;
        check_path(path).ok()?;
        let told = match which {
            Which::Approved => finding.reference.as_deref()?,
            Which::New => finding.pending.as_deref()?,
        };
        match which {
            Which::Approved => {
                let name = payload_path(&snap_path(path), path);
                Some((self.snapshots.as_ref(), name))
            }
            Which::New if told.starts_with(PICTURES_DIR) => {
                Some((self.out.as_ref(), format!("{PICTURES_DIR}/{path}")))
            }
            Which::New if told.ends_with(".snap.new") => None,
            Which::New => {
                let name = payload_path(&pending::new_snap(path), path);
                Some((self.pending.as_ref(), name))
            }
        }
    }
}
