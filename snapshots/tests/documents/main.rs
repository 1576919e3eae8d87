//! Every command that a document prints is run as it is printed, by somebody who reads from top to bottom.
//! What cannot be run here says why in `rules.rs`, and is looked up in the help of the program.

mod chores;
mod fences;
mod reader;
mod rules;
mod words;

use std::{collections::BTreeSet, fs};

use chores::Chores;
use fences::{fences, spans, text};
use reader::{is_chores, read, rule_for};
use rules::{Rule, SPECIALS};

/// The documents with commands, by the folders that they are looked for in.
const FOLDERS: [&str; 5] = ["", "docs", "plugins", "examples", "examples/plugins"];

/// Documents for those who change eyemap; what they print are chores.
const FOR_CONTRIBUTORS: [&str; 5] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "docs/dependencies.md",
    "docs/reliability.md",
];

macro_rules! readers {
    ($($name:ident: $document:literal,)*) => {
        /// The documents that a test below reads.
        const READ: &[&str] = &[$($document),*];
        $(
            #[test]
            fn $name() {
                read($document);
            }
        )*
    };
}

readers! {
    the_readme_does_what_it_prints: "README.md",
    the_page_about_caches_does_what_it_prints: "docs/cache.md",
    the_page_about_ci_does_what_it_prints: "docs/ci.md",
    the_page_about_clusters_does_what_it_prints: "docs/cluster.md",
    the_page_about_monitoring_does_what_it_prints: "docs/monitoring.md",
    the_page_about_output_does_what_it_prints: "docs/output.md",
    the_page_about_plugin_check_does_what_it_prints: "docs/plugin-check.md",
    the_page_about_plugins_does_what_it_prints: "docs/plugins.md",
    the_page_about_verify_does_what_it_prints: "docs/verify.md",
    the_page_about_a_new_plugin_does_what_it_prints: "plugins/README.md",
    the_page_about_the_examples_does_what_it_prints: "examples/README.md",
}

/// All documents for users.
fn documents() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in FOLDERS {
        let entries = fs::read_dir(eyemap_snapshots::project(folder)).expect("a folder");
        let names = entries.flatten().map(|entry| entry.file_name());
        let names = names.map(|name| name.to_string_lossy().into_owned());
        found.extend(
            names
                .filter(|name| name.ends_with(".md"))
                .map(|name| {
                    format!("{folder}/{name}")
                        .trim_start_matches('/')
                        .to_owned()
                })
                .filter(|path| !FOR_CONTRIBUTORS.contains(&path.as_str())),
        );
    }
    found
}

#[test]
fn no_block_for_a_shell_is_left_unread_without_a_reason() {
    let mut known = BTreeSet::new();
    for document in documents() {
        for fence in fences(&text(&document)) {
            assert!(
                !["", "bash", "shell", "console"].contains(&fence.language.as_str()),
                "{document}, line {}: a block for a shell is marked as sh, any other by its language",
                fence.line
            );
            if fence.language != "sh" || is_chores(&fence) {
                continue;
            }
            let rule = rule_for(&document, &fence);
            let is_run = READ.contains(&document.as_str());
            let has_reason = rule.is_some_and(|special| matches!(special.rule, Rule::NotRun(_)));
            assert!(
                is_run || has_reason,
                "{document}, line {}: who runs this?",
                fence.line
            );
            known.extend(rule.map(|special| (special.document, special.first_line)));
        }
    }
    for special in SPECIALS {
        let block = (special.document, special.first_line);
        assert!(known.contains(&block), "{block:?}: there is no such block");
        let (Rule::NotRun(words) | Rule::After(words)) = special.rule;
        assert!(!words.is_empty());
    }
}

#[test]
fn what_is_not_run_names_commands_that_exist() {
    let mut helps = words::Helps::default();
    let mut found = 0;
    for document in documents() {
        let text = text(&document);
        let blocks = fences(&text);
        let not_run = blocks.iter().filter(|fence| {
            let rule = rule_for(&document, fence).map(|special| &special.rule);
            let is_script = ["yaml", "groovy"].contains(&fence.language.as_str());
            is_script || matches!(rule, Some(Rule::NotRun(_)))
        });
        let mut texts: Vec<&str> = not_run.map(|fence| fence.text.as_str()).collect();
        texts.extend(spans(&text, "eyemap "));
        for text in texts {
            found += 1;
            let faults = helps.faults(text);
            assert!(faults.is_empty(), "{document}: {text}\n{faults:#?}");
        }
    }
    assert!(found >= 20, "only {found} commands");
}

#[test]
fn the_chores_of_the_documents_exist() {
    let chores = Chores::read();
    let mut found = 0;
    let mut all: Vec<String> = documents().into_iter().collect();
    all.extend(FOR_CONTRIBUTORS.map(str::to_owned));
    all.push(".ci/run".into());
    for document in all {
        let faults = chores.faults(&text(&document), &mut found);
        assert!(faults.is_empty(), "{document}: {faults:?}");
    }
    assert!(found >= 15, "only {found} chores");
}
