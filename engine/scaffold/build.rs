//! Lists the sources of the crates that a plugin is written against, so that the command carries them.

use std::{
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

/// The crates, as folders of `engine/`. Each is called `eyemap-` and that.
const CRATES: [&str; 2] = ["abi", "sdk"];

/// What of a crate is carried along with `src`. Its `Cargo.toml` becomes one that stands alone.
const FILES: [&str; 4] = ["Cargo.toml", "LICENSE", "README.md", "build.rs"];

fn main() -> io::Result<()> {
    let engine = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let engine = engine.canonicalize()?;
    let mut list = String::from("&[\n");
    for name in CRATES {
        let krate = engine.join(name);
        println!("cargo:rerun-if-changed={}", krate.join("src").display());
        let mut files: Vec<PathBuf> = FILES.iter().map(|file| krate.join(file)).collect();
        files.retain(|file| file.is_file());
        below(&krate.join("src"), &mut files)?;
        files.sort();
        for file in files {
            println!("cargo:rerun-if-changed={}", file.display());
            let inner = file.strip_prefix(&krate).unwrap_or(&file).display();
            let entry = format!("(\"eyemap-{name}/{inner}\", include_str!({file:?})),");
            writeln!(list, "    {entry}").map_err(io::Error::other)?;
        }
    }
    list.push_str("]\n");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("sources.rs"), list)?;
    println!("cargo:rerun-if-changed=build.rs");
    Ok(())
}

/// Adds all files below a directory.
fn below(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        match path.is_dir() {
            true => below(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}
