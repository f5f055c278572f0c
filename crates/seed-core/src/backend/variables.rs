//! Variables that the client of a backend reads for itself: a credential or a setting of its own, never a value to store.
//!
//! Each list is that of the service's own documentation, named beside it.

use super::Kind;

impl Kind {
    /// The variables that a backend of this kind takes its credentials and its address from.
    pub fn own_variables(self) -> &'static [&'static str] {
        match self {
            Self::AwsSm => &AWS,
            Self::AzureKv => &AZURE,
            Self::Gcpsm => &GOOGLE,
            Self::Kubernetes => &KUBERNETES,
            // The local store's identity has a variable of seed's own.
            Self::Local => &[],
            Self::Vault => &VAULT,
        }
    }
}

/// "Environment variables list" in the AWS SDKs and Tools Reference Guide.
const AWS: [&str; 25] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "AWS_ENDPOINT_URL_STS",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
];

/// "Environment variables" of the Azure Identity client library, and those of managed identities in App Service.
const AZURE: [&str; 12] = [
    "AZURE_AUTHORITY_HOST",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_CONFIG_DIR",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_PASSWORD",
    "AZURE_TENANT_ID",
    "AZURE_USERNAME",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
];

/// "How Application Default Credentials works" of Google Cloud, the metadata server's address for its clients, and the
/// properties of `gcloud` that say where it works.
const GOOGLE: [&str; 7] = [
    "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER",
    "CLOUDSDK_CONFIG",
    "CLOUDSDK_CORE_PROJECT",
    "GCE_METADATA_HOST",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CLOUD_PROJECT",
    "GOOGLE_CLOUD_QUOTA_PROJECT",
];

/// "Organizing Cluster Access Using kubeconfig Files" and "Accessing the Kubernetes API from a Pod" of Kubernetes.
const KUBERNETES: [&str; 3] = [
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
];

/// "Environment variables" of the Vault CLI, and the names that `OpenBao` prefers to them; what `seed` logs in with.
const VAULT: [&str; 26] = [
    "BAO_ADDR",
    "BAO_CACERT",
    "BAO_CAPATH",
    "BAO_CLIENT_CERT",
    "BAO_CLIENT_KEY",
    "BAO_JWT",
    "BAO_JWT_FILE",
    "BAO_NAMESPACE",
    "BAO_ROLE_ID",
    "BAO_SECRET_ID",
    "BAO_SKIP_VERIFY",
    "BAO_TLS_SERVER_NAME",
    "BAO_TOKEN",
    "VAULT_ADDR",
    "VAULT_CACERT",
    "VAULT_CAPATH",
    "VAULT_CLIENT_CERT",
    "VAULT_CLIENT_KEY",
    "VAULT_JWT",
    "VAULT_JWT_FILE",
    "VAULT_NAMESPACE",
    "VAULT_ROLE_ID",
    "VAULT_SECRET_ID",
    "VAULT_SKIP_VERIFY",
    "VAULT_TLS_SERVER_NAME",
    "VAULT_TOKEN",
];
