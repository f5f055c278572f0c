"""The official client of Azure Key Vault, as anybody has it, against whatever answers under the vault's own name.

    key_vault.py scenarios
    key_vault.py store          a JSON object of names and values on stdin
    key_vault.py read NAME…     prints such an object
    key_vault.py disable|delete NAME
    key_vault.py refusals N     reads so often, and prints what each refusal is taken for

Where to go, whom to trust and who we are comes from the usual variables.
"""

import datetime
import json
import os
import sys

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import (
    ClientSecretCredential,
    EnvironmentCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)
from azure.keyvault.secrets import SecretClient

from witness import at_once, holds, run, same, told

VAULT = "https://shop-prod.vault.azure.net"


def refused(status, code, call, inner=None):
    """That a call fails, and with what."""
    try:
        call()
    except HttpResponseError as err:
        same((err.status_code, err.error.code), (status, code))
        if inner:
            same(err.error.innererror["code"], inner)
    else:
        raise AssertionError(f"not refused with {code}")


def refusal(err):
    """The service's own words for an error."""
    if not isinstance(err, HttpResponseError) or not err.error:
        return str(err)
    inner = (err.error.innererror or {}).get("code")
    return " ".join(filter(None, [err.error.code, inner]))


def what_is_set_is_read_back(client):
    value = "".join(chr(n) for n in range(32, 127)) + "\n\t ü€𝄞"
    made = client.set_secret("text", value)
    same(made.id, f"{VAULT}/secrets/text/{made.properties.version}")
    same(made.properties.vault_url, VAULT)
    same(made.properties.enabled, True)
    read = client.get_secret("text")
    holds(read.value, value)
    same(read.properties.version, made.properties.version)
    same(read.properties.recoverable_days, 90)


def what_is_absent_is_not_found(client):
    refused(404, "SecretNotFound", lambda: client.get_secret("absent"))
    refused(404, "SecretNotFound", lambda: client.get_deleted_secret("absent"))
    refused(404, "SecretNotFound", lambda: client.update_secret_properties("absent", enabled=False))
    refused(404, "SecretNotFound", lambda: client.begin_delete_secret("absent"))
    refused(404, "SecretNotFound", lambda: client.begin_recover_deleted_secret("absent"))
    same(list(client.list_properties_of_secret_versions("absent")), [])


def a_second_value_is_a_new_version_and_the_first_one_stays(client):
    versions = [client.set_secret("twice", value).properties.version for value in ("one", "two")]
    assert versions[0] != versions[1]
    holds(client.get_secret("twice").value, "two")
    holds(client.get_secret("twice", versions[0]).value, "one")
    listed = client.list_properties_of_secret_versions("twice")
    same({item.version for item in listed}, set(versions))
    refused(404, "SecretNotFound", lambda: client.get_secret("twice", "0" * 32))


def of_eight_who_set_at_once_each_makes_a_version(client):
    made = at_once(8, lambda: client.set_secret("raced", "x").properties.version)
    listed = client.list_properties_of_secret_versions("raced")
    same(sorted(item.version for item in listed), sorted(made))


def names_differ_by_more_than_case(client):
    client.set_secret("Mixed-Case", "one")
    holds(client.get_secret("mixed-CASE").value, "one")
    client.set_secret("MIXED-case", "two")
    listed = client.list_properties_of_secrets()
    same([item.name for item in listed if item.name.lower() == "mixed-case"], ["Mixed-Case"])


def what_is_disabled_is_shown_and_not_read(client):
    client.set_secret("disabled", "one", enabled=False)
    refused(403, "Forbidden", lambda: client.get_secret("disabled"), inner="SecretDisabled")
    shown = [item for item in client.list_properties_of_secrets() if item.name == "disabled"]
    same([item.enabled for item in shown], [False])
    client.update_secret_properties("disabled", enabled=True)
    holds(client.get_secret("disabled").value, "one")


def dates_are_kept_and_an_expired_value_is_read(client):
    begin = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    end = datetime.datetime(2021, 1, 1, tzinfo=datetime.timezone.utc)
    client.set_secret("dated", "one", not_before=begin, expires_on=end)
    read = client.get_secret("dated")
    holds(read.value, "one")
    same((read.properties.not_before, read.properties.expires_on), (begin, end))
    assert read.properties.created_on > end and read.properties.updated_on > end


def tags_and_content_type_are_kept_and_changed(client):
    client.set_secret("tagged", "one", content_type="text/plain", tags={"team": "ai"})
    read = client.get_secret("tagged").properties
    same((read.content_type, read.tags), ("text/plain", {"team": "ai"}))
    client.update_secret_properties("tagged", tags={"other": "x"}, content_type="application/json")
    read = client.get_secret("tagged").properties
    same((read.content_type, read.tags), ("application/json", {"other": "x"}))
    client.update_secret_properties("tagged", enabled=True)
    same(client.get_secret("tagged").properties.tags, {"other": "x"})
    many = {f"tag-{n}": "x" for n in range(16)}
    refused(400, "BadParameter", lambda: client.set_secret("tagged", "two", tags=many))
    client.set_secret("tagged", "two")
    same(client.get_secret("tagged").properties.tags or {}, {})


def names_and_values_have_limits(client):
    client.set_secret("empty", "")
    holds(client.get_secret("empty").value, "")
    client.set_secret("x" * 127, "x" * 25_600)
    refused(400, "BadParameter", lambda: client.set_secret("x" * 127, "x" * 25_601))
    for name in ("a_b", "a.b", "x" * 128):
        refused(400, "BadParameter", lambda: client.set_secret(name, "one"))


def what_is_deleted_keeps_its_name_and_comes_back_whole(client):
    for value in ("one", "two"):
        client.set_secret("deleted", value)
    deleted = client.begin_delete_secret("deleted").result()
    same(deleted.name, "deleted")
    same(deleted.recovery_id, f"{VAULT}/deletedsecrets/deleted")
    same((deleted.scheduled_purge_date - deleted.deleted_date).days, 90)
    refused(404, "SecretNotFound", lambda: client.get_secret("deleted"))
    write = lambda: client.set_secret("deleted", "three")
    refused(409, "Conflict", write, inner="ObjectIsDeletedButRecoverable")
    assert "deleted" not in [item.name for item in client.list_properties_of_secrets()]
    same([item.name for item in client.list_deleted_secrets()], ["deleted"])
    same(client.get_deleted_secret("deleted").deleted_date, deleted.deleted_date)
    poller = client.begin_recover_deleted_secret("deleted")
    poller.wait()
    same(poller.result().name, "deleted")
    holds(client.get_secret("deleted").value, "two")
    same(len(list(client.list_properties_of_secret_versions("deleted"))), 2)
    refused(404, "SecretNotFound", lambda: client.get_deleted_secret("deleted"))


def what_is_purged_is_gone_and_its_name_is_free(client):
    first = client.set_secret("purged", "one").properties.version
    refused(404, "SecretNotFound", lambda: client.purge_deleted_secret("purged"))
    client.begin_delete_secret("purged").wait()
    client.purge_deleted_secret("purged")
    refused(404, "SecretNotFound", lambda: client.get_deleted_secret("purged"))
    same(list(client.list_deleted_secrets()), [])
    client.set_secret("purged", "two")
    refused(404, "SecretNotFound", lambda: client.get_secret("purged", first))


def pages_show_each_secret_and_each_version_once(client):
    wanted = sorted(f"paged-{n:02}" for n in range(30))
    for name in wanted:
        client.set_secret(name, "one")
    for pages in (client.list_properties_of_secrets(), client.list_properties_of_secrets(max_page_size=7)):
        names = [item.name for item in pages]
        same(len(names), len(set(names)))
        same([name for name in sorted(names) if name.startswith("paged-")], wanted)
    pages = client.list_properties_of_secrets(max_page_size=7).by_page()
    same(len(list(next(pages))), 7)
    same(max(len(list(page)) for page in client.list_properties_of_secrets().by_page()), 25)
    for _ in range(29):
        client.set_secret("paged-00", "two")
    versions = [item.version for item in client.list_properties_of_secret_versions("paged-00")]
    same((len(versions), len(set(versions))), (30, 30))
    for n in range(3):
        client.begin_delete_secret(f"paged-0{n}").wait()
    deleted = [item.name for item in client.list_deleted_secrets(max_page_size=2)]
    same(sorted(deleted), wanted[:3])


def a_managed_identity_and_a_federated_token_are_let_in(client):
    for credential in (ManagedIdentityCredential(), WorkloadIdentityCredential()):
        holds(SecretClient(VAULT, credential).get_secret("twice").value, "two")


def a_wrong_secret_is_not_let_in(client):
    names = (os.environ[f"AZURE_{part}_ID"] for part in ("TENANT", "CLIENT"))
    stranger = ClientSecretCredential(*names, "wrong")
    try:
        SecretClient(VAULT, stranger).get_secret("twice")
    except ClientAuthenticationError as err:
        assert "AADSTS7000215" in str(err)
    else:
        raise AssertionError("let in")


SCENARIOS = [
    what_is_set_is_read_back,
    what_is_absent_is_not_found,
    a_second_value_is_a_new_version_and_the_first_one_stays,
    of_eight_who_set_at_once_each_makes_a_version,
    names_differ_by_more_than_case,
    what_is_disabled_is_shown_and_not_read,
    dates_are_kept_and_an_expired_value_is_read,
    tags_and_content_type_are_kept_and_changed,
    names_and_values_have_limits,
    what_is_deleted_keeps_its_name_and_comes_back_whole,
    what_is_purged_is_gone_and_its_name_is_free,
    pages_show_each_secret_and_each_version_once,
    a_managed_identity_and_a_federated_token_are_let_in,
    a_wrong_secret_is_not_let_in,
]


def main(what, *names):
    client = SecretClient(VAULT, EnvironmentCredential())
    if what == "scenarios":
        run(SCENARIOS, client)
    elif what == "store":
        for name, value in json.load(sys.stdin).items():
            client.set_secret(name, value)
    elif what == "disable":
        client.update_secret_properties(*names, enabled=False)
    elif what == "delete":
        client.begin_delete_secret(*names).wait()
    elif what == "refusals":
        client = SecretClient(VAULT, EnvironmentCredential(), retry_total=0)
        told([lambda: client.get_secret("any")] * int(names[0]), refusal)
    else:
        print(json.dumps({name: client.get_secret(name).value for name in names}))


main(*sys.argv[1:])
