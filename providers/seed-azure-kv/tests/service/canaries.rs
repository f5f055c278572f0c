//! No value and no token in anything that is printed, whatever the server does.

use std::io;
use std::sync::{Arc, Mutex};

use seed_core::document::Document;
use seed_core::inventory::Depth;
use seed_fakes::{Fault, When};
use seed_provider::{Marks, Provider as _, WantedShape};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Stand, name, wanted};

/// Collects what is traced.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn an_echoing_server_gets_nothing_into_errors_or_traces() {
    let sink = Sink::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(sink.clone())
        .finish();
    // For every thread: the libraries do some of their work on others.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let stand = Stand::new();
    stand.service().put("there", "canary-stored");
    let token = stand.service().token();
    let config = seed_azure_kv::Config {
        credentials: seed_azure_kv::Credentials::Token(token.clone()),
        ..stand.config()
    };
    let adapter = seed_azure_kv::AzureKv::new(config, crate::support::policy()).unwrap();
    let value = Document::Single("canary-sent".to_owned().into());
    let marks = Marks::of("test");
    let mut texts = Vec::new();
    for status in [200, 400, 401, 403, 404, 409, 500] {
        for call in ["SetSecret", "GetSecret", "GetSecrets"] {
            stand
                .server
                .fault(When::operation(call), Fault::Echo(status), Some(1));
            let created = adapter
                .create(&name(&format!("new-{status}-{call}")), &value, &marks)
                .await;
            let read = adapter.read(&name("there"), WantedShape::Single).await;
            let seen = adapter
                .inventory(&[wanted("there", &["a"], Depth::Fields)])
                .await;
            texts.push(format!("{created:?} {read:?} {seen:?}"));
            if let Err(err) = created {
                texts.push(err.to_string());
            }
            stand.server.heal();
        }
    }
    texts.push(format!("{adapter:?} {:?}", adapter.notes()));
    let traced = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
    assert!(
        traced.contains("performing request"),
        "the libraries traced nothing"
    );
    texts.push(traced);
    for text in texts {
        for secret in ["canary-sent", "canary-stored", token.as_str()] {
            assert!(
                !text.contains(secret),
                "a secret got into: {}",
                text.replace(secret, "***")
            );
        }
    }
}
