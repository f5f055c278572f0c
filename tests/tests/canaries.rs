//! Values that a person gives, and values that are drawn, are nowhere but where they belong: not in what is printed, not in an
//! argument or a variable of any process, not in a file.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use insta::assert_snapshot;
use seed_tests::cli::Outcome;
use seed_tests::search::leaks;
use seed_tests::terminal::Conversation;
use seed_tests::workspace::Workspace;
use tempfile::TempDir;

type Test = Result<(), String>;

const CONTRACT: &str = r#"version: 1
name: canaries
backend: local
backends: {local: {file: .seed/canaries.age}, gcpsm: {project: example}}
store: {name: secret-store}
secrets:
  generated: {generate: {base64: 32}}
  by-prompt: {provide: {how: somebody}, check: {min: 12}}
  by-stdin: {provide: {how: somebody}, check: {min: 12}}
  by-file: {provide: {how: somebody}, check: {min: 12}}
  by-variable: {provide: {how: somebody, env: BY_VARIABLE}, check: {min: 12}}
  by-values: {provide: {how: somebody}, optional: true, check: {min: 12}}
  by-named: {provide: {how: somebody, env: BY_NAMED}, optional: true, check: {min: 12}}
  by-key: {provide: {how: somebody}, optional: true, check: {min: 12}}
  by-provided: {provide: {how: somebody, file: provided/by-provided}, optional: true, check: {min: 12}}
  url: {compose: "postgresql://app:${by-prompt | urlencode}@db/${by-stdin | base64}"}
  hash: {derive: {bcrypt: {of: generated, cost: 4}}}
targets:
  app/app:
    data: {config.json: "{\"a\": ${by-prompt | json}, \"b\": ${url | json}}", plain: "${by-file}"}
files:
  secrets/all.json: {json: {a: "${by-prompt}", b: "${by-stdin}", c: "${by-file}", d: "${by-variable}"}}
"#;

/// A value that looks different in every encoding.
fn canary(name: &str) -> String {
    format!("cAn4ry-{name}-\"q\\ /+%é-7f3a9c51")
}

/// Everything that could show a value, by where it was seen.
struct Watch {
    workspace: Workspace,
    seen: BTreeMap<String, Vec<u8>>,
    /// Given values, and what the program called of git, outside of where the program may write.
    aside: TempDir,
}

impl Watch {
    fn new() -> Result<Self, String> {
        let aside = tempfile::tempdir().map_err(|err| err.to_string())?;
        let git = aside.path().join("bin/git");
        let journal = aside.path().join("journal").display().to_string();
        let script = format!(
            "#!/bin/sh\nexec 3>>{journal}\nprintf '%s\\0' \"$0\" \"$@\" >&3\n\
             cat /proc/$$/environ /proc/$PPID/cmdline >&3\n\
             PATH=${{PATH#*:}} exec git \"$@\"\n"
        );
        fs::create_dir(aside.path().join("bin")).map_err(|err| err.to_string())?;
        fs::write(&git, script).map_err(|err| err.to_string())?;
        fs::set_permissions(&git, fs::Permissions::from_mode(0o755))
            .map_err(|err| err.to_string())?;
        let path = format!(
            "{}:/usr/local/bin:/usr/bin:/bin",
            aside.path().join("bin").display()
        );
        let workspace = Workspace::new()?.variable("PATH", path);
        workspace.write("seed.yaml", CONTRACT)?;
        workspace.write(".gitignore", "/secrets/\n/.seed/\n/provided/\n")?;
        let seen = BTreeMap::new();
        let watch = Self {
            workspace,
            seen,
            aside,
        };
        watch
            .workspace
            .shell()?
            .run("git init --quiet")?
            .success()?;
        Ok(watch)
    }

    fn path(&self, name: &str) -> String {
        self.aside.path().join(name).display().to_string()
    }

    fn note(&mut self, name: &str, outcome: &Outcome) {
        let mut said = outcome.stdout_bytes.clone();
        said.extend(outcome.stderr.as_bytes());
        let known = self.seen.insert(name.to_owned(), said);
        assert!(known.is_none(), "{name} twice");
    }

    /// Runs `seed`, and notes what it says.
    fn run(&mut self, code: i32, line: &str) -> Test {
        let outcome = self.workspace.seed(&format!("{line} -vvv"))?;
        self.note(line, &outcome);
        expect(&outcome, code)
    }

    /// Runs a line of a shell with the journalling git, a value in a file named `given` and in `$GIVEN`.
    fn shell(&mut self, code: i32, name: &str, value: &str, line: &str) -> Test {
        fs::write(self.path("given"), value).map_err(|err| err.to_string())?;
        let bin = self.path("bin");
        let given = self.path("given");
        let script = format!("export PATH=\"{bin}:$PATH\"\ngiven={given}\n{line} -vvv");
        let outcome = self.workspace.shell()?.run(&script)?;
        self.note(&format!("{name}: {line}"), &outcome);
        expect(&outcome, code)
    }

    /// What anybody on this machine may read about the program, and what its own user may.
    fn look_at(&mut self, person: &Conversation) -> Test {
        let process = person.program()?;
        for what in ["cmdline", "environ", "comm", "status"] {
            let path = format!("/proc/{process}/{what}");
            let bytes = fs::read(&path).map_err(|err| format!("{path}: {err}"))?;
            self.seen.insert(format!("{what} of the program"), bytes);
        }
        Ok(())
    }
}

fn expect(outcome: &Outcome, code: i32) -> Test {
    match outcome.status.code() {
        Some(seen) if seen == code => Ok(()),
        _ => Err(outcome.to_string()),
    }
}

/// Values are given in every way, wrong ones first.
fn give(watch: &mut Watch) -> Test {
    let refused = canary("refused");
    let refused = refused.get(..11).unwrap_or_default();
    for line in [
        "seed set by-stdin < $given",
        "seed set by-file --file $given",
        "BY_VARIABLE=\"$(cat $given)\" seed set by-variable --from-env",
    ] {
        watch.shell(2, "refused", refused, line)?;
        watch.shell(2, "placeholder", "<cAn4ry-placeholder-7f3a9c51>", line)?;
    }
    let ways = [
        ("by-stdin", "seed set by-stdin < $given"),
        ("by-file", "seed set by-file --file $given --format json"),
        (
            "by-variable",
            "BY_VARIABLE=\"$(cat $given)\" seed set by-variable --from-env",
        ),
    ];
    for (key, line) in ways {
        watch.shell(0, "first", &canary("first"), line)?;
        watch.shell(12, "exists", &canary(key), line)?;
        watch.shell(0, "replace", &canary(key), &format!("{line} --replace"))?;
        watch.shell(0, "same", &canary(key), line)?;
    }
    Ok(())
}

/// A person answers wrongly, goes away, and answers.
fn answer(watch: &mut Watch) -> Test {
    let mut person = watch.workspace.talk("apply -vvv")?;
    person.wait_for("value: ")?;
    person.send("cAn4ry-bad\r")?;
    person.wait_for("value: ")?;
    person.send(canary("aborted"))?;
    watch.look_at(&person)?;
    person.send("\u{3}")?;
    watch
        .seen
        .insert("an aborted conversation".to_owned(), person.finish()?.0);
    let mut person = watch
        .workspace
        .talk("apply -vvv --for gcpsm --emit build/manifests")?;
    person.wait_for("value: ")?;
    person.send(canary("by-prompt"))?;
    watch.look_at(&person)?;
    person.send("\r")?;
    let shown = person.finish()?;
    assert!(shown.to_string().contains("[exit status: 0"), "{shown}");
    watch.seen.insert("a conversation".to_owned(), shown.0);
    Ok(())
}

/// Values are given to a whole run in every way, wrong ones first.
fn give_all(watch: &mut Watch) -> Test {
    let quoted = |name: &str| serde_json::Value::from(canary(name)).to_string();
    let wrong = canary("refused");
    let wrong = wrong.get(..11).unwrap_or_default();
    for line in [
        "printf 'by-values: \"%s\"' \"$(cat $given)\" | seed apply --values -",
        "BY_NAMED=\"$(cat $given)\" seed apply --from-env by-named",
        "SEED_VALUE_BY_KEY=\"$(cat $given)\" seed apply --no-input",
    ] {
        watch.shell(2, "refused by apply", wrong, line)?;
    }
    let values = format!("{{\"by-values\": {}}}", quoted("by-values"));
    watch.shell(0, "values", &values, "seed apply --values - < $given")?;
    let line = "BY_NAMED=\"$(cat $given)\" seed apply --from-env all";
    watch.shell(0, "named", &canary("by-named"), line)?;
    let line = "SEED_VALUE_BY_KEY=\"$(cat $given)\" seed apply";
    watch.shell(0, "key", &canary("by-key"), line)?;
    watch
        .workspace
        .write("provided/by-provided", &canary("by-provided"))?;
    watch.run(0, "apply --missing-ok")?;
    // It is given again, and is not used.
    let line = "SEED_VALUE_BY_KEY=\"$(cat $given)\" seed plan";
    watch.shell(0, "not used", &canary("not-used"), line)
}

/// Runs over what is stored, some of which fail.
fn use_them(watch: &mut Watch) -> Test {
    for line in [
        "plan",
        "plan --format json",
        "apply",
        "apply --format json",
        "verify",
        "verify --format json",
        "files",
        "emit --for gcpsm",
        "emit --for gcpsm --check build/manifests",
        "check",
    ] {
        watch.run(0, line)?;
    }
    watch.run(2, "get by-stdinn")?;
    let store = watch.workspace.root().join(".seed/canaries.age");
    let whole = fs::read(&store).map_err(|err| err.to_string())?;
    let half = whole.get(..whole.len() / 2).unwrap_or_default();
    fs::write(&store, half).map_err(|err| err.to_string())?;
    for line in [
        "apply --quiet",
        "get by-file",
        "verify --quiet",
        "plan --quiet",
    ] {
        watch.run(1, line)?;
    }
    watch.shell(
        1,
        "broken",
        &canary("by-stdin"),
        "seed set by-stdin < $given",
    )?;
    fs::write(&store, whole).map_err(|err| err.to_string())?;
    watch.workspace.write("secrets/all.json", "spoiled\n")?;
    watch.run(12, "apply --no-input")?;
    watch.run(12, "verify --no-input --color always").or(Ok(()))
}

/// Every value that was given or drawn, by a name for it.
fn secrets(watch: &Watch) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let given = [
        "by-prompt",
        "by-stdin",
        "by-file",
        "by-variable",
        "by-values",
        "by-named",
        "by-key",
        "by-provided",
    ];
    let names = ["first", "aborted", "not-used"].into_iter().chain(given);
    let mut secrets: BTreeMap<String, Vec<u8>> = names
        .map(|name| (name.to_owned(), canary(name).into_bytes()))
        .collect();
    for name in ["cAn4ry-refu", "cAn4ry-placeholder-7f3a9c51", "cAn4ry-bad"] {
        secrets.insert(name.to_owned(), name.as_bytes().to_vec());
    }
    // What is stored is what was given.
    let stored = watch.workspace.values("")?;
    for key in given {
        assert!(stored.get(key) == secrets.get(key), "{key}");
    }
    secrets.extend(stored);
    assert_eq!(secrets.len(), 17, "{:?}", secrets.keys());
    Ok(secrets)
}

#[test]
fn given_and_drawn_values_are_nowhere_but_where_they_belong() -> Test {
    let mut watch = Watch::new()?;
    let before = watch.workspace.files()?;
    give(&mut watch)?;
    answer(&mut watch)?;
    give_all(&mut watch)?;
    use_them(&mut watch)?;
    let secrets = secrets(&watch)?;
    let journal = fs::read(watch.aside.path().join("journal")).map_err(|err| err.to_string())?;
    assert!(journal.len() > 1000, "git was called");
    watch.seen.insert("calls of git".to_owned(), journal);
    let after = watch.workspace.files()?;
    for (path, found) in &after {
        if !path.starts_with("$ROOT/secrets/") && !path.starts_with("$ROOT/provided/") {
            watch.seen.insert(path.clone(), found.bytes.clone());
        }
    }
    let found = leaks(&secrets, &watch.seen);
    assert!(found.is_empty(), "{found:#?}");
    assert!(watch.seen.len() > 60, "{}", watch.seen.len());
    let created: Vec<&str> = after
        .keys()
        .filter(|path| !before.contains_key(*path))
        .map(String::as_str)
        .collect();
    assert_snapshot!(created.join("\n"), @"
    $HOME/.config
    $HOME/.config/seed
    $HOME/.config/seed/identity.txt
    $HOME/.config/seed/identity.txt.lock
    $ROOT/.seed
    $ROOT/.seed/canaries.age
    $ROOT/.seed/canaries.age.lock
    $ROOT/build
    $ROOT/build/manifests
    $ROOT/build/manifests/app
    $ROOT/build/manifests/app/app.yaml
    $ROOT/build/manifests/kustomization.yaml
    $ROOT/provided
    $ROOT/provided/by-provided
    $ROOT/secrets
    $ROOT/secrets/all.json
    ");
    Ok(())
}

#[test]
fn the_watch_sees_what_git_is_told() -> Test {
    let watch = Watch::new()?;
    let bin = watch.path("bin");
    let line =
        format!("PATH={bin}:$PATH CANARY=cAn4ry-variable git --version cAn4ry-argument || true");
    watch.workspace.shell()?.run(&line)?.success()?;
    let journal = fs::read(Path::new(&watch.path("journal"))).map_err(|err| err.to_string())?;
    let seen = BTreeMap::from([("git".to_owned(), journal)]);
    for name in ["cAn4ry-variable", "cAn4ry-argument"] {
        let secrets = BTreeMap::from([(name.to_owned(), name.as_bytes().to_vec())]);
        assert!(!leaks(&secrets, &seen).is_empty(), "{name}");
    }
    Ok(())
}
