"""Rules on certificates of AWS Certificate Manager."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, Parameter, ResourceView, Severity, rule
from nephoscope_aws.times import age_days

CERTIFICATE = "AWS::CertificateManager::Certificate"

BEFORE = Parameter("days", "Minimum days until expiry", "days", 30, "higher", most=400)
"""How long before it expires a certificate should have been renewed: ACM itself begins 45 to 60 days before.
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
        1. In the ACM console, open the certificate. If ACM issued it, check its renewal status and restore the CNAME
           records listed there, or answer the validation email: ACM then renews it.
        2. If it was imported, get a new certificate and choose Reimport, which keeps the ARN and its associations.
        3. If nothing uses it, delete it.
    """,
    commands="""
        aws acm describe-certificate --region={region} --certificate-arn={id}

        aws acm import-certificate --region={region} --certificate-arn={id} --certificate={CERTIFICATE_FILE}
          --private-key={KEY_FILE}
    """,
    inputs={
        "CERTIFICATE_FILE": "for an imported certificate: fileb://c.pem, where c.pem is the new certificate",
        "KEY_FILE": "fileb://k.pem, where k.pem is its private key",
    },
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
    """ACM certificate is expired or about to expire.

    Once the certificate expires, clients refuse to connect. ACM renews its own certificates well before that, so one
    this close to its end will not renew without help.
    """
    if certificate["Observed.Status"] not in ("ISSUED", "EXPIRED"):
        return None
    until = certificate["Observed.NotAfter"]
    age = age_days(until, certificate.now, "Observed.NotAfter")
    if age is None:
        return None
    if -age >= days:
        return True
    said = f"Expired on {until[:10]}" if age > 0 else f"Expires on {until[:10]}, in less than {days} days"
    return Fail(said, "Observed.NotAfter")
