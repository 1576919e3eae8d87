//! A comparison: draws what was approved, on all cores, and says what is not as it was.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    Amounts, Compared, Finding, Findings, Keep, MapName, ReferenceError, References, Tolerance,
    Verdict, VerifyError,
    drawn::{Artifact, Drawing, Drawn, places, smallest_step},
    judge::{Hashes, Judge, Judgement, judge_text, line_of, line_of_text},
    pending,
    picture::Places,
    references::{Kept, Line, map_of},
};
use crate::{
    draw::{DrawOptions, Format},
    pipeline::{Fingerprint, Maps, Request},
    plan::Shard,
    sink::Dir,
    work,
};

/// What is compared, and how.
#[derive(Clone, Copy)]
pub struct CompareOptions<'a> {
    /// What was approved.
    pub references: &'a References,
    /// Which pictures are kept of what is new.
    pub keep: &'a Keep,
    /// Formats of every map.
    pub formats: &'a [Format],
    /// How artifacts are drawn.
    pub draw: DrawOptions,
    /// Texts that are compared beside the maps, by the names of their artifacts: golden vectors of a
    /// plugin, `golden/color.default.txt`.
    pub texts: &'a [(String, String)],
    /// What may differ; none for an exact comparison.
    pub tolerance: Option<Tolerance>,
    /// The part to compare: maps whose names have a certain hash. None for the whole.
    pub shard: Option<Shard>,
    /// Threads; 0 takes one a core.
    pub jobs: usize,
    /// Gets what is pending, below [`super::REFERENCES_DIR`]; what was pending there is removed.
    pub pending: &'a Path,
    /// Set to stop after the maps that are being compared.
    pub cancel: &'a AtomicBool,
}

/// Compares maps with what was approved. `progress` is called after each map, from any thread.
///
/// # Errors
/// When pending files cannot be written, or the tolerance hides a step of the palette.
pub fn compare(
    maps: &Maps<'_>,
    requests: &[Request],
    options: &CompareOptions<'_>,
    progress: &(dyn Fn() + Sync),
) -> Result<Compared, VerifyError> {
    if let Some(pending) = pending::open(options.pending, options.references.dir())? {
        pending::clear(&pending)?;
    }
    let run = Run::new(maps, requests, options);
    let mut found = run.on_all_threads(progress)?;
    for (path, text) in options.texts {
        let finding = run.text(path, text, &mut found)?;
        found.take(finding);
    }
    Ok(run.finish(found))
}

/// What one thread found.
#[derive(Default)]
struct Found {
    amounts: Amounts,
    findings: Vec<Finding>,
    drawing: Duration,
    comparing: Duration,
}

struct Run<'a> {
    drawing: Drawing<'a>,
    requests: &'a [Request],
    options: &'a CompareOptions<'a>,
    /// New artifacts whose pictures are kept, if they are not too large.
    keep: BTreeSet<String>,
    /// Lines that were drawn, by their index.
    seen: Vec<AtomicBool>,
    fatal: Mutex<Option<VerifyError>>,
}

impl<'a> Run<'a> {
    fn new(maps: &'a Maps<'a>, requests: &'a [Request], options: &'a CompareOptions<'a>) -> Self {
        let drawing = Drawing {
            maps,
            options: options.draw,
            cancel: options.cancel,
        };
        let paths: BTreeSet<String> = requests
            .iter()
            .flat_map(|&request| {
                let formats = options.formats.iter();
                formats.map(move |&format| drawing.path(request, format))
            })
            .collect();
        let lines = options.references.lines();
        Self {
            drawing,
            requests,
            options,
            keep: options.keep.choose(paths.iter().map(String::as_str)),
            seen: lines.iter().map(|_| AtomicBool::new(false)).collect(),
            fatal: Mutex::default(),
        }
    }

    fn on_all_threads(&self, progress: &(dyn Fn() + Sync)) -> Result<Found, VerifyError> {
        let next = AtomicUsize::new(0);
        let threads = work::threads(self.options.jobs).min(self.requests.len().max(1));
        let parts = work::on_threads(threads, |_| {
            let mut found = Found::default();
            while self.goes_on() {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(&request) = self.requests.get(index) else {
                    break;
                };
                if self.is_ours(request)
                    && let Err(error) = self.map(request, &mut found)
                {
                    self.fatal
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .get_or_insert(error);
                }
                progress();
            }
            found
        });
        let fatal = &mut *self.fatal.lock().unwrap_or_else(PoisonError::into_inner);
        match fatal.take() {
            Some(error) => Err(error),
            None => Ok(parts.into_iter().fold(Found::default(), Found::with)),
        }
    }

    fn goes_on(&self) -> bool {
        let fatal = self.fatal.lock().unwrap_or_else(PoisonError::into_inner);
        !self.options.cancel.load(Ordering::Relaxed) && fatal.is_none()
    }

    fn is_ours(&self, request: Request) -> bool {
        let shard = self.options.shard;
        shard.is_none() || is_in_shard(shard, &self.drawing.path(request, Format::Svg))
    }

    /// Draws a map and compares it in all formats.
    fn map(&self, request: Request, found: &mut Found) -> Result<(), VerifyError> {
        let formats = self.options.formats;
        let start = Instant::now();
        let drawn = self.drawing.draw(request, formats);
        found.drawing += start.elapsed().saturating_sub(drawn.hashing);
        if drawn.interrupted {
            return Ok(());
        }
        let start = Instant::now();
        let compared = self.check_tolerance(&drawn, request);
        let compared = compared.and_then(|()| self.drawn(request, &drawn, found));
        found.comparing += start.elapsed() + drawn.hashing;
        compared
    }

    /// Compares a map that was drawn.
    fn drawn(&self, request: Request, drawn: &Drawn, found: &mut Found) -> Result<(), VerifyError> {
        let formats = self.options.formats;
        let mut at = None;
        for (artifact, &format) in drawn.artifacts.iter().zip(formats) {
            match artifact {
                Ok(artifact) => {
                    let finding = self.artifact(drawn, artifact, &mut at, found)?;
                    found.take(finding);
                }
                Err(reason) => {
                    let path = self.drawing.path(request, format);
                    self.see(&path);
                    let mut finding = self.finding(path, Some(&drawn.map), Verdict::Failed);
                    finding.format = Some(format);
                    finding.message.clone_from(reason);
                    found.take(Some(finding));
                }
            }
        }
        Ok(())
    }

    fn check_tolerance(&self, drawn: &Drawn, request: Request) -> Result<(), VerifyError> {
        let tolerance = self.options.tolerance.filter(|tolerance| !tolerance.forced);
        let (Some(tolerance), Some(scene)) = (tolerance, &drawn.scene) else {
            return Ok(());
        };
        match smallest_step(scene) {
            Some((step, colors)) if tolerance.color >= step => Err(VerifyError::TooTolerant {
                tolerance: tolerance.color,
                step,
                colors: colors.map(|color| format!("#{:06x}", color.rgb())),
                path: self.drawing.path(request, Format::Svg),
            }),
            _ => Ok(()),
        }
    }

    /// Compares one artifact. `at` is where its map's columns are, once somebody asked.
    fn artifact(
        &self,
        drawn: &Drawn,
        artifact: &Artifact,
        at: &mut Option<Places>,
        found: &mut Found,
    ) -> Result<Option<Finding>, VerifyError> {
        found.amounts.compared += 1;
        let Some(line) = self.see(&artifact.path) else {
            let finding = self.finding(artifact.path.clone(), Some(&drawn.map), Verdict::Missing);
            return self
                .offer(finding, artifact, ("never approved: it is new", None))
                .map(Some);
        };
        let kept = self.options.references.kept(line);
        let is_same = line.bytes == artifact.hash;
        let (verdict, trouble) = match &kept {
            Kept::Gone(trouble) => (Verdict::Missing, trouble.as_str()),
            Kept::Damaged(trouble) => (Verdict::Damaged, trouble.as_str()),
            _ if is_same => {
                found.amounts.same += 1;
                return Ok(None);
            }
            _ => (Verdict::Differs, ""),
        };
        if is_same {
            let finding = self.finding(artifact.path.clone(), Some(&drawn.map), verdict);
            let message = format!("{trouble}; the picture that is drawn is as approved");
            return self.offer(finding, artifact, (&message, None)).map(Some);
        }
        let nowhere = Places::default();
        let places: &Places = match &drawn.scene {
            Some(scene) => at.get_or_insert_with(|| places(scene)),
            None => &nowhere,
        };
        let judge = Judge {
            scene: drawn.scene.as_ref(),
            places,
            tolerance: self.options.tolerance.as_ref(),
            scale: self.options.draw.scale,
        };
        let judgement = judge.judge(line, &kept, artifact);
        if judgement.is_tolerated {
            found.amounts.within_tolerance += 1;
            return Ok(None);
        }
        if verdict != Verdict::Differs {
            // It differs all the same, which is the worse news; the other is told with it.
            found.amounts.count(verdict);
        }
        let finding = self.finding(artifact.path.clone(), Some(&drawn.map), Verdict::Differs);
        let message = match trouble {
            "" => judgement.message.clone(),
            trouble => format!("{}; {trouble}", judgement.message),
        };
        let hashes = judgement.hashes;
        let finding = told(finding, judgement, (line, &kept));
        self.offer(finding, artifact, (&message, hashes)).map(Some)
    }

    /// Compares a text.
    fn text(
        &self,
        path: &str,
        text: &str,
        found: &mut Found,
    ) -> Result<Option<Finding>, VerifyError> {
        found.amounts.compared += 1;
        let line = line_of_text(path, text);
        let (mut finding, message) = match self.see(path) {
            None => (
                self.finding(path.into(), None, Verdict::Missing),
                "never approved: it is new".to_owned(),
            ),
            Some(approved) => {
                let kept = self.options.references.kept(approved);
                let verdict = match &kept {
                    Kept::Gone(_) => Verdict::Missing,
                    Kept::Damaged(_) => Verdict::Damaged,
                    _ if approved.bytes == line.bytes => {
                        found.amounts.same += 1;
                        return Ok(None);
                    }
                    _ => Verdict::Differs,
                };
                let finding = self.finding(path.into(), None, verdict);
                match kept {
                    Kept::Gone(trouble) | Kept::Damaged(trouble) => (finding, trouble),
                    kept => {
                        let judgement = judge_text(&kept, text);
                        let message = judgement.message.clone();
                        (told(finding, judgement, (approved, &kept)), message)
                    }
                }
            }
        };
        let bytes = Some(text.as_bytes());
        let written = pending::write(&self.pending()?, &line, (bytes, &message))?;
        finding.pending = Some(written);
        finding.message = message;
        Ok(Some(finding))
    }

    /// Marks a line as drawn.
    fn see(&self, path: &str) -> Option<&Line> {
        let lines = self.options.references.lines();
        let at = lines.binary_search_by(|line| (*line.path).cmp(path)).ok()?;
        self.seen[at].store(true, Ordering::Relaxed);
        Some(&lines[at])
    }

    fn finding(&self, path: String, map: Option<&MapName>, verdict: Verdict) -> Finding {
        let approved = self.options.references.line(&path);
        let approved = approved.map(|line| line.bytes.to_string());
        Finding {
            map: map.cloned(),
            approved,
            ..Finding::bare(path, verdict)
        }
    }

    /// The directory of what is pending. It is not made before there is something.
    fn pending(&self) -> Result<Dir, ReferenceError> {
        pending::make(self.options.pending, self.options.references.dir())
    }

    /// Writes what may be accepted in place of what was approved.
    fn offer(
        &self,
        mut finding: Finding,
        artifact: &Artifact,
        (message, hashes): (&str, Option<Hashes>),
    ) -> Result<Finding, VerifyError> {
        let path = &artifact.path;
        let wanted = match self.options.references.line(path) {
            Some(line) => line.picture,
            None => self.keep.contains(path),
        };
        let most = self.options.keep.most_bytes.bytes();
        let bytes = artifact.bytes.as_deref();
        let fits = bytes.is_some_and(|bytes| bytes.len() as u64 <= most);
        let line = line_of(artifact, wanted && fits, hashes);
        finding.format = Some(artifact.format);
        finding.message = message.into();
        let written = pending::write(&self.pending()?, &line, (bytes, message))?;
        finding.pending = Some(written);
        Ok(finding)
    }

    fn finish(self, mut found: Found) -> Compared {
        let options = self.options;
        let references = options.references;
        let interrupted = options.cancel.load(Ordering::Relaxed);
        let mut findings = Findings::new(
            references.hash().to_owned(),
            options.shard,
            options.tolerance,
        );
        if !interrupted {
            let unseen = self.unseen();
            match options.shard {
                Some(_) => findings.undecided = unseen,
                None => self.orphans(unseen, &mut found),
            }
        }
        found.findings.sort_by(|a, b| a.path.cmp(&b.path));
        findings.findings = found.findings;
        findings.amounts = found.amounts;
        let beside = references.accepted_beside();
        if beside > 0 {
            findings.notes.push(format!(
                "{beside} artifacts were accepted beside the manifest; `eyemap verify accept` takes them in"
            ));
        }
        Compared {
            findings,
            interrupted,
            drawing: found.drawing,
            comparing: found.comparing,
        }
    }

    /// Approved artifacts and stray files that nothing drew.
    fn unseen(&self) -> Vec<String> {
        let references = self.options.references;
        let lines = references.lines().iter().zip(&self.seen);
        let unseen = lines.filter(|(_, seen)| !seen.load(Ordering::Relaxed));
        let unseen = unseen.map(|(line, _)| line.path.to_string());
        let all = unseen.chain(references.strays.iter().cloned());
        all.filter(|path| is_in_shard(self.options.shard, path))
            .collect()
    }

    fn orphans(&self, unseen: Vec<String>, found: &mut Found) {
        for path in unseen {
            found.take(Some(self.orphan(path)));
        }
    }

    fn orphan(&self, path: String) -> Finding {
        let mut finding = self.finding(path, None, Verdict::Orphaned);
        orphaned(self.options.references, &mut finding);
        finding
    }
}

/// Says what an orphan is.
pub(super) fn orphaned(references: &References, finding: &mut Finding) {
    if let Some(line) = references.line(&finding.path) {
        finding.format = line.format();
        finding.reference = reference_of(line);
        finding.message = "approved, and nothing draws it any more".into();
    } else {
        finding.message = "a file that belongs to no approved artifact".into();
    }
}

/// The kept picture of a line, relative to the snapshot directory.
fn reference_of(line: &Line) -> Option<String> {
    let snap = super::references::snap_path(&line.path);
    let payload = super::references::payload_path(&snap, &line.path);
    line.picture.then_some(payload)
}

fn told(mut finding: Finding, judgement: Judgement, (line, kept): (&Line, &Kept)) -> Finding {
    finding.level = judgement.level;
    finding.differences = judgement.differences;
    finding.n_differences = judgement.n_differences;
    finding.pixels = judgement.pixels;
    if matches!(kept, Kept::Picture(_)) {
        finding.reference = reference_of(line);
    }
    finding
}

/// Whether a map belongs to a shard, whatever its format.
pub(super) fn is_in_shard(shard: Option<Shard>, path: &str) -> bool {
    shard.is_none_or(|shard| {
        let hash = Fingerprint::of_bytes(map_of(path).as_bytes()).short();
        hash % u64::from(shard.of) + 1 == u64::from(shard.number)
    })
}

impl Found {
    fn take(&mut self, finding: Option<Finding>) {
        if let Some(finding) = finding {
            self.amounts.count(finding.verdict);
            self.findings.push(finding);
        }
    }

    fn with(mut self, other: Self) -> Self {
        self.amounts.add(&other.amounts);
        self.findings.extend(other.findings);
        self.drawing += other.drawing;
        self.comparing += other.comparing;
        self
    }
}
