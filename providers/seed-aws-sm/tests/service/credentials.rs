//! Where credentials come from.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use seed_aws_sm::{AwsSm as Adapter, Credentials};
use seed_fakes::{AwsSm, Server};
use seed_provider::{ErrorKind, Provider as _};

use crate::support::{config, policy};

fn script(directory: &Path, text: &str) -> String {
    let file = directory.join("login");
    std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700)).unwrap();
    file.display().to_string()
}

fn adapter(server: &Server<AwsSm>, profiles: &Path, withheld: &[&str]) -> Adapter {
    let mut config = config(&server.url());
    config.credentials = Credentials::Usual;
    config.profile = Some("lab".to_owned());
    config.surroundings.config_file = Some(profiles.to_owned());
    config.surroundings.withheld = withheld.iter().map(|name| (*name).to_owned()).collect();
    Adapter::new(config, policy()).unwrap()
}

#[tokio::test]
async fn a_process_that_logs_in_sees_no_variable_that_is_withheld() {
    let server = Server::start(AwsSm::new());
    let directory = tempfile::tempdir().unwrap();
    let seen = directory.path().join("seen");
    let key = r#"{"Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": "x"}"#;
    let text = format!("env > {}; echo '{key}'", seen.display());
    let login = script(directory.path(), &text);
    let profiles = directory.path().join("config");
    std::fs::write(
        &profiles,
        format!("[profile lab]\ncredential_process = {login} --quiet\n"),
    )
    .unwrap();
    for withheld in [&[][..], &["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME"]] {
        let adapter = adapter(&server, &profiles, withheld);
        adapter.identify().await.unwrap();
        let variables = std::fs::read_to_string(&seen).unwrap();
        assert!(variables.contains("\nPATH=") || variables.starts_with("PATH="));
        // cargo gives these to every test, so the first round shows that they would be seen.
        assert_eq!(
            variables.contains("CARGO_MANIFEST_DIR="),
            withheld.is_empty()
        );
        assert_eq!(variables.contains("CARGO_PKG_NAME="), withheld.is_empty());
    }
}

#[tokio::test]
async fn credentials_that_cannot_be_had_are_no_matter_of_patience() {
    let server = Server::start(AwsSm::new());
    let directory = tempfile::tempdir().unwrap();
    let login = script(directory.path(), "echo canary >&2; exit 1");
    let profiles = directory.path().join("config");
    for (text, why) in [
        (
            format!("[profile lab]\ncredential_process = {login}\n"),
            "cannot be loaded",
        ),
        (
            "[profile lab]\nregion = eu-central-1\n".to_owned(),
            "no AWS credentials are found",
        ),
    ] {
        std::fs::write(&profiles, text).unwrap();
        let err = adapter(&server, &profiles, &[])
            .identify()
            .await
            .unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unauthenticated, "{err}");
        assert!(err.message().contains(why), "{err}");
        assert!(!format!("{err} {err:?}").contains("canary"));
    }
    assert!(server.log().is_empty());
    std::fs::write(&profiles, "[profile other]\nregion = eu-central-1\n").unwrap();
    let mut config = config(&server.url());
    config.profile = Some("lab".to_owned());
    config.surroundings.config_file = Some(profiles);
    let err = Adapter::new(config, policy()).unwrap_err();
    assert_eq!(err.to_string(), "there is no AWS profile `lab`");
}
