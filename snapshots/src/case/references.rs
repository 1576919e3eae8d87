//! Which reference files a case has, and whether the files on the disk are just these.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use super::{Case, CaseError, Form, files_below};

/// One thing that a case compares, and where its reference is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Folder of the case below `references/`, which is its name.
    pub folder: PathBuf,
    /// Name within the folder, as `insta` takes it: without `.snap`, with `.png` for a picture.
    pub name: String,
    /// Whether it is kept byte by byte, beside its head.
    pub is_picture: bool,
}

/// Why the files below `references/` are not those of the cases.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breach {
    /// A file that no case has.
    Orphaned(PathBuf),
    /// A file that a case has, and that is not there.
    Missing {
        /// The case's name.
        case: String,
        /// The file, below `references/`.
        file: PathBuf,
    },
}

impl Reference {
    /// That of an artifact. Folders become part of the name, as in `insta`.
    pub fn of_artifact(case: &Case, form: Form, path: &str) -> Self {
        Self {
            folder: PathBuf::from(&case.name),
            name: path.replace('/', "__"),
            is_picture: form == Form::Png,
        }
    }

    /// That of `stdout`, `stderr` or `files`.
    pub fn of_words(case: &Case, name: &str) -> Self {
        Self {
            folder: PathBuf::from(&case.name),
            name: name.to_owned(),
            is_picture: false,
        }
    }

    /// All of a case.
    pub fn all(case: &Case) -> Vec<Self> {
        let expect = &case.expect;
        let artifacts = expect.artifacts();
        let artifacts = artifacts.map(|(form, path)| Self::of_artifact(case, form, path));
        let words = [
            ("stdout", expect.stdout),
            ("stderr", expect.stderr),
            ("files", expect.files),
        ];
        let words = words.into_iter().filter(|(_, is_named)| *is_named);
        artifacts
            .chain(words.map(|(name, _)| Self::of_words(case, name)))
            .collect()
    }

    /// Its files below `references/`: a picture has a head and, last, its bytes.
    pub fn files(&self) -> Vec<PathBuf> {
        if !self.is_picture {
            return vec![self.folder.join(format!("{}.snap", self.name))];
        }
        let stem = self.name.trim_end_matches(".png");
        let names = [format!("{stem}.snap"), format!("{stem}.snap.png")];
        names.map(|name| self.folder.join(name)).to_vec()
    }
}

/// What is wrong with the reference files in a directory, sorted. Pending files of a reference that a
/// case has are left to that case, which fails as long as they differ.
///
/// # Errors
/// When the directory cannot be read.
pub fn breaches(cases: &[Case], dir: &Path) -> Result<Vec<Breach>, CaseError> {
    let mut missing = BTreeMap::new();
    for case in cases {
        let files = Reference::all(case)
            .into_iter()
            .flat_map(|reference| reference.files());
        missing.extend(files.map(|file| (file, case.name.clone())));
    }
    let known = missing.clone();
    let mut breaches = Vec::new();
    for path in files_below(dir)? {
        let file = path.strip_prefix(dir).unwrap_or(&path).to_owned();
        missing.remove(&file);
        if !known.contains_key(&settled(&file)) {
            breaches.push(Breach::Orphaned(file));
        }
    }
    let missing = missing.into_iter();
    breaches.extend(missing.map(|(file, case)| Breach::Missing { case, file }));
    breaches.sort();
    Ok(breaches)
}

/// The file that a pending file becomes when it is accepted.
fn settled(file: &Path) -> PathBuf {
    let name = file.to_string_lossy();
    match name.strip_suffix(".snap.new") {
        Some(stem) => PathBuf::from(format!("{stem}.snap")),
        None => PathBuf::from(name.replace(".snap.new.", ".snap.")),
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Orphaned(file) => {
                let file = file.display();
                write!(f, "references/{file} belongs to no case: delete it")
            }
            Self::Missing { case, file } => {
                let file = file.display();
                write!(
                    f,
                    "references/{file} is missing: run case {case}, then `cargo insta review`"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> Case {
        let text = "title = \"T\"\narguments = []\n[expect]\nstderr = true\n\
            scene = [\"ME_R/synapses/Mi1.json\"]\npng = [\"ME_R/synapses/Mi1.png\"]\n";
        let case: Case = toml::from_str(text).expect("a case");
        Case {
            name: "color/bins".into(),
            ..case
        }
    }

    const FILES: [&str; 4] = [
        "color/bins/ME_R__synapses__Mi1.json.snap",
        "color/bins/ME_R__synapses__Mi1.snap",
        "color/bins/ME_R__synapses__Mi1.snap.png",
        "color/bins/stderr.snap",
    ];

    /// A directory with these files.
    fn references(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a directory");
        for file in files {
            let path = dir.path().join(file);
            let folder = path.parent().expect("a folder");
            std::fs::create_dir_all(folder).expect("a folder");
            std::fs::write(path, "").expect("a file");
        }
        dir
    }

    fn told(files: &[&str]) -> Vec<String> {
        let found = breaches(&[case()], references(files).path()).expect("read");
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_files_of_the_cases_are_in_order_and_pending_ones_beside_them() {
        assert_eq!(told(&FILES), Vec::<String>::new());
        let stem = "color/bins/ME_R__synapses__Mi1";
        let pending = [format!("{stem}.snap.new"), format!("{stem}.snap.new.png")];
        let mut files = FILES.to_vec();
        files.extend(pending.iter().map(String::as_str));
        assert_eq!(told(&files), Vec::<String>::new());
    }

    #[test]
    fn a_stray_file_is_named() {
        for stray in [
            "color/bins/ME_R__synapses__Mi2.json.snap",
            "color/bins/ME_R__synapses__Mi2.json.snap.new",
            "color/bins/stderr.snap.png",
            "color/gone/stderr.snap",
            "notes.txt",
        ] {
            let mut files = FILES.to_vec();
            files.push(stray);
            let told = told(&files);
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].contains(stray), "{told:?}");
            assert!(told[0].contains("belongs to no case"), "{told:?}");
        }
    }

    #[test]
    fn a_missing_file_is_named_with_its_case() {
        for gone in FILES {
            let files: Vec<&str> = FILES.into_iter().filter(|file| *file != gone).collect();
            let told = told(&files);
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].contains(gone), "{told:?}");
            assert!(told[0].contains("case color/bins"), "{told:?}");
        }
    }
}
