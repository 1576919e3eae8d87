//! A policy for the engine's own tests, where no plugin is built: first in, first out, with a state.

use std::collections::VecDeque;

use eyemap_abi::{
    CacheExtension, CachePolicy, CachePolicyBox, Candidate, Decision, Event, PluginError, SlotMeta,
    abi_stable::{
        std_types::{ROk, RResult, RSlice, RSliceMut, RStr, RVec},
        type_level::downcasting::TD_Opaque,
    },
    cache::{CachePolicy_TO, EventKind},
};

use super::PolicySource;

#[derive(Default)]
struct Oldest(VecDeque<u32>);

impl CachePolicy for Oldest {
    fn needs(&self) -> u32 {
        0
    }

    fn decide(
        &mut self,
        events: RSlice<'_, Event>,
        slots: RSlice<'_, SlotMeta>,
        need: u64,
        _candidate: Candidate,
        out: RSliceMut<'_, u32>,
    ) -> RResult<Decision, PluginError> {
        for event in events.as_slice() {
            match event.kind {
                EventKind::Insert => self.0.push_back(event.slot),
                EventKind::Remove | EventKind::Expire => self.0.retain(|&slot| slot != event.slot),
                _ => {}
            }
        }
        let (out, mut freed, mut victims) = (out.into_mut_slice(), 0, 0);
        while freed < need && victims < out.len() {
            let Some(slot) = self.0.pop_front() else {
                break;
            };
            freed += slots[slot as usize].weight();
            out[victims] = slot;
            victims += 1;
        }
        ROk(Decision {
            victims: victims as u32,
            admit: true,
        })
    }

    fn resize(&mut self, _capacity: u64) -> RResult<(), PluginError> {
        ROk(())
    }

    fn snapshot(&self) -> RResult<RVec<u8>, PluginError> {
        ROk(self.0.iter().flat_map(|slot| slot.to_le_bytes()).collect())
    }

    fn restore(&mut self, bytes: RSlice<'_, u8>) -> RResult<(), PluginError> {
        let (slots, _) = bytes.as_slice().as_chunks::<4>();
        self.0 = slots.iter().map(|&slot| u32::from_le_bytes(slot)).collect();
        ROk(())
    }
}

extern "C" fn create(_: RStr<'_>, _: u64) -> RResult<CachePolicyBox, PluginError> {
    ROk(CachePolicy_TO::from_value(Oldest::default(), TD_Opaque))
}

pub(crate) fn oldest() -> PolicySource {
    PolicySource::linked("oldest", "{}", CacheExtension { create })
}
