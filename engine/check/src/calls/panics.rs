//! Configurations, jobs and batches of every kind: no answer to any of them ends the process.
//!
//! A panic that reaches the boundary does end it, and the check with it. One that the plugin caught is an
//! error of the kind `Panic`: of what is valid it is a failure, of nonsense it is not.

use std::time::{Duration, Instant};

use eyemap_abi::{ErrorKind, PluginError, job::ColumnStatus};

use super::{
    asking::{Asked, Case, each_case, failed},
    columns::{Columns, Inputs},
    fault, outcome,
    same::is_deterministic,
    stage::Kind,
};
use crate::{Fault, Outcome, Subject, policy, progress, seeded::Seeded};

/// Odd jobs are asked for so long.
const ENOUGH: Duration = Duration::from_secs(6);

/// No configuration at all, or none that fits.
fn odd_texts() -> Vec<String> {
    let texts = [
        "",
        " ",
        "null",
        "true",
        "0",
        "[]",
        "\"\"",
        "{",
        "}",
        "{}{}",
        "{\"a\":",
        "{\"a\":1,}",
        "{\"a\":1e999}",
        "{\"\\u0000\":0}",
        "\u{0}",
        "{\"version\":4294967296}",
        "{\"version\":-1}",
        "{\"\u{202e}<b>\\n\":[]}",
        "NaN",
        "\u{feff}{}",
    ];
    let mut texts: Vec<String> = texts.map(String::from).into();
    // Deeper than a stack holds, for a parser that calls itself.
    texts.push("[".repeat(100_000));
    texts.push(format!("{{\"{}\":1}}", "k".repeat(1 << 20)));
    texts
}

/// A caught panic, which of something valid is a fault.
fn panicked(what: String, error: &PluginError) -> Result<(), Fault> {
    if error.kind != ErrorKind::Panic {
        return Ok(());
    }
    Err(fault(
        format!("{what}: {error}"),
        "the place of the panic is in the message: return an error there, `Error::config` with the key if it \
         is a setting",
    ))
}

/// Caught panics so far.
#[derive(Default)]
struct Caught(usize);

impl Caught {
    fn count<T>(&mut self, answer: Result<T, PluginError>) {
        let panicked = answer.is_err_and(|error| error.kind == ErrorKind::Panic);
        self.0 += usize::from(panicked);
    }

    fn note(&self, asked: usize) -> String {
        match self.0 {
            0 => format!("{asked} odd calls, none of which panicked"),
            n => format!("{asked} odd calls; {n} panicked and were contained"),
        }
    }
}

pub(super) fn constructor(subject: &Subject) -> Outcome {
    outcome(constructed(subject))
}

fn constructed(subject: &Subject) -> Result<String, Outcome> {
    let plugin = subject.plugin()?;
    let (mut caught, mut asked) = (Caught::default(), 0);
    let texts = odd_texts();
    for kind in Kind::all_of(plugin) {
        let valid = |when: &str| match kind.create("{}") {
            Ok(_) => Ok(true),
            Err(error) => {
                let what = format!("{} stage: `create` with `{{}}`{when}", kind.word());
                panicked(what, &error).map(|()| false)
            }
        };
        let before = valid("")?;
        for text in &texts {
            progress::next(format_args!(
                "{} stage, configuration {text:.60?}",
                kind.word()
            ));
            caught.count(kind.create(text));
            asked += 1;
        }
        if before && !valid(" after others were refused")? {
            return Err(fault(
                format!(
                    "{} stage: `create` refuses `{{}}` after it refused others",
                    kind.word()
                ),
                "let no configuration leave anything behind in statics or locks",
            )
            .into());
        }
    }
    let policies = policy::created_oddly(plugin, &texts)?;
    Ok(caught.note(asked + policies))
}

pub(super) fn calls(subject: &Subject) -> Outcome {
    let mut caught = Caught::default();
    let (mut asked_oddly, started) = (0, Instant::now());
    let columns = Columns::random(&mut Seeded::new(subject.seed, "panics"), 300);
    let same = is_deterministic(subject);
    let found = each_prepared(subject, |asked| {
        let first = asked.answer(&columns, 0..300)?;
        asked.describe()?;
        progress::next(format_args!("{}: odd jobs and batches", asked.case));
        // Where each job takes long, the later ones are spared.
        if started.elapsed() < ENOUGH {
            with_any_names(asked, &columns)?;
            asked_oddly += oddly(asked, started + ENOUGH, &mut caught);
        }
        let again = asked.answer(&columns, 0..300)?;
        if same && let Some((index, found)) = first.differs(300, &again, |index| index) {
            let what = format!(
                "{}: `{}` answers otherwise after odd calls, for {}",
                asked.case,
                asked.case.kind.call(),
                columns.describe(index)
            );
            let remedy = "let a call that is refused leave nothing behind";
            let mut fault = fault(what, remedy);
            fault.details.push(found);
            return Err(fault.into());
        }
        Ok(())
    });
    let stages = outcome(found.map(|_| caught.note(asked_oddly)));
    policy::and_policy(stages, subject, policy::calls)
}

/// Names that a user may give, in which letters have two, three and four bytes, so that no number of bytes is at the
/// end of a letter in all of them; and one that is short.
const NAMES: [&str; 5] = [
    "\u{65e5}\u{672c}\u{8a9e}\u{65e5}\u{672c}\u{8a9e}\u{65e5}\u{672c}\u{8a9e}\u{65e5}\u{672c}\u{8a9e}",
    "T\u{65e5}\u{672c}\u{8a9e}\u{65e5}\u{672c}\u{8a9e}\u{65e5}\u{672c}\u{8a9e}\u{65e5}\u{672c}\u{8a9e}",
    "\u{3b1}\u{3b2}\u{3b3}\u{3b4}\u{3b5}\u{3b6}\u{3b7}\u{3b8}",
    "a \u{1f441}\u{1f41d}\u{1f441}\u{1f41d}",
    "\u{e9}",
];

/// Keys of jobs that hold names, or lists of them.
const NAMED: [&str; 4] = ["cell_type", "region", "metric", "layer_labels"];

/// The same job with other names may be refused, and does not panic.
fn with_any_names(asked: &Asked<'_>, columns: &Columns) -> Result<(), Fault> {
    for name in NAMES {
        for (call, error) in refusals(asked, &renamed(&asked.case.job, name), columns) {
            let what = format!("{}, with names such as {name:?}: `{call}`", asked.case);
            panicked(what, &error).map_err(|fault| Fault {
                remedy: LETTERS.into(),
                ..fault
            })?;
        }
    }
    Ok(())
}

const LETTERS: &str = "the place of the panic is in the message: take letters and not bytes of a name, with `chars`, \
                       `char_indices` or `get(..n)`";

/// Which calls of a job are refused.
fn refusals(asked: &Asked<'_>, job: &str, columns: &Columns) -> Vec<(&'static str, PluginError)> {
    let prepared = match asked.stage.prepare(job) {
        Ok(prepared) => prepared,
        Err(error) => return vec![("prepare", error)],
    };
    let described = prepared.describe().err();
    let answered = asked
        .case
        .lend(columns, 0..columns.len(), |inputs| prepared.ask(inputs))
        .err();
    let described = described.map(|error| ("describe", error));
    let answered = answered.map(|error| (asked.case.kind.call(), error));
    described.into_iter().chain(answered).collect()
}

fn renamed(job: &str, name: &str) -> String {
    let mut job: serde_json::Value = serde_json::from_str(job).unwrap_or_default();
    for key in NAMED {
        match job.get_mut(key) {
            Some(text @ serde_json::Value::String(_)) => *text = name.into(),
            Some(serde_json::Value::Array(texts)) => texts.fill(name.into()),
            _ => {}
        }
    }
    job.to_string()
}

/// As [`each_case`]; a job that panics is a failure here.
fn each_prepared(
    subject: &Subject,
    ask: impl FnMut(&Asked<'_>) -> Result<(), Outcome>,
) -> Result<String, Outcome> {
    for (kind, stage) in &super::asking::stages(subject)? {
        let cases = Case::all_of(*kind, stage).map_err(|error| {
            let what = format!("{} stage: `needs`: {error}", kind.word());
            Outcome::from(fault(what, "say what it needs, or nothing: `{}`"))
        })?;
        for case in &cases {
            progress::next(format_args!("{case}: `prepare`"));
            if let Err(error) = stage.prepare(&case.job)
                && error.kind == ErrorKind::Panic
            {
                return Err(failed(case, "prepare", 0, &error).into());
            }
        }
    }
    each_case(subject, ask)
}

/// Jobs and batches that no host should make, as many as there is time for.
fn oddly(asked: &Asked<'_>, until: Instant, caught: &mut Caught) -> usize {
    let jobs = odd_texts().into_iter().chain(odd_jobs(&asked.case.job));
    let mut count = 0;
    for job in jobs.take_while(|_| Instant::now() < until) {
        count += 1;
        match asked.stage.prepare(&job) {
            Ok(prepared) => {
                caught.count(prepared.describe());
                let columns = odd_columns();
                let odd = asked
                    .case
                    .lend(&columns, 0..columns.len(), |i| prepared.ask(i));
                caught.count(odd);
            }
            refused => caught.count(refused),
        }
    }
    let columns = odd_columns();
    for status in [4, 127, 128, 255] {
        count += 1;
        let statuses = vec![status; columns.len()];
        let answered = asked.case.lend(&columns, 0..columns.len(), |inputs| {
            asked.prepared.ask(&Inputs {
                status: &statuses,
                layer: u32::MAX,
                ..*inputs
            })
        });
        caught.count(answered);
    }
    count
}

/// A valid job with one of its values replaced by each of others, of the same type and of other types.
fn odd_jobs(job: &str) -> Vec<String> {
    let Ok(serde_json::Value::Object(job)) = serde_json::from_str(job) else {
        return Vec::new();
    };
    let values = serde_json::json!([
        null, true, -1, 0, 1e308, -1e308, 5e-324, 9_007_199_254_740_993u64, "", "\u{202e}<b>\n", [], {},
        [0, 0], [1e308, -1e308], [""], {"min": 0, "max": 0}
    ]);
    let mut jobs = Vec::new();
    for key in job.keys() {
        for value in values.as_array().into_iter().flatten() {
            let mut odd = job.clone();
            odd.insert(key.clone(), value.clone());
            jobs.push(serde_json::Value::Object(odd).to_string());
        }
    }
    jobs
}

fn odd_columns() -> Columns {
    let mut columns = Columns::with_capacity(8);
    let values = [
        f64::NAN,
        f64::INFINITY,
        -0.0,
        f64::MAX,
        f64::MIN,
        5e-324,
        1e21,
        -7.5,
    ];
    for (i, value) in values.into_iter().enumerate() {
        let hex = if i % 2 == 0 { i32::MIN } else { i32::MAX };
        columns.push(hex, -(i as i32), value, ColumnStatus::HasData);
    }
    columns
}
