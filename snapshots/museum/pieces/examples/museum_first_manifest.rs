//! A plugin whose manifest has no key but those that a manifest must have: what came later has
//! defaults, and they claim nothing.

use eyemap_fixtures::abi::{ColorExtension, ids};
use eyemap_museum_pieces::Split;

const MANIFEST: &str = r#"{"form":1,"id":"org.eyemap.museum.first-manifest","version":"0.0.1",
"extensions":["eyemap.color/1"],"panic":"unwind"}"#;

eyemap_fixtures::raw_plugin! {
    section: MANIFEST,
    running: MANIFEST,
    init: eyemap_fixtures::starts,
    entries: &[
        eyemap_fixtures::entry!(ids::COLOR, ColorExtension, &ColorExtension { create: eyemap_sdk::color::create::<Split> }),
    ],
}
