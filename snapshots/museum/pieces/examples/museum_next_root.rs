//! A plugin of an ABI that was begun anew: its root has another version, and may hold anything.

#![expect(
    missing_docs,
    reason = "the macro of the entry makes a static without any"
)]

use abi_stable::{
    StableAbi, export_root_module, library::RootModule, prefix_type::PrefixTypeTrait as _,
    sabi_types::VersionStrings,
};

const MANIFEST: &str =
    eyemap_fixtures::manifest!("org.eyemap.museum.next-root", r#""eyemap.color/1""#);

#[used]
#[unsafe(link_section = ".eyemap.manifest")]
static IN_FILE: [u8; MANIFEST.len()] = eyemap_fixtures::bytes(MANIFEST);

/// The functions at the root, of which no host of today knows a thing.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = NextRootRef)))]
#[sabi(missing_field(panic))]
pub struct NextRoot {
    /// The only one.
    #[sabi(last_prefix_field)]
    pub begin: extern "C" fn() -> u64,
}

impl RootModule for NextRootRef {
    abi_stable::declare_root_module_statics! {NextRootRef}
    const BASE_NAME: &'static str = "eyemap_plugin";
    const NAME: &'static str = "eyemap_plugin";
    const VERSION_STRINGS: VersionStrings = VersionStrings::new("2.0.0");
}

extern "C" fn begin() -> u64 {
    2
}

/// The plugin's entry.
#[export_root_module]
pub fn root() -> NextRootRef {
    NextRoot { begin }.leak_into_prefix()
}
