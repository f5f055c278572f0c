//! What a stand-in tells of the requests that it served.

use seed_fakes::{Server, Service};
use seed_servers::{Record, Served};

/// The log of a stand-in, since its start.
#[derive(Debug)]
pub struct Logged<'a, S>(pub &'a Server<S>);

impl<S: Service> Record for Logged<'_, S> {
    fn served(&self) -> Result<Vec<Served>, String> {
        let served = self.0.log().0.into_iter().map(|call| Served {
            writes: self.0.service().writes(&call.operation),
            verb: call.operation,
            path: call.path,
        });
        Ok(served.collect())
    }

    /// There is none but the log itself.
    fn text(&self) -> Result<Option<String>, String> {
        Ok(None)
    }
}
