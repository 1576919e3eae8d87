//! What is published stays as it is: memory layouts, and the reading of JSON.
//!
//! `frozen/` holds the layout of the root and of each extension as text. A file of a draft (`/0`) may
//! be written anew, and one of a new id for the first time, with `EYEMAP_WRITE_LAYOUTS=1`.

use std::{collections::HashSet, fmt::Write as _, path::Path};

use eyemap_abi::{
    CacheExtension, ColorExtension, CoordinateExtension, DescribeExtension, MetadataExtension,
    PluginRoot,
    abi_stable::{
        StableAbi,
        std_types::utypeid::UTypeId,
        type_layout::{TLData, TLField, TLFields, TypeLayout},
    },
    ids,
};

/// Everything reachable from a type, each type once, as lines.
#[derive(Default)]
struct Layouts {
    text: String,
    seen: HashSet<UTypeId>,
}

impl Layouts {
    fn of(layout: &'static TypeLayout) -> String {
        let mut layouts = Self::default();
        layouts.add(layout);
        layouts.text
    }

    fn add(&mut self, layout: &'static TypeLayout) {
        if !self.seen.insert(layout.get_utypeid()) {
            return;
        }
        let (name, size, align) = (type_name(layout), layout.size(), layout.alignment());
        let (kind, fields) = shape(layout);
        let _ = writeln!(self.text, "{name}: {kind}, size {size}, align {align}");
        for field in fields.into_iter().flat_map(|fields| fields.iter()) {
            let _ = writeln!(self.text, "  {}: {}", field.name(), field_type(&field));
        }
        // Fields, parameters and results of functions, and generic parameters, in their order.
        let nested = layout.shared_vars().type_layouts().iter();
        nested.for_each(|nested| self.add(nested()));
        if let Some(checks) = layout.extra_checks() {
            let nested = checks.nested_type_layouts();
            nested.iter().for_each(|nested| self.add(nested));
        }
    }
}

/// Its name with generics.
fn type_name(layout: &TypeLayout) -> String {
    one_line(&layout.full_type().to_string())
}

fn field_type(field: &TLField) -> String {
    let functions: Vec<_> = field
        .function_range()
        .iter()
        .map(|function| one_line(&function.to_string()))
        .collect();
    match functions.is_empty() {
        true => one_line(&field.full_type().to_string()),
        false => functions.join(" + "),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn shape(layout: &'static TypeLayout) -> (String, Option<TLFields>) {
    match layout.data() {
        TLData::Primitive(primitive) => (format!("primitive {primitive:?}"), None),
        TLData::Opaque => ("opaque".into(), None),
        TLData::Struct { fields } => (format!("struct {:?}", layout.repr_attr()), Some(fields)),
        TLData::Union { fields } => (format!("union {:?}", layout.repr_attr()), Some(fields)),
        TLData::Enum(variants) => {
            let names: Vec<_> = variants.variant_names_iter().collect();
            let kind = format!("enum {:?} of {}", layout.repr_attr(), names.join(", "));
            (kind, Some(variants.fields))
        }
        TLData::PrefixType(prefix) => ("prefix".into(), Some(prefix.fields)),
    }
}

/// Compares a layout with its file.
fn unchanged(id: &str, layout: &'static TypeLayout) -> Result<(), String> {
    let file = format!("{}.txt", id.replace('/', "-"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("frozen")
        .join(&file);
    let found = Layouts::of(layout);
    let frozen = std::fs::read_to_string(&path).ok();
    let draft = id.ends_with("/0");
    if std::env::var_os("EYEMAP_WRITE_LAYOUTS").is_some() && (draft || frozen.is_none()) {
        std::fs::write(&path, &found).map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok(());
    }
    let Some(frozen) = frozen else {
        return Err(format!(
            "engine/abi/frozen/{file} is missing: EYEMAP_WRITE_LAYOUTS=1 writes it once"
        ));
    };
    let (old, new) = (frozen.lines(), found.lines());
    let Some((line, (old, new))) = old.zip(new).enumerate().find(|(_, (old, new))| old != new)
    else {
        return match frozen.len() == found.len() {
            true => Ok(()),
            false => Err(format!(
                "{id}: types were added or removed at its end\n{}",
                rule(draft)
            )),
        };
    };
    Err(format!(
        "{id}, line {}:\n  frozen: {old}\n  found:  {new}\n{}",
        line + 1,
        rule(draft)
    ))
}

fn rule(draft: bool) -> &'static str {
    match draft {
        true => "It is a draft: write its file anew with EYEMAP_WRITE_LAYOUTS=1.",
        false => {
            "A published extension never changes, not even by appending: plugins that are built \
             already would no longer load. Undo the change; a new ability is a new extension with a \
             new id (`eyemap.color/2`), which a plugin exports beside the old one."
        }
    }
}

#[test]
fn layout_is_frozen() {
    let layouts: [(&str, &'static TypeLayout); 6] = [
        // The functions of the host are reached through `init`.
        (
            "eyemap.root",
            <eyemap_abi::PluginRootRef as StableAbi>::LAYOUT,
        ),
        (ids::COORDINATE, CoordinateExtension::LAYOUT),
        (ids::COLOR, ColorExtension::LAYOUT),
        (ids::METADATA, MetadataExtension::LAYOUT),
        (ids::DESCRIBE, DescribeExtension::LAYOUT),
        (ids::CACHE, CacheExtension::LAYOUT),
    ];
    let changed: Vec<_> = layouts
        .into_iter()
        .filter_map(|(id, layout)| unchanged(id, layout).err())
        .collect();
    assert!(changed.is_empty(), "\n{}", changed.join("\n\n"));
}

#[test]
fn the_text_of_a_layout_reaches_what_crosses_the_boundary() {
    let text = Layouts::of(ColorExtension::LAYOUT);
    for part in [
        "ColorExtension",
        "TableColumn",
        "PluginError",
        "ErrorKind",
        "prepare",
        "describe",
        "RSliceMut",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    let root = Layouts::of(<eyemap_abi::PluginRootRef as StableAbi>::LAYOUT);
    for part in [
        "HostApi",
        "LogRecord",
        "LogLevel",
        "ExtEntry",
        "manifest",
        "extensions",
        "init",
    ] {
        assert!(root.contains(part), "{part} is not in\n{root}");
    }
    assert!(!root.contains("0x"), "an address");
    assert!(std::mem::size_of::<PluginRoot>() > 0);
}
