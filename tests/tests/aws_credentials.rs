//! Whose credentials `seed` uses with AWS: each way in which the AWS command line takes them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use seed_fakes::{AwsSm, Server};
use seed_tests::workspace::Workspace;

type Test = Result<(), String>;

const KEY: &str = "aws_access_key_id = AKIDPROFILE\naws_secret_access_key = secret-of-a-profile\n";

/// A workspace whose contract names a stand-in, which is STS as well, and no credentials anywhere.
///
/// Whatever is not for this machine goes to a proxy that nobody has: nothing may go there.
fn workspace(server: &Server<AwsSm>, profiles: &str) -> Result<Workspace, String> {
    let workspace = Workspace::new()?;
    let url = server.url();
    workspace.write(
        "seed.yaml",
        &format!(
            "version: 1\nname: credentials\nbackend: aws-sm\n\
             backends: {{aws-sm: {{region: eu-central-1, account: \"123456789012\", endpoint: \"{url}\"}}}}\n\
             secrets:\n  app/a: {{generate: {{hex: 16}}}}\n"
        ),
    )?;
    workspace.write("profiles", profiles)?;
    let file = workspace.root().join("profiles");
    Ok(workspace
        .variable("AWS_CONFIG_FILE", file)
        .variable("AWS_ENDPOINT_URL_STS", url)
        .variable("AWS_EC2_METADATA_DISABLED", "true")
        .variable("HTTP_PROXY", "http://127.0.0.1:1")
        .variable("HTTPS_PROXY", "http://127.0.0.1:1"))
}

/// Plans, and gives whose calls they were by the header of the plan.
fn who(workspace: &Workspace) -> Result<String, String> {
    let plan = workspace.json("plan --format json")?;
    let found = plan.pointer("/backends/0/identity");
    let found = found.and_then(serde_json::Value::as_str);
    found
        .map(str::to_owned)
        .ok_or_else(|| format!("nobody is named: {plan}"))
}

fn role(name: &str) -> String {
    format!("arn:aws:sts::123456789012:assumed-role/{name}/session")
}

const PERSON: &str = "arn:aws:iam::123456789012:user/tester";

#[test]
fn keys_come_from_variables_and_from_the_file_of_profiles() -> Test {
    let server = Server::start(AwsSm::new());
    let variables = workspace(&server, "")?
        .variable("AWS_ACCESS_KEY_ID", "AKIDVARIABLE")
        .variable("AWS_SECRET_ACCESS_KEY", "secret-of-a-variable");
    assert_eq!(who(&variables)?, PERSON);
    let usual = workspace(&server, &format!("[default]\n{KEY}"))?;
    assert_eq!(who(&usual)?, PERSON);
    let chosen = workspace(&server, &format!("[profile lab]\n{KEY}"))?;
    assert_eq!(who(&chosen.variable("AWS_PROFILE", "lab"))?, PERSON);
    Ok(())
}

#[test]
fn a_role_is_assumed_with_the_keys_of_another_profile() -> Test {
    let server = Server::start(AwsSm::new());
    let profiles = format!(
        "[profile base]\n{KEY}[profile ops]\nrole_arn = arn:aws:iam::123456789012:role/ops\nsource_profile = base\n"
    );
    let workspace = workspace(&server, &profiles)?.variable("AWS_PROFILE", "ops");
    assert_eq!(who(&workspace)?, role("ops"));
    let outcome = workspace.seed("apply")?;
    assert!(outcome.status.success(), "{outcome}");
    assert_eq!(server.service().names(), ["app/a"]);
    // One log-in for each run.
    assert_eq!(server.log().count("AssumeRole"), 2);
    Ok(())
}

#[test]
fn a_role_that_may_not_be_assumed_ends_the_run_with_a_next_step() -> Test {
    let server = Server::start(AwsSm::new());
    let profiles = format!(
        "[profile base]\n{KEY}[profile ops]\nrole_arn = arn:aws:iam::999999999999:role/ops\nsource_profile = base\n"
    );
    let workspace = workspace(&server, &profiles)?.variable("AWS_PROFILE", "ops");
    let outcome = workspace.seed("plan")?;
    assert!(!outcome.status.success(), "{outcome}");
    assert!(
        outcome.stderr.contains("a role that may not be assumed"),
        "{outcome}"
    );
    assert_eq!(server.log().count("ListSecrets"), 0);
    Ok(())
}

#[test]
fn a_pod_shows_its_web_identity() -> Test {
    let server = Server::start(AwsSm::new());
    let workspace = workspace(&server, "")?;
    workspace.write("token", AwsSm::WEB_TOKEN)?;
    let file = workspace.root().join("token");
    let workspace = workspace
        .variable("AWS_WEB_IDENTITY_TOKEN_FILE", file)
        .variable("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod")
        .variable("AWS_ROLE_SESSION_NAME", "session");
    assert_eq!(who(&workspace)?, role("pod"));
    let log = server.log();
    let calls: Vec<&str> = log.0.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(
        calls,
        [
            "AssumeRoleWithWebIdentity",
            "GetCallerIdentity",
            "ListSecrets",
            "DescribeSecret"
        ]
    );
    Ok(())
}

#[test]
fn a_container_asks_at_the_address_that_it_was_given() -> Test {
    let server = Server::start(AwsSm::new());
    let address = format!("{}/credentials", server.url());
    let workspace = workspace(&server, "")?
        .variable("AWS_CONTAINER_CREDENTIALS_FULL_URI", address)
        .variable("AWS_CONTAINER_AUTHORIZATION_TOKEN", AwsSm::CONTAINER_TOKEN);
    assert_eq!(who(&workspace)?, role("container"));
    Ok(())
}

#[test]
fn an_instance_asks_its_metadata() -> Test {
    let server = Server::start(AwsSm::new());
    let workspace = workspace(&server, "")?
        .variable("AWS_EC2_METADATA_DISABLED", "false")
        .variable("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url());
    assert_eq!(who(&workspace)?, role("instance"));
    Ok(())
}

#[test]
fn a_process_gives_credentials_and_a_role_may_be_assumed_with_them() -> Test {
    let server = Server::start(AwsSm::new());
    let workspace = workspace(&server, "")?;
    let login = workspace.root().join("login");
    let key = r#"{"Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": "x"}"#;
    fs::write(&login, format!("#!/bin/sh\necho '{key}'\n")).map_err(|err| err.to_string())?;
    fs::set_permissions(&login, fs::Permissions::from_mode(0o700))
        .map_err(|err| err.to_string())?;
    let login = login.display();
    workspace.write(
        "profiles",
        &format!(
            "[profile lab]\ncredential_process = {login}\n\
             [profile ops]\nrole_arn = arn:aws:iam::123456789012:role/ops\nsource_profile = lab\n"
        ),
    )?;
    let workspace = workspace.variable("AWS_PROFILE", "lab");
    assert_eq!(who(&workspace)?, PERSON);
    assert_eq!(who(&workspace.variable("AWS_PROFILE", "ops"))?, role("ops"));
    Ok(())
}
