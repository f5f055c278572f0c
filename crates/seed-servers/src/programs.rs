//! Where servers and clients are.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns a Python that has the official clients of Google Secret Manager and Azure Key Vault.
pub fn official_clients() -> Result<PathBuf, String> {
    Ok(directory("clients")?.join("bin/python"))
}

/// Returns the directory of a server that was built. The script that builds them says where.
pub(crate) fn directory(name: &str) -> Result<PathBuf, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/servers/build.sh");
    let output = Command::new(&script)
        .args(["--path", name])
        .output()
        .map_err(|err| format!("{}: {err}", script.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(said.trim().to_owned());
    }
    let path = String::from_utf8_lossy(&output.stdout);
    Ok(PathBuf::from(path.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_server_is_an_error() {
        let error = directory("frobnicate").unwrap_err();
        assert!(error.contains("`frobnicate` is no server"), "{error}");
    }
}
