//! Runs that are killed at a system call, or whose system call fails, one after the other, under strace.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use seed_tests::binary::seed_binary;
use seed_tests::cli::{Outcome, Sealed};
use seed_tests::store::{self, Values};
use seed_tests::workspace::Workspace;

type Test = Result<(), String>;

/// Every system call by which a run changes the disk.
const CALLS: [&str; 6] = ["mkdir", "write", "fsync", "rename", "linkat", "unlink"];

/// What is stored before, what should be afterwards, and what is run for that.
struct Scenario {
    before: &'static str,
    after: &'static str,
    command: &'static str,
}

const FIRST: Scenario = Scenario {
    before: "",
    after: "  one: {generate: {hex: 8}}\n",
    command: "apply",
};

const ENTRY: Scenario = Scenario {
    before: "  one: {generate: {hex: 8}}\n",
    after: "  one: {generate: {hex: 8}}\n  two: {compose: \"${one}!\"}\n",
    command: "apply",
};

const FIELD: Scenario = Scenario {
    before: "  one:\n    fields:\n      a: {generate: {hex: 8}}\n",
    after: "  one:\n    fields:\n      a: {generate: {hex: 8}}\n      b: {compose: \"${a}!\"}\n",
    command: "apply",
};

const FILES: Scenario = Scenario {
    before: "  one: {generate: {hex: 8}}\nfiles:\n  secrets/deep/old: {text: \"${one}\\n\"}\n",
    after: "  one: {generate: {hex: 8}}\nfiles:\n  secrets/deep/old: {text: \"${one} changed\\n\"}\n  \
            secrets/new/file: {json: {one: \"${one}\"}}\n",
    command: "files --force",
};

#[test]
#[ignore = "kills a run with strace: make e2e"]
fn a_first_run_killed_at_any_system_call_can_be_run_again() -> Test {
    FIRST.killed_at_each_call()
}

#[test]
#[ignore = "kills a run with strace: make e2e"]
fn a_new_entry_killed_at_any_system_call_leaves_the_old_or_the_new() -> Test {
    ENTRY.killed_at_each_call()
}

#[test]
#[ignore = "kills a run with strace: make e2e"]
fn a_new_field_killed_at_any_system_call_leaves_the_old_or_the_new() -> Test {
    FIELD.killed_at_each_call()
}

#[test]
#[ignore = "kills a run with strace: make e2e"]
fn files_killed_at_any_system_call_are_the_old_or_the_new() -> Test {
    FILES.killed_at_each_call()
}

#[test]
#[ignore = "lets system calls fail with strace: make e2e"]
fn a_first_run_on_a_disk_that_fails_anywhere_can_be_run_again() -> Test {
    FIRST.failed_at_each_call()
}

#[test]
#[ignore = "lets system calls fail with strace: make e2e"]
fn files_on_a_disk_that_fails_anywhere_are_the_old_or_the_new() -> Test {
    FILES.failed_at_each_call()
}

impl Scenario {
    fn killed_at_each_call(&self) -> Test {
        for call in CALLS {
            let mut killed = 0;
            let mut untouched = 0;
            for nth in 1.. {
                let outcome =
                    self.disturbed(&format!("inject={call}:signal=SIGKILL:when={nth}"))?;
                if outcome.status.signal() == Some(9) {
                    killed += 1;
                    untouched = 0;
                    continue;
                }
                outcome.success()?;
                untouched += 1;
                // One run makes more calls than another: what age writes first is of a random length.
                if untouched > 4 {
                    break;
                }
            }
            let everywhere = ["write", "fsync"].contains(&call);
            assert!(killed > 0 || !everywhere, "no {call} was hit");
        }
        Ok(())
    }

    fn failed_at_each_call(&self) -> Test {
        for (call, error) in [
            ("fsync", "EIO"),
            ("rename", "ENOSPC"),
            ("linkat", "EDQUOT"),
            ("mkdir", "EROFS"),
            ("flock", "ENOLCK"),
        ] {
            let mut failed = 0;
            // More than any of these runs makes of one of these calls.
            for nth in 1..10 {
                let fault = format!("inject={call}:error={error}:when={nth}");
                let outcome = self.disturbed(&fault)?;
                let code = outcome.status.code();
                assert!(matches!(code, Some(0 | 1 | 4)), "{fault}: {outcome}");
                failed += usize::from(code != Some(0));
            }
            assert!(failed > 0 || call != "fsync", "no {call} failed");
        }
        Ok(())
    }

    /// Prepares what was there, runs with a fault, judges what is left, runs again, and judges that.
    fn disturbed(&self, fault: &str) -> Result<Outcome, String> {
        let workspace = Workspace::new()?;
        let about = |what: String| format!("{fault}: {what}");
        if !self.before.is_empty() {
            workspace.write("calls.yaml", &contract(self.before))?;
            workspace.seed("apply -c calls.yaml")?.success()?;
        }
        let old = stored(&workspace).map_err(about)?;
        workspace.write("calls.yaml", &contract(self.after))?;
        let outcome = strace(&workspace, fault, self.command)?;
        let between = stored(&workspace).map_err(about)?;
        kept(&old, &between).map_err(about)?;
        files_are_whole(&workspace, &between).map_err(about)?;
        workspace
            .seed(&format!("{} -c calls.yaml", self.command))?
            .success()
            .map_err(about)?;
        let new = stored(&workspace).map_err(about)?;
        kept(&between, &new).map_err(about)?;
        files_are_whole(&workspace, &new).map_err(about)?;
        let keys = self.after.matches("generate").count() + self.after.matches("compose").count();
        if new.len() != keys {
            return Err(about(format!("{} of {keys} keys are there", new.len())));
        }
        Ok(outcome)
    }
}

fn contract(rest: &str) -> String {
    let rest = rest.trim_start_matches('\n');
    format!(
        "version: 1\nname: calls\nbackend: local\nbackends: {{local: {{file: .seed/calls.age}}}}\nsecrets:\n{rest}"
    )
}

/// Runs `seed apply` under strace, which disturbs one call.
fn strace(workspace: &Workspace, fault: &str, command: &str) -> Result<Outcome, String> {
    let sealed = Sealed::new(Path::new("strace"))?.variable("HOME", workspace.home());
    let binary = seed_binary()?.display().to_string();
    let options = ["-f", "-q", "-o", "/dev/null", "-e", fault, &binary];
    let arguments = options
        .into_iter()
        .chain(command.split(' '))
        .chain(["-c", "calls.yaml"]);
    sealed.run(workspace.root(), arguments)
}

fn stored(workspace: &Workspace) -> Result<Values, String> {
    let identity = workspace.home().join(".config/seed/identity.txt");
    store::values(&workspace.root().join(".seed/calls.age"), &identity)
}

fn kept(before: &Values, after: &Values) -> Test {
    match before
        .iter()
        .find(|(key, value)| after.get(*key) != Some(*value))
    {
        Some((key, _)) => Err(format!("{key} is not what it was")),
        None => Ok(()),
    }
}

/// Each file is what it was or what it should be, and for its owner only.
fn files_are_whole(workspace: &Workspace, values: &Values) -> Test {
    let one = values
        .get("one")
        .map(|one| String::from_utf8_lossy(one).into_owned());
    let one = one.unwrap_or_default();
    let expected = [
        (
            "secrets/deep/old",
            vec![format!("{one}\n"), format!("{one} changed\n")],
        ),
        (
            "secrets/new/file",
            vec![format!("{{\n  \"one\": \"{one}\"\n}}\n")],
        ),
    ];
    for (path, expected) in expected {
        let path = workspace.root().join(path);
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let mode = fs::metadata(&path)
            .map_err(|err| err.to_string())?
            .permissions()
            .mode();
        if !expected.contains(&text) || mode & 0o077 != 0 {
            return Err(format!("{} is half there", path.display()));
        }
    }
    Ok(())
}
