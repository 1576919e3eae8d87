//! Artifacts and words against their references.

use std::panic::{AssertUnwindSafe, catch_unwind};

use eyemap_snapshots::case::{Case, Form, Reference};
use insta::Settings;

use crate::{below, desk::Desk, picture};

/// Told with every difference.
const REVIEW: &str = "read it and accept it with `cargo insta review` (or INSTA_UPDATE=always)";

/// Compares an artifact, by its path below `out`.
pub(crate) fn artifact(case: &Case, form: Form, path: &str, desk: &Desk) -> Result<(), String> {
    let bytes = desk.artifact(path)?;
    let reference = Reference::of_artifact(case, form, path);
    if form == Form::Png {
        return pixels(&reference, bytes);
    }
    let text = String::from_utf8(bytes).map_err(|error| format!("out/{path}: {error}"))?;
    sound(form, &text).map_err(|message| format!("out/{path}: {message}"))?;
    as_approved(&reference, || {
        insta::assert_snapshot!(reference.name.as_str(), text, "");
    })
}

/// Compares a text of the command.
pub(crate) fn words(case: &Case, name: &str, text: &str) -> Result<(), String> {
    let reference = Reference::of_words(case, name);
    as_approved(&reference, || {
        insta::assert_snapshot!(reference.name.as_str(), text, "");
    })
}

fn pixels(reference: &Reference, bytes: Vec<u8>) -> Result<(), String> {
    picture::sound(&bytes).map_err(|message| format!("{}: {message}", reference.name))?;
    let approved = reference
        .files()
        .pop()
        .map(|file| below("references").join(file));
    let approved = approved.and_then(|file| std::fs::read(file).ok());
    let differs = approved.map(|approved| picture::difference(&approved, &bytes));
    let compared = as_approved(reference, || {
        insta::assert_binary_snapshot!(reference.name.as_str(), bytes, "");
    });
    compared.map_err(|message| match differs {
        Some(differs) => format!("{message}: {differs}"),
        None => message,
    })
}

/// Runs an assertion of `insta` where the references of the case are.
fn as_approved(reference: &Reference, assert: impl FnOnce()) -> Result<(), String> {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path(below("references").join(&reference.folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // So that all that differs is told in one run, and pending files are written for all of it.
    let compared = catch_unwind(AssertUnwindSafe(|| settings.bind(assert)));
    compared.map_err(|_| {
        let folder = reference.folder.display();
        format!("{folder}/{} is not as approved; {REVIEW}", reference.name)
    })
}

/// Checks what a comparison of texts would not show.
fn sound(form: Form, text: &str) -> Result<(), String> {
    // `insta` takes no notice of either.
    if text.contains('\r')
        || text
            .strip_suffix('\n')
            .unwrap_or(text)
            .ends_with(char::is_whitespace)
    {
        return Err("line ends that a text snapshot does not show".into());
    }
    match form {
        Form::Scene => {
            let scene = serde_json::from_str::<serde_json::Value>(text);
            scene.map(drop).map_err(|error| error.to_string())
        }
        Form::Svg | Form::SvgStatic => {
            let svg = roxmltree::Document::parse(text).map_err(|error| error.to_string())?;
            let has_script = svg.descendants().any(|node| node.has_tag_name("script"));
            match form == Form::SvgStatic && has_script {
                true => Err("a static SVG with a script".into()),
                false => Ok(()),
            }
        }
        Form::Png | Form::Text => Ok(()),
    }
}
