//! Labels that runs which were cut off have left on versions.
//!
//! A version with a label is never cleaned up by the service, and is a whole copy of a value. Labels are met for nothing
//! when secrets are looked at, and taken away when the same secret is changed anyway.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::inventory::Facts;

/// Labels of other runs, by the names of the secrets.
#[derive(Debug)]
pub(crate) struct Remains {
    own: String,
    met: Mutex<BTreeMap<String, Vec<Remain>>>,
}

/// A label of another run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Remain {
    pub(crate) stage: String,
    pub(crate) version: String,
    /// Whether no run can still need it.
    pub(crate) dead: bool,
}

/// How the labels of one run begin.
pub(crate) fn prefix(run: u64) -> String {
    format!("{ALL}{run:016x}-")
}

impl Remains {
    pub(crate) fn of(run: u64) -> Self {
        Self {
            own: prefix(run),
            met: Mutex::default(),
        }
    }

    /// Remembers the labels of other runs on one secret.
    pub(crate) fn meet(&self, name: &str, facts: &Facts) {
        let dead = facts.changed.is_some_and(is_over);
        let mut found = Vec::new();
        for (version, stages) in &facts.stages {
            let labels = stages.iter().filter(|stage| self.is_of_others(stage));
            found.extend(labels.map(|stage| Remain {
                stage: stage.clone(),
                version: version.clone(),
                dead,
            }));
        }
        if found.is_empty() {
            self.met().remove(name);
        } else {
            found.sort_by(|one, other| one.stage.cmp(&other.stage));
            self.met().insert(name.to_owned(), found);
        }
    }

    /// The labels of one secret that nobody needs.
    pub(crate) fn dead(&self, name: &str) -> Vec<Remain> {
        let met = self.met();
        let known = met.get(name).into_iter().flatten();
        known.filter(|remain| remain.dead).cloned().collect()
    }

    /// One of them is gone.
    pub(crate) fn gone(&self, name: &str, remain: &Remain) {
        let mut met = self.met();
        if let Some(known) = met.get_mut(name) {
            known.retain(|one| one != remain);
            if known.is_empty() {
                met.remove(name);
            }
        }
    }

    /// What a person should know of them.
    pub(crate) fn note(&self) -> Option<String> {
        let met = self.met();
        let (name, first) = met
            .iter()
            .find_map(|(name, known)| Some((name, known.first()?)))?;
        let Remain { stage, version, .. } = first;
        let others = match met.len() - 1 {
            0 => String::new(),
            1 => "; so has 1 other entry".to_owned(),
            others => format!("; so have {others} other entries"),
        };
        Some(format!(
            "`{name}` has the label `{stage}` of another run, which was cut off if it is not under way; \
             seed takes it away when it next changes that entry, and \
             `aws secretsmanager update-secret-version-stage --secret-id {name} --version-stage {stage} \
             --remove-from-version-id {version}` does so at once{others}"
        ))
    }

    fn is_of_others(&self, stage: &str) -> bool {
        stage.starts_with(ALL) && !stage.starts_with(&self.own)
    }

    fn met(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Remain>>> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a run that changed something then is over: between storing a version and taking its label away lie seconds.
fn is_over(changed: i64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.ok().and_then(|now| i64::try_from(now.as_secs()).ok());
    now.is_some_and(|now| now.saturating_sub(changed) > HOUR)
}

const ALL: &str = "SEED-";
const HOUR: i64 = 3_600;

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn facts(changed: i64, stages: &[(&str, &[&str])]) -> Facts {
        let stages = stages.iter().map(|(version, stages)| {
            let stages = stages.iter().map(|stage| (*stage).to_owned());
            ((*version).to_owned(), stages.collect())
        });
        Facts {
            deleted: None,
            changed: Some(changed),
            stages: stages.collect::<HashMap<_, _>>(),
        }
    }

    #[test]
    fn labels_of_others_are_met_and_dead_after_an_hour() {
        let remains = Remains::of(1);
        let own = format!("{}7", prefix(1));
        let old = facts(0, &[("v", &["SEED-x-1", "AWSPREVIOUS"]), ("w", &[&own])]);
        remains.meet("a", &old);
        remains.meet("b", &facts(i64::MAX, &[("v", &["SEED-x-2"])]));
        assert_eq!(remains.dead("a").len(), 1);
        assert!(remains.dead("b").is_empty());
        let note = remains.note().unwrap();
        assert!(
            note.starts_with("`a` has the label `SEED-x-1` of another run")
                && note.ends_with("; so has 1 other entry"),
            "{note}"
        );
        for remain in remains.dead("a") {
            remains.gone("a", &remain);
        }
        remains.meet("b", &facts(0, &[("v", &["AWSCURRENT"])]));
        assert_eq!(remains.note(), None);
    }
}
