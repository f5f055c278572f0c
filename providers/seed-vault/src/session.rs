//! What a run does once before all else: log in, learn as whom, and prove the mount and the namespace.

use std::fmt;

use http::header::HeaderValue;
use seed_core::secret::SecretValue;
use seed_provider::{Error, ErrorKind, Operation, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;
use vaultrs::api::auth::approle::requests::LoginWithApproleRequest;
use vaultrs::api::auth::kubernetes::requests::LoginWithKubernetesRequest;
use vaultrs::api::token::requests::LookupTokenSelfRequest;
use zeroize::Zeroizing;

use crate::answer::{Answer, Words};
use crate::calls::Call;
use crate::fault::Ask;
use crate::login::{Login, token_in};
use crate::transport::Head;
use crate::vault::Vault;

/// A token that was accepted for a mount that is what the contract names.
pub(crate) struct Session {
    pub(crate) token: HeaderValue,
    pub(crate) who: Option<String>,
    /// Whether the token may look at itself, so that doing so tells whether it is still good.
    pub(crate) is_known: bool,
}

/// An allow-list: the token.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("who", &self.who)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct LoggedIn {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: String,
    mfa_requirement: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Lookup {
    display_name: Option<String>,
}

#[derive(Deserialize)]
struct Mount {
    path: String,
    #[serde(rename = "type")]
    kind: String,
    options: Option<Options>,
}

#[derive(Deserialize)]
struct Options {
    version: Option<String>,
}

impl Session {
    pub(crate) async fn begin(vault: &Vault, operation: Operation) -> Result<Self> {
        let ask = Ask::read(operation, None);
        let begun = Self::proven(vault, ask).await;
        begun.map_err(|err| {
            if err.kind() != ErrorKind::NotFound {
                return err;
            }
            // No entry was asked for yet, so none is missing.
            let message = "the server knows nothing of the token or of the mount; check that the address is that of Vault";
            let error = ask.error(ErrorKind::Unexpected, message);
            match err.request_id() {
                Some(id) => error.with_request_id(id),
                None => error,
            }
        })
    }

    async fn proven(vault: &Vault, ask: Ask<'_>) -> Result<Self> {
        let token = log_in(vault, ask).await?;
        let head = Head {
            token: Some(&token),
            ..vault.head(None)
        };
        let itself = look_at_itself(vault, ask, &head).await?;
        prove_mount(vault, ask, &head, itself.is_some()).await?;
        prove_namespace(vault, ask, &head).await?;
        Ok(Self {
            token,
            is_known: itself.is_some(),
            who: itself.and_then(|lookup| lookup.display_name),
        })
    }

    /// Whether the server knows the token no more. Older servers and `OpenBao` say of it only that it may not do what it
    /// asks for.
    pub(crate) async fn is_over(&self, vault: &Vault, operation: Operation) -> bool {
        if !self.is_known {
            return false;
        }
        let ask = Ask::read(operation, None);
        let head = vault.head(Some(self));
        match look_at_itself(vault, ask, &head).await {
            Ok(found) => found.is_none(),
            Err(err) => err.kind() == ErrorKind::Unauthenticated,
        }
    }
}

async fn log_in(vault: &Vault, ask: Ask<'_>) -> Result<HeaderValue> {
    let logged_in = match &vault.login {
        Login::Token(Some(token), _) => return header(ask, token.expose()),
        Login::Token(None, file) => {
            let found = file.as_ref().map(|file| token_in(file)).transpose();
            let found = found.map_err(|err| {
                let message = format!("`~/.vault-token` cannot be read: {}", err.kind());
                ask.error(ErrorKind::Unauthenticated, message)
            })?;
            let token = found
                .flatten()
                .ok_or_else(|| ask.error(ErrorKind::Unauthenticated, NO_TOKEN))?;
            return header(ask, token.as_bytes());
        }
        Login::AppRole {
            mount,
            role_id,
            secret_id,
        } => {
            let (role_id, secret_id) = (text(ask, role_id)?, text(ask, secret_id)?);
            let request = || LoginWithApproleRequest {
                mount: mount.clone(),
                role_id: role_id.to_owned(),
                secret_id: secret_id.to_owned(),
            };
            vault.ask(once(ask), &vault.head(None), request).await
        }
        Login::Jwt {
            mount,
            role,
            jwt,
            file,
        } => {
            let found = match (jwt, file) {
                (Some(jwt), _) => Zeroizing::new(text(ask, jwt)?.trim().to_owned()),
                (None, Some(file)) => token_in(file).ok().flatten().ok_or_else(|| {
                    let message = format!("`{}` holds no token to log in with", file.display());
                    ask.error(ErrorKind::Unauthenticated, message)
                })?,
                (None, None) => return Err(ask.error(ErrorKind::Unauthenticated, NO_TOKEN)),
            };
            // The login of `jwt` takes the same members as that of `kubernetes`.
            let request = || LoginWithKubernetesRequest {
                mount: mount.clone(),
                role: role.clone(),
                jwt: found.to_string(),
            };
            vault.ask(once(ask), &vault.head(None), request).await
        }
    };
    let answer = logged_in.map_err(|err| {
        if err.kind() == ErrorKind::Indeterminate {
            // Nothing of the store's was in doubt, only a token that nobody will use.
            return ask.error(ErrorKind::Unavailable, err.message().to_owned());
        }
        err
    })?;
    token_of(ask, &answer)
}

/// A login is not sent again without need: a secret may be good for one use only.
fn once(ask: Ask<'_>) -> Ask<'_> {
    Ask {
        writes: true,
        ..ask
    }
}

fn token_of(ask: Ask<'_>, answer: &Answer) -> Result<HeaderValue> {
    if !answer.is_success() {
        let (status, words) = (answer.status, answer.words());
        let refused = matches!(status, 400 | 403 | 404) && words != Words::None;
        if refused {
            let message = format!(
                "the server answered {status}: the login is refused; check the role, its secret or token, and the mount of the auth method"
            );
            return Err(ask.of(answer, ErrorKind::Unauthenticated, message));
        }
        return Err(ask.refused(answer));
    }
    let LoggedIn { auth } = answer.whole().ok_or_else(|| ask.unreadable(answer))?;
    let token = Zeroizing::new(auth.client_token);
    if token.is_empty() && auth.mfa_requirement.is_some() {
        let message = "the login gives no token yet: it wants a second factor, which seed cannot show; use a role without one";
        return Err(ask.of(answer, ErrorKind::Unauthenticated, message));
    }
    header(ask, token.as_bytes())
}

fn text<'s>(ask: Ask<'_>, secret: &'s SecretValue) -> Result<&'s str> {
    let refused = || ask.error(ErrorKind::Unauthenticated, "a credential is not text");
    secret.expose_text().ok_or_else(refused)
}

fn header(ask: Ask<'_>, token: &[u8]) -> Result<HeaderValue> {
    let refused = || {
        let message = "the token has characters that no token of Vault has; set `VAULT_TOKEN` again, or log in with `vault login`";
        ask.error(ErrorKind::Unauthenticated, message)
    };
    let plain = token.trim_ascii();
    if plain.is_empty() || !plain.iter().all(u8::is_ascii_graphic) {
        return Err(refused());
    }
    let mut value = HeaderValue::from_bytes(plain).map_err(|_| refused())?;
    value.set_sensitive(true);
    Ok(value)
}

/// Asks whose the token is. `None` where it may not ask.
async fn look_at_itself(vault: &Vault, ask: Ask<'_>, head: &Head<'_>) -> Result<Option<Lookup>> {
    let request = || LookupTokenSelfRequest {};
    let answer = vault.ask(ask, head, request).await?;
    if answer.is_success() {
        let mut lookup: Lookup = answer.data().ok_or_else(|| ask.unreadable(&answer))?;
        lookup.display_name = lookup.display_name.filter(|name| !name.is_empty());
        return Ok(Some(lookup));
    }
    if let Some(error) = no_namespace(vault, ask, &answer) {
        return Err(error);
    }
    let refused = ask.refused(&answer);
    if refused.kind() == ErrorKind::Denied {
        // Not every policy lets a token look at itself. What it may do is found out soon.
        return Ok(None);
    }
    Err(refused)
}

/// How a server with namespaces says that it has not this one.
fn no_namespace(vault: &Vault, ask: Ask<'_>, answer: &Answer) -> Option<Error> {
    let namespace = vault.place.namespace.as_ref()?;
    let unknown = answer.status == 404 && !matches!(answer.words(), Words::None | Words::Nothing);
    let message = format!(
        "the server answered 404: there is no namespace `{namespace}`; name one that exists in the contract's backend"
    );
    unknown.then(|| ask.of(answer, ErrorKind::Misplaced, message))
}

/// Makes sure that the mount is KV version 2: version 1 takes every write, and overwrites.
async fn prove_mount(vault: &Vault, ask: Ask<'_>, head: &Head<'_>, is_known: bool) -> Result<()> {
    let mount = &vault.place.mount;
    let answer = vault.ask(ask, head, || mount_call(mount)).await?;
    let misplaced = |message| Err(ask.of(&answer, ErrorKind::Misplaced, message));
    if !answer.is_success() {
        let refused = ask.refused(&answer);
        if !matches!(refused.kind(), ErrorKind::Denied | ErrorKind::NotFound) {
            return Err(refused);
        }
        if !is_known && refused.kind() == ErrorKind::Denied {
            let message = format!(
                "the server answered {}: the token may neither look at itself nor use the mount `{mount}`; it is unknown, expired or revoked, or has no policy for the mount; log in again with `vault login`, or set `VAULT_TOKEN`",
                answer.status
            );
            return Err(ask.of(&answer, ErrorKind::Unauthenticated, message));
        }
        return misplaced(format!(
            "the server answered {}: there is no mount `{mount}`, or the token may do nothing there; name the mount in the contract's backend, or give the token a policy for it",
            answer.status
        ));
    }
    let found: Mount = answer.data().ok_or_else(|| ask.unreadable(&answer))?;
    let path = found.path.trim_end_matches('/');
    if path != mount {
        return misplaced(format!(
            "`{mount}` is a path below a mount and not a mount; set `mount` to the mount's own path, and put the rest into `prefix`"
        ));
    }
    if !matches!(found.kind.as_str(), "kv" | "generic") {
        return misplaced(format!(
            "the mount `{mount}` is no KV store; name one of KV version 2 in the contract's backend"
        ));
    }
    match found.options.and_then(|options| options.version).as_deref() {
        Some("2") => Ok(()),
        _other => misplaced(format!(
            "the mount `{mount}` is KV version 1, which overwrites what exists; make it version 2 with `vault kv enable-versioning {mount}`, or name another mount"
        )),
    }
}

/// Makes sure that a namespace counts, by asking in one that nobody has: a server without namespaces answers as if
/// none had been named.
async fn prove_namespace(vault: &Vault, ask: Ask<'_>, head: &Head<'_>) -> Result<()> {
    let Some(namespace) = &vault.place.namespace else {
        return Ok(());
    };
    let nowhere = format!("{namespace}/{NOBODYS}");
    let head = Head {
        namespace: Some(&nowhere),
        ..*head
    };
    let answer = vault
        .ask(ask, &head, || mount_call(&vault.place.mount))
        .await?;
    let refuses = matches!(answer.status, 400 | 403 | 404) && answer.words() != Words::None;
    if refuses {
        return Ok(());
    }
    if answer.is_success() {
        let message = format!(
            "the server does not know namespaces and would use the root namespace instead of `{namespace}`; remove `namespace` (or `VAULT_NAMESPACE`), or use a server that has them"
        );
        return Err(ask.of(&answer, ErrorKind::Misplaced, message));
    }
    Err(ask.refused(&answer))
}

fn mount_call(mount: &str) -> Call {
    Call::get(format!("sys/internal/ui/mounts/{mount}"))
}

/// The name of a namespace that nobody has.
const NOBODYS: &str = "seed-proves-that-namespaces-count";

const NO_TOKEN: &str = "there is no token; log in with `vault login`, set `VAULT_TOKEN`, or choose another `login` in the contract's backend";
