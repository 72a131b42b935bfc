"""What the simulator lacks of the services at the edge, answered as AWS publishes it; and what counts as a secret."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.aws.collectors.world import ACCOUNT, READS, REGION, Clients, at, collected, why

from nephoscope.domain import Resource, Rule, Verdict
from nephoscope.engine import judge
from nephoscope_aws.api import Api
from nephoscope_aws.collectors import ALL
from nephoscope_baseline.aws import cloudfront, lambda_


class Published(BaseHTTPRequestHandler):
    """CloudFront's list in two pages, and a Lambda with what moto has not: an alias's URL, variables it cannot decrypt.

    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListDistributions.html,
    https://docs.aws.amazon.com/lambda/latest/api/API_EnvironmentError.html
    """

    def do_GET(self) -> None:
        status, body = next((answer for part, answer in ANSWERS.items() if part in self.path), (403, REFUSAL))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None: ...


def _page(id: str, more: str) -> str:
    behavior = "<DefaultCacheBehavior><ViewerProtocolPolicy>https-only</ViewerProtocolPolicy></DefaultCacheBehavior>"
    return (
        f"<DistributionList>{more}<Items><DistributionSummary><Id>{id}</Id>"
        f"<ARN>arn:aws:cloudfront::{ACCOUNT}:distribution/{id}</ARN><Origins><Quantity>0</Quantity></Origins>"
        f"{behavior}</DistributionSummary></Items></DistributionList>"
    )


SEALED = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:sealed"
REFUSAL = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
ANSWERS = {
    "Marker=E1": (200, _page("E2", "<IsTruncated>false</IsTruncated>")),
    "/distribution/": (403, REFUSAL),
    "/distribution": (200, _page("E1", "<IsTruncated>true</IsTruncated><NextMarker>E1</NextMarker>")),
    "/urls": (
        200,
        json.dumps(
            {
                "FunctionUrlConfigs": [
                    {"FunctionArn": f"{SEALED}:live", "FunctionUrl": "https://a.lambda-url.on.aws/", "AuthType": "NONE"}
                ]
            }
        ),
    ),
    "/policy": (404, json.dumps({"Message": "none", "Type": "User"})),
    "/functions": (
        200,
        json.dumps(
            {
                "Functions": [
                    {
                        "FunctionName": "sealed",
                        "FunctionArn": SEALED,
                        "PackageType": "Image",
                        "Environment": {"Error": {"ErrorCode": "AccessDeniedException", "Message": "denied"}},
                    }
                ]
            }
        ),
    ),
}


def verdict(rule: Rule, resource: Resource) -> Verdict:
    return judge(rule, resource, now=datetime.now(UTC)).verdict


@pytest.fixture
def published() -> Iterator[Api]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Published) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        api = Api(ACCOUNT, Clients(f"http://127.0.0.1:{server.server_port}"), READS)
        yield api
        api.close()
        server.shutdown()


def test_distributions_are_listed_page_by_page_and_only_their_logging_is_hidden(published: Api) -> None:
    first, second = collected(published, "cloudfront")
    assert (first.name, second.name) == ("E1", "E2")
    assert why(at(first, "DistributionConfig.Logging"))["permission"] == "cloudfront:GetDistributionConfig"
    assert verdict(cloudfront.https, first) is Verdict.PASS
    assert verdict(cloudfront.logging, first) is Verdict.UNKNOWN


def test_sealed_variables_are_unknown_and_the_url_of_an_alias_is_found(published: Api) -> None:
    function, url = collected(published, "lambda")
    assert why(at(function, "Environment"))["permission"] == "kms:Decrypt"
    assert verdict(lambda_.env_secrets, function) is Verdict.UNKNOWN
    assert (url.name, at(url, "Qualifier"), at(url, "TargetFunctionArn")) == ("sealed:live", "live", SEALED)
    assert ALL["lambda"].reread(published, url) == url
