//! The Secrets that are written to the cluster, each as one.

use super::model::{Action, Plan, Step};

/// A Secret that is written to the cluster, and what becomes of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SecretStep<'p> {
    /// `namespace/name`.
    pub name: &'p str,
    /// One step for each of its keys.
    pub keys: Vec<&'p Step>,
}

impl Plan {
    /// The steps of values: all but those of keys of Secrets.
    pub fn values(&self) -> impl Iterator<Item = &Step> {
        let steps = self.steps.iter();
        steps.filter(|step| step.id.entry.as_secret().is_none())
    }

    /// The Secrets that are written to the cluster, in the contract's order.
    pub fn secrets(&self) -> Vec<SecretStep<'_>> {
        let mut secrets: Vec<SecretStep<'_>> = Vec::new();
        for step in &self.steps {
            let Some(name) = step.id.entry.as_secret() else {
                continue;
            };
            match secrets.last_mut().filter(|last| last.name == name) {
                Some(last) => last.keys.push(step),
                None => secrets.push(SecretStep {
                    name,
                    keys: vec![step],
                }),
            }
        }
        secrets
    }
}

impl SecretStep<'_> {
    /// What is done with the Secret as a whole: what the key says that matters most.
    pub fn action(&self) -> &Action {
        self.foremost().map_or(&Action::Keep, |step| &step.action)
    }

    /// The step of the key that matters most.
    pub fn foremost(&self) -> Option<&Step> {
        let keys = self.keys.iter().copied();
        keys.min_by_key(|step| rank(&step.action))
    }

    /// The keys that would be written.
    pub fn written(&self) -> Vec<&str> {
        self.names(|action| *action == Action::Create)
    }

    /// Whether the Secret is there, and lacks keys.
    pub fn is_added_to(&self) -> bool {
        *self.action() == Action::Create && !self.names(Action::is_there_already).is_empty()
    }

    fn names(&self, wanted: impl Fn(&Action) -> bool) -> Vec<&str> {
        let keys = self.keys.iter().filter(|step| wanted(&step.action));
        let fields = keys.filter_map(|step| step.id.field.as_ref());
        fields.map(crate::name::FieldName::as_str).collect()
    }
}

fn rank(action: &Action) -> u8 {
    match action {
        // The reason itself, not that other keys of the Secret wait for it.
        Action::Blocked(super::Blocked::Source(id)) if id.entry.as_secret().is_some() => 1,
        Action::Blocked(_) => 0,
        Action::Ask
        | Action::Wait {
            optional: false, ..
        } => 2,
        Action::Create => 3,
        Action::Keep => 4,
        Action::Minted { .. } | Action::NotNeeded(_) => 5,
        Action::NotSelected { .. } => 6,
        Action::Optional | Action::Wait { optional: true, .. } => 7,
    }
}
