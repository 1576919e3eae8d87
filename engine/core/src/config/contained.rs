//! What plugins in worker processes may use: `[plugins.contained]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Period, Size};
use crate::plugins::Limits;

/// What a plugin in a worker process may use: `[plugins.contained]`. Nothing here changes a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContainedConfig {
    /// Memory of one worker, beyond the few MB that it needs itself. Default: 1 GiB.
    pub memory: Size,
    /// Time for one call; a worker that takes longer is ended. Default: 10s.
    pub call: Period,
    /// Crashes of a plugin after which its worker is not started again, from 1. Default: 3.
    pub crashes: u32,
}

impl Default for ContainedConfig {
    fn default() -> Self {
        let Limits {
            memory,
            call,
            crashes,
        } = Limits::default();
        Self {
            memory: Size::of_bytes(memory),
            call: Period::of(call),
            crashes,
        }
    }
}

/// Less than this and no library can be loaded.
const LEAST_MEMORY: u64 = 16 << 20;

impl ContainedConfig {
    /// As a worker knows them.
    pub const fn limits(&self) -> Limits {
        Limits {
            memory: self.memory.bytes(),
            call: self.call.duration(),
            crashes: self.crashes,
        }
    }

    /// The first key whose value is out of its range.
    pub(super) fn wrong_value(&self) -> Option<(String, String)> {
        if self.memory.bytes() < LEAST_MEMORY {
            let message = format!("{} is too little: give 16 MiB or more", self.memory);
            return Some(("plugins.contained.memory".into(), message));
        }
        (self.crashes == 0).then(|| {
            let message = "0 would never start a worker: give 1 or more".into();
            ("plugins.contained.crashes".into(), message)
        })
    }
}
