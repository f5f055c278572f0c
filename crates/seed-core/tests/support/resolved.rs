//! Contracts resolved with their own defaults as facts.

use seed_core::contract::parse;
use seed_core::resolve::{Request, Resolved, resolve};

/// The contract for the environment `dev`, or everything that is wrong with it.
pub(crate) fn try_resolved(source: &str) -> Result<Resolved, String> {
    let (contract, _) = parse(source).map_err(|errors| errors.to_string())?;
    let request = Request {
        env: Some("dev".to_owned()),
        facts: contract.defaults.clone(),
        ..Request::default()
    };
    let (resolved, _) =
        resolve(&contract, source, &request).map_err(|errors| errors.to_string())?;
    Ok(resolved)
}
