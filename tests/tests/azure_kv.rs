//! `seed` against the stand-in of Key Vault: the service's own ways to log in, whose vault it is, and a whole run.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use insta::{allow_duplicates, assert_snapshot};
use seed_fakes::{Answer, Authority, AzureKv, Fault, Server, When};
use seed_tests::cli::Outcome;
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

const ONE: &str = "\n  api-key: {generate: {hex: 16}}\n";

/// Another directory with the same contract.
fn beside(workspace: &Workspace) -> Result<Workspace, String> {
    let other = Workspace::new()?;
    for file in ["seed.yaml", "authority.pem"] {
        other.write(file, &workspace.read(file)?)?;
    }
    let authorities = other.root().join("authority.pem");
    Ok(other.variable("SSL_CERT_FILE", authorities))
}

/// Two programs that log in, each of which writes down what it is told and then does this.
fn with_programs(workspace: Workspace, az: &str, azd: &str) -> Result<Workspace, String> {
    let bin = workspace.root().join("bin");
    fs::create_dir(&bin).map_err(|err| err.to_string())?;
    for (name, then) in [("az", az), ("azd", azd)] {
        let journal = workspace.root().join("journal");
        let script = format!(
            "#!/bin/sh\n{{ echo \"{name} $*\"; env; }} >>{}\n{then}\n",
            journal.display()
        );
        let path = bin.join(name);
        fs::write(&path, script).map_err(|err| err.to_string())?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .map_err(|err| err.to_string())?;
    }
    let path = format!("{}:/usr/bin:/bin", bin.display());
    Ok(workspace.variable("PATH", path))
}

fn az(token: &str) -> String {
    let answer =
        format!(r#"{{"accessToken": "{token}", "expires_on": 4102444800, "tokenType": "Bearer"}}"#);
    format!("echo '{answer}'")
}

fn azd(token: &str) -> String {
    format!(r#"echo '{{"token": "{token}", "expiresOn": "2100-01-01T00:00:00Z"}}'"#)
}

const LOGGED_OUT: &str = "echo 'ERROR: canary-text of the program: run az login' >&2; exit 1";
/// What a shell says of a program that it does not find.
const MISSING: &str = "exit 127";

/// Whom a plan names.
fn who(workspace: &Workspace) -> Result<String, String> {
    let plan = workspace.json("plan --format json")?;
    let found = plan.pointer("/backends/0/identity");
    let found = found.and_then(serde_json::Value::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| format!("nobody is named: {plan}"))
}

fn shown(server: &Server<AzureKv>, outcome: &Outcome) -> String {
    let text = outcome.to_string();
    text.replace(&server.address().to_string(), "$ADDRESS")
}

const PERSON: &str = "tester@example.com";
const APPLICATION: &str = "application 99999999-8888-7777-6666-555555555555";

#[test]
fn each_credential_is_taken_before_those_after_it() -> Test {
    let (server, workspace) = world(ONE)?;
    let token = server.service().token();
    workspace.write("token", AzureKv::ASSERTION)?;
    let file = workspace.root().join("token");
    let programs = || with_programs(beside(&workspace)?, &az(&token), &azd(&token));
    let managed = |workspace: Workspace| {
        workspace
            .variable("IDENTITY_ENDPOINT", format!("{}/msi/token", server.url()))
            .variable("IDENTITY_HEADER", AzureKv::IDENTITY_HEADER)
    };
    let federated = |workspace: Workspace| {
        workspace
            .variable("AZURE_AUTHORITY_HOST", server.url())
            .variable("AZURE_TENANT_ID", AzureKv::TENANT)
            .variable("AZURE_CLIENT_ID", AzureKv::CLIENT)
            .variable("AZURE_FEDERATED_TOKEN_FILE", &file)
    };
    let calls = |workspace: &Workspace| {
        server.clear_log();
        let who = who(workspace)?;
        let log = server.log();
        let programs = workspace.read("journal").unwrap_or_default();
        let asked = programs.lines().filter(|line| line.starts_with("az"));
        let counts = [log.count("Token"), log.count("ManagedIdentity")];
        Ok::<_, String>((who, counts, asked.count()))
    };
    let application = APPLICATION.to_owned();
    let all =
        managed(federated(programs()?)).variable("AZURE_CLIENT_SECRET", AzureKv::CLIENT_SECRET);
    // The federated token is wrong, and nobody asks for it.
    workspace.write("token", "of somebody else")?;
    assert_eq!(calls(&all)?, (application.clone(), [1, 0], 0));
    workspace.write("token", AzureKv::ASSERTION)?;
    let workload = managed(federated(programs()?));
    assert_eq!(calls(&workload)?, (application.clone(), [1, 0], 0));
    let machine = managed(programs()?);
    assert_eq!(calls(&machine)?, (application, [0, 1], 0));
    let person = programs()?;
    assert_eq!(calls(&person)?, (PERSON.to_owned(), [0, 0], 1));
    let journal = person.read("journal")?;
    assert!(
        journal.starts_with(
            "az account get-access-token -o json --scope https://vault.azure.net/.default\n"
        ),
        "{journal}"
    );
    Ok(())
}

#[test]
fn a_person_who_is_logged_in_with_one_program_need_not_be_with_the_other() -> Test {
    let (server, workspace) = world(ONE)?;
    let token = server.service().token();
    for az in [LOGGED_OUT, MISSING] {
        let workspace = with_programs(beside(&workspace)?, az, &azd(&token))?;
        assert_eq!(who(&workspace)?, PERSON);
        let journal = workspace.read("journal")?;
        let wanted =
            "azd auth token -o json --no-prompt --scope https://vault.azure.net/.default\n";
        assert!(journal.contains(wanted), "{journal}");
    }
    Ok(())
}

#[test]
fn programs_that_log_in_see_no_variable_that_may_hold_a_value() -> Test {
    let (server, workspace) = world(ONE)?;
    let token = server.service().token();
    let workspace = with_programs(workspace, LOGGED_OUT, &azd(&token))?
        .variable("SEED_VALUE_API_KEY", "canary-value")
        .variable("AZURE_CLIENT_SECRET", "canary-secret")
        .variable("SOME_PASSWORD", "canary-password")
        .variable("AZURE_CONFIG_DIR", "/where/az/keeps/its/things")
        .variable("AZURE_TENANT_ID", AzureKv::TENANT);
    assert_eq!(who(&workspace)?, PERSON);
    let journal = workspace.read("journal")?;
    assert!(!journal.contains("canary"), "{journal}");
    assert!(journal.contains("AZURE_CONFIG_DIR=/where/az"), "{journal}");
    for asked in [
        format!("--tenant {}\n", AzureKv::TENANT),
        format!("--tenant-id {}\n", AzureKv::TENANT),
    ] {
        assert!(journal.contains(&asked), "{asked}: {journal}");
    }
    Ok(())
}

#[test]
fn who_is_logged_in_nowhere_is_told_of_each_way() -> Test {
    let (server, workspace) = world(ONE)?;
    let workspace = with_programs(workspace, MISSING, LOGGED_OUT)?;
    let outcome = workspace.seed("plan")?;
    let text = shown(&server, &outcome);
    assert!(!text.contains("canary"), "{text}");
    // How a machine without an identity says so depends on the machine.
    let (before, rest) = text.split_once("managed identity: ").ok_or(&*text)?;
    let (_, after) = rest.split_once(", `az`").ok_or(&*text)?;
    let text = format!("{before}managed identity: …, `az`{after}");
    assert_snapshot!(text, @"
    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: no Azure credentials are found (managed identity: …, `az`: not installed, `azd`: installed, but nobody is logged in); log in with `az login`, or set `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`
    hint: correct AZURE_CLIENT_ID and what goes with it; where it is not set, log in with `az login`
    [exit status: 1]
    ");
    assert!(server.log().is_empty());
    Ok(())
}

#[test]
fn each_credential_that_is_refused_has_its_own_next_step() -> Test {
    let (server, workspace) = world(ONE)?;
    let url = server.url();
    let told = |name: &str, value: &str| {
        let workspace = with_programs(beside(&workspace)?, LOGGED_OUT, LOGGED_OUT)?;
        let workspace = with_client_secret(workspace, &url, AzureKv::CLIENT_SECRET);
        let outcome = workspace.variable(name, value).seed("plan")?;
        let text = shown(&server, &outcome);
        assert!(!text.contains("canary"), "{text}");
        Ok::<_, String>(text)
    };
    assert_snapshot!(told("AZURE_CLIENT_SECRET", "canary-secret")?, @"
    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: the client secret of the environment: it was refused with `AADSTS7000215`; put the secret's value, not its id, into `AZURE_CLIENT_SECRET`, or unset it to log in in another way
    hint: correct AZURE_CLIENT_ID and what goes with it; where it is not set, log in with `az login`
    [exit status: 1]
    ");
    let other = "00000000-1111-2222-3333-444444444444";
    assert_snapshot!(told("AZURE_CLIENT_ID", other)?, @"
    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: the client secret of the environment: it was refused with `AADSTS700016`; check `AZURE_CLIENT_ID` and `AZURE_TENANT_ID`: that tenant knows no such application
    hint: correct AZURE_CLIENT_ID and what goes with it; where it is not set, log in with `az login`
    [exit status: 1]
    ");
    assert_snapshot!(told("AZURE_TENANT_ID", other)?, @"
    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: the client secret of the environment: it was refused with `AADSTS90002`; check `AZURE_CLIENT_ID` and `AZURE_TENANT_ID`: that tenant knows no such application
    hint: correct AZURE_CLIENT_ID and what goes with it; where it is not set, log in with `az login`
    [exit status: 1]
    ");
    let federated = with_client_secret(beside(&workspace)?, &url, "");
    federated.write("token", "canary-token")?;
    let file = federated.root().join("token");
    let federated = federated.variable("AZURE_FEDERATED_TOKEN_FILE", file);
    assert_snapshot!(shown(&server, &federated.seed("plan")?), @"
    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: workload identity: it was refused with `AADSTS7000215`; check `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and the token in `AZURE_FEDERATED_TOKEN_FILE`
    hint: correct AZURE_CLIENT_ID and what goes with it; where it is not set, log in with `az login`
    [exit status: 1]
    ");
    let managed = beside(&workspace)?
        .variable("IDENTITY_ENDPOINT", format!("{url}/msi/token"))
        .variable("IDENTITY_HEADER", "canary-header");
    assert_snapshot!(shown(&server, &managed.seed("plan")?), @"
    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: managed identity: it was refused with status 400; assign an identity to this machine, or name one of several in `AZURE_CLIENT_ID`
    hint: correct AZURE_CLIENT_ID and what goes with it; where it is not set, log in with `az login`
    [exit status: 1]
    ");
    Ok(())
}

/// A token of somebody in this tenant, which no vault of another one takes.
fn token_of(tenant: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = format!(r#"{{"upn": "{PERSON}", "tid": "{tenant}"}}"#);
    format!("{}.{}.x", part(r#"{"alg": "RS256"}"#), part(&claims))
}

#[test]
fn a_vault_of_another_tenant_is_named_as_such() -> Test {
    let (server, workspace) = world(ONE)?;
    let token = token_of("00000000-1111-2222-3333-444444444444");
    let workspace = with_programs(workspace, &az(&token), MISSING)?;
    let outcome = workspace.seed("apply --no-input")?;
    assert_snapshot!(shown(&server, &outcome), @"
    ---
    error: the backend `azure-kv` cannot be used as the contract names it; nothing was read or written
      caused by: find out where and as whom: the vault belongs to tenant `11111111-2222-3333-4444-555555555555`, and the credential is of tenant `00000000-1111-2222-3333-444444444444`
    hint: log in with `az login --tenant 11111111-2222-3333-4444-555555555555`, or set `AZURE_TENANT_ID` and what goes with it
    [exit status: 2]
    ");
    // Whoever is of its tenant and is not let in is told something else.
    let (server, workspace) = world(ONE)?;
    let token = token_of(AzureKv::TENANT);
    let workspace = with_programs(workspace, &az(&token), MISSING)?;
    let outcome = workspace.seed("apply --no-input")?;
    assert_snapshot!(shown(&server, &outcome), @"
    services · azure-kv, vault $ADDRESS                    seed.yaml

    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: GetSecrets was refused: the vault does not take the token: it is over, or of another tenant than the vault's; log in again
    hint: correct AZURE_CLIENT_ID and what goes with it; where it is not set, log in with `az login`
    [exit status: 1]
    ");
    Ok(())
}

#[test]
fn a_vault_that_asks_for_a_token_of_another_service_gets_none() -> Test {
    for challenge in [
        "Bearer authorization=\"https://login.microsoftonline.com/t\", resource=\"https://management.azure.com\"",
        "Bearer authorization=\"https://login.microsoftonline.com/t\", resource=\"https://vault.azure.net.example.com\"",
        "Bearer authorization=\"https://login.microsoftonline.com/t\"",
    ] {
        let (server, workspace) = world(ONE)?;
        let workspace = with_client_secret(workspace, &server.url(), AzureKv::CLIENT_SECRET);
        let answer = Answer::empty(401).with_header("www-authenticate", challenge);
        server.fault(When::operation("Challenge"), Fault::Answer(answer), None);
        let outcome = workspace.seed("apply --no-input")?;
        allow_duplicates!(assert_snapshot!(shown(&server, &outcome), @"
        ---
        error: the backend `azure-kv` cannot be used as the contract names it; nothing was read or written
          caused by: find out where and as whom: GetSecrets: the vault asks for a token of another service, which it does not get
        hint: log in to the place that the contract names, or correct the contract
        [exit status: 2]
        "));
        assert_eq!(server.log().count("GetSecrets"), 0);
        assert!(server.service().names().is_empty());
    }
    Ok(())
}

#[test]
fn a_list_that_goes_on_in_another_vault_ends_there() -> Test {
    let (server, workspace) = world(ONE)?;
    let workspace = with_client_secret(workspace, &server.url(), AzureKv::CLIENT_SECRET);
    let elsewhere = "https://elsewhere.vault.azure.net/secrets?api-version=2025-07-01&$skiptoken=x";
    let page = serde_json::json!({"value": [], "nextLink": elsewhere});
    let answer = Fault::Answer(Answer::json(200, &page));
    server.fault(When::operation("GetSecrets"), answer, None);
    let outcome = workspace.seed("apply --no-input")?;
    assert_snapshot!(shown(&server, &outcome), @"
    services · azure-kv, vault $ADDRESS, as application 99999999-8888-7777-6666-555555555555  seed.yaml

    ---
    error: cannot ask the backend `azure-kv`
      caused by: look up what is stored: GetSecrets: the service names another host than the vault's own as its next page
    [exit status: 1]
    ");
    assert!(server.service().names().is_empty());
    Ok(())
}

#[test]
fn a_vault_that_is_gone_is_no_empty_one() -> Test {
    let (server, workspace) = world(ONE)?;
    let workspace = with_client_secret(workspace, &server.url(), AzureKv::CLIENT_SECRET);
    let gone = serde_json::json!({"error": {"code": "VaultNotFound", "message": "x"}});
    let answer = Fault::Answer(Answer::json(404, &gone));
    server.fault(When::operation("GetSecrets"), answer, None);
    let outcome = workspace.seed("apply --no-input")?;
    assert_snapshot!(shown(&server, &outcome), @"
    ---
    error: the backend `azure-kv` cannot be used as the contract names it; nothing was read or written
      caused by: find out where and as whom: GetSecrets failed with `VaultNotFound`: there is no vault of that name
    hint: correct `vault` in the contract
    [exit status: 2]
    ");
    assert!(server.service().names().is_empty());
    Ok(())
}
