//! `seed` finds the services under their own names: by the proxy and the authorities that the usual variables name.

use insta::assert_snapshot;
use seed_fakes::{Authority, GcpSm, Service};
use seed_tests::outside::{ENTRA, GOOGLE_TOKENS, Outside, SECRET_MANAGER, VAULT};

type Test = Result<(), String>;

const AZURE: &str = "\
version: 1
name: services
backend: azure-kv
backends: {azure-kv: {vault: \"https://shop-prod.vault.azure.net\", pause: 1s}}
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
    reached(&outside, [ENTRA, VAULT]);
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
    reached(&outside, [GOOGLE_TOKENS, SECRET_MANAGER]);
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
    reached(&outside, [GOOGLE_TOKENS, name]);
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

/// That these names were asked, and no other.
fn reached<S: Service>(outside: &Outside<S>, names: [&str; 2]) {
    let passed: Vec<String> = outside.proxy.passed().into_keys().collect();
    assert_eq!(passed, names.map(|name| format!("{name}:443")));
    assert_eq!(outside.proxy.refused(), [""; 0]);
}
