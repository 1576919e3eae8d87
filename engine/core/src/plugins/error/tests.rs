//! Each error, with hostile long values, is short, harmless and has a remedy.

use super::*;
use crate::plugins::words::is_hidden;

/// Every variant, with values that a stranger chose.
fn every(id: &str, path: &Path, reason: &str) -> Vec<PluginError> {
    use PluginError as E;
    let (id, path, reason) = (|| id.to_owned(), || path.to_owned(), || reason.to_owned());
    let many = |text: String| vec![text; 200];
    let io = || std::io::Error::other(reason());
    vec![
        E::NotFound {
            name: id(),
            similar: Some(id()),
            searched: vec![path(); 50],
            unreadable: many(reason()),
        },
        E::Duplicate {
            id: id(),
            first: path(),
            second: path(),
        },
        E::Ambiguous {
            name: reason(),
            ids: many(id()),
        },
        E::Ambiguous {
            name: id(),
            ids: Vec::new(),
        },
        E::Read {
            path: path(),
            source: io(),
        },
        E::NotALibrary {
            path: path(),
            reason: reason(),
        },
        E::NoManifest {
            path: path(),
            reason: reason(),
        },
        E::Untrusted {
            id: id(),
            path: path(),
            sha256: reason(),
            pin_into: Some(path()),
        },
        E::Changed {
            id: id(),
            path: path(),
            lock: path(),
            expected: reason(),
            found: id(),
            pin_into: Some(path()),
        },
        E::Denied {
            id: id(),
            path: path(),
        },
        E::Writable {
            path: path(),
            why: reason(),
        },
        E::NotAccepted {
            id: id(),
            path: path(),
            wanted: reason(),
        },
        E::PanicStrategy {
            id: id(),
            path: path(),
            found: reason(),
        },
        E::Open {
            path: path(),
            reason: reason(),
        },
        E::Abi {
            id: id(),
            path: path(),
            member: reason(),
            expected: reason(),
            found: reason(),
        },
        E::MissingExtension {
            id: id(),
            path: path(),
            wanted: id(),
            exported: many(reason()),
        },
        E::MissingExtension {
            id: id(),
            path: path(),
            wanted: format!("{}/1", reason()),
            exported: vec![format!("{}/2", reason())],
        },
        E::Init {
            id: id(),
            path: path(),
            reason: reason(),
        },
        E::Worker {
            id: id(),
            path: path(),
            reason: reason(),
            help: reason(),
        },
        E::Worker {
            id: id(),
            path: path(),
            reason: reason(),
            help: " \n".into(),
        },
        E::NotHere {
            id: id(),
            path: path(),
        },
        E::NotLocked {
            id: reason(),
            lock: path(),
        },
        E::Lock {
            path: path(),
            reason: reason(),
        },
    ]
}

/// How many variants there are: whoever adds one has to count it here, and to make it above.
fn number(error: &PluginError) -> usize {
    use PluginError as E;
    match error {
        E::NotFound { .. } => 0,
        E::Duplicate { .. } => 1,
        E::Ambiguous { .. } => 2,
        E::Read { .. } => 3,
        E::NotALibrary { .. } => 4,
        E::NoManifest { .. } => 5,
        E::Untrusted { .. } => 6,
        E::Changed { .. } => 7,
        E::Denied { .. } => 8,
        E::Writable { .. } => 9,
        E::NotAccepted { .. } => 10,
        E::PanicStrategy { .. } => 11,
        E::Open { .. } => 12,
        E::Abi { .. } => 13,
        E::MissingExtension { .. } => 14,
        E::Init { .. } => 15,
        E::Worker { .. } => 16,
        E::NotHere { .. } => 17,
        E::NotLocked { .. } => 18,
        E::Lock { .. } => 19,
    }
}
const VARIANTS: usize = 20;

#[test]
fn every_error_fits_twelve_lines_and_names_a_remedy_whatever_is_in_it() {
    let id = "org.".to_owned() + &"x".repeat(196);
    let path = PathBuf::from(format!("/a\n/\u{1b}[2J\u{202e}/{}.so", "y/".repeat(3000)));
    let reason = "\u{1b}]0;owned\u{7} field differs\r\n\tin\u{2028}here\u{85}\n".repeat(900);
    let errors = every(&id, &path, &reason);
    let made: std::collections::BTreeSet<_> = errors.iter().map(number).collect();
    assert_eq!(made.len(), VARIANTS, "made {made:?}");
    for error in errors {
        let (message, help) = (error.to_string(), error.help());
        assert!(!help.trim().is_empty(), "no remedy: {message}");
        let text = format!("{message}\n{help}");
        let lines = text.split('\n').count();
        assert!(lines <= 12, "{lines} lines:\n{text}");
        assert!(text.len() < 12_000, "{} bytes", text.len());
        let hidden = text.chars().find(|&c| c != '\n' && is_hidden(c));
        assert_eq!(hidden, None, "in {text:?}");
        for line in text.lines().map(str::trim) {
            let of_others = ["in here", "field differs", "/\\u"];
            assert!(
                !of_others.iter().any(|start| line.starts_with(start)),
                "{text}"
            );
        }
    }
}
