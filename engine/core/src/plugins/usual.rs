//! The usual search path, and whose word each lock on it is.

use std::path::{Path, PathBuf};

use super::{Finder, LOCK_FILE, Lock, NamedFile, PluginError, SearchDir, accepted::Accepted};

/// What a configuration and its user say of plugins.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said<'a> {
    /// The configuration file, if there is one.
    pub config: Option<&'a Path>,
    /// Directories of its `[plugins] path`.
    pub path: &'a [PathBuf],
    /// Its `[plugins] locks`.
    pub locks: &'a [PathBuf],
    /// Locks that the user gave by hand.
    pub given: &'a [PathBuf],
}

impl Finder {
    /// The usual search path: directories of the configuration, `plugins/` beside the configuration
    /// file, `EYEMAP_PLUGIN_PATH`, the user's data directory, and `plugins/` beside the executable.
    ///
    /// The locks in the user's data directory, those that the user gave or accepted, and the one beside the
    /// executable decide what runs in this process; all others let plugins run in workers.
    ///
    /// # Errors
    /// When a lock is there but cannot be read, or one that was given is not there.
    pub fn usual(said: &Said<'_>) -> Result<Self, PluginError> {
        let mut finder = Self::default();
        let accepted = Accepted::read()?;
        finder.push_configured(said, &accepted)?;
        if let Some(paths) = std::env::var_os("EYEMAP_PLUGIN_PATH") {
            finder.push_environment(&paths);
        }
        if let Some(dir) = user_data_dir() {
            let own = |path: &Path| Lock::read(path).map(Lock::of_the_user);
            finder.push_locked(&dir, "user data directory", own)?;
        }
        if let Some(dir) = std::env::current_exe()
            .ok()
            .as_deref()
            .and_then(Path::parent)
        {
            let bundle = dir.join("plugins");
            let lock = Lock::read(&bundle.join(LOCK_FILE))?;
            finder.locks.push(lock.of_the_host());
            finder.push(bundle, "beside the executable");
        }
        for path in said.given {
            finder.locks.push(Lock::given(path)?);
        }
        Ok(finder)
    }

    /// What the configuration names, and what lies beside it.
    fn push_configured(&mut self, said: &Said<'_>, accepted: &Accepted) -> Result<(), PluginError> {
        for path in said.path {
            self.push(path.clone(), "[plugins] path");
        }
        let config = said.config.and_then(|path| std::path::absolute(path).ok());
        if let Some(dir) = config.as_deref().and_then(Path::parent) {
            let found = |path: &Path| accepted.lock(path);
            self.push_locked(dir, "beside the configuration", found)?;
            self.project_lock = Some(dir.join(LOCK_FILE));
        }
        for path in said.locks {
            self.locks.push(accepted.lock(path)?);
        }
        Ok(())
    }

    fn push_environment(&mut self, paths: &std::ffi::OsStr) {
        for path in std::env::split_paths(paths) {
            if path.is_absolute() {
                self.push(path, "EYEMAP_PLUGIN_PATH");
            } else {
                // It would depend on the current directory, from which nothing is loaded.
                tracing::warn!(path = %path.display(), "relative path in EYEMAP_PLUGIN_PATH left out");
            }
        }
    }

    /// `plugins/` in a directory, with the locks in either.
    fn push_locked(
        &mut self,
        dir: &Path,
        origin: &'static str,
        read: impl Fn(&Path) -> Result<Lock, PluginError>,
    ) -> Result<(), PluginError> {
        let plugins = dir.join("plugins");
        self.locks.push(read(&dir.join(LOCK_FILE))?);
        self.locks.push(read(&plugins.join(LOCK_FILE))?);
        self.push(plugins, origin);
        Ok(())
    }

    fn push(&mut self, path: PathBuf, origin: &'static str) {
        if !self.dirs.iter().any(|dir| dir.path == path) {
            self.dirs.push(SearchDir { path, origin });
        }
    }

    /// Adds a file that is named by its path, wherever it lies: for lists, and for ids.
    pub fn name_file(&mut self, path: PathBuf, origin: &'static str) {
        if !self.files.iter().any(|file| file.path == path) {
            self.files.push(NamedFile { path, origin });
        }
    }
}

/// `$XDG_DATA_HOME/eyemap`, by default `~/.local/share/eyemap`: its lock and its `plugins` are always looked
/// at.
pub fn user_data_dir() -> Option<PathBuf> {
    let dir = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = dir("XDG_DATA_HOME").or_else(|| Some(dir("HOME")?.join(".local/share")))?;
    Some(base.join("eyemap"))
}
