//! Stores, and what they need around them: what a backend becomes, for which release, and what is refused.
#![expect(
    clippy::panic,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test may panic, and says so; what is written is shown whole"
)]

use insta::assert_snapshot;
use seed_core::contract::parse;
use seed_core::manifest::{Options, With, emit};
use seed_core::resolve::{Availability, Request, resolve};

const ALL: With = With {
    namespaces: true,
    rbac: true,
    store: true,
};
const STORE: With = With {
    namespaces: false,
    rbac: false,
    store: true,
};

/// Two Secrets in two namespaces, on one backend.
fn on(backend: &str) -> String {
    format!(
        "version: 1
name: shop
backends:
{backend}
store: {{name: main}}
secrets:
  pass: {{generate: {{hex: 16}}}}
targets:
  web/app: {{data: {{PASS: '${{pass}}'}}}}
  jobs/app: {{data: {{PASS: '${{pass}}'}}}}
"
    )
}

/// Every file but the `ExternalSecret`s.
fn around(source: &str, version: &str, with: With) -> String {
    let (contract, _) = parse(source).unwrap_or_else(|errors| panic!("{errors}\n{source}"));
    let request = Request {
        facts: contract.defaults.clone(),
        ..Request::default()
    };
    let (resolved, _) =
        resolve(&contract, source, &request).unwrap_or_else(|errors| panic!("{errors}\n{source}"));
    let options = Options {
        version: version.parse().unwrap(),
        available: Availability::default(),
        with,
    };
    match emit(&resolved, &options) {
        Ok(output) => {
            let files = output.manifests.iter();
            let files = files.filter(|file| file.path.contains('_'));
            let bare = |text: &str| text.split_once('\n').map(|(_, rest)| rest.to_owned());
            files
                .map(|file| format!("== {}\n{}", file.path, bare(&file.text).unwrap()))
                .collect()
        }
        Err(err) => format!("error: {err}\n"),
    }
}

fn newest(backend: &str) -> String {
    around(&on(backend), "2.9", STORE)
}

#[test]
fn a_source_namespace_gets_a_store_an_account_and_a_role_that_reads_it() {
    assert_snapshot!(around(&on("  kubernetes: {namespace: source}"), "2.9", ALL), @r#"
    == _cluster/clustersecretstore-main.yaml
    apiVersion: external-secrets.io/v1
    kind: ClusterSecretStore
    metadata:
      name: main
    spec:
      provider:
        kubernetes:
          remoteNamespace: source
          server:
            url: "https://kubernetes.default.svc"
            caProvider:
              type: ConfigMap
              name: kube-root-ca.crt
              key: ca.crt
              namespace: source
          auth:
            serviceAccount:
              name: main
              namespace: source
      conditions:
        - namespaces:
            - jobs
            - web
    == _cluster/namespace-jobs.yaml
    apiVersion: v1
    kind: Namespace
    metadata:
      name: jobs
      annotations:
        argocd.argoproj.io/sync-options: "Delete=false,Prune=false"
    == _cluster/namespace-source.yaml
    apiVersion: v1
    kind: Namespace
    metadata:
      name: source
      annotations:
        argocd.argoproj.io/sync-options: "Delete=false,Prune=false"
    == _cluster/namespace-web.yaml
    apiVersion: v1
    kind: Namespace
    metadata:
      name: web
      annotations:
        argocd.argoproj.io/sync-options: "Delete=false,Prune=false"
    == source/_role-main-reader.yaml
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata:
      name: main-reader
      namespace: source
    rules:
      - apiGroups:
          - ""
        resources:
          - secrets
        verbs:
          - get
          - list
          - watch
    == source/_rolebinding-main-reader.yaml
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata:
      name: main-reader
      namespace: source
    roleRef:
      apiGroup: rbac.authorization.k8s.io
      kind: Role
      name: main-reader
    subjects:
      - kind: ServiceAccount
        name: main
        namespace: source
    == source/_serviceaccount-main.yaml
    apiVersion: v1
    kind: ServiceAccount
    metadata:
      name: main
      namespace: source
    "#);
}

#[test]
fn a_store_of_a_namespace_is_written_into_each() {
    let backend = "  kubernetes: {namespace: source, store: {kind: SecretStore, name: own}}";
    assert_snapshot!(around(&on(backend), "2.9", ALL), @r#"
    == _cluster/namespace-jobs.yaml
    apiVersion: v1
    kind: Namespace
    metadata:
      name: jobs
      annotations:
        argocd.argoproj.io/sync-options: "Delete=false,Prune=false"
    == _cluster/namespace-source.yaml
    apiVersion: v1
    kind: Namespace
    metadata:
      name: source
      annotations:
        argocd.argoproj.io/sync-options: "Delete=false,Prune=false"
    == _cluster/namespace-web.yaml
    apiVersion: v1
    kind: Namespace
    metadata:
      name: web
      annotations:
        argocd.argoproj.io/sync-options: "Delete=false,Prune=false"
    == jobs/_secretstore-own.yaml
    apiVersion: external-secrets.io/v1
    kind: SecretStore
    metadata:
      name: own
      namespace: jobs
    spec:
      provider:
        kubernetes:
          remoteNamespace: source
          server:
            url: "https://kubernetes.default.svc"
            caProvider:
              type: ConfigMap
              name: kube-root-ca.crt
              key: ca.crt
          auth:
            serviceAccount:
              name: own
    == jobs/_serviceaccount-own.yaml
    apiVersion: v1
    kind: ServiceAccount
    metadata:
      name: own
      namespace: jobs
    == source/_role-own-reader.yaml
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata:
      name: own-reader
      namespace: source
    rules:
      - apiGroups:
          - ""
        resources:
          - secrets
        verbs:
          - get
          - list
          - watch
    == source/_rolebinding-own-reader.yaml
    apiVersion: rbac.authorization.k8s.io/v1
    kind: RoleBinding
    metadata:
      name: own-reader
      namespace: source
    roleRef:
      apiGroup: rbac.authorization.k8s.io
      kind: Role
      name: own-reader
    subjects:
      - kind: ServiceAccount
        name: own
        namespace: jobs
      - kind: ServiceAccount
        name: own
        namespace: web
    == web/_secretstore-own.yaml
    apiVersion: external-secrets.io/v1
    kind: SecretStore
    metadata:
      name: own
      namespace: web
    spec:
      provider:
        kubernetes:
          remoteNamespace: source
          server:
            url: "https://kubernetes.default.svc"
            caProvider:
              type: ConfigMap
              name: kube-root-ca.crt
              key: ca.crt
          auth:
            serviceAccount:
              name: own
    == web/_serviceaccount-own.yaml
    apiVersion: v1
    kind: ServiceAccount
    metadata:
      name: own
      namespace: web
    "#);
}

#[test]
fn each_backend_is_told_as_the_operator_keeps_it() {
    assert_snapshot!(newest("  gcpsm: {project: lab, location: europe-west3}"), @"
    == _cluster/clustersecretstore-main.yaml
    apiVersion: external-secrets.io/v1
    kind: ClusterSecretStore
    metadata:
      name: main
    spec:
      provider:
        gcpsm:
          projectID: lab
          location: europe-west3
          secretVersionSelectionPolicy: LatestOrFail
      conditions:
        - namespaces:
            - jobs
            - web
    ");
    assert_snapshot!(newest("  aws-sm: {region: eu-central-1, store: {auth: {role: 'arn:aws:iam::1:role/r', jwt: {serviceAccountRef: {name: reader, namespace: eso}}}}}"), @r#"
    == _cluster/clustersecretstore-main.yaml
    apiVersion: external-secrets.io/v1
    kind: ClusterSecretStore
    metadata:
      name: main
    spec:
      provider:
        aws:
          service: SecretsManager
          region: eu-central-1
          sessionTagsPolicy: None
          role: "arn:aws:iam::1:role/r"
          auth:
            jwt:
              serviceAccountRef:
                name: reader
                namespace: eso
      conditions:
        - namespaces:
            - jobs
            - web
    "#);
    assert_snapshot!(newest("  azure-kv: {vault: 'https://lab.vault.azure.cn/', store: {auth: {authType: ManagedIdentity}}}"), @r#"
    == _cluster/clustersecretstore-main.yaml
    apiVersion: external-secrets.io/v1
    kind: ClusterSecretStore
    metadata:
      name: main
    spec:
      provider:
        azurekv:
          vaultUrl: "https://lab.vault.azure.cn"
          authType: ManagedIdentity
          environmentType: ChinaCloud
          useAzureSDK: false
      conditions:
        - namespaces:
            - jobs
            - web
    "#);
    assert_snapshot!(newest("  vault: {address: 'https://vault:8200', namespace: team, mount: kv, store: {auth: {kubernetes: {role: reader, serviceAccountRef: {name: reader, namespace: eso}}}}}"), @r#"
    == _cluster/clustersecretstore-main.yaml
    apiVersion: external-secrets.io/v1
    kind: ClusterSecretStore
    metadata:
      name: main
    spec:
      provider:
        vault:
          server: "https://vault:8200"
          path: kv
          version: v2
          namespace: team
          auth:
            kubernetes:
              role: reader
              serviceAccountRef:
                name: reader
                namespace: eso
              mountPath: kubernetes
      conditions:
        - namespaces:
            - jobs
            - web
    "#);
}

#[test]
fn older_releases_get_no_field_that_they_do_not_have() {
    let backend = "  gcpsm: {project: lab}";
    assert_snapshot!(around(&on(backend), "0.17", STORE), @"
    == _cluster/clustersecretstore-main.yaml
    apiVersion: external-secrets.io/v1
    kind: ClusterSecretStore
    metadata:
      name: main
    spec:
      provider:
        gcpsm:
          projectID: lab
      conditions:
        - namespaces:
            - jobs
            - web
    ");
    let backend = "  aws-sm: {region: eu-central-1}";
    assert_snapshot!(around(&on(backend), "1.3", STORE), @"
    == _cluster/clustersecretstore-main.yaml
    apiVersion: external-secrets.io/v1
    kind: ClusterSecretStore
    metadata:
      name: main
    spec:
      provider:
        aws:
          service: SecretsManager
          region: eu-central-1
      conditions:
        - namespaces:
            - jobs
            - web
    ");
}

/// The contract says which accounts are its own; those of others, such as the operator's, are left alone.
#[test]
fn a_service_account_is_written_where_the_contract_says_that_it_is_its_own() {
    let own = "  aws-sm: {region: eu-central-1, store: {auth: {jwt: {serviceAccountRef: {name: reader, namespace: eso}}}, service-account: {annotations: {eks.amazonaws.com/role-arn: 'arn:aws:iam::1:role/r'}}}}";
    let rbac = With {
        rbac: true,
        ..With::default()
    };
    assert_snapshot!(around(&on(own), "2.9", rbac), @r#"
    == eso/_serviceaccount-reader.yaml
    apiVersion: v1
    kind: ServiceAccount
    metadata:
      name: reader
      namespace: eso
      annotations:
        eks.amazonaws.com/role-arn: "arn:aws:iam::1:role/r"
    "#);
    let others = "  aws-sm: {region: eu-central-1, store: {auth: {jwt: {serviceAccountRef: {name: reader, namespace: eso}}}}}";
    assert_eq!(around(&on(others), "2.9", rbac), "");
}

#[test]
fn what_the_contract_puts_on_all_manifests_is_on_these_too() {
    let source = format!(
        "{}emit: {{labels: {{team: shop}}, annotations: {{argocd.argoproj.io/sync-wave: '-1'}}}}\n",
        on("  kubernetes: {}")
    );
    let namespaces = With {
        namespaces: true,
        ..With::default()
    };
    assert_snapshot!(around(&source, "2.9", namespaces), @r#"
    == _cluster/namespace-jobs.yaml
    apiVersion: v1
    kind: Namespace
    metadata:
      name: jobs
      labels:
        team: shop
      annotations:
        argocd.argoproj.io/sync-wave: "-1"
        argocd.argoproj.io/sync-options: "Delete=false,Prune=false"
    == _cluster/namespace-web.yaml
    apiVersion: v1
    kind: Namespace
    metadata:
      name: web
      labels:
        team: shop
      annotations:
        argocd.argoproj.io/sync-wave: "-1"
        argocd.argoproj.io/sync-options: "Delete=false,Prune=false"
    "#);
}

#[test]
fn what_the_operator_could_not_use_is_refused() {
    let refused = [
        "  aws-sm: {}",
        "  gcpsm: {}",
        "  vault: {address: 'https://vault:8200'}",
        "  azure-kv: {vault: 'https://lab.vault.azure.net'}",
        "  gcpsm: {project: lab, store: {auth: {secretref: {}}}}",
        "  gcpsm: {project: lab, store: {auth: {token: {}}}}",
        "  vault: {address: 'https://vault:8200', store: {auth: {appRole: {}, jwt: {}}}}",
        "  kubernetes: {store: {auth: {token: {bearerToken: {name: t, key: token}}}}}",
        "  kubernetes: {store: {auth: {authRef: {name: c, namespace: a, key: k}, server: {}}}}",
        "  kubernetes: {store: {kind: SecretStore, name: own, auth: {serviceAccount: {name: a, namespace: other}}}}",
        "  vault: {address: 'https://vault:8200', store: {auth: {caProvider: {type: Secret, name: ca}, tokenSecretRef: {name: t, namespace: a}}}}",
    ];
    let told: String = refused.iter().map(|backend| newest(backend)).collect();
    assert_snapshot!(told, @"
    error: store `main`: External Secrets Operator needs the backend's `region`; give `backends.aws-sm.region` in the contract
    error: store `main`: External Secrets Operator needs the backend's `project`; give `backends.gcpsm.project` in the contract
    error: store `main`: it does not say how External Secrets Operator logs in; give `backends.vault.store.auth`, such as `{kubernetes: {role: …, serviceAccountRef: {name: …}}}`
    error: store `main`: it does not say how External Secrets Operator logs in; give `backends.azure-kv.store.auth`, such as `{authType: WorkloadIdentity, serviceAccountRef: {name: …}}`
    error: store `main`: `backends.gcpsm.store.auth` has `secretref`, which is no word of External Secrets Operator's provider `gcpsm`; did you mean `secretRef`?
    error: store `main`: `backends.gcpsm.store.auth` has `token`, which is no word of External Secrets Operator's provider `gcpsm`; it has secretRef, workloadIdentity, workloadIdentityFederation, secretVersionSelectionPolicy
    error: store `main`: `backends.vault.store.auth` names two ways to log in, `appRole` and `jwt`
    error: store `main`: `bearerToken` in `store.auth` must name its namespace, since a ClusterSecretStore has none
    error: store `main`: `authRef` is a whole kubeconfig, beside which nothing else counts
    error: store `own`: `serviceAccount` in `store.auth` must not name a namespace, since a SecretStore reads in its own
    error: store `main`: `caProvider` in `store.auth` must name its namespace, since a ClusterSecretStore has none
    ");
    let late = [
        (
            "0.17",
            "  gcpsm: {project: lab, store: {auth: {secretVersionSelectionPolicy: LatestOrFetch}}}",
        ),
        (
            "1.3",
            "  aws-sm: {region: r, store: {auth: {sessionTagsPolicy: Simple}}}",
        ),
        (
            "0.17",
            "  azure-kv: {vault: 'https://lab.vault.azure.net', store: {auth: {useAzureSDK: true}}}",
        ),
        (
            "0.20",
            "  vault: {address: 'https://vault:8200', store: {auth: {gcp: {role: r}}}}",
        ),
    ];
    let late = late.map(|(version, backend)| around(&on(backend), version, STORE));
    assert_snapshot!(late.concat(), @"
    error: store `main`: `secretVersionSelectionPolicy` needs External Secrets Operator 0.20, and --eso-version is 0.17
    error: store `main`: `sessionTagsPolicy` needs External Secrets Operator 2.5, and --eso-version is 1.3
    error: store `main`: `useAzureSDK` needs External Secrets Operator 0.20, and --eso-version is 0.17
    error: store `main`: `gcp` needs External Secrets Operator 1.3, and --eso-version is 0.20
    ");
}

#[test]
fn one_store_cannot_read_from_two_backends() {
    let source = "version: 1
name: shop
backend: vault
backends:
  vault: {address: 'https://vault:8200', store: {auth: {tokenSecretRef: {name: t, namespace: a}}}}
  gcpsm: {project: lab, store: {name: main}}
store: {name: main}
secrets:
  pass: {generate: {hex: 16}}
  other: {generate: {hex: 16}, backend: gcpsm}
targets:
  web/app: {data: {PASS: '${pass}', OTHER: '${other}'}}
";
    assert_snapshot!(around(source, "2.9", STORE), @"error: store `main`: it would read from `gcpsm` and from `vault`; give one of them a store of its own under `backends`");
}
