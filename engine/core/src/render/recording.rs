//! What a run notes of its maps for `eyemap cache tune`: what was drawn, what the store had, and what was
//! left in its place. Maps that are never held are drawn whatever a cache does, and not noted.

use std::time::Duration;

use super::{Run, key};
use crate::{
    cache::{Answered, CacheName, Noted},
    manifest::Key,
    model::MapId,
    pipeline::Fingerprint,
};

impl Run<'_> {
    /// Notes that an artifact was asked for, its bytes, what drawing it costs, and what answered.
    pub(super) fn record(&self, name: Fingerprint, bytes: usize, cost: Duration, by: Answered) {
        let cost = u64::try_from(cost.as_nanos()).unwrap_or(u64::MAX);
        self.note(Noted {
            cache: CacheName::Artifacts,
            key: name.short(),
            size: Some(bytes as u64),
            cost_ns: Some(cost),
            answered: by,
        });
    }

    /// Notes that a map was asked for and left as it was. What drawing it costs is known to whoever drew
    /// it.
    pub(super) fn record_left(&self, key: &Key, name: Fingerprint) {
        if self.options.recorder.is_none() {
            return;
        }
        let file = self.journal.dir().look(key.path());
        self.note(Noted {
            cache: CacheName::Artifacts,
            key: name.short(),
            // One in an archive has no length of its own at hand.
            size: file.ok().flatten().map(|file| file.bytes),
            cost_ns: None,
            answered: Answered::Output,
        });
    }

    /// Notes a map that was left in its archive.
    pub(super) fn record_archived(&self, id: &MapId, map: Fingerprint) {
        for &format in &self.formats {
            self.record_left(&key(id, format), self.artifact(map, format));
        }
    }

    fn note(&self, noted: Noted) {
        if let Some(recorder) = self.options.recorder {
            recorder.note(noted);
        }
    }
}
