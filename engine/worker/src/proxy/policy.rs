//! A cache policy in a worker.

use std::sync::Arc;

use eyemap_abi::{
    self as abi, CachePolicyBox, Candidate, Decision, Event, PluginError, SlotMeta,
    abi_stable::{
        std_types::{RErr, RResult, RSlice, RSliceMut, RVec},
        type_level::downcasting::TD_Opaque,
    },
    cache::CachePolicy_TO,
};

use super::answer;
use crate::{
    Worker,
    host::internal,
    layout::{DecideLayout, RESIDENT},
    live::{Live, Trouble},
    protocol::{Decide, Op},
    wire::{EVENT, numbers},
};

/// A policy, in one process of a worker: with that it is gone.
struct Policy {
    worker: Arc<Worker>,
    slot: usize,
    generation: u32,
    object: u32,
    needs: u32,
}

pub(super) fn create(
    worker: &Arc<Worker>,
    options: &str,
    capacity: u64,
) -> Result<CachePolicyBox, PluginError> {
    // What remembers is made in the first process; there is always one.
    let slot = 0;
    let (generation, object, needs) = worker.once("creating a policy", slot, |live| {
        live.put(options.as_bytes())?;
        let (object, needs) = live.ask(Op::CreatePolicy { capacity }, 0, options.len())?;
        Ok((live.generation, object, needs as u32))
    })?;
    let policy = Policy {
        worker: Arc::clone(worker),
        slot,
        generation,
        object,
        needs,
    };
    Ok(CachePolicy_TO::from_value(policy, TD_Opaque))
}

impl Policy {
    fn with<R>(
        &self,
        during: &str,
        mut work: impl FnMut(&mut Live<'_>) -> Result<R, Trouble>,
    ) -> Result<R, PluginError> {
        self.worker.once(during, self.slot, |live| {
            if live.generation == self.generation {
                work(live)
            } else {
                Err(Trouble::Plugin(internal(
                    "its state went with a worker that crashed",
                )))
            }
        })
    }

    fn decided(
        &self,
        (events, slots): (&[Event], &[SlotMeta]),
        (need, candidate): (u64, Option<Event>),
        out: &mut [u32],
    ) -> Result<Decision, PluginError> {
        let all = events.len() + usize::from(candidate.is_some());
        let at = DecideLayout::of(all, slots.len(), out.len());
        let told: Vec<u64> = events.iter().chain(&candidate).flat_map(numbers).collect();
        debug_assert_eq!(told.len(), all * EVENT);
        let weights: Vec<u64> = slots.iter().map(SlotMeta::weight).collect();
        let mut states: Vec<u8> = slots
            .iter()
            .map(|slot| slot.hits() & !RESIDENT | if slot.is_resident() { RESIDENT } else { 0 })
            .collect();
        let decide = Decide {
            events: events.len() as u64,
            slots: slots.len() as u64,
            places: out.len() as u64,
            need,
            candidate: candidate.is_some(),
        };
        let decision = self.with("deciding", |live| {
            live.room(at.len)?;
            live.write(at.events, &told);
            live.write(at.weights, &weights);
            live.write(at.states, &states);
            let (victims, admit) = live.ask(Op::Decide(decide), self.object, 0)?;
            live.read(at.states, &mut states);
            live.read(at.victims, out);
            Ok(Decision {
                victims,
                admit: admit == 1,
            })
        })?;
        for (slot, state) in slots.iter().zip(states) {
            slot.set_hits((state & !RESIDENT).min(SlotMeta::MAX_HITS));
        }
        Ok(decision)
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        self.worker.dropped(self.slot, self.generation, self.object);
    }
}

impl abi::CachePolicy for Policy {
    fn needs(&self) -> u32 {
        self.needs
    }

    fn decide(
        &mut self,
        events: RSlice<'_, Event>,
        slot_meta: RSlice<'_, SlotMeta>,
        need_weight: u64,
        candidate: Candidate,
        mut out_victims: RSliceMut<'_, u32>,
    ) -> RResult<Decision, PluginError> {
        if slot_meta.len() > u32::MAX as usize || events.len() > u32::MAX as usize {
            return RErr(internal(
                "more slots or events than a policy can be told of",
            ));
        }
        answer(self.decided(
            (events.as_slice(), slot_meta.as_slice()),
            (need_weight, candidate.into_option()),
            out_victims.as_mut_slice(),
        ))
    }

    fn resize(&mut self, capacity_bytes: u64) -> RResult<(), PluginError> {
        let op = Op::Resize {
            capacity: capacity_bytes,
        };
        answer(self.with("resizing", |live| live.ask(op, self.object, 0).map(drop)))
    }

    fn snapshot(&self) -> RResult<RVec<u8>, PluginError> {
        answer(self.with("writing its state", |live| {
            live.body(Op::Snapshot, self.object, 0)
        }))
    }

    fn restore(&mut self, bytes: RSlice<'_, u8>) -> RResult<(), PluginError> {
        answer(self.with("reading its state", |live| {
            live.put(bytes.as_slice())?;
            live.ask(Op::Restore, self.object, bytes.len()).map(drop)
        }))
    }
}
