//! Stand-ins of all services, each with what a scenario must know to send `seed` there.

use std::fmt;
use std::time::Duration;

use seed_fakes::vault::Vault;
use seed_fakes::{AwsSm, Log, Quota, Server, Service};

use crate::service::{self, UnderTest};

/// A stand-in on a port.
#[derive(Debug)]
pub struct StandIn {
    /// The backend, for `seed` and for a look behind its back.
    pub service: Box<dyn UnderTest>,
    /// What tests do to the stand-in.
    pub server: Box<dyn Control>,
}

/// What tests do to a stand-in, whatever it stands for.
pub trait Control: fmt::Debug + Send + Sync {
    /// All requests so far.
    fn log(&self) -> Log;

    /// Forgets the requests so far.
    fn clear_log(&self);

    /// Waits so long before each answer.
    fn set_latency(&self, latency: Duration);

    /// Refuses writes that come too fast.
    fn set_write_quota(&self, quota: Quota);
}

impl<S: Service> Control for Server<S> {
    fn log(&self) -> Log {
        self.log()
    }

    fn clear_log(&self) {
        self.clear_log();
    }

    fn set_latency(&self, latency: Duration) {
        self.set_latency(latency);
    }

    fn set_write_quota(&self, quota: Quota) {
        self.set_write_quota(quota);
    }
}

impl StandIn {
    /// An empty Vault.
    pub fn vault() -> Self {
        let server = Server::start(Vault::new());
        Self {
            service: Box::new(service::Vault::new(&server.url(), Vault::TOKEN, "secret")),
            server: Box::new(server),
        }
    }

    /// An empty Secrets Manager.
    pub fn aws_sm() -> Self {
        let server = Server::start(AwsSm::new());
        Self {
            service: Box::new(service::AwsSm::new(&server.url(), "many/")),
            server: Box::new(server),
        }
    }
}
