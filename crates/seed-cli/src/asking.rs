//! What a run still lacks is asked for before its first write.

use std::collections::BTreeSet;

use seed_core::name::ValueId;
use seed_core::plan::{Action, Plan};
use seed_core::produce::{Maker, try_given};
use seed_core::resolve::Resolved;

use crate::error::Result;
use crate::prompt::{Answer, Asker, Question};
use crate::session::{Seen, Wishes};
use crate::terminal::Terminal;

/// Whether a plan has values that a person must give. Optional ones are never asked for.
pub(crate) fn is_needed(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| step.action == Action::Ask)
}

/// Asks for every value that a person must give, in the contract's order, and plans again with the answers.
pub(crate) fn ask(
    resolved: &Resolved,
    seen: &mut Seen,
    wishes: &mut Wishes,
    terminal: Terminal,
) -> Result<()> {
    let mut asker = Asker::begin(terminal)?;
    let mut asked = BTreeSet::new();
    loop {
        // An answer may lead to another question: later members of a group wait for earlier ones.
        let open: Vec<ValueId> = open(&seen.plan, &asked);
        if open.is_empty() {
            return Ok(());
        }
        for (index, id) in open.iter().enumerate() {
            let number = (index + 1, open.len());
            if let Answer::Given(value) = ask_one(resolved, seen, wishes, &mut asker, id, number)? {
                wishes.given.insert(id.clone(), value);
            }
        }
        asked.extend(open);
        seen.plan_again(resolved, wishes);
    }
}

fn open(plan: &Plan, asked: &BTreeSet<ValueId>) -> Vec<ValueId> {
    plan.steps
        .iter()
        .filter(|step| step.action == Action::Ask && !asked.contains(&step.id))
        .map(|step| step.id.clone())
        .collect()
}

fn ask_one(
    resolved: &Resolved,
    seen: &Seen,
    wishes: &Wishes,
    asker: &mut Asker,
    id: &ValueId,
    number: (usize, usize),
) -> Result<Answer> {
    let (Some(entry), Some(value)) = (resolved.entries.get(&id.entry), resolved.value(id)) else {
        return Ok(Answer::Later);
    };
    let available = Maker::counted_on(&seen.plan);
    let maker = Maker {
        resolved,
        available: &available,
        unchecked: &wishes.unchecked,
    };
    let question = Question {
        entry,
        value,
        number,
    };
    asker.ask(&question, |given| {
        try_given(&maker, id, given)
            .err()
            .map(|err| err.to_string())
    })
}
