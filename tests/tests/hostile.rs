//! A contract that somebody else wrote: it reads nothing beside its repository, writes nothing outside
//! its root, and cannot steer a terminal or bring the program down.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use seed_tests::cli::{Outcome, Sealed};
use seed_tests::workspace::{Workspace, changed};
use tempfile::TempDir;

type Test = Result<(), String>;

/// What the stranger is after.
const PREY: &str = "auths:\n  registry: {auth: \"b3duZXI6aHVudGVyMg==\"}\n";
const TOKEN: &str = "b3duZXI6aHVudGVyMg==";

/// Commands that read a contract. None of them needs a terminal.
const COMMANDS: [&str; 11] = [
    "check --env ai-dev",
    "check --env ai-dev --all-backends",
    "check --env ai-dev --format json",
    "emit --env ai-dev",
    "plan --env ai-dev --backend local",
    "plan --env ai-dev --backend local --format json",
    "plan --env ai-dev --offline",
    "plan --env ai-dev --offline --format markdown",
    "apply --env ai-dev --backend local --missing-ok",
    "verify --env ai-dev --backend local",
    "files --env ai-dev --backend local",
];

/// A contract that prints a fact wherever it can.
fn greedy(config: &str) -> String {
    format!(
        "version: 1\nname: greedy\n{config}\nbackend: gcpsm\nbackends: {{gcpsm: {{project: p}}}}\nstore: {{name: s}}\n\
         secrets:\n  a: {{value: \"${{config.auths.registry.auth}}\"}}\n  \
         b: {{provide: {{how: \"${{config.auths.registry.auth}}\"}}}}\n\
         targets:\n  ns/t: {{data: {{leak: \"${{config.auths.registry.auth}}\", a: \"${{a}}\", b: \"${{b}}\"}}}}\n"
    )
}

struct Repository {
    base: TempDir,
    workspace: Workspace,
}

impl Repository {
    /// A git work tree with a private file beside it.
    fn new() -> Result<Self, String> {
        let base = tempfile::tempdir().map_err(|err| err.to_string())?;
        let this = Self {
            base,
            workspace: Workspace::new()?,
        };
        fs::create_dir(this.top()).map_err(|err| err.to_string())?;
        let git = Sealed::new(&PathBuf::from("/bin/sh"))?;
        git.run(&this.top(), ["-c", "git init --quiet"])?
            .success()?;
        this.write("../prey.yaml", PREY)?;
        Ok(this)
    }

    fn top(&self) -> PathBuf {
        self.base.path().join("repository")
    }

    fn write(&self, path: &str, text: &str) -> Test {
        fs::write(self.top().join(path), text).map_err(|err| format!("{path}: {err}"))
    }

    fn seed(&self, line: &str) -> Result<Outcome, String> {
        let arguments = line.split_whitespace();
        self.workspace.sealed().run(&self.top(), arguments)
    }
}

/// A root above, an absolute root, and links to a file and to a directory outside.
#[test]
fn a_strangers_contract_reads_no_facts_outside_its_repository() -> Test {
    for config in [
        "root: ..\nconfig: {files: [prey.yaml]}",
        "root: BASE\nconfig: {files: [prey.yaml]}",
        "config: {files: [link.yaml]}",
        "config: {files: [directory/prey.yaml]}",
        "root: directory\nconfig: {files: [prey.yaml]}",
    ] {
        let repository = Repository::new()?;
        let base = repository.base.path();
        symlink(base.join("prey.yaml"), repository.top().join("link.yaml"))
            .and_then(|()| symlink(base, repository.top().join("directory")))
            .map_err(|err| err.to_string())?;
        let config = config.replace("BASE", &base.display().to_string());
        repository.write("seed.yaml", &greedy(&config))?;
        for command in COMMANDS {
            let outcome = repository.seed(command)?;
            let shown = outcome.to_string();
            assert!(!shown.contains(TOKEN), "{command}: {config}\n{shown}");
            assert_eq!(
                outcome.status.code(),
                Some(2),
                "{command}: {config}\n{shown}"
            );
            let refused = [
                "lies outside the contract's repository",
                "is relative to the contract's directory",
            ];
            assert!(refused.iter().any(|words| shown.contains(words)), "{shown}");
        }
    }
    Ok(())
}

/// The same contract does print the fact where it may read it, so the test above can fail.
#[test]
fn facts_inside_the_repository_are_read() -> Test {
    let repository = Repository::new()?;
    repository.write("seed.yaml", &greedy("config: {files: [prey.yaml]}"))?;
    repository.write("prey.yaml", PREY)?;
    assert!(
        repository
            .seed("emit --env ai-dev")?
            .success()?
            .contains(TOKEN)
    );
    repository.write("seed.yaml", &greedy("config: {files: [nowhere.yaml]}"))?;
    let named = repository.seed("emit --env ai-dev --config ../prey.yaml")?;
    assert!(
        named.success()?.contains(TOKEN),
        "a file that a person names is theirs to name"
    );
    Ok(())
}

#[test]
fn a_contract_that_is_a_link_to_another_file_shows_none_of_its_lines() -> Test {
    let repository = Repository::new()?;
    let top = repository.top();
    symlink(
        repository.base.path().join("prey.yaml"),
        top.join("seed.yaml"),
    )
    .and_then(|()| symlink(repository.base.path(), top.join("contracts")))
    .map_err(|err| err.to_string())?;
    for contract in ["seed.yaml", "contracts/prey.yaml"] {
        for command in COMMANDS {
            let outcome = repository.seed(&format!("{command} -c {contract}"))?;
            let shown = outcome.to_string();
            assert!(
                !shown.contains(TOKEN) && !shown.contains("auths"),
                "{command}\n{shown}"
            );
            assert_eq!(outcome.status.code(), Some(2), "{command}\n{shown}");
        }
    }
    Ok(())
}

/// Each of these paths is refused before anything is written.
#[test]
fn no_path_of_a_contract_leads_out_of_its_root() -> Test {
    let secret = "secrets: {a: {generate: {hex: 16}}}";
    for (wanted, more) in [
        ("2 files", "files: {../outside: {text: \"${a}\"}}"),
        ("2 files", "files: {a/../../outside: {text: \"${a}\"}}"),
        ("2 files", "files: {/tmp/outside: {text: \"${a}\"}}"),
        ("2 files", "files: {\"~/outside\": {text: \"${a}\"}}"),
        (
            "2 fact in files",
            "config: {defaults: {up: \"..\"}}\nfiles: {\"${config.up}/outside\": {text: \"${a}\"}}",
        ),
        ("2 local", "backends: {local: {file: ../outside.age}}"),
        ("2 local", "backends: {local: {file: /tmp/outside.age}}"),
        (
            "2 fact in local",
            "config: {defaults: {up: ../outside}}\nbackends: {local: {file: \"${config.up}\"}}",
        ),
    ] {
        let workspace = Workspace::new()?;
        workspace.write(
            "seed.yaml",
            &format!("version: 1\nname: x\nbackend: local\n{secret}\n{more}\n"),
        )?;
        let before = workspace.files()?;
        for command in [
            "check --env ai-dev",
            "plan --env ai-dev",
            "apply --env ai-dev",
        ] {
            let outcome = workspace.seed(command)?;
            let code = outcome.status.code().unwrap_or_default();
            assert!(
                wanted.starts_with(&code.to_string()),
                "{command}: {more}\n{outcome}"
            );
        }
        assert_eq!(changed(&before, &workspace.files()?), [""; 0], "{more}");
    }
    Ok(())
}

#[test]
fn a_link_below_the_root_is_not_written_through() -> Test {
    for link in ["secrets", ".seed"] {
        let repository = Repository::new()?;
        let outside = tempfile::tempdir().map_err(|err| err.to_string())?;
        symlink(outside.path(), repository.top().join(link)).map_err(|err| err.to_string())?;
        let contract = "version: 1\nname: x\nbackend: local\nbackends: {local: {file: .seed/x.age}}\n\
                        secrets: {a: {generate: {hex: 16}}}\nfiles: {secrets/a: {text: \"${a}\"}}\n";
        repository.write("seed.yaml", contract)?;
        repository.write(".gitignore", "secrets\n.seed\n")?;
        let outcome = repository.seed("apply --backend local")?;
        assert!(!outcome.status.success(), "{link}: {outcome}");
        let written = fs::read_dir(outside.path()).map_err(|err| err.to_string())?;
        assert_eq!(written.count(), 0, "{link}: {outcome}");
    }
    Ok(())
}

/// Escapes, a bell, a carriage return, and characters that turn the direction of text.
const CONTROL: &str = "\\e[2J\\e]0;owned\\a\\r\\b\\x9b31m\\u202e\\u2066";

#[test]
fn no_text_of_a_contract_steers_a_terminal() -> Test {
    let contract = format!(
        "version: 1\nname: x\nbackend: gcpsm\nbackends: {{gcpsm: {{project: p}}}}\nstore: {{name: s}}\n\
         config: {{defaults: {{evil: \"{CONTROL}\", off: false}}}}\n\
         secrets:\n  a: {{description: \"{CONTROL}\", generate: {{hex: 16}}}}\n  \
         b: {{description: \"{CONTROL}\", provide: {{how: \"{CONTROL}${{config.evil}}\", url: \"{CONTROL}\", env: \"{CONTROL}\"}}}}\n  \
         c: {{mint: {{by: \"{CONTROL}\"}}}}\n  d: {{value: \"{CONTROL}\", rotate: {{careful: \"{CONTROL}\"}}}}\n  \
         e: {{forbidden: \"{CONTROL}\"}}\n  f: {{when: config.off, generate: uuid}}\n\
         targets:\n  ns/t: {{data: {{x: \"{CONTROL}${{a}}\", b: \"${{b}}\"}}, labels: {{l: \"{CONTROL}\"}}}}\n  \
         ns/u: {{made-by: \"{CONTROL}\", data: {{x: null}}}}\n"
    );
    let workspace = Workspace::new()?;
    workspace.write("seed.yaml", &contract)?;
    workspace.write("broken.yaml", &contract.replace("mint: {by", "mint: {bye"))?;
    let mut shown = 0;
    for command in COMMANDS {
        for flags in ["", "-c broken.yaml", "-vvv"] {
            let outcome = workspace.seed(&format!("{command} --color never {flags}"))?;
            for text in [&outcome.stdout, &outcome.stderr] {
                let found = text.chars().find(|c| is_steering(*c));
                assert_eq!(found, None, "{command} {flags}\n{text:?}");
                shown += text.len();
            }
            assert!(
                outcome.status.code().is_some_and(|code| code < 70),
                "{outcome}"
            );
        }
    }
    assert!(shown > 1000, "nothing was shown");
    Ok(())
}

fn is_steering(c: char) -> bool {
    (c.is_control() && c != '\n')
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

/// Long and deep contracts end with an answer, not with a crash.
#[test]
fn very_long_texts_end_with_an_answer() -> Test {
    for (name, text) in endless() {
        let workspace = Workspace::new()?;
        workspace.write("seed.yaml", &text)?;
        let outcome = workspace.seed("check --env ai-dev --backend local")?;
        let code = outcome.status.code();
        assert!(
            code == Some(0) || code == Some(2),
            "{name}: {}",
            outcome.status
        );
        assert!(
            outcome.stderr.len() < 10_000_000,
            "{name}: {}",
            outcome.stderr.len()
        );
    }
    Ok(())
}

fn endless() -> [(&'static str, String); 9] {
    let head = "version: 1\nname: x\nbackend: local\nsecrets:\n";
    let long = "x".repeat(1 << 20);
    let deep = "[".repeat(100_000);
    let many: String = (0..2_000)
        .map(|at| format!("  k{at}: {{value: \"${{env}}\"}}\n"))
        .collect();
    let chain: String = (1..2_000)
        .map(|at| format!("  k{at}: {{compose: \"${{k{}}}\"}}\n", at - 1))
        .collect();
    [
        (
            "a long description",
            format!("{head}  a: {{description: {long}, generate: uuid}}\n"),
        ),
        (
            "a long key",
            format!("{head}  {long}: {{generate: uuid}}\n"),
        ),
        (
            "a long reference",
            format!("{head}  a: {{compose: \"${{{long}}}\"}}\n"),
        ),
        (
            "a long condition",
            format!(
                "{head}  a: {{when: \"{}true\", generate: uuid}}\n",
                "!".repeat(100_000)
            ),
        ),
        (
            "nested conditions",
            format!(
                "{head}  a: {{when: \"{}true{}\", generate: uuid}}\n",
                "(".repeat(2_000),
                ")".repeat(2_000)
            ),
        ),
        ("a deep list", format!("{head}  a: {deep}\n")),
        ("many keys", format!("{head}{many}")),
        (
            "a long chain",
            format!("{head}  k0: {{generate: uuid}}\n{chain}"),
        ),
        (
            "anchors in anchors",
            format!(
                "x-a: &a [x, x, x, x, x, x, x, x, x, x]\n{}{head}  a: {{generate: uuid}}\n",
                laughs()
            ),
        ),
    ]
}

/// Each anchor holds the one before ten times.
fn laughs() -> String {
    let letters = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let pairs = letters.iter().zip(letters.iter().skip(1));
    pairs
        .map(|(before, this)| {
            format!(
                "x-{this}: &{this} [{}]\n",
                vec![format!("*{before}"); 10].join(", ")
            )
        })
        .collect()
}

/// Only Linux shows the limits of another process.
#[test]
#[cfg(target_os = "linux")]
fn a_crash_leaves_no_core_dump() -> Test {
    let workspace = Workspace::new()?;
    let shell = Sealed::new(&PathBuf::from("/bin/bash"))?
        .variable("SEED", seed_tests::binary::seed_binary()?);
    // It waits for its input, so that the limits can be read while it runs.
    let script = "mkfifo held; exec 7<>held\n\
                  \"$SEED\" emit -c contracts/llm-platform.yaml --env ai-dev --present - <held >/dev/null 7>&- &\n\
                  seed=$!\n\
                  for _ in $(seq 400); do\n  \
                  [ -n \"$(tr -d '\\0' 2>/dev/null </proc/$seed/cmdline | grep ai-dev)\" ] && break; sleep 0.05\n\
                  done\n\
                  sleep 1; grep 'core file' /proc/$seed/limits | tr -s ' '; kill -ABRT $seed; wait $seed; echo $?\n\
                  find . -name 'core*'";
    let outcome = shell.run(workspace.root(), ["-c", script])?;
    let lines: Vec<&str> = outcome.stdout.lines().map(str::trim_end).collect();
    assert_eq!(lines, ["Max core file size 0 0 bytes", "134"], "{outcome}");
    Ok(())
}
