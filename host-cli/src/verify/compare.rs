//! `eyemap verify`: draw, compare, tell.

use std::{path::Path, process::ExitCode, sync::atomic::AtomicBool};

use eyemap_engine::{
    draw::DrawOptions,
    pipeline::Maps,
    plugins::{Finder, LOCK_FILE, Lock, SearchDir},
    verify::{
        CompareOptions, Compared, Finding, Guard, References, Settings, Tolerance,
        ToleranceSettings, Way, add_unstable, compare,
    },
};

use super::{
    Places,
    subject::{Making, Subject},
    told,
};
use crate::{
    args::CompareArgs,
    failure::{Failure, MISSING, USAGE},
    progress::Progress,
    session,
};

pub(super) fn run(args: &CompareArgs) -> Result<ExitCode, Failure> {
    let dir = &args.snapshots.snapshots;
    // That nothing was ever approved explains more than settings that are not there.
    let references = References::read(dir)?;
    let settings = Settings::read(dir).map_err(|error| {
        let failure = Failure::from(error);
        if dir.join(eyemap_engine::verify::SETTINGS_FILE).exists() {
            failure
        } else {
            failure.with_code(MISSING)
        }
    })?;
    let tolerance = tolerance(args, &settings)?;
    let cancel = session::stop_on_interrupt()?;
    let making = Making {
        settings: &settings,
        dir,
        config: args.config.as_deref(),
        trusted: &args.trusted,
        jobs: args.jobs,
        json: args.snapshots.json,
        cancel: &cancel,
    };
    let subject = making.subject(args.plugin.as_deref())?;
    let places = Places::new(dir, args.out.as_deref())?;
    let compared = Comparison {
        args,
        subject: &subject,
        references: &references,
        settings: &settings,
        tolerance,
        places: &places,
        cancel: &cancel,
    }
    .run()?;
    let json = args.snapshots.json;
    told::tell(&places, &compared, (subject.config.output.scale, json))
}

/// What the arguments allow, else the settings.
fn tolerance(args: &CompareArgs, settings: &Settings) -> Result<Option<Tolerance>, Failure> {
    let asked = ToleranceSettings {
        color: args.tolerance_color.unwrap_or(settings.tolerance.color),
        place_px: args.tolerance_place.unwrap_or(settings.tolerance.place_px),
    };
    asked.tolerance(args.force_tolerance).map_err(|message| {
        Failure::new(USAGE, message).help("--force-tolerance allows it, and the report tells it")
    })
}

struct Comparison<'a> {
    args: &'a CompareArgs,
    subject: &'a Subject,
    references: &'a References,
    settings: &'a Settings,
    tolerance: Option<Tolerance>,
    places: &'a Places,
    cancel: &'a AtomicBool,
}

impl Comparison<'_> {
    fn run(&self) -> Result<Compared, Failure> {
        let subject = self.subject;
        let maps = subject.pipeline.maps(&subject.dataset);
        let outputs = self.places.outputs(subject.config.output.scale);
        outputs.begin()?;
        let mut compared = self.compare(&maps)?;
        if !compared.interrupted {
            add_unstable(self.guard()?, &mut compared.findings);
        }
        outputs.show_hashed(&maps, &subject.requests, &mut compared.findings)?;
        Ok(compared)
    }

    fn compare(&self, maps: &Maps<'_>) -> Result<Compared, Failure> {
        let config = &self.subject.config;
        let options = CompareOptions {
            references: self.references,
            keep: &self.settings.keep,
            formats: &config.output.formats,
            draw: DrawOptions::scaled(config.output.scale),
            texts: &self.subject.texts,
            tolerance: self.tolerance,
            shard: self.args.shard,
            jobs: config.run.jobs,
            pending: &self.places.pending,
            cancel: self.cancel,
        };
        let requests = &self.subject.requests;
        let quiet = self.args.snapshots.json;
        let progress = Progress::of_things("comparing", requests.len() as u64, quiet);
        let compared = compare(maps, requests, &options, &|| progress.step());
        progress.finish();
        Ok(compared?)
    }

    /// Draws a sample again in ways that must not matter.
    fn guard(&self) -> Result<Vec<Finding>, Failure> {
        let subject = self.subject;
        let guard = Guard {
            config: &subject.config,
            dataset: &subject.dataset,
            draw: DrawOptions::scaled(subject.config.output.scale),
            cancel: self.cancel,
        };
        let sample = guard.sample(&subject.requests, self.args.guard);
        if sample.is_empty() {
            return Ok(Vec::new());
        }
        let way = |name: &str, threads, caches, finder| Way {
            name: name.to_owned(),
            threads,
            caches,
            finder,
        };
        let ours = &subject.finder;
        let mut ways = vec![
            way("one thread", 1, false, ours),
            way("two threads", 2, true, ours),
        ];
        let others = self
            .args
            .guard_plugins
            .as_ref()
            .map(|dir| other_plugins(dir));
        let others = others.transpose()?;
        if let Some(others) = &others {
            ways.push(way("other plugins", 1, false, others));
        }
        Ok(guard.check(&sample, &ways)?)
    }
}

/// Plugins of another directory in the place of ours; it has to have a lock, as any.
fn other_plugins(dir: &Path) -> Result<Finder, Failure> {
    let lock = Lock::read(&dir.join(LOCK_FILE))?;
    Ok(Finder {
        locks: vec![lock],
        dirs: vec![SearchDir {
            path: dir.to_owned(),
            origin: "--guard-plugins",
        }],
        ..Finder::default()
    })
}
