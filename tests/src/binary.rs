//! The program under test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::{environment, shared};

/// Builds `seed`, once, and returns where it is.
///
/// Cargo builds binaries for the tests of their own package only, so the tests here ask for it.
/// It comes from the same profile and target directory as the test that asks.
pub fn seed_binary() -> Result<PathBuf, String> {
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BINARY.get_or_init(build).clone()
}

fn build() -> Result<PathBuf, String> {
    let this = std::env::current_exe().map_err(|err| err.to_string())?;
    let (target, profile) = place(&this)?;
    // The whole workspace with a test among the targets: the libraries are then built with the same features as for all
    // tests together, which shares them. For one package alone they would all be built a second time.
    let mut cargo = Command::new(env!("CARGO"));
    for name in environment::names().filter(|name| is_of_this_package(name)) {
        cargo.env_remove(name);
    }
    let output = cargo
        .args(["build", "--quiet", "--workspace", "--all-features"])
        .args(["--bin", "seed", "--test", "purity"])
        .args([
            "--message-format",
            "json-render-diagnostics",
            "--profile",
            &profile,
        ])
        .arg("--target-dir")
        .arg(target)
        .current_dir(shared::repository()?)
        .output()
        .map_err(|err| format!("cargo: {err}"))?;
    if !output.status.success() {
        return Err(format!(
            "`seed` does not build:\n{}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    executable(&messages).ok_or_else(|| "cargo names no executable for `seed`".into())
}

/// Whether cargo sets a variable for the tests of one package. Libraries that ask for it would be built again, and with
/// them all that depends on them.
fn is_of_this_package(name: &str) -> bool {
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "OUT_DIR"
}

/// Reads target directory and profile from the path of a test: `<target>/<profile>/deps/<name>`.
fn place(test: &Path) -> Result<(PathBuf, String), String> {
    let unexpected = || format!("{} is not below a target directory", test.display());
    let directory = test.ancestors().nth(2).ok_or_else(unexpected)?;
    let name = directory
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(unexpected)?;
    let target = directory.parent().ok_or_else(unexpected)?;
    let profile = if name == "debug" { "dev" } else { name };
    Ok((target.to_path_buf(), profile.to_owned()))
}

fn executable(messages: &str) -> Option<PathBuf> {
    let artifacts = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let seed = artifacts.filter(|message| {
        message.pointer("/reason").and_then(Value::as_str) == Some("compiler-artifact")
            && message.pointer("/target/name").and_then(Value::as_str) == Some("seed")
    });
    let mut paths =
        seed.filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from));
    paths.next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_and_target_directory_are_those_of_the_test() {
        let place = |path: &str| place(Path::new(path));
        assert_eq!(
            place("/w/target/debug/deps/a-1"),
            Ok(("/w/target".into(), "dev".into()))
        );
        assert_eq!(
            place("/t/release/deps/a-1"),
            Ok(("/t".into(), "release".into()))
        );
        assert!(place("/a").is_err());
    }

    #[test]
    fn the_executable_is_read_from_cargos_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"other"},"executable":"/x"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"seed"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"seed"},"executable":"/seed"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
            "\n",
        );
        assert_eq!(executable(messages), Some("/seed".into()));
        assert_eq!(executable("no json\n"), None);
    }
}
