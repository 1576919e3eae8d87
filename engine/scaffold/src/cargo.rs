//! The `Cargo.toml` of a new plugin.

use std::path::{Path, PathBuf};

use crate::{Kind, ScaffoldError};

/// The version of this eyemap and of its SDK.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The oldest compiler that the SDK is built with.
pub(crate) const RUST_VERSION: &str = env!("CARGO_PKG_RUST_VERSION");

/// The version that a new plugin begins with.
pub(crate) const FIRST_VERSION: &str = "0.1.0";

/// Where cargo finds the SDK.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Sdk {
    /// In the crate itself: the sources that this eyemap was built with.
    #[default]
    Vendored,
    /// In a directory.
    Path(PathBuf),
    /// In the registry, in this version: three numbers, and what may follow them.
    Version(String),
}

/// The text of `Cargo.toml`.
///
/// It stands alone: inside of another workspace's directory its own `[workspace]` keeps cargo from taking it
/// for a member.
pub(crate) fn manifest(name: &str, kind: Kind, sdk: &Sdk) -> Result<String, ScaffoldError> {
    let workspace = match sdk {
        Sdk::Vendored => "exclude = [\"vendor\"]\n",
        _ => "",
    };
    let sdk = dependency(sdk)?;
    let description = description(kind);
    Ok(format!(
        r#"[package]
name = "{name}"
version = "{FIRST_VERSION}"
edition = "2024"
rust-version = "{RUST_VERSION}"
license = "MIT"
description = "{description}"

[lib]
crate-type = ["cdylib", "rlib"]
bench = false

[dependencies]
{sdk}

[dev-dependencies]
criterion = {{ version = "0.8", default-features = false, features = ["cargo_bench_support", "rayon"] }}

[[bench]]
name = "speed"
harness = false

# A panic becomes an error of one map; eyemap refuses a library that would end the program.
[profile.release]
panic = "unwind"
strip = "debuginfo"

[workspace]
{workspace}"#
    ))
}

/// What the manifest of the library says; the author knows better.
const fn description(kind: Kind) -> &'static str {
    match kind {
        Kind::Color => "Colours the hexagons of an eyemap",
        Kind::Coordinate => "Places the hexagons of an eyemap",
        Kind::Metadata => "Writes the texts of an eyemap",
        Kind::Cache => "Decides what leaves a cache of eyemap first",
    }
}

/// The line that names the SDK.
fn dependency(sdk: &Sdk) -> Result<String, ScaffoldError> {
    match sdk {
        Sdk::Vendored => Ok(format!(
            "# The SDK as source, since no registry has it yet. Once one has, write this line in its place and\n\
             # delete the folder vendor:  eyemap-sdk = \"{VERSION}\"\n\
             eyemap-sdk = {{ path = \"vendor/eyemap-sdk\", version = \"{VERSION}\" }}"
        )),
        Sdk::Version(version) if is_version(version) => Ok(format!("eyemap-sdk = \"{version}\"")),
        Sdk::Version(version) => Err(ScaffoldError::Version {
            version: version.clone(),
        }),
        Sdk::Path(path) => {
            let wrong = |reason: String| ScaffoldError::Sdk {
                path: path.clone(),
                reason,
            };
            let path = sdk_in(path).map_err(wrong)?;
            Ok(format!(
                "eyemap-sdk = {{ path = {} }}",
                toml::Value::String(path)
            ))
        }
    }
}

/// `0.1.0`, `1.2.3-rc.1`: what cargo takes as a version, and nothing that ends a string of TOML.
fn is_version(version: &str) -> bool {
    let (numbers, rest) = match version.find(['-', '+']) {
        Some(at) => (&version[..at], Some(&version[at + 1..])),
        None => (version, None),
    };
    let number = |part: &str| {
        let leads = part.len() > 1 && part.starts_with('0');
        !leads && part.parse::<u64>().is_ok() && part.bytes().all(|b| b.is_ascii_digit())
    };
    let plain = |rest: &str| {
        let part = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        rest.split(['.', '+']).all(part)
    };
    numbers.split('.').count() == 3 && numbers.split('.').all(number) && rest.is_none_or(plain)
}

/// The absolute path of a directory that holds the SDK; else why it does not.
fn sdk_in(dir: &Path) -> Result<String, String> {
    let dir = dir.canonicalize().map_err(|error| error.to_string())?;
    let text = std::fs::read_to_string(dir.join("Cargo.toml"))
        .map_err(|error| format!("its Cargo.toml cannot be read: {error}"))?;
    let manifest: toml::Table = text
        .parse()
        .map_err(|_| "its Cargo.toml is no TOML".to_owned())?;
    let name = manifest
        .get("package")
        .and_then(|package| package.get("name"));
    match name.and_then(toml::Value::as_str) {
        Some("eyemap-sdk") => {}
        Some(other) => return Err(format!("it is the crate {other:?}")),
        None => return Err("its Cargo.toml names no package".into()),
    }
    let shown = || "its path is no UTF-8, which Cargo.toml has to be".to_owned();
    dir.to_str().map(str::to_owned).ok_or_else(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> toml::Table {
        text.parse()
            .unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    fn workspace() -> toml::Table {
        table(include_str!("../../../Cargo.toml"))
    }

    #[test]
    fn a_copy_is_built_as_its_template_is() {
        let template = table(include_str!("../../../plugins/template-color/Cargo.toml"));
        let copy = table(&manifest("x", Kind::Color, &Sdk::default()).expect("a manifest"));
        for same in ["lib", "bench"] {
            assert_eq!(copy[same], template[same], "{same}");
        }
        for section in ["dependencies", "dev-dependencies"] {
            let names = |table: &toml::Table| -> Vec<String> {
                table[section]
                    .as_table()
                    .expect(section)
                    .keys()
                    .cloned()
                    .collect()
            };
            assert_eq!(names(&copy), names(&template), "{section}");
            assert_eq!(names(&copy).len(), 1, "{section}");
        }
        let ours = &workspace()["workspace"];
        assert_eq!(
            copy["dev-dependencies"]["criterion"],
            ours["dependencies"]["criterion"]
        );
        for key in ["edition", "rust-version", "license"] {
            assert_eq!(copy["package"][key], ours["package"][key], "{key}");
        }
        let sdk = &copy["dependencies"]["eyemap-sdk"];
        assert_eq!(sdk["path"].as_str(), Some("vendor/eyemap-sdk"));
        assert_eq!(sdk["version"].as_str(), Some(VERSION));
    }

    #[test]
    fn the_registry_is_one_line_away() {
        let text = |sdk| manifest("x", Kind::Color, &sdk).expect("a manifest");
        let (vendored, published) = (text(Sdk::Vendored), text(Sdk::Version(VERSION.into())));
        let line = "eyemap-sdk = { path = \"vendor/eyemap-sdk\"";
        let (before, after) = vendored.split_once(line).expect("a line");
        let (_, after) = after.split_once('\n').expect("a line");
        let switched = format!("{before}eyemap-sdk = \"{VERSION}\"\n{after}");
        let dependencies = |text: &str| table(text)["dependencies"].clone();
        assert_eq!(dependencies(&switched), dependencies(&published));
        // What the comment tells to write is that line.
        assert!(
            before.contains(&format!("eyemap-sdk = \"{VERSION}\"")),
            "{before}"
        );
    }

    #[test]
    fn all_templates_are_built_alike() {
        let mut texts = [
            include_str!("../../../plugins/template-color/Cargo.toml"),
            include_str!("../../../plugins/template-coordinate/Cargo.toml"),
            include_str!("../../../plugins/template-metadata/Cargo.toml"),
            include_str!("../../../plugins/template-cache/Cargo.toml"),
        ]
        .map(table);
        for text in &mut texts {
            let package = text["package"].as_table_mut().expect("a package");
            package.remove("name");
            package.remove("description");
        }
        assert!(texts.iter().all(|text| *text == texts[0]));
    }

    #[test]
    fn versions_are_three_numbers() {
        for good in [
            "0.1.0",
            "10.20.30",
            "1.0.0-rc.1",
            "1.0.0+x",
            "1.0.0-a-b.2+c",
        ] {
            assert!(is_version(good), "{good}");
        }
        for bad in [
            "", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.x", "+1.2.3", "1.2.3-", "1.2.3\"", "*",
            "^1.2.3", "1.2.3 ",
        ] {
            assert!(!is_version(bad), "{bad}");
        }
    }

    #[test]
    fn a_path_must_lead_to_the_sdk_and_is_written_so_that_toml_reads_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let refused = |path: &Path| {
            let sdk = Sdk::Path(path.to_owned());
            manifest("x", Kind::Color, &sdk)
                .expect_err("refused")
                .to_string()
        };
        assert!(refused(&dir.path().join("none")).contains("is not the crate eyemap-sdk"));
        assert!(refused(dir.path()).contains("cannot be read"));
        for (text, why) in [
            ("[package]\nname = \"serde\"\n", "the crate \"serde\""),
            ("[workspace]\n", "names no package"),
            ("[package\n", "is no TOML"),
        ] {
            std::fs::write(dir.path().join("Cargo.toml"), text).expect("written");
            assert!(refused(dir.path()).contains(why), "{why}");
        }
        let odd = dir.path().join("a \"b\\ c");
        std::fs::create_dir(&odd).expect("a directory");
        std::fs::write(odd.join("Cargo.toml"), "[package]\nname = \"eyemap-sdk\"\n")
            .expect("written");
        let text = manifest("x", Kind::Color, &Sdk::Path(odd.clone())).expect("a manifest");
        let path = table(&text)["dependencies"]["eyemap-sdk"]["path"].clone();
        let odd = odd.canonicalize().expect("a path");
        assert_eq!(path.as_str(), odd.to_str());
    }
}
