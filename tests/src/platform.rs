//! What a platform goes through with each backend, whoever plays it: its secrets from nothing with `make seed-secrets`,
//! no terminal and no `--yes`; and a field that is added to what somebody else stored.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use seed_servers::{Record, Served};
use serde_json::{Value, json};

use crate::binary::seed_binary;
use crate::cli::{Outcome, Sealed};
use crate::emission;
use crate::search::leaks;
use crate::service::UnderTest;
use crate::shared::repository;
use crate::workspace::Workspace;

type Test = Result<(), String>;

/// The LLM platform's contract in one backend.
#[derive(Debug)]
pub struct Platform<'a> {
    service: &'a dyn UnderTest,
    record: &'a dyn Record,
    /// Where `make` runs, with a copy of the contract.
    pub workspace: Workspace,
    flags: &'a str,
}

type Marks = BTreeMap<String, Value>;

impl<'a> Platform<'a> {
    /// Prepares a directory in which `make` finds what it finds in the repository, and a program already built.
    pub fn new(
        service: &'a dyn UnderTest,
        record: &'a dyn Record,
        flags: &'a str,
    ) -> Result<Self, String> {
        let workspace = service.workspace()?;
        let failed = |err: std::io::Error| err.to_string();
        let makefile = fs::read_to_string(repository()?.join("Makefile")).map_err(failed)?;
        workspace.write("Makefile", &makefile)?;
        let cargo = workspace.root().join("cargo");
        fs::write(
            &cargo,
            "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift\nexec \"$SEED\" \"$@\"\n",
        )
        .map_err(failed)?;
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).map_err(failed)?;
        Ok(Self {
            service,
            record,
            workspace,
            flags,
        })
    }

    /// All that a platform goes through.
    pub fn lives(&self, one: &str) -> Test {
        let began = self.record.served()?.len();
        self.make("")?.success()?;
        let writes = self.writes_since(began)?;
        let created = self.service.marks()?;
        let began = self.record.served()?.len();
        let kept = self.planned(&["keep"])?;
        assert!(kept.len() >= 14, "{kept:?}");
        assert_eq!(created.len(), kept.len());
        let versions = self.service.versions()?;
        assert!(versions.values().all(|count| *count == 1), "{versions:?}");
        let wanted = created.len() * self.service.writes_each();
        assert_eq!(writes.len(), wanted, "{writes:?}");
        self.manifests_are_those_of_the_backend(&created)?;

        self.make("")?.success()?;
        assert!(self.service.marks()? == created, "a second run wrote");
        assert!(self.record.served()?.len() > began, "nothing is recorded");
        assert_eq!(self.writes_since(began)?, [], "by the server's own words");

        self.service.forget(one)?;
        let before = self.service.marks()?;
        assert_eq!(before.len(), created.len() - 1);
        self.make("")?.success()?;
        let mut after = self.service.marks()?;
        assert!(after.remove(one).is_some(), "`{one}` is not back");
        assert!(after == before, "something else was written");

        if self.service.delete(one)? {
            self.what_can_be_restored_waits(one)?;
        }
        self.no_value_is_recorded()
    }

    /// What the server was asked after its first so many requests, and could change something.
    fn writes_since(&self, began: usize) -> Result<Vec<Served>, String> {
        let served = self.record.served()?.into_iter().skip(began);
        Ok(served.filter(|served| served.writes).collect())
    }

    /// No value stands where a server writes down who asked for what.
    fn no_value_is_recorded(&self) -> Test {
        let Some(text) = self.record.text()? else {
            return Ok(());
        };
        let values = self.workspace.values(&self.contract())?;
        assert!(values.len() >= 14, "{}", values.len());
        let record = BTreeMap::from([("the record".to_owned(), text.into_bytes())]);
        assert_eq!(leaks(&values, &record), Vec::<String>::new());
        Ok(())
    }

    /// Blocked, with nothing written, until somebody asks for it by name.
    fn what_can_be_restored_waits(&self, one: &str) -> Test {
        let before = self.service.marks()?;
        let outcome = self.make("")?;
        assert!(!outcome.status.success(), "{outcome}");
        let said = outcome.to_string();
        assert!(said.contains("--restore vllm-api-key"), "{said}");
        assert!(said.contains("Error 12"), "{said}");
        assert!(self.service.marks()? == before, "a blocked run wrote");
        let keeps = self.planned(&["keep"])?.len();
        self.make("--restore vllm-api-key")?.success()?;
        assert_eq!(self.planned(&["keep"])?.len(), keeps + 1);
        let mut after = self.service.marks()?;
        let mut others = before;
        assert!(after.remove(one) != others.remove(one));
        assert!(after == others, "something else was written");
        let versions = self.service.versions()?;
        assert!(versions.values().all(|count| *count == 1), "{versions:?}");
        Ok(())
    }

    /// What the operator will ask the backend for is there, in the form in which it is there.
    fn manifests_are_those_of_the_backend(&self, stored: &Marks) -> Test {
        let directory = self.workspace.root().join("build/manifests/ai-dev");
        let mut asked = BTreeSet::new();
        for manifest in emission::manifests(&directory)?.values() {
            let data = manifest.object.pointer("/spec/data");
            for item in data.and_then(Value::as_array).into_iter().flatten() {
                let text = |name| item.pointer(name).and_then(Value::as_str);
                let key = text("/remoteRef/key").ok_or("an item without a key")?;
                assert!(stored.contains_key(key), "nobody keeps `{key}`");
                assert_eq!(
                    text("/remoteRef/property"),
                    self.service.property(),
                    "{key}"
                );
                asked.insert(key.to_owned());
            }
        }
        assert!(asked.len() >= 14, "{asked:?}");
        Ok(())
    }

    fn planned(&self, actions: &[&str]) -> Result<Vec<String>, String> {
        self.workspace.planned(&self.contract(), actions)
    }

    /// What names the contract for commands that create nothing, and so have no flag for that.
    fn contract(&self) -> String {
        format!(
            "-c contracts/llm-platform.yaml --env ai-dev --backend {} {}",
            self.service.kind(),
            self.flags.replace("--create-namespace", "")
        )
    }

    /// `make seed-secrets`, as a person has it in their shell.
    fn make(&self, more: &str) -> Result<Outcome, String> {
        let variables = self.service.variables().into_iter();
        let sealed = Sealed::new(Path::new("make"))?
            .variable("SEED", seed_binary()?)
            .variable("SEED_VALUE_CLOUDFLARE_API_TOKEN", "t".repeat(40));
        let sealed = variables.fold(sealed, |sealed, (name, value)| sealed.variable(name, value));
        let backend = format!("BACKEND={}", self.service.kind());
        let flags = format!("FLAGS={} {more}", self.flags);
        let arguments = ["seed-secrets", "CARGO=./cargo", &*backend, &*flags];
        sealed.run(self.workspace.root(), arguments)
    }
}

/// What somebody stored in their own way. A number with more digits than a float has, an empty object, spaces.
const STORED: &str = "{ \"user\" : \"app\",\n  \"port\":5432, \"ratio\": 1.50, \
    \"big\": 12345678901234567890123.10,\t\"limits\": {\"b\" : 1, \"a\": [1,  2.0, {}]}, \"on\": true, \"text\": \"\\u00e4 \\\"\" }\n";

/// A field is added to what somebody stored, and a second run writes nothing.
pub fn a_missing_field_is_added(service: &dyn UnderTest) -> Test {
    let workspace = a_missing_field_is_added_once(service)?;
    let marks = service.marks()?;
    workspace.seed("apply")?.success()?;
    assert!(service.marks()? == marks, "a second run wrote");
    Ok(())
}

/// A field is added to what somebody stored: every other one is as it was, to the byte where bytes are kept.
pub fn a_missing_field_is_added_once(service: &dyn UnderTest) -> Result<Workspace, String> {
    let workspace = service.workspace()?;
    let contract = json!({
        "version": 1,
        "name": "fields",
        "backend": service.kind(),
        "backends": {service.kind(): service.settings()},
        "secrets": {"database": {"fields": {
            "user": {"value": "somebody"},
            "password": {"generate": {"hex": 16}},
            "port": {"value": "1"},
        }}},
    });
    workspace.write("seed.yaml", &contract.to_string())?;
    let settings = service.settings();
    let prefix = settings.get("prefix").and_then(Value::as_str);
    let name = format!("{}database", prefix.unwrap_or_default());
    service.put(&name, STORED)?;
    let before = (service.members(&name)?, service.text(&name)?);
    let said = workspace.seed("apply")?.success()?;
    let mut after = service.members(&name)?;
    let password = after.remove("password").ok_or(said)?;
    assert!(password.len() >= 34, "no password of 32 characters");
    assert!(after == before.0, "another field is not what it was");
    if let (Some(before), Some(after)) = (before.1, service.text(&name)?) {
        let (kept, end) = before.rsplit_once('}').ok_or("no object")?;
        assert!(after.starts_with(kept.trim_end()), "other bytes changed");
        assert!(after.ends_with(&format!("}}{end}")), "other bytes changed");
    }
    Ok(workspace)
}
