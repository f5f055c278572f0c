//! Contract and facts together: conditions decided, text expanded, names mapped, the graph in order.

mod cluster;
mod entries;
mod expand;
mod files;
mod graph;
mod lengths;
mod model;
mod places;
mod resolver;
mod targets;
mod text;

pub use expand::{NO_ENVIRONMENT, Scope};
pub use model::{
    Activity, Branch, Place, Provided, Request, Resolved, ResolvedBackend, ResolvedCluster,
    ResolvedEmit, ResolvedEntry, ResolvedFile, ResolvedRotate, ResolvedSource, ResolvedStore,
    ResolvedTarget, ResolvedValue, TargetValue, Tree,
};
pub use resolver::{checked_root, config_files, environment, resolve};
pub use text::{Alternative, Availability, ResolvedPart, ResolvedText};
