//! A plugin of a time to come: it exports `eyemap.color/2` beside `/1`, an extension of which no host
//! of today has heard, and a manifest with keys that are not known yet.

use eyemap_fixtures::abi::{
    ColorExtension,
    abi_stable::{
        StableAbi,
        std_types::{RString, RVec},
    },
    ids,
};
use eyemap_museum_pieces::Split;

/// What the second version of the extension may be one day: another struct, other types.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct SecondColorExtension {
    /// Nothing like the first version's `create`.
    pub create: extern "C" fn(config: RString, palette: RVec<u64>) -> u64,
    /// A second function.
    pub preview: extern "C" fn(handle: u64) -> RString,
}

extern "C" fn create(config: RString, palette: RVec<u64>) -> u64 {
    config.len() as u64 + palette.len() as u64
}

extern "C" fn preview(handle: u64) -> RString {
    handle.to_string().into()
}

const MANIFEST: &str = r#"{"form":2,"id":"org.eyemap.museum.two-colors","version":"9.0.0-rc.1+build.7",
"extensions":["eyemap.decoration/1","eyemap.color/2","eyemap.color/1"],"panic":"unwind","sdk":"9.1.0",
"thread_safety":"sync","chunk_invariant":true,"signature":{"by":["somebody",null],"at":1e300},
"needs_gpu":false,"extensions_of":"é"}"#;

eyemap_fixtures::raw_plugin! {
    section: MANIFEST,
    running: MANIFEST,
    init: eyemap_fixtures::starts,
    entries: &[
        eyemap_fixtures::entry!("eyemap.decoration/1", SecondColorExtension, &SecondColorExtension { create, preview }),
        eyemap_fixtures::entry!("eyemap.color/2", SecondColorExtension, &SecondColorExtension { create, preview }),
        eyemap_fixtures::entry!(ids::COLOR, ColorExtension, &ColorExtension { create: eyemap_sdk::color::create::<Split> }),
    ],
}
