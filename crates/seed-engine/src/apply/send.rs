//! Sending, and finding out what became of it when the answer is lost.

use std::sync::atomic::Ordering;

use seed_core::document::{Document, FieldValue, Fields};
use seed_core::inventory::Version;
use seed_core::report::Failure;
use seed_provider::{Error, ErrorKind, Marks, Operation, Result};

use super::write::{How, Writer};
use crate::failure;

/// How often something is sent: once, and once more when the answer was lost and nothing is there.
const TRIES: usize = 2;

const LATE: &str = "somebody else's is there, and what was sent may still come and take its place";

/// What became of what was sent.
pub(super) enum Sent {
    Failed(Error),
    /// Nothing was sent, because the run is to stop.
    Stopped,
    Stored(Version),
    /// Somebody else stored something meanwhile, and how the backend said so.
    Taken(Option<Error>),
    Uncertain(Failure),
}

/// What was found after an answer was lost.
enum Found {
    /// Nothing of ours, and nothing in our way.
    Nothing(How),
    Open(Error),
    Ours(Version),
    Others,
}

impl Writer<'_> {
    /// Sends a document. A lost answer is settled by reading: only what is there counts.
    pub(super) async fn send(&self, how: How, document: &Document) -> Sent {
        self.mark(true);
        let sent = self.send_and_settle(how, document).await;
        self.mark(false);
        sent
    }

    fn mark(&self, sent: bool) {
        if let Some(flag) = self.sent {
            flag.store(sent, Ordering::Release);
        }
    }

    async fn send_and_settle(&self, mut how: How, document: &Document) -> Sent {
        let mut lost: Option<Error> = None;
        for _ in 0..TRIES {
            let err = match self.call(&how, document).await {
                Ok(version) => return Sent::Stored(version),
                Err(err) => err,
            };
            let taken = matches!(err.kind(), ErrorKind::AlreadyExists)
                || matches!(
                    (err.kind(), &how),
                    (ErrorKind::Conflict, How::Add(_) | How::Replace(_))
                );
            match (err.kind(), &lost) {
                // Whoever reads ours would not know of theirs.
                (ErrorKind::Indeterminate, _) if err.is_contested() => {
                    return Sent::Uncertain(failure::of_call(&err));
                }
                (ErrorKind::Indeterminate, _) => {}
                // It may be ours: the first request can have arrived after we looked.
                (_, Some(_)) if taken => {}
                (_, None) if taken => return Sent::Taken(Some(err)),
                // The first request may still arrive, whatever became of this one.
                (_, Some(lost)) => return Sent::Uncertain(doubt(lost, &failure::text(&err))),
                (_, None) if err.is_stopped() => return Sent::Stopped,
                (_, None) => return Sent::Failed(err),
            }
            match self.find(&how, document).await {
                Found::Ours(version) => return Sent::Stored(version),
                Found::Others if self.job.convergers.contains_key(self.at.backend) => {
                    // Nothing refuses ours when it comes late: it would take the place of theirs.
                    let lost = lost.as_ref().unwrap_or(&err);
                    return Sent::Uncertain(doubt(lost, LATE));
                }
                Found::Others => return Sent::Taken(Some(err)),
                Found::Open(reading) => {
                    let lost = lost.as_ref().unwrap_or(&err);
                    return Sent::Uncertain(doubt(lost, &failure::text(&reading)));
                }
                Found::Nothing(again) => how = again,
            }
            lost = lost.or(Some(err));
        }
        match lost {
            Some(err) => Sent::Uncertain(doubt(&err, "nothing was there yet when we looked")),
            None => Sent::Taken(None),
        }
    }

    async fn call(&self, how: &How, document: &Document) -> Result<Version> {
        let (provider, name) = (self.at.provider, self.at.name);
        match (how, document) {
            (How::Create, document) => provider.create(name, document, &self.marks()).await,
            (How::Replace(expected), document) => self.replace(document, expected).await,
            (How::Add(expected), Document::Fields(fields)) => {
                provider.add_fields(name, fields, expected).await
            }
            (How::Add(_), Document::Single(_)) => {
                let message = "one value cannot be added to an entry";
                Err(Error::new(ErrorKind::WrongShape, Operation::AddFields, message).about(name))
            }
        }
    }

    /// Puts values in the place of what is there; fields beside them keep their bytes.
    async fn replace(&self, document: &Document, expected: &Version) -> Result<Version> {
        let name = self.at.name;
        let failed = |kind, message| Err(Error::new(kind, Operation::Replace, message).about(name));
        let Some(replacer) = self.job.replacers.get(self.at.backend) else {
            return failed(
                ErrorKind::Unsupported,
                "this run may not replace what is stored",
            );
        };
        let Document::Fields(new) = document else {
            return replacer.replace(name, document, expected).await;
        };
        let stored = self.at.provider.read(name, self.at.shape()).await?;
        if stored.version != *expected {
            return failed(ErrorKind::Conflict, "it was changed meanwhile");
        }
        let Document::Fields(old) = &stored.document else {
            return failed(ErrorKind::WrongShape, "one value is stored, not several");
        };
        let whole = Document::Fields(over(old, new));
        replacer.replace(name, &whole, expected).await
    }

    fn marks(&self) -> Marks {
        let resolved = &self.job.resolved;
        let mut marks = Marks::of(resolved.contract.clone());
        if let Some(backend) = resolved.backends.get(self.at.backend) {
            marks.labels.extend(backend.labels.clone());
        }
        marks.labels.extend(self.at.entry.labels.clone());
        marks
    }

    async fn find(&self, how: &How, document: &Document) -> Found {
        let (provider, name) = (self.at.provider, self.at.name);
        let stored = match provider.read(name, self.at.shape()).await {
            Ok(stored) => stored,
            Err(err) => {
                return match (err.kind(), how) {
                    (ErrorKind::NotFound, How::Create) => Found::Nothing(How::Create),
                    (ErrorKind::NotFound, How::Add(_) | How::Replace(_))
                    | (ErrorKind::WrongShape, _) => Found::Others,
                    (_, _) => Found::Open(err),
                };
            }
        };
        match (compare(&stored.document, document), how) {
            (Some(true), _) => Found::Ours(stored.version),
            (_, How::Replace(expected)) if stored.version == *expected => {
                Found::Nothing(How::Replace(stored.version))
            }
            (None, How::Add(expected)) if stored.version == *expected => {
                Found::Nothing(How::Add(stored.version))
            }
            // Whatever else was added may be made from what we would add.
            (Some(false), _) | (None, How::Add(_) | How::Create | How::Replace(_)) => Found::Others,
        }
    }
}

/// What is stored, with new values in the place of those of the same name and after them.
fn over(old: &Fields, new: &Fields) -> Fields {
    let mut whole = Fields::new();
    for (name, value) in old.iter() {
        let value = new.get(name).unwrap_or(value);
        // Names are unique on both sides, so none of them is there yet.
        let _new = whole.insert(name, value.duplicate());
    }
    for (name, value) in new.iter().filter(|(name, _)| old.get(name).is_none()) {
        let _new = whole.insert(name, value.duplicate());
    }
    whole
}

/// Whether what is stored has all that was sent: `None` when it has nothing of it.
fn compare(stored: &Document, sent: &Document) -> Option<bool> {
    let (stored, sent) = match (stored, sent) {
        (Document::Single(stored), Document::Single(sent)) => return Some(stored.same_as(sent)),
        (Document::Fields(stored), Document::Fields(sent)) => (stored, sent),
        (Document::Fields(_), Document::Single(_)) | (Document::Single(_), Document::Fields(_)) => {
            return Some(false);
        }
    };
    let same = |stored: &FieldValue, sent: &FieldValue| stored.value().same_as(sent.value());
    let found: Vec<Option<bool>> = sent
        .iter()
        .map(|(name, sent)| stored.get(name).map(|stored| same(stored, sent)))
        .collect();
    if found.iter().all(Option::is_none) {
        return None;
    }
    Some(found.iter().all(|same| *same == Some(true)))
}

fn doubt(lost: &Error, why: &str) -> Failure {
    Failure {
        message: format!("{}; {why}", failure::text(lost)),
        ..failure::of_call(lost)
    }
}
