//! `seed` finds the services under their own names: by the proxy and the authorities that the usual variables name.

use insta::assert_snapshot;
use seed_fakes::Authority;
use seed_tests::outside::{ENTRA, Outside, VAULT};

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
    let names: Vec<String> = outside.proxy.passed().into_keys().collect();
    assert_eq!(names, [format!("{ENTRA}:443"), format!("{VAULT}:443")]);
    assert!(outside.proxy.refused().is_empty());
    Ok(())
}

#[test]
fn a_vault_whose_authority_nobody_named_gets_nothing() -> Test {
    let outside = Outside::key_vault()?;
    outside.workspace.write("seed.yaml", AZURE)?;
    outside
        .workspace
        .write("other.pem", &Authority::new().pem())?;
    let other = outside.workspace.root().join("other.pem");
    let outside = outside.variable("SSL_CERT_FILE", other);
    assert_snapshot!(outside.workspace.seed("apply --yes")?, @r"
    services · azure-kv, vault shop-prod.vault.azure.net          seed.yaml

    ---
    error: cannot ask the backend `azure-kv`
      caused by: find out where and as whom: the client secret of the environment: the server's certificate is not trusted (BadSignature); name its authority in `SSL_CERT_FILE`
    hint: log in with `az login`
    [exit status: 1]
    ");
    assert!(outside.server.log().is_empty());
    Ok(())
}
