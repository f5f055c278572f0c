//! Every error that a service documents, for every call: what exists stays as it is and is never taken for absent, and a
//! person is told what was done, what the service said, under which id, and what to do.
//!
//! What is told is in `tests/data/documented-errors`, a file for each service, to be read as its users would.

use std::path::Path;

use seed_fakes::vault::Vault;
use seed_fakes::{Answer, AwsSm, AzureKv, Fault, GcpSm, Kubernetes, Server, When};
use seed_tests::cli::Outcome;
use seed_tests::each::each;
use seed_tests::stands::{Stand, World};
use serde_json::{Value, json};

type Test = Result<(), String>;

const SECRETS: &str = "  stored: {generate: {hex: 16}}
  beside: {generate: {hex: 16}}
  missing: {generate: {hex: 16}}
  other: {generate: {hex: 16}}
  grows:
    fields:
      one: {generate: {hex: 16}}
      two: {generate: {hex: 16}}
      both: {compose: \"${one}/${two}\"}
";
const DELETED: &str = "  gone: {generate: {hex: 16}}\n";
const THERE: [(&str, &str); 5] = [
    ("stored", "of somebody"),
    ("beside", "of somebody else"),
    ("grows#one", "of somebody"),
    ("grows#more", "kept as it is"),
    ("gone", "deleted by somebody"),
];
const MADE: [&str; 4] = ["missing", "other", "grows#two", "grows#both"];
/// What all answers have as the id of the request.
const ID: &str = "00000000-0000-4000-8000-000000000000";
/// One call after the other, so that the same of several keys meets an error first in every run.
const APPLY: &str = "apply --no-input --concurrency 1";
const PLAN: &str = "plan --concurrency 1";

/// What must be known of a service to have all of its calls made.
trait Calls: Stand {
    /// A world in which a run makes this call.
    fn world(operation: &str) -> Result<World<Self>, String> {
        let _ = operation;
        World::new(SECRETS)
    }

    /// How a call is made, and a text that is in the requests about one key alone, where there are such.
    fn made(operation: &str) -> (Made, Option<&'static str>);

    /// Deletes an entry so that it can be brought back, where the service has that.
    fn delete(&self, name: &str) {
        let _ = name;
    }

    /// The service's own word for an error, which a message must have.
    fn word(what: &str, answer: &Answer) -> String;
}

/// How a call is made.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Made {
    /// By a plan, and so by everything else too.
    Plan,
    /// By a run that looks at values.
    DeepPlan,
    /// By a run that creates what is missing.
    Creating,
    /// By a run that adds fields to what exists.
    Adding,
    /// By a run that makes the place for all of it first, in which nothing can be.
    MakingRoom,
    /// By a run that brings back what is deleted.
    Restoring,
}

impl Calls for Vault {
    fn world(operation: &str) -> Result<World<Self>, String> {
        if operation != "login" {
            return World::new(SECRETS);
        }
        let vault = Self::new();
        vault.allow_login("approle", json!({"role_id": "seed", "secret_id": "s"}));
        let settings = json!({"login": "approle"});
        let mut world = World::on(Server::start(vault), &settings, SECRETS)?;
        let workspace = world.workspace.variable("VAULT_ROLE_ID", "seed");
        world.workspace = workspace.variable("VAULT_SECRET_ID", "s");
        Ok(world)
    }

    fn made(operation: &str) -> (Made, Option<&'static str>) {
        match operation {
            "write" => (Made::Creating, Some("/missing")),
            "patch" => (Made::Adding, None),
            "undelete" => (Made::Restoring, None),
            "read" => (Made::DeepPlan, Some("/beside")),
            "subkeys" => (Made::Plan, Some("/beside")),
            _ => (Made::Plan, None),
        }
    }

    fn delete(&self, name: &str) {
        Self::delete(self, name);
    }

    fn word(_: &str, answer: &Answer) -> String {
        answer.status.to_string()
    }
}

impl Calls for AwsSm {
    fn made(operation: &str) -> (Made, Option<&'static str>) {
        match operation {
            "CreateSecret" => (Made::Creating, Some("\"missing\"")),
            "GetSecretValue" | "PutSecretValue" | "UpdateSecretVersionStage" => {
                (Made::Adding, None)
            }
            "RestoreSecret" => (Made::Restoring, None),
            "DescribeSecret" => (Made::Plan, Some("\"missing\"")),
            _ => (Made::Plan, None),
        }
    }

    fn delete(&self, name: &str) {
        Self::delete(self, name, 7);
    }

    fn word(what: &str, _: &Answer) -> String {
        what.to_owned()
    }
}

impl Calls for AzureKv {
    fn made(operation: &str) -> (Made, Option<&'static str>) {
        match operation {
            "SetSecret" | "GetSecretVersions" => (Made::Creating, Some("/missing")),
            "RecoverDeletedSecret" => (Made::Restoring, None),
            "GetSecret" => (Made::DeepPlan, Some("/beside")),
            _ => (Made::Plan, None),
        }
    }

    fn delete(&self, name: &str) {
        Self::delete(self, name);
    }

    fn word(what: &str, _: &Answer) -> String {
        what.to_owned()
    }
}

impl Calls for GcpSm {
    fn made(operation: &str) -> (Made, Option<&'static str>) {
        match operation {
            "CreateSecret" => (Made::Creating, Some("=missing")),
            "AddSecretVersion" => (Made::Creating, Some("/missing")),
            "GetSecret" | "UpdateSecret" => (Made::Adding, None),
            "AccessSecretVersion" => (Made::DeepPlan, Some("/beside")),
            "ListSecretVersions" => (Made::Plan, Some("/beside")),
            _ => (Made::Plan, None),
        }
    }

    fn word(_: &str, answer: &Answer) -> String {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let word = body.pointer("/error/status").and_then(Value::as_str);
        word.unwrap_or_default().to_owned()
    }
}

impl Calls for Kubernetes {
    fn world(operation: &str) -> Result<World<Self>, String> {
        if operation == "create namespaces" {
            return World::on(Server::start(Self::default()), &Value::Null, SECRETS);
        }
        World::new(SECRETS)
    }

    fn made(operation: &str) -> (Made, Option<&'static str>) {
        match operation {
            "create secrets" => (Made::Creating, Some("missing")),
            "patch secrets" => (Made::Adding, None),
            "create namespaces" => (Made::MakingRoom, None),
            "get secrets" => (Made::DeepPlan, Some("/beside")),
            _ => (Made::Plan, None),
        }
    }

    fn word(_: &str, answer: &Answer) -> String {
        match answer.status {
            200..=299 => String::new(),
            status => status.to_string(),
        }
    }
}

#[test]
fn every_documented_error_of_vault_harms_nothing_and_says_what_to_do() -> Test {
    every_error::<Vault>()
}

#[test]
fn every_documented_error_of_kubernetes_harms_nothing_and_says_what_to_do() -> Test {
    every_error::<Kubernetes>()
}

#[test]
fn every_documented_error_of_aws_sm_harms_nothing_and_says_what_to_do() -> Test {
    every_error::<AwsSm>()
}

#[test]
fn every_documented_error_of_azure_kv_harms_nothing_and_says_what_to_do() -> Test {
    every_error::<AzureKv>()
}

#[test]
fn every_documented_error_of_gcpsm_harms_nothing_and_says_what_to_do() -> Test {
    every_error::<GcpSm>()
}

/// One error of one call.
struct Case {
    operation: &'static str,
    what: &'static str,
    answer: Answer,
    made: Made,
    /// A text in the requests that are answered so, or none for all of them.
    about: Option<&'static str>,
    /// Whether the service asks for patience.
    is_throttled: bool,
}

fn every_error<S: Calls>() -> Test {
    let mut cases = Vec::new();
    for (operation, what, answer) in S::documented_errors() {
        let (made, name) = S::made(operation);
        let (answer, is_throttled) = traced(&answer);
        let name = name.filter(|_| !is_throttled);
        for about in std::iter::once(None).chain(name.map(Some)) {
            let answer = answer.clone();
            cases.push(Case {
                operation,
                what,
                answer,
                made,
                about,
                is_throttled,
            });
        }
    }
    let kind = World::<S>::new(SECRETS)?.backend.kind().to_owned();
    let told = each(&cases, 40, |case| {
        judge::<S>(case).map_err(|err| case.failed(&err))
    })?;
    let mut settings = insta::Settings::clone_current();
    settings
        .set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("data/documented-errors"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(kind.as_str(), table(&cases, &told)));
    Ok(())
}

impl Case {
    fn failed(&self, why: &str) -> String {
        let about = self.about.unwrap_or("everything");
        format!("{}, {}, about {about}: {why}", self.operation, self.what)
    }
}

/// The answer with an id of the request, as every service gives one, and whether it asks for patience: then for so much
/// that nobody has it.
fn traced(answer: &Answer) -> (Answer, bool) {
    let mut answer = answer.clone();
    for name in [
        "x-request-id",
        "x-amzn-requestid",
        "x-ms-request-id",
        "audit-id",
    ] {
        answer = answer.with_header(name, ID);
    }
    let body = String::from_utf8_lossy(&answer.body);
    let is_slow = ["RequestLimitExceeded", "Throttling", "TooManyRequests"];
    let is_throttled = answer.status == 429 || is_slow.iter().any(|code| body.contains(code));
    if is_throttled {
        answer = answer.with_header("retry-after", "3600");
    }
    (answer, is_throttled)
}

/// Runs into one error, and tells what is told of it.
fn judge<S: Calls>(case: &Case) -> Result<String, String> {
    let world = S::world(case.operation)?;
    let service = world.server.service();
    if case.made != Made::MakingRoom {
        service.put("stored", &[("", "of somebody")]);
        service.put("beside", &[("", "of somebody else")]);
        service.put(
            "grows",
            &[("one", "of somebody"), ("more", "kept as it is")],
        );
    }
    let is_restored = case.made == Made::Restoring;
    if is_restored {
        service.put("gone", &[("", "deleted by somebody")]);
        service.delete("gone");
        let contract = world.workspace.read("seed.yaml")?;
        world
            .workspace
            .write("seed.yaml", &format!("{contract}{DELETED}"))?;
    }
    let when = match case.about {
        None => When::operation(case.operation),
        Some(text) => When::about(case.operation, text),
    };
    world
        .server
        .fault(when, Fault::Answer(case.answer.clone()), None);
    match case.made {
        Made::Plan => looks(&world, case, PLAN),
        Made::DeepPlan => looks(&world, case, &format!("{PLAN} --deep")),
        // Further writes would wait for as long as the service wants them to.
        Made::Creating if case.is_throttled => {
            writes(&world, case, &format!("{APPLY} --only missing"))
        }
        Made::Adding if case.is_throttled => writes(&world, case, &format!("{APPLY} --only grows")),
        Made::Creating | Made::Adding => writes(&world, case, APPLY),
        Made::MakingRoom => writes(&world, case, &format!("{APPLY} --create-namespace")),
        Made::Restoring => writes(&world, case, &format!("{APPLY} --restore gone")),
    }
}

/// A plan and a run of which both meet an error when they look.
fn looks<S: Calls>(world: &World<S>, case: &Case, plan: &str) -> Result<String, String> {
    let planned = world.workspace.seed(plan)?;
    let met = |call: &seed_fakes::Call| call.operation == case.operation && !call.applied;
    if !world.server.log().0.iter().any(met) {
        return Err(format!(
            "no plan makes that call: {:?}",
            world.server.log().counts()
        ));
    }
    let told = told(world, &planned);
    is_fit(case, &planned, &told, &S::word(case.what, &case.answer))?;
    let applied = world.workspace.seed(APPLY)?;
    unharmed(world, case).map_err(|err| format!("{err}\n{applied}"))?;
    let known = |key: &str| {
        told.lines()
            .any(|line| line.starts_with("+ ") && line.contains(key))
    };
    if let Some(key) = MADE
        .iter()
        .find(|key| world.values().contains_key(**key) && !known(key))
    {
        return Err(format!(
            "{key} was made without being known to be absent\n{told}\n{applied}"
        ));
    }
    let code = |outcome: &Outcome| outcome.status.code().unwrap_or(-1);
    Ok(format!(
        "plan ends with {}, apply with {}\n{told}",
        code(&planned),
        code(&applied)
    ))
}

/// A run that meets an error when it writes.
fn writes<S: Calls>(world: &World<S>, case: &Case, apply: &str) -> Result<String, String> {
    let applied = world.workspace.seed(apply)?;
    let met = |call: &seed_fakes::Call| call.operation == case.operation && !call.applied;
    if !world.server.log().0.iter().any(met) {
        return Err(format!(
            "no run makes that call: {:?}",
            world.server.log().counts()
        ));
    }
    unharmed(world, case).map_err(|err| format!("{err}\n{applied}"))?;
    let told = told(world, &applied);
    is_fit(case, &applied, &told, &S::word(case.what, &case.answer))?;
    world.server.heal();
    let again = world.workspace.seed(match case.made {
        Made::Restoring => "apply --no-input --restore gone",
        Made::MakingRoom => "apply --no-input --create-namespace",
        Made::Adding | Made::Creating | Made::DeepPlan | Made::Plan => "apply --no-input",
    })?;
    let shown = again.to_string();
    again.success()?;
    is_whole(world, case).map_err(|err| format!("after it was over, {err}\n{shown}"))?;
    Ok(format!(
        "apply ends with {}\n{told}",
        applied.status.code().unwrap_or(-1)
    ))
}

/// Whoever is told of trouble is told what the service said, and under which id.
fn is_fit(case: &Case, outcome: &Outcome, told: &str, word: &str) -> Test {
    let failed = |why: &str| Err(format!("{why}\n{told}"));
    if told.contains("panicked") || !matches!(outcome.status.code(), Some(0 | 1 | 2 | 4 | 12)) {
        return failed("that is no end");
    }
    if told.lines().any(is_taken_for_absent) {
        return failed("what exists is taken for absent");
    }
    let is_trouble = told
        .lines()
        .any(|line| line.starts_with("! ") || line.starts_with("error"));
    if !is_trouble {
        return Ok(());
    }
    // Absence is the service's word too, and no error.
    if [
        ": it is not there",
        ": it was there, and is gone again",
        ": unknown, which is not absent: it was there",
    ]
    .iter()
    .any(|text| told.contains(text))
    {
        return Ok(());
    }
    if !told.contains("$ID") {
        return failed("there is no id of the request");
    }
    if !told.contains(word) {
        return failed(&format!("there is no `{word}`"));
    }
    let steps = ["; ", "hint: ", "What to do next:"];
    if !steps.iter().any(|step| told.contains(step)) {
        return failed("there is no next step");
    }
    let goes_on = told
        .lines()
        .any(|line| line.ends_with(": exists") || line.ends_with(": created"));
    // Who we are, and where, is the same for all names.
    let is_of_all = [
        "log in",
        "credentials",
        "nothing is mounted",
        "there is no vault of that name",
        "the namespace is being deleted",
        "did not serve the requests before it",
        "the Secret Manager API is not enabled",
        "the project has no billing account",
        "the project does not exist",
        "the quota project",
        "the token is not for Google Cloud",
    ]
    .iter()
    .any(|text| told.contains(text));
    if case.about.is_some() && !goes_on && !is_of_all {
        return failed("one name keeps all others from going on");
    }
    Ok(())
}

/// Whether a line plans for what exists, as if it did not.
fn is_taken_for_absent(line: &str) -> bool {
    let planned = line
        .strip_prefix("+ ")
        .and_then(|rest| rest.split_once(": "));
    planned.is_some_and(|(keys, what)| {
        let there = THERE
            .iter()
            .any(|(there, _)| keys.split(", ").any(|key| key == *there));
        there && what != "restored"
    })
}

/// What a run says, without what is the same for every run: keys of which the same is said stand together.
fn told<S: Calls>(world: &World<S>, outcome: &Outcome) -> String {
    let shown = undrawn(&world.shown(outcome));
    let mut lines: Vec<(String, String)> = Vec::new();
    for line in shown.lines() {
        let is_frame = line.is_empty()
            || line == "---"
            || line.ends_with("seed.yaml")
            || line.contains(" values, about ")
            || (line.contains(" of ") && line.ends_with(" values"))
            || line.contains("; not guaranteed: ")
            || ["Plan: ", "Applied: ", "[exit status: "]
                .iter()
                .any(|begin| line.starts_with(begin));
        if is_frame {
            continue;
        }
        let key = line
            .strip_prefix("  ")
            .filter(|rest| rest.starts_with(['+', '=', '!', '>', '-', '?']));
        let (head, rest) = key
            .and_then(|rest| rest.split_once("  "))
            .unwrap_or((line, ""));
        let (mark, key) = head.split_at(if rest.is_empty() { 0 } else { 2 });
        let text = match rest {
            "" => String::new(),
            rest => format!("{mark}: {}", rest.trim_start()),
        };
        let known = lines
            .iter_mut()
            .find(|(keys, known)| *known == text && (!rest.is_empty() || keys == line));
        match known {
            Some(_) if rest.is_empty() => {}
            Some((keys, _)) => {
                keys.push_str(", ");
                keys.push_str(key);
            }
            None => lines.push((key.to_owned(), text)),
        }
    }
    let line = |(keys, text): (String, String)| match text.split_once(": ") {
        Some((mark, text)) => format!("{mark}{keys}: {text}\n"),
        None => format!("{keys}\n"),
    };
    lines.into_iter().map(line).collect()
}

/// Without labels and versions of Secrets Manager, which are drawn for each run.
fn undrawn(text: &str) -> String {
    let labels = masked(text, "`SEED-", "`SEED-…`");
    masked(&labels, "on version `", "on version `…`")
}

/// A text with something else in place of all that begins so and ends with a backtick.
fn masked(text: &str, begin: &str, shown: &str) -> String {
    let mut pieces = text.split(begin);
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        whole.push_str(shown);
        whole.push_str(piece.split_once('`').map_or("", |(_, rest)| rest));
    }
    whole
}

/// What was there is as it was.
fn unharmed<S: Calls>(world: &World<S>, case: &Case) -> Test {
    if case.made == Made::MakingRoom {
        return Ok(());
    }
    let values = world.values();
    let changed = THERE.iter().find(|(key, value)| {
        // What is deleted has no value that could be seen.
        let seen = values
            .get(*key)
            .filter(|_| *key != "gone" || world.server.service().kept().contains_key("gone"));
        match seen {
            Some(seen) => !seen.is_empty() && seen != value.as_bytes(),
            None => *key != "gone",
        }
    });
    changed.map_or(Ok(()), |(key, _)| Err(format!("{key} is not what it was")))
}

/// All is there, and what was made alone was made once.
fn is_whole<S: Calls>(world: &World<S>, case: &Case) -> Test {
    unharmed(world, case)?;
    let values = world.values();
    let restored = (case.made == Made::Restoring).then_some("gone");
    let mut wanted = MADE.into_iter().chain(restored);
    if let Some(key) = wanted.find(|key| !values.contains_key(*key)) {
        return Err(format!("{key} is missing"));
    }
    let kept = world.server.service().kept();
    let twice = kept
        .iter()
        .find(|(name, kept)| *name != "grows" && kept.versions != 1);
    twice.map_or(Ok(()), |(name, kept)| {
        Err(format!("{name} was written {} times", kept.versions))
    })
}

/// One paragraph for all errors of which the same is told.
fn table(cases: &[Case], told: &[String]) -> String {
    let mut paragraphs: Vec<(String, &str, Vec<&str>)> = Vec::new();
    for (case, told) in cases.iter().zip(told) {
        let scope = case.about.map_or("every request".to_owned(), |text| {
            format!("only about {}", text.trim_matches(['/', '"', '=']))
        });
        let title = format!("{}, {scope}", case.operation);
        match paragraphs
            .iter_mut()
            .find(|(known, text, _)| *known == title && text == told)
        {
            Some((_, _, errors)) => errors.push(case.what),
            None => paragraphs.push((title, told, vec![case.what])),
        }
    }
    paragraphs.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    let mut table = String::new();
    let mut last = String::new();
    for (title, told, errors) in paragraphs {
        if title != last {
            table.push_str(&format!("# {title}\n\n"));
            last = title;
        }
        table.push_str(&format!("{}: {told}\n", errors.join(", ")));
    }
    table
}
