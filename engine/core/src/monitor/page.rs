//! A report as one page: pictures drawn here, tables, no script, nothing from elsewhere. Names come
//! from tables and plugins, so all of them are escaped, and a policy forbids what is not the style.

use std::fmt::Write as _;

use super::{
    picture,
    report::{Outcome, Report},
    share,
};
use crate::{
    draw::{hash_source, xml},
    room::Phase,
};

const STYLE: &str = include_str!("page.css");

/// The page of a report.
pub fn page(report: &Report) -> String {
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{}'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Report of a run of eyemap</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        hash_source(STYLE)
    );
    out.push_str(&head(report));
    out.push_str(&time(report));
    out.push_str(&operations(report));
    out.push_str(&memory(report));
    out.push_str(&maps(report));
    out.push_str(&slow(report));
    out.push_str(&caches(report));
    out.push_str(&list(
        "Failures",
        report
            .failures
            .iter()
            .map(|failed| format!("{}: {}", failed.map, failed.error)),
    ));
    out.push_str(&list("Notes", report.notes.iter().cloned()));
    let here = &report.environment;
    // Writing into a String cannot fail.
    let _ = writeln!(
        out,
        "<footer>eyemap {} on {} {}, {} cores</footer>\n</body>\n</html>",
        xml(here.engine),
        xml(here.os),
        xml(here.architecture),
        here.cores
    );
    out
}

fn head(report: &Report) -> String {
    let (run, maps) = (&report.run, &report.maps);
    let title = match run.outcome {
        Outcome::Complete => "The run is complete",
        Outcome::SomeFailed => "The run ended, but some maps failed",
        Outcome::Interrupted => "The run was stopped",
        Outcome::Failed => "The run could not go on",
    };
    let seconds = run.wall_ms / 1e3;
    let mut figures = vec![
        ("maps drawn", count(maps.drawn)),
        ("from start to end", time_text(run.wall_ms * 1e6)),
        (
            "maps a second overall",
            format!("{:.0}", maps.drawn as f64 / seconds.max(1e-9)),
        ),
        ("threads", run.threads.to_string()),
        ("written", bytes(report.output.bytes)),
        ("read", bytes(report.input.bytes)),
        ("rows read", count(report.input.rows)),
        ("most memory", bytes(run.peak_memory_bytes)),
    ];
    if let Some(cpu) = run.cpu_ms {
        figures.push(("computing time", time_text(cpu * 1e6)));
    }
    let special = [
        ("of them blank", maps.blank),
        ("unchanged", maps.unchanged),
        ("failed", maps.failed),
    ];
    let special = special.into_iter().filter(|(_, number)| *number > 0);
    figures.extend(special.map(|(name, number)| (name, count(number))));
    let mut out = format!(
        "<header><h1>{title}</h1>\n<p class=\"lead\">{}</p></header>\n<dl class=\"figures\">\n",
        xml(&report.bottleneck)
    );
    for (name, value) in figures {
        let _ = writeln!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    out.push_str("</dl>\n");
    out
}

fn time(report: &Report) -> String {
    let parts = picture::parts(&report.shares);
    let of = match report.run.threads {
        0 | 1 => "the time of one thread".to_owned(),
        n => format!("the time of {n} threads"),
    };
    let mut out = format!(
        "<section><h2>Where the time went</h2>\n<p>Parts of {of}, from start to end.</p>\n{}<ul class=\"legend\">\n",
        picture::bar(&parts, &of)
    );
    for part in &parts {
        let _ = writeln!(
            out,
            "<li><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"{}\" width=\"10\" height=\"10\" rx=\"2\"/></svg><bdi>{}</bdi> <b>{}</b></li>",
            part.class,
            xml(&part.label),
            share::percent(part.share)
        );
    }
    out.push_str("</ul></section>\n");
    out
}

fn operations(report: &Report) -> String {
    let rows: Vec<Vec<String>> = report
        .operations
        .iter()
        .map(|done| {
            let ns = |ns: u64| time_text(ns as f64);
            vec![
                share::whole(&done.name, &done.of),
                count(done.count),
                ns(done.own_ns),
                ns(done.total_ns),
                ns(done.mean_ns),
                ns(done.p50_ns),
                ns(done.p99_ns),
                ns(done.max_ns),
                if done.rows > 0 {
                    count(done.rows)
                } else {
                    String::new()
                },
                done.ns_per_row.map_or_else(String::new, time_text),
                if done.bytes > 0 {
                    bytes(done.bytes)
                } else {
                    String::new()
                },
                signed_bytes(done.memory_delta_bytes),
            ]
        })
        .collect();
    let heads = [
        "What", "Count", "Own time", "Total", "Mean", "Median", "99 %", "Longest", "Rows", "A row",
        "Bytes", "Memory",
    ];
    let note = "Total time includes what is done inside; own time does not. Median and 99 %: so many \
        took no longer. Memory is the change of the whole process, sampled each 20 ms.";
    section("What was done", note, &table(&heads, 1, &rows))
}

fn of_phase(phase: &Phase) -> String {
    format!(
        " While {}, with threads: {}, {} were predicted and {} taken.",
        phase.name,
        phase.threads,
        bytes(phase.predicted_bytes),
        bytes(phase.used_bytes)
    )
}

fn memory(report: &Report) -> String {
    let chart = picture::memory(&report.memory.points, report.run.wall_ms);
    let note = format!(
        "Resident memory of the process, at most {}.{}",
        bytes(report.memory.peak_bytes),
        report
            .memory
            .phases
            .iter()
            .map(of_phase)
            .collect::<String>()
    );
    chart.map_or_else(String::new, |chart| section("Memory", &note, &chart))
}

fn maps(report: &Report) -> String {
    let rows: Vec<_> = report
        .slowest_maps
        .iter()
        .map(|slow| vec![slow.map.clone(), time_text(slow.ms * 1e6)])
        .collect();
    match rows.is_empty() {
        true => String::new(),
        false => section("Slowest maps", "", &table(&["Map", "Time"], 1, &rows)),
    }
}

fn slow(report: &Report) -> String {
    let slow = &report.slow;
    if slow.count == 0 {
        return String::new();
    }
    let row = |slow: &super::report::SlowOne| {
        vec![
            share::whole(&slow.name, &slow.of),
            slow.map.clone(),
            if slow.very_slow {
                "very slow".into()
            } else {
                "slow".into()
            },
            time_text(slow.at_ms * 1e6),
            time_text(slow.ms * 1e6),
        ]
    };
    let rows: Vec<_> = slow.operations.iter().map(row).collect();
    let note = format!("{} in all; the {} slowest:", count(slow.count), rows.len());
    section(
        "Slow operations",
        &note,
        &table(&["What", "Map", "How", "Began after", "Time"], 3, &rows),
    )
}

/// The numbers that caches of any host have, as far as they are there.
fn caches(report: &Report) -> String {
    let Some(caches) = report
        .caches
        .as_object()
        .filter(|caches| !caches.is_empty())
    else {
        return String::new();
    };
    let row = |(name, cache): (&String, &serde_json::Value)| {
        let number = |key: &str| cache[key].as_u64().map_or_else(String::new, count);
        let size = |key: &str| cache[key].as_u64().map_or_else(String::new, bytes);
        vec![
            name.clone(),
            cache["policy"].as_str().unwrap_or_default().to_owned(),
            cache["hit_rate"]
                .as_f64()
                .map_or_else(String::new, share::percent),
            number("hits"),
            number("misses"),
            number("evictions"),
            number("entries"),
            size("bytes"),
            size("capacity_bytes"),
            cache["saved_ms"]
                .as_f64()
                .map_or_else(String::new, |ms| time_text(ms * 1e6)),
        ]
    };
    let rows: Vec<_> = caches.iter().map(row).collect();
    let heads = [
        "Cache",
        "Policy",
        "Found",
        "Hits",
        "Misses",
        "Evictions",
        "Entries",
        "Holds",
        "Of",
        "Saved",
    ];
    section("Caches", "", &table(&heads, 2, &rows))
}

fn list(title: &str, items: impl Iterator<Item = String>) -> String {
    let items: String = items
        .map(|item| format!("<li><bdi>{}</bdi></li>\n", xml(&item)))
        .collect();
    match items.is_empty() {
        true => String::new(),
        false => section(title, "", &format!("<ul>\n{items}</ul>\n")),
    }
}

fn section(title: &str, note: &str, content: &str) -> String {
    let note = match note {
        "" => String::new(),
        note => format!("<p>{}</p>\n", xml(note)),
    };
    format!("<section><h2>{title}</h2>\n{note}{content}</section>\n")
}

/// A table whose first columns, so many, are words; the others are numbers. Cells are escaped here.
fn table(heads: &[&str], words: usize, rows: &[Vec<String>]) -> String {
    let class = |i: usize| if i < words { "" } else { " class=\"n\"" };
    let mut out = String::from("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>");
    for (i, head) in heads.iter().enumerate() {
        let _ = write!(out, "<th scope=\"col\"{}>{}</th>", class(i), xml(head));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (i, cell) in row.iter().enumerate() {
            let cell = xml(cell);
            let _ = match i {
                0 => write!(out, "<th scope=\"row\"><bdi>{cell}</bdi></th>"),
                i => write!(out, "<td{}><bdi>{cell}</bdi></td>", class(i)),
            };
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

/// A time that is given in nanoseconds.
pub(super) fn time_text(ns: f64) -> String {
    let (value, unit) = match ns {
        ns if ns < 1e3 => (ns, "ns"),
        ns if ns < 1e6 => (ns / 1e3, "µs"),
        ns if ns < 1e9 => (ns / 1e6, "ms"),
        ns if ns < 600e9 => (ns / 1e9, "s"),
        ns => (ns / 60e9, "min"),
    };
    match value {
        value if value < 10.0 && unit != "ns" => format!("{value:.2} {unit}"),
        value if value < 100.0 && unit != "ns" => format!("{value:.1} {unit}"),
        value => format!("{value:.0} {unit}"),
    }
}

/// Bytes in units of 1000.
pub(super) fn bytes(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in ["kB", "MB", "GB", "TB"] {
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / 1000.0, next);
    }
    match value {
        value if unit == "B" || value >= 100.0 => format!("{value:.0} {unit}"),
        value if value >= 10.0 => format!("{value:.1} {unit}"),
        value => format!("{value:.2} {unit}"),
    }
}

fn signed_bytes(change: i64) -> String {
    match change {
        0 => String::new(),
        change if change < 0 => format!("−{}", bytes(change.unsigned_abs())),
        change => format!("+{}", bytes(change.unsigned_abs())),
    }
}

/// A number with a thin space between thousands.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}
