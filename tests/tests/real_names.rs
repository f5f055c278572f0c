//! `seed` finds the services under their own names: by the proxy and the authorities that the usual variables name.

use insta::assert_snapshot;
use seed_fakes::{Authority, GcpSm, Service};
use seed_tests::outside::{
    ENTRA, GOOGLE_EXCHANGE, GOOGLE_TOKENS, Outside, SECRET_MANAGER, SERVICE_ACCOUNTS, VAULT,
};

type Test = Result<(), String>;

const AZURE: &str = "\
version: 1
name: services
backend: azure-kv
backends: {azure-kv: {vault: \"https://shop-prod.vault.azure.net\", pause: 4s}}
store: {name: secret-store}
secrets:
  api-key: {generate: {hex: 16}}
  db: {fields: {USER: {value: app}, PASSWORD: {generate: {hex: 16}}}}
";

#[test]
fn a_vault_is_reached_through_a_proxy_and_by_a_named_authority() -> Test {
    let outside = Outside::key_vault()?;
    outside.workspace.write("seed.yaml", AZURE)?;
    assert_snapshot!(outside.workspace.seed("apply --yes")?, @r"
    services · azure-kv, vault shop-prod.vault.azure.net, as application 99999999-8888-7777-6666-555555555555  seed.yaml

      + api-key      created
      + db#USER      created
      + db#PASSWORD  created

    Applied: 3 created.
    ---
    [exit status: 0]
    ");
    assert_snapshot!(outside.workspace.seed("apply --yes")?, @r"
    services · azure-kv, vault shop-prod.vault.azure.net, as application 99999999-8888-7777-6666-555555555555  seed.yaml

    Applied: 3 exist.
    ---
    [exit status: 0]
    ");
    assert_eq!(outside.server.service().names(), ["api-key", "db"]);
    reached(&outside, &[ENTRA, VAULT]);
    Ok(())
}

#[test]
fn a_vault_whose_authority_nobody_named_gets_nothing() -> Test {
    let outside = distrusting(Outside::key_vault()?)?;
    outside.workspace.write("seed.yaml", AZURE)?;
    assert_snapshot!(outside.workspace.seed("apply --yes")?, @r"
    services · azure-kv, vault shop-prod.vault.azure.net          seed.yaml

    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: the client secret of the environment: the server's certificate is not trusted: its issuer is unknown; name its authority in `SSL_CERT_FILE`
    hint: correct AZURE_CLIENT_ID and what goes with it; where it is not set, log in with `az login`
    [exit status: 1]
    ");
    assert!(outside.server.log().is_empty());
    Ok(())
}

const GOOGLE: &str = "\
version: 1
name: services
backend: gcpsm
backends: {gcpsm: {project: ai-lab}}
store: {name: secret-store}
secrets:
  api-key: {generate: {hex: 16}}
  db: {fields: {USER: {value: app}, PASSWORD: {generate: {hex: 16}}}}
";

#[test]
fn secret_manager_is_reached_through_a_proxy_and_by_a_named_authority() -> Test {
    let outside = Outside::secret_manager()?;
    outside.workspace.write("seed.yaml", GOOGLE)?;
    assert_snapshot!(outside.workspace.seed("apply --yes")?, @r"
    services · gcpsm, project ai-lab, as the user of `gcloud auth application-default login`  seed.yaml

      + api-key      created
      + db#USER      created
      + db#PASSWORD  created

    Applied: 3 created.
    ---
    [exit status: 0]
    ");
    assert_snapshot!(outside.workspace.seed("apply --yes")?, @r"
    services · gcpsm, project ai-lab, as the user of `gcloud auth application-default login`  seed.yaml

    Applied: 3 exist.
    ---
    [exit status: 0]
    ");
    assert_eq!(outside.server.service().names(), ["api-key", "db"]);
    reached(&outside, &[GOOGLE_TOKENS, SECRET_MANAGER]);
    Ok(())
}

#[test]
fn a_region_of_secret_manager_is_reached_under_a_name_of_its_own() -> Test {
    let name = "secretmanager.europe-west3.rep.googleapis.com";
    let outside = Outside::secret_manager_at(name, GcpSm::regional("europe-west3"))?;
    let region = GOOGLE.replace("project: ai-lab", "project: ai-lab, location: europe-west3");
    outside.workspace.write("seed.yaml", &region)?;
    outside.workspace.seed("apply --yes")?.success()?;
    assert_eq!(outside.server.service().names(), ["api-key", "db"]);
    reached(&outside, &[GOOGLE_TOKENS, name]);
    Ok(())
}

#[test]
fn every_kind_of_googles_credentials_gets_its_token_where_it_is_given() -> Test {
    let pool = "an identity of a workload identity pool";
    let account = "deploy@ai-lab.iam.gserviceaccount.com";
    let exchanged = vec![SECRET_MANAGER, GOOGLE_EXCHANGE];
    let both = vec![SERVICE_ACCOUNTS, SECRET_MANAGER, GOOGLE_EXCHANGE];
    let impersonated = vec![SERVICE_ACCOUNTS, GOOGLE_TOKENS, SECRET_MANAGER];
    for (json, who, names) in [
        (FEDERATED.replace(",$IMPERSONATION", ""), pool, exchanged),
        (
            FEDERATED.replace("$IMPERSONATION", IMPERSONATION),
            account,
            both,
        ),
        (
            IMPERSONATED.replace("$IMPERSONATION", IMPERSONATION),
            account,
            impersonated,
        ),
    ] {
        let outside = Outside::secret_manager()?.with_credentials(&json)?;
        outside.workspace.write("subject", GcpSm::SUBJECT_TOKEN)?;
        outside.workspace.write("seed.yaml", GOOGLE)?;
        let told = outside.workspace.seed("apply --yes")?.success()?;
        assert!(told.contains(&format!(", as {who}")), "{told}");
        assert_eq!(outside.server.service().names(), ["api-key", "db"]);
        reached(&outside, &names);
    }
    Ok(())
}

const FEDERATED: &str = r#"{
  "type": "external_account",
  "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
  "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
  "token_url": "https://sts.googleapis.com/v1/token",
  "credential_source": {"file": "$ROOT/subject"},$IMPERSONATION
}"#;

const IMPERSONATED: &str = r#"{
  "type": "impersonated_service_account",
  "source_credentials": {
    "type": "authorized_user", "client_id": "1", "client_secret": "2", "refresh_token": "3"
  },$IMPERSONATION
}"#;

const IMPERSONATION: &str = r#"
  "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/deploy@ai-lab.iam.gserviceaccount.com:generateAccessToken""#;

#[test]
fn a_program_that_gives_a_token_sees_no_value() -> Test {
    let outside = Outside::secret_manager()?.with_credentials(PROGRAM)?;
    let script = PROGRAM_SCRIPT.replace("$TOKEN", GcpSm::SUBJECT_TOKEN);
    outside.workspace.write("tool", &script)?;
    outside.workspace.write("seed.yaml", GIVEN)?;
    let outside = outside
        .variable("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1")
        .variable("SEED_VALUE_GIVEN", "canary-of-a-test")
        .variable("ANOTHER", "another-canary");
    outside.workspace.seed("apply --yes")?.success()?;
    let stored = outside.server.service().value("given");
    assert!(stored.as_deref() == Some("canary-of-a-test"));
    let seen = outside.workspace.read("seen")?;
    assert!(seen.contains("SSL_CERT_FILE="), "it saw nothing at all");
    assert!(!seen.contains("canary"), "it saw a value");
    Ok(())
}

const PROGRAM: &str = r#"{
  "type": "external_account",
  "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
  "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
  "token_url": "https://sts.googleapis.com/v1/token",
  "credential_source": {"executable": {"command": "/bin/sh $ROOT/tool $ROOT/seen"}}
}"#;

const PROGRAM_SCRIPT: &str = r#"
env > "$1"
echo '{"version": 1, "success": true, "token_type": "urn:ietf:params:oauth:token-type:jwt", "id_token": "$TOKEN"}'
"#;

const GIVEN: &str = "\
version: 1
name: services
backend: gcpsm
backends: {gcpsm: {project: ai-lab}}
store: {name: secret-store}
secrets:
  given: {provide: {how: a person}}
";

#[test]
fn a_machines_own_account_is_asked_for_beside_the_proxy() -> Test {
    let outside = Outside::secret_manager_without_credentials(SECRET_MANAGER, GcpSm::new())?;
    let machine = outside.server.address().to_string();
    let outside = outside.variable("GCE_METADATA_HOST", machine);
    outside.workspace.write("seed.yaml", GOOGLE)?;
    let told = outside.workspace.seed("apply --yes")?.success()?;
    assert!(told.contains(", as the account of this machine"), "{told}");
    assert_eq!(outside.server.service().names(), ["api-key", "db"]);
    reached(&outside, &[SECRET_MANAGER]);
    Ok(())
}

#[test]
fn secret_manager_whose_authority_nobody_named_gets_nothing() -> Test {
    let outside = distrusting(Outside::secret_manager()?)?;
    outside.workspace.write("seed.yaml", GOOGLE)?;
    assert_snapshot!(outside.workspace.seed("apply --yes")?, @r"
    services · gcpsm, project ai-lab, as the user of `gcloud auth application-default login`  seed.yaml

    ---
    error: cannot ask the backend `gcpsm`
      caused by: find out where and as whom: no token for Google Cloud could be had: the certificate of the server that gives it is not trusted; name its authority with SSL_CERT_FILE
    [exit status: 1]
    ");
    assert!(outside.server.log().is_empty());
    Ok(())
}

/// The same, where another authority is named than that of the servers.
fn distrusting<S: Service>(outside: Outside<S>) -> Result<Outside<S>, String> {
    let file = "other.pem";
    outside.workspace.write(file, &Authority::new().pem())?;
    let other = outside.workspace.root().join(file);
    Ok(outside.variable("SSL_CERT_FILE", other))
}

/// That these names were asked, and no other but the one that Google's libraries may ask in the background.
fn reached<S: Service>(outside: &Outside<S>, names: &[&str]) {
    let mut passed: Vec<String> = outside.proxy.passed().into_keys().collect();
    let names: Vec<String> = names.iter().map(|name| format!("{name}:443")).collect();
    passed.retain(|name| !name.starts_with(SERVICE_ACCOUNTS) || names.contains(name));
    assert_eq!(passed, names);
    assert_eq!(outside.proxy.refused(), [""; 0]);
}
