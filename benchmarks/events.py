"""How long it takes from an event in the cloud to the alert: ``make bench-events``.

Everything is made anew in a temporary folder: the simulated account, the database, a worker and the web server. The
account is scanned once. Then a bucket is made public and private again, and after each the function of the template
runs with the event that CloudTrail would have written: the clock runs until the alert's finding is there, and gone.
Once more all that happens while the account is being scanned. What AWS itself takes to hand over an event comes on top.

Ends with 1 when one of them takes ``LIMIT`` seconds or more.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import textwrap
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from scan import PATIENCE, ROOT, prepare, queued_scan, stop_database, worker

from nephoscope_aws_simulator.testing import Simulator

LIMIT = 5.0
"""Seconds from the event to the alert."""

ROUNDS = 5
BUCKET = "nephoscope-bench-events"
RULE = "aws.s3.public_read"


@contextmanager
def web(port: int) -> Iterator[str]:
    """Start the web server; yield its address."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        [
            sys.executable,
            "-m",
            "gunicorn",
            "nephoscope.wsgi",
            "--bind",
            f"127.0.0.1:{port}",
            "--worker-class",
            "gthread",
            "--threads",
            "8",
            "--log-level",
            "warning",
        ],
        cwd=ROOT,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, sys.path))},
    )
    try:
        until = time.monotonic() + PATIENCE
        while not _listens(port):
            if time.monotonic() > until or process.poll() is not None:
                raise SystemExit("The web server did not start.")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def sender(url: str) -> Callable[[dict[str, Any], None], int]:
    """Switch recheck on events on, and return the function that the template would run in the account."""
    from nephoscope.accounts.models import Account
    from nephoscope.audit.services import Actor
    from nephoscope.events.services import setup_templates, switch_on

    listener, secret = switch_on(Actor.system("bench"), Account.objects.get())
    template = next(each.text for each in setup_templates(listener, url) if each.id == "cloudformation")
    code = re.search(r"ZipFile: \|\n(.*?)\n  \w", template, re.DOTALL)
    assert code
    names: dict[str, Any] = {}
    exec(textwrap.dedent(code[1]), names)  # noqa: S102 - our own template, as AWS runs it
    os.environ |= {"NEPHOSCOPE_SECRET": secret, "NEPHOSCOPE_ENDPOINT": f"{url}/events/aws/{listener.address}"}
    handler: Callable[[dict[str, Any], None], int] = names["handler"]
    return handler


def event(name: str, **request: str) -> dict[str, Any]:
    """Return what EventBridge hands over for a call to S3."""
    detail = {
        "eventID": str(uuid.uuid4()),
        "eventName": name,
        "eventSource": "s3.amazonaws.com",
        "readOnly": False,
        "awsRegion": "us-east-1",
        "managementEvent": True,
        "recipientAccountId": "123456789012",
        "requestParameters": request,
        "responseElements": None,
    }
    return {"account": "123456789012", "detail-type": "AWS API Call via CloudTrail", "detail": detail}


class Bench:
    def __init__(self, send: Callable[[dict[str, Any], None], int]) -> None:
        self.send = send
        self.s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
        self.worst = 0.0

    def timed(self, label: str, name: str, change: Callable[[], object], *, public: bool) -> None:
        """Change the bucket, send the event, wait for the alert, print the seconds."""
        change()
        begun = time.monotonic()
        self.send(event(name, bucketName=BUCKET), None)
        answered = time.monotonic() - begun
        while self.open() != public:
            if time.monotonic() - begun > PATIENCE:
                raise SystemExit(f"{label}: no alert after {PATIENCE} seconds.")
            time.sleep(0.02)
        took = time.monotonic() - begun
        self.worst = max(self.worst, took)
        print(f"{label:<34} {took:6.2f} s   answered in {1000 * answered:4.0f} ms")

    @staticmethod
    def open() -> bool:
        from nephoscope.alerts.models import Finding

        return Finding.objects.filter(
            rule_id=RULE, resource__name=BUCKET, failing_since__isnull=False, alert__state="open"
        ).exists()

    def create(self) -> None:
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.delete_public_access_block(Bucket=BUCKET)

    def publish(self) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{BUCKET}/*",
        }
        self.s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

    def rounds(self, when: str) -> None:
        self.timed(f"public, {when}", "PutBucketPolicy", self.publish, public=True)
        private: Callable[[], object] = lambda: self.s3.delete_bucket_policy(Bucket=BUCKET)  # noqa: E731
        self.timed(f"private, {when}", "DeleteBucketPolicy", private, public=False)

    def run(self) -> None:
        def create_public() -> None:
            self.create()
            self.publish()

        self.timed("made and public, never seen before", "CreateBucket", create_public, public=True)
        self.timed("deleted", "DeleteBucket", self.delete, public=False)
        self.create()
        for _round in range(ROUNDS):
            self.rounds("idle worker")
        from nephoscope.accounts.models import Account
        from nephoscope.audit.services import Actor
        from nephoscope.inventory.models import Scan
        from nephoscope.scans.services import start_scan

        scan = start_scan(Actor.system("bench"), Account.objects.get())
        while (scan := Scan.objects.get(pk=scan.pk)).state == "queued":
            time.sleep(0.05)
        while Scan.objects.get(pk=scan.pk).active:
            self.rounds("while a scan is under way")

    def delete(self) -> None:
        self.s3.delete_bucket_policy(Bucket=BUCKET)
        self.s3.delete_bucket(Bucket=BUCKET)


def main() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="nephoscope-bench-") as folder, Simulator(company=True) as simulator:
        prepare(Path(folder), simulator.endpoint)
        try:
            with worker(), web(port) as url:
                print(f"first scan {queued_scan()[0]:.1f} s")
                bench = Bench(sender(url))
                bench.run()
        finally:
            stop_database()
    print(f"\nslowest {bench.worst:.2f} s, limit {LIMIT:.0f} s; processors {os.cpu_count()}")
    return 1 if bench.worst >= LIMIT else 0


if __name__ == "__main__":
    raise SystemExit(main())
