//! What is decided from answers that are easily misread.

use seed_core::inventory::Inventory;
use serde_json::Value;

use super::*;

fn refusal(code: u16, reason: &str, message: &str, details: &Value) -> Fault {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure",
        "code": code, "reason": reason, "message": message, "details": details,
    });
    Fault::Answer(Answer::json(code, &body))
}

fn page(status: u16) -> Fault {
    Fault::Answer(Answer {
        status,
        headers: Vec::new(),
        body: b"<html>a page of a proxy</html>".to_vec(),
    })
}

async fn listed(stand: &Stand) -> Result<Inventory, seed_provider::Error> {
    let asked = ["a", "b"].map(|text| wanted(text, &["value"], Depth::Metadata));
    stand.kubernetes.inventory(&asked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_has_no_end_or_lacks_something_proves_no_absence() {
    for metadata in [
        json!({"continue": "again"}),
        json!({"remainingItemCount": 1}),
    ] {
        let stand = Stand::new();
        let body = json!({"kind": "SecretList", "metadata": metadata, "items": []});
        let fault = Fault::Answer(Answer::json(200, &body));
        stand
            .server
            .fault(When::operation("list secrets"), fault, None);
        let err = listed(&stand).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unexpected);
        assert!(stand.server.log().count("list secrets") <= 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_another_namespace_is_no_answer() {
    let elsewhere = json!({
        "metadata": {"name": "a", "namespace": "other", "resourceVersion": "1"},
        "kind": "Secret", "data": {"value": ""},
    });
    let list = json!({"kind": "SecretList", "metadata": {}, "items": [elsewhere]});
    for (call, body) in [("list secrets", &list), ("get secrets", &elsewhere)] {
        let stand = Stand::new();
        let fault = Fault::Answer(Answer::json(200, body));
        stand.server.fault(When::operation(call), fault, None);
        let asked = ["a", "b"].map(|text| wanted(text, &["value"], Depth::Metadata));
        let asked = if call == "get secrets" {
            &asked[..1]
        } else {
            &asked
        };
        let err = stand.kubernetes.inventory(asked).await.unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Unexpected, "{call}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_refuses_a_list_is_no_missing_permission() {
    let stand = Stand::new();
    stand
        .server
        .fault(When::operation("list secrets"), page(403), None);
    let err = listed(&stand).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Denied);
    assert_eq!(
        err.message(),
        "something other than the API server refuses it, such as a proxy; check the server of the context (403, in no words of an API server)"
    );
    assert_eq!(stand.server.log().count("get secrets"), 0);
    stand.server.heal();
    // What Go says to somebody who speaks without TLS.
    stand
        .server
        .fault(When::operation("list secrets"), page(400), None);
    let err = listed(&stand).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unexpected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxys_welcome_proves_no_namespace() {
    let stand = Stand::with(seed_fakes::Kubernetes::with_namespaces(&[]), false);
    stand.server.service().deny("get", "namespaces", "");
    stand
        .server
        .fault(When::operation("create secrets"), page(200), None);
    let err = listed(&stand).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Denied);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_who_refused() {
    let of = json!({"kind": "secrets", "name": "a"});
    let words = [
        (
            "secrets is forbidden: User \"dev\" cannot create resource \"secrets\" in API group \"\"",
            "the API server does not allow it; grant `create` on secrets in the namespace `llm` (403 Forbidden)",
        ),
        (
            "secrets \"a\" is forbidden: exceeded quota: few, requested: count/secrets=1",
            "a quota of the namespace is used up; `kubectl describe quota` in that namespace shows it (403 Forbidden)",
        ),
        (
            "admission webhook \"w\" denied the request: canary7Qx2Vd",
            "an admission policy of the cluster refuses it; its events or whoever runs the cluster say why (403 Forbidden)",
        ),
        (
            "secrets \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: canary7Qx2Vd",
            "an admission policy of the cluster refuses it; its events or whoever runs the cluster say why (403 Forbidden)",
        ),
    ];
    for (message, wanted) in words {
        let stand = Stand::new();
        let fault = refusal(403, "Forbidden", message, &of);
        stand
            .server
            .fault(When::operation("create secrets"), fault, None);
        let err = ask(&stand.kubernetes, "create secrets").await.unwrap_err();
        assert_eq!((err.kind(), err.message()), (ErrorKind::Denied, wanted));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_cannot_be_asked_stored_nothing() {
    let stand = Stand::new();
    let message = "Internal error occurred: failed calling webhook \"w.example.com\": failed to call webhook: canary7Qx2Vd";
    let fault = refusal(500, "InternalError", message, &Value::Null);
    let when = || When::operation("create secrets");
    stand.server.fault(when(), fault.clone(), Some(1));
    ask(&stand.kubernetes, "create secrets").await.unwrap();
    stand.server.service().remove(NAMESPACE, "a");
    stand.server.fault(when(), fault, None);
    let err = ask(&stand.kubernetes, "create secrets").await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unavailable);
    assert_eq!(
        err.message(),
        "an admission webhook of the cluster cannot be asked, so nothing was done; run this again when it answers (500 InternalError)"
    );
    // The same status from the store itself leaves a doubt.
    stand.server.heal();
    let fault = refusal(
        500,
        "InternalError",
        "etcdserver: request timed out",
        &Value::Null,
    );
    stand.server.fault(when(), fault, None);
    let err = ask(&stand.kubernetes, "create secrets").await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Indeterminate);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_others_count_against_just_now_is_waited_for() {
    for (kind, refused) in [
        (
            "resourcequotas",
            ErrorKind::RateLimited { retry_after: None },
        ),
        ("secrets", ErrorKind::Unavailable),
    ] {
        let stand = Stand::new();
        let details = json!({"kind": kind, "name": "few"});
        let fault = refusal(409, "Conflict", "the object has been modified", &details);
        let when = || When::operation("create secrets");
        stand.server.fault(when(), fault.clone(), Some(1));
        ask(&stand.kubernetes, "create secrets").await.unwrap();
        stand.server.fault(when(), fault, None);
        let err = ask(&stand.kubernetes, "create secrets").await.unwrap_err();
        assert_eq!(err.kind(), refused, "{err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_secret_is_empty_and_one_of_many_fills_it() {
    let stand = Stand::new();
    let shell = json!({"metadata": {"name": "a"}, "type": "Opaque", "data": null});
    stand.server.service().put(NAMESPACE, shell);
    let seen = look(&stand, wanted("a", &["value"], Depth::Metadata)).await;
    assert!(matches!(seen, Presence::Empty { .. }), "{seen:?}");
    let (name, document, marks) = (name("a"), one(), marks());
    let create = || stand.kubernetes.create(&name, &document, &marks);
    let ended = futures::future::join_all((0..8).map(|_| create())).await;
    let kinds = ended.into_iter().filter_map(|it| Some(it.err()?.kind()));
    assert_eq!(kinds.collect::<Vec<_>>(), [ErrorKind::AlreadyExists; 7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_and_made_again_meanwhile_is_not_changed() {
    let stand = Stand::new();
    foreign(&stand, "a", json!({}));
    let seen = look(&stand, wanted("a", &["there"], Depth::Metadata)).await;
    let Presence::Present { version, .. } = seen else {
        panic!("{seen:?}");
    };
    let service = stand.server.service();
    service.remove(NAMESPACE, "a");
    foreign(&stand, "a", json!({}));
    let before = service.secret(NAMESPACE, "a");
    let new = fields(&["new"]);
    let added = stand
        .kubernetes
        .add_fields(&name("a"), &new, &version)
        .await;
    assert_eq!(added.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(service.secret(NAMESPACE, "a"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_has_no_label_of_its_first_secret() {
    let stand = Stand::with(seed_fakes::Kubernetes::with_namespaces(&[]), true);
    let mut marks = marks();
    marks.labels.insert("team".to_owned(), "one".to_owned());
    stand
        .kubernetes
        .create(&name("a"), &one(), &marks)
        .await
        .unwrap();
    assert_eq!(
        stand.server.service().namespace_labels(NAMESPACE).unwrap(),
        json!({"managed-by": "seed", "seed-contract": "test"})
    );
}

#[tokio::test]
async fn a_port_of_tls_that_is_spoken_to_without_says_how_its_address_begins() {
    let stand = Stand::new();
    let answer = Answer {
        body: b"Client sent an HTTP request to an HTTPS server.\n".to_vec(),
        ..Answer::empty(400)
    };
    stand
        .server
        .fault(When::Always, Fault::Answer(answer), None);
    let err = stand.kubernetes.identify().await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unexpected);
    assert!(
        err.message().starts_with(
            "the server takes only TLS; begin its address in the kubeconfig with `https://`"
        ),
        "{err}"
    );
}
