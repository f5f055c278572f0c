//! From a contract to the Secrets that pods mount: what `seed` stores and emits, carried out by the real operator.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seed_servers::{KubeApiserver, Operator};
use serde_json::{Value, json};

use crate::emission;
use crate::meaning::{Meaning, Piece, Source, Text};
use crate::service::UnderTest;
use crate::workspace::Workspace;

type Test = Result<(), String>;

/// The LLM platform with everything on, in one backend, in a cluster of its own.
#[derive(Debug)]
pub struct Delivery<'a> {
    kube: &'a KubeApiserver,
    service: &'a dyn UnderTest,
    workspace: Workspace,
}

/// The operator's own namespace, where credentials of stores are.
pub const OPERATOR: &str = "external-secrets";

const CONTRACT: &str = "contracts/llm-platform.yaml";
const EVERYTHING: &str = "--set features.egress=true --set features.n8n=true";
const GIVEN: &str = "\
anthropic-api-key: sk-ant-0123456789
cloudflare-api-token: \"0123456789012345678901234567890123456789\"
hf-token: hf_0123456789
";

impl<'a> Delivery<'a> {
    /// Prepares the contract, with what the operator is told of the backend.
    pub fn new(
        kube: &'a KubeApiserver,
        service: &'a dyn UnderTest,
        workspace: Workspace,
        store: &str,
    ) -> Result<Self, String> {
        let contract = workspace.read(CONTRACT)?;
        let begin = format!("  {}: {{", service.kind());
        let lines = contract.lines().map(|line| {
            match line
                .strip_prefix(&begin)
                .and_then(|rest| rest.strip_suffix('}'))
            {
                Some(rest) => format!("{begin}{rest}, store: {store}}}\n"),
                None => format!("{line}\n"),
            }
        });
        let changed: String = lines.collect();
        if changed == contract {
            return Err(format!("the contract has no backend `{}`", service.kind()));
        }
        workspace.write(CONTRACT, &changed)?;
        workspace.write("given.yaml", GIVEN)?;
        Operator::install(kube)?;
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": OPERATOR}});
        kube.apply(&namespace)?;
        Ok(Self {
            kube,
            service,
            workspace,
        })
    }

    /// Stores everything, emits everything, applies that, and waits for the operator to do the rest.
    pub fn arrives(&self, operator: &Operator, facts: &str, flags: &str) -> Test {
        let kind = self.service.kind();
        let common = format!("-c {CONTRACT} --env ai-dev --backend {kind} {EVERYTHING} {facts}");
        let apply = format!("apply {common} {flags} --values given.yaml --no-input --yes");
        self.workspace.seed(&apply)?.success()?;
        let emit = format!(
            "emit {common} --with-optional hf-token --with store,rbac,namespaces --eso-version 0.20 --out out"
        );
        self.workspace.seed(&emit)?.success()?;
        let objects = self.objects()?;
        let namespaces = objects.iter().filter(|object| is(object, "Namespace"));
        let others = objects.iter().filter(|object| !is(object, "Namespace"));
        for object in namespaces.chain(others) {
            self.kube.apply(object)?;
        }
        let emitted: Vec<_> = objects
            .iter()
            .filter(|object| is(object, "ExternalSecret"))
            .collect();
        if emitted.len() < 15 {
            return Err(format!("only {} are emitted", emitted.len()));
        }
        let synced = self
            .kube
            .wait(|| emitted.iter().try_for_each(|object| self.is_synced(object)));
        synced.map_err(|err| format!("{err}\n{}\n{}", self.stores(&objects), operator.log()))?;
        for object in emitted {
            self.is_delivered(object)?;
        }
        for object in &objects {
            let stored = self.kube.read(object)?;
            let drift = drift("", object, &stored);
            if !drift.is_empty() {
                return Err(format!("{}: {drift:?}", KubeApiserver::path(object)));
            }
        }
        Ok(())
    }

    /// What is said of the stores.
    fn stores(&self, objects: &[Value]) -> String {
        let stores = objects
            .iter()
            .filter(|object| is(object, "ClusterSecretStore"));
        let status = |object: &Value| self.kube.read(object).ok()?.get("status").cloned();
        stores
            .filter_map(status)
            .map(|status| status.to_string())
            .collect()
    }

    /// Every emitted object.
    fn objects(&self) -> Result<Vec<Value>, String> {
        let directory: PathBuf = self.workspace.root().join("out");
        let manifests = emission::manifests(&directory)?.into_values();
        Ok(manifests.map(|manifest| manifest.object).collect())
    }

    fn is_synced(&self, object: &Value) -> Test {
        let stored = self.kube.read(object)?;
        let conditions = stored.pointer("/status/conditions");
        let conditions = conditions.and_then(Value::as_array);
        let ready = |condition: &&Value| {
            condition.get("type") == Some(&json!("Ready"))
                && condition.get("status") == Some(&json!("True"))
        };
        match conditions.into_iter().flatten().find(ready) {
            Some(_) => Ok(()),
            None => Err(format!("{}: {conditions:?}", KubeApiserver::path(object))),
        }
    }

    /// The Secret is what the backend holds, to the byte.
    fn is_delivered(&self, object: &Value) -> Test {
        let meaning = Meaning::of(object)?;
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"namespace": meaning.namespace, "name": meaning.target},
        });
        let secret = self.kube.read(&secret)?;
        let failed = |what: &str| Err(format!("{}/{}: {what}", meaning.namespace, meaning.target));
        if secret.get("type").and_then(Value::as_str) != Some(&meaning.secret_type) {
            return failed("its type differs");
        }
        for (key, text) in &meaning.labels {
            let label = secret
                .pointer("/metadata/labels")
                .and_then(|all| all.get(key));
            if label.and_then(Value::as_str).map(Text::literal).as_ref() != Some(text) {
                return failed("a label differs");
            }
        }
        let data: BTreeMap<String, String> =
            serde_json::from_value(secret.get("data").cloned().unwrap_or_default())
                .map_err(|err| err.to_string())?;
        let mut found = BTreeMap::new();
        for (key, value) in data {
            let bytes = STANDARD.decode(value).map_err(|err| err.to_string())?;
            found.insert(key, bytes);
        }
        let mut wanted = BTreeMap::new();
        for (key, text) in &meaning.keys {
            wanted.insert(key.clone(), self.stored_text(text)?);
        }
        if found.keys().ne(wanted.keys()) {
            return failed(&format!("it has the keys {:?}", found.keys()));
        }
        match found
            .iter()
            .find(|(key, bytes)| wanted.get(*key) != Some(*bytes))
        {
            Some((key, _)) => failed(&format!("`{key}` differs")),
            None => Ok(()),
        }
    }

    fn stored_text(&self, text: &Text) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        for piece in text.pieces() {
            match piece {
                Piece::Code(code) => return Err(format!("`{code}` is more than a value")),
                Piece::From(source) => bytes.extend(self.stored(source)?),
                Piece::Text(text) => bytes.extend(text.as_bytes()),
            }
        }
        Ok(bytes)
    }

    /// A value as the backend itself gives it.
    fn stored(&self, source: &Source) -> Result<Vec<u8>, String> {
        let Some(property) = &source.property else {
            let text = self.service.text(&source.key)?;
            return text.map(String::into_bytes).ok_or_else(|| "no text".into());
        };
        let members = self.service.members(&source.key)?;
        let raw = members.get(property).ok_or("no such property")?;
        let text: String = serde_json::from_str(raw).map_err(|err| err.to_string())?;
        if self.service.kind() == "kubernetes" {
            return STANDARD.decode(text).map_err(|err| err.to_string());
        }
        Ok(text.into_bytes())
    }
}

fn is(object: &Value, kind: &str) -> bool {
    object.get("kind").and_then(Value::as_str) == Some(kind)
}

/// What is stored otherwise than it was written: every field that was, and lists as a whole.
fn drift(at: &str, written: &Value, stored: &Value) -> Vec<String> {
    match (written, stored) {
        (Value::Object(written), Value::Object(stored)) => {
            let each = written.iter().map(|(key, value)| {
                let stored = stored.get(key).unwrap_or(&Value::Null);
                drift(&format!("{at}/{key}"), value, stored)
            });
            each.flatten().collect()
        }
        _ if written == stored => Vec::new(),
        // An empty mapping is stored as none.
        (Value::Object(written), Value::Null) if written.is_empty() => Vec::new(),
        _ => vec![at.to_owned()],
    }
}
