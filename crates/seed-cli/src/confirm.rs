//! Whether a person has to confirm where a run is about to write.

use seed_core::backend::Description;
use seed_core::name::ValueId;

use crate::error::{CliError, Result};
use crate::terminal::Terminal;

/// What must happen before the first write.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Need {
    /// The contract names the place; nobody is asked.
    Nothing,
    /// A person is asked this.
    Ask(String),
    /// Nobody can be asked.
    Refuse(String),
}

/// Makes sure that the places which came from the environment are meant: asked once, or told by `--yes`.
pub(crate) fn places(
    places: &[Description],
    yes: bool,
    no_input: bool,
    terminal: Terminal,
) -> Result<()> {
    match need(places, yes, !no_input && terminal.can_ask()) {
        Need::Nothing => Ok(()),
        Need::Ask(question) if terminal.confirm(&question)? => Ok(()),
        Need::Ask(_) => Err(CliError::usage("not confirmed; nothing was written")),
        Need::Refuse(places) => Err(CliError::usage(format!(
            "nobody confirmed that {places} is meant"
        ))
        .hint("write the place into the contract, or confirm it with `--yes`")),
    }
}

/// Makes sure that a value is to be replaced which the contract wants to be replaced with care.
pub(crate) fn replacing(
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
    if terminal.confirm(&format!("Replace `{id}`? {why}"))? {
        Ok(())
    } else {
        Err(CliError::usage("not confirmed; nothing was written"))
    }
}

fn need(places: &[Description], yes: bool, can_ask: bool) -> Need {
    let unsure: Vec<String> = places
        .iter()
        .filter(|place| place.confirm)
        .map(|place| format!("{}, {}", place.kind, place.place))
        .collect();
    match (unsure.as_slice(), yes, can_ask) {
        ([], _, _) | (_, true, _) => Need::Nothing,
        (_, false, true) => Need::Ask(format!("Write to {}?", unsure.join(" and to "))),
        (_, false, false) => Need::Refuse(unsure.join(" and ")),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use seed_core::backend::{Capabilities, Guarantee, Kind, Pace};

    use super::*;

    fn place(kind: Kind, confirm: bool) -> Description {
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
            confirm,
            capabilities,
        }
    }

    #[test]
    fn only_places_from_the_environment_are_confirmed() {
        let local = place(Kind::Local, false);
        let vault = place(Kind::Vault, true);
        let both = [local.clone(), vault];
        assert_eq!(need(&[local], false, false), Need::Nothing);
        assert_eq!(need(&both, true, false), Need::Nothing);
        assert_eq!(
            need(&both, false, true),
            Need::Ask("Write to vault, somewhere?".to_owned())
        );
        assert_eq!(
            need(&both, false, false),
            Need::Refuse("vault, somewhere".to_owned())
        );
    }
}
