//! Plugins in a process of their own: how workers are started, and what runs in them.

use std::{fs::File, os::unix::fs::FileExt as _, path::PathBuf, process::ExitCode};

use eyemap_abi::HostApi;
use eyemap_worker::{Contained, Exports, Extensions, Limits, Misfit, Spec, Worker, WorkerError};

use super::{
    Manifest, PluginError, elf, error::pin, host, load, sealed::Sealed, words::command_word,
};

/// The one argument with which a program becomes a worker.
pub const WORKER_ARGUMENT: &str = "__eyemap-plugin-worker";

/// How workers are started.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Workers {
    /// The program, which calls [`serve_worker`] first when it is started with [`WORKER_ARGUMENT`].
    /// By default the one that runs.
    pub program: PathBuf,
    /// What a worker may use.
    pub limits: Limits,
}

impl Default for Workers {
    fn default() -> Self {
        Self {
            // Names the running program also when its file was replaced since.
            program: PathBuf::from("/proc/self/exe"),
            limits: Limits::default(),
        }
    }
}

/// Starts a worker that loads a library from bytes that were checked.
pub(super) fn start(
    sealed: Sealed,
    manifest: &Manifest,
    path: &std::path::Path,
    workers: &Workers,
) -> Result<Contained, PluginError> {
    let worker = begin(sealed, manifest, path, workers);
    let worker = worker.map_err(|error| refused(manifest, path, &error))?;
    if !worker.missing().is_empty() {
        tracing::warn!(plugin = manifest.id, "{}", worker.missing());
    }
    Ok(Contained::new(worker))
}

fn begin(
    sealed: Sealed,
    manifest: &Manifest,
    path: &std::path::Path,
    workers: &Workers,
) -> Result<Worker, WorkerError> {
    Worker::start(Spec {
        program: workers.program.clone(),
        argument: WORKER_ARGUMENT,
        library: sealed.into_fd(),
        path: path.to_owned(),
        id: manifest.id.clone(),
        chunk_invariant: manifest.chunk_invariant,
        limits: workers.limits,
        host: host::API,
    })
}

/// Lets a worker load a library that is about to be loaded into this process: what does not fit this host, or
/// crashes while it is loaded, does so there. Where no process can be contained the user's word alone counts.
///
/// # Errors
/// When the worker refuses it, or one of its extensions has another form.
pub(super) fn meet(
    sealed: Sealed,
    manifest: &Manifest,
    path: &std::path::Path,
    workers: &Workers,
) -> Result<(), PluginError> {
    let worker = match begin(sealed, manifest, path, workers) {
        Err(error) if error.is_for_want_of_containment() => {
            tracing::debug!(plugin = manifest.id, %error, "not met in a worker");
            return Ok(());
        }
        worker => worker.map_err(|error| refused(manifest, path, &error))?,
    };
    match worker.misfits().first() {
        Some(misfit) => Err(unfit(misfit, manifest, path)),
        None => Ok(()),
    }
}

/// An extension that has another form than this host knows.
pub(super) fn unfit(misfit: &Misfit, manifest: &Manifest, path: &std::path::Path) -> PluginError {
    PluginError::Abi {
        id: manifest.id.clone(),
        path: path.into(),
        member: misfit.member.clone(),
        expected: misfit.expected.clone(),
        found: misfit.found.clone(),
    }
}

fn refused(manifest: &Manifest, path: &std::path::Path, error: &WorkerError) -> PluginError {
    // What the worker says is not to be told as advice: a plugin may have said it.
    let help = match error {
        WorkerError::Refused { .. } => format!(
            "`eyemap plugin check {}` looks closer; where a process cannot confine itself, as in some \
             containers, `{} --in-process` runs a plugin that you trust",
            command_word(path),
            pin(path, None)
        ),
        WorkerError::Start { .. } => format!(
            "check that processes can be started; if you trust the plugin, `{} --in-process` runs it without one",
            pin(path, None)
        ),
        _ => "this is a fault of the plugin: report it to its author".into(),
    };
    let source = std::error::Error::source(error).map(|source| format!(": {source}"));
    PluginError::Worker {
        id: manifest.id.clone(),
        path: path.into(),
        reason: format!("{error}{}", source.unwrap_or_default()),
        help,
    }
}

/// Serves the host that started this program as a worker. To be called first in `main`, before any thread
/// runs, when the only argument is [`WORKER_ARGUMENT`].
pub fn serve_worker() -> ExitCode {
    eyemap_worker::serve(|library, path, api: HostApi| {
        let told = |error: PluginError| error.to_string();
        let read = read_whole(&library);
        let bytes = read.map_err(|source| {
            told(PluginError::Read {
                path: path.into(),
                source,
            })
        })?;
        let manifest = elf::read_manifest(path, &bytes).map_err(told)?;
        elf::check(path, &bytes).map_err(told)?;
        drop(bytes);
        let sealed = Sealed::of(library);
        let entries = load::run(sealed, path, &manifest, api).map_err(told)?;
        exports(&load::Entries {
            manifest: &manifest,
            path,
            entries,
        })
        .map_err(told)
    })
}

/// Reads from the start, wherever others who share the file have read to.
fn read_whole(file: &File) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; file.metadata()?.len() as usize];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// What a host may ask for. An extension in another form is refused when it is asked for, as in the host's
/// process.
fn exports(entries: &load::Entries<'_>) -> Result<Exports, PluginError> {
    let mut misfits = Vec::new();
    let extensions = Extensions {
        coordinate: fitting(entries, &mut misfits)?,
        color: fitting(entries, &mut misfits)?,
        metadata: fitting(entries, &mut misfits)?,
        cache: fitting(entries, &mut misfits)?,
        describe: fitting(entries, &mut misfits)?,
    };
    Ok((extensions, misfits))
}

fn fitting<E: super::Extension>(
    entries: &load::Entries<'_>,
    misfits: &mut Vec<Misfit>,
) -> Result<Option<E>, PluginError> {
    match entries.optional::<E>() {
        Err(PluginError::Abi {
            member,
            expected,
            found,
            ..
        }) => {
            misfits.push(Misfit {
                id: E::ID.into(),
                member,
                expected,
                found,
            });
            Ok(None)
        }
        fitting => fitting,
    }
}
