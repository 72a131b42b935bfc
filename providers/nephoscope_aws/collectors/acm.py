"""Certificates of AWS Certificate Manager of one region.

Calls per region: 1 for each 1,000 certificates; the list tells when they end. Tags cost a call each, no rule reads
them, and they are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from nephoscope.domain import Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.odd import each
from nephoscope_aws.collectors.shape import Listing, actions, moment, needed, part, picked

CERTIFICATE = "AWS::CertificateManager::Certificate"

READS = {
    ("acm", "list_certificates"): "acm:ListCertificates",
    ("acm", "describe_certificate"): "acm:DescribeCertificate",
}

KEY_TYPES = ("RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1")
"""All kinds of keys: unless asked, AWS lists certificates with RSA keys of 1,024 and 2,048 bits only.
https://docs.aws.amazon.com/acm/latest/APIReference/API_Filters.html"""

Item = dict[str, Any]


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the region's certificates."""
    yield from each(api, region, CERTIFICATE, partial(_certificate, api, region), Listing(_certificates(api, region)))


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read one certificate again: through the list, 1 call for each 1,000."""
    found = (one for one in _certificates(api, resource.region) if one["CertificateArn"] == resource.id)
    return next((_certificate(api, resource.region, one) for one in found), None)


def _certificates(api: Api, region: str) -> Iterator[Item]:
    return api.pages(
        "acm",
        "list_certificates",
        "CertificateSummaryList",
        region=region,
        MaxItems=1000,
        Includes={"keyTypes": list(KEY_TYPES)},
    )


def _certificate(api: Api, region: str, item: Item) -> Resource:
    properties = {
        **picked(item, "DomainName", "KeyAlgorithm"),
        "Observed": {
            **needed(item, "Status"),
            **picked(item, "Type", "InUse", "RenewalEligibility"),
            "NotAfter": part(lambda: _end(item)),
        },
    }
    arn = item["CertificateArn"]
    return Resource(CERTIFICATE, arn, part(lambda: item.get("DomainName") or arn), region, api.account, properties)


def _end(item: Item) -> Any:
    """Return when a certificate ends to be valid; one that was issued has such a time."""
    return moment(item["NotAfter"] if item["Status"] == "ISSUED" else item.get("NotAfter"))


COLLECTOR = Collector(
    Service("acm", "AWS Certificate Manager", (CERTIFICATE,), actions(READS)),
    READS,
    collect,
    reread,
)
