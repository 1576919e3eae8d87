//! Asks a plugin on another machine on another day, as far as it can tell.

use std::process::Command;

use eyemap_abi::{CacheExtension, ColorExtension, CoordinateExtension, MetadataExtension};
use eyemap_engine::plugins::Plugin;
use eyemap_worker::elsewhere::{Import, asked, move_there};
use object::{Object as _, ObjectSymbol as _, RelocationTarget};

use crate::{Fault, Outcome, Subject, child::Answer};

/// What a process elsewhere finds in its environment, beside a time zone that nobody lives in.
const ENVIRONMENT: [(&str, &str); 7] = [
    ("HOME", "/elsewhere"),
    ("USER", "elsewhere"),
    ("LOGNAME", "elsewhere"),
    ("LANG", "tr_TR.UTF-8"),
    ("LC_ALL", "tr_TR.UTF-8"),
    ("TMPDIR", "/elsewhere/tmp"),
    ("TZ", "ELS-13:45"),
];
/// A directory that every system has and nobody works in.
const DIRECTORY: &str = "/usr";

/// Gives a process the surroundings from elsewhere.
pub(crate) fn surround(command: &mut Command) {
    command.envs(ENVIRONMENT).current_dir(DIRECTORY);
}

/// Lets a plugin of this process ask for the time, the environment and the machine elsewhere.
pub(crate) fn go(subject: &Subject, plugin: &Plugin) -> Result<(), Outcome> {
    let unable = |why: &dyn std::fmt::Display| {
        Outcome::skipped(format!("it cannot be asked elsewhere: {why}"))
    };
    let address = code_of(plugin).ok_or_else(|| unable(&"it has no stage and no policy"))?;
    let imports = imports(&subject.bytes).map_err(|error| unable(&error))?;
    move_there(address, &imports).map_err(|error| unable(&error))
}

/// An address within the library.
fn code_of(plugin: &Plugin) -> Option<*const ()> {
    let coordinate = plugin.extension::<CoordinateExtension>();
    let color = plugin.extension::<ColorExtension>();
    let metadata = plugin.extension::<MetadataExtension>();
    let cache = plugin.extension::<CacheExtension>();
    let address = coordinate.map(|one| one.create as *const ());
    let address = address.or_else(|_| color.map(|one| one.create as *const ()));
    let address = address.or_else(|_| metadata.map(|one| one.create as *const ()));
    let address = address.or_else(|_| cache.map(|one| one.create as *const ()));
    address.ok()
}

/// Where the loader writes addresses of functions of other libraries.
fn imports(library: &[u8]) -> Result<Vec<Import>, object::Error> {
    let file = object::File::parse(library)?;
    let Some(symbols) = file.dynamic_symbol_table() else {
        return Ok(Vec::new());
    };
    let mut imports = Vec::new();
    for (offset, relocation) in file.dynamic_relocations().into_iter().flatten() {
        if let RelocationTarget::Symbol(index) = relocation.target() {
            use object::ObjectSymbolTable as _;
            let name = symbols.symbol_by_index(index)?.name()?.to_owned();
            imports.push(Import { name, offset });
        }
    }
    Ok(imports)
}

/// The answers with what was asked for meanwhile; a failure where that is nothing for a plugin.
pub(crate) fn answer(answers: String) -> Answer {
    let asked = asked();
    let mut refused = asked.refused.into_iter().map(|what| format!("it {what}"));
    let Some(what) = refused.next() else {
        return Answer::Text {
            answers,
            asked: asked.answered,
        };
    };
    Answer::Outcome(Outcome::Failed(Fault {
        what,
        details: refused.collect(),
        remedy: "a plugin computes from its configuration, its tables and its job: let its user name a file in \
                 `[stages.*.tables]`, which the host reads"
            .into(),
    }))
}
