//! What is put around an adapter: deadlines, limits, pacing, retries and traces.

mod limited;
mod paced;
mod retrying;
mod timed;
mod traced;
mod wrapper;

pub use limited::Limited;
pub use paced::{Counts, Paced, Pacer};
pub use retrying::{Backoff, Retrying};
pub use timed::{Deadlines, Timed};
pub use traced::Traced;
