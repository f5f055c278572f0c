//! The official Python clients of Google Secret Manager and Azure Key Vault, unmodified, find in the stand-ins what they find
//! in the services; and what one of them and `seed` store, the other sees.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use seed_fakes::{Answer, AzureKv, Fault, GcpSm, Service, When};
use seed_tests::cli::Outcome;
use seed_tests::official::Client;
use seed_tests::outside::{ENTRA, GOOGLE_TOKENS, Outside, SECRET_MANAGER, VAULT};

type Test = Result<(), String>;

#[test]
#[ignore = "asks Google's client: make e2e"]
fn googles_client_finds_the_service_over_rest_and_over_grpc() -> Test {
    let mut outcomes = Vec::new();
    for (transport, method) in [("rest", "GET"), ("grpc", "POST")] {
        let outside = Outside::secret_manager()?;
        let client = Client::new(&outside, "secret_manager.py")?;
        outcomes.push(client.run(&["scenarios", transport])?.to_string());
        reached(&outside, &[GOOGLE_TOKENS, SECRET_MANAGER]);
        let log = outside.server.log();
        let mut reads = log.0.iter().filter(|call| call.operation == "GetSecret");
        assert!(reads.all(|call| call.method == method), "not {transport}");
    }
    let [rest, grpc] = outcomes.try_into().map_err(|_| "not two outcomes")?;
    assert_snapshot!(rest, @r"
    ok: what is created is read back to the byte
    ok: what is absent is not found
    ok: a secret without a version has no value
    ok: what exists is not created again
    ok: versions are counted and the newest is the latest
    ok: what is disabled is not read and hides nothing older
    ok: what is destroyed stays so and its number is not given again
    ok: an etag that is not the current one stops a change
    ok: of eight who create at once one does
    ok: of eight who update by one etag one does
    ok: eight who add at once all do
    ok: labels and annotations are kept and found
    ok: pages show each secret and each version once
    ok: replication is asked for and kept
    ok: names and values have limits
    ok: what is deleted is gone and its name is free
    ok: another project is denied with a reason
    ok: a wrong token is not let in
    ok: a service account signs its own token
    ok: a machines own account is let in
    ---
    [exit status: 0]
    ");
    assert_eq!(rest, grpc);
    Ok(())
}

#[test]
#[ignore = "asks Google's client: make e2e"]
fn googles_client_finds_a_region() -> Test {
    let name = "secretmanager.europe-west3.rep.googleapis.com";
    for transport in ["rest", "grpc"] {
        let outside = Outside::secret_manager_at(name, GcpSm::regional("europe-west3"))?
            .variable("SECRET_MANAGER_LOCATION", "europe-west3");
        let client = Client::new(&outside, "secret_manager.py")?;
        let stdout = client.run(&["scenarios", transport])?.success()?;
        assert!(stdout.contains("ok: a region takes no replication\n"));
        assert!(
            !outside
                .proxy
                .passed()
                .contains_key("secretmanager.googleapis.com:443")
        );
        reached(&outside, &[GOOGLE_TOKENS, name]);
    }
    Ok(())
}

#[test]
#[ignore = "asks Azure's client: make e2e"]
fn azures_client_finds_the_service() -> Test {
    let outside = Outside::key_vault()?;
    let outside = outside.with_other_identities()?;
    let client = Client::new(&outside, "key_vault.py")?;
    assert_snapshot!(client.run(&["scenarios"])?, @r"
    ok: what is set is read back
    ok: what is absent is not found
    ok: a second value is a new version and the first one stays
    ok: of eight who set at once each makes a version
    ok: names differ by more than case
    ok: what is disabled is shown and not read
    ok: dates are kept and an expired value is read
    ok: tags and content type are kept and changed
    ok: names and values have limits
    ok: what is deleted keeps its name and comes back whole
    ok: what is purged is gone and its name is free
    ok: pages show each secret and each version once
    ok: a managed identity and a federated token are let in
    ok: a wrong secret is not let in
    ---
    ClientSecretCredential.get_token_info failed: Authentication failed: AADSTS7000215: Invalid client secret provided. Trace ID: 0 Correlation ID: 0
    [exit status: 0]
    ");
    assert_eq!(outside.server.log().count("ManagedIdentity"), 1);
    reached(&outside, &[ENTRA, VAULT]);
    Ok(())
}

#[test]
#[ignore = "asks Azure's client: make e2e"]
fn azures_client_and_seed_see_what_the_other_stored() -> Test {
    let outside = Outside::key_vault()?;
    let client = Client::new(&outside, "key_vault.py")?;
    let backend = "azure-kv: {vault: \"https://shop-prod.vault.azure.net\", pause: 4s}";
    both_ways(&outside, backend, &client, &[])
}

#[test]
#[ignore = "asks Google's client: make e2e"]
fn googles_client_reads_every_documented_error_over_rest() -> Test {
    // A token that is refused is got anew, and the call is sent again before anybody hears of it.
    let quiet = ["UNAUTHENTICATED", "ACCESS_TOKEN_EXPIRED"];
    let mut errors = GcpSm::documented_errors();
    errors.retain(|(_, what, _)| !quiet.contains(what));
    assert_snapshot!(googles_refusals("rest", errors)?, @r"
    ABORTED Conflict
    ALREADY_EXISTS Conflict
    CANCELLED Cancelled
    DATA_LOSS InternalServerError
    DEADLINE_EXCEEDED GatewayTimeout
    FAILED_PRECONDITION BadRequest
    INTERNAL InternalServerError
    INVALID_ARGUMENT BadRequest
    NOT_FOUND NotFound
    OUT_OF_RANGE BadRequest
    PERMISSION_DENIED Forbidden
    RESOURCE_EXHAUSTED TooManyRequests
    UNAVAILABLE ServiceUnavailable
    UNIMPLEMENTED MethodNotImplemented
    UNKNOWN InternalServerError
    PERMISSION_DENIED BILLING_DISABLED Forbidden
    PERMISSION_DENIED CONSUMER_INVALID Forbidden
    PERMISSION_DENIED SERVICE_DISABLED Forbidden
    PERMISSION_DENIED USER_PROJECT_DENIED Forbidden
    PERMISSION_DENIED ACCESS_TOKEN_SCOPE_INSUFFICIENT Forbidden
    RESOURCE_EXHAUSTED RATE_LIMIT_EXCEEDED TooManyRequests
    ---
    [exit status: 0]
    ");
    Ok(())
}

#[test]
#[ignore = "asks Google's client: make e2e"]
fn googles_client_reads_every_documented_error_over_grpc() -> Test {
    let errors = GcpSm::documented_errors_over_grpc();
    assert_snapshot!(googles_refusals("grpc", errors)?, @r"
    ABORTED Aborted
    ALREADY_EXISTS AlreadyExists
    CANCELLED Cancelled
    DATA_LOSS DataLoss
    DEADLINE_EXCEEDED DeadlineExceeded
    FAILED_PRECONDITION FailedPrecondition
    INTERNAL InternalServerError
    INVALID_ARGUMENT InvalidArgument
    NOT_FOUND NotFound
    OUT_OF_RANGE OutOfRange
    PERMISSION_DENIED PermissionDenied
    RESOURCE_EXHAUSTED ResourceExhausted
    UNAUTHENTICATED Unauthenticated
    UNAVAILABLE ServiceUnavailable
    UNIMPLEMENTED MethodNotImplemented
    UNKNOWN Unknown
    PERMISSION_DENIED BILLING_DISABLED PermissionDenied
    PERMISSION_DENIED CONSUMER_INVALID PermissionDenied
    PERMISSION_DENIED SERVICE_DISABLED PermissionDenied
    PERMISSION_DENIED USER_PROJECT_DENIED PermissionDenied
    PERMISSION_DENIED ACCESS_TOKEN_SCOPE_INSUFFICIENT PermissionDenied
    UNAUTHENTICATED ACCESS_TOKEN_EXPIRED Unauthenticated
    RESOURCE_EXHAUSTED RATE_LIMIT_EXCEEDED ResourceExhausted
    ---
    [exit status: 0]
    ");
    Ok(())
}

fn googles_refusals(transport: &str, errors: Vec<(&str, &str, Answer)>) -> Result<Outcome, String> {
    let outside = Outside::secret_manager()?;
    let count = planned(&outside, "GetSecret", errors);
    let client = Client::new(&outside, "secret_manager.py")?;
    client.run(&["refusals", transport, &count])
}

#[test]
#[ignore = "asks Azure's client: make e2e"]
fn azures_client_reads_every_documented_error() -> Test {
    let outside = Outside::key_vault()?;
    let count = planned(&outside, "GetSecret", AzureKv::documented_errors());
    let client = Client::new(&outside, "key_vault.py")?;
    assert_snapshot!(client.run(&["refusals", &count])?, @r"
    SecretNotFound ResourceNotFoundError
    Forbidden SecretDisabled HttpResponseError
    BadParameter HttpResponseError
    Forbidden AccessDenied HttpResponseError
    Forbidden ForbiddenByConnection HttpResponseError
    Forbidden ForbiddenByFirewall HttpResponseError
    Forbidden ForbiddenByPolicy HttpResponseError
    Forbidden ForbiddenByRbac HttpResponseError
    GatewayTimeout HttpResponseError
    InternalServerError HttpResponseError
    ServiceUnavailable HttpResponseError
    Throttled HttpResponseError
    Unauthorized ClientAuthenticationError
    VaultNotFound ResourceNotFoundError
    ---
    [exit status: 0]
    ");
    Ok(())
}

/// Plans each documented error of a call once, in this order, and tells how many there are.
fn planned<S: Service>(
    outside: &Outside<S>,
    operation: &str,
    errors: Vec<(&str, &str, Answer)>,
) -> String {
    let of_call = errors.into_iter().filter(|(of, _, _)| *of == operation);
    let planned = of_call.map(|(_, _, answer)| {
        let when = When::operation(operation);
        outside.server.fault(when, Fault::Answer(answer), Some(1));
    });
    planned.count().to_string()
}

#[test]
#[ignore = "asks Google's client: make e2e"]
fn googles_client_and_seed_see_what_the_other_stored() -> Test {
    for transport in ["rest", "grpc"] {
        let outside = Outside::secret_manager()?;
        let client = Client::new(&outside, "secret_manager.py")?;
        both_ways(&outside, "gcpsm: {project: ai-lab}", &client, &[transport])?;
    }
    Ok(())
}

#[test]
#[ignore = "asks Google's client: make e2e"]
fn what_googles_client_left_half_done_or_took_away_is_seen_as_such() -> Test {
    let outside = Outside::secret_manager()?;
    let client = Client::new(&outside, "secret_manager.py")?;
    let names = ["disabled", "destroyed"];
    client.store(&["grpc"], &names.map(|name| (name, "theirs")).into())?;
    for (what, name) in [
        ("disable", "disabled"),
        ("destroy", "destroyed"),
        ("shell", "shell"),
    ] {
        client.run(&[what, "grpc", name])?.success()?;
    }
    write(&outside, "gcpsm: {project: ai-lab}", STATES)?;
    assert_snapshot!(outside.workspace.seed("apply --yes")?, @r"
    services · gcpsm, project ai-lab, as the user of `gcloud auth application-default login`  seed.yaml

      ! disabled   there, and never written into: version 1, the newest, is disabled
      ! destroyed  there, and never written into: version 1, the newest, is destroyed
      + shell      created

    Applied: 1 created, 2 blocked.
    ---
    [exit status: 12]
    ");
    let service = outside.server.service();
    let versions = ["disabled", "destroyed", "shell"].map(|name| service.versions(name));
    assert_eq!(versions, [1, 1, 1]);
    let read = client.read(&["rest"], &["shell"])?;
    assert!(read.get("shell").is_some_and(|value| value.len() == 32));
    Ok(())
}

const STATES: &str = "
  disabled: {generate: {hex: 16}}
  destroyed: {generate: {hex: 16}}
  shell: {generate: {hex: 16}}
";

#[test]
#[ignore = "asks Azure's client: make e2e"]
fn what_azures_client_took_away_is_seen_as_such_and_brought_back_when_asked() -> Test {
    let outside = Outside::key_vault()?;
    let client = Client::new(&outside, "key_vault.py")?;
    let names = ["disabled", "deleted"];
    client.store(&[], &names.map(|name| (name, "theirs")).into())?;
    for (what, name) in [("disable", "disabled"), ("delete", "deleted")] {
        client.run(&[what, name])?.success()?;
    }
    let backend = "azure-kv: {vault: \"https://shop-prod.vault.azure.net\", pause: 4s}";
    let secrets = "\n  disabled: {generate: {hex: 16}}\n  deleted: {generate: {hex: 16}}\n";
    write(&outside, backend, secrets)?;
    let left = outside.workspace.seed("apply --yes")?;
    assert_snapshot!(dateless(&left.to_string()), @r"
    services · azure-kv, vault shop-prod.vault.azure.net, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      ! disabled  there, and never written into: it is disabled
      ! deleted   deleted, recoverable until 0000-00-00: restore it in the backend, or `seed apply --restore deleted`

    Applied: 2 blocked.
    ---
    [exit status: 12]
    ");
    let applied = outside.workspace.seed("apply --yes --restore deleted")?;
    assert_snapshot!(dateless(&applied.to_string()), @r"
    services · azure-kv, vault shop-prod.vault.azure.net, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      ! disabled  there, and never written into: it is disabled
      + deleted   restored

    Applied: 1 restored, 1 blocked.
    ---
    [exit status: 12]
    ");
    let read = client.read(&[], &["deleted"])?;
    assert!(read.get("deleted").is_some_and(|value| value == "theirs"));
    assert_eq!(outside.server.service().versions("deleted").len(), 1);
    Ok(())
}

/// Until when something is kept changes from day to day.
fn dateless(text: &str) -> String {
    let words = text.split_inclusive(|c: char| c.is_whitespace() || c == ',');
    let dated = |word: &str| word.starts_with("20") && word.matches('-').count() == 2;
    words
        .map(|word| {
            if dated(word) {
                word.replace(|c: char| c.is_ascii_digit(), "0")
            } else {
                word.to_owned()
            }
        })
        .collect()
}

#[test]
#[ignore = "asks Google's client: make e2e"]
fn a_key_that_googles_client_signs_with_lets_seed_in() -> Test {
    let outside = Outside::secret_manager()?;
    let client = Client::new(&outside, "secret_manager.py")?;
    let account = client.run(&["account", "rest"])?.success()?;
    let outside = outside.with_credentials(&account)?;
    both_ways(&outside, "gcpsm: {project: ai-lab}", &client, &["grpc"])?;
    let plan = outside.workspace.seed("plan")?.success()?;
    let who = ", as tester@ai-lab.iam.gserviceaccount.com";
    assert!(plan.contains(who), "{plan}");
    assert_eq!(outside.server.log().count("Token"), 0);
    Ok(())
}

/// A client stores one value, `seed` finds it and makes the others, and the client reads them all.
fn both_ways<S: Service>(
    outside: &Outside<S>,
    backend: &str,
    client: &Client,
    transport: &[&str],
) -> Test {
    let workspace = &outside.workspace;
    write(outside, backend, SECRETS)?;
    let theirs = BTreeMap::from([("theirs", "of-the-official-client")]);
    client.store(transport, &theirs)?;
    assert_eq!(workspace.planned("", &["keep"])?, ["theirs"]);
    assert_eq!(workspace.planned("", &["create"])?, ["ours", "url"]);
    workspace.seed("apply --yes")?.success()?;
    let read = client.read(transport, &["theirs", "ours", "url"])?;
    let value = |name: &str| read.get(name).map(String::as_str).unwrap_or_default();
    assert!(value("theirs") == "of-the-official-client");
    assert!(value("ours").len() == 32);
    assert!(value("url") == format!("https://{}:{}@db", value("theirs"), value("ours")));
    for name in ["theirs", "ours", "url"] {
        assert!(workspace.value("", name)? == value(name).as_bytes());
    }
    assert_eq!(workspace.planned("", &["create"])?, [""; 0]);
    assert_eq!(outside.proxy.refused(), [""; 0]);
    Ok(())
}

/// Writes a contract.
fn write<S: Service>(outside: &Outside<S>, backend: &str, secrets: &str) -> Test {
    let (kind, _) = backend.split_once(':').ok_or("no kind")?;
    let contract = format!(
        "version: 1\nname: services\nbackend: {kind}\nbackends: {{{backend}}}\n\
         store: {{name: secret-store}}\nsecrets:{secrets}"
    );
    outside.workspace.write("seed.yaml", &contract)
}

const SECRETS: &str = "
  theirs: {generate: {hex: 16}}
  ours: {generate: {hex: 16}}
  url: {compose: \"https://${theirs}:${ours}@db\"}
";

/// That all these names were asked, and none that is not known.
fn reached<S: Service>(outside: &Outside<S>, names: &[&str]) {
    let passed = outside.proxy.passed();
    for name in names {
        assert!(passed.contains_key(&format!("{name}:443")), "{passed:?}");
    }
    assert_eq!(outside.proxy.refused(), [""; 0]);
}
