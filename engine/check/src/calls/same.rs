//! The same questions give the same bytes: again, in other batches, from several threads.

use eyemap_engine::plugins::Manifest;

use super::{
    asking::{Asked, each_case, each_stage},
    columns::Columns,
    fault, outcome,
    outputs::Outputs,
};
use crate::{Fault, Outcome, Subject, policy, seeded::Seeded};

const LEN: usize = 1009;
const THREADS: usize = 4;

/// Skips what the manifest does not promise.
pub(super) fn promised(
    subject: &Subject,
    promise: &str,
    says: impl Fn(&Manifest) -> bool,
) -> Result<(), Outcome> {
    match subject.manifest() {
        Ok(manifest) if says(&manifest) => Ok(()),
        Ok(_) => Err(Outcome::skipped(format!(
            "its manifest does not promise {promise}"
        ))),
        Err(error) => Err(Outcome::skipped(format!("it has no manifest: {error}"))),
    }
}

/// Whether the manifest promises the same answers each time: without it, two answers are not compared.
pub(super) fn is_deterministic(subject: &Subject) -> bool {
    subject
        .manifest()
        .is_ok_and(|manifest| manifest.deterministic)
}

/// Whether it promises besides that a column's answer does not depend on others.
pub(super) fn is_chunk_invariant(subject: &Subject) -> bool {
    let manifest = subject.manifest();
    manifest.is_ok_and(|manifest| manifest.deterministic && manifest.chunk_invariant)
}

pub(super) fn repeat(subject: &Subject) -> Outcome {
    let promised = promised(subject, "`deterministic`", |manifest| {
        manifest.deterministic
    });
    if let Err(skipped) = promised {
        return skipped;
    }
    let columns = Columns::random(&mut Seeded::new(subject.seed, "repeat"), LEN);
    let other = Columns::random(&mut Seeded::new(subject.seed, "in between"), 64);
    let stages = outcome(each_case(subject, |asked| {
        let first = asked.answer(&columns, 0..LEN)?;
        let said = asked.describe()?;
        for round in 2..=3 {
            asked.answer(&other, 0..64)?;
            let again = asked.answer(&columns, 0..LEN)?;
            same(
                asked,
                &columns,
                (&first, &again),
                &format!("when asked for time {round}"),
            )?;
        }
        let (anew, said_anew) = made_anew(asked, &columns)?;
        same(
            asked,
            &columns,
            (&first, &anew),
            "from a stage that was made anew",
        )?;
        if said != said_anew {
            return Err(Outcome::from(fault(
                format!(
                    "{}: `describe` says something else when asked again",
                    asked.case
                ),
                REMEDY,
            )));
        }
        Ok(())
    }));
    policy::and_policy(stages, subject, policy::repeat)
}

/// What a new stage answers to the same job.
fn made_anew(asked: &Asked<'_>, columns: &Columns) -> Result<(Outputs, String), Fault> {
    let refused = |_| asked.refused(LEN);
    let stage = asked.case.kind.create("{}").map_err(refused)?;
    let prepared = stage.prepare(&asked.case.job).map_err(refused)?;
    let anew = Asked {
        stage: &stage,
        prepared: &prepared,
        ..*asked
    };
    Ok((anew.answer(columns, 0..LEN)?, anew.describe()?))
}

const REMEDY: &str = "answers may depend on configuration, job and values alone: look for clocks, random \
                      numbers, addresses, the order of hash maps and state that is kept between calls";

fn same(
    asked: &Asked<'_>,
    columns: &Columns,
    (first, again): (&Outputs, &Outputs),
    when: &str,
) -> Result<(), Fault> {
    match first.differs(columns.len(), again, |index| index) {
        Some(found) => Err(other(asked, columns, found, when, REMEDY)),
        None => Ok(()),
    }
}

fn other(
    asked: &Asked<'_>,
    columns: &Columns,
    (index, found): (usize, String),
    when: &str,
    remedy: &str,
) -> Fault {
    let mut fault = fault(
        format!(
            "{}: `{}` answers otherwise {when}, for {}",
            asked.case,
            asked.case.kind.call(),
            columns.describe(index)
        ),
        remedy,
    );
    fault.details.push(found);
    fault
}

const CHUNKS: &str = "an answer depends on the job and its own column alone; if it must depend on others, \
                      say `chunk_invariant: false` in `export_plugin!`";

pub(super) fn chunks(subject: &Subject) -> Outcome {
    let promised = promised(subject, "`chunk_invariant`", |manifest| {
        manifest.chunk_invariant
    });
    if let Err(skipped) = promised {
        return skipped;
    }
    let mut seeded = Seeded::new(subject.seed, "chunks");
    let columns = Columns::random(&mut seeded, LEN);
    let reversed = columns.reversed();
    outcome(each_case(subject, |asked| {
        let whole = asked.answer(&columns, 0..LEN)?;
        for longest in [1, 2, 7, 64, 500] {
            let mut start = 0;
            while start < LEN {
                let end = LEN.min(start + 1 + seeded.below(longest) as usize);
                let part = asked.answer(&columns, start..end)?;
                if let Some((index, found)) =
                    part.differs(end - start, &whole, |index| start + index)
                {
                    let when = format!("in a batch of columns {start} to {}", end - 1);
                    let found = (start + index, found);
                    return Err(other(asked, &columns, found, &when, CHUNKS).into());
                }
                start = end;
            }
        }
        let backwards = asked.answer(&reversed, 0..LEN)?;
        match backwards.differs(LEN, &whole, |index| LEN - 1 - index) {
            Some(found) => {
                let when = "when the columns come from the last to the first";
                Err(other(asked, &reversed, found, when, CHUNKS).into())
            }
            None => Ok(()),
        }
    }))
}

pub(super) fn threads(subject: &Subject) -> Outcome {
    let promised = promised(subject, "`thread_safety: \"sync\"`", |manifest| {
        manifest.thread_safety == "sync"
    });
    if let Err(skipped) = promised {
        return skipped;
    }
    let all: Vec<Columns> = (0..THREADS)
        .map(|thread| {
            Columns::random(
                &mut Seeded::new(subject.seed, &thread.to_string()),
                LENGTHS[0],
            )
        })
        .collect();
    outcome(each_stage(subject, |asked| {
        let alone: Result<Vec<_>, Fault> = all
            .iter()
            .map(|columns| {
                LENGTHS
                    .map(|len| asked.answer(columns, 0..len))
                    .into_iter()
                    .collect()
            })
            .collect();
        let alone: Vec<Vec<Outputs>> = alone?;
        let (case, stage, prepared) = (asked.case, asked.stage, asked.prepared);
        let one = |thread: usize| {
            let asked = Asked {
                case,
                stage,
                prepared,
            };
            at_once(&asked, &all[thread], &alone[thread])
        };
        std::thread::scope(|scope| {
            let running: Vec<_> = (0..THREADS)
                .map(|thread| scope.spawn(move || one(thread)))
                .collect();
            running.into_iter().try_for_each(|thread| {
                let joined = thread.join();
                joined.unwrap_or_else(|_| Err(asked.refused(LENGTHS[0])))
            })
        })?;
        Ok(())
    }))
}

/// Batches of which the same answer is expected as when one thread asks for them: what is not chunk-invariant
/// answers another batch otherwise.
const LENGTHS: [usize; 2] = [4001, 100];

/// Asks many times while others do.
fn at_once(asked: &Asked<'_>, columns: &Columns, alone: &[Outputs]) -> Result<(), Fault> {
    let batches = LENGTHS.iter().zip(alone);
    for (&len, alone) in batches.cycle().take(20) {
        let outputs = asked.answer(columns, 0..len)?;
        if let Some(found) = outputs.differs(len, alone, |index| index) {
            let remedy = "keep no state between calls, or behind a lock; else say \
                          `thread_safety: \"exclusive\"` in `export_plugin!`";
            let when = "while other threads ask";
            return Err(other(asked, columns, found, when, remedy));
        }
    }
    Ok(())
}
