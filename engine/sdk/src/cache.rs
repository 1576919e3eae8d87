//! Writing a cache policy: which entry dies first.
//!
//! The interface is a draft (`eyemap.cache/0`) and may still change.

use eyemap_abi::{
    self as abi, Candidate, Decision, Event, PluginError, SlotMeta,
    abi_stable::{
        std_types::{RResult, RSlice, RSliceMut, RStr, RVec},
        type_level::downcasting::TD_Opaque,
    },
    cache::{CachePolicy_TO, EventKind},
};

use crate::{
    Error, Result,
    config::Config,
    guard::{Guarded, guard},
};

pub use eyemap_abi::cache::{
    NEEDS_ADMISSION, NEEDS_COST, NEEDS_HINTS, NEEDS_HIT_META, NEEDS_HIT_ORDER, NEEDS_MISSES,
};

/// Decides which cache entry dies first. It sees slots, never keys or values.
///
/// ```
/// use eyemap_sdk::{abi::Event, prelude::*};
///
/// eyemap_sdk::config! {
///     /// First in, first out has no options.
///     pub struct NoOptions {}
/// }
///
/// #[derive(Default)]
/// struct Fifo(SlotList);
///
/// impl CachePolicy for Fifo {
///     type Config = NoOptions;
///     fn create(_options: NoOptions, _capacity_bytes: u64) -> Result<Self> {
///         Ok(Self::default())
///     }
///     fn on_insert(&mut self, event: &Event) {
///         self.0.push_newest(event.slot);
///     }
///     fn on_remove(&mut self, event: &Event) {
///         self.0.remove(event.slot);
///     }
///     fn victim(&mut self) -> Option<u32> {
///         self.0.pop_oldest()
///     }
/// }
/// ```
pub trait CachePolicy: Sized + Send + 'static {
    /// Its options in TOML.
    type Config: Config;

    /// What the host has to provide, the `NEEDS_*` flags. By default every hit, in order.
    const NEEDS: u32 = NEEDS_HIT_ORDER;

    /// Builds a policy for a capacity in bytes.
    ///
    /// # Errors
    /// When the options are unusable.
    fn create(config: Self::Config, capacity_bytes: u64) -> Result<Self>;

    /// An entry became resident.
    fn on_insert(&mut self, event: &Event);

    /// A resident entry was asked for.
    fn on_hit(&mut self, event: &Event) {
        let _ = event;
    }

    /// An entry that is not resident was asked for.
    fn on_miss(&mut self, event: &Event) {
        let _ = event;
    }

    /// An entry left or expired. Not called for victims that [`Self::victim`] named.
    fn on_remove(&mut self, event: &Event);

    /// Names the next victim and forgets it; `None` when nothing is left.
    fn victim(&mut self) -> Option<u32>;

    /// Whether the candidate may come in. By default it may.
    fn admit(&mut self, candidate: &Event) -> bool {
        let _ = candidate;
        true
    }

    /// The cache has a new capacity in bytes.
    fn resize(&mut self, capacity_bytes: u64) {
        let _ = capacity_bytes;
    }

    /// The state as bytes. By default empty: a restored policy starts anew.
    fn snapshot(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Replaces the state by one that `snapshot` gave.
    ///
    /// # Errors
    /// When the bytes are not such a state.
    fn restore(&mut self, bytes: &[u8]) -> Result<()> {
        let _ = bytes;
        Ok(())
    }
}

/// What the adapter knows of a slot.
#[derive(Debug, Clone, Copy, Default)]
struct Resident {
    weight: u64,
    present: bool,
}

struct PolicyAdapter<P> {
    policy: Guarded<P>,
    slots: Vec<Resident>,
}

impl<P: CachePolicy> PolicyAdapter<P> {
    fn slot(&mut self, slot: u32) -> &mut Resident {
        let index = slot as usize;
        if index >= self.slots.len() {
            self.slots.resize(index + 1, Resident::default());
        }
        &mut self.slots[index]
    }

    fn take(&mut self, event: &Event) {
        match event.kind {
            EventKind::Hit => self.policy.on_hit(event),
            EventKind::Miss => self.policy.on_miss(event),
            EventKind::Insert => {
                *self.slot(event.slot) = Resident {
                    weight: event.weight,
                    present: true,
                };
                self.policy.on_insert(event);
            }
            EventKind::Reweigh => self.slot(event.slot).weight = event.weight,
            // A victim was forgotten when it was named; its removal is only the host's echo.
            EventKind::Remove | EventKind::Expire => {
                if std::mem::take(self.slot(event.slot)).present {
                    self.policy.on_remove(event);
                }
            }
        }
    }

    fn name_victims(&mut self, need: u64, out: &mut [u32]) -> Result<u32> {
        let (mut freed, mut count) = (0u64, 0usize);
        while freed < need && count < out.len() {
            let Some(slot) = self.policy.victim() else {
                break;
            };
            let resident = std::mem::take(self.slot(slot));
            if !resident.present {
                return Err(Error::internal(format!("victim {slot} is not resident")));
            }
            freed = freed.saturating_add(resident.weight);
            out[count] = slot;
            count += 1;
        }
        // `out` is a slice of u32 that fits in memory, but its length is the host's.
        u32::try_from(count).map_err(|_| Error::internal("more victims than slots"))
    }
}

impl<P: CachePolicy> abi::CachePolicy for PolicyAdapter<P> {
    fn needs(&self) -> u32 {
        P::NEEDS
    }

    fn decide(
        &mut self,
        events: RSlice<'_, Event>,
        _slot_meta: RSlice<'_, SlotMeta>,
        need_weight: u64,
        candidate: Candidate,
        out_victims: RSliceMut<'_, u32>,
    ) -> RResult<Decision, PluginError> {
        guard(|| {
            events.iter().for_each(|event| self.take(event));
            let admit = candidate
                .into_option()
                .is_none_or(|c| self.policy.admit(&c));
            let victims = self.name_victims(need_weight, out_victims.into_mut_slice())?;
            Ok(Decision { victims, admit })
        })
    }

    fn resize(&mut self, capacity_bytes: u64) -> RResult<(), PluginError> {
        guard(|| {
            self.policy.resize(capacity_bytes);
            Ok(())
        })
    }

    fn snapshot(&self) -> RResult<RVec<u8>, PluginError> {
        guard(|| Ok(self.policy.snapshot()))
    }

    fn restore(&mut self, bytes: RSlice<'_, u8>) -> RResult<(), PluginError> {
        guard(|| Ok(self.policy.restore(bytes.as_slice())?))
    }
}

/// The `create` of the extension struct.
#[doc(hidden)]
pub extern "C" fn create<P: CachePolicy>(
    config: RStr<'_>,
    capacity_bytes: u64,
) -> RResult<abi::CachePolicyBox, PluginError> {
    guard(|| {
        let policy = P::create(crate::config::parse(config.as_str())?, capacity_bytes)?;
        let adapter = PolicyAdapter {
            policy: Guarded::new(policy),
            slots: Vec::new(),
        };
        Ok(CachePolicy_TO::from_value(adapter, TD_Opaque))
    })
}

const NONE: u32 = u32::MAX;

/// Slots in an order, oldest to newest, each step in constant time.
#[derive(Debug, Clone)]
pub struct SlotList {
    older: Vec<u32>,
    newer: Vec<u32>,
    oldest: u32,
    newest: u32,
    len: usize,
}

impl Default for SlotList {
    fn default() -> Self {
        Self {
            older: Vec::new(),
            newer: Vec::new(),
            oldest: NONE,
            newest: NONE,
            len: 0,
        }
    }
}

impl SlotList {
    /// Number of slots in the list.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// True without slots.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a slot is in the list.
    pub fn contains(&self, slot: u32) -> bool {
        let index = slot as usize;
        index < self.older.len()
            && (self.older[index] != NONE || self.newer[index] != NONE || self.oldest == slot)
    }

    /// Puts a slot at the newest end; one that is in the list moves there.
    pub fn push_newest(&mut self, slot: u32) {
        self.remove(slot);
        let index = slot as usize;
        if index >= self.older.len() {
            self.older.resize(index + 1, NONE);
            self.newer.resize(index + 1, NONE);
        }
        self.older[index] = self.newest;
        match self.newest {
            NONE => self.oldest = slot,
            newest => self.newer[newest as usize] = slot,
        }
        self.newest = slot;
        self.len += 1;
    }

    /// Takes a slot out, if it is in the list.
    pub fn remove(&mut self, slot: u32) {
        if !self.contains(slot) {
            return;
        }
        let index = slot as usize;
        let (older, newer) = (self.older[index], self.newer[index]);
        match older {
            NONE => self.oldest = newer,
            older => self.newer[older as usize] = newer,
        }
        match newer {
            NONE => self.newest = older,
            newer => self.older[newer as usize] = older,
        }
        (self.older[index], self.newer[index]) = (NONE, NONE);
        self.len -= 1;
    }

    /// Takes out the oldest slot.
    pub fn pop_oldest(&mut self) -> Option<u32> {
        let slot = (self.oldest != NONE).then_some(self.oldest)?;
        self.remove(slot);
        Some(slot)
    }

    /// The slots, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let first = (self.oldest != NONE).then_some(self.oldest);
        std::iter::successors(first, |&slot| {
            Some(self.newer[slot as usize]).filter(|&next| next != NONE)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::SlotList;

    #[test]
    fn a_slot_list_keeps_its_order_through_moves_and_removals() {
        let mut list = SlotList::default();
        for slot in [3, 0, 7, 1] {
            list.push_newest(slot);
        }
        list.push_newest(0);
        list.remove(7);
        list.remove(7);
        assert_eq!(list.iter().collect::<Vec<_>>(), [3, 1, 0]);
        assert_eq!((list.pop_oldest(), list.len()), (Some(3), 2));
        list.remove(1);
        list.remove(0);
        assert_eq!((list.pop_oldest(), list.is_empty()), (None, true));
    }
}
