//! Who decides: a policy plugin, watched, and behind it first in, first out.
//!
//! Nothing that a policy answers is believed. One that errs, names a victim that is none, names too
//! few or takes too long is asked no more; the host then evicts the oldest entry. Native code that
//! never returns cannot be stopped from within its process.

use std::{
    collections::VecDeque,
    fmt,
    sync::Arc,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use eyemap_abi::{
    CacheExtension, CachePolicyBox, ErrorKind, Event, PluginError as AbiError, SlotMeta,
    abi_stable::std_types::{RErr, RNone, ROk, RResult, RSlice, RSliceMut, RSome, RStr},
};

use crate::{
    own_time::OwnTime,
    plugins::{Extension as _, Finder, Manifest, Plugin, PluginError, clean, in_a_line},
};

/// A policy that can be built for any capacity: the plugin and its options.
#[derive(Clone)]
pub struct PolicySource {
    name: String,
    options: String,
    code: Code,
    slow_calls: Arc<AtomicU32>,
}

/// Where a policy's code is.
#[derive(Clone, Copy)]
enum Code {
    Plugin(&'static Plugin),
    Linked(CacheExtension),
}

/// Why there is no such policy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The plugin cannot be loaded.
    #[error("the cache policy {} cannot be loaded", .name.escape_debug())]
    Load {
        /// As it was asked for.
        name: String,
        /// Why.
        source: Box<PluginError>,
    },
    /// The plugin refuses its options or the capacity.
    #[error("the cache policy {} refuses: {error}", .name.escape_debug())]
    Refused {
        /// As it was asked for.
        name: String,
        /// What it says.
        error: Box<AbiError>,
    },
}

/// A call that takes longer counts as slow; a decision takes microseconds.
const SLOW: Duration = Duration::from_millis(100);
/// A page that has to be read from the disk delays a call now and then, but not so many of one policy.
const SLOW_CALLS: u32 = 3;

impl fmt::Debug for PolicySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PolicySource({} {})", self.name, self.options)
    }
}

impl PolicySource {
    /// Finds the plugin, and lets it read its options (canonical JSON) once. A name without a plugin
    /// is tried again with `-policy` behind it: `sieve` is `sieve-policy`.
    ///
    /// # Errors
    /// When it cannot be loaded or refuses its options.
    pub fn load(finder: &Finder, name: &str, options: &str) -> Result<Self, PolicyError> {
        let failed = |source| PolicyError::Load {
            name: name.to_owned(),
            source: Box::new(source),
        };
        let plugin = find(finder, name).map_err(failed)?;
        let source = Self::of(name, options, Code::Plugin(plugin));
        source.create(1 << 20)?;
        Ok(source)
    }

    /// A policy that is linked into the program, for benches and tests.
    pub fn linked(name: &str, options: &str, extension: CacheExtension) -> Self {
        Self::of(name, options, Code::Linked(extension))
    }

    fn of(name: &str, options: &str, code: Code) -> Self {
        Self {
            name: name.to_owned(),
            options: options.to_owned(),
            code,
            slow_calls: Arc::default(),
        }
    }

    /// Whether a plugin is a cache policy, as far as its manifest says.
    pub fn is_exported(manifest: &Manifest) -> bool {
        let mut exported = manifest.extensions.iter();
        exported.any(|extension| extension == CacheExtension::ID)
    }

    /// What TOML calls it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The plugin behind it; none when it is linked in.
    pub const fn plugin(&self) -> Option<&'static Plugin> {
        match self.code {
            Code::Plugin(plugin) => Some(plugin),
            Code::Linked(_) => None,
        }
    }

    /// What decides: id, version and hash of the plugin, and its options.
    pub fn identity(&self) -> String {
        match self.plugin() {
            Some(plugin) => format!(
                "{} {} {} {}",
                plugin.manifest.id, plugin.manifest.version, plugin.sha256, self.options
            ),
            None => format!("{} {}", self.name, self.options),
        }
    }

    pub(super) fn create(&self, capacity: u64) -> Result<Policy, PolicyError> {
        let created = {
            let _alone = self.plugin().and_then(Plugin::alone);
            let options = RStr::from_str(&self.options);
            match self.code {
                Code::Plugin(plugin) => plugin.create_policy(options, capacity),
                Code::Linked(extension) => Ok((extension.create)(options, capacity)),
            }
        };
        let created = created.map_err(|source| PolicyError::Load {
            name: self.name.clone(),
            source: Box::new(source),
        })?;
        match created {
            ROk(policy) => Ok(Policy {
                needs: policy.needs(),
                policy,
                source: self.clone(),
            }),
            RErr(error) => Err(PolicyError::Refused {
                name: self.name.clone(),
                error: Box::new(clean(error)),
            }),
        }
    }
}

/// The plugin of a policy, by its name or its name without the end that those of policies have.
fn find(finder: &Finder, name: &str) -> Result<&'static Plugin, PluginError> {
    let mut missing = match finder.load(name) {
        Err(error @ PluginError::NotFound { .. }) if !name.ends_with(SUFFIX) => error,
        found => return found,
    };
    match (finder.load(&format!("{name}{SUFFIX}")), &mut missing) {
        // The error names what was asked for; what is nearest may be nearer to the long name.
        (
            Err(PluginError::NotFound { similar: long, .. }),
            PluginError::NotFound { similar, .. },
        ) => {
            *similar = long.or(similar.take());
            Err(missing)
        }
        (found, _) => found,
    }
}

/// How the ids of policies end.
const SUFFIX: &str = "-policy";

impl PolicyError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Load { source, .. } => source.help(),
            Self::Refused { error, .. } => match error.kind {
                ErrorKind::Config => {
                    "`eyemap plugin list --schema` shows the options of each policy".into()
                }
                ErrorKind::Input => "the capacity does not suit this policy".into(),
                ErrorKind::Panic | ErrorKind::Internal => {
                    "this is a fault of the plugin: report it to its author".into()
                }
            },
        }
    }

    /// The key in the configuration that is to blame, if `policy` is the key that names the policy
    /// and `options` the table of its options.
    pub fn config_key(&self, policy: &str, options: &str) -> Option<String> {
        match self {
            Self::Load { .. } => Some(policy.to_owned()),
            Self::Refused { error, .. } if error.kind == ErrorKind::Config => {
                Some(match error.at.as_str() {
                    "" => options.to_owned(),
                    at => format!("{options}.{at}"),
                })
            }
            Self::Refused { .. } => None,
        }
    }
}

/// A larger state is a fault: that of a million entries is below a tenth of it.
const MAX_STATE: usize = 1 << 30;

/// Places for victims of one call.
pub(super) const VICTIMS: usize = 64;

/// Why a policy is asked no more.
pub(super) type Fault = String;

/// What a policy answered.
pub(super) struct Answer {
    pub(super) victims: usize,
    pub(super) admit: bool,
}

/// A policy of one cache.
pub(super) struct Policy {
    policy: CachePolicyBox,
    pub(super) needs: u32,
    source: PolicySource,
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

impl Policy {
    /// What TOML calls it.
    pub(super) fn name(&self) -> &str {
        &self.source.name
    }

    pub(super) fn decide(
        &mut self,
        events: &[Event],
        slots: &[SlotMeta],
        (need, candidate): (u64, Option<Event>),
        out: &mut [u32],
    ) -> Result<Answer, Fault> {
        let places = out.len();
        let decision = self.call("decide", |policy| {
            policy.decide(
                RSlice::from_slice(events),
                RSlice::from_slice(slots),
                need,
                candidate.map_or(RNone, RSome),
                RSliceMut::from_mut_slice(out),
            )
        })?;
        match decision.victims as usize {
            victims if victims <= places => Ok(Answer {
                victims,
                admit: decision.admit,
            }),
            victims => Err(format!("it named {victims} victims in {places} places")),
        }
    }

    pub(super) fn resize(&mut self, capacity: u64) -> Result<(), Fault> {
        self.call("resize", |policy| policy.resize(capacity))
    }

    pub(super) fn snapshot(&mut self) -> Result<Vec<u8>, Fault> {
        let state = self.call("snapshot", |policy| policy.snapshot())?;
        match state.len() {
            len if len <= MAX_STATE => Ok(state.to_vec()),
            len => Err(format!("its state has {len} bytes, more than {MAX_STATE}")),
        }
    }

    pub(super) fn restore(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.call("restore", |policy| {
            policy.restore(RSlice::from_slice(bytes))
        })
    }

    fn call<T>(
        &mut self,
        what: &str,
        call: impl FnOnce(&mut CachePolicyBox) -> RResult<T, AbiError>,
    ) -> Result<T, Fault> {
        let _alone = self.source.plugin().and_then(Plugin::alone);
        let time = OwnTime::start();
        let answer = call(&mut self.policy);
        if let Some(own) = time.above(SLOW) {
            // Counted over all caches of the policy, so that many of them do not wait many times.
            let slow = self.source.slow_calls.fetch_add(1, Ordering::Relaxed) + 1;
            if slow >= SLOW_CALLS {
                return Err(format!(
                    "its {what} took {} ms; calls above {} ms so far: {slow}",
                    own.as_millis(),
                    SLOW.as_millis()
                ));
            }
        }
        match answer {
            ROk(value) => Ok(value),
            RErr(error) => Err(format!("its {what} failed: {}", in_a_line(&error))),
        }
    }
}

/// Slots from the oldest to the newest insert, each with the number of that insert: a slot that was
/// used again since is passed over.
#[derive(Debug, Default)]
pub(super) struct Fifo(VecDeque<(u32, u32)>);

impl Fifo {
    pub(super) fn of(mut slots: Vec<(u32, u32)>, next: u32) -> Self {
        // Numbers wrap; the age does not.
        slots.sort_by_key(|&(_, number)| std::cmp::Reverse(next.wrapping_sub(number)));
        Self(slots.into())
    }

    pub(super) fn push(&mut self, slot: u32, number: u32) {
        self.0.push_back((slot, number));
    }

    pub(super) fn pop(&mut self) -> Option<(u32, u32)> {
        self.0.pop_front()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn retain(&mut self, keep: impl Fn(u32, u32) -> bool) {
        self.0.retain(|&(slot, number)| keep(slot, number));
    }
}
