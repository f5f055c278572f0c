//! No value gets out, whatever the libraries trace and the service says.

use std::io::Write;
use std::sync::{Arc, Mutex};

use seed_core::document::Document;
use seed_core::inventory::Depth;
use seed_fakes::{AwsSm, Fault, Server, When};
use seed_provider::{Error, Marks, Provider as _, Replace as _, WantedShape};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{adapter, name, wanted};
use crate::{fields, single};

const CANARY: &str = "canary7Qx2Vd";

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn leaks(text: &str) -> bool {
    use std::fmt::Write as _;
    let bytes = format!("{:?}", CANARY.as_bytes());
    let mut hex = String::new();
    for byte in CANARY.bytes() {
        write!(hex, "{byte:02x}").unwrap();
    }
    let forms = [
        CANARY,
        bytes.trim_matches(['[', ']']),
        &hex,
        "Y2FuYXJ5N1F4MlZk",
    ];
    forms.iter().any(|form| text.contains(form))
}

async fn all_verbs(server: &Server<AwsSm>) -> Vec<Error> {
    let adapter = adapter(&server.url());
    let mut errors = Vec::new();
    let value = single(&format!("{CANARY}-one"));
    let binary = Document::Single(seed_core::secret::SecretValue::new(
        [CANARY.as_bytes(), &[0xff]].concat(),
    ));
    let marks = Marks::of("shop");
    errors.extend(adapter.create(&name("app/a"), &value, &marks).await.err());
    errors.extend(adapter.create(&name("app/b"), &binary, &marks).await.err());
    let several = Document::Fields(fields(&[("a", CANARY)]));
    errors.extend(adapter.create(&name("app/c"), &several, &marks).await.err());
    for (text, shape) in [
        ("app/a", WantedShape::Single),
        ("app/c", WantedShape::Fields),
    ] {
        let read = adapter.read(&name(text), shape).await;
        match read {
            Ok(stored) => {
                let grown = match shape {
                    WantedShape::Single => {
                        adapter.replace(&name(text), &value, &stored.version).await
                    }
                    WantedShape::Fields => {
                        let new = fields(&[("b", CANARY)]);
                        adapter.add_fields(&name(text), &new, &stored.version).await
                    }
                };
                errors.extend(grown.err());
            }
            Err(err) => errors.push(err),
        }
    }
    let asked = [wanted("app/c", &["a"], Depth::Fields)];
    errors.extend(adapter.inventory(&asked).await.err());
    errors
}

#[test]
fn nothing_that_is_traced_or_told_has_a_value() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let calls = [
        "CreateSecret",
        "PutSecretValue",
        "GetSecretValue",
        "BatchGetSecretValue",
        "UpdateSecretVersionStage",
    ];
    let sink = Sink::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(sink.clone())
        .finish();
    let errors: Vec<Error> = tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(async {
            let mut errors = Vec::new();
            for call in [None].into_iter().chain(calls.map(Some)) {
                for fault in [Fault::Echo(400), Fault::Echo(200), Fault::CutInside] {
                    let server = Server::start(AwsSm::new());
                    if let Some(call) = call {
                        server.fault(When::operation(call), fault, None);
                    }
                    errors.extend(all_verbs(&server).await);
                }
            }
            errors
        })
    });
    let traced = String::from_utf8_lossy(&sink.0.lock().unwrap()).into_owned();
    assert!(
        traced.contains("aws_smithy_runtime") && traced.contains("hyper"),
        "nothing was traced"
    );
    if let Some(line) = traced.lines().find(|line| leaks(line)) {
        panic!(
            "a value was traced by {}",
            line.get(..160).unwrap_or("a short line")
        );
    }
    assert!(errors.len() > 10, "{}", errors.len());
    for error in errors {
        let text = format!("{error} {error:?} {:?}", std::error::Error::source(&error));
        assert!(!leaks(&text), "an error has a value");
    }
}
