//! Builds programs from pinned Go modules with the machine's own Go, and copies parts of a module.
//! Nothing but a `go.mod` and a `go.sum` goes in; Go's build cache and module cache are the user's.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cache::{Key, Work};
use crate::command::Command;
use crate::error::{Error, FileContext, Result};
use crate::spec::{Family, GoBuild, ModuleSource};
use crate::versions::GO_NEEDED;

/// The Go installation of this machine.
#[derive(Debug)]
pub(crate) struct Go {
    version: String,
}

impl Go {
    /// Asks `go` for its version.
    ///
    /// # Errors
    /// [`Error::CommandNotStarted`] without Go, [`Error::GoTooOld`] if it is older than
    /// [`GO_NEEDED`].
    pub(crate) fn find() -> Result<Self> {
        let version = go().args(["env", "GOVERSION"]).text()?;
        if numbers(&version) < numbers(GO_NEEDED) {
            return Err(Error::GoTooOld { found: version });
        }
        Ok(Self { version })
    }

    /// The key of what this Go makes of `build`.
    pub(crate) fn key(&self, build: &GoBuild) -> Key {
        let inputs = [
            ("go", self.version.as_str()),
            ("arch", std::env::consts::ARCH),
            ("go.mod", build.family.go_mod),
            ("go.sum", build.family.go_sum),
            ("tags", build.tags),
            ("ldflags", build.ldflags),
        ];
        let packages = build.packages.iter().map(|(program, package)| (program.name(), *package));
        Key::of(inputs.into_iter().chain(packages))
    }

    /// Builds into `entry/bin`; `entry/module` keeps the `go.mod` and `go.sum` it was built from.
    pub(crate) fn build(&self, build: &GoBuild, work: &Work) -> Result<()> {
        let bin = work.entry.join("bin");
        fs::create_dir(&bin).file("create", &bin)?;
        // One package is named after the program, several keep their own names.
        let output = match build.packages {
            [(program, _)] => bin.join(program.name()),
            _ => bin.join(""),
        };
        // It may take minutes, and must not go on for nobody.
        fixed(Command::dying_with_us("go"))
            .folder(&write_module(&build.family, &work.entry)?)
            .env("GOTMPDIR", &work.scratch)
            .args(["build", "-mod=readonly", "-buildvcs=false", "-trimpath"])
            .args(["-tags", build.tags, "-ldflags", build.ldflags, "-o"])
            .arg(output)
            .args(build.packages.iter().map(|(_, package)| *package))
            .run()?;
        Ok(())
    }
}

/// The key of the parts of a module.
pub(crate) fn source_key(source: &ModuleSource) -> Key {
    let inputs = [("version", source.version), ("go.sum", source.family.go_sum)];
    Key::of(inputs.into_iter().chain(source.parts.iter().map(|part| ("part", *part))))
}

/// Copies the parts into the entry, under the paths that they have in the module.
pub(crate) fn copy_source(source: &ModuleSource, work: &Work) -> Result<()> {
    let folder = module_folder(source, &write_module(&source.family, &work.scratch)?)?;
    source.parts.iter().try_for_each(|part| copy(&folder.join(part), &work.entry.join(part)))
}

/// Where Go keeps the module; downloads it if need be.
fn module_folder(source: &ModuleSource, module: &Path) -> Result<PathBuf> {
    let command = ["mod", "download", "-json", source.module];
    let printed = go().folder(module).args(command).run()?;
    let json: Option<serde_json::Value> = serde_json::from_slice(&printed).ok();
    match json.as_ref().and_then(|json| json["Dir"].as_str()) {
        Some(folder) => Ok(folder.into()),
        None => Err(Error::OutputUnreadable {
            command: format!("go {}", command.join(" ")),
            expected: "`Dir`",
            found: String::from_utf8_lossy(&printed).chars().take(300).collect(),
        }),
    }
}

fn go() -> Command {
    fixed(Command::new("go"))
}

/// Go with what would change its output fixed; where it fetches modules stays the user's choice.
fn fixed(go: Command) -> Command {
    ["GOARCH", "GOAMD64", "GOEXPERIMENT", "GOOS"]
        .into_iter()
        .fold(go, Command::without_env)
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "")
        .env("GOTOOLCHAIN", "local")
        .env("GOWORK", "off")
}

fn write_module(family: &Family, parent: &Path) -> Result<PathBuf> {
    let module = parent.join("module");
    fs::create_dir(&module).file("create", &module)?;
    for (name, content) in [("go.mod", family.go_mod), ("go.sum", family.go_sum)] {
        let path = module.join(name);
        fs::write(&path, content).file("write", &path)?;
    }
    Ok(module)
}

/// `go1.26.8` is `(1, 26, 8)`, `go1.27rc1` is `(1, 27, 0)`; what is no version is older than any.
fn numbers(version: &str) -> (u32, u32, u32) {
    let mut parts = version.strip_prefix("go").unwrap_or_default().split('.').map(|part| {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part[..digits].parse().unwrap_or(0)
    });
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next())
}

/// Copies a file or folder. The modes of the module cache (no one may write) are not kept.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).file("create", parent)?;
    }
    if !from.is_dir() {
        let content = fs::read(from).file("read", from)?;
        return fs::write(to, content).file("write", to);
    }
    fs::create_dir_all(to).file("create", to)?;
    for found in fs::read_dir(from).file("list", from)? {
        let name = found.file("list", from)?.file_name();
        copy(&from.join(&name), &to.join(&name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_go_are_compared_as_numbers() {
        assert!(numbers("go1.9.7") < numbers("go1.26"));
        assert!(numbers("go1.26.1") < numbers(GO_NEEDED));
        assert!(numbers("go1.26.8") >= numbers(GO_NEEDED));
        assert!(numbers("go1.27rc1") >= numbers(GO_NEEDED));
        assert!(numbers("go2.0") >= numbers(GO_NEEDED));
    }

    #[test]
    fn what_is_no_version_is_too_old() {
        assert_eq!(numbers("devel +a1b2c3"), (0, 0, 0));
    }
}
