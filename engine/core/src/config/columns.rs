//! Where each of our columns comes from: `[table.columns]` and `[atlas.columns]`.
//!
//! A column of the file, one value for all rows, a column whose values are translated, or a pattern that
//! takes a text such as `ME_R_col_10_18` apart. Patterns are compiled here, so that a wrong one is an
//! error of the configuration and not of the first row.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use regex::{Regex, RegexBuilder};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Columns that a pattern can give, in the order of groups without names; a name is needed for the layer.
const GROUPS: [&str; 5] = ["region", "side", "hex1", "hex2", "layer"];

/// The key whose pattern takes a text apart.
pub(crate) const PATTERN_KEY: &str = "column";

/// Bytes that a compiled pattern may take: patterns come from files that others wrote.
const MOST_PATTERN_BYTES: usize = 1 << 20;

/// Where one of our columns comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnSource {
    /// A column of the file, by its name.
    Named(String),
    /// One text for all rows.
    Constant(String),
    /// A column of the file with some values translated; others stay as they are.
    Mapped {
        /// Its name. Default: our name.
        column: Option<String>,
        /// Our value by the file's.
        map: BTreeMap<String, String>,
    },
    /// Parts of a text, for the key `column` alone.
    Pattern {
        /// The column that has the text.
        from: String,
        /// A regular expression with a group for each part.
        pattern: String,
        /// What happens to rows whose text does not match.
        unmatched: Unmatched,
    },
}

/// What happens to rows that a pattern does not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unmatched {
    /// The table is refused, naming the row.
    #[default]
    Error,
    /// The row is left out, and the report says how many were.
    Skip,
}

/// A column that is more than a name, as TOML writes it.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Parts {
    /// One text for all rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// The column of the file whose values are translated. Default: our name.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    /// Our value by the file's. Values that are not named stay as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    map: Option<BTreeMap<String, String>>,
    /// The column of the file that a pattern takes apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// A regular expression: four groups are region, side, hex1 and hex2; named groups, such as
    /// `(?P<layer>\d+)`, may be any of these and `layer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    /// Rows that the pattern does not match: `error` or `skip`. Default: `error`.
    #[serde(skip_serializing_if = "Option::is_none")]
    unmatched: Option<Unmatched>,
}

const FORMS: &str = "a column is \"its name in the file\", { value = \"the same for all rows\" }, \
                     { column = \"name\", map = { theirs = \"ours\" } } or, for `column`, \
                     { from = \"name\", pattern = '...' }";

impl Parts {
    fn source(self) -> Result<ColumnSource, String> {
        let Self {
            value,
            column,
            map,
            from,
            pattern,
            unmatched,
        } = self;
        match (value, map, from, pattern) {
            (Some(value), None, None, None) if column.is_none() && unmatched.is_none() => {
                Ok(ColumnSource::Constant(value))
            }
            (None, Some(map), None, None) if unmatched.is_none() => {
                Ok(ColumnSource::Mapped { column, map })
            }
            (None, None, Some(from), Some(pattern)) if column.is_none() => {
                Ok(ColumnSource::Pattern {
                    from,
                    pattern,
                    unmatched: unmatched.unwrap_or_default(),
                })
            }
            _ => Err(FORMS.into()),
        }
    }
}

impl From<&ColumnSource> for Parts {
    fn from(source: &ColumnSource) -> Self {
        match source.clone() {
            ColumnSource::Named(name) => Self {
                column: Some(name),
                ..Self::default()
            },
            ColumnSource::Constant(value) => Self {
                value: Some(value),
                ..Self::default()
            },
            ColumnSource::Mapped { column, map } => Self {
                column,
                map: Some(map),
                ..Self::default()
            },
            ColumnSource::Pattern {
                from,
                pattern,
                unmatched,
            } => Self {
                from: Some(from),
                pattern: Some(pattern),
                unmatched: Some(unmatched),
                ..Self::default()
            },
        }
    }
}

impl From<&str> for ColumnSource {
    fn from(name: &str) -> Self {
        Self::Named(name.into())
    }
}

impl Serialize for ColumnSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Named(name) => serializer.serialize_str(name),
            other => Parts::from(other).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ColumnSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Forms;
        impl<'de> de::Visitor<'de> for Forms {
            type Value = ColumnSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column of the file")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<ColumnSource, E> {
                Ok(name.into())
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<ColumnSource, A::Error> {
                let parts = Parts::deserialize(de::value::MapAccessDeserializer::new(map))?;
                parts.source().map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(Forms)
    }
}

impl JsonSchema for ColumnSource {
    fn schema_name() -> Cow<'static, str> {
        "ColumnSource".into()
    }

    /// That of the table, whose keys are checked; a name is a text and has none.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Parts::json_schema(generator)
    }
}

/// A pattern, ready for rows.
#[derive(Debug, Clone)]
pub(crate) struct RowPattern {
    pub(crate) regex: Regex,
    /// Numbers of the groups that give a column, by our name.
    pub(crate) groups: BTreeMap<&'static str, usize>,
}

impl RowPattern {
    /// Compiles a pattern and finds out what its groups are.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let regex = RegexBuilder::new(pattern)
            .size_limit(MOST_PATTERN_BYTES)
            .build()
            .map_err(|error| error.to_string())?;
        let names: Vec<Option<&str>> = regex.capture_names().skip(1).collect();
        let mut groups = BTreeMap::new();
        if names.iter().all(Option::is_none) {
            if names.len() != 4 {
                return Err(format!(
                    "it has {} groups; four are region, side, hex1 and hex2, in this order. For others, \
                     and where groups are optional, name them: (?P<hex1>\\d+)",
                    names.len()
                ));
            }
            groups.extend(GROUPS.into_iter().zip(1..=4));
        }
        for (index, name) in names.iter().enumerate() {
            let Some(name) = name else { continue };
            let Some(ours) = GROUPS.into_iter().find(|ours| ours == name) else {
                let known = GROUPS.join(", ");
                return Err(format!("the group {name:?} is none of {known}"));
            };
            groups.insert(ours, index + 1);
        }
        Ok(Self { regex, groups })
    }
}

/// The first column of `section` that makes no sense: its key, and why.
pub(super) fn wrong_value(
    section: &str,
    columns: &BTreeMap<String, ColumnSource>,
) -> Option<(String, String)> {
    let mut given = Vec::new();
    if let Some(ColumnSource::Pattern { pattern, .. }) = columns.get(PATTERN_KEY) {
        match RowPattern::new(pattern) {
            Ok(pattern) => given.extend(pattern.groups.into_keys()),
            Err(why) => return Some((format!("{section}.{PATTERN_KEY}.pattern"), why)),
        }
    }
    for (ours, source) in columns {
        let why = match source {
            ColumnSource::Pattern { .. } if ours != PATTERN_KEY => {
                format!(
                    "a pattern gives several columns: write `{PATTERN_KEY}` in place of `{ours}`"
                )
            }
            _ if given.contains(&ours.as_str()) => {
                format!("the pattern of `{PATTERN_KEY}` gives it too: leave one of the two out")
            }
            ColumnSource::Constant(value) if value.is_empty() => "the value is empty".into(),
            _ => continue,
        };
        return Some((format!("{section}.{ours}"), why));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Source};

    fn parse(line: &str) -> Result<ColumnSource, String> {
        let source = Source {
            text: format!("[table.columns]\n{line}\n"),
            ..Source::default()
        };
        let config = Config::parse(&source).map_err(|error| error.message)?;
        let columns = config.table.columns.into_values();
        columns.last().ok_or_else(|| "no column".into())
    }

    #[test]
    fn a_column_is_a_name_a_constant_a_translation_or_a_pattern() {
        assert_eq!(
            parse("side = \"hemi\""),
            Ok(ColumnSource::Named("hemi".into()))
        );
        assert_eq!(
            parse("region = { value = \"ME\" }"),
            Ok(ColumnSource::Constant("ME".into()))
        );
        assert_eq!(
            parse("side = { column = \"hemi\", map = { right = \"R\" } }"),
            Ok(ColumnSource::Mapped {
                column: Some("hemi".into()),
                map: BTreeMap::from([("right".into(), "R".into())])
            })
        );
        let pattern = r"^(ME|LO)_([LR])_col_(\d+)_(\d+)$";
        assert_eq!(
            parse(&format!(
                "column = {{ from = \"roi\", pattern = '{pattern}' }}"
            )),
            Ok(ColumnSource::Pattern {
                from: "roi".into(),
                pattern: pattern.into(),
                unmatched: Unmatched::Error
            })
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        for line in [
            "side = \"hemi\"",
            "region = { value = \"ME\" }",
            "side = { map = { right = \"R\" } }",
            "column = { from = \"roi\", pattern = '(?P<region>.*)', unmatched = \"skip\" }",
        ] {
            let column = parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            let json = serde_json::to_string(&column).unwrap_or_default();
            assert_eq!(
                serde_json::from_str::<ColumnSource>(&json).ok(),
                Some(column),
                "{json}"
            );
        }
    }

    #[test]
    fn columns_that_make_no_sense_are_refused_with_their_key() {
        let refused = |line: &str| parse(line).expect_err(line);
        assert!(refused("side = { value = \"R\", map = {} }").contains("a column is"));
        assert!(refused("side = { colum = \"R\" }").contains("unknown key `colum`"));
        assert!(refused("side = { value = 1 }").contains("expected a string"));
        let wrong = |line: &str, start: &str| {
            let message = refused(line);
            assert!(message.starts_with(start), "{line}: {message}");
        };
        wrong(
            "column = { from = \"roi\", pattern = '(' }",
            "table.columns.column.pattern: regex parse error",
        );
        wrong(
            "column = { from = \"roi\", pattern = '(a)(b)' }",
            "table.columns.column.pattern: it has 2 groups",
        );
        wrong(
            "column = { from = \"roi\", pattern = '(?P<hexl>a)' }",
            "table.columns.column.pattern: the group \"hexl\" is none of region",
        );
        wrong(
            r"column = { from = 'roi', pattern = '(\w{1000}){1000}(a)(b)(c)' }",
            "table.columns.column.pattern: Compiled regex exceeds size limit",
        );
        wrong(
            "side = { from = \"roi\", pattern = '(a)(b)(c)(d)' }",
            "table.columns.side: a pattern gives several",
        );
        wrong(
            "side = \"hemi\"\ncolumn = { from = \"roi\", pattern = '(?P<side>a)' }",
            "table.columns.side: the pattern of `column` gives it too",
        );
        wrong(
            "side = { value = \"\" }",
            "table.columns.side: the value is empty",
        );
    }
}
