//! Every way in turn.

use std::collections::BTreeMap;

use seed_core::name::ValueId;
use seed_core::plan::Selection;

use super::collector::Collector;
use super::provided_file::{self, ProvidedFile};
use super::{Way, values_file, variables};
use crate::args::GivenArgs;
use crate::error::Result;
use crate::load::Session;
use crate::session::Wishes;
use crate::terminal::Terminal;

/// Takes everything that is given to a run, or tells all that is wrong with it. Nothing was called or written yet.
pub(crate) fn collect(
    session: &Session,
    args: &GivenArgs,
    wishes: &mut Wishes,
    terminal: Terminal,
) -> Result<()> {
    let mut collector = Collector::new(&session.resolved);
    values_file::take(&mut collector, &args.values, terminal);
    variables::take(&mut collector, terminal);
    variables::take_named(&mut collector, &args.from_env, terminal);
    // They give way to all others, and are then not read.
    for file in provided_file::find(&mut collector, &session.root, &wishes.selection) {
        file.read(&mut collector, terminal);
    }
    for (id, (way, value)) in collector.finish()? {
        wishes.ways.insert(id.clone(), way);
        wishes.given.insert(id, value);
    }
    Ok(())
}

/// The values that a run would be given without a flag, so that a plan says what it would do. Reads no value.
pub(crate) fn expected(
    session: &Session,
    selection: &Selection,
    terminal: Terminal,
) -> Result<BTreeMap<ValueId, Way>> {
    let mut collector = Collector::new(&session.resolved);
    variables::take(&mut collector, terminal);
    let files = provided_file::find(&mut collector, &session.root, selection);
    let files = files.into_iter().map(ProvidedFile::into_way);
    let files: Vec<(ValueId, Way)> = files.collect();
    let given = collector.finish()?.into_iter();
    Ok(given.map(|(id, (way, _))| (id, way)).chain(files).collect())
}
