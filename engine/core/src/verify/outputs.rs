//! What a comparison leaves for people and machines: one directory with all of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    FINDINGS_FILE, Finding, Findings, PENDING_DIR, PageOptions, Places, ReferenceError, Verdict,
    Which,
    drawn::Drawing,
    junit, pending, read_findings,
    references::{check_path, payload_path, snap_path},
    summary, write_page,
};
use crate::{
    draw::{DrawOptions, Format},
    pipeline::{Maps, Request},
    sink,
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
        pending::clear(self.pending)?;
        // Its pictures are those that its findings name: the directory may hold others.
        let Ok(earlier) = read_findings(self.out) else {
            return Ok(());
        };
        earlier
            .findings
            .iter()
            .try_for_each(|finding| self.forget_picture(finding))
    }

    /// Removes the picture that was drawn for the page alone.
    fn forget_picture(&self, finding: &Finding) -> Result<(), ReferenceError> {
        let picture = format!("{PICTURES_DIR}/{}", finding.path);
        if check_path(&finding.path).is_ok() && finding.pending.as_ref() == Some(&picture) {
            pending::remove_file(&self.out.join(picture))?;
        }
        Ok(())
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
        findings
            .findings
            .iter()
            .filter(settled)
            .try_for_each(|finding| self.forget_picture(finding))?;
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
                    pending::publish(&self.out.join(&shown), &bytes)?;
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
        let file = |name: &str| self.out.join(name);
        let json = serde_json::to_vec_pretty(findings).map_err(io::Error::other);
        let json = json.map_err(|error| ReferenceError::write(&file(FINDINGS_FILE), error))?;
        pending::publish(&file(FINDINGS_FILE), &json)?;
        let mut text = Vec::new();
        junit(findings, &mut text)
            .map_err(|error| ReferenceError::write(&file(JUNIT_FILE), error))?;
        pending::publish(&file(JUNIT_FILE), &text)?;
        let summary = self.with_places(|places| summary(findings, places));
        pending::publish(&file(SUMMARY_FILE), summary.as_bytes())?;
        self.page(findings)
            .map_err(|error| ReferenceError::write(&file(REPORT_FILE), error))
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

    fn page(&self, findings: &Findings) -> io::Result<()> {
        let options = PageOptions {
            subject: self.snapshots.display().to_string(),
            png_scale: self.scale,
            ..PageOptions::default()
        };
        let pictures = |finding: &Finding, which| self.picture(finding, which);
        let mut page = Vec::new();
        write_page(&mut page, findings, &pictures, &options)?;
        sink::write_atomically(&self.out.join(REPORT_FILE), &page)
    }

    /// A picture of a finding. Paths follow from its name alone: findings may come from elsewhere.
    fn picture(&self, finding: &Finding, which: Which) -> io::Result<Option<Vec<u8>>> {
        match self.picture_path(finding, which) {
            Some(path) => match fs::read(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                bytes => bytes.map(Some),
            },
            None => Ok(None),
        }
    }

    fn picture_path(&self, finding: &Finding, which: Which) -> Option<PathBuf> {
        check_path(&finding.path).ok()?;
        let told = match which {
            Which::Approved => finding.reference.as_deref()?,
            Which::New => finding.pending.as_deref()?,
        };
        let snap = snap_path(Path::new(""), &finding.path);
        let mut new = snap.clone().into_os_string();
        new.push(".new");
        let at = |dir: &Path, snap: &Path| dir.join(payload_path(snap, &finding.path));
        match which {
            Which::Approved => Some(at(self.snapshots, &snap)),
            Which::New if told.starts_with(PICTURES_DIR) => {
                Some(self.out.join(PICTURES_DIR).join(&finding.path))
            }
            Which::New if told.ends_with(".snap.new") => None,
            Which::New => Some(at(self.pending, Path::new(&new))),
        }
    }

    /// Takes the pending files and pictures of findings over from the output directory of a part.
    ///
    /// # Errors
    /// When a file is not there, or cannot be written.
    pub fn take_over(&self, part: &Path, findings: &Findings) -> Result<(), ReferenceError> {
        for finding in &findings.findings {
            let offers = finding.pending.is_some() && finding.verdict != Verdict::Orphaned;
            if !offers || check_path(&finding.path).is_err() {
                continue;
            }
            pending::copy(&part.join(PENDING_DIR), self.pending, &finding.path)?;
            let picture = format!("{PICTURES_DIR}/{}", finding.path);
            if finding.pending.as_deref() == Some(picture.as_str()) {
                let from = part.join(&picture);
                let bytes = fs::read(&from).map_err(|error| ReferenceError::read(&from, error))?;
                pending::publish(&self.out.join(&picture), &bytes)?;
            }
        }
        Ok(())
    }
}
