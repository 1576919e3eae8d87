//! A plugin's own table in TOML, as a type.

use eyemap_abi::{ErrorKind, PluginError};
use serde::de::DeserializeOwned;

/// What a configuration must be able to do; [`config!`](crate::config!) derives all of it.
pub trait Config:
    DeserializeOwned + serde::Serialize + schemars::JsonSchema + Default + Send + Sync + 'static
{
}

impl<T> Config for T where
    T: DeserializeOwned + serde::Serialize + schemars::JsonSchema + Default + Send + Sync + 'static
{
}

/// Reads a configuration; an error names the key as a path.
///
/// # Errors
/// For an unknown key, a wrong type or JSON that cannot be read.
pub fn parse<C: Config>(json: &str) -> Result<C, PluginError> {
    let mut reader = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().to_string();
        // serde_json appends the place in the canonical JSON, which the user never wrote.
        let message = message
            .split(" at line ")
            .next()
            .unwrap_or_default()
            .to_owned();
        let at = if path == "." { String::new() } else { path };
        PluginError::new(ErrorKind::Config, message).at(at)
    })
}

/// Declares a configuration: each key with its type, its default and its documentation, once.
///
/// The struct can be read from TOML (unknown keys are errors), has a JSON schema for
/// `eyemap plugin list` and a `Default`.
///
/// ```
/// eyemap_sdk::config! {
///     /// A scale with bins.
///     pub struct Bins {
///         /// Number of bins, from 2 to 16. Default: 5.
///         pub bins: u32 = 5,
///     }
/// }
/// assert_eq!(Bins::default().bins, 5);
/// assert!(eyemap_sdk::config::parse::<Bins>(r#"{"bin": 3}"#).is_err());
/// ```
#[macro_export]
macro_rules! config {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $( $(#[$field_meta:meta])* $field_vis:vis $field:ident : $type:ty = $default:expr ),*
            $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(
            Debug, Clone, PartialEq,
            $crate::serde::Deserialize, $crate::serde::Serialize, $crate::schemars::JsonSchema,
        )]
        #[serde(crate = "eyemap_sdk::serde", default, deny_unknown_fields)]
        #[schemars(crate = "eyemap_sdk::schemars")]
        $vis struct $name {
            $( $(#[$field_meta])* $field_vis $field: $type, )*
        }

        impl ::std::default::Default for $name {
            fn default() -> Self {
                Self { $( $field: $default, )* }
            }
        }
    };
}
