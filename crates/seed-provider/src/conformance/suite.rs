//! From an adapter to trials.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use libtest_mimic::{Failed, Trial};
use seed_core::backend::Description;
use seed_core::name::SecretName;

use super::bench::{Bench, Outcome};
use super::{creating, growing, limits, looking, optional};
use crate::{Provider, Replace, Restore, Versions};

/// An adapter, ready to be called, and whatever must live as long.
pub struct Subject<P> {
    pub(super) provider: Arc<P>,
    pub(super) guard: Option<Box<dyn Any + Send + Sync>>,
}

impl<P> Subject<P> {
    /// Takes an adapter.
    pub fn new(provider: P) -> Self {
        Self::shared(Arc::new(provider))
    }

    /// Takes an adapter that others hold too.
    pub fn shared(provider: Arc<P>) -> Self {
        Self {
            provider,
            guard: None,
        }
    }

    /// Keeps something until the trial has ended: a directory, a stand-in of the service.
    #[must_use]
    pub fn keeping(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }
}

impl<P> fmt::Debug for Subject<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").finish_non_exhaustive()
    }
}

/// The trials of one adapter.
pub struct Suite<P> {
    description: Description,
    make: Make<P>,
    gaps: Vec<(&'static str, &'static str)>,
}

/// Makes a subject inside the trial's own runtime.
type Make<P> = Arc<dyn Fn() -> BoxFuture<'static, Result<Subject<P>, Failed>> + Send + Sync>;

/// One trial's body.
type Body<P> = Box<dyn FnOnce(Bench<P>) -> BoxFuture<'static, Outcome> + Send>;

/// Lists trials by the names of their functions.
macro_rules! trials {
    ($suite:expr, $module:ident: $($trial:ident),+ $(,)?) => {
        vec![$($suite.trial(stringify!($trial), Box::new(|bench| Box::pin($module::$trial(bench))))),+]
    };
}

impl<P: Provider> Suite<P> {
    /// Prepares the trials of an adapter that is what `description` says; `make` gives a new subject to each trial.
    pub fn new<F, M>(description: Description, make: M) -> Self
    where
        F: Future<Output = Result<Subject<P>, Failed>> + Send + 'static,
        M: Fn() -> F + Send + Sync + 'static,
    {
        Self {
            description,
            make: Arc::new(move || Box::pin(make())),
            gaps: Vec::new(),
        }
    }

    /// Ignores one trial, because the stand-in of the service cannot pass it. The trial is shown as ignored.
    #[must_use]
    pub fn gap(mut self, trial: &'static str, reason: &'static str) -> Self {
        self.gaps.push((trial, reason));
        self
    }

    /// The trials of [`Provider`]. What a kind or a guarantee does not promise is not tried.
    pub fn trials(&self) -> Vec<Trial> {
        let mut trials = trials![self, creating:
            a_created_value_is_read_back_under_the_version_that_was_told,
            a_second_create_is_refused_and_the_first_value_stays,
            of_eight_writers_exactly_one_wins,
            a_create_that_was_given_up_can_be_done_again,
            bytes_come_back_as_they_went_in,
            fields_come_back_as_they_went_in,
            bytes_that_the_kind_does_not_take_are_refused,
            names_that_are_alike_are_kept_apart,
            nothing_printed_has_a_value,
        ];
        trials.extend(trials![self, growing:
            added_fields_join_those_that_are_there,
            a_field_that_exists_is_never_written_over,
            a_stale_version_is_a_conflict_and_adds_nothing,
            of_eight_who_add_to_one_version_exactly_one_wins,
            what_is_not_there_is_not_found,
            one_value_is_not_several,
            numbers_keep_their_text_when_fields_are_added,
        ]);
        trials.extend(trials![self, limits:
            the_largest_value_fits,
            one_byte_more_is_refused_and_nothing_is_stored,
            growing_over_the_limit_is_refused_and_nothing_is_added,
        ]);
        trials.extend(trials![self, looking:
            every_name_asked_is_answered_before_and_after,
            many_names_are_answered_at_once,
            fields_are_named_where_they_are_looked_for,
            it_is_what_it_was_described_as,
        ]);
        trials
    }

    /// The trials of [`Replace`].
    pub fn replace_trials(&self) -> Vec<Trial>
    where
        P: Replace,
    {
        trials![self, optional:
            a_value_is_replaced_under_its_version_only,
            of_eight_who_replace_one_version_exactly_one_wins,
            nothing_is_replaced_where_nothing_is,
        ]
    }

    /// The trials of [`Versions`].
    pub fn versions_trials(&self) -> Vec<Trial>
    where
        P: Replace + Versions,
    {
        trials![self, optional: a_superseded_version_can_be_read]
    }

    /// The trials of [`Restore`]. `delete` deletes an entry so that it can be recovered, which no verb can.
    pub fn restore_trials<D>(&self, delete: D) -> Vec<Trial>
    where
        P: Restore,
        D: Fn(Arc<P>, SecretName) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    {
        let name = "what_was_deleted_comes_back_with_its_value";
        let body: Body<P> = Box::new(|bench| {
            Box::pin(optional::what_was_deleted_comes_back_with_its_value(
                bench, delete,
            ))
        });
        vec![self.trial(name, body)]
    }

    fn trial(&self, name: &'static str, body: Body<P>) -> Trial {
        let make = Arc::clone(&self.make);
        let description = self.description.clone();
        let kind = description.kind.as_str();
        let gap = self.gaps.iter().any(|(trial, _)| *trial == name);
        let run = move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .map_err(Failed::from)?;
            runtime.block_on(async move {
                let bench = Bench::new(make().await?, description);
                body(bench).await
            })
        };
        Trial::test(name, run)
            .with_kind(kind)
            .with_ignored_flag(gap)
    }
}

impl<P> fmt::Debug for Suite<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite")
            .field("description", &self.description)
            .field("gaps", &self.gaps)
            .finish_non_exhaustive()
    }
}
