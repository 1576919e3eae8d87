//! What can be wrong with a table, said so that it can be put right: file, place, column, remedy.
//!
//! Text that comes from a file is cut short and escaped here, once, because an error goes to a
//! terminal. Nothing is logged and nothing is printed.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use super::spool::{self, Spooled, scratch_help};
use crate::room::TooLittle;

/// Most characters of a file's text that an error repeats.
const QUOTED_CHARS: usize = 60;

/// Where in a file something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The file as a whole, or its header.
    File,
    /// A line of a text file, from 1; a record over several lines is named by its first.
    Line(u64),
    /// A row of a binary table, from 1.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("the file"),
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}

/// Why a table was not read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// The caller asked for an end.
    #[error("reading the table was interrupted")]
    Interrupted,
    /// The operating system, or a compressed stream, refused the bytes.
    #[error("{}: cannot be read", shown(file))]
    Read {
        /// The file.
        file: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// A binary table that does not decode.
    #[error("{}: is damaged or cut short, or is not {format}", shown(file))]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The format that its first bytes promise, with its article.
        format: &'static str,
        /// What the decoder says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Rows that did not fit in memory could not be kept on disk.
    #[error("rows that do not fit in memory cannot be kept in {}", clean(&dir.to_string_lossy()))]
    Spill {
        /// The directory.
        dir: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// Reading does not fit in the memory that the run may take.
    #[error(transparent)]
    TooLittle(#[from] TooLittle),
    /// Something that the file says is not acceptable.
    #[error("{}", describe(file, *place, column.as_deref(), message))]
    Refused {
        /// The file.
        file: PathBuf,
        /// Where in the file.
        place: Place,
        /// The column, as the file's header names it.
        column: Option<String>,
        /// What is wrong, with the offending text.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
}

impl TableError {
    /// What the user can do about it, if that is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Interrupted => None,
            Self::TooLittle(error) => Some(error.help()),
            Self::Spill { dir, .. } => Some(format!(
                "{}, or allow more memory with `limit`",
                clean(&scratch_help(dir))
            )),
            Self::Read { .. } => {
                Some("check that the file exists, is whole and may be read".into())
            }
            Self::Damaged { .. } => Some("write or copy the file again".into()),
            Self::Refused { help, .. } => help.clone(),
        }
    }

    /// The file, where there is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Interrupted | Self::TooLittle(_) | Self::Spill { .. } => None,
            Self::Read { file, .. } | Self::Damaged { file, .. } | Self::Refused { file, .. } => {
                Some(file)
            }
        }
    }

    /// Where in the file it is.
    pub fn place(&self) -> Place {
        match self {
            Self::Refused { place, .. } => *place,
            _ => Place::File,
        }
    }

    pub(super) fn read(file: &Path, source: io::Error) -> Self {
        Self::Read {
            file: file.into(),
            source,
        }
    }
}

fn describe(file: &Path, place: Place, column: Option<&str>, message: &str) -> String {
    let mut text = shown(file);
    if place != Place::File {
        text += &format!(", {place}");
    }
    if let Some(column) = column {
        text += &format!(", column {}", clean(column));
    }
    format!("{text}: {message}")
}

/// An objection that does not know its file and place yet.
#[derive(Debug)]
pub(super) struct Objection {
    column: Option<String>,
    message: String,
    help: Option<String>,
}

impl Objection {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            column: None,
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds to the help that there is.
    pub(super) fn more_help(mut self, more: &str) -> Self {
        self.help = Some(match self.help {
            Some(help) => format!("{help}\n{more}"),
            None => more.into(),
        });
        self
    }

    pub(super) fn column(mut self, column: &str) -> Self {
        self.column = Some(column.into());
        self
    }

    pub(super) fn at(self, file: &Path, place: Place) -> TableError {
        TableError::Refused {
            file: file.into(),
            place,
            column: self.column,
            message: self.message,
            help: self.help,
        }
    }
}

/// A file as messages name it.
pub(super) fn shown(file: &Path) -> String {
    match Spooled::is_one(file) {
        true => spool::NAME.into(),
        false => clean(&file.to_string_lossy()),
    }
}

/// Text of a file as it may go to a terminal: cut short, without control characters.
pub(super) fn clean(text: &str) -> String {
    escape(text, false, usize::MAX)
}

/// Like [`clean`], between double quotes and at most sixty characters long.
pub(super) fn quote(text: &str) -> String {
    format!("\"{}\"", escape(text, true, QUOTED_CHARS))
}

fn escape(text: &str, quoted: bool, most: usize) -> String {
    let mut out = String::new();
    for (index, c) in text.chars().enumerate() {
        if index == most {
            out.push('…');
            break;
        }
        match c {
            '\'' => out.push(c),
            '"' | '\\' if !quoted => out.push(c),
            _ => out.extend(c.escape_debug()),
        }
    }
    out
}
