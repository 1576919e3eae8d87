//! Archives of many maps in place of many files.
//!
//! An archive holds a fixed run of planned maps in their order, written by one thread from start to
//! end, with the same time, mode and owner for every member: equal maps make equal archives. A tar is
//! stored plain, so that a member can be read at its place and the whole be compressed by whatever is
//! best; a zip deflates each member by itself, as SVG shrinks to a sixth.

use std::io::{self, Read};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use super::{Pending, PendingWriter, Scratch};
use crate::manifest::ARCHIVES_DIR;

/// Whether maps go into archives, and of which kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArchiveKind {
    /// Every map is a file of its own.
    #[default]
    None,
    /// Plain tar.
    Tar,
    /// Zip, deflated.
    Zip,
}

impl ArchiveKind {
    /// Its name in configurations: `none`, `tar`, `zip`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Tar => "tar",
            Self::Zip => "zip",
        }
    }

    /// Where an archive is, relative to the output directory: `archives/maps-00012.tar`.
    pub fn path(self, number: u64) -> String {
        format!("{ARCHIVES_DIR}/maps-{number:05}.{}", self.name())
    }
}

/// An archive that is being written: complete, or not there.
pub struct ArchiveWriter(Kind);

enum Kind {
    Tar(Box<tar::Builder<PendingWriter>>),
    Zip(Box<ZipWriter<PendingWriter>>),
}

impl ArchiveWriter {
    /// Starts an archive. One of no kind is a tar.
    ///
    /// # Errors
    /// When the directory of the run cannot be written.
    pub fn begin(scratch: &Scratch, kind: ArchiveKind, target: &str) -> io::Result<Self> {
        let file = Pending::begin(scratch, target)?;
        Ok(Self(match kind {
            ArchiveKind::Tar | ArchiveKind::None => Kind::Tar(Box::new(tar::Builder::new(file))),
            ArchiveKind::Zip => Kind::Zip(Box::new(ZipWriter::new(file))),
        }))
    }

    /// Adds a member of so many bytes, named as the file of the map would be.
    ///
    /// # Errors
    /// When it cannot be read or the disk is full.
    pub fn add(&mut self, name: &str, bytes: u64, from: &mut dyn Read) -> io::Result<()> {
        match &mut self.0 {
            Kind::Tar(tar) => {
                let mut header = tar::Header::new_gnu();
                header.set_size(bytes);
                header.set_mode(MODE);
                header.set_mtime(0);
                header.set_uid(0);
                header.set_gid(0);
                tar.append_data(&mut header, name, from)
            }
            Kind::Zip(zip) => {
                let options = SimpleFileOptions::default()
                    .compression_method(CompressionMethod::Deflated)
                    .compression_level(Some(6))
                    .last_modified_time(DateTime::default())
                    .unix_permissions(MODE)
                    .large_file(u32::try_from(bytes).is_err());
                zip.start_file(name, options)?;
                io::copy(from, zip).map(drop)
            }
        }
    }

    /// Ends the archive. It still waits to be published.
    ///
    /// # Errors
    /// When the disk is full; nothing is left behind.
    pub fn finish(self) -> io::Result<Pending> {
        match self.0 {
            Kind::Tar(tar) => tar.into_inner()?.finish(),
            Kind::Zip(zip) => zip.finish()?.finish(),
        }
    }
}

/// Everybody may read a member, its owner may write it.
const MODE: u32 = 0o644;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::sink::Dir;

    const LONG: &str = "ME_R/synapses/%F0%9F%AA%B0%F0%9F%AA%B0%F0%9F%AA%B0%F0%9F%AA%B0%F0%9F%AA%B0\
        %F0%9F%AA%B0%F0%9F%AA%B0%F0%9F%AA~~0123456789abcdef0123456789abcdef.static.svg";

    fn write(dir: &Path, kind: ArchiveKind) -> Vec<u8> {
        let scratch = Scratch::open(&Dir::open(dir).expect("it")).expect("a scratch");
        let target = dir.join(kind.path(7));
        let mut archive = ArchiveWriter::begin(&scratch, kind, &kind.path(7)).expect("begun");
        for (name, bytes) in [("ME_R/cells/Tm3.svg", "<svg/>"), (LONG, "long")] {
            let size = bytes.len() as u64;
            archive
                .add(name, size, &mut bytes.as_bytes())
                .expect("added");
        }
        let pending = archive.finish().expect("finished");
        assert!(!target.exists());
        pending.publish().expect("published");
        std::fs::read(target).expect("read")
    }

    #[test]
    fn members_are_read_back_and_bytes_depend_on_them_alone() {
        for kind in [ArchiveKind::Tar, ArchiveKind::Zip] {
            let (a, b) = (
                tempfile::tempdir().expect("a"),
                tempfile::tempdir().expect("b"),
            );
            let bytes = write(a.path(), kind);
            assert_eq!(bytes, write(b.path(), kind), "{kind:?}");
            assert_eq!(
                read(&bytes, kind),
                [
                    ("ME_R/cells/Tm3.svg".to_owned(), "<svg/>".to_owned()),
                    (LONG.to_owned(), "long".to_owned()),
                ]
            );
        }
    }

    fn read(bytes: &[u8], kind: ArchiveKind) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut text = |name: String, member: &mut dyn Read| {
            let mut text = String::new();
            member.read_to_string(&mut text).expect("text");
            found.push((name, text));
        };
        if kind == ArchiveKind::Zip {
            let mut zip = zip::ZipArchive::new(io::Cursor::new(bytes)).expect("a zip");
            for i in 0..zip.len() {
                let mut member = zip.by_index(i).expect("a member");
                let name = member.name().expect("a name").into_owned();
                text(name, &mut member);
            }
        } else {
            let mut tar = tar::Archive::new(bytes);
            for member in tar.entries().expect("a tar") {
                let mut member = member.expect("a member");
                let header = member.header();
                assert_eq!((header.mtime().ok(), header.uid().ok()), (Some(0), Some(0)));
                let name = member.path().expect("a path").display().to_string();
                text(name, &mut member);
            }
        }
        found
    }
}
