//! Artifacts and words against their references.

use std::panic::{AssertUnwindSafe, catch_unwind};

use eyemap_snapshots::case::{Case, Form, Reference, difference, sound};
use insta::Settings;

use crate::{below, desk::Desk};

/// Told with every difference.
const REVIEW: &str = "read it and accept it with `cargo insta review` (or INSTA_UPDATE=always)";

/// Compares an artifact, by its path below `out`.
pub(crate) fn artifact(case: &Case, form: Form, path: &str, desk: &Desk) -> Result<(), String> {
    let bytes = desk.artifact(path)?;
    let reference = Reference::of_artifact(case, form, path);
    let wrong = |message: String| format!("out/{path}: {message}");
    sound(form, &bytes).map_err(wrong)?;
    if form == Form::Png {
        return pixels(&reference, bytes);
    }
    let text = String::from_utf8(bytes).map_err(|error| wrong(error.to_string()))?;
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
    let picture = reference
        .files()
        .pop()
        .map(|file| below("references").join(file));
    let approved = picture.and_then(|file| std::fs::read(file).ok());
    let differs = approved.map(|approved| difference(&approved, &bytes));
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
    compared.map_err(|panic| {
        let folder = reference.folder.display();
        let cause = panic.downcast_ref::<String>().map_or("", String::as_str);
        // Of a plain difference it says no more than that there is one.
        let cause = match cause.starts_with("snapshot assertion") {
            true => "",
            false => &format!(": {cause}"),
        };
        format!(
            "{folder}/{} is not as approved; {REVIEW}{cause}",
            reference.name
        )
    })
}
