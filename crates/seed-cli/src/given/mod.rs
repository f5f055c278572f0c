//! Values that people give without being asked: files, variables, and files that the contract names.

mod collect;
mod collector;
mod provided_file;
mod tell;
mod values_file;
mod variables;
mod way;

pub(crate) use collect::{collect, expected};
pub(crate) use tell::{tell, tell_forms};
pub(crate) use values_file::{read, too_large, warn};
pub(crate) use variables::{reader, suggested, variables_with_values};
pub(crate) use way::Way;
