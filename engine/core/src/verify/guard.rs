//! The determinism guard: a sample of maps is drawn again in ways that must not matter, and the first
//! thing that differs is named.

use std::sync::atomic::AtomicBool;

use super::{
    Difference, Finding, Findings, Kind, Level, Verdict,
    drawn::{Artifact, Drawing, places},
    judge::{Judge, line_of},
    picture::Places,
    references::Kept,
    structure::of_map,
};
use crate::{
    cache::CacheMode,
    caches::{CachesError, memos},
    config::Config,
    dataset::Dataset,
    draw::DrawOptions,
    pipeline::{Fingerprint, Pipeline, Request},
    plugins::Finder,
    stage::StageError,
    work,
};

/// A way to draw that must not matter.
#[derive(Debug, Clone)]
pub struct Way<'a> {
    /// What it is called: `two threads, warm caches`.
    pub name: String,
    /// Threads.
    pub threads: usize,
    /// Whether the stages' answers are remembered; and whether it is drawn twice, so that the second time
    /// they are.
    pub caches: bool,
    /// Where its plugins come from.
    pub finder: &'a Finder,
}

/// Draws a sample in several ways.
pub struct Guard<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The table.
    pub dataset: &'a Dataset,
    /// How artifacts are drawn.
    pub draw: DrawOptions,
    /// Set to stop.
    pub cancel: &'a AtomicBool,
}

/// The artifacts of each map of a sample.
type Sample = Vec<Vec<Artifact>>;

/// Why a way could not be taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// A stage cannot be loaded.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// A cache cannot be made.
    #[error(transparent)]
    Caches(#[from] CachesError),
}

/// What a way is called, and the artifacts of each map of the sample drawn in it.
type Named = (String, Sample);

/// Adds what the guard found to what a comparison found, so that each artifact is told once: that it is
/// drawn otherwise each time before what changed.
pub fn add_unstable(unstable: Vec<Finding>, findings: &mut Findings) {
    let amounts = &mut findings.amounts;
    for mut finding in unstable {
        match findings
            .findings
            .iter_mut()
            .find(|one| one.path == finding.path)
        {
            Some(known) => {
                known.message = format!("{}; {}", finding.message, known.message);
                finding.differences.append(&mut known.differences);
                known.differences = finding.differences;
                known.n_differences += finding.n_differences;
            }
            None => {
                // It was as approved that one time.
                amounts.same = amounts.same.saturating_sub(1);
                amounts.count(finding.verdict);
                findings.findings.push(finding);
            }
        }
    }
    findings.findings.sort_by(|a, b| a.path.cmp(&b.path));
}

impl Guard<'_> {
    /// Of some requests those that are drawn again: a choice by their names, that does not change with
    /// other maps.
    pub fn sample(&self, requests: &[Request], size: usize) -> Vec<Request> {
        let name = |request: &Request| request.id(self.dataset).to_string();
        let mut ranked: Vec<(Fingerprint, Request)> = requests
            .iter()
            .map(|request| (Fingerprint::of_bytes(name(request).as_bytes()), *request))
            .collect();
        ranked.sort_unstable();
        ranked
            .into_iter()
            .take(size)
            .map(|(_, request)| request)
            .collect()
    }

    /// Draws a sample in each way, and gives what is not as in the first.
    ///
    /// # Errors
    /// When the plugins of a way cannot be loaded.
    pub fn check(&self, sample: &[Request], ways: &[Way<'_>]) -> Result<Vec<Finding>, GuardError> {
        let mut found: Vec<Finding> = Vec::new();
        let mut first: Option<Sample> = None;
        for way in ways {
            for (name, drawn) in self.draw_all(sample, way)? {
                match &first {
                    None => first = Some(drawn),
                    Some(first) => {
                        let finder = ways[0].finder;
                        self.compare((sample, first), &drawn, (&name, finder), &mut found);
                    }
                }
            }
        }
        // One difference of an artifact is enough to know.
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found.dedup_by(|a, b| a.path == b.path);
        Ok(found)
    }

    /// The artifacts of each map; twice with caches, first cold, then warm.
    fn draw_all(&self, sample: &[Request], way: &Way<'_>) -> Result<Vec<Named>, GuardError> {
        let mut pipeline = Pipeline::load(self.config, way.finder)?;
        let mut times = vec![way.name.clone()];
        if way.caches {
            let mut config = self.config.cache.clone();
            config.mode = CacheMode::On;
            pipeline.memos = memos(&config, way.finder)?;
            times = ["cold", "warm"]
                .map(|state| format!("{}, {state} caches", way.name))
                .into();
        }
        let drawn = times.into_iter().map(|name| {
            let maps = pipeline.maps(self.dataset);
            let drawing = Drawing {
                maps: &maps,
                options: self.draw,
                cancel: self.cancel,
            };
            let one = |at: usize| {
                let drawn = drawing.draw(sample[at], &self.config.output.formats);
                // What cannot be drawn was told by the comparison already.
                drawn.artifacts.into_iter().flatten().collect()
            };
            (name, work::map_in_order(way.threads, sample.len(), one))
        });
        Ok(drawn.collect())
    }

    fn compare(
        &self,
        (sample, first): (&[Request], &[Vec<Artifact>]),
        drawn: &[Vec<Artifact>],
        (way, finder): (&str, &Finder),
        found: &mut Vec<Finding>,
    ) {
        for ((request, before), after) in sample.iter().zip(first).zip(drawn) {
            for (before, after) in before.iter().zip(after) {
                if before.hash != after.hash {
                    found.push(self.unstable(*request, [before, after], (way, finder)));
                }
            }
        }
    }

    /// Names the first difference between two drawings of one map.
    fn unstable(
        &self,
        request: Request,
        [before, after]: [&Artifact; 2],
        (way, finder): (&str, &Finder),
    ) -> Finding {
        let pipeline = Pipeline::load(self.config, finder);
        // Columns are named by their places where a scene can be had; a plugin that fails now loses that.
        let scene = pipeline
            .ok()
            .and_then(|p| p.maps(self.dataset).scene(request).ok());
        let at = scene.as_ref().map_or_else(Places::default, places);
        let judge = Judge {
            scene: scene.as_ref(),
            places: &at,
            tolerance: None,
            scale: self.draw.scale,
        };
        let line = line_of(before, true, None);
        let kept = before.bytes.clone().map_or(Kept::Hashes, Kept::Picture);
        let judgement = judge.judge(&line, &kept, after);
        let told = judgement.differences.first().map(Difference::line);
        let element = told.unwrap_or_else(|| judgement.message.clone());
        let mut finding = Finding::bare(before.path.clone(), Verdict::Differs);
        finding.format = Some(before.format);
        finding.level = judgement.level.or(Some(Level::Bytes));
        finding.message = format!("drawn again with {way}: {element}");
        let what = format!("with {way}");
        finding.differences = vec![of_map(Kind::Unstable, &what, "expected the same", element)];
        finding.differences.extend(judgement.differences);
        finding.n_differences = judgement.n_differences + 1;
        finding
    }
}
