//! `cacerts request`: a key on the cluster's side, and what is sent to the root in its place.

use std::path::PathBuf;

use ca_dir::RootSet;
use clap::Args;
use pki::{BundleFiles, PrivateKey, Profile};
use zeroize::Zeroizing;

use crate::asked::{self, Asked, RequestFile};
use crate::cli::CaArgs;
use crate::clock;
use crate::failure::Failure;
use crate::init::{refuse_differences, take};
use crate::key::generate;
use crate::name::ClusterName;
use crate::own::{OwnFolder, read_text_if_there};
use crate::report;
use crate::terminal;
use crate::variables::{Level, Variables};
use crate::wish::{Said, default_lifetime};

/// Options of `request`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  cacerts request cluster1                  \
                  cluster1/ca-key.pem and cluster1.request.pem\n  \
                  cacerts request cluster1 --key rsa4096    for peers that know RSA only\n  \
                  openssl req -in cluster1.request.pem -noout -text -verify\n\n\
                  Writes NAME/ca-key.pem (0600), which stays here, and NAME.request.pem, which goes \
                  to the root:\n`cacerts sign` there, then `cacerts accept` here. Nothing in the \
                  request is secret. The root\nmay grant something else than what is asked \
                  for.\n\n\
                  Exit codes: 0 made or already there, 1 refused or wrong, 2 it could not be done")]
pub(crate) struct RequestArgs {
    /// The cluster; its folder has this name
    name: String,
    /// Where the cluster's folder and the request go
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    #[command(flatten)]
    ca: CaArgs,
    /// The DNS name in the certificate [default: istiod.istio-system.svc]
    #[arg(long, value_name = "NAME")]
    dns_name: Option<String>,
    /// Prints the request as a JSON object
    #[arg(long)]
    json: bool,
}

impl RequestArgs {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let now = clock::now()?;
        let name = ClusterName::read(&self.name).map_err(Failure::refused)?;
        let mut said = self.ca.said(self.dns_name.clone());
        let profile = said.profile.unwrap_or(Profile::Hardened);
        if let Some(note) = said.with(profile, &Variables::of(Level::Cluster)?) {
            terminal::note(&note);
        }
        let wish = said.clone().wish(Level::Cluster, profile, now)?;
        RootSet::create_folder(&self.dir)?;
        let _lock = take(&self.dir)?;
        let folder = OwnFolder::look(&self.dir, &name)?;
        let path = asked::path(&self.dir, &name);
        if let Some(text) = read_text_if_there(&path)? {
            let asked = self.keep(&text, folder.as_ref(), &said)?;
            report::request(&asked.0, &asked.1, &self.dir, false, self.json);
            return Ok(());
        }
        let asked = Asked {
            cluster: name.clone(),
            profile,
            lifetime: said.lifetime.unwrap_or_else(|| default_lifetime(Level::Cluster, profile)),
            organization: wish.organization,
            common_name: wish.common_name,
            dns_name: wish.dns_name,
        };
        let key = match folder {
            Some(folder) => key_of(folder, &said)?,
            None => generate("the cluster's", wish.key)?,
        };
        let refused = |reason| Failure::refused(format!("`{name}` cannot be asked for: {reason}"));
        // All that can be wrong with the request is found before its key is written.
        let text = asked.file(&key).map_err(refused)?;
        let key_folder = self.dir.join(name.as_str());
        if key_folder.symlink_metadata().is_err() {
            let pem = key.to_pem().map_err(Failure::within("cannot encode the cluster's key"))?;
            ca_dir::write_key(&key_folder, &Zeroizing::new(pem.as_bytes().to_vec()))?;
        }
        ca_dir::write_public(&path, text.as_bytes())?;
        let file = RequestFile::read(&text).map_err(refused)?;
        report::request(&asked, &file.request, &self.dir, true, self.json);
        Ok(())
    }

    /// The request that is there, if it is what was asked for and its key is there too.
    fn keep(
        &self,
        text: &str,
        folder: Option<&OwnFolder>,
        said: &Said,
    ) -> Result<(Asked, pki::CaRequest), Failure> {
        let path =
            asked::path(&self.dir, &ClusterName::read(&self.name).map_err(Failure::refused)?);
        let named = format!("`{}` is there", path.display());
        let file = RequestFile::read(text)
            .map_err(|reason| Failure::refused(format!("{named} and is no request: {reason}")))?;
        let (Some(asked), request) = (file.asked, file.request) else {
            let text = format!("{named} and is not of cacerts; move it away");
            return Err(Failure::refused(text));
        };
        if asked.cluster.as_str() != self.name {
            let text = format!("{named} and is of {}; move it away", asked.cluster);
            return Err(Failure::refused(text));
        }
        let Some(folder) = folder else {
            return Err(Failure::refused(format!(
                "{named} without its key, `{}`; move it away",
                self.dir.join(&self.name).join(BundleFiles::CA_KEY).display()
            )));
        };
        if folder.key.public_key_der() != request.public_key_der() {
            return Err(Failure::refused(format!(
                "{named} and is of another key than `{}`; move it away",
                folder.path.join(BundleFiles::CA_KEY).display()
            )));
        }
        let mut differences = asked.differences(said);
        differences.extend(other_kind(&folder.key, said));
        refuse_differences(&path, &differences)?;
        Ok((asked, request))
    }
}

/// The key of a folder that has nothing else yet.
fn key_of(folder: OwnFolder, said: &Said) -> Result<PrivateKey, Failure> {
    if folder.files.get(BundleFiles::CA_CERT).is_some() {
        return Err(Failure::refused(format!(
            "`{}` has its CA already, so that nothing is to be asked for; for a new one, move the \
             folder away",
            folder.path.display()
        )));
    }
    let difference = other_kind(&folder.key, said);
    refuse_differences(&folder.path, difference.as_slice())?;
    Ok(folder.key)
}

fn other_kind(key: &PrivateKey, said: &Said) -> Option<String> {
    let asked = said.key.filter(|asked| asked.kind() != key.kind())?;
    Some(format!("its key is {}, asked for was {}", key.kind(), asked.kind()))
}
