//! Extension ids: a name and a version, compared as a whole.
//!
//! `/0` is a draft that may still change; `/1` and above are frozen for ever.

/// Where hexagons lie. Frozen: see `engine/sdk/examples` for the prototypes that had to run first.
pub const COORDINATE: &str = "eyemap.coordinate/1";
/// How hexagons are coloured. Frozen.
pub const COLOR: &str = "eyemap.color/1";
/// What is written on a map. Frozen.
pub const METADATA: &str = "eyemap.metadata/1";
/// Which cache entry dies first. Frozen: the nine policies of the project had to run first, bit for
/// bit as their references.
pub const CACHE: &str = "eyemap.cache/1";
/// What a plugin says of itself at run time: config schemas and golden vectors. Frozen.
pub const DESCRIBE: &str = "eyemap.describe/1";
