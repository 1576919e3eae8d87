//! What is kept, for how long and by whose decision: `[cache]` and a table for each cache.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Period, Size, read::null_in};
use crate::cache::{CacheMode, CacheName, Ttl, TtlMode};

/// What is kept: `[cache]`. Nothing here changes a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CacheConfig {
    /// Who decides what leaves a full cache: a plugin (an id, the last part of an id with or without
    /// `-policy`, or a path with a `/`), or `quick`, which is built in. Default: `gdsf-cost`.
    pub policy: String,
    /// The most that each cache in memory may hold, as a size (`"256 MiB"`); 0 turns caches off.
    /// Default: 256 MiB.
    pub capacity: Size,
    /// Whether caches are used: `auto` (where they save time), `on`, `off`. Default: `auto`.
    pub mode: CacheMode,
    /// How long entries live, as a time (`"1h"`). Default: for ever.
    pub ttl: Option<Period>,
    /// From when they live: `write` (when they came in) or `access` (when they were last used).
    /// Default: `write`.
    pub ttl_mode: TtlMode,
    /// The policy plugin's own table; `eyemap plugin list --schema` shows its keys. Default: empty.
    pub policy_options: Map<String, Value>,
    /// Other choices for the places of columns.
    pub coordinates: CacheOverride,
    /// Other choices for the colours of hexagons.
    pub colors: CacheOverride,
    /// Other choices for the texts of maps.
    pub metadata: CacheOverride,
    /// Other choices for encoded maps, and where they are stored.
    pub artifacts: ArtifactsConfig,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            policy: "gdsf-cost".into(),
            capacity: Size::of_bytes(256 << 20),
            mode: CacheMode::Auto,
            ttl: None,
            ttl_mode: TtlMode::Write,
            policy_options: Map::new(),
            coordinates: CacheOverride::default(),
            colors: CacheOverride::default(),
            metadata: CacheOverride::default(),
            artifacts: ArtifactsConfig::default(),
        }
    }
}

/// What one cache does in its own way: `[cache.coordinates]`, `[cache.colors]`, `[cache.metadata]`.
/// A key that is not given is that of `[cache]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CacheOverride {
    /// Who decides; `policy_options` of `[cache]` are not for another policy than that of `[cache]`.
    pub policy: Option<String>,
    /// The policy's own table, in place of the whole of that in `[cache]`.
    pub policy_options: Option<Map<String, Value>>,
    /// The most that it may hold.
    pub capacity: Option<Size>,
    /// Whether it is used.
    pub mode: Option<CacheMode>,
    /// How long entries live.
    pub ttl: Option<Period>,
    /// From when they live.
    pub ttl_mode: Option<TtlMode>,
}

/// Encoded maps: `[cache.artifacts]`. A key that is not given is that of `[cache]`, except for the
/// capacity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ArtifactsConfig {
    /// The directory in which they outlive the program, relative to the configuration file.
    /// Default: none, so that nothing is stored.
    pub store: Option<PathBuf>,
    /// Who decides; `policy_options` of `[cache]` are not for another policy than that of `[cache]`.
    pub policy: Option<String>,
    /// The policy's own table, in place of the whole of that in `[cache]`.
    pub policy_options: Option<Map<String, Value>>,
    /// The most that the store may hold, as a size. Default: 10 GiB.
    pub capacity: Size,
    /// Whether it is used.
    pub mode: Option<CacheMode>,
    /// How long entries live.
    pub ttl: Option<Period>,
    /// From when they live.
    pub ttl_mode: Option<TtlMode>,
}

impl Default for ArtifactsConfig {
    fn default() -> Self {
        Self {
            store: None,
            policy: None,
            policy_options: None,
            capacity: Size::of_bytes(10 << 30),
            mode: None,
            ttl: None,
            ttl_mode: None,
        }
    }
}

impl ArtifactsConfig {
    fn overrides(&self) -> CacheOverride {
        CacheOverride {
            policy: self.policy.clone(),
            policy_options: self.policy_options.clone(),
            capacity: Some(self.capacity),
            mode: self.mode,
            ttl: self.ttl,
            ttl_mode: self.ttl_mode,
        }
    }
}

/// What holds for one cache, and which keys say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedCache {
    /// Whether it is used; never `On` or `Auto` with a capacity of 0.
    pub mode: CacheMode,
    /// Who decides, as it was written.
    pub policy: String,
    /// The options of the policy as canonical JSON (keys sorted).
    pub policy_options: String,
    /// The most that it may hold, in bytes.
    pub capacity_bytes: u64,
    /// How long entries live; none is for ever.
    pub ttl: Option<Ttl>,
    /// The key that names the policy: `cache.policy`, `cache.colors.policy`.
    pub policy_key: String,
    /// The table with its options: `cache.policy_options`, `cache.colors.policy_options`.
    pub options_key: String,
}

impl CacheConfig {
    /// What holds for a cache: its own table over `[cache]`.
    pub fn of(&self, name: CacheName) -> ResolvedCache {
        let over = self.overrides(name);
        let at = |own: bool, key: &str| match own {
            true => format!("cache.{}.{key}", name.word()),
            false => format!("cache.{key}"),
        };
        let other = over.policy.as_ref().filter(|name| **name != self.policy);
        let own_options = over.policy_options.is_some() || other.is_some();
        let options = match over.policy_options {
            Some(ref own) => own.clone(),
            None if other.is_some() => Map::new(),
            None => self.policy_options.clone(),
        };
        let capacity = over.capacity.unwrap_or(self.capacity);
        let time = over.ttl.or(self.ttl).map(Period::duration);
        let mode = over.ttl_mode.unwrap_or(self.ttl_mode);
        ResolvedCache {
            mode: match capacity.bytes() {
                0 => CacheMode::Off,
                _ => over.mode.unwrap_or(self.mode),
            },
            policy_key: at(over.policy.is_some(), "policy"),
            policy: over.policy.unwrap_or_else(|| self.policy.clone()),
            policy_options: Value::Object(options).to_string(),
            options_key: at(own_options, "policy_options"),
            capacity_bytes: capacity.bytes(),
            ttl: time.map(|time| Ttl { time, mode }),
        }
    }

    /// The table of the store with every key that holds for it, wherever it was written, and the policy
    /// that decides, which is not `quick`.
    pub fn settled_artifacts(&self, policy: &str) -> ArtifactsConfig {
        let own = &self.artifacts;
        let resolved = self.of(CacheName::Artifacts);
        let options = serde_json::from_str(&resolved.policy_options).unwrap_or_default();
        ArtifactsConfig {
            store: None,
            policy: Some(policy.to_owned()),
            policy_options: Some(options).filter(|_| resolved.policy == policy),
            capacity: own.capacity,
            mode: None,
            ttl: own.ttl.or(self.ttl),
            ttl_mode: Some(own.ttl_mode.unwrap_or(self.ttl_mode)),
        }
    }

    fn overrides(&self, name: CacheName) -> CacheOverride {
        match name {
            CacheName::Coordinates => self.coordinates.clone(),
            CacheName::Colors => self.colors.clone(),
            CacheName::Metadata => self.metadata.clone(),
            CacheName::Artifacts => self.artifacts.overrides(),
        }
    }

    /// All policies that are named.
    pub(super) fn policies(&self) -> impl Iterator<Item = &str> {
        let overrides = [
            &self.coordinates.policy,
            &self.colors.policy,
            &self.metadata.policy,
            &self.artifacts.policy,
        ];
        let overrides = overrides.into_iter().flatten().map(String::as_str);
        std::iter::once(self.policy.as_str()).chain(overrides)
    }

    /// All places that name a policy.
    pub(super) fn policies_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let overrides = [
            &mut self.coordinates.policy,
            &mut self.colors.policy,
            &mut self.metadata.policy,
            &mut self.artifacts.policy,
        ];
        std::iter::once(&mut self.policy).chain(overrides.into_iter().flatten())
    }

    /// The first key whose value is out of its range.
    pub(super) fn wrong_value(&self) -> Option<(String, String)> {
        let of = |over: &'_ CacheOverride| (over.policy.clone(), over.policy_options.clone());
        let base = (Some(self.policy.clone()), Some(self.policy_options.clone()));
        let own = CacheName::ALL
            .map(|name| (format!("cache.{}", name.word()), of(&self.overrides(name))));
        if self
            .artifacts
            .store
            .as_ref()
            .is_some_and(|dir| dir.as_os_str().is_empty())
        {
            let message = "name a directory, such as .eyemap/cache, or leave the key out";
            return Some(("cache.artifacts.store".into(), message.into()));
        }
        let mut tables = std::iter::once(("cache".to_owned(), base)).chain(own);
        tables.find_map(|(table, (policy, options))| {
            if policy.is_some_and(|policy| policy.trim().is_empty()) {
                let message = "name a policy: a plugin such as gdsf-cost, or quick";
                return Some((format!("{table}.policy"), message.into()));
            }
            let options = options.unwrap_or_default();
            let path = |key: &str| format!("{table}.policy_options.{key}");
            let path = options
                .iter()
                .find_map(|(key, value)| null_in(value, path(key)))?;
            Some((path, "nan and inf are no values".into()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, ConfigError, Source};
    use super::*;

    fn parse(text: &str) -> Result<CacheConfig, ConfigError> {
        let source = Source {
            path: PathBuf::new(),
            text: text.into(),
        };
        Config::parse(&source).map(|config| config.cache)
    }

    #[test]
    fn a_table_of_one_cache_goes_over_that_of_all() {
        let cache = parse(
            "[cache]\npolicy = \"sieve\"\nttl = \"1h\"\n[cache.policy_options]\nb = 1\na = 2\n\
             [cache.colors]\npolicy = \"arc\"\nmode = \"on\"\nttl_mode = \"access\"\n\
             [cache.metadata]\ncapacity = 0\n[cache.metadata.policy_options]\nc = 3\n",
        )
        .expect("a configuration");
        let coordinates = cache.of(CacheName::Coordinates);
        assert_eq!(coordinates.policy_options, "{\"a\":2,\"b\":1}");
        assert_eq!(coordinates.options_key, "cache.policy_options");
        assert_eq!(coordinates.capacity_bytes, 256 << 20);
        let hour = std::time::Duration::from_secs(3600);
        let ttl = |mode| Some(Ttl { time: hour, mode });
        assert_eq!(coordinates.ttl, ttl(TtlMode::Write));

        let colors = cache.of(CacheName::Colors);
        assert_eq!(
            (colors.policy.as_str(), colors.mode),
            ("arc", CacheMode::On)
        );
        assert_eq!(colors.policy_options, "{}");
        assert_eq!(colors.policy_key, "cache.colors.policy");
        assert_eq!(colors.options_key, "cache.colors.policy_options");
        assert_eq!(colors.ttl, ttl(TtlMode::Access));

        let metadata = cache.of(CacheName::Metadata);
        assert_eq!(metadata.policy_options, "{\"c\":3}");
        assert_eq!(
            (metadata.mode, metadata.capacity_bytes),
            (CacheMode::Off, 0)
        );
        assert_eq!(cache.of(CacheName::Artifacts).capacity_bytes, 10 << 30);
    }

    #[test]
    fn the_same_policy_named_again_keeps_its_options() {
        let cache = parse(
            "[cache]\npolicy = \"sieve\"\npolicy_options = { a = 1 }\n\
             [cache.artifacts]\npolicy = \"sieve\"\n",
        )
        .expect("a configuration");
        let artifacts = cache.of(CacheName::Artifacts);
        assert_eq!(artifacts.policy_options, "{\"a\":1}");
        assert_eq!(artifacts.policy_key, "cache.artifacts.policy");
    }

    #[test]
    fn what_was_read_is_written_as_it_is_read() {
        let text = "[cache]\ncapacity = 1048576\nttl = \"1h\"\n[cache.artifacts]\nttl = \"30d\"\n";
        let cache = parse(text).expect("a configuration");
        let written = toml::to_string(&cache).expect("TOML");
        assert!(written.contains("capacity = \"1 MiB\""), "{written}");
        assert_eq!(toml::from_str::<CacheConfig>(&written), Ok(cache));
    }

    #[test]
    fn a_wrong_value_is_named_with_its_place() {
        for (text, place, part) in [
            (
                "capacity = \"256 potatoes\"",
                (2, 12),
                "\"256 potatoes\" is no size: write a size such as \"256 MiB\"",
            ),
            ("capacity = -1", (2, 12), "cannot be negative"),
            ("capacity = 1.5", (2, 12), "expected a size: write"),
            ("capacity = \"\"", (2, 12), "a size is empty"),
            (
                "ttl = 3600",
                (2, 7),
                "3600 has no unit: write a time such as",
            ),
            ("ttl = \"0s\"", (2, 7), "nothing would be kept"),
            ("mode = \"maybe\"", (2, 8), "`auto`, `on`, `off`"),
            ("ttl_mode = \"read\"", (2, 12), "`write`"),
            ("capacty = 1", (2, 1), "unknown key `capacty` in [cache]"),
            ("policy = \"\"", (2, 1), "cache.policy: name a policy"),
            (
                "colors = { stor = 1 }",
                (2, 12),
                "unknown key `stor` in [cache.colors]",
            ),
            ("artifacts = { ttl = 1 }", (2, 21), "1 has no unit"),
            (
                "policy_options = { a = [nan] }",
                (2, 25),
                "cache.policy_options.a[0]: nan and inf",
            ),
            (
                "colors = { policy_options = { a = inf } }",
                (2, 31),
                "cache.colors.policy_options.a: nan and inf",
            ),
        ] {
            let error = parse(&format!("[cache]\n{text}\n")).expect_err(text);
            assert!(error.message.contains(part), "{text}: {error}");
            assert_eq!(error.line_column(), Some(place), "{text}: {error}");
        }
    }
}
