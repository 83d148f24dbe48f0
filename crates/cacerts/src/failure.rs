//! Why a command did not do what it was asked: refused (exit code 1), or it could not (2).

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// The reason, in words for the administrator.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    text: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// What was asked for is wrong, or would break what is there.
    pub(crate) fn refused(text: impl Into<String>) -> Self {
        Self { code: 1, text: text.into(), source: None }
    }

    /// The machine stands in the way.
    pub(crate) fn could_not(text: impl Into<String>) -> Self {
        Self { code: 2, text: text.into(), source: None }
    }

    /// For `map_err`: says where an error of the rules came from.
    pub(crate) fn within(text: impl Into<String>) -> impl FnOnce(pki::Error) -> Self {
        let text = text.into();
        move |source| Self { code: code_of(&source), text, source: Some(Box::new(source)) }
    }

    /// As [`Failure::could_not`], with the operating system's reason.
    pub(crate) fn io(text: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let text = text.into();
        move |source| Self { code: 2, text, source: Some(Box::new(source)) }
    }

    /// With its causes, in a line.
    pub(crate) fn whole(&self) -> String {
        let mut text = self.text.clone();
        let mut cause = self.source();
        while let Some(found) = cause {
            text.push_str(&format!(": {found}"));
            cause = found.source();
        }
        text
    }

    /// The same, of what it is about.
    pub(crate) fn about(self, what: &str) -> Self {
        Self { text: format!("{what}: {}", self.text), ..self }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

fn code_of(error: &pki::Error) -> u8 {
    if matches!(error, pki::Error::Crypto(_)) { 2 } else { 1 }
}

impl From<ca_dir::Error> for Failure {
    fn from(source: ca_dir::Error) -> Self {
        let code = if matches!(source, ca_dir::Error::Io { .. }) { 2 } else { 1 };
        let text = source.to_string();
        // The text is the error's own: what caused it is told behind it.
        let source = match source {
            ca_dir::Error::Io { source, .. } => Some(source.into()),
            ca_dir::Error::NotARoot { source, .. } => Some(source.into()),
            _ => None,
        };
        Self { code, text, source }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}
