//! Whether a person has to confirm where a run is about to read or write.

use seed_core::backend::{Description, Kind};
use seed_core::name::ValueId;

use crate::error::{CliError, Result};
use crate::terminal::Terminal;

/// What must happen before the first call.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Need {
    /// Nothing: nobody is asked.
    Nothing,
    /// A person is asked about these places.
    Ask(String),
    /// Nobody can be asked about these places.
    Refuse(String),
}

/// Makes sure that the places are meant: asked once, or told by `--yes`.
pub(crate) async fn writing(
    unsure: &[Description],
    yes: bool,
    no_input: bool,
    terminal: Terminal,
) -> Result<()> {
    match need(unsure, yes, !no_input && terminal.can_ask()) {
        Need::Nothing => Ok(()),
        Need::Ask(places) => {
            let question = format!("Write to {places}?");
            agreed(terminal.confirm(&question).await?, "nothing was written")
        }
        Need::Refuse(places) => Err(CliError::usage(format!(
            "nobody confirmed that {places} is meant"
        ))
        .hint("write the place into the contract, or confirm it with `--yes`")),
    }
}

/// Makes sure that a credential of the environment may be sent to the places.
pub(crate) async fn reading(unsure: &[Description], terminal: Terminal) -> Result<()> {
    match need(unsure, false, terminal.can_ask()) {
        Need::Nothing => Ok(()),
        Need::Ask(places) => {
            let question = format!("Send this environment's credential to {places}?");
            agreed(terminal.confirm(&question).await?, "nothing was sent")
        }
        Need::Refuse(places) => {
            let error = CliError::usage(format!(
                "nobody confirmed that this environment's credential may be sent to {places}"
            ));
            Err(error.hint(meant(unsure)))
        }
    }
}

/// How an environment says that a place is meant.
fn meant(unsure: &[Description]) -> &'static str {
    match unsure.first().map(|place| place.kind) {
        Some(Kind::Vault) => "set VAULT_ADDR to that address if it is meant",
        Some(Kind::AwsSm | Kind::AzureKv | Kind::Gcpsm | Kind::Kubernetes | Kind::Local) | None => {
            "name the place in the environment as well if it is meant"
        }
    }
}

fn agreed(agreed: bool, nothing: &str) -> Result<()> {
    if agreed {
        Ok(())
    } else {
        Err(CliError::usage(format!("not confirmed; {nothing}")))
    }
}

/// Makes sure that a value is to be replaced which the contract wants to be replaced with care.
pub(crate) async fn replacing(
    id: &ValueId,
    why: &str,
    yes: bool,
    no_input: bool,
    terminal: Terminal,
) -> Result<()> {
    if yes {
        return Ok(());
    }
    if no_input || !terminal.can_ask() {
        return Err(CliError::usage(format!(
            "nobody confirmed that `{id}` is to be replaced: {why}"
        ))
        .hint("confirm it with `--yes`"));
    }
    let question = format!("Replace `{id}`? {why}");
    agreed(terminal.confirm(&question).await?, "nothing was written")
}

fn need(unsure: &[Description], yes: bool, can_ask: bool) -> Need {
    let places: Vec<String> = unsure
        .iter()
        .map(|place| format!("{}, {}", place.kind, place.place))
        .collect();
    let places = places.join(" and ");
    match (unsure, yes, can_ask) {
        ([], _, _) | (_, true, _) => Need::Nothing,
        (_, false, true) => Need::Ask(places),
        (_, false, false) => Need::Refuse(places),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use seed_core::backend::{Capabilities, Confirm, Guarantee, Pace};

    use super::*;

    fn place(kind: Kind) -> Description {
        let capabilities = Capabilities {
            create: Guarantee::Atomic,
            add_fields: Guarantee::Atomic,
            concurrency: NonZeroUsize::MIN,
            pace: Pace {
                reads: None,
                writes: None,
            },
        };
        Description {
            kind,
            place: "somewhere".to_owned(),
            identity: None,
            confirm: Confirm::BeforeWrites,
            capabilities,
        }
    }

    #[test]
    fn unsure_places_are_asked_about_together_told_by_a_flag_or_refused() {
        let both = [place(Kind::Kubernetes), place(Kind::Vault)];
        let places = "kubernetes, somewhere and vault, somewhere".to_owned();
        assert_eq!(need(&[], false, false), Need::Nothing);
        assert_eq!(need(&both, true, false), Need::Nothing);
        assert_eq!(need(&both, false, true), Need::Ask(places.clone()));
        assert_eq!(need(&both, false, false), Need::Refuse(places));
    }
}
