//! What a case must say, so that it cannot pass without showing anything.

use std::{
    collections::BTreeMap,
    path::{Component, Path},
};

use super::{Case, CaseError, Form, Reference};

/// The name of the case in a file: its path below `dir` without `.toml`.
pub(super) fn name(dir: &Path, path: &Path) -> Result<String, String> {
    let below = path.strip_prefix(dir).unwrap_or(path);
    let name = below.to_str().and_then(|name| name.strip_suffix(".toml"));
    let name = name.ok_or("a case is a file whose name ends in .toml")?;
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-/".contains(c);
    match name.contains('/') && name.chars().all(is_plain) {
        true => Ok(name.to_owned()),
        false => Err("put it into a folder by feature, and name it in a-z, 0-9 and `-`".into()),
    }
}

/// Refuses a case that is not whole.
pub(super) fn case(case: &Case) -> Result<(), String> {
    title(&case.title)?;
    expectations(case)?;
    references(case)?;
    inputs(case)
}

/// Cases with a title that another has already.
pub(super) fn same_titles(dir: &Path, cases: &[Case]) -> Vec<CaseError> {
    let mut first = BTreeMap::new();
    let mut errors = Vec::new();
    for case in cases {
        if let Some(other) = first.insert(case.title.as_str(), case.name.as_str()) {
            errors.push(CaseError::Wrong {
                path: dir.join(format!("{}.toml", case.name)),
                message: format!("title: {other} has the same; say what is different here"),
            });
        }
    }
    errors
}

fn title(title: &str) -> Result<(), String> {
    if title.trim().is_empty() || title.trim() != title {
        return Err("title: say in a sentence what the case shows".into());
    }
    match title.contains('\n') {
        true => Err("title: one line".into()),
        false => Ok(()),
    }
}

fn expectations(case: &Case) -> Result<(), String> {
    let expect = &case.expect;
    let is_told = expect.stderr || expect.stdout;
    if case.exit != 0 && !is_told {
        return Err("expect: an error is compared; add `stderr = true`".into());
    }
    if !is_told && !expect.files && expect.artifacts().next().is_none() {
        return Err("expect: names nothing, so the case shows nothing".into());
    }
    for (form, path) in expect.artifacts() {
        artifact(form, path)?;
    }
    Ok(())
}

fn artifact(form: Form, path: &str) -> Result<(), String> {
    let is_plain = |part| matches!(part, Component::Normal(_));
    if path.is_empty() || !Path::new(path).components().all(is_plain) {
        return Err(format!("expect: {path:?} is no path below `out`"));
    }
    let is_static = path.ends_with(".static.svg");
    let fits = match form {
        Form::Scene => path.ends_with(".json"),
        Form::Svg => path.ends_with(".svg") && !is_static,
        Form::SvgStatic => is_static,
        Form::Png => path.ends_with(".png"),
        Form::Text => !path.ends_with(".png"),
    };
    match fits {
        true => Ok(()),
        false => Err(format!("expect: {path:?} has the name of another format")),
    }
}

/// Two references in one file would take turns.
fn references(case: &Case) -> Result<(), String> {
    let mut files = BTreeMap::new();
    for reference in Reference::all(case) {
        for file in reference.files() {
            if files.insert(file.clone(), ()).is_some() {
                let file = file.display();
                return Err(format!("expect: two artifacts have the reference {file}"));
            }
        }
    }
    Ok(())
}

/// An input that nothing reads is a mistake in the case.
fn inputs(case: &Case) -> Result<(), String> {
    let mut readers: Vec<&str> = case.before.iter().flatten().map(String::as_str).collect();
    readers.extend(case.arguments.iter().map(String::as_str));
    readers.extend(case.config.as_deref());
    let examples = case.examples.iter().map(|path| file_name(path));
    let names: Vec<&str> = case
        .inputs()
        .map(|(name, _)| name)
        .chain(examples)
        .collect();
    for name in &names {
        if Path::new(name).components().count() != 1 || file_name(name) != *name {
            return Err(format!("files: {name:?} is no file name"));
        }
        if !readers.iter().any(|text| text.contains(name)) {
            return Err(format!("nothing reads {name}: name it in `arguments`"));
        }
    }
    Ok(())
}

/// The last part of a path.
fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::case::{Case, cases_in};

    /// What a case with this text in `errors/some.toml` is refused for.
    fn refused(text: &str) -> String {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("errors").join("some.toml");
        std::fs::create_dir(dir.path().join("errors")).expect("a folder");
        std::fs::write(&path, text).expect("a file");
        let error = Case::read(dir.path(), &path).expect_err(text).to_string();
        assert!(error.contains("some.toml: "), "the file is named: {error}");
        error
    }

    const WHOLE: &str = "title = \"T\"\narguments = [\"csp\"]\n[expect]\nstdout = true\n";

    #[test]
    fn a_wrong_key_is_named_with_its_file() {
        let error = refused(&format!("tabel = \"\"\n{WHOLE}"));
        assert!(error.contains("unknown field `tabel`"), "{error}");
        let error = refused(&format!("{WHOLE}scenes = []\n"));
        assert!(error.contains("unknown field `scenes`"), "{error}");
        let error = refused(&WHOLE.replace("title", "redact = [\"all\"]\ntitle"));
        assert!(error.contains("unknown variant `all`"), "{error}");
        let error = refused(&WHOLE.replace("title = \"T\"\n", ""));
        assert!(error.contains("missing field `title`"), "{error}");
    }

    #[test]
    fn a_case_that_could_not_fail_is_refused() {
        for (text, message) in [
            (WHOLE.replace("stdout = true", ""), "names nothing"),
            (WHOLE.replace("\"T\"", "\" \""), "title"),
            (
                WHOLE
                    .replace("stdout = true", "files = true")
                    .replace("[expect]", "exit = 2\n[expect]"),
                "stderr = true",
            ),
            (
                WHOLE.replace("[expect]", "table = \"\"\n[expect]"),
                "nothing reads table.csv",
            ),
            (WHOLE.to_owned() + "scene = [\"a.svg\"]\n", "another format"),
            (
                WHOLE.to_owned() + "svg = [\"a.static.svg\"]\n",
                "another format",
            ),
            (WHOLE.to_owned() + "text = [\"../a\"]\n", "no path below"),
            (
                WHOLE.to_owned() + "text = [\"a/b\", \"a__b\"]\n",
                "two artifacts",
            ),
        ] {
            let error = refused(&text);
            assert!(error.contains(message), "{message:?} is not in {error}");
        }
    }

    #[test]
    fn a_file_that_is_no_case_and_a_title_twice_are_errors_and_hide_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(dir.path().join("a")).expect("a folder");
        for name in [
            "a/one.toml",
            "a/two.toml",
            "a/three.txt",
            "four.toml",
            "a/Five.toml",
        ] {
            std::fs::write(dir.path().join(name), WHOLE).expect("a file");
        }
        let (cases, errors) = cases_in(dir.path()).expect("read");
        let names: Vec<_> = cases.iter().map(|case| case.name.as_str()).collect();
        assert_eq!(names, ["a/one", "a/two"]);
        let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
        for (file, error) in ["Five.toml", "three.txt", "four.toml", "two.toml"]
            .iter()
            .zip(&errors)
        {
            assert!(error.contains(file), "{file} is not in {error}");
        }
        assert_eq!(errors.len(), 4, "{errors:?}");
        assert!(cases_in(Path::new("/nowhere")).expect("read").0.is_empty());
    }
}
