//! `eyemap verify merge` and `eyemap verify report`.

use std::process::ExitCode;

use eyemap_engine::{
    config::Config,
    verify::{Compared, PENDING_DIR, References, Settings, merge, read_findings},
};

use super::{Places, told};
use crate::{
    args::{AgainArgs, JoinArgs},
    failure::{Failure, USAGE},
    session,
};

pub(super) fn run(args: &JoinArgs) -> Result<ExitCode, Failure> {
    let dir = &args.snapshots.snapshots;
    let references = References::read(dir)?;
    let parts = args.parts.iter().map(|part| read_findings(part));
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    let scale = scale(dir)?;
    let places = Places::new(dir, args.out.as_deref())?;
    let outputs = places.outputs(scale);
    if args.parts.iter().any(|part| part == &places.out) {
        let message = format!("{} is one of the parts", places.out.display());
        return Err(Failure::new(USAGE, message).help("name another directory with --out"));
    }
    let kept = parts.clone();
    let findings = merge(parts, &references)?;
    outputs.begin()?;
    for (part, findings) in args.parts.iter().zip(&kept) {
        outputs.take_over(part, findings)?;
    }
    let compared = Compared::from(findings);
    told::tell(&places, &compared, (scale, args.snapshots.json))
}

pub(super) fn report(args: &AgainArgs) -> Result<ExitCode, Failure> {
    let dir = &args.snapshots.snapshots;
    let mut places = Places::new(dir, args.out.as_deref())?;
    if args.out.is_some() && !places.out.join(PENDING_DIR).exists() {
        places.pending.clone_from(dir);
    }
    let compared = Compared::from(places.outputs(1.0).findings()?);
    told::tell(&places, &compared, (scale(dir)?, args.snapshots.json))
}

/// Pixels of a PNG for each px: as the settings say, else the configuration that they name.
pub(super) fn scale(dir: &std::path::Path) -> Result<f64, Failure> {
    let settings = Settings::read(dir)?;
    let config = match (&settings.scale, &settings.config) {
        (None, Some(config)) => session::config(Some(&dir.join(config)))?.0,
        _ => Config::default(),
    };
    Ok(settings.scale.unwrap_or(config.output.scale))
}
