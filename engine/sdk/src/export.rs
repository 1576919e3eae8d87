//! `export_plugin!` and what its expansion calls.

use eyemap_abi::{
    ErrorKind, HostApi, PluginError,
    abi_stable::std_types::{RResult, RString},
    job::{ColumnStatus, ExtensionDescription, PluginDescription},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{config::Config, guard, log};

pub use eyemap_abi::abi_stable;

pub(crate) fn to_json(value: &impl Serialize) -> Result<String, PluginError> {
    serde_json::to_string(value)
        .map_err(|error| PluginError::new(ErrorKind::Internal, error.to_string()))
}

pub(crate) fn parse_job<J: DeserializeOwned>(json: &str) -> Result<J, PluginError> {
    serde_json::from_str(json).map_err(|error| {
        PluginError::new(ErrorKind::Input, format!("the job is not usable: {error}"))
    })
}

pub(crate) fn same_length(lengths: &[usize]) -> Result<(), PluginError> {
    if lengths.windows(2).all(|pair| pair[0] == pair[1]) {
        return Ok(());
    }
    let message = format!("the arrays of one call differ in length: {lengths:?}");
    Err(PluginError::new(ErrorKind::Input, message))
}

pub(crate) fn statuses(numbers: &[u8]) -> Result<&[ColumnStatus], PluginError> {
    let largest = numbers
        .iter()
        .fold(0, |largest, &number| largest.max(number));
    if ColumnStatus::from_u8(largest).is_none() {
        let message = format!("{largest} is no column status");
        return Err(PluginError::new(ErrorKind::Input, message));
    }
    // SAFETY: `ColumnStatus` is `repr(u8)` with the numbers 0 to 3, and the largest is one of them.
    Ok(unsafe { &*(std::ptr::from_ref(numbers) as *const [ColumnStatus]) })
}

/// The plugin's `init`.
pub fn init(host: HostApi, plugin: &'static str) -> RResult<(), PluginError> {
    guard::install_hook();
    guard::guard(|| {
        log::forward_to(host, plugin);
        Ok(())
    })
}

/// Describes one extension with configuration `C`.
pub fn describe_extension<C: Config>(id: &str) -> ExtensionDescription {
    ExtensionDescription {
        id: id.to_owned(),
        config_schema: schemars::schema_for!(C).to_value(),
        config_defaults: serde_json::to_value(C::default()).unwrap_or_default(),
    }
}

/// The plugin's `describe`.
pub fn describe(
    extensions: impl FnOnce() -> Vec<ExtensionDescription>,
) -> RResult<RString, PluginError> {
    guard::guard(|| {
        to_json(&PluginDescription {
            version: eyemap_abi::job::Form::default(),
            extensions: extensions(),
        })
    })
}

/// Exports a plugin: its id, and the types that implement its extensions.
///
/// ```text
/// eyemap_sdk::export_plugin! {
///     id: "org.example.my-plugin",
///     coordinate: MyProjection,
///     color: MyScale;
///     cost_hint_ns: 2,
/// }
/// ```
///
/// Version, licence and description come from the crate's `Cargo.toml`. After a semicolon the
/// promises of the manifest can be changed; their defaults are `deterministic: true`, `pure: true`,
/// `thread_safety: "sync"`, `chunk_invariant: true`, `cost_hint_ns: 0`.
#[macro_export]
macro_rules! export_plugin {
    (
        id: $id:literal,
        $( $stage:ident : $type:ty ),+ $(,)?
        $( ; $( $promise:ident : $value:expr ),* $(,)? )?
    ) => {
        const _: () = {
            use $crate::abi;
            use $crate::export::abi_stable;

            const PARTS: $crate::manifest::Parts = $crate::manifest::Parts {
                $( $( $promise: $value, )* )?
                ..$crate::manifest::Parts {
                    id: $id,
                    version: env!("CARGO_PKG_VERSION"),
                    license: env!("CARGO_PKG_LICENSE"),
                    description: env!("CARGO_PKG_DESCRIPTION"),
                    extensions: &[$( $crate::__extension!(@id $stage), )+ abi::ids::DESCRIBE],
                    panic: if cfg!(panic = "unwind") { "unwind" } else { "abort" },
                    deterministic: true,
                    pure: true,
                    thread_safety: "sync",
                    chunk_invariant: true,
                    cost_hint_ns: 0,
                }
            };

            // `manifest` below refers to it, so no linker drops the section.
            #[used]
            #[unsafe(link_section = ".eyemap.manifest")]
            static MANIFEST: [u8; $crate::manifest::len(&PARTS)] = $crate::manifest::json(&PARTS);

            extern "C" fn manifest() -> abi_stable::std_types::RStr<'static> {
                match ::core::str::from_utf8(&MANIFEST) {
                    Ok(json) => json.into(),
                    Err(_) => "".into(),
                }
            }

            extern "C" fn extensions() -> abi_stable::std_types::RSlice<'static, abi::ExtEntry> {
                static ENTRIES: &[abi::ExtEntry] = &[
                    $( $crate::__extension!(@entry $stage $type), )+
                    $crate::__extension!(@describe describe),
                ];
                abi_stable::std_types::RSlice::from_slice(ENTRIES)
            }

            extern "C" fn init(
                host: abi::HostApi,
            ) -> abi_stable::std_types::RResult<(), abi::PluginError> {
                $crate::export::init(host, $id)
            }

            extern "C" fn describe() -> abi_stable::std_types::RResult<
                abi_stable::std_types::RString,
                abi::PluginError,
            > {
                $crate::export::describe(|| ::std::vec![
                    $( $crate::__extension!(@description $stage $type), )+
                ])
            }

            extern "C" fn construct() -> abi_stable::library::RootModuleResult {
                fn root() -> abi::PluginRootRef {
                    const ROOT: abi::PluginRoot = abi::PluginRoot { manifest, extensions, init };
                    const WITH_METADATA: abi_stable::prefix_type::WithMetadata<abi::PluginRoot> =
                        abi_stable::prefix_type::WithMetadata::new(ROOT);
                    abi::PluginRootRef(WITH_METADATA.static_as_prefix())
                }
                abi_stable::library::__call_root_module_loader(root)
            }

            /// The one symbol that a plugin exports.
            #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
            static ENTRY: abi_stable::library::LibHeader = {
                // SAFETY: `construct` returns the `PluginRootRef` that is named here.
                unsafe {
                    abi_stable::library::LibHeader::from_constructor::<abi::PluginRootRef>(
                        construct,
                        abi_stable::library::CheckTypeLayout::Yes,
                    )
                }
            };
        };
    };
}

/// What each word in `export_plugin!` stands for.
#[doc(hidden)]
#[macro_export]
macro_rules! __extension {
    (@id coordinate) => { $crate::abi::ids::COORDINATE };
    (@id color) => { $crate::abi::ids::COLOR };
    (@id metadata) => { $crate::abi::ids::METADATA };
    (@id cache) => { $crate::abi::ids::CACHE };
    (@entry coordinate $type:ty) => {
        $crate::__extension!(@with COORDINATE, CoordinateExtension { create: $crate::coordinate::create::<$type> })
    };
    (@entry color $type:ty) => {
        $crate::__extension!(@with COLOR, ColorExtension { create: $crate::color::create::<$type> })
    };
    (@entry metadata $type:ty) => {
        $crate::__extension!(@with METADATA, MetadataExtension { create: $crate::metadata::create::<$type> })
    };
    (@entry cache $type:ty) => {
        $crate::__extension!(@with CACHE, CacheExtension { create: $crate::cache::create::<$type> })
    };
    (@describe $describe:ident) => {
        $crate::__extension!(@with DESCRIBE, DescribeExtension { describe: $describe })
    };
    (@with $id:ident, $extension:ident $fields:tt) => {
        $crate::abi::ExtEntry {
            id: $crate::export::abi_stable::std_types::RStr::from_str($crate::abi::ids::$id),
            layout: <$crate::abi::$extension as $crate::export::abi_stable::StableAbi>::LAYOUT,
            extension: {
                static EXTENSION: $crate::abi::$extension = $crate::abi::$extension $fields;
                $crate::abi::root::ExtPointer::new(&EXTENSION)
            },
        }
    };
    (@description coordinate $type:ty) => {
        $crate::export::describe_extension::<<$type as $crate::CoordinateStage>::Config>($crate::abi::ids::COORDINATE)
    };
    (@description color $type:ty) => {
        $crate::export::describe_extension::<<$type as $crate::ColorStage>::Config>($crate::abi::ids::COLOR)
    };
    (@description metadata $type:ty) => {
        $crate::export::describe_extension::<<$type as $crate::MetadataStage>::Config>($crate::abi::ids::METADATA)
    };
    (@description cache $type:ty) => {
        $crate::export::describe_extension::<<$type as $crate::CachePolicy>::Config>($crate::abi::ids::CACHE)
    };
}
