//! What the museum holds, and what became of each piece in a host.

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use eyemap_snapshots::{build_dir, plugin, trial::example};
use serde_json::Value;

/// Plugins that every tree of sources builds, and the stage or policy of each.
pub(crate) const PLUGINS: [(&str, &str); 4] = [
    ("binned-color", "eyemap.color/1"),
    ("column-metadata", "eyemap.metadata/1"),
    ("hex-coordinates", "eyemap.coordinate/1"),
    ("lru-policy", "eyemap.cache/1"),
];

/// Pieces that are written by hand.
const BY_HAND: [&str; 7] = [
    "museum_first_manifest",
    "museum_next_root",
    "museum_other_header",
    "museum_two_colors",
    "other_layout",
    "other_manifest",
    "too_new",
];

/// Pieces by name, which is `TIME/PLUGIN`, for example `abi-1.0.0/lru-policy`.
pub(crate) struct Museum {
    host: PathBuf,
    pub(crate) pieces: BTreeMap<String, PathBuf>,
}

/// What a host told of each piece.
pub(crate) type Told = BTreeMap<String, Value>;

impl Museum {
    /// The built museum, with today's plugins and those by hand.
    pub(crate) fn open() -> Self {
        let how = "build and test it with `cargo xtask museum`";
        let path = std::env::var_os("EYEMAP_MUSEUM")
            .unwrap_or_else(|| panic!("EYEMAP_MUSEUM is not set: {how}"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}: {how}"));
        let catalogue: Value = serde_json::from_str(&text).expect("a catalogue");
        let pieces = catalogue["pieces"].clone();
        let mut pieces: BTreeMap<String, PathBuf> =
            serde_json::from_value(pieces).expect("names and paths");
        for (name, _) in PLUGINS {
            pieces.insert(format!("today/{name}"), plugin(name));
        }
        for name in BY_HAND {
            pieces.insert(format!("by hand/{name}"), example(name));
        }
        Self {
            host: catalogue["host"].as_str().expect("a path").into(),
            pieces,
        }
    }

    /// Names of all pieces, sorted.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.pieces.keys().map(String::as_str).collect()
    }

    /// Times of which the museum has sources in git.
    pub(crate) fn revisions(&self) -> Vec<&str> {
        let others = ["today", "by hand"];
        let mut times: Vec<_> = self
            .pieces
            .keys()
            .filter_map(|name| Some(name.split_once('/')?.0))
            .filter(|time| !others.contains(time))
            .collect();
        times.dedup();
        times
    }

    /// Loads pieces in an order, in a process of its own, and uses each.
    pub(crate) fn load(&self, mode: &str, order: &[&str]) -> Told {
        let mut command = Command::new(&self.host);
        command
            .arg(mode)
            .args(order.iter().map(|name| &self.pieces[*name]));
        // Neither the search path nor the directory it runs in may matter.
        let output = command
            .env_clear()
            .current_dir(build_dir())
            .output()
            .expect("the host runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && text.lines().count() == order.len(),
            "{mode}, {order:?}: {}\n{errors}\n{text}",
            output.status
        );
        let told = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"));
        order
            .iter()
            .map(|name| (*name).to_owned())
            .zip(told)
            .collect()
    }
}

/// What a piece answered for an extension, or `None` where it was refused or failed.
pub(crate) fn answers<'a>(told: &'a Value, id: &str) -> Option<&'a Value> {
    told["extensions"][id].get("answers")
}

/// Why a piece was refused: as a whole, or for an extension.
pub(crate) fn refusal<'a>(told: &'a Value, id: &str) -> Option<&'a str> {
    let whole = told["refused"].as_str();
    whole.or_else(|| told["extensions"][id]["refused"].as_str())
}

/// Every refusal of a piece: as a whole, and for each extension.
pub(crate) fn refusals(told: &Value) -> Vec<&str> {
    let ids = told["extensions"].as_object();
    let of_ids = ids.into_iter().flatten().map(|(_, told)| &told["refused"]);
    let all = std::iter::once(&told["refused"]).chain(of_ids);
    all.filter_map(Value::as_str).collect()
}
