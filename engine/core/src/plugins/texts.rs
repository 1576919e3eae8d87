//! Texts of a plugin, which may hold any bytes.

use eyemap_abi::{PluginError as AbiError, abi_stable::std_types::RString};

/// The text of a plugin, which may hold any bytes.
pub(crate) fn utf8(text: &RString) -> Result<&str, &'static str> {
    std::str::from_utf8(text.as_bytes()).map_err(|_| "gave a text that is not UTF-8")
}

/// Words of a plugin as they may reach a terminal and a manifest: short, and without control characters.
pub(crate) fn plain(text: &RString) -> String {
    const LONGEST: usize = 1000;
    // The plugin's bytes may be no text at all.
    let bytes = text.as_bytes();
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * LONGEST)]);
    let mut plain: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        plain.push('…');
    }
    plain
}

/// An error of a plugin, in words that may be shown.
pub(crate) fn clean(mut error: AbiError) -> AbiError {
    error.message = plain(&error.message).into();
    error.at = plain(&error.at).into();
    error
}

/// An error of a plugin in one line.
pub(crate) fn in_a_line(error: &AbiError) -> String {
    clean(error.clone()).to_string()
}
