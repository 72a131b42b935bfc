"""What the simulator lacks of the services at the edge, answered as AWS publishes it; and what counts as a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.aws.collectors.world import ACCOUNT, READS, REGION, Clients, at, collected, why
from tests.serving import serving

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
FUNCTION = {
    "FunctionName": "sealed",
    "FunctionArn": SEALED,
    "PackageType": "Image",
    "Environment": {"Error": {"ErrorCode": "AccessDeniedException", "Message": "denied"}},
}
VERSIONS = json.dumps(
    {"Functions": [{"FunctionName": "sealed", "Version": each} for each in ("$LATEST", *map(str, range(1, 24)))]}
)
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
    "/aliases": (200, json.dumps({"Aliases": [{"Name": "live", "FunctionVersion": "22"}]})),
    "/versions": (200, VERSIONS.replace("Functions", "Versions")),
    "FunctionVersion=ALL": (200, VERSIONS),
    "/policy?Qualifier=live": (200, json.dumps({"Policy": json.dumps({"Statement": []})})),
    "/policy?Qualifier=2": (403, json.dumps({"Message": "no", "Type": "User", "__type": "AccessDeniedException"})),
    "/policy": (404, json.dumps({"Message": "none", "__type": "ResourceNotFoundException"})),
    "/configuration": (200, json.dumps(FUNCTION)),
    "/functions": (200, json.dumps({"Functions": [FUNCTION]})),
}


def verdict(rule: Rule, resource: Resource) -> Verdict:
    return judge(rule, resource, now=datetime.now(UTC)).verdict


@pytest.fixture
def published() -> Iterator[Api]:
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Published)) as endpoint:
        api = Api(ACCOUNT, Clients(endpoint), READS)
        yield api
        api.close()


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


def test_the_policies_of_aliases_and_the_newest_versions_are_read_and_older_ones_are_unknown(published: Api) -> None:
    function, _ = collected(published, "lambda")
    told = at(function, "Observed.Qualifiers")
    assert [each["Name"] for each in told] == ["live", "23", "22", "21", "20", "3"]
    assert told[0]["Policy"] == {"Statement": []}
    assert why(told[1]["Policy"])["permission"] == "lambda:GetPolicy"
    assert why(told[-1]["Policy"])["reason"].endswith("newest 20 versions are read, and 3 are older")
    assert verdict(lambda_.public, function) is Verdict.UNKNOWN
    assert ALL["lambda"].reread(published, function) == function
