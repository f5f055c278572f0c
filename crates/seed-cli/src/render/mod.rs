//! How things look: diagnostics, plans, reports.

mod action_json;
mod checked;
mod diagnostics;
mod diff;
mod error_json;
mod manifests_json;
mod markdown;
mod plan_json;
mod plan_markdown;
mod plan_text;
mod report_json;
mod report_text;
mod secrets;
mod set;
mod verify_json;
mod verify_text;
mod visible;
mod words;

pub(crate) use checked::{Checked, Checks, sound, sound_json, unsound_json};
pub(crate) use diagnostics::{error, warnings};
pub(crate) use diff::unified;
pub(crate) use error_json::{diagnostics as diagnostics_json, failure};
pub(crate) use manifests_json::{
    differences as differences_json, texts as texts_json, written as written_json,
};
pub(crate) use plan_json::plan as plan_json;
pub(crate) use plan_markdown::plan as plan_markdown;
pub(crate) use plan_text::{guarantees, made_by_others, plan as plan_text, title, title_offline};
pub(crate) use report_json::{files as files_json, report as report_json};
pub(crate) use report_text::{files, missing, next_steps, report as report_text};
pub(crate) use set::{SetOutcome, Told, document as set_json, text as set_text};
pub(crate) use verify_json::verify as verify_json;
pub(crate) use verify_text::verify as verify_text;
pub(crate) use visible::{Styled, visible};
pub(crate) use words::count;
