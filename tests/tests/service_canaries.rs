//! Values that services keep, values that people give and values that are drawn are nowhere but where they belong, and no
//! credential either: also while the service repeats in its errors what it was sent, at any of the calls.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use seed_fakes::vault::Vault;
use seed_fakes::{AwsSm, AzureKv, Fault, GcpSm, Kubernetes, Server, When};
use seed_servers::Client;
use seed_tests::cli::Outcome;
use seed_tests::each::each;
use seed_tests::search::leaks;
use seed_tests::stands::{Stand, World};
use serde_json::{Value, json};
use tempfile::TempDir;

type Test = Result<(), String>;

const SECRETS: &str = r#"  generated: {generate: {base64: 32}}
  kept: {generate: {base64: 32}}
  by-values: {provide: {how: somebody}, check: {min: 12}}
  by-stdin: {provide: {how: somebody}, check: {min: 12}}
  by-file: {provide: {how: somebody}, check: {min: 12}}
  by-env: {provide: {how: somebody, env: BY_ENV}, check: {min: 12}}
  by-variable: {provide: {how: somebody}, check: {min: 12}}
  by-prompt: {provide: {how: somebody}, check: {min: 12}}
  url: {compose: "postgresql://app:${by-values | urlencode}@db/${kept | base64}"}
  hash: {derive: {bcrypt: {of: generated, cost: 4}}}
  grows:
    fields:
      one: {generate: {base64: 32}}
      two: {generate: {base64: 32}}
      both: {compose: "${one}/${two}"}
targets:
  app/app:
    data: {config.json: "{\"a\": ${by-values | json}, \"b\": ${url | json}}", plain: "${grows#two}"}
files:
  secrets/all.json: {json: {a: "${by-values}", b: "${generated}", c: "${kept}", d: "${grows#both}"}}
"#;

/// A value that looks different in every encoding.
fn canary(name: &str) -> String {
    format!("cAn4ry-{name}-\"q\\ /+%é-7f3a9c51")
}

/// What must be known of a service to watch the programs that its client runs.
trait Watched: Stand {
    /// Whether what was deleted can be brought back.
    const RESTORES: bool;

    /// Deletes an entry so that it can be brought back.
    fn delete(&self, name: &str) {
        let _ = name;
    }

    /// What it gave to whoever proved who they are.
    fn tokens(&self) -> Vec<String> {
        Vec::new()
    }

    /// Settings and a variable with which the client asks a program for the credential, which writes down what it is told.
    fn asks_a_program(program: &str, at: &str) -> Option<(Value, &'static str, String)> {
        let _ = (program, at);
        None
    }
}

impl Watched for Vault {
    const RESTORES: bool = true;

    fn delete(&self, name: &str) {
        Self::delete(self, name);
    }
}

impl Watched for AwsSm {
    const RESTORES: bool = true;

    fn delete(&self, name: &str) {
        Self::delete(self, name, 7);
    }

    fn asks_a_program(program: &str, _: &str) -> Option<(Value, &'static str, String)> {
        let profile =
            format!("[profile watched]\nregion = eu-central-1\ncredential_process = {program}\n");
        Some((json!({"profile": "watched"}), "AWS_CONFIG_FILE", profile))
    }
}

impl Watched for AzureKv {
    const RESTORES: bool = true;

    fn delete(&self, name: &str) {
        Self::delete(self, name);
    }

    fn tokens(&self) -> Vec<String> {
        Self::tokens(self)
    }
}

impl Watched for GcpSm {
    const RESTORES: bool = false;
}

impl Watched for Kubernetes {
    const RESTORES: bool = false;

    fn asks_a_program(program: &str, at: &str) -> Option<(Value, &'static str, String)> {
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": {"server": at}}],
            "users": [{"name": "watched", "user": {"exec": {
                "apiVersion": "client.authentication.k8s.io/v1", "command": program, "interactiveMode": "Never",
            }}}],
            "contexts": [{"name": "watched", "context": {"cluster": "test", "user": "watched"}}],
        });
        Some((
            json!({"context": "watched"}),
            "KUBECONFIG",
            config.to_string(),
        ))
    }
}

/// Everything that could show a value, by where it was seen.
struct Watch<S> {
    world: World<S>,
    seen: BTreeMap<String, Vec<u8>>,
    /// Given values, and what programs were told, outside of where the program may write.
    aside: TempDir,
    before: Vec<String>,
}

impl<S: Watched> Watch<S> {
    fn new() -> Result<Self, String> {
        let aside = tempfile::tempdir().map_err(|err| err.to_string())?;
        let server = S::empty().serve();
        let path = |name: &str| aside.path().join(name).display().to_string();
        programs::<S>(path)?;
        let asks = S::asks_a_program(&path("login"), &server.url());
        let settings = asks
            .as_ref()
            .map_or(Value::Null, |(settings, ..)| settings.clone());
        let secrets = if S::RESTORES {
            SECRETS.replace("targets:", "  gone: {generate: {base64: 32}}\ntargets:")
        } else {
            SECRETS.to_owned()
        };
        let mut world = World::on(server, &settings, &secrets)?;
        let mut workspace = world.workspace;
        if let Some((_, variable, text)) = asks {
            fs::write(path("config"), text).map_err(|err| err.to_string())?;
            workspace = workspace.variable(variable, path("config"));
        }
        world.workspace = workspace
            .variable(
                "PATH",
                format!("{}:/usr/local/bin:/usr/bin:/bin", path("bin")),
            )
            .variable("RUST_LOG", "trace")
            .variable("RUST_BACKTRACE", "1")
            .variable("BY_ENV", canary("by-env"))
            .variable("SEED_VALUE_BY_VARIABLE", canary("by-variable"));
        world.workspace.write(".gitignore", "/secrets/\n")?;
        world
            .workspace
            .shell()?
            .run("git init --quiet")?
            .success()?;
        fill(world.server.service());
        let before = world.workspace.files()?.into_keys().collect();
        let seen = BTreeMap::new();
        Ok(Self {
            world,
            seen,
            aside,
            before,
        })
    }

    fn path(&self, name: &str) -> String {
        self.aside.path().join(name).display().to_string()
    }

    fn note(&mut self, name: &str, outcome: &Outcome) {
        let said = [outcome.stdout_bytes.as_slice(), outcome.stderr.as_bytes()].concat();
        let count = self.seen.len();
        self.seen.insert(format!("{count}: {name}"), said);
    }

    /// Runs `seed`, and notes what it says.
    fn run(&mut self, line: &str) -> Result<Outcome, String> {
        let outcome = self.world.workspace.seed(&format!("{line} -vvv"))?;
        self.note(line, &outcome);
        Ok(outcome)
    }

    /// Runs `seed` with a value on its stdin.
    fn feed(&mut self, line: &str, value: &str) -> Result<Outcome, String> {
        let workspace = &self.world.workspace;
        let arguments = line.split_whitespace().chain(["-vvv"]);
        let outcome = workspace
            .sealed()
            .feed(workspace.root(), arguments, value.as_bytes())?;
        self.note(line, &outcome);
        Ok(outcome)
    }

    /// A file with a value, outside of where the program may write.
    fn file(&self, name: &str, value: &str) -> Result<String, String> {
        let path = self.path(name);
        fs::write(&path, value).map_err(|err| err.to_string())?;
        Ok(path)
    }

    /// Gives, makes, restores, replaces, reads and writes out, whatever becomes of it. Tells how each run ended.
    fn everything(&mut self) -> Result<Vec<(String, Option<i32>)>, String> {
        let mut ends = Vec::new();
        let mut note =
            |what: &str, outcome: Outcome| ends.push((what.to_owned(), outcome.status.code()));
        let values = json!({"by-values": canary("by-values")});
        let values = self.file("values.json", &values.to_string())?;
        let first = self.file("first", &canary("first"))?;
        let file = self.file("by-file", &canary("by-file"))?;
        note("plan", self.run("plan --deep")?);
        note("plan", self.run("plan --format json")?);
        note("set", self.feed("set by-stdin", &canary("by-stdin"))?);
        note("set", self.run(&format!("set by-file --file {first}"))?);
        note(
            "set",
            self.run(&format!(
                "set by-file --file {file} --replace --yes --format json"
            ))?,
        );
        note("set", self.run("set by-env --from-env")?);
        let apply = format!("apply --no-input --values {values} --emit build/manifests");
        note("apply", self.run(&apply)?);
        if S::RESTORES {
            note(
                "restore",
                self.run("apply --no-input --restore gone --format json")?,
            );
        }
        note("verify", self.run("verify")?);
        note("verify", self.run("verify --format json")?);
        note("files", self.run("files --force")?);
        note("get", self.run("get not-there")?);
        let got = self.world.workspace.seed("get by-file -vvv")?;
        // The value itself is what was asked for; all else is none of it.
        self.seen.insert(
            "stderr of `get`".to_owned(),
            got.stderr.clone().into_bytes(),
        );
        note("get", got);
        Ok(ends)
    }

    /// Values that a service keeps or was told, values that were given, and the credential.
    fn secrets(&self) -> BTreeMap<String, Vec<u8>> {
        let mut secrets = self.world.values();
        let given = [
            "by-values",
            "by-stdin",
            "by-file",
            "by-env",
            "by-variable",
            "by-prompt",
            "first",
            "kept",
            "one",
            "more",
            "gone",
        ];
        let given = given
            .iter()
            .map(|name| (format!("canary {name}"), canary(name).into_bytes()));
        secrets.extend(given);
        secrets.insert(
            "the credential".to_owned(),
            S::CREDENTIAL.as_bytes().to_vec(),
        );
        let tokens = self.world.server.service().tokens().into_iter();
        let tokens = tokens.map(String::into_bytes).enumerate();
        secrets.extend(tokens.map(|(n, token)| (format!("token {n}"), token)));
        secrets
    }

    /// Names each value that is where it does not belong.
    fn leaks(&mut self) -> Result<Vec<String>, String> {
        for (path, found) in self.world.workspace.files()? {
            if !self.before.contains(&path) && !path.starts_with("$ROOT/secrets/") {
                self.seen.insert(path, found.bytes);
            }
        }
        if let Ok(journal) = fs::read(self.path("journal")) {
            self.seen.insert("calls of git".to_owned(), journal);
        }
        let secrets = self.secrets();
        let mut found = leaks(&secrets, &self.seen);
        if let Ok(journal) = fs::read(self.path("journal-of-login")) {
            // Whoever gives the credential may know it.
            let mut values = secrets;
            values.remove("the credential");
            let journal =
                BTreeMap::from([("calls of the program that logs in".to_owned(), journal)]);
            found.extend(leaks(&values, &journal));
        }
        Ok(found)
    }
}

/// The programs that `seed` may run, each of which writes down what it is told.
fn programs<S: Watched>(path: impl Fn(&str) -> String) -> Test {
    fs::create_dir(path("bin")).map_err(|err| err.to_string())?;
    let git = "PATH=${PATH#*:} exec git \"$@\"";
    journalling(&path("bin/git"), &path("journal"), git)?;
    // Both kinds of answer at once: each reader takes the members that it knows.
    let credential = json!({
        "Version": 1, "AccessKeyId": "AKIAOFATEST", "SecretAccessKey": S::CREDENTIAL,
        "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1", "status": {"token": S::CREDENTIAL},
    });
    fs::write(path("credential"), credential.to_string()).map_err(|err| err.to_string())?;
    let program = format!("exec /bin/cat {}", path("credential"));
    journalling(&path("login"), &path("journal-of-login"), &program)
}

/// What somebody else has stored.
fn fill<S: Watched>(service: &S) {
    service.put("kept", &[("", &canary("kept"))]);
    let fields = [("one", &*canary("one")), ("more", &*canary("more"))];
    service.put("grows", &fields);
    if S::RESTORES {
        service.put("gone", &[("", &canary("gone"))]);
        Watched::delete(service, "gone");
    }
}

/// A program that writes down its arguments and variables, and those of its parent's command line, and then does this.
fn journalling(path: &str, journal: &str, then: &str) -> Test {
    let script = format!(
        "#!/bin/sh\nexec 3>>{journal}\nprintf '%s\\0' \"$0\" \"$@\" >&3\n\
         cat /proc/$$/environ /proc/$PPID/cmdline >&3\nexec 3>&-\n{then}\n"
    );
    fs::write(path, script).map_err(|err| err.to_string())?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(|err| err.to_string())
}

#[test]
fn values_of_vault_are_nowhere_but_where_they_belong() -> Test {
    nothing_leaks::<Vault>()
}

#[test]
fn values_of_aws_sm_are_nowhere_but_where_they_belong() -> Test {
    nothing_leaks::<AwsSm>()
}

#[test]
fn values_of_kubernetes_are_nowhere_but_where_they_belong() -> Test {
    nothing_leaks::<Kubernetes>()
}

#[test]
fn values_of_azure_kv_are_nowhere_but_where_they_belong() -> Test {
    nothing_leaks::<AzureKv>()
}

#[test]
fn values_of_gcpsm_are_nowhere_but_where_they_belong() -> Test {
    nothing_leaks::<GcpSm>()
}

/// All goes well, and a person answers on a terminal.
fn nothing_leaks<S: Watched>() -> Test {
    let mut watch = Watch::<S>::new()?;
    let ends = watch.everything()?;
    let wrong = ends.iter().find(|(what, code)| {
        let known = if what == "get" {
            [Some(0), Some(2), Some(2)]
        } else {
            [Some(0), Some(11), Some(12)]
        };
        !known.contains(code)
    });
    assert!(wrong.is_none(), "{ends:?}");
    let mut person = watch.world.workspace.talk("apply -vvv")?;
    person.wait_for("value: ")?;
    person.send("cAn4ry-bad\r")?;
    person.wait_for("value: ")?;
    person.send(format!("{}\r", canary("by-prompt")))?;
    let shown = person.finish()?;
    assert!(shown.to_string().contains("[exit status: 0"), "{shown}");
    watch.seen.insert("a conversation".to_owned(), shown.0);
    let found = watch.leaks()?;
    assert!(found.is_empty(), "{found:#?}");
    // What was searched for was there to be found.
    let values = watch.world.values();
    for name in [
        "by-values",
        "by-stdin",
        "by-file",
        "by-env",
        "by-variable",
        "by-prompt",
        "kept",
    ] {
        assert!(
            values.get(name) == Some(&canary(name).into_bytes()),
            "{name}"
        );
    }
    assert!(values.len() >= 14, "{:?}", values.keys());
    let journals = ["journal", "journal-of-login"]
        .map(|name| fs::read(watch.path(name)).unwrap_or_default().len());
    let is_asked = S::asks_a_program("", "").is_some();
    assert!(
        journals[0] > 100 && (journals[1] > 100) == is_asked,
        "{journals:?}"
    );
    assert!(
        watch
            .seen
            .contains_key("$ROOT/build/manifests/app/app.yaml"),
        "{:?}",
        watch.seen.keys()
    );
    Ok(())
}

#[test]
fn what_vault_repeats_in_its_errors_is_shown_to_nobody() -> Test {
    nothing_is_repeated::<Vault>()
}

#[test]
fn what_aws_sm_repeats_in_its_errors_is_shown_to_nobody() -> Test {
    nothing_is_repeated::<AwsSm>()
}

#[test]
fn what_kubernetes_repeats_in_its_errors_is_shown_to_nobody() -> Test {
    nothing_is_repeated::<Kubernetes>()
}

#[test]
fn what_azure_kv_repeats_in_its_errors_is_shown_to_nobody() -> Test {
    nothing_is_repeated::<AzureKv>()
}

#[test]
fn what_gcpsm_repeats_in_its_errors_is_shown_to_nobody() -> Test {
    nothing_is_repeated::<GcpSm>()
}

/// At each of the calls, the service says what it was sent: in the body of an error, and in headers too after it has done
/// what was asked, so that drawn values can be found in it afterwards.
fn nothing_is_repeated<S: Watched>() -> Test {
    let mut plain = Watch::<S>::new()?;
    plain.everything()?;
    let calls = plain.world.server.log().counts().into_keys();
    let faults = [
        Fault::Echo(400),
        Fault::EchoAfter(403),
        Fault::EchoAfter(500),
        Fault::EchoAfter(200),
    ];
    let all: Vec<(String, Fault)> = calls
        .flat_map(|call| {
            faults
                .iter()
                .map(move |fault| (call.clone(), fault.clone()))
        })
        .collect();
    let done = each(&all, 16, |(call, fault)| {
        let mut watch = Watch::<S>::new()?;
        watch
            .world
            .server
            .fault(When::operation(call), fault.clone(), None);
        let ends = watch.everything()?;
        let is_met = watch.world.server.log().count(call) > 0;
        let is_ended = ends
            .iter()
            .all(|(_, code)| matches!(code, Some(0 | 1 | 2 | 4 | 11 | 12)));
        if !is_met || !is_ended {
            return Err(format!("{call}, {fault:?}: it was met: {is_met}; {ends:?}"));
        }
        match watch.leaks()? {
            found if found.is_empty() => Ok(()),
            found => Err(format!("{call}, {fault:?}: {found:#?}")),
        }
    });
    done.map(drop)
}

#[test]
fn values_that_only_a_cluster_keeps_are_nowhere_else() -> Test {
    only_the_cluster_knows(None)?;
    only_the_cluster_knows(Some(Fault::Echo(422)))?;
    only_the_cluster_knows(Some(Fault::EchoAfter(403)))?;
    only_the_cluster_knows(Some(Fault::EchoAfter(500)))
}

fn only_the_cluster_knows(fault: Option<Fault>) -> Test {
    let cluster = Server::start(Kubernetes::with_namespaces(&["app"]));
    let is_told = !matches!(fault, Some(Fault::Echo(_)));
    if let Some(fault) = fault {
        cluster.fault(When::operation("create secrets"), fault, None);
    }
    let mut watch = before_a_cluster(&cluster)?;
    let values = json!({"by-values": canary("by-values")});
    let values = watch.file("values.json", &values.to_string())?;
    for format in ["text", "json"] {
        let line = format!("apply --no-input --cluster --format {format} --values {values}");
        let code = watch.run(&line)?.status.code();
        assert!(matches!(code, Some(0 | 1 | 4 | 11 | 12)), "{code:?}");
    }
    watch.run("plan --cluster --deep")?.success()?;
    watch.run("plan --cluster --format json")?.success()?;
    let secret = cluster.service().secret("app", "direct");
    let secret = secret.unwrap_or_default();
    let drawn = secret.pointer("/data/b").and_then(Value::as_str);
    assert_eq!(drawn.is_some(), is_told);
    let mut secrets = watch.secrets();
    secrets.extend(drawn.map(|drawn| ("only-there".to_owned(), decoded(drawn))));
    let token = Kubernetes::TOKEN.as_bytes().to_vec();
    secrets.insert("the cluster's token".to_owned(), token);
    let found = leaks(&secrets, &watch.seen);
    assert!(found.is_empty(), "{found:#?}");
    let found = watch.leaks()?;
    assert!(found.is_empty(), "{found:#?}");
    Ok(())
}

/// A contract with a Secret that `seed` itself writes to this cluster, one value of which is kept nowhere else.
fn before_a_cluster(cluster: &Server<Kubernetes>) -> Result<Watch<Vault>, String> {
    let mut watch = Watch::<Vault>::new()?;
    let config = json!({
        "apiVersion": "v1", "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": cluster.url()}}],
        "users": [{"name": "dev", "user": {"token": Kubernetes::TOKEN}}],
        "contexts": [{"name": "shop", "context": {"cluster": "test", "user": "dev"}}],
    });
    let config = watch.file("kubeconfig", &config.to_string())?;
    let direct = "{deliver: direct, data: {a: \"${by-values}\", b: \"${only-there}\"}}";
    let secrets = SECRETS
        .replace(
            "targets:",
            "  only-there: {backend: none, generate: {base64: 32}}\ntargets:",
        )
        .replace("files:", &format!("  app/direct: {direct}\nfiles:"));
    let contract = watch.world.workspace.read("seed.yaml")?;
    let head = contract.split("secrets:\n").next().unwrap_or_default();
    let at = json!({"context": "shop", "server": cluster.url()});
    let contract = format!("{head}cluster: {at}\nsecrets:\n{secrets}");
    watch.world.workspace.write("seed.yaml", &contract)?;
    watch.world.workspace = watch.world.workspace.variable("KUBECONFIG", config);
    Ok(watch)
}

fn decoded(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap_or_default()
}

#[test]
fn what_is_logged_comes_from_seed_alone_whatever_other_programs_log_by() -> Test {
    only_seed_logs::<Vault>()?;
    only_seed_logs::<AwsSm>()?;
    only_seed_logs::<GcpSm>()?;
    only_seed_logs::<AzureKv>()?;
    only_seed_logs::<Kubernetes>()
}

fn only_seed_logs<S: Stand>() -> Test {
    let lines = |level: &str, line: &str| {
        let mut world = World::<S>::new(SECRETS)?;
        world.workspace = world.workspace.variable("RUST_LOG", level);
        let outcome = world.workspace.seed(line)?;
        Ok::<_, String>(
            outcome
                .stderr
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    };
    let plain = lines("trace", "plan")?;
    assert!(plain.is_empty(), "{plain:#?}");
    let traced = lines("trace", "plan -vvv")?;
    // The target stands after the spans, each of which ends in a brace and a colon.
    let target = |line: &str| {
        let rest = line
            .rsplit_once("}: ")
            .map_or(line.get(6..).unwrap_or_default(), |(_, rest)| rest);
        rest.to_owned()
    };
    let foreign: Vec<&String> = traced
        .iter()
        .filter(|line| !target(line).starts_with("seed"))
        .collect();
    assert!(traced.len() > 1 && foreign.is_empty(), "{traced:#?}");
    // Nor does it keep our own lines back.
    assert_eq!(lines("off", "plan -vvv")?.len(), traced.len());
    Ok(())
}

#[test]
fn the_search_would_find_what_a_service_repeats() -> Test {
    let watch = Watch::<Vault>::new()?;
    let server = &watch.world.server;
    server.fault(When::operation("write"), Fault::EchoAfter(403), None);
    let body = json!({"data": {"value": canary("kept")}});
    let headers = [
        ("X-Vault-Token", Vault::TOKEN),
        ("Content-Type", "application/json"),
    ];
    let client = Client::new(&server.url(), None);
    let answer = client.send("POST", "/v1/secret/data/kept", &headers, &body)?;
    let seen = BTreeMap::from([("the answer".to_owned(), answer.body)]);
    let found = leaks(&watch.secrets(), &seen);
    for name in ["canary kept (json in json)", "the credential (as it is)"] {
        assert!(
            found.iter().any(|leak| leak.starts_with(name)),
            "{name}: {found:#?}"
        );
    }
    Ok(())
}

#[test]
fn the_watch_would_find_what_a_run_prints() -> Test {
    let mut watch = Watch::<Vault>::new()?;
    watch.everything()?;
    assert!(watch.leaks()?.is_empty());
    watch.run("get by-file")?.success()?;
    let found = watch.leaks()?;
    assert!(
        found
            .iter()
            .any(|leak| leak.starts_with("by-file (as it is) in ")),
        "{found:#?}"
    );
    Ok(())
}
