//! The last line of a run: what was written, and what to open.

use std::path::Path;

use eyemap_engine::{config::Config, index::INDEX_FILE, render::Summary};

use crate::out;

/// Maps that could not be drawn, a line each.
pub(crate) fn failures(summary: &Summary) -> Vec<String> {
    let line = |(map, reason): &(String, String)| {
        format!("failed: {}: {}", out::plain(map), out::plain(reason))
    };
    let mut lines: Vec<String> = summary.failures.iter().map(line).collect();
    if summary.failed > summary.failures.len() as u64 {
        lines.push(format!(
            "{} maps failed in all; manifest.json lists them",
            summary.failed
        ));
    }
    lines
}

/// The last line.
pub(crate) fn line(dir: &Path, config: &Config, summary: &Summary) -> String {
    let shown = out::plain(&dir.display().to_string());
    let mut parts = Vec::new();
    let drawn = summary.rendered + summary.blank;
    if drawn > 0 || summary.unchanged == 0 {
        parts.push(format!(
            "{} ({} blank), {}, written to {shown}",
            maps(drawn),
            summary.blank,
            out::bytes(summary.bytes)
        ));
    }
    if summary.unchanged > 0 {
        let place = match drawn {
            0 => format!(" in {shown}"),
            _ => String::new(),
        };
        let store = match summary.from_store {
            0 => String::new(),
            n => format!(" ({n} taken from the store)"),
        };
        parts.push(format!(
            "{} unchanged{place}{store}",
            maps(summary.unchanged)
        ));
    }
    if summary.unplaced > 0 {
        parts.push(format!("{} columns have no place", summary.unplaced));
    }
    if summary.failed > 0 {
        parts.push(format!("{} failed", summary.failed));
    }
    let next = match summary.interrupted {
        true => "stopped: the same command draws the rest".into(),
        false => opened(dir, config),
    };
    format!("{}; {next}", parts.join(", "))
}

fn maps(n: u64) -> String {
    match n {
        1 => "1 map".into(),
        n => format!("{n} maps"),
    }
}

/// What to open: the page of all maps, or the directory.
fn opened(dir: &Path, config: &Config) -> String {
    let shown = |path: &Path| out::plain(&path.display().to_string());
    match config.output.index {
        true => format!("open {}", shown(&dir.join(INDEX_FILE))),
        false => format!("open {} (--index adds a page of all maps)", shown(dir)),
    }
}
