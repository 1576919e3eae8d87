//! What maps of one pipeline have in common, as a hash.

use super::Pipeline;
use crate::{
    fingerprint::Hash,
    stage::{Identity, Origin},
};

impl Hash {
    /// A hash that has taken in a plugin with its configuration and side tables.
    pub(crate) fn of(origin: &Origin) -> Self {
        Self::of_stage(&origin.identity())
    }

    /// A hash that has taken in what a stage is made of.
    pub(crate) fn of_stage(stage: &Identity) -> Self {
        let mut hash = Self::new();
        hash.stage(stage);
        hash
    }

    fn stage(&mut self, stage: &Identity) {
        self.text(&stage.id);
        self.text(&stage.version);
        self.text(&stage.sha256);
        self.text(&stage.config);
        for (name, digest) in &stage.tables {
            self.text(name);
            self.numbers([*digest].into_iter());
        }
    }
}

impl Pipeline {
    /// A hash that has taken in all that maps of this pipeline have in common.
    pub(crate) fn hash(&self) -> Hash {
        let mut hash = Hash::new();
        hash.text(env!("CARGO_PKG_VERSION"));
        hash.stage(&self.coordinate.origin.identity());
        hash.stage(&self.color.origin.identity());
        hash.stage(&self.metadata.origin.identity());
        hash
    }
}
