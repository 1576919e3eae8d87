//! The root of a plugin: frozen for ever, so that every host can read every plugin.

use abi_stable::{
    StableAbi,
    library::RootModule,
    package_version_strings,
    sabi_types::VersionStrings,
    std_types::{RResult, RSlice, RStr},
    type_layout::TypeLayout,
};

use crate::{HostApi, PluginError};

/// One extension that a plugin exports.
#[repr(C)]
#[derive(StableAbi, Clone, Copy)]
pub struct ExtEntry {
    /// The extension's id, one of [`crate::ids`] or one that a later host knows.
    pub id: RStr<'static>,
    /// Layout of the extension's struct as the plugin was compiled with it.
    pub layout: &'static TypeLayout,
    /// The extension's struct, for example a [`crate::ColorExtension`].
    pub extension: ExtPointer,
}

/// A pointer to an extension's struct, which lives as long as the plugin.
#[repr(transparent)]
#[derive(StableAbi, Clone, Copy)]
pub struct ExtPointer(*const ());

impl ExtPointer {
    /// Points at an extension that lives for ever.
    pub const fn new<T>(extension: &'static T) -> Self {
        Self(std::ptr::from_ref(extension).cast())
    }

    /// The extension as `T`.
    ///
    /// # Safety
    /// `T` must be the type whose layout was found compatible with the entry's `layout`.
    pub const unsafe fn get<T>(self) -> &'static T {
        // SAFETY: the caller has checked the layout, and `new` took a `'static` reference.
        unsafe { &*self.0.cast::<T>() }
    }
}

// SAFETY: the pointer came from a `&'static T` of an extension struct, which holds only functions.
unsafe impl Send for ExtPointer {}
// SAFETY: as above; nothing behind it is ever written.
unsafe impl Sync for ExtPointer {}

/// The functions at the root of every plugin.
///
/// * `manifest` returns the JSON that also sits in the [`crate::manifest::SECTION`] of the file;
/// * `extensions` lists what the plugin can do;
/// * `init` receives the host's functions, once, before any extension is used.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginRootRef)))]
#[sabi(missing_field(panic))]
pub struct PluginRoot {
    /// The manifest as JSON.
    pub manifest: extern "C" fn() -> RStr<'static>,
    /// The extensions of this plugin.
    pub extensions: extern "C" fn() -> RSlice<'static, ExtEntry>,
    /// Installs the host's functions.
    #[sabi(last_prefix_field)]
    pub init: extern "C" fn(HostApi) -> RResult<(), PluginError>,
}

impl RootModule for PluginRootRef {
    abi_stable::declare_root_module_statics! {PluginRootRef}
    const BASE_NAME: &'static str = "eyemap_plugin";
    const NAME: &'static str = "eyemap_plugin";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

/// The one symbol that a plugin exports: abi_stable's name for the header of a root module.
pub const ENTRY_SYMBOL: &str = "_1as_0lib_1header_0root_bmodule_bloader";

#[cfg(test)]
mod tests {
    #[test]
    fn the_entry_symbol_is_the_one_that_abi_stable_looks_for() {
        let name = abi_stable::library::ROOT_MODULE_LOADER_NAME;
        assert_eq!(super::ENTRY_SYMBOL, name);
    }
}
