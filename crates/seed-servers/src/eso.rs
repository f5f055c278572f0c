//! External Secrets Operator: its controller, outside of the cluster that it works for.
//!
//! Its webhook is not there, so that objects are judged by their definitions alone.

use std::fs;

use serde_json::Value;

use crate::guard::{self, Guarded};
use crate::kubernetes::KubeApiserver;
use crate::programs;

/// The controller.
#[derive(Debug)]
pub struct Operator {
    process: Guarded,
}

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// What must be served before anybody may use it.
const SERVED: [&str; 3] = ["clustersecretstores", "externalsecrets", "secretstores"];

impl Operator {
    /// Installs the definitions of the controller's own release, once.
    pub fn install(kube: &KubeApiserver) -> Result<(), String> {
        let path = programs::directory("eso")?.join("crds.yaml");
        let text = fs::read_to_string(&path).map_err(|err| format!("{}: {err}", path.display()))?;
        for definition in text.split("\n---\n").filter(|text| text.contains("kind:")) {
            let answer = kube.post_yaml(DEFINITIONS, definition)?;
            if answer.status != 409 {
                answer.success()?;
            }
        }
        kube.wait(|| {
            for kind in SERVED {
                let path = format!("/apis/external-secrets.io/v1/{kind}");
                kube.call("GET", &path, &Value::Null)?.success()?;
            }
            Ok(())
        })
    }

    /// Starts it as the cluster's administrator, with these variables. It opens no port; whether it works shows in what it
    /// does.
    pub fn start(kube: &KubeApiserver, variables: &[(String, String)]) -> Result<Self, String> {
        let program = programs::directory("eso")?.join("external-secrets");
        let arguments = [
            "--metrics-addr=0",
            "--live-addr=0",
            "--store-requeue-interval=5s",
            "--enable-push-secret-reconciler=false",
            "--enable-cluster-push-secret-reconciler=false",
        ]
        .map(str::to_owned);
        let config = kube.admin_kubeconfig().display().to_string();
        let mut variables = variables.to_vec();
        variables.push(("KUBECONFIG".to_owned(), config));
        let directory = guard::directory("eso")?;
        let process = Guarded::start_with("eso", directory, &program, &arguments, &variables)?;
        Ok(Self { process })
    }

    /// The last lines that it wrote, for a test that fails.
    pub fn log(&self) -> String {
        self.process.log()
    }
}
