//! What must hold for every contract and every text, whatever is in it.
//!
//! Each function takes any bytes and panics when a promise is broken. `cargo test` tries them on the corpus beside this
//! crate; `make fuzz` lets libFuzzer look for more.

#![expect(
    clippy::panic,
    clippy::string_slice,
    reason = "a broken promise is told by a panic"
)]

mod contract;
mod text;

pub use contract::contract;
pub use text::text;

use seed_core::diagnostic::{Diagnostic, Span};

/// Every place lies inside the source, and on whole characters: people and editors are sent there.
fn expect_places<'d>(source: &str, found: impl IntoIterator<Item = &'d Diagnostic>) {
    for diagnostic in found {
        let context = diagnostic.context.as_ref().map(|context| context.span);
        for span in diagnostic.span.into_iter().chain(context) {
            expect_place(source, span, &diagnostic.message);
        }
        assert!(!diagnostic.message.is_empty(), "a finding without words");
    }
}

fn expect_place(source: &str, span: Span, what: &str) {
    let inside = span.start <= span.end && span.end <= source.len();
    let whole = source.is_char_boundary(span.start) && source.is_char_boundary(span.end);
    assert!(inside && whole, "{span:?} is no place in the text: {what}");
}
