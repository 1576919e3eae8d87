//! The same steps through the engine's own cache, which checks every victim itself.

use std::collections::HashMap;

use eyemap_engine::cache::{Facts, Gone, Inserted, Manner, Shard};

use crate::{
    step::Step,
    subject::{Case, Subject},
};

const MANNERS: [(usize, bool); 4] = [(1, false), (64, false), (3, true), (128, true)];

/// A value that tells its key and which computation it came from.
type Value = (u64, u64);

struct Engine<'a> {
    subject: &'a Subject,
    manner: Manner,
    shard: Shard<u64, Value>,
    /// What should be in, as far as it did not leave.
    held: HashMap<u64, Value>,
    tick: u64,
    computed: u64,
    asked: u64,
    removed: u64,
    /// Entries that were in when counting began.
    restored: u64,
    bits: Vec<bool>,
}

impl<'a> Engine<'a> {
    fn new(subject: &'a Subject, case: &Case, manner: Manner) -> Result<Self, String> {
        let shard = Shard::new(&subject.source, case.capacity, manner);
        Ok(Self {
            subject,
            manner,
            shard: shard.map_err(|error| error.to_string())?,
            held: HashMap::new(),
            tick: 0,
            computed: 0,
            asked: 0,
            removed: 0,
            restored: 0,
            bits: Vec::new(),
        })
    }

    fn take(&mut self, step: Step) -> Result<(), String> {
        let mut gone = Gone::new();
        let mut newcomer = None;
        match step {
            Step::Ask { key, .. } => newcomer = self.ask(key, step, &mut gone)?,
            Step::Remove(key) => self.removed += u64::from(self.shard.remove(&key, &mut gone)),
            // The engine's entries keep their weight.
            Step::Reweigh(..) => {}
            Step::Resize(capacity) => self.shard.resize(capacity, &mut gone),
            Step::Advance(ticks) => {
                self.tick += ticks;
                self.shard.advance(self.tick, &mut gone);
            }
            Step::Restore => self.restore()?,
        }
        for (key, value) in gone {
            let held = match newcomer {
                Some(refused) if refused == value => Some(value),
                _ => self.held.remove(&key),
            };
            if held != Some(value) {
                return Err(format!("{value:?} left for {key}, where {held:?} was"));
            }
        }
        self.check()
    }

    /// Asks, and puts a new value in on a miss; returns it if it was not taken.
    fn ask(
        &mut self,
        key: u64,
        step: Step,
        gone: &mut Gone<u64, Value>,
    ) -> Result<Option<Value>, String> {
        let Step::Ask {
            weight,
            cost_ns,
            ttl,
            renews,
            ..
        } = step
        else {
            return Ok(None);
        };
        self.asked += 1;
        let expires_at = ttl.map_or(u64::MAX, |ttl| self.tick + ttl);
        let renewed = renews.then_some(expires_at);
        let found = self.shard.get(&key, self.tick, renewed, gone).copied();
        self.bits.push(found.is_some());
        if found != self.held.get(&key).copied() {
            return Err(format!(
                "{found:?} for {key}, not {:?}",
                self.held.get(&key)
            ));
        }
        if found.is_some() {
            return Ok(None);
        }
        self.computed += 1;
        let value = (key, self.computed);
        let facts = Facts {
            expires_at,
            ..Facts::new(weight, cost_ns)
        };
        match self.shard.insert(key, value, facts, self.tick, gone) {
            Inserted::Stored => self
                .held
                .insert(key, value)
                .map_or(Ok(None), |_| Err(format!("{key} came in where it was"))),
            Inserted::Refused | Inserted::TooHeavy => Ok(Some(value)),
        }
    }

    fn check(&self) -> Result<(), String> {
        let (shard, counts) = (&self.shard, self.shard.counts());
        if let Some(fault) = shard.fault() {
            return Err(fault.into());
        }
        if shard.occupied() > shard.capacity() {
            return Err(format!(
                "{} bytes in {}",
                shard.occupied(),
                shard.capacity()
            ));
        }
        if shard.len() != self.held.len() {
            return Err(format!("{} entries, not {}", shard.len(), self.held.len()));
        }
        if counts.hits + counts.misses != self.asked {
            return Err(format!("{counts:?} of {} requests", self.asked));
        }
        let left = counts.evictions + counts.expiries + self.removed;
        if counts.insertions + self.restored != left + shard.len() as u64 {
            return Err(format!("{counts:?} with {} entries", shard.len()));
        }
        Ok(())
    }

    /// Goes on in another shard with the entries and the policy's state of this one.
    fn restore(&mut self) -> Result<(), String> {
        let state = self.shard.snapshot()?;
        let kept = self.shard.entries();
        let kept: Vec<_> = kept
            .map(|found| {
                (
                    found.slot,
                    *found.key,
                    *found.value,
                    found.facts,
                    found.hits,
                )
            })
            .collect();
        let other = Shard::new(&self.subject.source, self.shard.capacity(), self.manner);
        let mut other = other.map_err(|error| error.to_string())?;
        if !other.restore(kept, Some(&state), self.tick) {
            return Err("the policy does not take its own state".into());
        }
        self.shard = other;
        // Counts begin anew with the cache.
        (self.asked, self.removed) = (0, 0);
        self.restored = self.shard.len() as u64;
        Ok(())
    }
}

/// The engine finds no fault, serves right values and stays within its capacity.
pub(crate) fn is_content(subject: &Subject, case: &Case) -> Result<(), String> {
    for (batch, ahead) in MANNERS {
        let manner = Manner {
            batch,
            ahead,
            ..Manner::default()
        };
        let mut engine = Engine::new(subject, case, manner)?;
        for (index, &step) in case.steps.iter().enumerate() {
            let taken = engine.take(step);
            taken.map_err(|wrong| format!("{wrong} at step {} in {manner:?}", index + 1))?;
        }
    }
    Ok(())
}

/// Hits do not change when the engine's cache is saved and restored on the way.
pub(crate) fn restores(subject: &Subject, case: &Case) -> Result<(), String> {
    let hits = |every: usize| {
        let mut engine = Engine::new(subject, case, Manner::default())?;
        for chunk in case.steps.chunks(every) {
            for &step in chunk {
                engine.take(step)?;
            }
            if chunk.len() == every {
                engine.restore()?;
            }
        }
        Ok::<_, String>(engine.bits)
    };
    let expected = hits(usize::MAX)?;
    for every in [1, 4, 19] {
        let restored = hits(every)?;
        let mut pairs = expected.iter().zip(&restored);
        if let Some(at) = pairs.position(|(one, other)| one != other) {
            return Err(format!(
                "request {at} differs, restored after every {every} steps"
            ));
        }
    }
    Ok(())
}
