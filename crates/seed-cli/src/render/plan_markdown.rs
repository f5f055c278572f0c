//! A plan for a pull request.

use seed_core::backend::Description;
use seed_core::plan::{Action, Plan, Step};
use seed_core::resolve::{Resolved, ResolvedSource};

use super::markdown::code;
use super::plan_text::{made_by, mark, summary};
use super::secrets;

/// The plan as Markdown. `places` are the backends that were asked, if any was.
pub(crate) fn plan(
    resolved: &Resolved,
    plan: &Plan,
    places: Option<&[(String, Description)]>,
) -> String {
    let is_selected = |step: &&Step| !matches!(step.action, Action::NotSelected { .. });
    let mut text = heading(resolved);
    text.push_str(&summary(plan.summary()));
    text.push_str(&basis(places));
    if plan.values().any(|step| is_selected(&step)) {
        text.push_str("\n| | Key | What happens | How, or why |\n| --- | --- | --- | --- |\n");
        text.extend(plan.values().filter(is_selected).map(row));
    }
    text.push_str(&in_cluster(resolved, plan));
    text.push_str(&people(resolved, plan, "You provide", |action| {
        matches!(action, Action::Ask)
    }));
    text.push_str(&people(resolved, plan, "You may provide", |action| {
        matches!(action, Action::Optional)
    }));
    text.push_str(&list(
        "Secrets that somebody else makes",
        made_by(resolved)
            .iter()
            .map(|(secret, by)| format!("{}: {}", code(secret), code(by))),
    ));
    text
}

fn in_cluster(resolved: &Resolved, plan: &Plan) -> String {
    let secrets = secrets::selected(plan);
    let lines = secrets.iter().map(|secret| {
        let (mark, what) = (mark(secret.action()), secrets::what(secret));
        format!("`{mark}` {}: {}", code(secret.name), code(&what))
    });
    let left_out = secrets::left_out(resolved);
    let left_out = left_out.map_or_else(String::new, |line| format!("\n{line}\n"));
    list("Secrets in the cluster", lines) + &left_out
}

fn heading(resolved: &Resolved) -> String {
    let env = resolved.env.as_ref();
    let env = env.map_or_else(String::new, |env| format!(" for {}", code(env)));
    format!("## Secrets of {}{env}\n\n", code(&resolved.contract))
}

fn basis(places: Option<&[(String, Description)]>) -> String {
    let Some(places) = places else {
        return "No backend was asked: this is what would happen if nothing existed yet.\n"
            .to_owned();
    };
    let places: Vec<String> = places
        .iter()
        .map(|(_, place)| {
            let identity = place.identity.as_ref();
            let identity = identity.map_or_else(String::new, |who| format!(" as {}", code(who)));
            let sure = place.capabilities.create.as_str();
            format!("{}, {}{identity} ({sure})", place.kind, code(&place.place))
        })
        .collect();
    if places.is_empty() {
        String::new()
    } else {
        format!("Asked: {}.\n", places.join("; "))
    }
}

fn row(step: &Step) -> String {
    let (what, more) = cells(step);
    let copies = step
        .files
        .iter()
        .filter(|_| matches!(step.action, Action::Create))
        .map(|file| format!("copy in {}", code(file)));
    let more: Vec<String> = more.iter().map(|more| code(more)).chain(copies).collect();
    format!(
        "| `{}` | {} | {what} | {} |\n",
        mark(&step.action),
        code(&step.id.to_string()),
        more.join(", ")
    )
}

/// Our own words, and those of the contract or the backend.
fn cells(step: &Step) -> (&'static str, Option<String>) {
    let source = || Some(step.source.clone());
    match &step.action {
        Action::Ask => ("you provide it", source()),
        Action::Blocked(why) => ("blocked", Some(why.to_string())),
        Action::Create => ("is created", source()),
        Action::Keep => ("exists", None),
        Action::Minted { by } => ("is written later", Some(by.clone())),
        Action::NotNeeded(why) => ("not needed", Some(why.clone())),
        Action::NotSelected { .. } => ("not selected", None),
        Action::Optional => ("optional", source()),
        Action::Wait { on, .. } => {
            let on: Vec<String> = on.iter().map(ToString::to_string).collect();
            ("waits for others", Some(on.join(", ")))
        }
    }
}

/// What a person gives, and where to get it.
fn people(
    resolved: &Resolved,
    plan: &Plan,
    title: &str,
    wanted: impl Fn(&Action) -> bool,
) -> String {
    let steps = plan.steps.iter().filter(|step| wanted(&step.action));
    let entries = steps.map(|step| {
        let source = resolved.value(&step.id).map(|value| value.source.as_ref());
        let (how, url) = match source {
            Some(Some(ResolvedSource::Provide(provided))) => (&provided.how, &provided.url),
            _ => (&None, &None),
        };
        let words = [how, url].into_iter().flatten().map(|text| code(text));
        let parts: Vec<String> = [code(&step.id.to_string())]
            .into_iter()
            .chain(words)
            .collect();
        parts.join(": ")
    });
    list(title, entries)
}

fn list(title: &str, entries: impl Iterator<Item = String>) -> String {
    let lines: String = entries.map(|entry| format!("* {entry}\n")).collect();
    if lines.is_empty() {
        lines
    } else {
        format!("\n{title}:\n\n{lines}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use insta::assert_snapshot;
    use proptest::prelude::*;
    use seed_core::contract::parse;
    use seed_core::inventory::{Depth, Inventory, Presence};
    use seed_core::plan::{Input, plan as planned, wanted};
    use seed_core::resolve::{Request, resolve};

    use super::*;

    /// The plan of a contract that says `text` wherever it can, in which the first secret exists.
    fn markdown(text: &str) -> Result<String, String> {
        let text = serde_json::to_string(text).map_err(|err| err.to_string())?;
        let source = format!(
            "version: 1\nname: shop\nbackend: local\nsecrets:\n  there: {{generate: {{hex: 4}}}}\n  \
             made: {{generate: {{hex: 4}}, prefix: {text}}}\n  \
             asked: {{description: {text}, provide: {{how: {text}}}}}\n  \
             may: {{provide: {{how: {text}, url: {text}}}, optional: true}}\n  \
             waits: {{compose: \"${{asked}}!\"}}\n  later: {{mint: {{by: {text}}}}}\n\
             targets:\n  shop/others: {{made-by: {text}, data: {{a: \"${{asked}}\"}}}}\n"
        );
        let said = |found: seed_core::diagnostic::Diagnostics| found.to_string();
        let (contract, _) = parse(&source).map_err(said)?;
        let (resolved, _) = resolve(&contract, &source, &Request::default()).map_err(said)?;
        let answers = wanted(&resolved, Depth::Quick).into_iter();
        let inventories: BTreeMap<String, Inventory> = answers
            .map(|(name, wanted)| {
                let presence = |name: &str| match name {
                    "there" => Presence::Exists,
                    _ => Presence::Absent,
                };
                let answers = wanted.into_iter();
                let answers = answers.map(|wanted| {
                    let presence = presence(wanted.name.as_str());
                    (wanted.name, presence)
                });
                (name, answers.collect())
            })
            .collect();
        let seen = planned(Input::new(&resolved, &inventories, &BTreeSet::new()));
        Ok(plan(&resolved, &seen, None))
    }

    #[test]
    fn a_plan_is_a_heading_a_summary_a_table_and_lists() {
        let text = "| <b>@ops</b>,\nsee #1: [x](https://example.com)";
        assert_snapshot!(markdown(text).unwrap(), @"
        ## Secrets of <code>shop</code>

        Plan: 1 to create, 1 for you to provide, 1 waiting, 1 exists, 1 written later, 1 optional.
        No backend was asked: this is what would happen if nothing existed yet.

        | | Key | What happens | How, or why |
        | --- | --- | --- | --- |
        | `=` | <code>there</code> | exists |  |
        | `+` | <code>made</code> | is created | <code>hex 4, prefix &#124; &#60;b&#62;&#64;ops&#60;/b&#62;, see &#35;1&#58; &#91;x&#93;(https&#58;//example&#46;com)</code> |
        | `?` | <code>asked</code> | you provide it | <code>&#124; &#60;b&#62;&#64;ops&#60;/b&#62;, see &#35;1&#58; &#91;x&#93;(https&#58;//example&#46;com)</code> |
        | `.` | <code>may</code> | optional | <code>&#124; &#60;b&#62;&#64;ops&#60;/b&#62;, see &#35;1&#58; &#91;x&#93;(https&#58;//example&#46;com)</code> |
        | `>` | <code>waits</code> | waits for others | <code>asked</code> |
        | `~` | <code>later</code> | is written later | <code>&#124; &#60;b&#62;&#64;ops&#60;/b&#62;, see &#35;1&#58; &#91;x&#93;(https&#58;//example&#46;com)</code> |

        You provide:

        * <code>asked</code>: <code>&#124; &#60;b&#62;&#64;ops&#60;/b&#62;, see &#35;1&#58; &#91;x&#93;(https&#58;//example&#46;com)</code>

        You may provide:

        * <code>may</code>: <code>&#124; &#60;b&#62;&#64;ops&#60;/b&#62;, see &#35;1&#58; &#91;x&#93;(https&#58;//example&#46;com)</code>: <code>&#124; &#60;b&#62;&#64;ops&#60;/b&#62;, see &#35;1&#58; &#91;x&#93;(https&#58;//example&#46;com)</code>

        Secrets that somebody else makes:

        * <code>shop/others</code>: <code>&#124; &#60;b&#62;&#64;ops&#60;/b&#62;, see &#35;1&#58; &#91;x&#93;(https&#58;//example&#46;com)</code>
        ");
    }

    /// What a plan looks like when a contract says nothing special.
    fn shape(markdown: &str) -> Vec<String> {
        let lines = markdown.lines().map(|line| {
            let mut shape = line.to_owned();
            while let Some((before, rest)) = shape.split_once("<code>") {
                let (_, after) = rest.split_once("</code>").unwrap_or_default();
                shape = format!("{before}CODE{after}");
            }
            shape
        });
        lines.collect()
    }

    proptest! {
        #[test]
        fn no_text_of_a_contract_changes_the_shape(text in "[^\\p{C}$]{1,40}|[|<>`@#\\[\\]()!*_~: \n-]{1,40}") {
            let hostile = markdown(&text).map_err(TestCaseError::fail)?;
            let usual = markdown("word").map_err(TestCaseError::fail)?;
            prop_assert_eq!(shape(&hostile), shape(&usual), "{}", hostile);
            let marks = hostile.replace("<code>", "").replace("</code>", "");
            prop_assert!(!marks.contains('<') && !marks.contains('@'), "{}", hostile);
        }
    }
}
