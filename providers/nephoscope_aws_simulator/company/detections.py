"""What GuardDuty noticed in the account."""

from __future__ import annotations

from typing import Any

from nephoscope_aws_simulator.company.cloud import HOME, Cloud, odd
from nephoscope_aws_simulator.world import ago


def _finding(number: int, type: str, severity: float, title: str, about: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A finding that was first seen so many days ago as its number, and last half a day ago."""
    first, last = (f"{ago(days).isoformat()}.000Z" for days in (number, 0.5))
    service = {"eventFirstSeen": first, "eventLastSeen": last, "count": 3 * number, **more.pop("service", {})}
    return {
        "id": f"{number:032x}",
        "type": type,
        "severity": severity,
        "title": title,
        "createdAt": first,
        "updatedAt": last,
        "resource": about,
        "service": service,
        **more,
    }


def _from(ip: str, country: str, network: str) -> dict[str, Any]:
    return {"ipAddressV4": ip, "country": {"countryName": country}, "organization": {"asnOrg": network}}


FINDINGS = (
    _finding(
        1,
        "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
        8.0,
        "Credentials of the instance role northwind-web are used from outside AWS.",
        {"resourceType": "AccessKey", "accessKeyDetails": {"userName": "northwind-web", "userType": "AssumedRole"}},
        description="Credentials that only an EC2 instance should have were used from 198.51.100.23.",
        service={
            "action": {
                "actionType": "AWS_API_CALL",
                "awsApiCallAction": {
                    "api": "ListBuckets",
                    "serviceName": "s3.amazonaws.com",
                    "remoteIpDetails": _from("198.51.100.23", "Norway", "Example Hosting"),
                },
            }
        },
    ),
    _finding(
        2,
        "Recon:EC2/PortProbeUnprotectedPort",
        2.0,
        "An unprotected port of the jump host is being probed.",
        {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-0c0ffee0c0ffee0c0"}},
        description="A known malicious host probes port 22 of i-0c0ffee0c0ffee0c0.",
        service={"action": {"actionType": "PORT_PROBE"}},
    ),
    _finding(
        3,
        "Policy:S3/BucketAnonymousAccessGranted",
        9.5,
        f"Public anonymous access was granted for the bucket {odd('northwind-product-images')}.",
        {
            "resourceType": "S3Bucket",
            "s3BucketDetails": [{"name": "northwind-product-images", "arn": "arn:aws:s3:::northwind-product-images"}],
        },
        description="Public access was granted to a bucket by a change of its policy.",
    ),
    _finding(
        4,
        "CryptoCurrency:EC2/BitcoinTool.B!DNS",
        8.0,
        "[SAMPLE] An instance asks for a mining pool.",
        {"resourceType": "Instance", "instanceDetails": {"instanceId": "i-99999999"}},
        description="An example.",
        service={"additionalInfo": {"type": "default", "value": '{"sample":true}'}},
    ),
)


def make_detections(cloud: Cloud) -> None:
    """A detector at home, with its findings."""
    cloud.client("guardduty", HOME).create_detector(Enable=True)
    cloud.patch([{"kind": "guardduty_finding", "region": HOME, "finding": each} for each in FINDINGS])
    cloud.made("AWS::GuardDuty::Detector")
