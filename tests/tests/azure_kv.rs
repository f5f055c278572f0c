//! `seed` against the stand-in of Key Vault: the service's own ways to log in, and a whole run.

use insta::assert_snapshot;
use seed_fakes::{Authority, AzureKv, Server};
use seed_tests::workspace::Workspace;

type Test = Result<(), String>;

const SECRETS: &str = "
  api-key: {generate: {hex: 16}}
  db: {fields: {USER: {value: app}, PASSWORD: {generate: {hex: 16}}}}
  url: {compose: \"postgres://app:${db#PASSWORD}@db\"}
";

/// A stand-in with TLS, and a directory whose contract leads there.
fn world(secrets: &str) -> Result<(Server<AzureKv>, Workspace), String> {
    let authority = Authority::new();
    let server = Server::start_tls(AzureKv::new(), &authority);
    let workspace = Workspace::new()?;
    let url = server.url();
    let contract = format!(
        "version: 1\nname: services\nbackend: azure-kv\n\
         backends: {{azure-kv: {{vault: \"{url}\", pause: 1s}}}}\n\
         store: {{name: secret-store}}\nsecrets:{secrets}"
    );
    workspace.write("seed.yaml", &contract)?;
    workspace.write("authority.pem", &authority.pem())?;
    let authorities = workspace.root().join("authority.pem");
    let workspace = workspace.variable("SSL_CERT_FILE", authorities);
    Ok((server, workspace))
}

fn with_client_secret(workspace: Workspace, url: &str, secret: &str) -> Workspace {
    workspace
        .variable("AZURE_AUTHORITY_HOST", url)
        .variable("AZURE_TENANT_ID", AzureKv::TENANT)
        .variable("AZURE_CLIENT_ID", AzureKv::CLIENT)
        .variable("AZURE_CLIENT_SECRET", secret)
}

#[test]
fn a_plan_and_two_runs_make_every_value_once() -> Test {
    let (server, workspace) = world(SECRETS)?;
    let workspace = with_client_secret(workspace, &server.url(), AzureKv::CLIENT_SECRET);
    let shown = |line: &str| -> Result<String, String> {
        let text = workspace.seed(line)?.to_string();
        Ok(text.replace(&server.address().to_string(), "$ADDRESS"))
    };
    assert_snapshot!(shown("plan")?, @r"
    services · azure-kv, vault $ADDRESS, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      + api-key      hex 16
      + db#USER      literal
      + db#PASSWORD  hex 16
      + url          text with db#PASSWORD

    Plan: 4 to create.
    azure-kv is converging: runs of `seed` end with one value for each key, and make others only from that; not guaranteed: that nobody else writes in the same seconds: the service takes every write, and what others write then is kept and reported with exit code 4.
    ---
    [exit status: 0]
    ");
    assert_snapshot!(shown("apply --yes")?, @r"
    services · azure-kv, vault $ADDRESS, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      + api-key      created
      + db#USER      created
      + db#PASSWORD  created
      + url          created

    Applied: 4 created.
    ---
    [exit status: 0]
    ");
    let made = server.service().value("api-key");
    assert_snapshot!(shown("apply --yes")?, @r"
    services · azure-kv, vault $ADDRESS, as application 99999999-8888-7777-6666-555555555555  seed.yaml

    Applied: 4 exist.
    ---
    [exit status: 0]
    ");
    assert!(made.is_some() && server.service().value("api-key") == made);
    for name in server.service().names() {
        assert_eq!(server.service().versions(&name).len(), 1, "{name}");
    }
    Ok(())
}

#[test]
fn a_managed_identity_logs_in() -> Test {
    let (server, workspace) = world("\n  api-key: {generate: {hex: 16}}\n")?;
    let workspace = workspace
        .variable("IDENTITY_ENDPOINT", format!("{}/msi/token", server.url()))
        .variable("IDENTITY_HEADER", AzureKv::IDENTITY_HEADER);
    let outcome = workspace.seed("plan")?;
    assert!(outcome.to_string().contains(AzureKv::CLIENT), "{outcome}");
    assert_eq!(server.log().count("ManagedIdentity"), 1);
    Ok(())
}

#[test]
fn a_federated_token_logs_in() -> Test {
    let (server, workspace) = world("\n  api-key: {generate: {hex: 16}}\n")?;
    workspace.write("token", AzureKv::ASSERTION)?;
    let file = workspace.root().join("token");
    let workspace = workspace
        .variable("AZURE_AUTHORITY_HOST", server.url())
        .variable("AZURE_TENANT_ID", AzureKv::TENANT)
        .variable("AZURE_CLIENT_ID", AzureKv::CLIENT)
        .variable("AZURE_FEDERATED_TOKEN_FILE", file);
    let outcome = workspace.seed("plan")?;
    assert!(outcome.to_string().contains(AzureKv::CLIENT), "{outcome}");
    Ok(())
}

#[test]
fn a_wrong_client_secret_is_no_reason_to_try_anything_else() -> Test {
    let (server, workspace) = world("\n  api-key: {generate: {hex: 16}}\n")?;
    let workspace = with_client_secret(workspace, &server.url(), "canary-secret");
    let outcome = workspace.seed("plan")?;
    let text = outcome
        .to_string()
        .replace(&server.address().to_string(), "$ADDRESS");
    assert!(!text.contains("canary-secret"), "{text}");
    assert_snapshot!(text, @r"
    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: the client secret of the environment: it was refused with `AADSTS7000215`
    hint: log in with `az login`
    [exit status: 1]
    ");
    Ok(())
}
