//! A run that somebody wants to stop.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use insta::{allow_duplicates, assert_snapshot};
use rustix::process::Signal;
use seed_tests::binary::seed_binary;
use seed_tests::cli::Sealed;
use seed_tests::workspace::Workspace;

type Test = Result<(), String>;

const HELD: &str = "version: 1\nname: held\nbackend: local\nsecrets:\n  a: {generate: {hex: 8}}\n";

/// Somebody else holds the lock of the store, so that a write neither ends nor fails.
#[test]
fn a_second_signal_ends_the_waiting_and_says_what_is_uncertain() -> Test {
    for (first, second) in [(Signal::INT, Signal::INT), (Signal::TERM, Signal::INT)] {
        let workspace = Workspace::new()?;
        workspace.write("seed.yaml", HELD)?;
        workspace.seed("apply")?.success()?;
        let more = format!(
            "{HELD}  b: {{generate: {{hex: 8}}}}\nfiles: {{secrets/a: {{text: \"${{a}}\"}}}}\n"
        );
        workspace.write("seed.yaml", &more)?;
        let lock = workspace.root().join(".seed/held.age.lock");
        let held = File::open(&lock).map_err(|err| err.to_string())?;
        held.lock().map_err(|err| err.to_string())?;

        let shell = Sealed::new("/bin/sh".as_ref())?;
        let config = workspace.home().join(".config");
        let shell = shell.variable("XDG_CONFIG_HOME", config);
        let said = workspace.root().join("said");
        let script = "exec \"$0\" apply 2>said";
        let seed = seed_binary()?;
        let words = ["-c".as_ref(), script.as_ref(), seed.as_os_str()];
        let running = shell.start(workspace.root(), words)?;
        let process = format!("/proc/{}/fd", running.id());
        until("the write waits for the lock", || {
            holds(Path::new(&process), &lock)
        })?;
        running.signal(first)?;
        until("the run says what it waits for", || {
            fs::read_to_string(&said).is_ok_and(|text| text.contains("stopping"))
        })?;
        running.signal(second)?;
        let outcome = running.finish()?;
        allow_duplicates!(assert_snapshot!(outcome, @"
        held · local, file .seed/held.age                             seed.yaml

          ! b  uncertain: store `b`: the run was stopped before the answer came

        Applied: 1 exists, 1 uncertain.

          Files:
            secrets/a: not tried: the run was stopped
        ---
        [exit status: 4]
        "));
        let said = fs::read_to_string(&said).map_err(|err| err.to_string())?;
        let line = "  stopping: waiting at most 30 s for the answers about `b`; Ctrl-C again stops at once\n";
        assert_eq!(said, line);
        // The lock is free again, and the next run finishes.
        held.unlock().map_err(|err| err.to_string())?;
        workspace.seed("apply")?.success()?;
        assert!(workspace.root().join("secrets/a").exists());
    }
    Ok(())
}

fn holds(descriptors: &Path, file: &Path) -> bool {
    let Ok(entries) = fs::read_dir(descriptors) else {
        return false;
    };
    let wanted = file.canonicalize().ok();
    let links = entries
        .flatten()
        .map(|entry| fs::read_link(entry.path()).ok());
    let mut links = links.flatten();
    links.any(|link| Some(link) == wanted)
}

fn until(what: &str, mut holds: impl FnMut() -> bool) -> Test {
    let begin = Instant::now();
    while !holds() {
        if begin.elapsed() > Duration::from_mins(1) {
            return Err(format!("it never happened that {what}"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
