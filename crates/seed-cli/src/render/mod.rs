//! How things look: diagnostics, plans, reports.

mod diagnostics;
mod diff;
mod plan_json;
mod plan_text;
mod report_json;
mod report_text;
mod words;

pub(crate) use diagnostics::{error, warnings};
pub(crate) use diff::unified;
pub(crate) use plan_json::plan as plan_json;
pub(crate) use plan_text::{made_by_others, plan as plan_text, title};
pub(crate) use report_json::report as report_json;
pub(crate) use report_text::{files, missing, report as report_text};
pub(crate) use words::count;
