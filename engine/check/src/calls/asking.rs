//! Asks every stage of a plugin with every job.

use std::{fmt, ops::Range};

use eyemap_abi::{ErrorKind, PluginError, job::ColorNeeds};
use eyemap_engine::verify::golden::jobs;

use super::{
    columns::{Columns, Inputs},
    fault,
    outputs::Outputs,
    stage::{Kind, Prepared, Stage},
};
use crate::{Fault, Outcome, Subject, progress};

/// A job of a stage, as a host would make it.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) kind: Kind,
    /// `whole columns, values 1 to 30`.
    pub(super) title: String,
    /// The job as JSON.
    pub(super) job: String,
    /// Whether columns come with attributes.
    pub(super) attributes: bool,
    /// Layer that columns are asked for.
    pub(super) layer: u32,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} stage, job {:?}", self.kind.word(), self.title)
    }
}

impl Case {
    /// The jobs of a stage.
    pub(super) fn all_of(kind: Kind, stage: &Stage) -> Result<Vec<Self>, PluginError> {
        let json = |title: String, job: serde_json::Value| {
            let labels = job["layer_labels"].as_array().map_or(0, Vec::len);
            Self {
                kind,
                title,
                job: job.to_string(),
                attributes: job["attributes"]
                    .as_array()
                    .is_some_and(|all| !all.is_empty()),
                layer: labels.min(2) as u32,
            }
        };
        let value = |job: serde_json::Result<_>| job.unwrap_or_default();
        Ok(match kind {
            Kind::Coordinate(_) => jobs::coordinate()
                .into_iter()
                .map(|(title, job)| json(title, value(serde_json::to_value(job))))
                .collect(),
            Kind::Color(_) => {
                let needs = stage.needs()?.unwrap_or_default();
                let needs: ColorNeeds = serde_json::from_str(&needs).unwrap_or_default();
                jobs::color(&needs)
                    .into_iter()
                    .filter_map(|(title, job)| Some((title, job?)))
                    .map(|(title, job)| json(title, value(serde_json::to_value(job))))
                    .collect()
            }
            Kind::Metadata(_) => jobs::metadata()
                .into_iter()
                .map(|(title, job)| json(title.into(), value(serde_json::to_value(job))))
                .collect(),
        })
    }

    /// Lends columns as this job's batches come.
    pub(super) fn lend<T>(
        &self,
        columns: &Columns,
        range: Range<usize>,
        call: impl FnOnce(&Inputs<'_>) -> T,
    ) -> T {
        columns.lend(range, self.layer, self.attributes, call)
    }
}

/// A prepared job.
pub(super) struct Asked<'a> {
    pub(super) case: &'a Case,
    pub(super) stage: &'a Stage,
    pub(super) prepared: &'a Prepared,
}

impl Asked<'_> {
    /// Answers some columns.
    pub(super) fn answer(&self, columns: &Columns, range: Range<usize>) -> Result<Outputs, Fault> {
        let len = range.len();
        self.case
            .lend(columns, range, |inputs| self.prepared.ask(inputs))
            .map_err(|error| failed(self.case, self.case.kind.call(), len, &error))
    }

    pub(super) fn describe(&self) -> Result<String, Fault> {
        let said = self.prepared.describe();
        said.map_err(|error| failed(self.case, "describe", 0, &error))
    }

    /// A batch that was refused, though the same one was answered elsewhere or should be.
    pub(super) fn refused(&self, len: usize) -> Fault {
        let call = self.case.kind.call();
        fault(
            format!("{}: `{call}` of {len} columns is refused", self.case),
            "answer every batch of a job that was prepared",
        )
    }
}

/// A call that should have been answered.
pub(super) fn failed(case: &Case, call: &str, len: usize, error: &PluginError) -> Fault {
    let of = match len {
        0 => String::new(),
        len => format!(" of {len} columns"),
    };
    fault(format!("{case}: `{call}`{of}: {error}"), remedy_of(error))
}

/// What to do about an error of a valid call.
pub(super) fn remedy_of(error: &PluginError) -> &'static str {
    match error.kind {
        ErrorKind::Panic => {
            "the place of the panic is in the message: return an error or an answer there"
        }
        _ => {
            "answer every batch of a job that was prepared; what cannot be done is refused by `prepare`"
        }
    }
}

/// The stages of a plugin that take their default configuration.
pub(super) fn stages(subject: &Subject) -> Result<Vec<(Kind, Stage)>, Outcome> {
    let plugin = subject.plugin()?;
    let mut refusals = Vec::new();
    let mut stages = Vec::new();
    for kind in Kind::all_of(plugin) {
        match kind.create("{}") {
            Ok(stage) => stages.push((kind, stage)),
            Err(error) => {
                refusals.push(format!("its {} stage refuses `{{}}`: {error}", kind.word()))
            }
        }
    }
    match (stages.is_empty(), refusals.is_empty()) {
        (true, true) => Err(Outcome::skipped("it has no stage")),
        (true, false) => Err(Outcome::skipped(refusals.join("; "))),
        _ => Ok(stages),
    }
}

/// Prepares every job of every stage and asks; says how many jobs there were.
pub(super) fn each_case(
    subject: &Subject,
    mut ask: impl FnMut(&Asked<'_>) -> Result<(), Outcome>,
) -> Result<String, Outcome> {
    each_case_in_silence(subject, |asked| {
        progress::next(asked.case);
        ask(asked)
    })
}

/// As [`each_case`], where nothing may be printed.
pub(super) fn each_case_in_silence(
    subject: &Subject,
    mut ask: impl FnMut(&Asked<'_>) -> Result<(), Outcome>,
) -> Result<String, Outcome> {
    let (mut asked, mut refused) = (0, None);
    for (kind, stage) in &stages(subject)? {
        let cases = Case::all_of(*kind, stage);
        let cases = cases.map_err(|error| {
            Outcome::skipped(format!("its {} stage says no needs: {error}", kind.word()))
        })?;
        for case in &cases {
            match stage.prepare(&case.job) {
                Ok(prepared) => {
                    asked += 1;
                    ask(&Asked {
                        case,
                        stage,
                        prepared: &prepared,
                    })?;
                }
                Err(error) => refused = Some(format!("{case}: {error}")),
            }
        }
    }
    match refused {
        Some(why) if asked == 0 => Err(Outcome::skipped(format!("no job was prepared: {why}"))),
        _ => Ok(format!("{asked} jobs")),
    }
}

/// As [`each_case`], with one job of each stage, which stands for all others; that of a metadata stage has
/// layers and attributes.
pub(super) fn each_stage(
    subject: &Subject,
    mut ask: impl FnMut(&Asked<'_>) -> Result<(), Outcome>,
) -> Result<String, Outcome> {
    let mut last = "";
    each_case(subject, |asked| {
        let poor = matches!(asked.case.kind, Kind::Metadata(_)) && !asked.case.attributes;
        if poor || last == asked.case.kind.word() {
            return Ok(());
        }
        last = asked.case.kind.word();
        ask(asked)
    })
    .map(|_| String::new())
}
