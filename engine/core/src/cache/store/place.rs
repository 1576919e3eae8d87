//! Which directory is a store.
//!
//! A store deletes files, so it never moves into a directory that others use: it makes its own, or takes
//! an empty one, and marks it before it puts anything else there. What lies in a marked directory under a
//! name of the store's own was put there by a store.

use std::{
    io::{self, Write as _},
    path::Path,
};

use super::{
    StoreError,
    files::{Files, LOG, read_header},
    unusable,
};
use crate::sink::Dir;

/// The file with the mark: also what tells backups to pass the directory by.
pub(super) const MARK: &str = "CACHEDIR.TAG";
const TEXT: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
    # A store of eyemap, form 1. This directory was made for it: eyemap deletes files here.\n\
    # See https://bford.info/cachedir/\n";
/// So that version control passes the directory by.
pub(super) const IGNORE: &str = ".gitignore";

/// What a directory is to its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It carries the mark: files with names of the store's own are the store's.
    Marked,
    /// It has the log of a store from before there was a mark, and may hold files of others: what no
    /// record speaks of is left.
    Unmarked,
}

impl Files {
    /// Opens the directory of a store, and makes a store of one that is missing or empty.
    ///
    /// # Errors
    /// When it holds something else, or cannot be read or made.
    pub(super) fn claim(path: &Path) -> Result<(Self, Place), StoreError> {
        let io = |source| unusable(path, source);
        let files = Self {
            dir: Dir::create(path).map_err(io)?,
        };
        if files.is_marked() {
            return Ok((files, Place::Marked));
        }
        if files.has_sound_log() {
            return Ok((files, Place::Unmarked));
        }
        match files.first_foreign().map_err(io)? {
            None => files.mark().map_err(io)?,
            // Another process may have made a store of it since.
            Some(_) if files.is_marked() => {}
            Some(found) => {
                let path = path.into();
                return Err(StoreError::NotAStore { path, found });
            }
        }
        Ok((files, Place::Marked))
    }

    fn is_marked(&self) -> bool {
        let text = self.dir.read(MARK, TEXT.len() as u64);
        text.is_ok_and(|text| text == TEXT.as_bytes())
    }

    fn has_sound_log(&self) -> bool {
        let log = self.dir.open_file(LOG, u64::MAX);
        let header = log.and_then(|mut log| read_header(&mut log));
        header.is_ok_and(|header| header.is_some())
    }

    /// A name in the directory that is not just being written by another process that marks it.
    fn first_foreign(&self) -> io::Result<Option<String>> {
        let entries = self.dir.entries()?;
        let mut names = entries
            .iter()
            .map(|(name, _)| name.to_string_lossy().into_owned());
        Ok(names.find(|name| !is_temporary(name)))
    }

    fn mark(&self) -> io::Result<()> {
        match self.dir.write(MARK, TEXT.as_bytes()) {
            // Another process that marked it may have swept up what this one was writing.
            Err(error) if !self.is_marked() => return Err(error),
            _ => {}
        }
        let ignored = self.dir.create_new(IGNORE);
        // Without it version control shows the store, which harms nobody.
        let _ = ignored.and_then(|mut file| file.write_all(b"*\n"));
        Ok(())
    }
}

/// Whether this is the name of a file that is being written, `.eyemap-PROCESS-NUMBER.tmp`.
pub(super) fn is_temporary(name: &str) -> bool {
    let middle = name
        .strip_prefix(".eyemap-")
        .and_then(|rest| rest.strip_suffix(".tmp"));
    let numbers = middle.and_then(|middle| middle.split_once('-'));
    numbers.is_some_and(|(process, number)| is_number(process) && is_number(number))
}

/// Whether this is the name of a file with a policy's state, `policy-GENERATION`.
pub(super) fn is_state(name: &str) -> bool {
    name.strip_prefix("policy-").is_some_and(is_number)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
