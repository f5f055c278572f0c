//! What is stored, held against the contract.
//!
//! A plan looks at names; here values are looked at, to say whether they still are what the contract says: no
//! placeholder, true to their `check`, made from what their source is now. Findings hold no value and no measure of one,
//! so that they can be printed; what was not read is never taken for absent.

mod finding;
mod follows;
mod inside;
mod value;
mod verify;

pub use finding::{Finding, Weight};
pub use follows::{Doubt, Follows, Mismatch, Stored, follows};
pub use value::judge;
pub use verify::{Counts, Standing, Verdict, Verification, Verified, verify};
