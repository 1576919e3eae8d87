//! Sweeping up: files of the store that no record speaks of any more. What may belong to somebody else
//! is named and left.

use std::{fmt, io, path::PathBuf};

use super::{
    files::{LOCK, LOG, state},
    place::{IGNORE, MARK, Place, is_state, is_temporary},
};
use crate::{
    fingerprint::Fingerprint,
    sink::{Dir, Kind},
};

/// Names that are told; the others are only counted.
const TOLD: usize = 8;

/// What lies in a store and is not its own, or not for certain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Left {
    /// How many files and directories.
    pub count: u64,
    /// The first of them, in the order of their names, relative to the store.
    pub first: Vec<PathBuf>,
}

impl Left {
    fn push(&mut self, path: PathBuf) {
        self.count += 1;
        let at = self.first.partition_point(|known| *known < path);
        self.first.insert(at, path);
        self.first.truncate(TOLD);
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, path) in self.first.iter().enumerate() {
            // Names are anybody's: a quoted one shows what would move a cursor.
            write!(f, "{}{path:?}", if i > 0 { ", " } else { "" })?;
        }
        match self.count - self.first.len() as u64 {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// What a sweep did.
#[derive(Debug, Default)]
pub(super) struct Swept {
    pub(super) removed: u64,
    pub(super) left: Left,
}

/// What belongs to a store, and what may go.
pub(super) struct Sweep<'a> {
    pub(super) dir: &'a Dir,
    pub(super) place: Place,
    /// Whether an artifact is in the store.
    pub(super) is_known: &'a dyn Fn(Fingerprint) -> bool,
    pub(super) generation: u64,
}

/// What a name is to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    /// In use.
    Used,
    /// One of the store's own, and in use no more.
    Over,
    /// None of the store's.
    Foreign,
}

impl Sweep<'_> {
    /// Removes what is the store's own and in use no more. The lock must be held: an artifact that is
    /// just coming in has no record yet.
    pub(super) fn run(&self) -> io::Result<Swept> {
        let mut swept = Swept::default();
        for (name, kind) in self.dir.entries()? {
            let text = name.to_string_lossy();
            match kind == Kind::Dir && is_part(&text) {
                true => self.part(&text, &mut swept)?,
                false => self.settle(kind, self.top(&text), name.into(), &mut swept),
            }
        }
        Ok(swept)
    }

    fn part(&self, part: &str, swept: &mut Swept) -> io::Result<()> {
        for (name, kind) in self.dir.dir(part)?.entries()? {
            let text = name.to_string_lossy();
            let is = match fingerprint(part, &text) {
                Some(fingerprint) if (self.is_known)(fingerprint) => Name::Used,
                Some(_) => Name::Over,
                None if is_temporary(&text) => Name::Over,
                None => Name::Foreign,
            };
            self.settle(kind, is, PathBuf::from(part).join(name), swept);
        }
        Ok(())
    }

    fn top(&self, name: &str) -> Name {
        match name {
            MARK | IGNORE | LOG | LOCK | "settings.toml" => Name::Used,
            name if name == state(self.generation) => Name::Used,
            name if is_state(name) || is_temporary(name) => Name::Over,
            _ => Name::Foreign,
        }
    }

    fn settle(&self, kind: Kind, is: Name, path: PathBuf, swept: &mut Swept) {
        match is {
            Name::Used if kind == Kind::File => {}
            Name::Over if kind == Kind::File && self.place == Place::Marked => {
                // What cannot be removed now is tried again by the next sweep.
                swept.removed += u64::from(self.dir.remove(&path).is_ok());
            }
            _ => swept.left.push(path),
        }
    }
}

/// Whether this is the name of a directory with artifacts: two lower-case hexadecimal digits.
fn is_part(name: &str) -> bool {
    name.len() == 2
        && name
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The fingerprint of an artifact's file, which has exactly the name that the store gives it.
fn fingerprint(part: &str, name: &str) -> Option<Fingerprint> {
    let digits = format!("{part}{name}");
    Fingerprint::parse(&digits).filter(|fingerprint| fingerprint.to_string() == digits)
}
