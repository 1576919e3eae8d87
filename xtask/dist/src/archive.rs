//! A compressed tar: the same members make the same bytes, and the file is whole or not there.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use flate2::{Compression, write::GzEncoder};

/// A file of the archive.
pub(crate) struct Member {
    /// Its path below the folder that the archive unpacks into.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) bytes: Vec<u8>,
    /// Whether it is a program or a library.
    pub(crate) is_executable: bool,
}

impl Member {
    /// A file of the disk.
    pub(crate) fn file(name: &str, path: &Path) -> Result<Self, String> {
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self {
            name: name.to_owned(),
            is_executable: bytes.starts_with(b"\x7fELF"),
            bytes,
        })
    }

    /// A text.
    pub(crate) fn text(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            bytes: text.as_bytes().to_vec(),
            is_executable: false,
        }
    }
}

/// Writes an archive that unpacks into the folder `root`.
pub(crate) fn write(file: &Path, root: &str, mut members: Vec<Member>) -> io::Result<()> {
    members.sort_by(|a, b| a.name.cmp(&b.name));
    let dir = file.parent().unwrap_or(Path::new("."));
    let pending = tempfile::NamedTempFile::new_in(dir)?;
    let packed = GzEncoder::new(io::BufWriter::new(pending), Compression::default());
    let mut tar = tar::Builder::new(packed);
    for member in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(member.bytes.len() as u64);
        header.set_mode(if member.is_executable { 0o755 } else { 0o644 });
        let path = format!("{root}/{}", member.name);
        tar.append_data(&mut header, path, &member.bytes[..])?;
    }
    let mut written = tar.into_inner()?.finish()?;
    written.flush()?;
    let pending = written
        .into_inner()
        .map_err(io::IntoInnerError::into_error)?;
    set_readable(pending.as_file())?;
    pending.persist(file)?;
    Ok(())
}

/// Unnamed files are private, which an archive for everybody is not.
fn set_readable(file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}
