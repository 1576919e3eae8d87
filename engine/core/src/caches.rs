//! The caches of a run, as `[cache]` configures them.

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
    open_at(dir, config, finder).map(Some)
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
    /// Under memory pressure: lets the memos hold this many bytes together and lets what does not
    /// fit go before it returns. Each keeps its share of what they hold now.
    pub fn shrink_to(&self, bytes: u64) {
        let held = |statistics: Option<Statistics>| statistics.map_or(0, |found| found.bytes);
        let shares = [
            held(self.coordinates.statistics()),
            held(self.colors.statistics()),
            held(self.metadata.statistics()),
        ];
        let total: u128 = shares.iter().map(|&share| u128::from(share)).sum();
        let part = |share: u64| match total {
            0 => bytes / 3,
            // A share of `bytes` is not larger than it.
            total => (u128::from(bytes) * u128::from(share) / total) as u64,
        };
        self.coordinates.resize(part(shares[0]));
        self.colors.resize(part(shares[1]));
        self.metadata.resize(part(shares[2]));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::pipeline::Fingerprint;

    fn fingerprint(n: u8) -> Fingerprint {
        Fingerprint::from_bytes([n; 16])
    }

    #[test]
    fn under_pressure_memos_shrink_at_once_and_in_proportion() {
        let memo = |name| {
            let kept = (&Decides::Quick, 1 << 20, None);
            Memo::new(name, CacheMode::On, kept).expect("a memo")
        };
        let memos = Memos {
            colors: memo(CacheName::Colors),
            ..Memos::default()
        };
        for n in 0..100 {
            memos
                .colors
                .get_or_try(fingerprint(n), || Ok::<_, ()>((Arc::default(), 10_000)))
                .expect("a value");
        }
        let held = || memos.colors.statistics().expect("a cache").bytes;
        assert!(held() > 500_000, "{}", held());
        memos.shrink_to(100_000);
        assert!(held() <= 100_000, "{}", held());
        memos.shrink_to(0);
        assert_eq!(held(), 0);
    }
}
