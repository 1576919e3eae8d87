//! What the library needs of the system, what it gives to others, and what runs when it is loaded.

use eyemap_abi::root::ENTRY_SYMBOL;
use object::elf;

use super::*;
use crate::text::plain;

/// The C library that supported distributions have at least: Ubuntu 22.04 has 2.35, Debian 12 has 2.36,
/// RHEL 9 has 2.34. A plugin that needs a newer one works here and not for some of its users.
const WIDE_GLIBC: (u32, u32) = (2, 34);

/// What Rust's standard library and its unwinder link. Everything else is to be linked statically, as
/// another machine may not have it, and as the loader runs its code before anybody looked at it.
const ALLOWED: [&str; 8] = [
    "libc.so.6",
    "libm.so.6",
    "libgcc_s.so.1",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
];

/// What a Rust library has: `frame_dummy` of the C runtime, and the standard library's own, which keeps
/// the program's arguments.
const PLAIN_CONSTRUCTORS: u64 = 2;
const POINTER_BYTES: u64 = 8;

/// Names are shown, not lists of them.
const SHOWN: usize = 6;

/// It needs no newer C library than this machine has.
pub(super) fn glibc_floor(subject: &Subject) -> Outcome {
    let symbols = match library(subject).and_then(|library| read(library.symbols())) {
        Ok(symbols) => symbols,
        Err(outcome) => return outcome,
    };
    let versioned = symbols
        .iter()
        .filter_map(|symbol| Some((glibc_version(symbol.version?)?, symbol.name)));
    let Some((needed, name)) = versioned.max() else {
        return Outcome::noted("it needs no version of the C library");
    };
    let of = |(major, minor): (u32, u32)| format!("{major}.{minor}");
    let name = plain(&String::from_utf8_lossy(name), 80);
    match host_glibc() {
        Some(host) if needed > host => Outcome::failed(
            format!(
                "it needs glibc {} for {name}, and this machine has {}",
                of(needed),
                of(host)
            ),
            "build it on the oldest system that is to run it, for example in a container of Debian 12",
        ),
        _ if needed > WIDE_GLIBC => Outcome::noted(format!(
            "it needs glibc {} for {name}; with {} it would work on RHEL 9, Ubuntu 22.04 and Debian 12",
            of(needed),
            of(WIDE_GLIBC)
        )),
        _ => Outcome::noted(format!("glibc {} or newer", of(needed))),
    }
}

/// `GLIBC_2.34` as numbers.
fn glibc_version(name: &[u8]) -> Option<(u32, u32)> {
    let version = std::str::from_utf8(name).ok()?.strip_prefix("GLIBC_")?;
    let mut parts = version.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

/// The version of the C library that this process runs with: the newest one that it defines.
fn host_glibc() -> Option<(u32, u32)> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let path = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5))
        .find(|path| path.ends_with("/libc.so.6"))?;
    let bytes = std::fs::read(path).ok()?;
    let symbols = Library::read(&bytes).ok()?.symbols().ok()?;
    symbols
        .iter()
        .filter_map(|symbol| glibc_version(symbol.version?))
        .max()
}

/// It loads no other library than those that every system has.
pub(super) fn needed_libs(subject: &Subject) -> Outcome {
    let needed = match library(subject).and_then(|library| read(library.needed())) {
        Ok(needed) => needed,
        Err(outcome) => return outcome,
    };
    let mut others = needed
        .iter()
        .filter(|name| !ALLOWED.contains(&name.as_str()));
    match others.next() {
        None => Outcome::noted(needed.join(", ")),
        Some(other) => Outcome::failed(
            format!("it needs {}, which another machine may not have", plain(other, 80)),
            "link it statically, for example with the feature `vendored` or `static` of its -sys crate",
        )
        .with(others.take(SHOWN).map(|name| format!("and {name}"))),
    }
}

/// It exports the entry of a plugin and nothing else.
pub(super) fn exports_only_entry(subject: &Subject) -> Outcome {
    let symbols = match library(subject).and_then(|library| read(library.symbols())) {
        Ok(symbols) => symbols,
        Err(outcome) => return outcome,
    };
    let (entry, others): (Vec<_>, Vec<_>) = symbols
        .iter()
        .filter(|symbol| symbol.is_exported)
        .partition(|symbol| symbol.name == ENTRY_SYMBOL.as_bytes());
    if entry.is_empty() {
        return Outcome::failed(
            "it does not export the entry of a plugin",
            "export it with `eyemap_sdk::export_plugin!`, in a `cdylib`",
        );
    }
    if others.is_empty() {
        return Outcome::passed();
    }
    let names = others.iter().take(SHOWN);
    Outcome::failed(
        format!(
            "it exports {} symbols besides the entry of a plugin",
            others.len()
        ),
        "take `#[no_mangle]` and `#[export_name]` away, and build a `cdylib`, no `dylib`",
    )
    .with(names.map(|symbol| String::from_utf8_lossy(symbol.name).into_owned()))
}

/// Functions of the C library's mathematics that may round otherwise in another version or on another processor.
/// `sqrt`, `fma`, `floor` and the like are exact, and the same everywhere.
const INEXACT: [&str; 36] = [
    "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sincos", "sinh", "cosh", "tanh",
    "asinh", "acosh", "atanh", "exp", "exp2", "exp10", "expm1", "log", "log2", "log10", "log1p",
    "pow", "cbrt", "hypot", "erf", "erfc", "lgamma", "lgamma_r", "tgamma", "gamma", "j0", "j1",
    "y0", "y1", "pow10",
];

/// It takes no mathematics from the machine that may round otherwise elsewhere.
pub(super) fn no_platform_math(subject: &Subject) -> Outcome {
    let symbols = match library(subject).and_then(|library| read(library.symbols())) {
        Ok(symbols) => symbols,
        Err(outcome) => return outcome,
    };
    let is_inexact = |name: &&str| {
        let double = name.strip_suffix(['f', 'l']).unwrap_or(name);
        INEXACT.contains(name) || INEXACT.contains(&double)
    };
    let imported = symbols.iter().filter(|symbol| !symbol.is_exported);
    let names = imported.filter_map(|symbol| std::str::from_utf8(symbol.name).ok());
    let found: Vec<&str> = names.filter(is_inexact).take(SHOWN).collect();
    if found.is_empty() {
        return Outcome::passed();
    }
    Outcome::failed(
        format!(
            "it takes {} from the C library, whose last digits differ between machines",
            found.join(", ")
        ),
        "use `eyemap_sdk::libm`: `libm::sin(x)` in place of `x.sin()`",
    )
}

/// Nothing of its own runs while it is loaded, before the host can say anything.
pub(super) fn no_extra_constructors(subject: &Subject) -> Outcome {
    let library = match library(subject) {
        Ok(library) => library,
        Err(outcome) => return outcome,
    };
    let count = |tag| library.entry(tag).unwrap_or(0) / POINTER_BYTES;
    let (early, constructors) = (count(elf::DT_PREINIT_ARRAYSZ), count(elf::DT_INIT_ARRAYSZ));
    if early == 0 && constructors <= PLAIN_CONSTRUCTORS {
        return Outcome::noted(format!(
            "{constructors} constructors, those of every Rust library"
        ));
    }
    Outcome::failed(
        format!(
            "{} functions run while it is loaded, {PLAIN_CONSTRUCTORS} are those of every Rust library",
            early + constructors
        ),
        "do such work in `create`; look for the crates `ctor`, `inventory` and `linkme`, and for C++",
    )
}

/// A panic in it can be caught.
pub(super) fn panic_unwinds(subject: &Subject) -> Outcome {
    let remedy = "build it with `panic = \"unwind\"` in its profile, which is the default";
    let claim = match subject.manifest() {
        Ok(manifest) => manifest.panic,
        Err(_) => return Outcome::skipped("its manifest cannot be used"),
    };
    if claim != "unwind" {
        let what =
            format!("its manifest says panic = {claim:?}: its first panic would end the host");
        return Outcome::failed(what, remedy);
    }
    let symbols = match library(subject).and_then(|library| read(library.symbols())) {
        Ok(symbols) => symbols,
        Err(outcome) => return outcome,
    };
    let imports = |name: &str| {
        let named = |symbol: &&elf_file::Symbol<'_>| symbol.name == name.as_bytes();
        symbols
            .iter()
            .find(named)
            .is_some_and(|symbol| !symbol.is_exported)
    };
    // Without the shared unwinder it has its own inside, and its symbols say nothing.
    let shared = symbols
        .iter()
        .any(|symbol| symbol.name.starts_with(b"_Unwind_"));
    if shared && !imports("_Unwind_RaiseException") {
        let what = "its manifest says panic = \"unwind\", but nothing in it starts to unwind";
        return Outcome::failed(what, remedy);
    }
    Outcome::noted(if shared {
        "it unwinds"
    } else {
        "its manifest says so"
    })
}

fn read<T>(read: Result<T, String>) -> Result<T, Outcome> {
    read.map_err(|what| Outcome::failed(what, "build it again, it is damaged"))
}
