//! The head of the page: the verdict in one sentence, amounts, and under what terms was compared.

use std::fmt::Write as _;

use super::super::{Amounts, Findings, Tolerance};
use crate::{draw::xml, monitor::page::count};

/// The verdict on everything, in one sentence.
pub(super) fn sentence(findings: &Findings) -> String {
    let (found, amounts) = (findings.findings.len() as u64, &findings.amounts);
    match found {
        0 if amounts.compared == 0 => "Nothing was compared".into(),
        0 => "Everything is as approved".into(),
        _ if found == amounts.failed => format!("{} could not be drawn", artifacts(found)),
        _ if found == amounts.missing => match found {
            1 => "1 artifact has no approved picture".into(),
            _ => format!("{} have no approved picture", artifacts(found)),
        },
        1 => "1 artifact is not as approved".into(),
        _ => format!("{} are not as approved", artifacts(found)),
    }
}

fn artifacts(number: u64) -> String {
    match number {
        1 => "1 artifact".into(),
        number => format!("{} artifacts", count(number)),
    }
}

/// The head as HTML.
pub(super) fn head(findings: &Findings, sentence: &str, subject: &str) -> String {
    let mut out = format!("<header>\n<h1>{}</h1>\n", xml(sentence));
    if !subject.is_empty() {
        // Writing into a String cannot fail.
        let _ = writeln!(
            out,
            "<p class=\"subject\"><bdi>{}</bdi></p>",
            xml(&visible(subject))
        );
    }
    out.push_str(&figures(&findings.amounts));
    let mut notes = Vec::new();
    if let Some(shard) = findings.shard {
        notes.push(format!(
            "This is part {shard} of the whole. Orphaned references are known only when all parts are joined."
        ));
    }
    notes.extend(findings.tolerance.map(tolerance));
    notes.extend(findings.notes.iter().cloned());
    if !notes.is_empty() {
        out.push_str("<ul class=\"notes\">\n");
        for note in notes {
            let _ = writeln!(out, "<li><bdi>{}</bdi></li>", xml(&visible(&note)));
        }
        out.push_str("</ul>\n");
    }
    out.push_str("</header>\n");
    out
}

fn figures(amounts: &Amounts) -> String {
    let always = [
        ("compared", amounts.compared),
        ("the same", amounts.same),
        ("differ", amounts.differ),
    ];
    let sometimes = [
        ("within tolerance", amounts.within_tolerance),
        ("failed", amounts.failed),
        ("not approved yet", amounts.missing),
        ("orphaned", amounts.orphaned),
        ("reference damaged", amounts.damaged),
    ];
    let sometimes = sometimes.into_iter().filter(|(_, number)| *number > 0);
    let mut out = String::from("<dl class=\"figures\">\n");
    for (name, number) in always.into_iter().chain(sometimes) {
        let _ = writeln!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", count(number));
    }
    out.push_str("</dl>\n");
    out
}

fn tolerance(allowed: Tolerance) -> String {
    let Tolerance {
        color,
        place_px,
        forced,
    } = allowed;
    let forced = match forced {
        true => " This hides a step of the palette; it was forced.",
        false => "",
    };
    format!(
        "The comparison was not exact: a colour could differ by {color} of 255 steps in a channel, \
         a hexagon could lie {place_px} px beside its place.{forced}"
    )
}

/// Text whose control characters, line ends and marks of direction are seen and do nothing. The
/// script of the page does the same in `visible`.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}
