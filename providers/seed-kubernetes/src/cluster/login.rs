//! A client of kube with our settings, made when it is first needed and again when its credential ends.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use kube::config::{AuthInfo, Config};
use secrecy::SecretString;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::plugin::{self, Credential};

/// The login of one run.
pub(super) struct Login {
    config: Config,
    hidden: Vec<String>,
    current: Mutex<Option<Session>>,
}

/// A client, and which of our logins it is of.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) number: u64,
    expires: Option<Timestamp>,
}

impl Login {
    /// `longest` is how long a single request may take.
    pub(super) fn new(mut config: Config, hidden: Vec<String>, longest: Duration) -> Self {
        // kube would send a refused POST up to 15 times, and wait for an answer without an end.
        config.default_retry = false;
        config.connect_timeout = Some(CONNECT.min(longest));
        config.read_timeout = Some(longest);
        config.write_timeout = Some(longest);
        config.reset_reader_on_write = true;
        Self {
            config,
            hidden,
            current: Mutex::new(None),
        }
    }

    /// The session to use; another one than `refused`, which the server did not know, if that can be had.
    pub(super) async fn session(&self, refused: Option<u64>) -> Result<Session, String> {
        let mut current = self.current.lock().await;
        if let Some(session) = &*current {
            let soon = |at: Timestamp| at <= Timestamp::now() + SOON;
            let ended = session.expires.is_some_and(soon) || refused == Some(session.number);
            if !ended || !self.can_renew() {
                return Ok(session.clone());
            }
        }
        let number = current.as_ref().map_or(0, |session| session.number + 1);
        let session = self.log_in(number).await?;
        *current = Some(session.clone());
        Ok(session)
    }

    /// Whether another login could give another credential: a plugin, or a file, which others may have written anew.
    pub(super) fn can_renew(&self) -> bool {
        let auth = &self.config.auth_info;
        auth.exec.is_some() || auth.token_file.is_some()
    }

    async fn log_in(&self, number: u64) -> Result<Session, String> {
        let mut config = self.config.clone();
        let mut expires = None;
        let auth = &mut config.auth_info;
        if let Some(path) = auth.token_file.take() {
            // As in Go: what the file says goes before a token that is written out, and a line may end.
            match token(&path) {
                Ok(token) => auth.token = Some(token),
                Err(_) if auth.token.is_some() => {}
                Err(why) => return Err(why),
            }
        }
        // Written-out credentials go first, as in kube and in Go.
        let password = auth.username.is_some() && auth.password.is_some();
        let written = auth.token.is_some() || password;
        if let Some(exec) = auth.exec.take().filter(|_| !written) {
            let credential = plugin::run(&exec, &self.hidden).await;
            let credential = credential.map_err(|err| err.to_string())?;
            expires = credential.expires;
            take(&mut config, credential);
        }
        // kube's errors may show what they read.
        let client = Client::try_from(config).map_err(|_| {
            "the credential or the certificates of the context cannot be used; `kubectl` with the same context says why".to_owned()
        })?;
        Ok(Session {
            client,
            number,
            expires,
        })
    }
}

/// Whether there is nothing that says who we are.
pub(super) fn is_nobody(auth: &AuthInfo) -> bool {
    auth.token.is_none()
        && auth.token_file.is_none()
        && auth.username.is_none()
        && auth.client_certificate.is_none()
        && auth.client_certificate_data.is_none()
        && auth.auth_provider.is_none()
        && auth.exec.is_none()
}

/// A token that stands in a file.
fn token(path: &str) -> Result<SecretString, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|err| format!("the token file `{path}` cannot be read: {err}"))?;
    let text = Zeroizing::new(text);
    match text.trim() {
        "" => Err(format!("the token file `{path}` is empty")),
        token => Ok(token.into()),
    }
}

fn take(config: &mut Config, credential: Credential) {
    config.auth_info.token = credential.token;
    if let Some((certificate, key)) = credential.certificate {
        let key = Zeroizing::new(STANDARD.encode(key.as_bytes()));
        config.auth_info.client_certificate_data = Some(STANDARD.encode(certificate));
        config.auth_info.client_key_data = Some(key.as_str().into());
    }
}

const CONNECT: Duration = Duration::from_secs(5);

/// A credential that ends sooner than this is renewed before it is used. One that is refused is renewed anyhow.
const SOON: SignedDuration = SignedDuration::from_secs(10);
