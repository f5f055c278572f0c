//! What a service would not take is refused before the first write, with the key named.

use seed_fakes::vault::Vault;
use seed_fakes::{AwsSm, AzureKv, GcpSm, Kubernetes, Server};
use seed_tests::stands::{Stand, World};
use serde_json::json;

type Test = Result<(), String>;

#[test]
fn vault_is_given_no_byte_and_no_letter_too_much() -> Test {
    refuses::<Vault>(1_048_576, "value", 512)
}

#[test]
fn kubernetes_is_given_no_byte_and_no_letter_too_much() -> Test {
    refuses::<Kubernetes>(1_048_576, "value", 253)
}

#[test]
fn aws_sm_is_given_no_byte_and_no_letter_too_much() -> Test {
    refuses::<AwsSm>(65_536, "", 512)
}

#[test]
fn azure_kv_is_given_no_byte_and_no_letter_too_much() -> Test {
    refuses::<AzureKv>(25_600, "", 127)
}

#[test]
fn gcpsm_is_given_no_byte_and_no_letter_too_much() -> Test {
    refuses::<GcpSm>(65_536, "", 255)
}

/// The largest entry that the service takes, the name that counts as a part of it, and the longest name.
fn refuses<S: Stand>(bytes: usize, counted: &str, letters: usize) -> Test {
    let largest = bytes - counted.len();
    for (size, fits) in [(largest, true), (largest + 1, false)] {
        let text = "x".repeat(size);
        let secrets = format!("  small: {{generate: {{hex: 16}}}}\n  big: {{value: \"{text}\"}}\n");
        let world = World::<S>::new(&secrets)?;
        let outcome = world.workspace.seed("apply --no-input")?;
        let kept = world.server.service().kept().len();
        if fits {
            assert!(outcome.status.success() && kept == 2, "{outcome}");
        } else {
            assert_eq!((outcome.status.code(), kept), (Some(2), 0), "{outcome}");
            assert!(outcome.stderr.contains("`big`"), "{outcome}");
        }
    }
    for (name, fits) in [
        ("a".repeat(letters), true),
        ("a".repeat(letters + 1), false),
        ("a b".to_owned(), false),
    ] {
        let secrets = format!(
            "  small: {{generate: {{hex: 16}}}}\n  far: {{key: \"{name}\", generate: {{hex: 16}}}}\n"
        );
        let world = World::<S>::new(&secrets)?;
        let outcome = world.workspace.seed("apply --no-input")?;
        let kept = world.server.service().kept().len();
        if fits {
            assert!(outcome.status.success() && kept == 2, "{outcome}");
        } else {
            assert_eq!((outcome.status.code(), kept), (Some(2), 0), "{outcome}");
            assert!(outcome.stderr.contains("far:"), "{outcome}");
            assert!(world.server.log().is_empty(), "{outcome}");
        }
    }
    Ok(())
}

#[test]
fn a_text_of_literals_that_is_too_large_is_refused_before_the_first_write() -> Test {
    let half = "x".repeat(40_000);
    let secrets = format!(
        "  small: {{generate: {{hex: 16}}}}\n  half: {{value: \"{half}\"}}\n  \
         big: {{compose: \"${{half}}${{half}}\"}}\n"
    );
    let world = World::<AwsSm>::new(&secrets)?;
    let outcome = world.workspace.seed("apply --no-input")?;
    let kept = world.server.service().kept().len();
    assert_eq!((outcome.status.code(), kept), (Some(2), 0), "{outcome}");
    let told = "the value of `big` is wrong; nothing was written\n  caused by: the entry has 80000 bytes as it is stored; aws-sm takes at most 65536";
    assert!(outcome.stderr.contains(told), "{outcome}");
    Ok(())
}

#[test]
fn a_label_that_kubernetes_does_not_take_is_refused_before_any_call() -> Test {
    for (settings, secrets) in [
        (
            json!({"labels": {"no label": "x"}}),
            "  a: {generate: {hex: 16}}\n",
        ),
        (
            json!({}),
            "  a: {generate: {hex: 16}, labels: {no label: x}}\n",
        ),
    ] {
        let server = Server::start(Kubernetes::empty());
        let world = World::on(server, &settings, secrets)?;
        for command in ["plan", "apply --no-input"] {
            let outcome = world.workspace.seed(command)?;
            assert_eq!(outcome.status.code(), Some(2), "{outcome}");
            assert!(outcome.stderr.contains("`no label`"), "{outcome}");
        }
        assert!(world.server.log().is_empty());
    }
    Ok(())
}
