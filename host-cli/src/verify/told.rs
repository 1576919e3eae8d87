//! What a comparison tells: files, lines, annotations, an exit code.

use std::{io::Write as _, process::ExitCode};

use eyemap_engine::verify::{
    Amounts, Compared, Findings, REPORT_FILE, annotations, can_be_accepted, causes, is_unstable,
    summary,
};

use super::{Places, snapshots_argument};
use crate::{
    failure::{DAMAGED, Failure, INTERRUPTED, MISSING, SOME_FAILED, USAGE},
    out,
};

/// References that nothing draws any more.
const ORPHANED: u8 = 4;
/// More causes than these are in the report alone.
const CAUSES: usize = 10;

/// Writes the outcome and gives the exit code.
pub(super) fn tell(
    places: &Places,
    compared: &Compared,
    (scale, json): (f64, bool),
) -> Result<ExitCode, Failure> {
    let findings = &compared.findings;
    places.outputs(scale).write(findings)?;
    if json {
        let mut document = serde_json::json!(findings);
        document["interrupted"] = compared.interrupted.into();
        document["drawing_ms"] = (compared.drawing.as_secs_f64() * 1e3).into();
        document["comparing_ms"] = (compared.comparing.as_secs_f64() * 1e3).into();
        out::json(&document)?;
    } else {
        lines(places, compared)
            .iter()
            .for_each(|line| out::note(line));
    }
    to_github(places, findings, json)?;
    Ok(ExitCode::from(match compared.interrupted {
        true => INTERRUPTED,
        false => code(&findings.amounts),
    }))
}

/// If several apply, the first of 1, 5, 3, 4.
fn code(amounts: &Amounts) -> u8 {
    match amounts {
        amounts if amounts.differ + amounts.failed > 0 => SOME_FAILED,
        amounts if amounts.damaged > 0 => DAMAGED,
        amounts if amounts.missing > 0 => MISSING,
        amounts if amounts.orphaned > 0 => ORPHANED,
        _ => 0,
    }
}

fn lines(places: &Places, compared: &Compared) -> Vec<String> {
    let findings = &compared.findings;
    let amounts = &findings.amounts;
    let mut lines = vec![amounts_line(amounts)];
    if let Some(tolerance) = findings.tolerance {
        lines.push(format!(
            "tolerance: colours {} of 255, places {} px{}",
            tolerance.color,
            tolerance.place_px,
            if tolerance.forced { ", forced" } else { "" }
        ));
    }
    if !compared.drawing.is_zero() {
        let [drawing, comparing] =
            [compared.drawing, compared.comparing].map(|time| time.as_secs_f64() * 1e3);
        lines.push(format!(
            "time over all threads: drawing {drawing:.1} ms, comparing {comparing:.1} ms"
        ));
    }
    let causes = causes(&findings.findings);
    for cause in causes.iter().take(CAUSES) {
        let first = &findings.findings[cause.findings[0]];
        let n = cause.findings.len();
        let path = out::plain(&first.path);
        lines.push(match n {
            1 => format!("  {path}: {}", out::plain(&first.message)),
            _ => format!(
                "  {}: {} (first: {path})",
                out::artifacts(n),
                out::plain(&cause.title)
            ),
        });
    }
    if causes.len() > CAUSES {
        lines.push(format!("  and {} more causes", causes.len() - CAUSES));
    }
    lines.extend(findings.notes.iter().map(|note| format!("note: {note}")));
    if !findings.undecided.is_empty() {
        let n = findings.undecided.len();
        lines.push(format!(
            "{n} approved artifacts of this shard were not drawn; `eyemap verify merge` decides"
        ));
    }
    if !findings.is_clean() {
        let report = places.out.join(REPORT_FILE);
        lines.push(format!("look at {}", report.display()));
    }
    if findings.findings.iter().any(is_unstable) {
        lines.push("what is not drawn the same each time cannot be approved: the answers of a plugin depend on more than what it is asked".into());
    }
    if findings.findings.iter().any(can_be_accepted) {
        lines.push(format!(
            "approve with `eyemap verify accept{}`",
            accept_arguments(places)
        ));
    }
    if compared.interrupted {
        lines.push("stopped before the end; nothing is said of orphans".into());
    }
    lines
}

/// What `accept` needs to find the same comparison.
fn accept_arguments(places: &Places) -> String {
    let mut arguments = snapshots_argument(&places.snapshots);
    if places.pending != places.snapshots {
        arguments += &format!(" --pending {}", places.out.display());
    }
    arguments
}

fn amounts_line(amounts: &Amounts) -> String {
    let mut words = vec![format!(
        "{} compared: {} as approved",
        out::artifacts(amounts.compared as usize),
        amounts.same
    )];
    let others = [
        (amounts.within_tolerance, ["within the tolerance"; 2]),
        (amounts.differ, ["differs", "differ"]),
        (amounts.failed, ["could not be drawn"; 2]),
        (
            amounts.damaged,
            ["has a damaged reference", "have a damaged reference"],
        ),
        (amounts.missing, ["has no reference", "have no reference"]),
        (amounts.orphaned, ["is orphaned", "are orphaned"]),
    ];
    let others = others.iter().filter(|(n, _)| *n > 0);
    words
        .extend(others.map(|(n, [one, many])| format!("{n} {}", if *n == 1 { one } else { many })));
    words.join(", ")
}

/// Annotations and the step summary, where GitHub runs this.
fn to_github(places: &Places, findings: &Findings, json: bool) -> Result<(), Failure> {
    let is_github = std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true");
    if !is_github {
        return Ok(());
    }
    let outputs = places.outputs(1.0);
    if !json {
        let lines = outputs.with_places(|places| annotations(findings, places));
        for line in lines {
            out::text(&format!("{line}\n"))?;
        }
    }
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY") else {
        return Ok(());
    };
    let text = outputs.with_places(|places| summary(findings, places));
    let mut options = std::fs::File::options();
    let written = options
        .append(true)
        .create(true)
        .open(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let path = std::path::Path::new(&path).display().to_string();
        Failure::new(
            USAGE,
            format!("cannot write the step summary {path}: {error}"),
        )
    })
}
