"""Quiet faults, over real HTTP: each listing of each protocol says that it could not be read, and never "nothing"."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from botocore.credentials import Credentials
from tests.aws.collectors.test_wrong_answers import server_that_says
from tests.aws.collectors.world import ACCOUNT, READS

from nephoscope_aws import clients
from nephoscope_aws.answers import LONGEST, Unavailable
from nephoscope_aws.api import Api
from nephoscope_aws.clients import ClientCache, new_session

JSON = {
    "null": b"null",
    "a number": b"7",
    "a list that is null": b'{"%s": null}',
    "a text for a list": b'{"%s": "none"}',
    "an object for a list": b'{"%s": {}}',
    "a list of nulls": b'{"%s": [null, null]}',
    "a list of numbers": b'{"%s": [1, 2]}',
    "a list of empty things": b'{"%s": [[]]}',
    "a list that was cut": b'{"%s": [{"Na',
}
XML = {
    "a text for a list": b"<%(root)s>%(open)s<%(list)s>none</%(list)s>%(close)s</%(root)s>",
    "a list of texts": b"<%(root)s>%(open)s<%(list)s><%(item)s>a</%(item)s></%(list)s>%(close)s</%(root)s>",
    "a list of empty things": b"<%(root)s>%(open)s<%(list)s><%(item)s/></%(list)s>%(close)s</%(root)s>",
    "a list of other things": b"<%(root)s>%(open)s<%(list)s><ghost/></%(list)s>%(close)s</%(root)s>",
    "nothing in it": b"<%(root)s/>",
    "another root": b"<OtherResponse>%(open)s<%(list)s/>%(close)s</OtherResponse>",
    "another list": b"<%(root)s>%(open)s<Others/>%(close)s</%(root)s>",
    "cut": b"<%(root)s>%(open)s<%(list)s><%(item)s>",
}
BY_JSON = (
    ("kms", "list_keys", "Keys"),
    ("dynamodb", "list_tables", "TableNames"),
    ("lambda", "list_functions", "Functions"),
    ("efs", "describe_file_systems", "FileSystems"),
)
BY_XML = (
    ("ec2", "describe_security_groups", "SecurityGroups", "DescribeSecurityGroups", "", "securityGroupInfo", "item"),
    ("rds", "describe_db_instances", "DBInstances", "DescribeDBInstances", "Result", "DBInstances", "DBInstance"),
    ("s3", "list_buckets", "Buckets", "ListAllMyBuckets", "", "Buckets", "Bucket"),
)


@contextmanager
def asking(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    cache = ClientCache(new_session("", Credentials("AKIA", "secret")), "us-east-1", attempts=1)
    api = Api(ACCOUNT, cache, READS)
    try:
        yield api
    finally:
        api.close()
        cache.close()


def says_no_answer(api: Api, service: str, operation: str, key: str) -> None:
    with pytest.raises(Unavailable) as said:
        list(api.pages(service, operation, key, region="eu-west-1"))
    assert len(said.value.message) <= LONGEST
    named = operation.replace("_", "")
    assert named in said.value.message.replace("_", "").lower() or "not asked" in said.value.message


@pytest.mark.parametrize("kind", JSON)
def test_a_listing_in_json_of_the_wrong_shape_is_no_answer(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for service, operation, key in BY_JSON:
        body = JSON[kind].replace(b"%s", key.encode())
        with server_that_says(body, "application/json") as at, asking(at, monkeypatch) as api:
            says_no_answer(api, service, operation, key)


@pytest.mark.parametrize("kind", XML)
def test_a_listing_in_xml_of_the_wrong_shape_is_no_answer(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for service, operation, key, name, wrapper, tag, item in BY_XML:
        end = b"Result" if service == "s3" else b"Response"
        inner = f"{name}{wrapper}".encode() if wrapper else b""
        words = {
            b"root": name.encode() + end,
            b"open": b"<%s>" % inner if inner else b"",
            b"close": b"</%s>" % inner if inner else b"",
            b"list": tag.encode(),
            b"item": item.encode(),
        }
        if (service, kind) == ("s3", "another root"):
            continue  # S3's model does not say what the outermost element is called
        with server_that_says(XML[kind] % words, "text/xml") as at, asking(at, monkeypatch) as api:
            says_no_answer(api, service, operation, key)


def test_an_element_of_another_question_does_not_say_that_logging_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    with server_that_says(b"<VersioningConfiguration/>", "text/xml") as at, asking(at, monkeypatch) as api:
        assert api.call("s3", "get_bucket_versioning", Bucket="b") == {}
        with pytest.raises(Unavailable, match="GetBucketLogging"):
            api.call("s3", "get_bucket_logging", Bucket="b")


def test_a_listing_whose_next_page_is_always_the_same_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"Keys": [{"KeyId": "k", "KeyArn": "arn:aws:kms:::key/k"}], "NextMarker": "again", "Truncated": true}'
    with server_that_says(body, "application/json") as at, asking(at, monkeypatch) as api:
        says_no_answer(api, "kms", "list_keys", "Keys")


def test_what_lacks_a_member_in_a_listing_names_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    with server_that_says(b'{"Keys": [{"KeyId": "k"}]}', "application/json") as at, asking(at, monkeypatch) as api:
        [key] = api.pages("kms", "list_keys", "Keys", region="eu-west-1")
        with pytest.raises(Unavailable, match="list_keys: AWS's answer has no KeyArn"):
            str(key["KeyArn"])


@contextmanager
def dripping(head: bytes) -> Iterator[str]:
    """A server that sends ``head`` and then a byte now and then, for ever."""
    over = threading.Event()

    def drip(peer: socket.socket) -> None:
        with peer, suppress(OSError):
            peer.recv(65536)
            peer.sendall(head)
            while not over.wait(0.05):
                peer.sendall(b"a")

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=drip, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        over.set()
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "])
def test_an_answer_that_drips_costs_no_more_than_one_that_hangs(head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "READ_TIMEOUT", 0.3)
    with dripping(head) as at, asking(at, monkeypatch) as api:
        begun = time.monotonic()
        says_no_answer(api, "kms", "list_keys", "Keys")
        assert time.monotonic() - begun < 3
