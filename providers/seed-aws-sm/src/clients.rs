//! The clients of Secrets Manager and STS. Making them calls nobody.

use std::path::Path;
use std::time::Duration;

use aws_sdk_secretsmanager::config::{
    BehaviorVersion, IdentityCache, Region, RuntimeComponents, SharedHttpClient,
    SharedIdentityCache, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::shared::IntoShared as _;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use http::Uri;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::config::{Config, ConfigError};
use crate::credentials;
use crate::place::{Place, is_near};
use crate::quiet::{Hush, Quiet};

/// Both clients, on one pool of connections and one set of credentials.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
    pub(crate) sts: aws_sdk_sts::Client,
}

impl Clients {
    pub(crate) fn new(config: &Config, place: &Place) -> Result<Self, ConfigError> {
        let http = http(config)?;
        let credentials = credentials::provider(config, place, http.clone());
        let http: SharedHttpClient = Quiet(http).into_shared();
        let region = Region::new(place.region.clone());
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).build();
        let hasty = timeouts.to_builder().read_timeout(CONNECT).build();
        // One log-in for both, and as long as a person needs for one in a browser.
        let identity: SharedIdentityCache = IdentityCache::lazy().load_timeout(LOGIN).build();
        let mut secrets = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region.clone())
            .http_client(http.clone())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts.clone())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .identity_cache(identity.clone())
            .use_fips(place.fips)
            .use_dual_stack(place.dual_stack)
            .interceptor(Hush);
        // Not by `credentials_provider`, which would give each client a place of its own in the cache: two log-ins.
        secrets.set_credentials_provider(Some(credentials.clone()));
        secrets.set_endpoint_url(place.endpoint.clone());
        let mut sts = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region)
            .http_client(http)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .identity_cache(identity)
            .use_fips(place.fips)
            .use_dual_stack(place.dual_stack)
            .interceptor(Hush);
        sts.set_credentials_provider(Some(credentials));
        sts.set_endpoint_url(place.sts_endpoint.clone());
        if place.account.is_none() {
            // Then it is only to be told to a person.
            sts.set_timeout_config(Some(hasty));
        }
        Ok(Self {
            secrets: aws_sdk_secretsmanager::Client::from_conf(secrets.build()),
            sts: aws_sdk_sts::Client::from_conf(sts.build()),
        })
    }
}

const CONNECT: Duration = Duration::from_secs(5);
const LOGIN: Duration = Duration::from_mins(1);

/// HTTP with the one TLS stack, the proxies of the environment, and the authorities that were named.
fn http(config: &Config) -> Result<SharedHttpClient, ConfigError> {
    let trusted = match &config.surroundings.authorities {
        None => TrustStore::default(),
        Some((variable, file)) => {
            TrustStore::empty().with_pem_certificate(authorities(variable, file)?)
        }
    };
    let context = TlsContext::builder().with_trust_store(trusted).build();
    let context = context.map_err(|_| {
        ConfigError::new(
            "TLS cannot be set up",
            "name the trusted authorities in AWS_CA_BUNDLE",
        )
    })?;
    let client = |proxies: fn() -> ProxyConfig| {
        let context = context.clone();
        Builder::new().build_with_connector_fn(
            move |settings: Option<&_>, components: Option<&_>| {
                connector(&context, proxies(), settings, components)
            },
        )
    };
    let around = Around {
        far: client(ProxyConfig::from_env),
        near: client(ProxyConfig::disabled),
    };
    Ok(around.into_shared())
}

/// Goes around the proxies to this machine, and to what gives an instance or a container its credentials: a proxy would
/// see values and credentials there, and reach something else.
#[derive(Debug)]
struct Around {
    far: SharedHttpClient,
    near: SharedHttpClient,
}

impl HttpClient for Around {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Fork {
            far: self.far.http_connector(settings, components),
            near: self.near.http_connector(settings, components),
        })
    }
}

#[derive(Debug)]
struct Fork {
    far: SharedHttpConnector,
    near: SharedHttpConnector,
}

impl HttpConnector for Fork {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let uri = request.uri().parse::<Uri>().ok();
        let host = uri.as_ref().and_then(Uri::host);
        if host.is_some_and(is_near) {
            self.near.call(request)
        } else {
            self.far.call(request)
        }
    }
}

fn connector(
    context: &TlsContext,
    proxies: ProxyConfig,
    settings: Option<&HttpConnectorSettings>,
    components: Option<&RuntimeComponents>,
) -> Connector {
    let mut connector = Connector::builder()
        .proxy_config(proxies)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context.clone());
    connector.set_connector_settings(settings.cloned());
    connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
    connector.build()
}

/// Reads certificates and tries each: the library below gives up on one that it cannot read.
fn authorities(variable: &str, file: &Path) -> Result<Vec<u8>, ConfigError> {
    let refused = |why: &str| {
        ConfigError::new(
            format!(
                "the certificates in `{}`, named by {variable}, {why}",
                file.display()
            ),
            format!("let {variable} name a file of PEM certificates, or unset it"),
        )
    };
    let bytes = std::fs::read(file).map_err(|err| refused(&format!("cannot be read: {err}")))?;
    let certificates: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(&bytes).collect();
    let certificates = certificates.map_err(|_| refused("are no PEM"))?;
    let mut store = RootCertStore::empty();
    let (valid, invalid) = store.add_parsable_certificates(certificates);
    if valid == 0 || invalid > 0 {
        return Err(refused("cannot be understood"));
    }
    Ok(bytes)
}
