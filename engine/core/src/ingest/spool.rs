//! A table from standard input: kept in an unnamed file, because tables are read from several places at
//! once and more than once. It goes with the process however that ends, and memory does not grow with it.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::AsRawFd as _,
    path::{Path, PathBuf},
};

/// Where the system shows the open files of the process.
const OPEN_FILES: &str = "/proc/self/fd";

/// What messages call it.
pub(super) const NAME: &str = "standard input";

/// A table that came through a pipe. It can be read while this lives.
#[derive(Debug)]
pub struct Spooled {
    file: File,
}

impl Spooled {
    /// Reads all of `input` into a file without a name in `dir`.
    ///
    /// # Errors
    /// When `input` cannot be read, or the file not be written.
    pub fn of(input: &mut dyn Read, dir: &Path) -> io::Result<Self> {
        let mut file = tempfile::tempfile_in(dir)?;
        io::copy(input, &mut file)?;
        Ok(Self { file })
    }

    /// A path that opens it, from its start, in this process.
    pub fn path(&self) -> PathBuf {
        Path::new(OPEN_FILES).join(self.file.as_raw_fd().to_string())
    }

    /// Whether a path is one of [`Spooled::path`].
    pub fn is_one(path: &Path) -> bool {
        path.starts_with(OPEN_FILES)
    }
}

/// What to do where the directory for what does not fit in memory cannot be used.
pub fn scratch_help(dir: &Path) -> String {
    let another = "name another directory with `scratch` of [memory]";
    if dir.is_dir() {
        return format!("free space there (about 10 bytes a row), or {another}");
    }
    let named = match std::env::var_os("TMPDIR") {
        Some(named) if Path::new(&named) == dir => ", though TMPDIR names it",
        _ => "",
    };
    format!("there is no such directory{named}: make it, or {another}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_through_a_pipe_is_read_from_its_start_as_often_as_wanted() {
        let dir = tempfile::tempdir().expect("a directory");
        let spooled = Spooled::of(&mut &b"a,b\n1,2\n"[..], dir.path()).expect("spooled");
        assert!(Spooled::is_one(&spooled.path()));
        for _ in 0..2 {
            let text = std::fs::read_to_string(spooled.path()).expect("readable");
            assert_eq!(text, "a,b\n1,2\n");
        }
        let names = std::fs::read_dir(dir.path())
            .expect("the directory")
            .count();
        assert_eq!(names, 0, "it has a name");
    }
}
