//! `cacerts show`: who signs whom in a folder or a Secret, and until when. A picture: nothing is judged here.

use std::path::{Path, PathBuf};

use ca_dir::TierSet;
use clap::{Args, ValueEnum};
use pki::BundleFiles;

use crate::failure::Failure;
use crate::{clock, target, terminal};

#[cfg(fuzzing)]
pub(crate) mod fuzzing;
mod html;
mod mermaid;
mod svg;
mod text;
mod tree;

use tree::Tree;

/// Options of `show`.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  cacerts show ca                            the root, and every cluster's CA below it\n  \
                  cacerts show ca/c1                         one bundle\n  \
                  kubectl -n istio-system get secret cacerts -o yaml | cacerts show -\n  \
                  cacerts show ca --format svg > ca.svg      a picture; html has all details below it\n  \
                  cacerts show ca --format mermaid           for a page that draws diagrams\n\n\
                  Shows every certificate of the folder's files and of the clusters' and tiers' \
                  folders in it, each\nonce, under the one that signed it: the signature is checked, \
                  not the name alone. Nothing is\njudged: `cacerts check` says what a mesh makes of \
                  it. Keys are not looked at.\n\n\
                  Exit codes: 0 shown, 1 there is no certificate, 2 it could not be read"
)]
pub(crate) struct ShowArgs {
    /// The folder of a root, a tier or a cluster, a Secret's manifest, or `-` for one on standard
    /// input
    #[arg(default_value = ".")]
    target: PathBuf,
    /// How
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A tree for the terminal
    Text,
    /// A JSON object
    Json,
    /// A Mermaid flowchart
    Mermaid,
    /// A picture
    Svg,
    /// A page with the picture and the details
    Html,
}

impl ShowArgs {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let now = clock::now()?;
        let tree = Tree::of(&certificates(&self.target)?, now);
        if tree.is_empty() {
            let target = self.target.display();
            return Err(Failure::refused(format!("there is no certificate in `{target}`")));
        }
        let shown = match self.format {
            Format::Text => text::draw(&tree),
            Format::Json => serde_json::json!(tree).to_string(),
            Format::Mermaid => mermaid::draw(&tree),
            Format::Svg => svg::draw(&tree),
            Format::Html => html::draw(&tree),
        };
        terminal::answer(shown.trim_end());
        Ok(())
    }
}

/// Every certificate with the file that has it: of a Secret, or of the folder and those of clusters
/// and tiers in it.
fn certificates(target: &Path) -> Result<Vec<(String, pki::Certificate)>, Failure> {
    let mut found = Vec::new();
    if !target.is_dir() {
        for bundle in target::read(target)? {
            collect("", &bundle.files, &mut found);
        }
        return Ok(found);
    }
    folder(target, "", &mut found)?;
    Ok(found)
}

/// Of the folder of a root or a tier, also what lies in the folders in it.
fn folder(
    dir: &Path,
    shown: &str,
    found: &mut Vec<(String, pki::Certificate)>,
) -> Result<(), Failure> {
    collect(shown, &ca_dir::read_bundle(dir)?, found);
    let named = || format!("cannot read `{}`", dir.display());
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(Failure::io(named()))? {
        let entry = entry.map_err(Failure::io(named()))?;
        let path = entry.path();
        // A link to a tier's folder could lead back here.
        let is_tier = entry.file_type().is_ok_and(|it| it.is_dir()) && TierSet::is_in(&path);
        if is_tier || path.join(BundleFiles::CA_CERT).is_file() {
            folders.push((path, is_tier));
        }
    }
    folders.sort();
    for (path, is_tier) in folders {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let shown = format!("{shown}{name}/");
        match is_tier {
            true => folder(&path, &shown, found)?,
            false => collect(&shown, &ca_dir::read_bundle(&path)?, found),
        }
    }
    Ok(())
}

fn collect(folder: &str, files: &BundleFiles, found: &mut Vec<(String, pki::Certificate)>) {
    let mut seen = Vec::new();
    for (file, _, certificate) in files.certificates() {
        seen.push(file.to_owned());
        found.push((format!("{folder}{file}"), certificate));
    }
    let public = [BundleFiles::CA_CERT, BundleFiles::CERT_CHAIN, BundleFiles::ROOT_CERT];
    for file in public.into_iter().filter(|file| files.get(file).is_some_and(|it| !it.is_empty())) {
        if !seen.iter().any(|it| it == file) {
            terminal::note(&format!("`{folder}{file}` has no certificate that could be read"));
        }
    }
}
