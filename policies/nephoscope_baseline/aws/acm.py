"""Rules on certificates of AWS Certificate Manager."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, Parameter, ResourceView, Severity, rule
from nephoscope_aws.times import age_days

CERTIFICATE = "AWS::CertificateManager::Certificate"

BEFORE = Parameter("days", "Days before its end by which a certificate is renewed", "days", 30, "higher", most=400)
"""How long before its end a certificate should have been renewed: ACM itself begins 45 to 60 days before.
https://docs.aws.amazon.com/securityhub/latest/userguide/acm-controls.html#acm-1"""


def _certificate(until: str | None, status: str = "ISSUED", type: str = "AMAZON_ISSUED") -> dict[str, Any]:
    """An example: a certificate."""
    return {"DomainName": "example.com", "Observed": {"NotAfter": until, "Status": status, "Type": type}}


@rule(
    "aws.acm.expiry",
    on=CERTIFICATE,
    severity=Severity.MEDIUM,
    live_only=True,
    parameters=[BEFORE],
    link="https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html",
    fix="""
        1. In the ACM console open the certificate. If ACM issued it, look at its renewal status and restore the CNAME
           records that it names, or answer the validation mail: ACM then renews it by itself.
        2. If it was imported, get a new one and choose Reimport, so that its ARN and its uses stay.
        3. By command line: aws acm describe-certificate --certificate-arn ARN, and for an imported one
           aws acm import-certificate --certificate-arn ARN --certificate file://c.pem --private-key file://k.pem
        4. If nothing uses it, delete it: aws acm delete-certificate --certificate-arn ARN
        """,
    good=[
        _certificate("2026-12-31T23:59:59Z"),
        _certificate("2026-02-15T12:00:00Z", type="IMPORTED"),
        _certificate(None, "PENDING_VALIDATION"),
        _certificate("2026-01-20T00:00:00Z", "REVOKED"),
    ],
    bad=[
        _certificate("2026-02-14T11:00:00Z"),
        _certificate("2026-01-16T00:00:00Z", type="IMPORTED"),
        _certificate("2025-06-01T00:00:00Z", "EXPIRED"),
    ],
)
def expiry(certificate: ResourceView, *, days: int) -> bool | Fail | None:
    """Certificate ends soon and was not renewed.

    On the day that it ends, browsers and programs refuse the service. ACM renews its own certificates long before, so
    that one this close to its end will not be renewed without help.
    """
    if certificate["Observed.Status"] not in ("ISSUED", "EXPIRED"):
        return None
    until = certificate["Observed.NotAfter"]
    age = age_days(until, certificate.now)
    if age is None:
        return None
    if -age >= days:
        return True
    said = f"Ended on {until[:10]}" if age > 0 else f"Ends on {until[:10]}, in less than {days} days"
    return Fail(said, "Observed.NotAfter")
