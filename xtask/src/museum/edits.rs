//! Edits that make a tree of another time out of today's sources.
//!
//! The ABI is frozen, so its text hardly moves; an edit that finds its place not exactly once is an error
//! that names it.

/// Replaces a text that is in a file once.
pub(super) struct Edit {
    /// Path from the root.
    pub(super) file: &'static str,
    from: &'static str,
    to: &'static str,
}

impl Edit {
    /// The file's text with the edit.
    pub(super) fn apply(&self, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        let text = String::from_utf8(bytes).map_err(|error| format!("{}: {error}", self.file))?;
        match text.matches(self.from).count() {
            1 => Ok(text.replacen(self.from, self.to, 1).into_bytes()),
            n => Err(format!(
                "{} has {n} places for an edit of the museum, expected 1: {:?}\n\
                 bring xtask/src/museum/edits.rs up to date",
                self.file, self.from
            )),
        }
    }
}

/// Every edited tree: name, edits, and whether the small host is built in it too.
pub(super) const ALL: [(&str, &[Edit], bool); 3] = [
    ("newer", NEWER, true),
    ("altered", ALTERED, false),
    ("next-root", NEXT_ROOT, false),
];

const ABI: &str = "engine/abi/Cargo.toml";
const HOST_JOBS: &str = "snapshots/museum/host/src/jobs.rs";
const EXPORT: &str = "engine/sdk/src/export.rs";

/// What a later release may do: a minor version of the ABI with an extension more, which every plugin
/// exports first, a manifest with keys more, and a host that knows the extension and sends jobs with keys
/// more.
const NEWER: &[Edit] = &[
    Edit {
        file: ABI,
        from: "version = \"1.0.0\"",
        to: "version = \"1.1.0\"",
    },
    Edit {
        file: "engine/abi/src/ids.rs",
        from: "/// How hexagons are coloured. Frozen.\n",
        to: "/// What is drawn around them.\npub const DECORATION: &str = \"eyemap.decoration/1\";\n\
             /// How hexagons are coloured. Frozen.\n",
    },
    Edit {
        file: "engine/abi/src/lib.rs",
        from: "pub use describe::DescribeExtension;\n",
        to: "pub use describe::{DecorationExtension, DescribeExtension};\n",
    },
    Edit {
        file: "engine/abi/src/describe.rs",
        from: "/// The struct behind [`crate::ids::DESCRIBE`].\n",
        to: "/// The struct behind [`crate::ids::DECORATION`].\n\
             #[repr(C)]\n#[derive(StableAbi, Clone, Copy)]\npub struct DecorationExtension {\n    \
             /// Draws.\n    pub decorate: extern \"C\" fn(job: RString) -> RResult<RString, PluginError>,\n}\n\n\
             /// The struct behind [`crate::ids::DESCRIBE`].\n",
    },
    Edit {
        file: EXPORT,
        from: "extensions: &[$( $crate::__extension!(@id $stage), )+ abi::ids::DESCRIBE],",
        to: "extensions: &[abi::ids::DECORATION, $( $crate::__extension!(@id $stage), )+ abi::ids::DESCRIBE],",
    },
    Edit {
        file: EXPORT,
        from: "static ENTRIES: &[abi::ExtEntry] = &[\n",
        to: "static ENTRIES: &[abi::ExtEntry] = &[\n$crate::__extension!(@with DECORATION, \
             DecorationExtension { decorate: $crate::export::decorate }),\n",
    },
    Edit {
        file: EXPORT,
        from: "/// The plugin's `describe`.\n",
        to: "/// The plugin's `decorate`.\npub extern \"C\" fn decorate(job: RString) -> \
             RResult<RString, PluginError> {\n    RResult::ROk(job)\n}\n\n/// The plugin's `describe`.\n",
    },
    Edit {
        file: "engine/sdk/src/manifest.rs",
        from: "        self.text(\"id\", parts.id);\n",
        to: "        self.raw(\"\\\"from_a_time_to_come\\\":{\\\"any\\\":[1,null]},\");\n        \
             self.text(\"id\", parts.id);\n",
    },
    Edit {
        file: "engine/core/src/stage.rs",
        from: "    serde_json::to_string(job).unwrap_or_default()\n",
        to: "    let mut job = serde_json::to_value(job).unwrap_or_default();\n    \
             job[\"from_a_time_to_come\"] = serde_json::json!({ \"any\": [1, null] });\n    job.to_string()\n",
    },
    Edit {
        file: "engine/core/src/plugins/load.rs",
        from: "impl Extension for DescribeExtension {\n",
        to: "impl Extension for eyemap_abi::DecorationExtension {\n    \
             const ID: &'static str = ids::DECORATION;\n}\nimpl Extension for DescribeExtension {\n",
    },
    Edit {
        file: HOST_JOBS,
        from: "    ids::DESCRIBE,\n];",
        to: "    ids::DESCRIBE,\n    ids::DECORATION,\n];",
    },
    Edit {
        file: HOST_JOBS,
        from: "        _ => Ok(None),\n",
        to: "        ids::DECORATION => {\n            \
             let extension = plugin.extension::<eyemap_abi::DecorationExtension>()?;\n            \
             let decorated = done((extension.decorate)(\"a frame\".into()))?;\n            \
             Ok(Some(json!(decorated.as_str())))\n        }\n        _ => Ok(None),\n",
    },
];

/// What a release must never do: fields of a struct that crosses the boundary changed places, under the
/// same extension ids and the same version. Policies do not use that struct.
const ALTERED: &[Edit] = &[Edit {
    file: "engine/abi/src/table.rs",
    from: "    /// The name under which the configuration lists it.\n    pub name: RStr<'a>,\n    \
           /// Its columns, in the order of the file.\n    pub columns: RSlice<'a, TableColumn<'a>>,\n",
    to: "    /// Its columns, in the order of the file.\n    pub columns: RSlice<'a, TableColumn<'a>>,\n    \
         /// The name under which the configuration lists it.\n    pub name: RStr<'a>,\n",
}];

/// The ABI was begun anew.
const NEXT_ROOT: &[Edit] = &[
    Edit {
        file: ABI,
        from: "version = \"1.0.0\"",
        to: "version = \"2.0.0\"",
    },
    Edit {
        file: "Cargo.toml",
        from: "eyemap-abi = { path = \"engine/abi\", version = \"1.0.0\" }",
        to: "eyemap-abi = { path = \"engine/abi\", version = \"2.0.0\" }",
    },
];
