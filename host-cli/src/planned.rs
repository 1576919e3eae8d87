//! A render that shares its work: it draws a shard, by a plan or without one.

use std::path::{Path, PathBuf};

use eyemap_engine::{
    config::{Config, Source},
    dataset::Dataset,
    draw::DrawOptions,
    ingest::table_files,
    pipeline::{Pipeline, Request},
    plan::{Choice, Drawn, Estimate, PlanFile, Shard, requests_of, units},
    plugins::Finder,
    render::{Archiving, all_formats},
};

use crate::{
    args::RenderArgs,
    failure::{Failure, USAGE},
    session,
};

/// What a render shares with others.
pub(crate) struct Shared {
    plan: Option<PlanFile>,
    shard: Option<Shard>,
}

/// Reads the plan, if there is one, and gives the arguments what it says of tables and configuration.
pub(crate) fn complete(args: &RenderArgs) -> Result<(RenderArgs, Shared), Failure> {
    let plan = args.plan.as_deref().map(PlanFile::read).transpose()?;
    let mut args = args.clone();
    if let Some(plan) = &plan {
        if args.table.tables.is_empty() {
            args.table.tables = plan.tables.iter().map(|table| table.path.clone()).collect();
        }
        if let (Some(ours), theirs) = (&args.table.config, &plan.config)
            && theirs
                .as_deref()
                .is_none_or(|theirs| !is_same(ours, theirs))
        {
            return Err(contradiction("--config"));
        }
        args.table.config.clone_from(&plan.config);
        if args.table.atlas.is_none() {
            args.table.atlas = plan.atlas.as_ref().map(|atlas| atlas.path.clone());
        }
    }
    let shard = args.shard;
    Ok((args, Shared { plan, shard }))
}

fn is_same(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path));
    real(a) == real(b)
}

fn contradiction(what: &str) -> Failure {
    Failure::new(USAGE, format!("{what} contradicts the plan"))
        .help("leave it out, or plan again with it")
}

impl Shared {
    /// Puts what the plan chose into the configuration.
    pub(crate) fn choose(&self, config: &mut Config) {
        if let Some(plan) = &self.plan {
            plan.choice.apply(config);
        }
    }

    /// Arguments may repeat the plan, not contradict it.
    pub(crate) fn check_arguments(&self, config: &Config) -> Result<(), Failure> {
        let Some(plan) = &self.plan else {
            return Ok(());
        };
        let (ours, theirs) = (Choice::of(config), &plan.choice);
        let what = match () {
            () if ours.select != theirs.select => "--type, --region, --side or --metric",
            () if ours.range != theirs.range => "--range",
            () if ours.output != theirs.output => {
                "--format, --scale, --index, --archive or --archive-maps"
            }
            () => return Ok(()),
        };
        Err(contradiction(what))
    }

    /// Whether everything is as it was when the plan was made. Nothing is loaded for it: what has changed is
    /// not to run.
    pub(crate) fn check(
        &self,
        args: &RenderArgs,
        config: &Config,
        source: &Source,
        finder: &Finder,
    ) -> Result<(), Failure> {
        let Some(plan) = &self.plan else {
            return Ok(());
        };
        let stages = Pipeline::look(config, finder);
        plan.check_stages(
            config,
            &stages.map_err(|error| Failure::stage(error, source))?,
        )?;
        let tables = table_files(&args.table.tables)?;
        plan.check_sources(&tables, session::atlas(&args.table, config))?;
        Ok(())
    }

    /// Whether what was loaded is what was looked at.
    pub(crate) fn check_loaded(&self, config: &Config, pipeline: &Pipeline) -> Result<(), Failure> {
        match &self.plan {
            Some(plan) => Ok(plan.check_stages(config, &pipeline.identities())?),
            None => Ok(()),
        }
    }

    /// Leaves the requests of the shard, and says how maps go into archives.
    pub(crate) fn cut(
        &self,
        dataset: &Dataset,
        config: &Config,
        requests: &mut Vec<Request>,
    ) -> Archiving {
        let mut archive = Archiving {
            kind: config.output.archive,
            maps: config.output.archive_maps,
            first: 0,
        };
        let Some(shard) = self.shard else {
            return archive;
        };
        let formats = all_formats(&config.output.formats, config.output.index);
        let estimate = Estimate::new(dataset, &formats, DrawOptions::scaled(config.output.scale));
        let range = requests_of(&units(requests, config.output.archived(), &estimate), shard);
        archive.first = (range.start / archive.maps) as u64;
        *requests = requests[range].to_vec();
        archive
    }

    /// What tells this part from others; empty for the whole without a plan.
    pub(crate) fn name(&self) -> String {
        let plan = self.plan.as_ref().map_or("", |_| " by a plan");
        let shard = self.shard.map(|shard| format!(" shard {shard}"));
        format!("{plan}{}", shard.unwrap_or_default())
    }

    /// What is drawn with, by which `merge` tells shards of this plan from others.
    pub(crate) fn drawn_with(&self, config: &Config, pipeline: &Pipeline) -> String {
        Drawn::of(config, pipeline, self.plan.as_ref()).to_line()
    }
}
