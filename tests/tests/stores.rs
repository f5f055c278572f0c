//! Stores are accepted by every release of the operator that they are written for, with every way to log in, and no release
//! adds to them.

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed};
use seed_tests::crd::{RELEASES, Release};
use seed_tests::emission;
use seed_tests::shared::needs_shared;
use seed_tests::workspace::Workspace;

/// A way to log in: what it is, the first release that has it, the backend's settings, and what the operator is told.
type Way = (&'static str, &'static str, &'static str, &'static str);

const GOOGLE: &str = "gcpsm: {project: lab";
const AWS: &str = "aws-sm: {region: eu-central-1";
const AZURE: &str = "azure-kv: {vault: 'https://lab.vault.azure.net'";
const VAULT: &str = "vault: {address: 'https://vault:8200', namespace: team, mount: kv";
const KUBERNETES: &str = "kubernetes: {namespace: source";

const WAYS: [Way; 35] = [
    ("google_ambient", "0.17", GOOGLE, "{}"),
    (
        "google_key",
        "0.17",
        GOOGLE,
        "{secretRef: {secretAccessKeySecretRef: {name: a, namespace: n, key: k}}}",
    ),
    (
        "google_workload_identity",
        "0.17",
        GOOGLE,
        "{workloadIdentity: {clusterLocation: l, clusterName: c, clusterProjectID: p, serviceAccountRef: {name: a, namespace: n}}}",
    ),
    (
        "google_federation",
        "0.20",
        GOOGLE,
        "{workloadIdentityFederation: {audience: //iam.googleapis.com/x, serviceAccountRef: {name: a, namespace: n}}}",
    ),
    (
        "google_federation_file",
        "0.20",
        GOOGLE,
        "{workloadIdentityFederation: {credConfig: {name: a, namespace: n, key: k}}}",
    ),
    (
        "google_federation_of_aws",
        "0.20",
        GOOGLE,
        "{workloadIdentityFederation: {audience: //iam.googleapis.com/x, awsSecurityCredentials: {region: r, awsCredentialsSecretRef: {name: a, namespace: n}}}}",
    ),
    (
        "google_older_version",
        "0.20",
        GOOGLE,
        "{secretVersionSelectionPolicy: LatestOrFetch}",
    ),
    ("aws_ambient", "0.17", AWS, "{}"),
    (
        "aws_key",
        "0.17",
        AWS,
        "{secretRef: {accessKeyIDSecretRef: {name: a, namespace: n, key: i}, secretAccessKeySecretRef: {name: a, namespace: n, key: s}, sessionTokenSecretRef: {name: a, namespace: n, key: t}}}",
    ),
    (
        "aws_web_identity",
        "0.17",
        AWS,
        "{jwt: {serviceAccountRef: {name: a, namespace: n}}}",
    ),
    (
        "aws_role",
        "0.17",
        AWS,
        "{role: 'arn:aws:iam::1:role/r', externalID: e, additionalRoles: ['arn:aws:iam::1:role/s'], sessionTags: [{key: k, value: v}], transitiveTagKeys: [k]}",
    ),
    (
        "aws_session_tags",
        "2.5",
        AWS,
        "{sessionTagsPolicy: Simple}",
    ),
    (
        "azure_service_principal",
        "0.17",
        AZURE,
        "{tenantId: t, authSecretRef: {clientId: {name: a, namespace: n, key: i}, clientSecret: {name: a, namespace: n, key: s}}}",
    ),
    (
        "azure_certificate",
        "0.17",
        AZURE,
        "{tenantId: t, authSecretRef: {clientId: {name: a, namespace: n, key: i}, clientCertificate: {name: a, namespace: n, key: c}}}",
    ),
    (
        "azure_managed_identity",
        "0.17",
        AZURE,
        "{authType: ManagedIdentity, identityId: i}",
    ),
    (
        "azure_workload_identity",
        "0.17",
        AZURE,
        "{authType: WorkloadIdentity, serviceAccountRef: {name: a, namespace: n}}",
    ),
    (
        "azure_government",
        "0.17",
        "azure-kv: {vault: 'https://lab.vault.usgovcloudapi.net'",
        "{authType: ManagedIdentity}",
    ),
    (
        "azure_new_library",
        "0.20",
        AZURE,
        "{authType: ManagedIdentity, useAzureSDK: true}",
    ),
    (
        "vault_token",
        "0.17",
        VAULT,
        "{tokenSecretRef: {name: a, namespace: n, key: k}}",
    ),
    (
        "vault_app_role",
        "0.17",
        VAULT,
        "{appRole: {roleId: r, secretRef: {name: a, namespace: n, key: k}}}",
    ),
    (
        "vault_kubernetes",
        "0.17",
        VAULT,
        "{kubernetes: {role: r, serviceAccountRef: {name: a, namespace: n}}}",
    ),
    (
        "vault_jwt",
        "0.17",
        VAULT,
        "{jwt: {role: r, kubernetesServiceAccountToken: {serviceAccountRef: {name: a, namespace: n}, audiences: [vault]}}}",
    ),
    (
        "vault_certificate",
        "0.17",
        VAULT,
        "{cert: {clientCert: {name: a, namespace: n, key: c}, secretRef: {name: a, namespace: n, key: k}}}",
    ),
    (
        "vault_password",
        "0.17",
        VAULT,
        "{userPass: {username: u, secretRef: {name: a, namespace: n, key: k}}}",
    ),
    (
        "vault_ldap",
        "0.17",
        VAULT,
        "{ldap: {username: u, secretRef: {name: a, namespace: n, key: k}}}",
    ),
    (
        "vault_iam",
        "0.17",
        VAULT,
        "{iam: {vaultRole: r, region: eu-central-1, jwt: {serviceAccountRef: {name: a, namespace: n}}}}",
    ),
    (
        "vault_google",
        "1.3",
        VAULT,
        "{gcp: {role: r, workloadIdentity: {serviceAccountRef: {name: a, namespace: n}}}}",
    ),
    (
        "vault_authority",
        "0.17",
        VAULT,
        "{caProvider: {type: ConfigMap, name: c, namespace: n, key: k}, tokenSecretRef: {name: a, namespace: n, key: k}}",
    ),
    (
        "vault_other_namespace",
        "0.17",
        VAULT,
        "{namespace: login, tokenSecretRef: {name: a, namespace: n, key: k}}",
    ),
    (
        "vault_tls",
        "0.17",
        VAULT,
        "{tls: {certSecretRef: {name: a, namespace: n, key: c}, keySecretRef: {name: a, namespace: n, key: k}}, headers: {x: y}, readYourWrites: true, forwardInconsistent: false, tokenSecretRef: {name: a, namespace: n, key: k}}",
    ),
    ("kubernetes_usual", "0.17", KUBERNETES, "null"),
    (
        "kubernetes_account",
        "0.17",
        KUBERNETES,
        "{serviceAccount: {name: a, namespace: n}, server: {caBundle: Y2E=}}",
    ),
    (
        "kubernetes_token",
        "0.17",
        KUBERNETES,
        "{token: {bearerToken: {name: a, namespace: n, key: k}}}",
    ),
    (
        "kubernetes_certificate",
        "0.17",
        KUBERNETES,
        "{cert: {clientCert: {name: a, namespace: n, key: c}, clientKey: {name: a, namespace: n, key: k}}}",
    ),
    (
        "kubernetes_kubeconfig",
        "0.17",
        KUBERNETES,
        "{authRef: {name: a, namespace: n, key: k}}",
    ),
];

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for (release, version) in RELEASES {
        let number = |text: &str| text.parse::<f32>().unwrap_or_default();
        for way in WAYS {
            if number(way.1) > number(version) {
                continue;
            }
            let test = move |shared: &Path| is_taken(shared, (release, version), way);
            trials.push(needs_shared(format!("{release}::{}", way.0), test));
        }
    }
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn is_taken(shared: &Path, (release, version): (&str, &str), way: Way) -> Result<(), Failed> {
    let release = Release::known(shared, release)?;
    for (kind, namespace) in [("ClusterSecretStore", "n"), ("SecretStore", "")] {
        let auth = match namespace {
            "" => way.3.replace(", namespace: n", ""),
            _ => way.3.to_owned(),
        };
        let auth = match auth.as_str() {
            "null" => String::new(),
            auth => format!(", auth: {auth}"),
        };
        let contract = format!(
            "version: 1\nname: shop\nbackends:\n  {}, store: {{kind: {kind}, name: main{auth}}}}}\nsecrets:\n  pass: {{generate: {{hex: 16}}}}\ntargets:\n  n/app: {{data: {{PASS: '${{pass}}'}}}}\n",
            way.2
        );
        let workspace = Workspace::new()?;
        workspace.write("seed.yaml", &contract)?;
        let emit = format!("emit --with store --eso-version {version} --out out");
        workspace.seed(&emit)?.success()?;
        let manifests = emission::manifests(&workspace.root().join("out"))?;
        let mut stores = 0;
        for manifest in manifests.values() {
            let object = &manifest.object;
            let refusals = release.refusals(object);
            if !refusals.is_empty() {
                let lines: Vec<String> = refusals.iter().map(ToString::to_string).collect();
                return Err(format!("{}\n{}", manifest.text, lines.join("\n")).into());
            }
            let stored = release
                .with_defaults(object)
                .map_err(|err| err.to_string())?;
            if stored != *object {
                return Err(format!("{}\nbecomes {stored}", manifest.text).into());
            }
            stores += usize::from(object.get("kind").is_some_and(|found| found == kind));
        }
        if stores != 1 {
            return Err(format!("{stores} stores are written").into());
        }
    }
    Ok(())
}
