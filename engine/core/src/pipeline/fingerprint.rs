//! What maps of one pipeline have in common, as a hash.

use super::Pipeline;
use crate::{fingerprint::Hash, stage::Origin};

impl Hash {
    /// A hash that has taken in a plugin with its configuration and side tables.
    pub(crate) fn of(origin: &Origin) -> Self {
        let mut hash = Self::new();
        hash.origin(origin);
        hash
    }

    fn origin(&mut self, origin: &Origin) {
        self.text(origin.id());
        self.text(&origin.plugin.manifest.version);
        self.text(&origin.plugin.sha256);
        self.text(&origin.config);
        for (name, digest) in &origin.tables {
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
        hash.origin(&self.coordinate.origin);
        hash.origin(&self.color.origin);
        hash.origin(&self.metadata.origin);
        hash
    }
}
