"""The official client of Google Secret Manager, as anybody has it, against whatever answers under the service's own name.

    secret_manager.py scenarios rest|grpc
    secret_manager.py store rest|grpc          a JSON object of names and values on stdin
    secret_manager.py read rest|grpc NAME…     prints such an object
    secret_manager.py shell|disable|destroy rest|grpc NAME
    secret_manager.py account rest|grpc        prints a new key of a service account
    secret_manager.py refusals rest|grpc N     reads so often, and prints what each refusal is taken for

Whom to trust and who we are comes from the usual variables, and the region, if it is one, from SECRET_MANAGER_LOCATION.
"""

import json
import os
import sys
import warnings

from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import Credentials
from google.cloud import secretmanager_v1
from google.auth.compute_engine import Credentials as Machine
from google.oauth2 import service_account

from witness import at_once, holds, run, same, told

# That user credentials have no quota project.
warnings.simplefilter("ignore")

LOCATION = os.environ.get("SECRET_MANAGER_LOCATION")
PROJECT = "projects/ai-lab" + (f"/locations/{LOCATION}" if LOCATION else "")
AUTOMATIC = {} if LOCATION else {"replication": {"automatic": {}}}
State = secretmanager_v1.SecretVersion.State


def crc32c(data):
    """The checksum of Castagnoli, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


class Caller:
    """A client, and the few words that scenarios are written in."""

    def __init__(self, transport, **options):
        self.transport = transport
        if LOCATION:
            options["client_options"] = {"api_endpoint": f"secretmanager.{LOCATION}.rep.googleapis.com"}
        self.client = secretmanager_v1.SecretManagerServiceClient(transport=transport, **options)

    def create(self, name, secret=AUTOMATIC):
        return self.client.create_secret(request={"parent": PROJECT, "secret_id": name, "secret": secret})

    def add(self, name, data, checksum=None):
        checksum = crc32c(data) if checksum is None else checksum
        payload = {"data": data, "data_crc32c": checksum}
        return self.client.add_secret_version(request={"parent": path(name), "payload": payload})

    def made(self, name, *values):
        self.create(name)
        return [self.add(name, value) for value in values]

    def access(self, name, version="latest"):
        request = {"name": f"{path(name)}/versions/{version}"}
        payload = self.client.access_secret_version(request=request).payload
        same(payload.data_crc32c, crc32c(payload.data))
        return payload.data

    def get(self, name):
        return self.client.get_secret(request={"name": path(name)})

    def update(self, name, mask, **secret):
        secret = {"name": path(name), **secret}
        return self.client.update_secret(request={"secret": secret, "update_mask": {"paths": mask}})

    def versions(self, name, **request):
        return list(self.client.list_secret_versions(request={"parent": path(name), **request}))

    def refused(self, status, http, call, reason=None):
        """That a call fails, and with what."""
        try:
            call()
        except GoogleAPICallError as err:
            same(self.status(err), status)
            if self.transport == "rest":
                same(int(err.code), http)
            if reason:
                same(err.reason, reason)
        else:
            raise AssertionError(f"not refused with {status}")


    def status(self, err):
        """The service's own word for an error."""
        if self.transport == "rest":
            return err.response.json()["error"]["status"]
        return err.grpc_status_code.name

    def refusal(self, err):
        """The same, with the reason, if there is one."""
        if not isinstance(err, GoogleAPICallError):
            return str(err)
        return " ".join(filter(None, [self.status(err), err.reason]))


def path(name):
    return f"{PROJECT}/secrets/{name}"


def numbers(versions):
    return [int(version.name.rsplit("/", 1)[1]) for version in versions]


def what_is_created_is_read_back_to_the_byte(caller):
    data = bytes(range(256))
    secret = caller.create("bytes")
    same(secret.name, path("bytes"))
    version = caller.add("bytes", data)
    same(version.name, path("bytes") + "/versions/1")
    same(version.state, State.ENABLED)
    same(version.client_specified_payload_checksum, True)
    holds(caller.access("bytes"), data)
    assert secret.create_time and version.create_time and version.etag


def what_is_absent_is_not_found(caller):
    caller.refused("NOT_FOUND", 404, lambda: caller.get("absent"))
    caller.refused("NOT_FOUND", 404, lambda: caller.access("absent"))
    caller.refused("NOT_FOUND", 404, lambda: caller.add("absent", b"x"))
    caller.refused("NOT_FOUND", 404, lambda: caller.versions("absent"))


def a_secret_without_a_version_has_no_value(caller):
    caller.create("shell")
    same(caller.versions("shell"), [])
    caller.refused("NOT_FOUND", 404, lambda: caller.access("shell"))


def what_exists_is_not_created_again(caller):
    caller.made("taken", b"first")
    caller.refused("ALREADY_EXISTS", 409, lambda: caller.create("taken"))
    holds(caller.access("taken"), b"first")


def versions_are_counted_and_the_newest_is_the_latest(caller):
    made = caller.made("counted", b"one", b"two", b"three")
    same(numbers(made), [1, 2, 3])
    same(numbers(caller.versions("counted")), [3, 2, 1])
    holds(caller.access("counted"), b"three")
    holds(caller.access("counted", 1), b"one")
    caller.refused("NOT_FOUND", 404, lambda: caller.access("counted", 4))


def what_is_disabled_is_not_read_and_hides_nothing_older(caller):
    caller.made("disabled", b"one", b"two")
    name = path("disabled") + "/versions/2"
    same(caller.client.disable_secret_version(request={"name": name}).state, State.DISABLED)
    caller.refused("FAILED_PRECONDITION", 400, lambda: caller.access("disabled"))
    holds(caller.access("disabled", 1), b"one")
    same(numbers(caller.versions("disabled", filter="state:ENABLED")), [1])
    caller.client.enable_secret_version(request={"name": name})
    holds(caller.access("disabled"), b"two")


def what_is_destroyed_stays_so_and_its_number_is_not_given_again(caller):
    caller.made("destroyed", b"one", b"two")
    name = path("destroyed") + "/versions/2"
    version = caller.client.destroy_secret_version(request={"name": name})
    same(version.state, State.DESTROYED)
    assert version.destroy_time
    caller.refused("FAILED_PRECONDITION", 400, lambda: caller.access("destroyed"))
    enable = lambda: caller.client.enable_secret_version(request={"name": name})
    caller.refused("FAILED_PRECONDITION", 400, enable)
    same(numbers([caller.add("destroyed", b"three")]), [3])
    states = [version.state for version in caller.versions("destroyed")]
    same(states, [State.ENABLED, State.DESTROYED, State.ENABLED])


def an_etag_that_is_not_the_current_one_stops_a_change(caller):
    first = caller.create("etag").etag
    version = caller.add("etag", b"one")
    same(caller.get("etag").etag, first)
    second = caller.update("etag", ["labels"], etag=first, labels={"a": "b"}).etag
    assert first != second
    stale = lambda: caller.update("etag", ["labels"], etag=first, labels={"a": "c"})
    caller.refused("FAILED_PRECONDITION", 400, stale)
    same(dict(caller.get("etag").labels), {"a": "b"})
    of_version = {"name": version.name, "etag": '"stale"'}
    for change in ("disable", "destroy"):
        call = getattr(caller.client, f"{change}_secret_version")
        caller.refused("FAILED_PRECONDITION", 400, lambda: call(request=of_version))
    delete = lambda etag: caller.client.delete_secret(request={"name": path("etag"), "etag": etag})
    caller.refused("FAILED_PRECONDITION", 400, lambda: delete(first))
    delete(second)
    caller.refused("NOT_FOUND", 404, lambda: caller.get("etag"))


def of_eight_who_create_at_once_one_does(caller):
    tries = at_once(8, lambda: caller.create("raced"))
    refused = [caller.status(err) for err in tries if isinstance(err, GoogleAPICallError)]
    same(refused, ["ALREADY_EXISTS"] * 7)


def of_eight_who_update_by_one_etag_one_does(caller):
    etag = caller.create("claimed").etag
    update = lambda: caller.update("claimed", ["annotations"], etag=etag, annotations={"claim": "x"})
    refused = [caller.status(err) for err in at_once(8, update) if isinstance(err, GoogleAPICallError)]
    same(refused, ["FAILED_PRECONDITION"] * 7)


def eight_who_add_at_once_all_do(caller):
    caller.create("shared")
    added = at_once(8, lambda: caller.add("shared", b"x"))
    same(sorted(numbers(added)), list(range(1, 9)))


def labels_and_annotations_are_kept_and_found(caller):
    both = {"labels": {"team": "one"}, "annotations": {"Claim": "Run @ 1"}}
    caller.create("labelled", {**AUTOMATIC, **both})
    caller.create("labelled-too", {**AUTOMATIC, "labels": {"team": "two"}})
    secret = caller.get("labelled")
    same((dict(secret.labels), dict(secret.annotations)), (both["labels"], both["annotations"]))
    found = caller.client.list_secrets(request={"parent": PROJECT, "filter": "labels.team=one"})
    same([secret.name for secret in found], [path("labelled")])
    caller.update("labelled", ["annotations"], annotations={"other": "x"}, labels={"team": "three"})
    secret = caller.get("labelled")
    same((dict(secret.labels), dict(secret.annotations)), (both["labels"], {"other": "x"}))
    bad = lambda: caller.update("labelled", ["labels"], labels={"Upper": "x"})
    caller.refused("INVALID_ARGUMENT", 400, bad)


def pages_show_each_secret_and_each_version_once(caller):
    wanted = [path(f"paged-{n}") for n in range(7)]
    for n in range(7):
        caller.create(f"paged-{n}")
    request = {"parent": PROJECT, "page_size": 3, "filter": "name:paged-"}
    pages = list(caller.client.list_secrets(request=request).pages)
    same([len(page.secrets) for page in pages], [3, 3, 1])
    same([secret.name for page in pages for secret in page.secrets], wanted)
    everything = caller.client.list_secrets(request={"parent": PROJECT, "page_size": 3})
    total = next(iter(everything.pages)).total_size
    same(len({secret.name for secret in everything}), total)
    for n in range(5):
        caller.add("paged-0", b"%d" % n)
    same(numbers(caller.versions("paged-0", page_size=2)), [5, 4, 3, 2, 1])


def replication_is_asked_for_and_kept(caller):
    caller.refused("INVALID_ARGUMENT", 400, lambda: caller.create("nowhere", {}))
    key = {"kms_key_name": "projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k"}
    replica = {"location": "europe-west3", "customer_managed_encryption": key}
    secret = {"replication": {"user_managed": {"replicas": [replica]}}}
    caller.create("somewhere", secret)
    replicas = caller.get("somewhere").replication.user_managed.replicas
    same([replica.location for replica in replicas], ["europe-west3"])
    same(replicas[0].customer_managed_encryption.kms_key_name, key["kms_key_name"])
    caller.create("anywhere")
    same("automatic" in caller.get("anywhere").replication, True)


def a_region_takes_no_replication(caller):
    automatic = {"replication": {"automatic": {}}}
    caller.refused("INVALID_ARGUMENT", 400, lambda: caller.create("nowhere", automatic))
    same(caller.create("here").name, path("here"))
    same("replication" in caller.get("here"), False)


def names_and_values_have_limits(caller):
    for name in ("a.b", "a b", "x" * 256):
        caller.refused("INVALID_ARGUMENT", 400, lambda: caller.create(name))
    caller.made("x" * 255, b"\x00" * 65_536)
    caller.refused("INVALID_ARGUMENT", 400, lambda: caller.add("x" * 255, b"\x00" * 65_537))
    caller.refused("INVALID_ARGUMENT", 400, lambda: caller.add("x" * 255, b""))
    caller.refused("INVALID_ARGUMENT", 400, lambda: caller.add("x" * 255, b"x", checksum=7))
    same(numbers(caller.versions("x" * 255)), [1])


def what_is_deleted_is_gone_and_its_name_is_free(caller):
    caller.made("deleted", b"one", b"two")
    caller.client.delete_secret(request={"name": path("deleted")})
    caller.refused("NOT_FOUND", 404, lambda: caller.access("deleted"))
    same(numbers(caller.made("deleted", b"three")), [1])


def another_project_is_denied_with_a_reason(caller):
    other = lambda: caller.client.get_secret(request={"name": "projects/other/secrets/x"})
    caller.refused("PERMISSION_DENIED", 403, other, reason="CONSUMER_INVALID")


class Wrong(Credentials):
    """Credentials that always have the same token, which is nobody's."""

    def refresh(self, _request):
        self.token = "wrong"


def a_wrong_token_is_not_let_in(caller):
    stranger = Caller(caller.transport, credentials=Wrong())
    stranger.refused("UNAUTHENTICATED", 401, lambda: stranger.get("bytes"))


def account():
    """The file of a service account, with a new key."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    coded = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "type": "service_account",
        "project_id": "ai-lab",
        "client_email": "tester@ai-lab.iam.gserviceaccount.com",
        "private_key": coded.decode(),
        "private_key_id": "1",
        "token_uri": "https://oauth2.googleapis.com/token",
    }


def a_service_account_signs_its_own_token(caller):
    credentials = service_account.Credentials.from_service_account_info(account())
    same(Caller(caller.transport, credentials=credentials).get("bytes").name, path("bytes"))


def a_machines_own_account_is_let_in(caller):
    same(Caller(caller.transport, credentials=Machine()).get("bytes").name, path("bytes"))


SCENARIOS = [
    what_is_created_is_read_back_to_the_byte,
    what_is_absent_is_not_found,
    a_secret_without_a_version_has_no_value,
    what_exists_is_not_created_again,
    versions_are_counted_and_the_newest_is_the_latest,
    what_is_disabled_is_not_read_and_hides_nothing_older,
    what_is_destroyed_stays_so_and_its_number_is_not_given_again,
    an_etag_that_is_not_the_current_one_stops_a_change,
    of_eight_who_create_at_once_one_does,
    of_eight_who_update_by_one_etag_one_does,
    eight_who_add_at_once_all_do,
    labels_and_annotations_are_kept_and_found,
    pages_show_each_secret_and_each_version_once,
    a_region_takes_no_replication if LOCATION else replication_is_asked_for_and_kept,
    names_and_values_have_limits,
    what_is_deleted_is_gone_and_its_name_is_free,
    another_project_is_denied_with_a_reason,
    a_wrong_token_is_not_let_in,
    a_service_account_signs_its_own_token,
    a_machines_own_account_is_let_in,
]


def main(what, transport, *names):
    caller = Caller(transport)
    if what == "scenarios":
        run(SCENARIOS, caller)
    elif what == "store":
        for name, value in json.load(sys.stdin).items():
            caller.made(name, value.encode())
    elif what == "shell":
        caller.create(*names)
    elif what in ("disable", "destroy"):
        version = caller.versions(*names)[0].name
        getattr(caller.client, f"{what}_secret_version")(request={"name": version})
    elif what == "account":
        print(json.dumps(account()))
    elif what == "refusals":
        read = lambda: caller.client.get_secret(request={"name": path("any")}, retry=None)
        told([read] * int(names[0]), caller.refusal)
    else:
        print(json.dumps({name: caller.access(name).decode() for name in names}))


main(*sys.argv[1:])
