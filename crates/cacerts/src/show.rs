//! `cacerts show`: who signs whom in a folder or a Secret, and until when. A picture: nothing is judged here.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use pki::BundleFiles;
use time::OffsetDateTime;

use crate::failure::Failure;
use crate::{target, terminal};

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
                  Shows every certificate of the folder's files and of the clusters' folders in it, \
                  each once,\nunder the one that signed it: the signature is checked, not the name \
                  alone. Nothing is judged:\n`cacerts check` says what a mesh makes of it. Keys are \
                  not looked at.\n\n\
                  Exit codes: 0 shown, 1 there is no certificate, 2 it could not be read"
)]
pub(crate) struct ShowArgs {
    /// A root's folder or a cluster's, a Secret's manifest, or `-` for one on standard input
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
        let now = OffsetDateTime::now_utc();
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

/// Every certificate with the file that has it: of a Secret, or of the folder and the clusters'
/// folders in it.
fn certificates(target: &Path) -> Result<Vec<(String, pki::Certificate)>, Failure> {
    let mut found = Vec::new();
    if !target.is_dir() {
        for bundle in target::read(target)? {
            collect("", &bundle.files, &mut found);
        }
        return Ok(found);
    }
    collect("", &ca_dir::read_bundle(target)?, &mut found);
    let named = || format!("cannot read `{}`", target.display());
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(target).map_err(Failure::io(named()))? {
        let path = entry.map_err(Failure::io(named()))?.path();
        if path.join(BundleFiles::CA_CERT).is_file() {
            folders.push(path);
        }
    }
    folders.sort();
    for folder in folders {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        collect(&format!("{name}/"), &ca_dir::read_bundle(&folder)?, &mut found);
    }
    Ok(found)
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
