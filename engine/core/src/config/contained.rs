//! What plugins in worker processes may use: `[plugins.contained]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Period, Size};
use crate::plugins::{Limits, MAX_WORKERS};

/// What a plugin in a worker process may use: `[plugins.contained]`. Nothing here changes a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContainedConfig {
    /// Memory of one worker process, beyond the few MB that it needs itself. Default: 1 GiB.
    pub memory: Size,
    /// Time for one call; a worker that takes longer is ended. Default: 10s.
    pub call: Period,
    /// Calls of a plugin that crash after which its worker is not started again, from 1. A value that is known to
    /// make it crash counts once. Default: 3.
    pub crashes: u32,
    /// Worker processes of a plugin at most, 1 to 64. One is started, and more where threads wait for one
    /// another. Without it as many as there are cores, at most 8.
    pub workers: Option<u32>,
}

impl Default for ContainedConfig {
    fn default() -> Self {
        let Limits {
            memory,
            call,
            crashes,
            workers: _,
        } = Limits::default();
        Self {
            memory: Size::of_bytes(memory),
            call: Period::of(call),
            crashes,
            workers: None,
        }
    }
}

/// Less than this and no library can be loaded.
const LEAST_MEMORY: u64 = 16 << 20;

impl ContainedConfig {
    /// As a worker knows them.
    pub fn limits(&self) -> Limits {
        Limits {
            memory: self.memory.bytes(),
            call: self.call.duration(),
            crashes: self.crashes,
            workers: self.workers.unwrap_or(Limits::default().workers),
        }
    }

    /// The first key whose value is out of its range.
    pub(super) fn wrong_value(&self) -> Option<(String, String)> {
        if self.memory.bytes() < LEAST_MEMORY {
            let message = format!("{} is too little: give 16 MiB or more", self.memory);
            return Some(("plugins.contained.memory".into(), message));
        }
        if self.crashes == 0 {
            let message = "0 would never start a worker: give 1 or more".into();
            return Some(("plugins.contained.crashes".into(), message));
        }
        let workers = self.workers.filter(|n| !(1..=MAX_WORKERS).contains(n))?;
        let message = format!("{workers} is not from 1 to {MAX_WORKERS}");
        Some(("plugins.contained.workers".into(), message))
    }
}
