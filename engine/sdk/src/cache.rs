//! Writing a cache policy: which entry dies first.
//!
//! A policy sees slots, hashes, weights, costs and host ticks, never keys or values. A simple one
//! answers [`CachePolicy::victim`]; one that compares the newcomer with those that would have to go
//! writes [`CachePolicy::make_room`].

mod ghosts;
mod list;
mod newcomer;
mod queue;
mod ranks;
mod room;
mod table;

use eyemap_abi::{
    self as abi, Candidate, Decision, Event, PluginError, SlotMeta,
    abi_stable::{
        std_types::{RResult, RSlice, RSliceMut, RStr, RVec},
        type_level::downcasting::TD_Opaque,
    },
    cache::{CachePolicy_TO, EventKind},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Error, Result,
    config::Config,
    guard::{Guarded, guard},
};

pub use eyemap_abi::cache::{
    NEEDS_ADMISSION, NEEDS_CANDIDATE, NEEDS_COST, NEEDS_HINTS, NEEDS_HIT_META, NEEDS_HIT_ORDER,
    NEEDS_MISSES,
};
pub use ghosts::Ghosts;
pub use list::SlotList;
pub use newcomer::Newcomer;
pub use queue::SlotQueue;
pub use ranks::SlotRanks;
use room::Named;
pub use room::Room;
pub use table::SlotTable;

/// Decides which cache entry dies first. It sees slots, never keys or values.
///
/// ```
/// use eyemap_sdk::prelude::*;
///
/// eyemap_sdk::config! {
///     /// First in, first out has no options.
///     pub struct NoOptions {}
/// }
///
/// #[derive(Default, Serialize, Deserialize)]
/// #[serde(crate = "eyemap_sdk::serde")]
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
///     fn victim(&mut self, _slots: &[SlotMeta]) -> Option<u32> {
///         self.0.pop_oldest()
///     }
///     eyemap_sdk::keep_state!();
/// }
///
/// // Room for two: 3 puts 1 out, although it was just asked for.
/// use eyemap_sdk::testing::{Request, replay};
/// let requests = [1, 2, 1, 3, 1].map(|key| Request::new(key, 10));
/// assert_eq!(replay::<Fifo>(&NoOptions {}, 20, &requests).bits, "00100");
/// ```
///
/// **Determinism.** The same events must give the same decisions, however they are cut into calls.
/// A policy has no clock of its own: time is [`Event::tick`].
pub trait CachePolicy: Sized + Send + 'static {
    /// Its options in TOML.
    type Config: Config;

    /// What the host has to provide, the `NEEDS_*` flags. By default every hit, in order; a policy
    /// that is content with [`SlotMeta::hits`] says [`NEEDS_HIT_META`] and is called less often.
    const NEEDS: u32 = NEEDS_HIT_ORDER;

    /// Builds a policy for a capacity in bytes.
    ///
    /// # Errors
    /// When the options are unusable.
    fn create(config: Self::Config, capacity_bytes: u64) -> Result<Self>;

    /// An entry became resident.
    fn on_insert(&mut self, event: &Event);

    /// A resident entry was asked for. Needs [`NEEDS_HIT_ORDER`].
    fn on_hit(&mut self, event: &Event) {
        let _ = event;
    }

    /// An entry that is not resident was asked for. Needs [`NEEDS_MISSES`].
    fn on_miss(&mut self, event: &Event) {
        let _ = event;
    }

    /// An entry left or expired. Not called for victims that the policy named itself.
    fn on_remove(&mut self, event: &Event);

    /// A resident entry has a new weight.
    fn on_reweigh(&mut self, event: &Event) {
        let _ = event;
    }

    /// Names the next victim and forgets it; `None` when nothing is left. `slots` has one entry a
    /// slot.
    fn victim(&mut self, slots: &[SlotMeta]) -> Option<u32>;

    /// Names victims until there is room, and says whether the newcomer, if there is one, may come
    /// in. By default asks [`Self::victim`] and lets everything in.
    ///
    /// The host may ask again with the same newcomer and a smaller need, when there were more
    /// victims than it had place for; a refusal ends the asking. A newcomer that is let in is told next, by
    /// [`Self::on_insert`]; others may be told before it.
    ///
    /// # Errors
    /// Those of [`Room::evict`].
    fn make_room(&mut self, room: &mut Room<'_>) -> Result<bool> {
        while room.is_wanted() {
            let Some(slot) = self.victim(room.slots()) else {
                break;
            };
            room.evict(slot)?;
        }
        Ok(true)
    }

    /// The cache has a new capacity in bytes.
    fn resize(&mut self, capacity_bytes: u64) {
        let _ = capacity_bytes;
    }

    /// The state as bytes. By default empty: a restored policy starts anew.
    /// [`keep_state!`](crate::keep_state!) writes both methods for a type that serde knows.
    ///
    /// # Errors
    /// When the state cannot be written.
    fn snapshot(&self) -> Result<Vec<u8>> {
        Ok(Vec::new())
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

/// Writes `snapshot` and `restore` of a [`CachePolicy`] whose type serde can write and read.
#[macro_export]
macro_rules! keep_state {
    () => {
        fn snapshot(&self) -> $crate::Result<::std::vec::Vec<u8>> {
            $crate::cache::to_bytes(self)
        }

        fn restore(&mut self, bytes: &[u8]) -> $crate::Result<()> {
            *self = $crate::cache::from_bytes(bytes)?;
            Ok(())
        }
    };
}

/// A state as bytes: exact, also for numbers with a fraction.
///
/// # Errors
/// When serde cannot write the type.
pub fn to_bytes(state: &impl Serialize) -> Result<Vec<u8>> {
    postcard::to_allocvec(state).map_err(|error| Error::internal(error.to_string()))
}

/// The state that [`to_bytes`] wrote.
///
/// # Errors
/// When the bytes are not such a state.
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    postcard::from_bytes(bytes)
        .map_err(|error| Error::input(format!("this is no state of the policy: {error}")))
}

pub(crate) struct PolicyAdapter<P> {
    policy: Guarded<P>,
    named: Named,
}

impl<P: CachePolicy> PolicyAdapter<P> {
    pub(crate) fn new(policy: P) -> Self {
        Self {
            policy: Guarded::new(policy),
            named: Named::default(),
        }
    }

    fn take(&mut self, event: &Event) {
        match event.kind {
            EventKind::Hit => self.policy.on_hit(event),
            EventKind::Miss => self.policy.on_miss(event),
            EventKind::Insert => self.policy.on_insert(event),
            EventKind::Reweigh => self.policy.on_reweigh(event),
            // A victim was forgotten when it was named; its removal is only the host's echo.
            EventKind::Remove | EventKind::Expire if self.named.forget(event.slot) => {}
            EventKind::Remove | EventKind::Expire => self.policy.on_remove(event),
        }
    }
}

impl<P: CachePolicy> abi::CachePolicy for PolicyAdapter<P> {
    fn needs(&self) -> u32 {
        P::NEEDS
    }

    fn decide(
        &mut self,
        events: RSlice<'_, Event>,
        slot_meta: RSlice<'_, SlotMeta>,
        need_weight: u64,
        candidate: Candidate,
        out_victims: RSliceMut<'_, u32>,
    ) -> RResult<Decision, PluginError> {
        guard(|| {
            events.iter().for_each(|event| self.take(event));
            let candidate = candidate.into_option();
            if need_weight == 0 && candidate.is_none() {
                return Ok(Decision {
                    victims: 0,
                    admit: true,
                });
            }
            let slots = slot_meta.as_slice();
            let out = out_victims.into_mut_slice();
            let mut room = Room::new(need_weight, candidate, slots, out, &mut self.named);
            let admit = self.policy.make_room(&mut room)?;
            let victims = room.victims();
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
        guard(|| Ok(to_bytes(&(&self.named, self.policy.snapshot()?))?))
    }

    fn restore(&mut self, bytes: RSlice<'_, u8>) -> RResult<(), PluginError> {
        guard(|| {
            let (named, state): (Named, Vec<u8>) = from_bytes(bytes.as_slice())?;
            self.policy.restore(&state)?;
            self.named = named;
            Ok(())
        })
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
        Ok(CachePolicy_TO::from_value(
            PolicyAdapter::new(policy),
            TD_Opaque,
        ))
    })
}
