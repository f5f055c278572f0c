//! Credential plugins (`users[].user.exec` of a kubeconfig), as `client.authentication.k8s.io` describes them.
//!
//! kube would run them too, but twice for each login, without an end, and its errors show what a plugin printed: the
//! credential.

use std::fmt;
use std::process::Stdio;
use std::time::Duration;

use jiff::Timestamp;
use kube::config::{ExecConfig, ExecInteractiveMode};
use secrecy::SecretString;
use serde::Deserialize;
use tokio::process::Command;
use zeroize::Zeroizing;

/// What a plugin gave.
pub(super) struct Credential {
    pub(super) token: Option<SecretString>,
    /// A certificate and its key, as PEM text.
    pub(super) certificate: Option<(String, Zeroizing<String>)>,
    pub(super) expires: Option<Timestamp>,
}

/// Why a plugin gave nothing, in words that have nothing of what it printed.
#[derive(Debug)]
pub(super) struct PluginError(String);

impl fmt::Display for PluginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Runs a plugin to its end, at most [`LONGEST`]. Its stderr is ours, so that a person sees what it asks for; it reads
/// nothing, since what stands on our stdin may be values.
pub(super) async fn run(exec: &ExecConfig, hidden: &[String]) -> Result<Credential, PluginError> {
    let program = exec.command.as_deref().unwrap_or_default();
    let failed = |why: String| PluginError(format!("the credential plugin `{program}` {why}"));
    if exec.interactive_mode == Some(ExecInteractiveMode::Always) {
        let why = "wants to ask on the terminal (`interactiveMode: Always`), and gets none; take one that does not";
        return Err(failed(why.to_owned()));
    }
    let mut command = command(program, exec, hidden);
    let child = command
        .spawn()
        .map_err(|err| failed(format!("cannot be started: {err}")))?;
    let output = tokio::time::timeout(LONGEST, child.wait_with_output())
        .await
        .map_err(|_| failed(format!("did not end within {} s", LONGEST.as_secs())))?
        .map_err(|err| failed(format!("cannot be waited for: {err}")))?;
    let printed = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(failed(format!("failed ({})", output.status)));
    }
    read(&printed).ok_or_else(|| failed("printed no credential".to_owned()))
}

fn command(program: &str, exec: &ExecConfig, hidden: &[String]) -> Command {
    let mut command = Command::new(program);
    command.args(exec.args.iter().flatten());
    for variable in exec.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            command.env(name, value);
        }
    }
    let spec = serde_json::json!({"interactive": false, "cluster": exec.cluster});
    let info = serde_json::json!({
        "apiVersion": exec.api_version, "kind": "ExecCredential", "spec": spec,
    });
    command.env("KUBERNETES_EXEC_INFO", info.to_string());
    for variable in hidden {
        command.env_remove(variable);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    command
}

fn read(printed: &[u8]) -> Option<Credential> {
    let Printed { status } = serde_json::from_slice(printed).ok()?;
    let certificate = match (status.client_certificate_data, status.client_key_data) {
        (Some(certificate), Some(key)) => Some((certificate, Zeroizing::new(key))),
        (None, None) => None,
        _ => return None,
    };
    let expires = match status.expiration_timestamp {
        Some(text) => Some(text.parse().ok()?),
        None => None,
    };
    let token = status.token.map(SecretString::from);
    (token.is_some() || certificate.is_some()).then_some(Credential {
        token,
        certificate,
        expires,
    })
}

#[derive(Deserialize)]
struct Printed {
    status: PrintedStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PrintedStatus {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
    expiration_timestamp: Option<String>,
}

/// A person may have to log in meanwhile.
const LONGEST: Duration = Duration::from_mins(1);
