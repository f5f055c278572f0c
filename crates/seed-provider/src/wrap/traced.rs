//! What was asked and what came of it, for whoever looks at traces.

use futures::future::BoxFuture;
use tracing::Instrument as _;
use tracing::field;

use super::wrapper::{About, Wrapper};
use crate::Result;

/// Puts a span around every call: operation, name, outcome, request id. Never a value, an error's source or a body.
#[derive(Debug)]
pub struct Traced<P> {
    inner: P,
}

impl<P> Traced<P> {
    /// Traces the calls of `inner`.
    pub fn new(inner: P) -> Self {
        Self { inner }
    }
}

impl<P: std::fmt::Debug + Send + Sync + 'static> Wrapper for Traced<P> {
    type Inner = P;

    fn inner(&self) -> &P {
        &self.inner
    }

    async fn call<'a, T: Send + 'a>(
        &'a self,
        about: About<'a>,
        attempt: impl Fn() -> BoxFuture<'a, Result<T>> + Send + Sync + 'a,
    ) -> Result<T> {
        let span = tracing::debug_span!(
            "call",
            operation = about.operation.as_str(),
            name = about.name.map(field::display),
            outcome = field::Empty,
            request_id = field::Empty,
        );
        let begin = tokio::time::Instant::now();
        let result = attempt().instrument(span.clone()).await;
        let outcome = match &result {
            Ok(_) => "done",
            Err(err) => {
                span.record("request_id", err.request_id());
                err.kind().as_str()
            }
        };
        span.record("outcome", outcome);
        let elapsed_ms = begin.elapsed().as_millis();
        tracing::debug!(parent: &span, outcome, elapsed_ms, "answered");
        result
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::sync::{Arc, Mutex};

    use seed_core::backend::Kind;
    use seed_core::document::Document;
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;
    use crate::{Error, ErrorKind, Marks, Memory, Operation, Provider as _, WantedShape};

    /// Writes down every field that is recorded anywhere.
    #[derive(Clone, Default)]
    struct Recorder(Arc<Mutex<Vec<String>>>);

    impl field::Visit for &Recorder {
        fn record_debug(&mut self, field: &field::Field, value: &dyn fmt::Debug) {
            if field.name() != "elapsed_ms" {
                let line = format!("{}={value:?}", field.name());
                self.0.lock().unwrap().push(line);
            }
        }
    }

    impl Subscriber for Recorder {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, span: &Attributes<'_>) -> Id {
            span.record(&mut &*self);
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, values: &Record<'_>) {
            values.record(&mut &*self);
        }

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            event.record(&mut &*self);
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[tokio::test]
    async fn a_trace_has_the_outcome_and_never_a_value() {
        let recorder = Recorder::default();
        let _guard = tracing::subscriber::set_default(recorder.clone());
        let memory = Memory::of(Kind::Local);
        let error = Error::new(ErrorKind::Denied, Operation::Read, "that is not allowed")
            .with_request_id("r-1")
            .caused_by(std::io::Error::other("canary"));
        memory.fail_next(Operation::Read, None, error);
        let traced = Traced::new(memory);
        let name = Kind::Local.existing_name("api-key").unwrap();
        let document = Document::Single("canary".to_owned().into());
        let marks = Marks::of("test");
        traced.create(&name, &document, &marks).await.unwrap();
        traced.read(&name, WantedShape::Single).await.unwrap_err();
        traced.read(&name, WantedShape::Single).await.unwrap();
        let lines = recorder.0.lock().unwrap().join("\n");
        assert_eq!(
            lines,
            "operation=\"create\"\nname=api-key\noutcome=\"done\"\nmessage=answered\noutcome=\"done\"\n\
             operation=\"read\"\nname=api-key\nrequest_id=\"r-1\"\noutcome=\"denied\"\nmessage=answered\noutcome=\"denied\"\n\
             operation=\"read\"\nname=api-key\noutcome=\"done\"\nmessage=answered\noutcome=\"done\""
        );
    }
}
