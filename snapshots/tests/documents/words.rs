//! Commands that are not run: whether the program has them.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Output,
};

/// Helps of the program, by the words that lead there.
#[derive(Default)]
pub(crate) struct Helps(BTreeMap<Vec<String>, Help>);

struct Help {
    commands: BTreeSet<String>,
    flags: BTreeSet<String>,
}

impl Helps {
    /// What is wrong with commands that stand in a text, as `eyemap plugin pin LIB.so --config X`.
    pub(crate) fn faults(&mut self, text: &str) -> Vec<String> {
        let joined = text.replace("\\\n", " ");
        let lines = joined
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'));
        let calls = lines.flat_map(|line| line.split("eyemap ").skip(1));
        calls.filter_map(|call| self.fault(call)).collect()
    }

    fn fault(&mut self, call: &str) -> Option<String> {
        // A comment, the end of a quoted command or another command ends this one.
        let call = call.split([';', '|', '`']).next().unwrap_or_default();
        let call = call.split(" # ").next().unwrap_or_default();
        let mut words = call.split_whitespace().peekable();
        let mut path = Vec::new();
        while let Some(word) = words.next_if(|word| self.of(&path).commands.contains(*word)) {
            path.push(word.to_owned());
        }
        let is_command = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        if path.is_empty() {
            // A path that ends with `eyemap` in a call of something else.
            words.peek().filter(|word| is_command(word))?;
            return Some(format!("there is no command {call:?}"));
        }
        let flags = &self.of(&path).flags;
        let flag = |word: &str| {
            let name = word.split(['=', ',', '\'', '"']).next().unwrap_or_default();
            (name.len() > 1 && name.starts_with('-')).then(|| name.to_owned())
        };
        let unknown = words.filter_map(flag).find(|name| !flags.contains(name));
        unknown.map(|name| format!("eyemap {} has no {name}", path.join(" ")))
    }

    fn of(&mut self, path: &[String]) -> &Help {
        self.0.entry(path.to_vec()).or_insert_with(|| {
            let mut words: Vec<&str> = path.iter().map(String::as_str).collect();
            words.push("--help");
            help(&eyemap_snapshots::run(&words))
        })
    }
}

/// Reads the lists of a help.
fn help(output: &Output) -> Help {
    let text = String::from_utf8_lossy(&output.stdout);
    let (mut commands, mut flags) = (BTreeSet::new(), BTreeSet::new());
    let mut in_commands = false;
    for line in text.lines() {
        match line {
            "" => {}
            _ if !line.starts_with(' ') => in_commands = line == "Commands:",
            _ if in_commands && line.starts_with("  ") && !line.starts_with("   ") => {
                commands.extend(line.split_whitespace().next().map(str::to_owned));
            }
            _ => {}
        }
        let words = line.split([' ', ',', '[', '=']);
        flags.extend(
            words
                .filter(|word| word.starts_with('-'))
                .map(str::to_owned),
        );
    }
    Help { commands, flags }
}

#[test]
fn a_command_that_is_not_there_is_a_fault() {
    let mut helps = Helps::default();
    assert_eq!(
        helps.faults("run `eyemap cache stats --store DIR` # --x\neyemap render a -o b"),
        [""; 0]
    );
    let faults = helps.faults("eyemap paint a\neyemap render a \\\n --colour b");
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].contains("no command"), "{faults:?}");
    assert!(faults[1].contains("--colour"), "{faults:?}");
}
