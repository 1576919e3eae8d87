//! `eyemap verify`: pictures under test.

mod accept;
mod compare;
mod init;
mod join;
mod subject;
mod told;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use eyemap_engine::verify::{
    AcceptError, DecisionsError, GuardError, MergeError, Outputs, PENDING_DIR, REFERENCES_DIR,
    ReferenceError, SettingsError, VerifyError, golden::GoldenError,
};

use crate::{
    args::{VerifyArgs, VerifyCommand},
    failure::{DAMAGED, Failure, MISSING, USAGE},
};

/// Output directory of comparisons in a CI system.
const CI_OUT: &str = "eyemap-verify";
/// Output directory of comparisons elsewhere, in the snapshot directory.
const OUT: &str = "report";

pub(crate) fn run(args: &VerifyArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        None => compare::run(&args.compare),
        Some(VerifyCommand::Init(args)) => init::run(args),
        Some(VerifyCommand::Accept(args)) => accept::run(args),
        Some(VerifyCommand::Report(args)) => join::report(args),
        Some(VerifyCommand::Merge(args)) => join::run(args),
    }
}

/// Whether this runs in a CI system, where nobody looks at a picture before it is approved.
fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !["", "0", "false"].contains(&value.as_str()))
}

fn refuse_in_ci(what: &str) -> Result<(), Failure> {
    if !is_ci() {
        return Ok(());
    }
    let message =
        format!("`eyemap verify {what}` approves pictures, and CI=true: nobody has looked at them");
    Err(Failure::new(USAGE, message)
        .help("accept where you can look at the report, and commit what changes"))
}

/// What names a snapshot directory to the command; nothing for the default.
fn snapshots_argument(dir: &Path) -> String {
    match dir.as_os_str() == "snapshots" {
        true => String::new(),
        false => format!(" --snapshots {}", dir.display()),
    }
}

/// Where a comparison writes.
struct Places {
    snapshots: PathBuf,
    out: PathBuf,
    pending: PathBuf,
}

impl Places {
    /// Beside what was approved; below `out`, if that is given or this is a CI system.
    fn new(snapshots: &Path, out: Option<&Path>) -> Result<Self, Failure> {
        let apart = out.map(Path::to_owned);
        let apart = apart.or_else(|| is_ci().then(|| PathBuf::from(CI_OUT)));
        let kept = snapshots.join(REFERENCES_DIR);
        if let Some(out) = apart.as_ref().filter(|out| out.starts_with(&kept)) {
            let message = format!("{} is where approved pictures are kept", out.display());
            return Err(Failure::new(USAGE, message).help("name another directory with --out"));
        }
        Ok(Self {
            pending: match &apart {
                Some(out) => out.join(PENDING_DIR),
                None => snapshots.to_owned(),
            },
            out: apart.unwrap_or_else(|| snapshots.join(OUT)),
            snapshots: snapshots.to_owned(),
        })
    }

    fn outputs(&self, scale: f64) -> Outputs<'_> {
        Outputs {
            out: &self.out,
            snapshots: &self.snapshots,
            pending: &self.pending,
            scale,
        }
    }
}

impl From<ReferenceError> for Failure {
    fn from(error: ReferenceError) -> Self {
        let help = error.help();
        let code = match &error {
            error if error.is_missing() => MISSING,
            error if error.is_damage() => DAMAGED,
            _ => USAGE,
        };
        Self::with_cause(code, error).help(help)
    }
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Reference(error) => error.into(),
            error => usage(error.help(), error),
        }
    }
}

impl From<AcceptError> for Failure {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::Reference(error) => error.into(),
            error => usage(error.help(), error),
        }
    }
}

impl From<MergeError> for Failure {
    fn from(error: MergeError) -> Self {
        let damage = error.is_damage();
        let failure = usage(error.help(), error);
        if damage {
            failure.with_code(DAMAGED)
        } else {
            failure
        }
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        usage(error.help(), error)
    }
}

impl From<DecisionsError> for Failure {
    fn from(error: DecisionsError) -> Self {
        usage(error.help(), error)
    }
}

impl From<GoldenError> for Failure {
    fn from(error: GoldenError) -> Self {
        usage(error.help(), error)
    }
}

impl From<GuardError> for Failure {
    fn from(error: GuardError) -> Self {
        let off = "--guard 0 leaves the guard out";
        let help = match &error {
            GuardError::Stage(error) => error.help().map(|help| format!("{help}; {off}")),
            _ => None,
        };
        Self::with_cause(USAGE, error).help(help.unwrap_or_else(|| off.into()))
    }
}

/// An error of arguments, configuration or input, with what to do about it.
fn usage(help: String, error: impl std::error::Error) -> Failure {
    Failure::with_cause(USAGE, error).help(help)
}
