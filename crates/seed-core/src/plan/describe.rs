//! What a plan says about a value beside its state.

use std::collections::BTreeMap;

use crate::name::ValueId;
use crate::resolve::{Resolved, ResolvedSource, ResolvedText, ResolvedValue, Tree};

/// The files that hold each value.
pub(super) fn files_of(resolved: &Resolved) -> BTreeMap<ValueId, Vec<String>> {
    let mut files: BTreeMap<ValueId, Vec<String>> = BTreeMap::new();
    for file in &resolved.files {
        file.tree.each_text(&mut |text| {
            for id in text.values() {
                let paths = files.entry(id.clone()).or_default();
                if !paths.contains(&file.path) {
                    paths.push(file.path.clone());
                }
            }
        });
    }
    files
}

/// Where a value comes from, in a few words.
pub(super) fn describe(value: &ResolvedValue) -> String {
    let affixes = |text: String| {
        let prefix = if value.prefix.is_empty() {
            String::new()
        } else {
            format!(", prefix {}", value.prefix)
        };
        let suffix = if value.suffix.is_empty() {
            String::new()
        } else {
            format!(", suffix {}", value.suffix)
        };
        format!("{text}{prefix}{suffix}")
    };
    match &value.source {
        None => String::new(),
        Some(ResolvedSource::Generate { recipe, .. }) => affixes(recipe.summary()),
        Some(ResolvedSource::Derive { derivation, of }) => {
            match derivation.summary().split_once(" of ") {
                Some((how, _)) => format!("{how} of {of}"),
                None => derivation.summary(),
            }
        }
        Some(ResolvedSource::Compose(text)) => {
            let mut sources: Vec<String> = text.values().map(ToString::to_string).collect();
            sources.dedup();
            if sources.is_empty() {
                "text".to_owned()
            } else {
                format!("text with {}", sources.join(", "))
            }
        }
        Some(ResolvedSource::Value(_)) => "literal".to_owned(),
        Some(ResolvedSource::Provide(provided)) => match (&provided.how, &provided.url) {
            (Some(how), _) => how.clone(),
            (None, Some(url)) => url.clone(),
            (None, None) => "a value from a person or another system".to_owned(),
        },
        Some(ResolvedSource::Mint { by }) => format!("written later by {by}"),
        Some(ResolvedSource::Forbidden(why)) => format!("must not exist: {why}"),
    }
}

impl Tree {
    /// Calls `visit` for every text of a file.
    pub fn each_text<'t>(&'t self, visit: &mut dyn FnMut(&'t ResolvedText)) {
        match self {
            Self::Text(text) => visit(text),
            Self::Dotenv(variables) => variables.iter().for_each(|(_, text)| visit(text)),
            Self::Json(branch) | Self::Yaml(branch) => branch.each_text(visit),
        }
    }
}
