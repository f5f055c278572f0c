//! Connections that come to nothing: the cause is named, nothing is sent, and nothing is waited for that cannot pass.

use std::net::TcpListener;

use insta::assert_snapshot;
use seed_fakes::vault::Vault;
use seed_fakes::{Authority, AwsSm, AzureKv, GcpSm, Kubernetes, Server};
use seed_tests::each::each;
use seed_tests::service::{self, UnderTest, contract};
use seed_tests::stands::Stand;
use seed_tests::workspace::Workspace;
use serde_json::Value;

type Test = Result<(), String>;

const SECRETS: &str = "  missing: {generate: {hex: 16}}\n";

/// A service that can be told which authority to trust.
trait Trusting: Stand {
    /// The variable that names a file with the authority, where it is a variable.
    const VARIABLE: Option<&'static str>;

    /// The backend at an address whose certificate this authority has signed.
    fn trusting(url: &str, authority: &str) -> Result<Box<dyn UnderTest>, String> {
        let _ = authority;
        Self::under_test(url)
    }
}

impl Trusting for Vault {
    const VARIABLE: Option<&'static str> = Some("VAULT_CACERT");
}

impl Trusting for AwsSm {
    const VARIABLE: Option<&'static str> = Some("AWS_CA_BUNDLE");
}

impl Trusting for GcpSm {
    const VARIABLE: Option<&'static str> = Some("SSL_CERT_FILE");
}

impl Trusting for Kubernetes {
    const VARIABLE: Option<&'static str> = None;

    fn trusting(url: &str, authority: &str) -> Result<Box<dyn UnderTest>, String> {
        let service = service::Kubernetes::new(url, Some(authority), Self::TOKEN, "test", "seed")?;
        Ok(Box::new(service))
    }
}

impl Trusting for AzureKv {
    const VARIABLE: Option<&'static str> = None;

    fn trusting(url: &str, authority: &str) -> Result<Box<dyn UnderTest>, String> {
        Ok(Box::new(service::AzureKv::new(url, authority)?))
    }
}

/// Runs against an address whose certificate this authority should have signed, and tells what is said.
fn run<S: Trusting>(line: &str, url: &str, authority: &Authority) -> Result<String, String> {
    let backend = S::trusting(url, &authority.pem())?;
    let mut workspace = backend.workspace()?;
    workspace.write("seed.yaml", &contract(&*backend, &Value::Null, SECRETS)?)?;
    workspace.write("authority.pem", &authority.pem())?;
    if let Some(variable) = S::VARIABLE {
        let path = workspace.root().join("authority.pem");
        workspace = workspace.variable(variable, path);
    }
    said(&workspace, line, url)
}

/// Runs, and tells what is said of this address.
fn said(workspace: &Workspace, line: &str, url: &str) -> Result<String, String> {
    let outcome = workspace.seed(line)?;
    if line.contains("json") {
        let document: Value =
            serde_json::from_str(&outcome.stdout).map_err(|err| err.to_string())?;
        assert!(document.get("version").is_some(), "{outcome}");
    }
    let address = url.split_once("://").map_or(url, |(_, address)| address);
    let shown = outcome.to_string().replace(address, "$ADDRESS");
    // The title is as wide as the address lets it be.
    let title = |line: &str| match line.strip_suffix("seed.yaml") {
        Some(title) => format!("{}  seed.yaml", title.trim_end()),
        None => line.to_owned(),
    };
    Ok(shown.lines().map(title).collect::<Vec<_>>().join("\n"))
}

/// What is said by each service, one after the other, of an address that `at` gives to it.
fn by_all(run: [&(dyn Fn() -> Result<String, String> + Sync); 3]) -> Result<String, String> {
    let said = each(&run, 3, |run| run())?;
    Ok(said.join("\n\n"))
}

/// A server with a certificate that is not good is asked for nothing, and is connected to once: trying again does not help.
fn refused<S: Trusting>(server: &Server<S>, authority: &Authority) -> Result<String, String> {
    let shown = run::<S>("apply --no-input", &server.url(), authority)?;
    assert!(server.log().is_empty(), "{shown}");
    assert_eq!(server.connections(), 1, "{shown}");
    Ok(shown)
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused_at_the_first_connection() -> Test {
    let (known, other) = (Authority::new(), Authority::new());
    let vault = Server::start_tls(Vault::empty(), &other);
    let kubernetes = Server::start_tls(Kubernetes::empty(), &other);
    let aws = Server::start_tls(AwsSm::empty(), &other);
    assert_snapshot!(by_all([
        &|| refused(&vault, &known),
        &|| refused(&kubernetes, &known),
        &|| refused(&aws, &known),
    ])?, @"
    services · vault, https://$ADDRESS, mount secret  seed.yaml

    ---
    error: cannot ask the backend `vault`
      caused by: find out where and as whom: the server's certificate is not trusted: its issuer is unknown; name its authority with `VAULT_CACERT`
    [exit status: 1]

    services · kubernetes, namespace seed, context test (https://$ADDRESS), as admin  seed.yaml

    ---
    error: cannot ask the backend `kubernetes`
      caused by: find out where and as whom: the certificate of the API server is not trusted: nobody knows its issuer; give its authority to the context's cluster as `certificate-authority`
    [exit status: 1]

    services · aws-sm, account 123456789012, region eu-central-1, at https://$ADDRESS  seed.yaml

    ---
    error: cannot ask the backend `aws-sm`
      caused by: find out where and as whom: no TLS for GetCallerIdentity: the server's certificate is not trusted: its issuer is unknown; name its authority in AWS_CA_BUNDLE
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn a_certificate_for_another_name_is_refused() -> Test {
    let ours = Authority::new();
    let names = ["elsewhere.example.com"];
    let vault = Server::start_tls_for(Vault::empty(), &ours, &names);
    let kubernetes = Server::start_tls_for(Kubernetes::empty(), &ours, &names);
    let aws = Server::start_tls_for(AwsSm::empty(), &ours, &names);
    assert_snapshot!(by_all([
        &|| refused(&vault, &ours),
        &|| refused(&kubernetes, &ours),
        &|| refused(&aws, &ours),
    ])?, @"
    services · vault, https://$ADDRESS, mount secret  seed.yaml

    ---
    error: cannot ask the backend `vault`
      caused by: find out where and as whom: the server's certificate is for another name; check the address, or set `VAULT_TLS_SERVER_NAME`
    [exit status: 1]

    services · kubernetes, namespace seed, context test (https://$ADDRESS), as admin  seed.yaml

    ---
    error: cannot ask the backend `kubernetes`
      caused by: find out where and as whom: the certificate of the API server is not trusted: it is for another name; check the server of the context, or set `tls-server-name` beside it
    [exit status: 1]

    services · aws-sm, account 123456789012, region eu-central-1, at https://$ADDRESS  seed.yaml

    ---
    error: cannot ask the backend `aws-sm`
      caused by: find out where and as whom: no TLS for GetCallerIdentity: the server's certificate is for another name; check the endpoint
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn a_certificate_that_has_run_out_is_refused() -> Test {
    let ours = Authority::new();
    let vault = Server::start_tls_expired(Vault::empty(), &ours);
    let kubernetes = Server::start_tls_expired(Kubernetes::empty(), &ours);
    let aws = Server::start_tls_expired(AwsSm::empty(), &ours);
    assert_snapshot!(by_all([
        &|| refused(&vault, &ours),
        &|| refused(&kubernetes, &ours),
        &|| refused(&aws, &ours),
    ])?, @"
    services · vault, https://$ADDRESS, mount secret  seed.yaml

    ---
    error: cannot ask the backend `vault`
      caused by: find out where and as whom: the server's certificate has expired; renew it
    [exit status: 1]

    services · kubernetes, namespace seed, context test (https://$ADDRESS), as admin  seed.yaml

    ---
    error: cannot ask the backend `kubernetes`
      caused by: find out where and as whom: the certificate of the API server is not trusted: it has expired; renew it
    [exit status: 1]

    services · aws-sm, account 123456789012, region eu-central-1, at https://$ADDRESS  seed.yaml

    ---
    error: cannot ask the backend `aws-sm`
      caused by: find out where and as whom: no TLS for GetCallerIdentity: the server's certificate has expired; renew it, or check the clock
    [exit status: 1]
    ");
    Ok(())
}

/// A server that is trusted is used.
fn makes<S: Trusting>(ours: &Authority) -> Result<String, String> {
    let server = Server::start_tls(S::empty(), ours);
    let shown = run::<S>("apply --no-input", &server.url(), ours)?;
    assert_eq!(server.service().kept().len(), 1, "{shown}");
    Ok(shown)
}

#[test]
fn a_good_certificate_is_taken() -> Test {
    let ours = Authority::new();
    assert_snapshot!(by_all([
        &|| makes::<Vault>(&ours),
        &|| makes::<Kubernetes>(&ours),
        &|| makes::<AwsSm>(&ours),
    ])?, @"
    services · vault, https://$ADDRESS, mount secret, as tester  seed.yaml

      + missing  created

    Applied: 1 created.
    ---
    [exit status: 0]

    services · kubernetes, namespace seed, context test (https://$ADDRESS), as dev  seed.yaml

      + missing  created

    Applied: 1 created.
    ---
    [exit status: 0]

    services · aws-sm, account 123456789012, region eu-central-1, at https://$ADDRESS, as arn:aws:iam::123456789012:user/tester  seed.yaml

      + missing  created

    Applied: 1 created.
    ---
    [exit status: 0]
    ");
    Ok(())
}

/// An address at which something else is spoken.
fn other_scheme<S: Trusting>(
    server: &Server<S>,
    scheme: &str,
    authority: &Authority,
) -> Result<String, String> {
    let url = format!("{scheme}://{}", server.address());
    let shown = run::<S>("apply --no-input", &url, authority)?;
    assert!(server.log().is_empty(), "{shown}");
    Ok(shown)
}

#[test]
fn a_port_without_tls_is_told_from_one_that_is_down() -> Test {
    let ours = Authority::new();
    let vault = Server::start(Vault::empty());
    let kubernetes = Server::start(Kubernetes::empty());
    let aws = Server::start(AwsSm::empty());
    assert_snapshot!(by_all([
        &|| other_scheme(&vault, "https", &ours),
        &|| other_scheme(&kubernetes, "https", &ours),
        &|| other_scheme(&aws, "https", &ours),
    ])?, @"
    services · vault, https://$ADDRESS, mount secret  seed.yaml

    ---
    error: cannot ask the backend `vault`
      caused by: find out where and as whom: TLS failed; check that the address is that of a server with TLS
    [exit status: 1]

    services · kubernetes, namespace seed, context test (https://$ADDRESS), as admin  seed.yaml

    ---
    error: cannot ask the backend `kubernetes`
      caused by: find out where and as whom: the API server and seed agree on no TLS; check the server of the context
    [exit status: 1]

    services · aws-sm, account 123456789012, region eu-central-1, at https://$ADDRESS  seed.yaml

    ---
    error: cannot ask the backend `aws-sm`
      caused by: find out where and as whom: no TLS for GetCallerIdentity: the server does not speak TLS; check the endpoint
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn a_port_with_tls_is_not_spoken_to_without() -> Test {
    let ours = Authority::new();
    let vault = Server::start_tls(Vault::empty(), &ours);
    let kubernetes = Server::start_tls(Kubernetes::empty(), &ours);
    let aws = Server::start_tls(AwsSm::empty(), &ours);
    assert_snapshot!(by_all([
        &|| other_scheme(&vault, "http", &ours),
        &|| other_scheme(&kubernetes, "http", &ours),
        &|| other_scheme(&aws, "http", &ours),
    ])?, @"
    services · vault, http://$ADDRESS, mount secret  seed.yaml

    ---
    error: cannot ask the backend `vault`
      caused by: find out where and as whom: the connection broke before the answer was complete
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]

    services · kubernetes, namespace seed, context test (http://$ADDRESS), as admin  seed.yaml

    ---
    error: cannot ask the backend `kubernetes`
      caused by: find out where and as whom: the connection broke before the whole answer had come
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]

    services · aws-sm, account 123456789012, region eu-central-1, at http://$ADDRESS  seed.yaml

    ---
    error: cannot ask the backend `aws-sm`
      caused by: find out where and as whom: the connection broke before GetCallerIdentity was answered
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn a_port_at_which_nobody_listens_is_said_to_be_one() -> Test {
    let ours = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|err| err.to_string())?;
    let address = listener.local_addr().map_err(|err| err.to_string())?;
    drop(listener);
    let url = format!("https://{address}");
    let line = "apply --no-input";
    assert_snapshot!(by_all([
        &|| run::<Vault>(line, &url, &ours),
        &|| run::<Kubernetes>(line, &url, &ours),
        &|| run::<AwsSm>(line, &url, &ours),
    ])?, @"
    services · vault, https://$ADDRESS, mount secret  seed.yaml

    ---
    error: cannot ask the backend `vault`
      caused by: find out where and as whom: the connection was refused; check the address, and that the server runs
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]

    services · kubernetes, namespace seed, context test (https://$ADDRESS), as admin  seed.yaml

    ---
    error: cannot ask the backend `kubernetes`
      caused by: find out where and as whom: the API server refused the connection; check that it runs, and the server of the context
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]

    services · aws-sm, account 123456789012, region eu-central-1, at https://$ADDRESS  seed.yaml

    ---
    error: cannot ask the backend `aws-sm`
      caused by: find out where and as whom: GetCallerIdentity could not be sent: the connection was refused
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn a_host_that_does_not_exist_is_said_to_be_one() -> Test {
    let ours = Authority::new();
    let url = "https://nowhere.invalid:8200";
    let line = "apply --no-input";
    assert_snapshot!(by_all([
        &|| run::<Vault>(line, url, &ours),
        &|| run::<Kubernetes>(line, url, &ours),
        &|| run::<AwsSm>(line, url, &ours),
    ])?, @"
    services · vault, https://$ADDRESS, mount secret  seed.yaml

    ---
    error: cannot ask the backend `vault`
      caused by: find out where and as whom: no connection could be made; check the address, and that its host exists
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]

    services · kubernetes, namespace seed, context test (https://$ADDRESS), as admin  seed.yaml

    ---
    error: cannot ask the backend `kubernetes`
      caused by: find out where and as whom: the API server cannot be connected to; check that it runs, and the server of the context
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]

    services · aws-sm, account 123456789012, region eu-central-1, at https://$ADDRESS  seed.yaml

    ---
    error: cannot ask the backend `aws-sm`
      caused by: find out where and as whom: GetCallerIdentity could not be sent: the service cannot be reached; do the region and the endpoint exist?
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn google_is_spoken_to_under_a_good_certificate_or_not_at_all() -> Test {
    let (ours, other) = (Authority::new(), Authority::new());
    let unknown = Server::start_tls(GcpSm::empty(), &other);
    let named = Server::start_tls_for(GcpSm::empty(), &ours, &["elsewhere.example.com"]);
    let expired = Server::start_tls_expired(GcpSm::empty(), &ours);
    let said = [
        refused(&unknown, &ours)?,
        refused(&named, &ours)?,
        refused(&expired, &ours)?,
        makes::<GcpSm>(&ours)?,
    ];
    assert_snapshot!(said.join("\n\n"), @"
    services · gcpsm, project ai-lab, at https://$ADDRESS, as the account of this machine  seed.yaml

    ---
    error: cannot ask the backend `gcpsm`
      caused by: find out where and as whom: no TLS for ListSecrets: the server's certificate is not trusted: its issuer is unknown; name its authority with SSL_CERT_FILE
    [exit status: 1]

    services · gcpsm, project ai-lab, at https://$ADDRESS, as the account of this machine  seed.yaml

    ---
    error: cannot ask the backend `gcpsm`
      caused by: find out where and as whom: no TLS for ListSecrets: the server's certificate is for another name; check the endpoint, or what stands between
    [exit status: 1]

    services · gcpsm, project ai-lab, at https://$ADDRESS, as the account of this machine  seed.yaml

    ---
    error: cannot ask the backend `gcpsm`
      caused by: find out where and as whom: no TLS for ListSecrets: the server's certificate has expired; renew it, or check the clock
    [exit status: 1]

    services · gcpsm, project ai-lab, at https://$ADDRESS, as the account of this machine  seed.yaml

      + missing  created

    Applied: 1 created.
    ---
    [exit status: 0]
    ");
    Ok(())
}

#[test]
fn what_does_not_answer_as_google_does_is_said_to_be_so() -> Test {
    let ours = Authority::new();
    let (plain, tls) = (
        Server::start(GcpSm::empty()),
        Server::start_tls(GcpSm::empty(), &ours),
    );
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|err| err.to_string())?;
    let address = listener.local_addr().map_err(|err| err.to_string())?;
    drop(listener);
    let line = "apply --no-input";
    let said = [
        other_scheme(&plain, "https", &ours)?,
        run::<GcpSm>(line, &format!("https://{address}"), &ours)?,
        run::<GcpSm>(line, "https://nowhere.invalid", &ours)?,
        run::<GcpSm>("plan --format json", &format!("https://{address}"), &ours)?,
    ];
    assert_snapshot!(said.join("\n\n"), @r#"
    services · gcpsm, project ai-lab, at https://$ADDRESS, as the account of this machine  seed.yaml

    ---
    error: cannot ask the backend `gcpsm`
      caused by: find out where and as whom: no TLS for ListSecrets: TLS failed; check that the address is that of a server with TLS
    [exit status: 1]

    services · gcpsm, project ai-lab, at https://$ADDRESS, as the account of this machine  seed.yaml

    ---
    error: cannot ask the backend `gcpsm`
      caused by: find out where and as whom: ListSecrets could not be sent: the connection was refused
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]

    services · gcpsm, project ai-lab, at https://$ADDRESS, as the account of this machine  seed.yaml

    ---
    error: cannot ask the backend `gcpsm`
      caused by: find out where and as whom: ListSecrets could not be sent: no connection could be made; is the network there, and the address right?
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]

    {
      "version": 1,
      "error": {
        "message": "cannot ask the backend `gcpsm`",
        "causes": [
          "find out where and as whom: ListSecrets could not be sent: the connection was refused"
        ],
        "hints": [
          "run it again when the backend can be reached; what is stored is kept"
        ],
        "exit_code": 1
      }
    }
    ---
    error: cannot ask the backend `gcpsm`
      caused by: find out where and as whom: ListSecrets could not be sent: the connection was refused
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]
    "#);
    // The metadata server would be the same port, and is not spoken to either.
    other_scheme(&tls, "http", &ours)?;
    Ok(())
}

#[test]
fn programs_are_told_the_same_as_a_document() -> Test {
    let (known, other) = (Authority::new(), Authority::new());
    let vault = Server::start_tls(Vault::empty(), &other);
    let aws = Server::start(AwsSm::empty());
    let kubernetes = Server::start_tls(Kubernetes::empty(), &other);
    let line = "apply --no-input --format json";
    let https = format!("https://{}", aws.address());
    assert_snapshot!(by_all([
        &|| run::<Vault>(line, &vault.url(), &known),
        &|| run::<Kubernetes>("plan --format json", &kubernetes.url(), &known),
        &|| run::<AwsSm>(line, &https, &known),
    ])?, @r#"
    {
      "version": 1,
      "error": {
        "message": "cannot ask the backend `vault`",
        "causes": [
          "find out where and as whom: the server's certificate is not trusted: its issuer is unknown; name its authority with `VAULT_CACERT`"
        ],
        "hints": [],
        "exit_code": 1
      }
    }
    ---
    error: cannot ask the backend `vault`
      caused by: find out where and as whom: the server's certificate is not trusted: its issuer is unknown; name its authority with `VAULT_CACERT`
    [exit status: 1]

    {
      "version": 1,
      "error": {
        "message": "cannot ask the backend `kubernetes`",
        "causes": [
          "find out where and as whom: the certificate of the API server is not trusted: nobody knows its issuer; give its authority to the context's cluster as `certificate-authority`"
        ],
        "hints": [],
        "exit_code": 1
      }
    }
    ---
    error: cannot ask the backend `kubernetes`
      caused by: find out where and as whom: the certificate of the API server is not trusted: nobody knows its issuer; give its authority to the context's cluster as `certificate-authority`
    [exit status: 1]

    {
      "version": 1,
      "error": {
        "message": "cannot ask the backend `aws-sm`",
        "causes": [
          "find out where and as whom: no TLS for GetCallerIdentity: the server does not speak TLS; check the endpoint"
        ],
        "hints": [],
        "exit_code": 1
      }
    }
    ---
    error: cannot ask the backend `aws-sm`
      caused by: find out where and as whom: no TLS for GetCallerIdentity: the server does not speak TLS; check the endpoint
    [exit status: 1]
    "#);
    Ok(())
}

/// Runs against a vault at an address, with credentials of another place.
fn vault(line: &str, url: &str, login: &str, authority: &Authority) -> Result<String, String> {
    let backend = AzureKv::trusting(url, &authority.pem())?;
    let workspace = backend.workspace()?.variable("AZURE_AUTHORITY_HOST", login);
    workspace.write("seed.yaml", &contract(&*backend, &Value::Null, SECRETS)?)?;
    said(&workspace, line, url)
}

#[test]
fn azure_key_vault_is_sent_nothing_without_a_good_certificate() -> Test {
    let (known, other) = (Authority::new(), Authority::new());
    let login = Server::start_tls(AzureKv::empty(), &known);
    let names = ["elsewhere.example.com"];
    let vaults = [
        Server::start_tls(AzureKv::empty(), &other),
        Server::start_tls_for(AzureKv::empty(), &known, &names),
        Server::start_tls_expired(AzureKv::empty(), &known),
    ];
    let refused = each(&vaults, 3, |server| {
        let shown = vault("apply --no-input", &server.url(), &login.url(), &known)?;
        assert!(server.log().is_empty(), "{shown}");
        assert_eq!(server.connections(), 1, "{shown}");
        Ok(shown)
    })?;
    assert_snapshot!(refused.join("\n\n"), @"
    services · azure-kv, vault $ADDRESS  seed.yaml

    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: GetSecrets: the server's certificate is not trusted: its issuer is unknown; name its authority in `SSL_CERT_FILE`
    [exit status: 1]

    services · azure-kv, vault $ADDRESS  seed.yaml

    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: GetSecrets: the server's certificate is for another name; check the address, and what stands in between
    [exit status: 1]

    services · azure-kv, vault $ADDRESS  seed.yaml

    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: GetSecrets: the server's certificate has expired; renew it, or check the clock
    [exit status: 1]
    ");
    let good = Server::start_tls(AzureKv::empty(), &known);
    assert_snapshot!(makes::<AzureKv>(&known)?, @"
    services · azure-kv, vault $ADDRESS, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      + missing  created

    Applied: 1 created.
    ---
    [exit status: 0]
    ");
    let untrusted = vault("plan", &good.url(), &vaults[0].url(), &known)?;
    let login = vaults[0].address().to_string();
    assert_snapshot!(untrusted.replace(&login, "$LOGIN"), @"
    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: the client secret of the environment: the server's certificate is not trusted: its issuer is unknown; name its authority in `SSL_CERT_FILE`
    hint: correct AZURE_CLIENT_ID and what goes with it; where it is not set, log in with `az login`
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn azure_key_vault_is_reached_with_tls_or_not_at_all() -> Test {
    let ours = Authority::new();
    let login = Server::start_tls(AzureKv::empty(), &ours);
    let plain = Server::start(AzureKv::empty());
    let line = "apply --no-input";
    let spoken = |url: &str| vault(line, url, &login.url(), &ours);
    let https = format!("https://{}", plain.address());
    assert_snapshot!(spoken(&https)?, @"
    services · azure-kv, vault $ADDRESS  seed.yaml

    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: GetSecrets: the server does not speak TLS; check the address
    [exit status: 1]
    ");
    assert_snapshot!(spoken(&plain.url())?, @"
    ---
    error: backend `azure-kv`: its `vault` does not begin with `https://`; values are sent with TLS only
    hint: write it as `vault: https://NAME.vault.azure.net`
    [exit status: 2]
    ");
    assert!(plain.log().is_empty());
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|err| err.to_string())?;
    let address = listener.local_addr().map_err(|err| err.to_string())?;
    drop(listener);
    let down = format!("https://{address}");
    assert_snapshot!(spoken(&down)?, @"
    services · azure-kv, vault $ADDRESS  seed.yaml

    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: GetSecrets: the connection was refused
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]
    ");
    let good = Server::start_tls(AzureKv::empty(), &ours);
    let nowhere = "https://nowhere.invalid";
    assert_snapshot!(vault("plan --format json", &good.url(), nowhere, &ours)?, @r#"
    {
      "version": 1,
      "error": {
        "message": "cannot ask the backend `azure-kv`",
        "causes": [
          "find out where and as whom: the client secret of the environment: no connection could be made; does that host exist?"
        ],
        "hints": [
          "run it again when the backend can be reached; what is stored is kept"
        ],
        "exit_code": 1
      }
    }
    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: the client secret of the environment: no connection could be made; does that host exist?
    hint: run it again when the backend can be reached; what is stored is kept
    [exit status: 1]
    "#);
    Ok(())
}
