//! Reads the configuration file; every error has a line, a column and a remedy.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::Deserialize as _;
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::{CacheConfig, Config, PluginsConfig, StagesConfig, columns, schema};
use crate::{model::LARGEST, plugins};

/// A configuration file as text, kept so that later errors can point into it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// The file; empty when there is none.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// What is wrong with a configuration, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file and its text.
    pub source: Source,
    /// Byte range in the text, if a place is to blame.
    pub span: Option<std::ops::Range<usize>>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl ConfigError {
    /// Line and column, from 1.
    pub fn line_column(&self) -> Option<(usize, usize)> {
        let before = self.source.text.get(..self.span.as_ref()?.start)?;
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .map_or(0, |line| line.chars().count())
            + 1;
        Some((line, column))
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line_column(), self.source.path.as_os_str().is_empty()) {
            (Some((line, column)), false) => {
                write!(
                    f,
                    "{}, line {line}, column {column}: ",
                    self.source.path.display()
                )?;
            }
            (None, false) => write!(f, "{}: ", self.source.path.display())?,
            (_, true) => {}
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads a configuration file. Paths in it become relative to its directory.
    ///
    /// # Errors
    /// When it cannot be read, is not TOML, has an unknown key or a value out of its range.
    pub fn read(path: &Path) -> Result<(Self, Source), ConfigError> {
        let mut source = Source {
            path: path.into(),
            text: String::new(),
        };
        let unreadable = |error: String| ConfigError {
            source: Source {
                path: path.into(),
                text: String::new(),
            },
            span: None,
            message: format!("the configuration cannot be read: {error}"),
            help: Some("name an existing TOML file with --config".into()),
        };
        let mut opened = plugins::read(path).map_err(|error| unreadable(error.to_string()))?;
        let text = String::from_utf8(std::mem::take(&mut opened.bytes));
        source.text = text.map_err(|error| unreadable(error.to_string()))?;
        let mut config = Self::parse(&source)?;
        if let Some(key) = config.names_code()
            && let Err(error) = opened.check_editors(path)
        {
            return Err(ConfigError {
                span: source.locate(key),
                message: format!("{key}: {error}"),
                help: Some(error.help()),
                source,
            });
        }
        config.resolve(path.parent().unwrap_or(Path::new("")));
        Ok((config, source))
    }

    /// Reads a configuration from text; paths stay as they are.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(source: &Source) -> Result<Self, ConfigError> {
        let at = |span, message: String, help| ConfigError {
            source: source.clone(),
            span,
            message,
            help,
        };
        let text = &source.text;
        let document = DeTable::parse(text)
            .map_err(|error| at(error.span(), error.message().to_owned(), None))?;
        if let Some(unknown) = schema::unknown_key(document.get_ref()) {
            return Err(at(Some(unknown.span), unknown.message, unknown.help));
        }
        let deserializer = toml::Deserializer::parse(text)
            .map_err(|error| at(error.span(), error.message().to_owned(), None))?;
        let mut config = Self::deserialize(deserializer)
            .map_err(|error| at(error.span(), error.message().to_owned(), None))?;
        config.stages.name_plugins();
        match config.wrong_value() {
            Some((key, message)) => Err(at(source.locate(&key), format!("{key}: {message}"), None)),
            None => Ok(config),
        }
    }

    /// The first key that decides which native code runs, or how.
    fn names_code(&self) -> Option<&'static str> {
        let (usual, policies) = (StagesConfig::default(), CacheConfig::default());
        let stages = &self.stages;
        let decided = [
            ("plugins", self.plugins != PluginsConfig::default()),
            (
                "stages.coordinate.plugin",
                stages.coordinate.plugin != usual.coordinate.plugin,
            ),
            (
                "stages.color.plugin",
                stages.color.plugin != usual.color.plugin,
            ),
            (
                "stages.metadata.plugin",
                stages.metadata.plugin != usual.metadata.plugin,
            ),
            ("cache", self.cache.policies().ne(policies.policies())),
        ];
        let mut decided = decided.into_iter();
        decided.find_map(|(key, it_is)| it_is.then_some(key))
    }

    /// Libraries that are named by their paths, and the keys that name them.
    pub fn libraries(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let stages = &self.stages;
        let stages = [
            (&stages.coordinate, "[stages.coordinate] plugin"),
            (&stages.color, "[stages.color] plugin"),
            (&stages.metadata, "[stages.metadata] plugin"),
        ];
        let stages = stages.map(|(stage, key)| (stage.plugin.as_str(), key));
        let policies = self
            .cache
            .policies()
            .map(|policy| (policy, "[cache] policy"));
        let named = stages.into_iter().chain(policies);
        named.filter(|(name, _)| name.contains('/'))
    }

    /// The first key whose value is out of its range.
    pub fn wrong_value(&self) -> Option<(String, String)> {
        let map = &self.map;
        let numbers = [
            ("map.hex_size_px", map.hex_size_px, 1e-3, 1e3),
            ("map.spacing", map.spacing, 0.1, 100.0),
            ("map.margin_px", map.margin_px, 0.0, 1e4),
            ("map.min_width_px", map.min_width_px, 0.0, 1e5),
            ("map.min_height_px", map.min_height_px, 0.0, 1e5),
            ("output.scale", self.output.scale, 0.1, 8.0),
            (
                "output.archive_maps",
                self.output.archive_maps as f64,
                1.0,
                1e6,
            ),
        ];
        for (key, value, low, high) in numbers {
            if !(low..=high).contains(&value) {
                return Some((
                    key.into(),
                    format!("{value} is not between {low} and {high}"),
                ));
            }
        }
        if self.output.formats.is_empty() {
            let message = "no format is named, so nothing would be drawn: \
                           name some of svg, svg-static, png, json";
            return Some(("output.formats".into(), message.into()));
        }
        if self.run.jobs > MAX_JOBS {
            let message = format!("{} threads: give up to {MAX_JOBS}, or 0", self.run.jobs);
            return Some(("run.jobs".into(), message));
        }
        self.wrong_range()
            .or_else(|| self.wrong_names())
            .or_else(|| columns::wrong_value("table.columns", &self.table.columns))
            .or_else(|| columns::wrong_value("atlas.columns", &self.atlas.columns))
            .or_else(|| self.stages.wrong_number())
            .or_else(|| self.cache.wrong_value())
            .or_else(|| self.memory.wrong_value())
            .or_else(|| self.monitor.wrong_value())
            .or_else(|| self.plugins.contained.wrong_value())
    }

    fn wrong_range(&self) -> Option<(String, String)> {
        for (metric, range) in &self.range {
            if !self.metrics.contains_key(metric) {
                let known: Vec<_> = self.metrics.keys().map(String::as_str).collect();
                let message = format!("there is no such metric, only {}", known.join(", "));
                return Some((format!("range.{metric}"), message));
            }
            for (part, range) in [("whole", range.whole), ("layer", range.layer)] {
                let Some([low, high]) = range else { continue };
                let lie_within = [low, high].iter().all(|end| end.abs() <= LARGEST);
                if !(lie_within && low < high) {
                    let message = format!(
                        "[{low}, {high}] is no range: the first must be smaller, and both lie between \
                         -1e100 and 1e100"
                    );
                    return Some((format!("range.{metric}.{part}"), message));
                }
            }
        }
        None
    }

    fn wrong_names(&self) -> Option<(String, String)> {
        let regions: Vec<_> = self.regions.iter().map(|region| &region.name).collect();
        let metrics: Vec<_> = self.metrics.keys().collect();
        for (key, names) in [("regions", regions), ("metrics", metrics)] {
            if names.is_empty() || names.len() > 64 {
                return Some((key.into(), format!("{} of them: give 1 to 64", names.len())));
            }
            // They become directories, which some file systems tell apart by other letters only.
            let mut seen = std::collections::BTreeSet::new();
            for name in names {
                let message = if name.is_empty() {
                    "a name is empty".into()
                } else if name.len() > MAX_NAME_BYTES {
                    format!("the name {name:?} is longer than {MAX_NAME_BYTES} bytes")
                } else if !seen.insert(name.to_lowercase()) {
                    format!("the name {name:?} is there already, at most in other case")
                } else {
                    continue;
                };
                return Some((key.into(), message));
            }
        }
        let crowded = self
            .regions
            .iter()
            .find(|region| region.layers.len() > MAX_LAYERS)?;
        Some((
            "regions".into(),
            format!("{:?} has more than {MAX_LAYERS} layers", crowded.name),
        ))
    }
}

impl StagesConfig {
    /// TOML knows `nan` and `inf`, the JSON that plugins get does not and makes them null, which
    /// reads as "not given".
    fn wrong_number(&self) -> Option<(String, String)> {
        let stages = [
            ("coordinate", &self.coordinate),
            ("color", &self.color),
            ("metadata", &self.metadata),
        ];
        stages.into_iter().find_map(|(name, stage)| {
            let mut keys = stage.config.iter();
            let path = |key| format!("stages.{name}.config.{key}");
            let path = keys.find_map(|(key, value)| null_in(value, path(key)))?;
            Some((path, "nan and inf are no values".into()))
        })
    }
}

/// The path of the first null.
pub(super) fn null_in(value: &Value, path: String) -> Option<String> {
    match value {
        Value::Null => Some(path),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(i, item)| null_in(item, format!("{path}[{i}]")))
        }
        Value::Object(keys) => keys
            .iter()
            .find_map(|(key, value)| null_in(value, format!("{path}.{key}"))),
        _ => None,
    }
}

/// More threads than any machine of today can use.
const MAX_JOBS: usize = 1024;
/// Names become directories, so they are short.
const MAX_NAME_BYTES: usize = 60;
/// More layers than any neuropil has; a limit on what a hostile file can ask for.
const MAX_LAYERS: usize = 1000;

impl Source {
    /// Finds a key, written as a path such as `stages.color.config.palette[2]`, or else the nearest
    /// table around it.
    pub fn locate(&self, path: &str) -> Option<std::ops::Range<usize>> {
        let document = DeTable::parse(&self.text).ok()?;
        let mut table = Some(document.get_ref());
        let mut value: Option<&toml::Spanned<DeValue<'_>>> = None;
        let mut span = None;
        for step in path
            .split(['.', '['])
            .map(|step| step.trim_end_matches(']'))
        {
            let next = match (table, value.map(toml::Spanned::get_ref)) {
                (Some(table), _) => table
                    .get_key_value(step)
                    .map(|(key, value)| (key.span(), value)),
                (None, Some(DeValue::Array(items))) => step
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| items.get(index))
                    .map(|item| (item.span(), item)),
                _ => None,
            };
            let Some((key, found)) = next else { break };
            span = Some(key);
            value = Some(found);
            table = match found.get_ref() {
                DeValue::Table(table) => Some(table),
                _ => None,
            };
        }
        span
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_that_is_only_configured_keeps_the_plugin_of_the_project() {
        let source = Source {
            path: PathBuf::new(),
            text: "[stages.color.config]\npalette = \"viridis\"\n".into(),
        };
        let config = Config::parse(&source).expect("a configuration");
        assert_eq!(config.stages.color.plugin, "binned-color");
        assert_eq!(config.stages.color.config["palette"], "viridis");
    }

    #[test]
    fn a_plugin_is_not_given_a_number_that_json_cannot_say() {
        let source = Source {
            path: PathBuf::new(),
            text: "[stages.color.config]\nedges = [1, { at = nan }]\n".into(),
        };
        let error = Config::parse(&source).expect_err("refused");
        assert!(
            error
                .message
                .starts_with("stages.color.config.edges[1].at:"),
            "{error}"
        );
        assert_eq!(error.line_column(), Some((2, 15)));
    }
}
