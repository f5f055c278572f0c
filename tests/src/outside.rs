//! Stand-ins where the services are: under their own names, behind a proxy, with certificates of an authority that has to be
//! named. Programs need nothing but variables to go there.

use std::ffi::OsString;

use seed_fakes::{Authority, AzureKv, GcpSm, Proxy, Server, Service};

use crate::cli::Sealed;
use crate::workspace::Workspace;

/// One service under its own names, and a directory to ask it from.
#[derive(Debug)]
pub struct Outside<S> {
    /// The stand-in.
    pub server: Server<S>,
    /// The only way there.
    pub proxy: Proxy,
    /// Where `seed` runs, with all that it needs to go there.
    pub workspace: Workspace,
    variables: Vec<(&'static str, OsString)>,
}

/// The vault that contracts and clients name.
pub const VAULT: &str = "shop-prod.vault.azure.net";
/// Where tokens for it come from.
pub const ENTRA: &str = "login.microsoftonline.com";
/// Secret Manager.
pub const SECRET_MANAGER: &str = "secretmanager.googleapis.com";
/// Where tokens for it come from.
pub const GOOGLE_TOKENS: &str = "oauth2.googleapis.com";
/// Where tokens of other identity providers become Google's.
pub const GOOGLE_EXCHANGE: &str = "sts.googleapis.com";
/// Where one account acts as another, and where Google's libraries ask about service accounts in the background.
pub const SERVICE_ACCOUNTS: &str = "iamcredentials.googleapis.com";

impl Outside<AzureKv> {
    /// A vault, and an application that may log in.
    pub fn key_vault() -> Result<Self, String> {
        let outside = Self::new(AzureKv::new(), &[VAULT, ENTRA])?;
        Ok(outside
            .variable("AZURE_TENANT_ID", AzureKv::TENANT)
            .variable("AZURE_CLIENT_ID", AzureKv::CLIENT)
            .variable("AZURE_CLIENT_SECRET", AzureKv::CLIENT_SECRET))
    }

    /// What a managed identity and a workload identity need as well.
    pub fn with_other_identities(self) -> Result<Self, String> {
        self.workspace.write("token", AzureKv::ASSERTION)?;
        let token = self.workspace.root().join("token");
        let endpoint = format!("{}/msi/token", self.server.url());
        Ok(self
            .variable("IDENTITY_ENDPOINT", endpoint)
            .variable("IDENTITY_HEADER", AzureKv::IDENTITY_HEADER)
            .variable("AZURE_FEDERATED_TOKEN_FILE", token))
    }
}

impl Outside<GcpSm> {
    /// Secret Manager, and a user who has logged in.
    pub fn secret_manager() -> Result<Self, String> {
        Self::secret_manager_at(SECRET_MANAGER, GcpSm::new())
    }

    /// The same under another name, as regions have it.
    pub fn secret_manager_at(name: &str, service: GcpSm) -> Result<Self, String> {
        Self::secret_manager_without_credentials(name, service)?.with_credentials(USER)
    }

    /// The same, and nobody has logged in.
    pub fn secret_manager_without_credentials(name: &str, service: GcpSm) -> Result<Self, String> {
        let names = [name, GOOGLE_TOKENS, GOOGLE_EXCHANGE, SERVICE_ACCOUNTS];
        Self::new(service, &names)
    }

    /// Puts these credentials where they are looked for. `$ROOT` in them is the directory of `seed`.
    pub fn with_credentials(self, json: &str) -> Result<Self, String> {
        let root = self.workspace.root().display().to_string();
        let json = json.replace("$ROOT", &root);
        self.workspace.write("credentials.json", &json)?;
        let file = self.workspace.root().join("credentials.json");
        Ok(self.variable("GOOGLE_APPLICATION_CREDENTIALS", file))
    }
}

const USER: &str =
    r#"{"type": "authorized_user", "client_id": "1", "client_secret": "2", "refresh_token": "3"}"#;

impl<S: Service> Outside<S> {
    fn new(service: S, names: &[&str]) -> Result<Self, String> {
        let server = Server::start(service);
        let authority = Authority::new();
        let routes: Vec<_> = names.iter().map(|name| (*name, server.address())).collect();
        let proxy = Proxy::start(&authority, &routes);
        let workspace = Workspace::new()?;
        workspace.write("authority.pem", &authority.pem())?;
        let (url, pem) = (proxy.url(), workspace.root().join("authority.pem"));
        let outside = Self {
            server,
            proxy,
            workspace,
            variables: Vec::new(),
        };
        Ok(outside
            .variable("HTTPS_PROXY", url)
            .variable("SSL_CERT_FILE", pem))
    }

    /// Sets one more variable for all programs.
    #[must_use]
    pub fn variable(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        let value = value.into();
        self.variables.push((name, value.clone()));
        self.workspace = self.workspace.variable(name, value);
        self
    }

    /// Another program, with the same variables as `seed`.
    pub fn program(&self, program: &std::path::Path) -> Result<Sealed, String> {
        let variables = self.variables.iter();
        Ok(
            variables.fold(Sealed::new(program)?, |sealed, (name, value)| {
                sealed.variable(name, value)
            }),
        )
    }
}
