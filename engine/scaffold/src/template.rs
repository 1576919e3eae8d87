//! The templates, as they are compiled and tested in this workspace, and the words in them that a copy
//! calls otherwise.

use crate::{Kind, cargo, name::Names};

/// A file: its path below the crate, and its text.
type File = (&'static str, &'static str);

/// The files of a template that are its own. Its `Cargo.toml` is written anew.
macro_rules! template {
    ($kind:literal, $golden:literal $(, $more:literal)*) => {
        [
            template!(@file $kind, "src/lib.rs"),
            template!(@file $kind, "tests/promises.rs"),
            template!(@file $kind, "benches/speed.rs"),
            template!(@file $kind, $golden),
            template!(@file $kind, "eyemap.toml"),
            template!(@file $kind, "README.md"),
            $( template!(@file $kind, $more), )*
        ]
    };
    (@file $kind:literal, $path:literal) => {
        ($path, include_str!(concat!("../../../plugins/template-", $kind, "/", $path)))
    };
}

static COLOR: [File; 6] = template!("color", "golden/colors.txt");
static COORDINATE: [File; 6] = template!("coordinate", "golden/places.txt");
static METADATA: [File; 6] = template!("metadata", "golden/texts.txt");
static CACHE: [File; 7] = template!("cache", "golden/decisions.txt", "trace.csv");

/// The files that all plugins have.
static SHARED: [File; 3] = [
    (".github/workflows/ci.yml", include_str!("shared/ci.yml")),
    (".gitignore", include_str!("shared/gitignore")),
    ("table.csv", include_str!("shared/table.csv")),
];

fn own(kind: Kind) -> &'static [File] {
    match kind {
        Kind::Color => &COLOR,
        Kind::Coordinate => &COORDINATE,
        Kind::Metadata => &METADATA,
        Kind::Cache => &CACHE,
    }
}

/// All files but `Cargo.toml`, with the plugin's names in them.
pub(crate) fn files(kind: Kind, names: &Names) -> Vec<(String, String)> {
    let words = words(kind, names);
    let all = own(kind).iter().chain(&SHARED);
    all.map(|&(path, text)| (path.to_owned(), replaced(text, &words)))
        .collect()
}

/// The words of a template, each with what stands in its place.
fn words(kind: Kind, names: &Names) -> [(String, String); 6] {
    let stage = kind.name();
    let type_name = format!("Template{}{}", stage[..1].to_ascii_uppercase(), &stage[1..]);
    [
        (format!("org.eyemap.template-{stage}"), names.id.clone()),
        (format!("template-{stage}"), names.krate.clone()),
        (format!("template_{stage}"), names.code.clone()),
        (type_name, names.type_name.clone()),
        // Of the files that all plugins have.
        ("template_plugin".into(), names.code.clone()),
        ("0.0.0-rust-version".into(), cargo::RUST_VERSION.into()),
    ]
}

/// The text with each word replaced. It is read once: what was put in is not replaced again, whatever a
/// plugin is called. Where two words begin at one place, the first counts.
fn replaced(text: &str, words: &[(String, String)]) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    let first = |rest: &str| {
        let found = words
            .iter()
            .filter_map(|word| Some((rest.find(&word.0)?, word)));
        found.min_by_key(|(at, _)| *at)
    };
    while let Some((at, (from, to))) = first(rest) {
        out.push_str(&rest[..at]);
        out.push_str(to);
        rest = &rest[at + from.len()..];
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_not_replaced_again() {
        let names = Names::of("my-template-color", Kind::Color, None).expect("names");
        let words = words(Kind::Color, &names);
        let text =
            "use template_color::TemplateColor; // org.eyemap.template-color, template-color.";
        assert_eq!(
            replaced(text, &words),
            "use my_template_color::MyTemplateColor; // org.example.my-template-color, my-template-color."
        );
        assert_eq!(replaced("no word", &words), "no word");
    }

    #[test]
    fn a_colour_plugin_is_at_most_twenty_lines_of_its_author() {
        // Lines that say something: no comments, no attributes, no lone brackets.
        let says = |line: &&str| {
            let line = line.trim();
            !line.starts_with("//") && !line.starts_with('#') && line.contains(char::is_alphabetic)
        };
        let (_, lib) = COLOR[0];
        let lines: Vec<&str> = lib.lines().filter(says).collect();
        assert!(
            (10..=20).contains(&lines.len()),
            "{}: {lines:#?}",
            lines.len()
        );
    }
}
