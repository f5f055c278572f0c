//! No value and no credential gets into anything that the adapter or a library below it logs, not even when the server
//! repeats what it was sent.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

#[path = "support/open.rs"]
mod open;
#[path = "support/values.rs"]
mod values;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use seed_core::inventory::{Depth, Version};
use seed_fakes::vault::Vault as Service;
use seed_fakes::{Fault, Server, When};
use seed_provider::{Marks, Provider as _, Replace as _, Restore as _, Versions as _, WantedShape};
use seed_vault::Vault;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use open::{at, config, policy};
use values::{fields, name, single, wanted};

/// Where all that is logged goes, by `tracing` and by `log`.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Logged {
    fn text(&self) -> String {
        let logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&logged).into_owned()
    }
}

impl io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        logged.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logged {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl log::Log for Logged {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {}\n", record.target(), record.args());
        io::Write::write_all(&mut self.clone(), line.as_bytes()).unwrap();
    }

    fn flush(&self) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_logged_has_a_value_or_a_credential() {
    let logged = Logged::default();
    log::set_logger(Box::leak(Box::new(logged.clone()))).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(logged.clone());
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();

    let mut errors = String::new();
    for echo in [None, Some(400), Some(403), Some(404), Some(500), Some(503)] {
        let service = Service::new();
        service.allow_login(
            "approle",
            json!({"role_id": "canary-role", "secret_id": "canary-secret"}),
        );
        service.put("there", &json!({"value": "canary-stored", "n": 1}));
        service.put("gone", &json!({"value": "canary-stored"}));
        service.delete("gone");
        let server = Server::start(service);
        let vault = logged_in(&server);
        vault.identify().await.unwrap();
        if let Some(status) = echo {
            server.fault(When::Always, Fault::Echo(status), None);
        }
        for error in every_verb(&vault).await {
            errors.push_str(&format!("{error} {error:?} {error:#?}\n"));
        }
        // A token and a login that are repeated to us, too.
        let stranger = at(&server.url(), "canary-token");
        let vault = logged_in(&server);
        if let Err(error) = stranger.identify().await {
            errors.push_str(&format!("{error} {error:?} {stranger:?}\n"));
        }
        if let Err(error) = vault.identify().await {
            errors.push_str(&format!("{error} {error:?}\n"));
        }
        errors.push_str(&format!(
            "{vault:?} {:?} {:?}",
            vault.describe(),
            vault.notes()
        ));
    }
    let logged = logged.text();
    for library in ["rustify", "reqwest"] {
        assert!(
            logged.contains(library),
            "{library} logged nothing, so nothing was searched"
        );
    }
    for text in [&logged, &errors] {
        for canary in [
            "canary",
            "Y2FuYXJ5",
            "99, 97, 110, 97, 114, 121",
            Service::TOKEN,
        ] {
            let line = text.lines().find(|line| line.contains(canary));
            assert!(line.is_none(), "{canary} is in {line:?}");
        }
    }
}

fn logged_in(server: &Server<Service>) -> Vault {
    let address = server.url();
    let variables = [
        ("VAULT_ADDR", address.as_str()),
        ("VAULT_ROLE_ID", "canary-role"),
        ("VAULT_SECRET_ID", "canary-secret"),
    ];
    let mut config = config(&variables).unwrap();
    config.login = Some("approle".to_owned());
    Vault::new(config, policy()).unwrap()
}

async fn every_verb(vault: &Vault) -> Vec<seed_provider::Error> {
    let first = Version::new("1");
    let marks = Marks::of("test");
    let more = fields(&[("more", "canary-field")]);
    let there = name("there");
    let asked = ["there", "gone", "absent"].map(|entry| wanted(entry, Depth::Fields));
    let outcomes = [
        vault.inventory(&asked).await.map(drop),
        vault
            .create(&name("new"), &single("canary-new"), &marks)
            .await
            .map(drop),
        vault
            .create(&there, &single("canary-new"), &marks)
            .await
            .map(drop),
        vault.read(&there, WantedShape::Single).await.map(drop),
        vault.read(&there, WantedShape::Fields).await.map(drop),
        vault.add_fields(&there, &more, &first).await.map(drop),
        vault.add_fields(&there, &more, &first).await.map(drop),
        vault
            .replace(&there, &single("canary-replaced"), &first)
            .await
            .map(drop),
        vault
            .read_version(&there, &first, WantedShape::Single)
            .await
            .map(drop),
        vault.restore(&name("gone")).await,
    ];
    outcomes.into_iter().filter_map(Result::err).collect()
}
