//! The steps of the page, each a function that takes the handle of the step before it and gives the
//! next one: `Cluster -> Cacerts -> Istio -> Workloads`. An order that makes no sense does not
//! compile.

pub(crate) mod ca;
pub(crate) mod cacerts;
pub(crate) mod cleanup;
pub(crate) mod istio;
pub(crate) mod workloads;
