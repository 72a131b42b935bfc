"""What is odd inside of an answer is taken out of it and told by name; what is odd right in it makes it none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.credentials import Credentials
from tests.aws.collectors.test_wrong_answers import server_that_says
from tests.aws.collectors.world import ACCOUNT, READS

from nephoscope_aws.answers import Unavailable, Unread
from nephoscope_aws.api import Api
from nephoscope_aws.clients import ClientCache, new_session

JSON = b'{"NotebookInstances": [{"NotebookInstanceName": "a", "NotebookInstanceArn": "arn:a"}, %s]}'
XML = b"""<DescribeVolumesResponse><volumeSet>
  <item><volumeId>vol-a</volumeId><encrypted>true</encrypted></item><item>%s</item>
</volumeSet></DescribeVolumesResponse>"""

ODD_IN_JSON = {
    "a name that is an object": (b'{"NotebookInstanceName": {"x": 1}}', "NotebookInstanceName"),
    "a list that is a text": (b'{"AdditionalCodeRepositories": "many"}', "AdditionalCodeRepositories"),
    "a time after the last one": (b'{"CreationTime": 1e18}', "CreationTime"),
    "a time in words": (b'{"CreationTime": "yesterday"}', "CreationTime"),
    "a time that is no number": (b'{"CreationTime": true}', "CreationTime"),
}
ODD_IN_XML = {
    "yes": (b"<encrypted>yes</encrypted>", "Encrypted"),
    "nothing": (b"<encrypted/>", "Encrypted"),
    "a number in words": (b"<size>large</size>", "Size"),
    "no number": (b"<size/>", "Size"),
    "a text for a list": (b"<attachmentSet>none</attachmentSet>", "Attachments"),
    "a list of other things": (b"<attachmentSet><ghost/></attachmentSet>", "Attachments"),
    "a structure for a name": (b"<volumeId><x>1</x></volumeId>", "VolumeId"),
    "a time after the last one": (b"<createTime>99999-01-01T00:00:00Z</createTime>", "CreateTime"),
}


@contextmanager
def reading(body: bytes, monkeypatch: pytest.MonkeyPatch, *, parts: bool = True) -> Iterator[Api]:
    with server_that_says(body, "text/xml") as at:
        monkeypatch.setenv("AWS_ENDPOINT_URL", at)
        clients = ClientCache(new_session("", Credentials("AKIA", "secret")), "us-east-1", attempts=1, parts=parts)
        api = Api(ACCOUNT, clients, READS)
        try:
            yield api
        finally:
            api.close()
            clients.close()


def notebooks(api: Api) -> list[Any]:
    return list(api.pages("sagemaker", "list_notebook_instances", "NotebookInstances", region="eu-west-1"))


def volumes(api: Api) -> list[Any]:
    return list(api.pages("ec2", "describe_volumes", "Volumes", region="eu-west-1"))


@pytest.mark.parametrize("kind", ODD_IN_JSON)
def test_one_odd_item_in_json_is_told_by_its_member(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    odd, name = ODD_IN_JSON[kind]
    with reading(JSON % odd, monkeypatch) as api:
        good, bad = notebooks(api)
    assert good["NotebookInstanceName"] == "a"
    assert isinstance(bad.get(name), Unread)
    assert name in bad[name].why and "list_notebook_instances" in bad[name].why


@pytest.mark.parametrize("kind", ODD_IN_XML)
def test_one_odd_item_in_xml_is_told_by_its_member(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    odd, name = ODD_IN_XML[kind]
    with reading(XML % odd, monkeypatch) as api:
        good, bad = volumes(api)
    assert (good["VolumeId"], good["Encrypted"]) == ("vol-a", True)
    assert isinstance(bad.get(name), Unread)
    assert name.lower() in bad[name].why.lower() and "describe_volumes" in bad[name].why


@pytest.mark.parametrize("item", [b"7", b'"text"', b"null", b"[]", b"{}"])
def test_an_item_that_is_none_is_unread_as_a_whole(item: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with reading(JSON % item, monkeypatch) as api:
        good, bad = notebooks(api)
    assert good["NotebookInstanceName"] == "a"
    with pytest.raises(Unavailable, match="list_notebook_instances"):
        str(bad["NotebookInstanceName"])


def test_a_token_of_another_kind_makes_an_answer_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the rest of the list would be lost without a word."""
    body = JSON[:-1] % b'{"NotebookInstanceName": "b"}' + b', "NextToken": {"x": 1}}'
    with reading(body, monkeypatch) as api, pytest.raises(Unavailable, match="NextToken"):
        notebooks(api)


def test_who_reads_single_answers_gets_none_that_is_odd_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    odd, _name = ODD_IN_JSON["a name that is an object"]
    with reading(JSON % odd, monkeypatch, parts=False) as api, pytest.raises(Unavailable, match="NotebookInstanceName"):
        notebooks(api)


def test_an_encoding_that_nobody_knows_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with reading(b'<?xml version="1.0" encoding="klingon"?><a/>', monkeypatch) as api, pytest.raises(Unavailable):
        volumes(api)
