//! `eyemap plugin new`: a crate, and what to do with it.

use std::process::ExitCode;

use eyemap_scaffold::{Kind, Made, make};

use crate::{args::NewArgs, failure::Failure, out};

/// Makes a plugin and says which commands come next.
pub(crate) fn new(args: &NewArgs) -> Result<ExitCode, Failure> {
    let plugin = args.plugin();
    let made = make(&plugin)?;
    out::text(&words(&made, plugin.kind))
}

fn words(made: &Made, kind: Kind) -> String {
    let dir = made.dir.display().to_string();
    let mut text = format!(
        "made {}, the plugin {} ({})\n",
        out::plain(&dir),
        made.id,
        kind.name()
    );
    for file in made.own_files() {
        text.push_str(&format!("  {}\n", file.display()));
    }
    if made.is_vendored() {
        text.push_str(
            "  vendor/  the SDK as source; Cargo.toml says how to take it from a registry\n",
        );
    }
    text.push_str("\nFrom here to a map:\n");
    for command in commands(made, kind) {
        text.push_str(&format!("  {command}\n"));
    }
    text.push_str(
        "\nThen change src/lib.rs; `cargo test` says which answers changed, and README.md what else there is.\n",
    );
    text
}

fn commands(made: &Made, kind: Kind) -> Vec<String> {
    let library = made.library.display();
    let mut commands = vec![
        format!("cd {}", quoted(&made.dir.display().to_string())),
        // It has to lie where eyemap.toml looks for it, whatever CARGO_TARGET_DIR says.
        "cargo build --release --target-dir target".to_owned(),
    ];
    commands.push("eyemap render table.csv --config eyemap.toml --out maps".to_owned());
    if kind == Kind::Cache {
        commands.push(format!(
            "eyemap cache simulate --trace trace.csv --config eyemap.toml --policy ./{library}"
        ));
    }
    commands.push(format!("eyemap plugin check {library}"));
    commands
}

/// A word as a shell takes it; what a terminal would not show is escaped too.
fn quoted(word: &str) -> String {
    let word = out::plain(word);
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
    match word.bytes().all(is_plain) {
        true => word,
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_directory_is_one_word_of_a_shell() {
        assert_eq!(quoted("a/rose-color"), "a/rose-color");
        assert_eq!(quoted("my plugins/x"), "'my plugins/x'");
        assert_eq!(quoted("a'b;rm"), r"'a'\''b;rm'");
    }
}
