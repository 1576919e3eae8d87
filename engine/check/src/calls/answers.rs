//! What a plugin answers, as text: compared between processes.
//!
//! It is asked through the engine's stages, as a render asks, so a contained plugin can be asked the same.

use eyemap_abi::job::ColumnStatus;
use eyemap_engine::verify::golden::{GoldenError, vectors};

use super::{
    asking::{Asked, each_case, failed},
    columns::Columns,
    fault,
    same::promised,
};
use crate::{Outcome, Subject, elsewhere, seeded::Seeded, text::short};

/// Where the manifest promises that answers are the same each time.
pub(super) fn where_promised(subject: &Subject) -> Result<String, Outcome> {
    promised(subject, "`deterministic`", |manifest| {
        manifest.deterministic
    })?;
    in_any_process(subject)
}

/// The golden vectors, and the colours, places and tooltips of a thousand columns for each job.
pub(super) fn in_any_process(subject: &Subject) -> Result<String, Outcome> {
    let plugin = subject.plugin()?;
    if subject.elsewhere {
        elsewhere::go(subject, plugin)?;
    }
    let mut text = golden(subject)?;
    let columns = Columns::random(&mut Seeded::new(subject.seed, "answers"), 1000);
    let found = each_case(subject, |asked| {
        text.push_str(&format!("{}\n", asked.case));
        text.push_str(&asked.describe()?);
        text.push('\n');
        answers(asked, &columns, &mut text)
    });
    match found {
        // A cache policy has golden vectors alone.
        Ok(_) | Err(Outcome::Skipped { .. }) => Ok(text),
        Err(failed) => Err(failed),
    }
}

fn answers(asked: &Asked<'_>, columns: &Columns, text: &mut String) -> Result<(), Outcome> {
    let len = columns.len();
    let answered = asked
        .case
        .lend(columns, 0..len, |inputs| asked.prepared.ask(inputs));
    let outputs =
        answered.map_err(|error| failed(asked.case, asked.case.kind.call(), len, &error))?;
    for index in 0..len {
        // What is said of columns without a value is short and much the same.
        if columns.status[index] == ColumnStatus::HasData as u8 || index < 50 {
            text.push_str(&format!("{index} {}\n", outputs.element(index)));
        }
    }
    Ok(())
}

fn golden(subject: &Subject) -> Result<String, Outcome> {
    let unable =
        |error: &dyn std::fmt::Display| Outcome::skipped(format!("it cannot be asked: {error}"));
    let finder = subject.finder().map_err(|error| unable(&error))?;
    let path = std::path::absolute(&subject.path).map_err(|error| unable(&error))?;
    match vectors(&finder, &path.to_string_lossy(), &[]) {
        Ok(files) => {
            let lines = files.iter().flat_map(|file| file.text.lines());
            Ok(lines.map(|line| format!("{}\n", short(line))).collect())
        }
        Err(error @ (GoldenError::Plugin { .. } | GoldenError::Nothing { .. })) => {
            Err(unable(&error))
        }
        Err(error @ GoldenError::Unstable { .. }) => {
            Err(fault(told(subject, &error), error.help()).into())
        }
        Err(error) => Err(fault(told(subject, &error), REMEDY).into()),
    }
}

/// What its author can do who is told that it gives no answer.
const REMEDY: &str = "answer what the golden vectors ask, or refuse it in `create` or `prepare` with an error that \
                      names the key";

/// An error with its causes, which names the file as its user did.
fn told(subject: &Subject, error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    subject.in_words_of_its_user(&text, &subject.path)
}
