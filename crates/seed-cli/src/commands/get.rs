//! `seed get`.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use seed_core::name::ValueId;
use seed_core::resolve::{Activity, Resolved};
use seed_core::secret::SecretValue;
use zeroize::Zeroizing;

use crate::args::{Format, GetArgs};
use crate::backends::{Backends, Verbs};
use crate::error::{CliError, Result};
use crate::exit::Exit;
use crate::terminal::Terminal;
use crate::{load, session};

pub(super) fn run(args: &GetArgs, terminal: Terminal) -> Result<Exit> {
    let session = load::contract(&args.contract)?.resolve_values(&args.contract)?;
    let id = &args.key;
    match session.resolved.value(id).map(|value| &value.activity) {
        Some(Activity::Active) => {}
        Some(Activity::Inactive(why)) => {
            return Err(CliError::usage(format!("`{id}` is not needed here: {why}")));
        }
        None => return Err(unknown(&session.resolved, id)),
    }
    let backends = Backends::open(&session, &args.contract, &args.run, Verbs::default(), None)?;
    backends.used(terminal, |backends| {
        print(&session.resolved, backends, args, terminal)
    })
}

fn print(
    resolved: &Resolved,
    backends: &mut Backends,
    args: &GetArgs,
    terminal: Terminal,
) -> Result<Exit> {
    let id = &args.key;
    let wanted = BTreeSet::from([id.clone()]);
    let (read, failures) = session::block_on_reading(async {
        backends.confirm_reads(terminal).await?;
        backends.identify().await?;
        Ok(session::read(resolved, &backends.providers, &wanted).await)
    })?;
    if let Some(failure) = session::fail(failures, terminal) {
        return Err(failure);
    }
    let Some(value) = read.values.get(id) else {
        return Err(CliError::failed(format!("`{id}` is not stored"))
            .hint("`seed plan` shows what is there"));
    };
    if terminal.stdout_is_terminal() {
        terminal.note(&format!(
            "the value of `{id}` follows; it stays in this terminal's history"
        ));
    }
    match args.output.format {
        Format::Json => terminal.data(&document(id, value)?)?,
        Format::Text => terminal.bytes(value.expose())?,
    }
    Ok(Exit::Done)
}

/// The one document that holds a value: it is what was asked for. Bytes that are no text are written in base64.
fn document(id: &ValueId, value: &SecretValue) -> Result<Zeroizing<String>> {
    let encoded = Zeroizing::new(BASE64_STANDARD.encode(value.expose()));
    let (member, text) = match value.expose_text() {
        Some(text) => ("value", text),
        None => ("value_base64", encoded.as_str()),
    };
    let quoted = serde_json::to_string(text).map(Zeroizing::new);
    let quoted = quoted.map_err(|err| CliError::bug("text cannot be quoted").because(&err))?;
    Ok(Zeroizing::new(format!(
        "{{\n  \"version\": 1,\n  \"key\": \"{id}\",\n  \"{member}\": {}\n}}\n",
        *quoted
    )))
}

/// The error for a key that the contract does not have.
pub(super) fn unknown(resolved: &Resolved, id: &ValueId) -> CliError {
    let error = CliError::usage(format!("`{id}` is not declared under `secrets`"));
    let known: Vec<String> = resolved
        .values()
        .map(|(_, value)| value.id.to_string())
        .collect();
    match seed_core::diagnostic::nearest(&id.to_string(), known.iter().map(String::as_str)) {
        Some(meant) => error.hint(format!("did you mean `{meant}`?")),
        None => error,
    }
}
