"""From a call in the simulated AWS account to the alert, by the code that the template puts into the account."""

from __future__ import annotations

import json
import textwrap
import urllib.error
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connections
from tests.scanning import connect
from tests.serving import serving

from nephoscope.alerts.models import Alert, Finding
from nephoscope.audit.services import Actor
from nephoscope.domain import ChangedResource
from nephoscope.events import working
from nephoscope.events.models import Delivery, Listener
from nephoscope.events.services import rotate, setup_templates, switch_on
from nephoscope.judging.rechecks import recheck_resources
from nephoscope_aws_simulator.testing import Simulator

BUCKET = "nephoscope-test-events"
RULE = "aws.s3.public_read"


@pytest.fixture
def bucket(aws: Simulator) -> Iterator[Any]:
    """A client of S3 and a public bucket, gone afterwards."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.delete_public_access_block(Bucket=BUCKET)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    yield s3
    if BUCKET in [each["Name"] for each in s3.list_buckets()["Buckets"]]:
        s3.delete_bucket_policy(Bucket=BUCKET)
        s3.delete_bucket(Bucket=BUCKET)


def event(name: str) -> dict[str, Any]:
    """What EventBridge hands over."""
    detail = {
        "eventID": str(uuid.uuid4()),
        "eventName": name,
        "eventSource": "s3.amazonaws.com",
        "readOnly": False,
        "awsRegion": "us-east-1",
        "managementEvent": True,
        "recipientAccountId": "123456789012",
        "userIdentity": {"arn": "arn:aws:iam::123456789012:user/eve"},
        "sourceIPAddress": "192.0.2.7",
        "requestParameters": {"bucketName": BUCKET},
        "responseElements": None,
    }
    return {"version": "0", "account": "123456789012", "detail-type": "AWS API Call via CloudTrail", "detail": detail}


def public() -> bool:
    return Finding.objects.filter(rule_id=RULE, resource__name=BUCKET, failing_since__isnull=False).exists()


BUCKET_TOUCHED = ChangedResource("s3", "global", "AWS::S3::Bucket", f"arn:aws:s3:::{BUCKET}", BUCKET)


@pytest.mark.django_db
def test_a_bucket_never_seen_before_is_read_judged_and_gone_again(bucket: Any, system: Actor) -> None:
    account = connect(system)
    assert not recheck_resources(account, system, [BUCKET_TOUCHED]).problems
    assert public()
    assert Alert.objects.get(key=RULE).state == "open"
    bucket.delete_bucket_policy(Bucket=BUCKET)
    bucket.delete_bucket(Bucket=BUCKET)
    assert len(recheck_resources(account, system, [BUCKET_TOUCHED]).gone) == 1
    assert Alert.objects.get(key=RULE).state == "resolved"
    assert not Finding.objects.filter(resource__name=BUCKET).exists()


@pytest.mark.django_db
def test_what_hangs_on_another_type_is_judged_with_it(aws: Simulator, system: Actor) -> None:
    """Whether the account has a trail in all regions is judged on the account, and hangs on the trails."""
    account = connect(system)
    recheck_resources(
        account, system, [ChangedResource("account", "global", "AWS::::Account", "arn:aws:iam::123456789012:root")]
    )
    trail = Finding.objects.filter(rule_id="aws.cloudtrail.multi_region")
    assert (trail.get().verdict, "CloudTrail was never read" in trail.get().message) == ("unknown", True)
    recheck_resources(account, system, [ChangedResource("cloudtrail", "global")])
    assert trail.get().verdict == "pass"


@contextmanager
def product() -> Iterator[str]:
    """The product over real HTTP."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    with serving(make_server("127.0.0.1", 0, get_wsgi_application(), handler_class=Quiet)) as url:
        yield url


def handler_of(listener: Listener, url: str) -> Any:
    template = next(kit.text for kit in setup_templates(listener, url) if kit.id == "cloudformation")
    code = template.partition("ZipFile: |\n")[2].partition("\n  SenderRetries:")[0]
    names: dict[str, Any] = {}
    exec(textwrap.dedent(code), names)
    return names["handler"]


def test_the_templates_code_gets_an_alert_opened_over_http(
    committed: str, bucket: Any, system: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "SETTLE", 0.0)
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)  # the server's ends with the request
    account = connect(system)
    listener, secret = switch_on(system, account)
    with product() as url:
        monkeypatch.setenv("NEPHOSCOPE_SECRET", secret)
        monkeypatch.setenv("NEPHOSCOPE_ENDPOINT", f"{url}/events/aws/{listener.address}")
        handler, first = handler_of(listener, url), event("PutBucketPolicy")
        assert [handler(first, None), handler(first, None)] == [202, 200], "the second is known already"
        rotate(system, account)
        with pytest.raises(urllib.error.HTTPError, match="401"):
            handler(event("PutBucketPolicy"), None)
    working.drain(account.pk)
    assert Delivery.objects.get().state == "done"
    assert public()
    listener.refresh_from_db()
    assert "signature" in listener.last_refusal
