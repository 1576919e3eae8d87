//! A small exact cache for the tests of a policy.
//!
//! It holds no values and is not fast: it asks the policy by the interface that a library exports,
//! checks every answer, and repeats a replay with the calls cut and the state saved in every way
//! that must not matter.

use super::host::{Host, Shape};
use crate::CachePolicy;

/// One time an entry is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Its key, which the policy sees as [`key_hash`](crate::abi::Event::key_hash).
    pub key: u64,
    /// Weight in bytes; the same in all requests of a key.
    pub weight: u64,
    /// Cost of computing it, in nanoseconds.
    pub cost_ns: u64,
    /// The host's clock; never falls.
    pub tick: u64,
    /// Tick at which it expires; `u64::MAX` is never.
    pub expires_at: u64,
    /// Whether `expires_at` also holds for an entry that is there already.
    pub renews: bool,
}

impl Request {
    /// A request at tick 0 for an entry that costs nothing and never expires.
    pub const fn new(key: u64, weight: u64) -> Self {
        Self {
            key,
            weight,
            cost_ns: 0,
            tick: 0,
            expires_at: u64::MAX,
            renews: false,
        }
    }
}

/// One thing that is done to a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// An entry is asked for, and put in when it is not there.
    Ask(Request),
    /// The entry of a key is taken out, if it is there.
    Remove(u64),
    /// The entry of a key has another weight in bytes from now on, if it is there.
    Reweigh(u64, u64),
    /// The cache gets another capacity in bytes.
    Resize(u64),
}

/// How a replay went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Requests that found their entry.
    pub hits: u64,
    /// Sum of their weights.
    pub hit_bytes: u64,
    /// Sum of their costs, in nanoseconds.
    pub hit_cost_ns: u64,
    /// A character a request: `1` for a hit, `0` for a miss.
    pub bits: String,
}

/// Asks for entries in turn, and puts in those that are not there.
///
/// Entries that are over at a request's tick are removed before it. A request heavier than the
/// capacity passes by, and the policy is not asked.
///
/// # Panics
/// As [`replay_steps`].
///
/// ```
/// # use eyemap_sdk::prelude::*;
/// # eyemap_sdk::config! {
/// #     /// None.
/// #     pub struct NoOptions {}
/// # }
/// # #[derive(Default, Serialize, Deserialize)]
/// # #[serde(crate = "eyemap_sdk::serde")]
/// # struct Fifo(SlotList);
/// # impl CachePolicy for Fifo {
/// #     type Config = NoOptions;
/// #     fn create(_: NoOptions, _: u64) -> Result<Self> { Ok(Self::default()) }
/// #     fn on_insert(&mut self, event: &Event) { self.0.push_newest(event.slot) }
/// #     fn on_remove(&mut self, event: &Event) { self.0.remove(event.slot) }
/// #     fn victim(&mut self, _: &[SlotMeta]) -> Option<u32> { self.0.pop_oldest() }
/// #     eyemap_sdk::keep_state!();
/// # }
/// use eyemap_sdk::testing::{Request, replay};
///
/// let requests = [1, 2, 1, 3, 1].map(|key| Request::new(key, 10));
/// assert_eq!(replay::<Fifo>(&NoOptions {}, 20, &requests).bits, "00100");
/// ```
pub fn replay<P: CachePolicy>(
    config: &P::Config,
    capacity_bytes: u64,
    requests: &[Request],
) -> Replayed {
    let steps: Vec<_> = requests.iter().copied().map(Step::Ask).collect();
    replay_steps::<P>(config, capacity_bytes, &steps)
}

/// [`replay`] with removals, other weights and other capacities in between.
///
/// # Panics
/// When the policy cannot be made, returns an error, names a victim that is not there or none
/// although room is wanted, or answers differently when the events come in batches of 1, 7, 64 or
/// 1024, when a call takes 1 victim or 64, or when its state is saved and restored on the way.
pub fn replay_steps<P: CachePolicy>(
    config: &P::Config,
    capacity_bytes: u64,
    steps: &[Step],
) -> Replayed {
    let replay_in = |shape| Host::<P>::new(config, capacity_bytes, shape).run(steps);
    let first = replay_in(Shape {
        batch: 1,
        places: 64,
        restore_every: usize::MAX,
    });
    for batch in [1, 7, 64, 1024] {
        for (places, restore_every) in [(1, usize::MAX), (64, usize::MAX), (1, 89), (64, 97)] {
            let shape = Shape {
                batch,
                places,
                restore_every,
            };
            assert_same(&first, &replay_in(shape), shape);
        }
    }
    first
}

fn assert_same(first: &Replayed, other: &Replayed, shape: Shape) {
    let mut pairs = first.bits.chars().zip(other.bits.chars());
    let differs = pairs.position(|(one, other)| one != other);
    assert_eq!(
        differs, None,
        "the first request that differs, in {shape:?}"
    );
}

#[cfg(test)]
mod tests {
    use super::{Request, Step, replay, replay_steps};
    use crate::prelude::*;

    crate::config! {
        /// None.
        struct NoOptions {}
    }

    /// First in, first out, with a fault that a constant names.
    #[derive(Default, Serialize, Deserialize)]
    struct Fifo<const FAULT: u8>(SlotList);

    const NONE: u8 = 0;
    const FORGETFUL: u8 = 1;
    const IDLE: u8 = 2;

    impl<const FAULT: u8> CachePolicy for Fifo<FAULT> {
        type Config = NoOptions;
        fn create(_options: NoOptions, _capacity_bytes: u64) -> Result<Self> {
            Ok(Self::default())
        }
        fn on_insert(&mut self, event: &Event) {
            self.0.push_newest(event.slot);
        }
        fn on_remove(&mut self, event: &Event) {
            self.0.remove(event.slot);
        }
        fn victim(&mut self, _slots: &[SlotMeta]) -> Option<u32> {
            (FAULT != IDLE).then(|| self.0.pop_oldest()).flatten()
        }
        fn snapshot(&self) -> Result<Vec<u8>> {
            crate::cache::to_bytes(self)
        }
        fn restore(&mut self, bytes: &[u8]) -> Result<()> {
            if FAULT != FORGETFUL {
                *self = crate::cache::from_bytes(bytes)?;
            }
            Ok(())
        }
    }

    fn scan<const FAULT: u8>() {
        let requests: Vec<_> = (0..300).map(|key| Request::new(key % 40, 1)).collect();
        replay::<Fifo<FAULT>>(&NoOptions {}, 30, &requests);
    }

    #[test]
    fn a_policy_without_a_fault_passes() {
        scan::<NONE>();
    }

    #[test]
    #[should_panic(expected = "no victim although")]
    fn a_policy_that_forgets_its_state_is_caught() {
        scan::<FORGETFUL>();
    }

    #[test]
    #[should_panic(expected = "no victim although 1 bytes")]
    fn a_policy_that_names_nothing_is_caught() {
        scan::<IDLE>();
    }

    #[test]
    fn an_entry_may_change_its_weight() {
        let ask = |key, weight| Step::Ask(Request::new(key, weight));
        // 2 grows to 15 and 1 has to go; then 2 shrinks and both fit.
        let steps = [
            ask(1, 10),
            ask(2, 10),
            Step::Reweigh(2, 15),
            Step::Reweigh(7, 1),
            ask(1, 10),
            ask(2, 5),
            Step::Reweigh(2, 5),
            ask(1, 10),
            ask(2, 5),
        ];
        let replayed = replay_steps::<Fifo<NONE>>(&NoOptions {}, 20, &steps);
        assert_eq!(replayed.bits, "000011");
    }
}
