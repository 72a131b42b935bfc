"""A region with 285,000 log groups, each with a metric filter: memory does not grow with them, and nobody waits.

AWS is a small server that makes up pages when they are asked for; how many come at once is up to a server, and this one
gives 2,850 instead of 50, for the test's time. The reading is a process of its own, so that its memory can be told.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.aws.collectors.world import ACCOUNT, REGION
from tests.serving import serving

GROUPS, PAGE = 285_000, 2_850
LISTS = {"DescribeLogGroups": "logGroups", "DescribeMetricFilters": "metricFilters"}
FEW_MEGABYTES = 20
"""What may come on top of reading the first page; all of them at once would be seven times that."""

READER = """
import json, resource, sys, threading
from tests.aws.collectors.world import ACCOUNT, READS, Clients
from nephoscope_aws.api import Api
from nephoscope_aws.collectors import ALL

def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000

api = Api(ACCOUNT, Clients(sys.argv[1]), READS)
logs = ALL["logs"].collect(api, sys.argv[2])
next(logs)
first = megabytes()
count, others = 1, {"read": [], "after": 0}

def read_others():
    for service in ("secretsmanager", "sqs", "kms"):
        others["read"] += [each.name for each in ALL[service].collect(api, sys.argv[2])]
    others["after"] = count

thread = threading.Thread(target=read_others)
thread.start()
for each in logs:
    count += 1
thread.join()
api.close()
print(json.dumps({"items": count, "grown": megabytes() - first, "others": others}))
"""


class Hoard(BaseHTTPRequestHandler):
    """CloudWatch Logs with very many groups, and little of anything else.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html and
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeMetricFilters.html
    """

    protocol_version = "HTTP/1.1"
    asked: list[str]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        self.asked.append(operation)
        answer = json.dumps(self.answer(operation, body)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("x-amzn-RequestId", "00000000-0000-0000-0000-000000000000")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def answer(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        if operation in LISTS:
            begin = int(body.get("nextToken", 0))
            end = begin + PAGE
            items = [{"filterName": "root", "logGroupName": f"/team/{number}"} for number in range(begin, end)]
            return {LISTS[operation]: items, **({"nextToken": str(end)} if end < GROUPS else {})}
        arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:mine-AbCdEf"
        others = {
            "ListSecrets": {"SecretList": [{"ARN": arn, "Name": "mine"}]},
            "ListKeys": {"Keys": []},
            "ListAliases": {"Aliases": []},
        }
        return others.get(operation, {})

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hoard() -> Iterator[tuple[str, list[str]]]:
    """Its address, and the operations that were asked of it."""
    handler = type("ThisHoard", (Hoard,), {"asked": []})
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as endpoint:
        yield endpoint, handler.asked


def test_285_000_log_groups_neither_exhaust_memory_nor_keep_others_waiting(hoard: tuple[str, list[str]]) -> None:
    endpoint, asked = hoard
    paths = [path for path in sys.path if path]
    program = f"import sys; sys.path[:0] = {paths!r}\n{READER}"
    done = subprocess.run([sys.executable, "-c", program, endpoint, REGION], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["items"] == 2 * GROUPS
    assert told["grown"] < FEW_MEGABYTES
    assert told["others"]["read"] == ["mine"]
    assert told["others"]["after"] < 2 * GROUPS, "the other services had finished first"
    assert [asked.count(operation) for operation in LISTS] == [GROUPS / PAGE, GROUPS / PAGE]
