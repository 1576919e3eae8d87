//! What maps were drawn with, so that shards of another configuration are not taken for those of a plan.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use super::{
    PlanFile, Source, Stage,
    file::{changed_stage, configuration, engine},
};
use crate::{
    config::{Config, RangeConfig},
    pipeline::Pipeline,
};

/// All that reaches a picture, beside which maps were chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drawn {
    engine: String,
    plugins: Vec<Stage>,
    configuration: String,
    range: BTreeMap<String, RangeConfig>,
    scale: f64,
    /// Of a run without a plan nobody hashed them.
    sources: Option<Sources>,
}

/// Hashes of what was drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Sources {
    tables: Vec<String>,
    atlas: Option<String>,
}

impl Sources {
    fn of(plan: &PlanFile) -> Self {
        let hash = |source: &Source| source.blake3.clone();
        Self {
            tables: plan.tables.iter().map(hash).collect(),
            atlas: plan.atlas.as_ref().map(hash),
        }
    }
}

impl Drawn {
    /// What a run draws with: by a plan whose sources were found to be the same, or without one.
    pub fn of(config: &Config, pipeline: &Pipeline, plan: Option<&PlanFile>) -> Self {
        Self {
            engine: engine(),
            plugins: Stage::all(&pipeline.identities()),
            configuration: configuration(config),
            range: config.range.clone(),
            scale: config.output.scale,
            sources: plan.map(Sources::of),
        }
    }

    /// As a line of text.
    pub fn to_line(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// What is other in a directory whose maps were drawn in these ways than in a plan; nothing if it was
    /// drawn by it.
    pub fn difference(lines: &[String], plan: &PlanFile) -> Option<String> {
        if lines.is_empty() {
            return Some("it does not say what it was drawn with".into());
        }
        lines.iter().find_map(|line| {
            let drawn = serde_json::from_str::<Self>(line);
            match drawn {
                Ok(drawn) => drawn.other_than(plan),
                Err(_) => Some("it does not say of all its maps what they were drawn with".into()),
            }
        })
    }

    fn other_than(&self, plan: &PlanFile) -> Option<String> {
        let path = plan.config.as_deref().unwrap_or(Path::new("the defaults"));
        let what = match () {
            () if self.engine != plan.engine => {
                format!("the engine ({}, not {})", self.engine, plan.engine)
            }
            () if self.plugins != plan.plugins => changed_stage(&self.plugins, &plan.plugins),
            () if self.configuration != plan.configuration => {
                format!("the configuration ({})", path.display())
            }
            () if self.range != plan.choice.range => "a colour range".into(),
            () if self.scale != plan.choice.output.scale => format!(
                "the scale of PNGs ({}, not {})",
                self.scale, plan.choice.output.scale
            ),
            () => return self.other_sources(plan),
        };
        Some(format!("{what} was another when it was drawn"))
    }

    fn other_sources(&self, plan: &PlanFile) -> Option<String> {
        match &self.sources {
            None => Some("it was drawn without a plan, and does not say from which table".into()),
            Some(sources) if sources.tables != Sources::of(plan).tables => {
                Some("it was drawn from another table".into())
            }
            Some(sources) if *sources != Sources::of(plan) => {
                Some("it was drawn with another atlas".into())
            }
            Some(_) => None,
        }
    }
}
