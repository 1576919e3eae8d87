//! The caches of a run, as `[cache]` configures them.

mod settings;

use std::path::Path;

use crate::{
    cache::{
        CacheMode, CacheName, Decides, Measured, Memo, PolicyError, PolicySource, QUICK,
        Statistics, Store, StoreError, StoreSpec,
    },
    config::{CacheConfig, ResolvedCache},
    pipeline::{Memos, Pipeline},
    plugins::Finder,
};

pub use settings::settings_of;

/// Why a cache cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the cache of {} cannot be made", .cache.word())]
pub struct CachesError {
    /// Which.
    pub cache: CacheName,
    /// As it is configured.
    pub resolved: Box<ResolvedCache>,
    /// Why not.
    pub source: PolicyError,
}

/// Makes the memos of the stages.
///
/// # Errors
/// When a policy cannot be loaded or refuses its options.
pub fn memos(config: &CacheConfig, finder: &Finder) -> Result<Memos, CachesError> {
    Ok(Memos {
        coordinates: memo(config, finder, CacheName::Coordinates)?,
        colors: memo(config, finder, CacheName::Colors)?,
        metadata: memo(config, finder, CacheName::Metadata)?,
    })
}

fn memo<V: Clone + Send + Sync>(
    config: &CacheConfig,
    finder: &Finder,
    name: CacheName,
) -> Result<Memo<crate::pipeline::Fingerprint, V>, CachesError> {
    let resolved = config.of(name);
    let made = decides(&resolved, finder).and_then(|decides| {
        let kept = (&decides, resolved.capacity_bytes, resolved.ttl);
        Memo::new(name, resolved.mode, kept)
    });
    made.map_err(|source| CachesError {
        cache: name,
        resolved: Box::new(resolved),
        source,
    })
}

/// Who decides in a cache. A cache that is off loads no plugin, but wrong options are told anyway.
fn decides(resolved: &ResolvedCache, finder: &Finder) -> Result<Decides, PolicyError> {
    if resolved.policy == QUICK {
        return Ok(Decides::Quick);
    }
    PolicySource::load(finder, &resolved.policy, &resolved.policy_options).map(Decides::Policy)
}

/// Why the store of `[cache.artifacts]` cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Its policy is at fault: the configuration is wrong.
    #[error(transparent)]
    Policy(#[from] CachesError),
    /// `quick` cannot decide over files.
    #[error("the policy {QUICK} is built into the caches in memory and cannot decide over a store")]
    Quick {
        /// The key that names it.
        key: String,
    },
    /// The directory is at fault: a run goes on without it.
    #[error(transparent)]
    Store(StoreError),
}

/// The policy of the store.
///
/// # Errors
/// When it is `quick`, cannot be loaded, or refuses its options.
pub fn store_policy(config: &CacheConfig, finder: &Finder) -> Result<PolicySource, OpenError> {
    let resolved = config.of(CacheName::Artifacts);
    match decides(&resolved, finder) {
        Ok(Decides::Policy(policy)) => Ok(policy),
        // Named for all caches, `quick` leaves the store its usual policy; named for it, it is wrong.
        Ok(Decides::Quick) if config.artifacts.policy.is_none() => {
            let name = CacheConfig::default().policy;
            PolicySource::load(finder, &name, "{}").map_err(|source| {
                OpenError::Policy(CachesError {
                    cache: CacheName::Artifacts,
                    resolved: Box::new(resolved),
                    source,
                })
            })
        }
        Ok(Decides::Quick) => Err(OpenError::Quick {
            key: resolved.policy_key,
        }),
        Err(source) => Err(OpenError::Policy(CachesError {
            cache: CacheName::Artifacts,
            resolved: Box::new(resolved),
            source,
        })),
    }
}

/// Opens the store, if there is one and it is not off.
///
/// # Errors
/// See [`OpenError`].
pub fn open_store(config: &CacheConfig, finder: &Finder) -> Result<Option<Store>, OpenError> {
    let resolved = config.of(CacheName::Artifacts);
    let Some(dir) = config.artifacts.store.as_deref() else {
        return Ok(None);
    };
    if resolved.mode == CacheMode::Off {
        return Ok(None);
    }
    let store = open_at(dir, config, finder)?;
    let settings = config.settled_artifacts(store.policy());
    settings::note(dir, &settings);
    Ok(Some(store))
}

/// Opens a store in a directory, whatever the mode.
///
/// # Errors
/// See [`OpenError`].
pub fn open_at(dir: &Path, config: &CacheConfig, finder: &Finder) -> Result<Store, OpenError> {
    let resolved = config.of(CacheName::Artifacts);
    let policy = store_policy(config, finder)?;
    Store::open(&StoreSpec {
        dir,
        policy: &policy,
        capacity: resolved.capacity_bytes,
        ttl: resolved.ttl,
    })
    .map_err(OpenError::Store)
}

/// What a cache holds and did, and what the automatic rule saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Which cache.
    pub cache: CacheName,
    /// What it holds and did.
    pub statistics: Statistics,
    /// What the automatic rule saw; none where it does not decide.
    pub measured: Option<Measured>,
}

/// What the caches of a pipeline and its store did; those that are off are left out.
pub fn reports(pipeline: &Pipeline, store: Option<&Store>) -> Vec<Report> {
    let memos = &pipeline.memos;
    let of = |cache, statistics: Option<Statistics>, measured| {
        statistics.map(|statistics| Report {
            cache,
            statistics,
            measured,
        })
    };
    let (coordinates, colors, metadata) = (&memos.coordinates, &memos.colors, &memos.metadata);
    [
        of(
            CacheName::Coordinates,
            coordinates.statistics(),
            coordinates.measured(),
        ),
        of(CacheName::Colors, colors.statistics(), colors.measured()),
        of(
            CacheName::Metadata,
            metadata.statistics(),
            metadata.measured(),
        ),
        of(CacheName::Artifacts, store.map(Store::statistics), None),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Memos {
    /// What they may hold together as they were configured, in bytes.
    pub fn ceiling(&self) -> u64 {
        let ceilings = self.filled().map(|memo| memo.ceiling);
        ceilings.into_iter().fold(0, u64::saturating_add)
    }

    /// What they hold now together, in bytes.
    pub fn held(&self) -> u64 {
        let held = self.filled().map(|memo| memo.held);
        held.into_iter().fold(0, u64::saturating_add)
    }

    /// Lets the memos hold this many bytes together, and each of them never more than it was
    /// configured with; what does not fit leaves before this returns. What is held stays if it fits, and
    /// the rest of the room goes to where there is most left to fill; else all shrink by the same share.
    pub fn limit_to(&self, bytes: u64) {
        let [coordinates, colors, metadata] = shared_out(bytes, self.filled());
        self.coordinates.resize(coordinates);
        self.colors.resize(colors);
        self.metadata.resize(metadata);
    }

    fn filled(&self) -> [Filled; 3] {
        let of = |held, ceiling| Filled { held, ceiling };
        [
            of(self.coordinates.held(), self.coordinates.ceiling()),
            of(self.colors.held(), self.colors.ceiling()),
            of(self.metadata.held(), self.metadata.ceiling()),
        ]
    }
}

/// What a cache holds and what it may hold at most, in bytes.
#[derive(Debug, Clone, Copy)]
struct Filled {
    held: u64,
    ceiling: u64,
}

impl Filled {
    /// What could still come in.
    const fn room(self) -> u64 {
        self.ceiling.saturating_sub(self.held)
    }
}

/// The capacity of each of some caches that may hold this many bytes together.
fn shared_out<const N: usize>(bytes: u64, caches: [Filled; N]) -> [u64; N] {
    let held: u128 = caches.iter().map(|cache| u128::from(cache.held)).sum();
    let room: u128 = caches.iter().map(|cache| u128::from(cache.room())).sum();
    let bytes = u128::from(bytes);
    // A part of `bytes` is not larger than it.
    let part = |of: u64, whole: u128, bytes: u128| (u128::from(of) * bytes / whole) as u64;
    caches.map(|cache| match bytes.checked_sub(held) {
        None => part(cache.held, held, bytes),
        Some(spare) if spare >= room => cache.ceiling,
        Some(spare) => cache.held + part(cache.room(), room, spare),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{cache::test_policy::oldest, pipeline::Fingerprint};

    fn fingerprint(n: u8) -> Fingerprint {
        Fingerprint::from_bytes([n; 16])
    }

    /// A memo of colours that may hold this many bytes, and always remembers.
    fn of_colors(decides: &Decides, capacity: u64) -> Memos {
        let kept = (decides, capacity, None);
        Memos {
            colors: Memo::new(CacheName::Colors, CacheMode::On, kept).expect("a memo"),
            ..Memos::default()
        }
    }

    fn fill(memos: &Memos) {
        for n in 0..100 {
            memos
                .colors
                .get_or_try(fingerprint(n), || Ok::<_, ()>((Arc::default(), 10_000)))
                .expect("a value");
        }
    }

    #[test]
    fn under_pressure_memos_shrink_at_once() {
        for decides in [Decides::Quick, Decides::Policy(oldest())] {
            let memos = of_colors(&decides, 1 << 20);
            fill(&memos);
            assert!(memos.held() > 500_000, "{}", memos.held());
            memos.limit_to(100_000);
            assert!(memos.held() <= 100_000, "{}", memos.held());
            memos.limit_to(0);
            assert_eq!(memos.held(), 0);
        }
    }

    #[test]
    fn a_memo_is_never_given_more_than_it_was_configured_with() {
        for decides in [Decides::Quick, Decides::Policy(oldest())] {
            let memos = of_colors(&decides, 64 << 10);
            for bytes in [256 << 20, 32 << 10, u64::MAX] {
                memos.limit_to(bytes);
                let given = memos.colors.statistics().expect("a cache").capacity;
                assert_eq!(given, bytes.min(64 << 10), "{}", decides.name());
                fill(&memos);
                assert!(memos.held() <= given, "{}", decides.name());
            }
            let evictions = memos.colors.statistics().expect("a cache").counts.evictions;
            assert!(evictions > 0, "{}", decides.name());
            // Nor is more noted at once.
            memos.colors.resize(1 << 30);
            let given = memos.colors.statistics().expect("a cache").capacity;
            assert_eq!(given, 64 << 10);
        }
    }

    #[test]
    fn room_is_shared_out_by_what_is_held_and_then_by_what_can_be_filled() {
        let shared = |bytes, caches: [[u64; 2]; 3]| {
            shared_out(
                bytes,
                caches.map(|[held, ceiling]| Filled { held, ceiling }),
            )
        };
        // All fits.
        assert_eq!(shared(100, [[1, 10], [0, 20], [0, 0]]), [10, 20, 0]);
        assert_eq!(shared(u64::MAX, [[0, u64::MAX]; 3]), [u64::MAX / 3; 3]);
        // What is held stays, and 30 more go to 90 and 60 that are free.
        assert_eq!(shared(50, [[10, 100], [10, 70], [0, 0]]), [28, 22, 0]);
        // Too much is held.
        assert_eq!(shared(50, [[75, 100], [25, 100], [0, 9]]), [37, 12, 0]);
        assert_eq!(shared(0, [[75, 100], [0, 100], [0, 9]]), [0, 0, 0]);
        assert_eq!(shared(7, [[0, 0]; 3]), [0, 0, 0]);
    }
}
