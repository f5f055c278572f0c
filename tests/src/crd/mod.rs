//! What the API server makes of an object of ESO's custom resources.

mod defaults;
mod metadata;
mod release;
mod rule;
mod schema;
mod vocabulary;

pub use metadata::{label_value_refusal, object_meta_refusals, qualified_name_refusal};
pub use release::{Definition, RELEASES, Release};
