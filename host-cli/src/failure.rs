//! Errors as they are reported: what, where, caused by what, and what to do. Printed once, here.

use std::{error::Error, fmt, io, process::ExitCode};

use eyemap_engine::{
    cache::{PolicyError, StoreError},
    caches::{CachesError, OpenError},
    config::{ConfigError, Source},
    ingest::TableError,
    manifest::ManifestError,
    merge::MergeError,
    monitor::report::Outcome,
    plan::{PlanError, SelectError},
    plugins::PluginError,
    render::RenderError,
    stage::StageError,
};
use eyemap_scaffold::ScaffoldError;
use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

use crate::out;

/// Some maps could not be drawn.
pub(crate) const SOME_FAILED: u8 = 1;
/// Wrong usage, configuration or input.
pub(crate) const USAGE: u8 = 2;
/// Maps of a plan are missing.
pub(crate) const MISSING: u8 = 3;
/// A store or manifest is damaged or of another version.
pub(crate) const DAMAGED: u8 = 5;
/// A fault of the program.
pub(crate) const INTERNAL: u8 = 70;
/// Stopped by the user.
pub(crate) const INTERRUPTED: u8 = 130;

/// An error on its way to the user.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
    help: Option<String>,
    place: Option<(NamedSource<String>, LabeledSpan)>,
}

impl Failure {
    pub(crate) fn new(code: u8, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            cause: None,
            help: None,
            place: None,
        }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with this help, unless it knows better.
    fn or_help(self, help: Option<String>) -> Self {
        Self {
            help: self.help.or(help),
            ..self
        }
    }

    /// Says that the size of files is limited, if that was met.
    pub(crate) fn limited(self, met: bool) -> Self {
        match met {
            true => self.help(
                "the size of files is limited here (`ulimit -f`): raise the limit, and run the same command again",
            ),
            false => self,
        }
    }

    /// The same with another exit code.
    pub(crate) fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }

    /// Points into the configuration.
    pub(crate) fn at(mut self, source: &Source, span: Option<std::ops::Range<usize>>) -> Self {
        if let Some(span) = span.filter(|_| !source.text.is_empty()) {
            let name = source.path.display().to_string();
            let label = LabeledSpan::new_with_span(Some("here".into()), span);
            self.place = Some((NamedSource::new(name, source.text.clone()), label));
        }
        self
    }

    /// A failing stage; a wrong key is shown in the configuration.
    pub(crate) fn stage(error: StageError, source: &Source) -> Self {
        let (help, key) = (error.help(), error.config_key());
        let span = key.as_ref().and_then(|key| source.locate(key));
        let failure = match key.filter(|_| span.is_none()) {
            Some(key) => Self::new(USAGE, format!("{key}: {error}")),
            None => Self::new(USAGE, error.to_string()),
        };
        let failure = Self { help, ..failure }.at(source, span);
        match error {
            StageError::Load { source, .. } => Self {
                cause: Some(source),
                ..failure
            },
            StageError::SideTable { source, .. } => Self {
                cause: Some(source),
                ..failure
            },
            _ => failure,
        }
    }

    /// A policy that is not there or refuses, named by one key and given its options by another; a
    /// wrong key is shown in the configuration.
    pub(crate) fn policy(error: PolicyError, keys: (&str, &str), source: &Source) -> Self {
        let key = error.config_key(keys.0, keys.1);
        let span = key.as_ref().and_then(|key| source.locate(key));
        let failure = Self::from(error);
        let message = match key {
            Some(key) => format!("{key}: {}", failure.message),
            None => failure.message,
        };
        Self { message, ..failure }.at(source, span)
    }

    /// A cache that cannot be made; a wrong key is shown in the configuration.
    pub(crate) fn caches(error: CachesError, source: &Source) -> Self {
        let resolved = error.resolved;
        let keys = (resolved.policy_key.as_str(), resolved.options_key.as_str());
        Self::policy(error.source, keys, source)
    }

    /// A store that cannot be used.
    pub(crate) fn store(error: OpenError, source: &Source) -> Self {
        match error {
            OpenError::Policy(error) => Self::caches(error, source),
            OpenError::Quick { ref key } => {
                let span = source.locate(key);
                Self::new(USAGE, format!("{key}: {error}"))
                    .help("name a plugin, such as gdsf-cost")
                    .at(source, span)
            }
            OpenError::Store(error) => {
                let help = error.help();
                let code = match error {
                    StoreError::OtherForm { .. } => DAMAGED,
                    _ => USAGE,
                };
                Self::with_cause(code, error).help(help)
            }
            error => Self::new(USAGE, error.to_string()),
        }
    }

    /// How a report calls the end that this made.
    pub(crate) fn outcome(&self) -> Outcome {
        match self.code {
            INTERRUPTED => Outcome::Interrupted,
            _ => Outcome::Failed,
        }
    }

    /// Prints the error and gives the exit code.
    pub(crate) fn report(self, json: bool) -> ExitCode {
        let code = ExitCode::from(self.code);
        if json {
            let error = serde_json::json!({
                "message": self.message,
                "causes": causes(&self),
                "help": self.help,
                "exit_code": self.code,
            });
            // Nothing can be done when standard output is gone.
            let _ = out::json(&serde_json::json!({ "error": error }));
        } else {
            out::error(&format!("{:?}", miette::Report::new(self)));
        }
        code
    }
}

fn causes(error: &dyn Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes
}

/// How reports look: colours and box-drawing on a terminal only.
pub(crate) fn install_report() {
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    // A hook that is already there stays.
    let _ = miette::set_hook(Box::new(move |_| {
        let options = miette::MietteHandlerOpts::new()
            .terminal_links(false)
            .color(terminal);
        let options = if terminal {
            options
        } else {
            options.unicode(false).width(120)
        };
        Box::new(options.build())
    }));
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause
            .as_deref()
            .map(|cause| cause as &(dyn Error + 'static))
    }
}

impl Diagnostic for Failure {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place
            .as_ref()
            .map(|(source, _)| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.place
            .as_ref()
            .map(|(_, label)| Box::new(std::iter::once(label.clone())) as Box<_>)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let failure = Self::new(USAGE, error.to_string()).at(&error.source, error.span.clone());
        Self {
            help: error.help,
            ..failure
        }
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        if matches!(error, TableError::Interrupted) {
            return Self::new(
                INTERRUPTED,
                "stopped while the table was being read; nothing was written",
            );
        }
        let help = error.help();
        Self::with_cause(USAGE, error).or_help(help)
    }
}

impl From<SelectError> for Failure {
    fn from(error: SelectError) -> Self {
        Self::new(USAGE, error.message).help(error.help)
    }
}

impl From<PluginError> for Failure {
    fn from(error: PluginError) -> Self {
        Self::new(USAGE, error.to_string()).help(error.help())
    }
}

impl From<ScaffoldError> for Failure {
    fn from(error: ScaffoldError) -> Self {
        let help = error.help();
        Self::with_cause(USAGE, error).help(help)
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        let help = error.help();
        Self::with_cause(USAGE, error).help(help)
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        let help = error.help();
        let code = match &error {
            PlanError::Damaged { .. } => DAMAGED,
            _ => USAGE,
        };
        Self::with_cause(code, error).help(help)
    }
}

impl From<MergeError> for Failure {
    fn from(error: MergeError) -> Self {
        let help = error.help();
        let code = match &error {
            MergeError::Manifest(ManifestError::Interrupted { .. }) => INTERRUPTED,
            error if error.is_damage() => DAMAGED,
            _ => USAGE,
        };
        Self::with_cause(code, error).help(help)
    }
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Self {
        let help = error.help();
        let code = match &error {
            RenderError::Manifest(ManifestError::Damaged { .. }) => DAMAGED,
            RenderError::Manifest(ManifestError::Interrupted { .. }) => INTERRUPTED,
            _ => USAGE,
        };
        Self::with_cause(code, error).or_help(Some(help))
    }
}

/// What to do about an error, if it is that too many files are open. Parquet hides the system's error in a
/// text.
fn out_of_files(error: &dyn Error) -> Option<String> {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    let system = io::Error::from_raw_os_error(rustix::io::Errno::MFILE.raw_os_error()).to_string();
    let mut told = std::iter::once(error.to_string()).chain(causes.map(ToString::to_string));
    told.any(|text| text.contains(&system)).then(|| {
        let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let most = most.map_or_else(String::new, |most| format!("only {most} "));
        format!(
            "{most}files may be open at a time: allow more with `ulimit -n 256`, or work on fewer threads \
             with --jobs 1"
        )
    })
}

impl Failure {
    /// The message of an error, with what caused it behind it.
    pub(crate) fn with_cause(code: u8, error: impl Error) -> Self {
        let failure = Self {
            help: out_of_files(&error),
            ..Self::new(code, error.to_string())
        };
        // Causes may borrow and need not be `Send`, so their words are kept.
        match causes(&error) {
            causes if causes.is_empty() => failure,
            causes => Self {
                cause: Some(causes.join(": ").into()),
                ..failure
            },
        }
    }
}
