"""Certificates: how long they are still good for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.truth.account import ABROAD, HOME, Truth, holds

KEY = ec.generate_private_key(ec.SECP256R1())


def _imported(truth: Truth, name: str, region: str = HOME) -> str:
    """Import a certificate of this name that is good for a year, and return its ARN."""
    named, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), datetime.now(UTC)
    draft = x509.CertificateBuilder(named, named, KEY.public_key(), 1, now, now + timedelta(days=365))
    arn: str = truth.client("acm", region).import_certificate(
        Certificate=draft.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
        PrivateKey=KEY.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )["CertificateArn"]
    return arn


@holds()
def certificates(truth: Truth) -> None:
    """Certificates on each side of the 30 days, of each kind and state; one region cannot be listed."""
    for name, days, status, kind, verdict in [
        ("year.example.com", 365, "ISSUED", "IMPORTED", "passes"),
        ("31.example.com", 31, "ISSUED", "IMPORTED", "passes"),
        ("30-and-a-bit.example.com", 30.01, "ISSUED", "IMPORTED", "passes"),
        ("not-30.example.com", 29.99, "ISSUED", "IMPORTED", "fails"),
        ("tomorrow.example.com", 1, "ISSUED", "IMPORTED", "fails"),
        ("yesterday.example.com", -1, "EXPIRED", "IMPORTED", "fails"),
        ("long-ago.example.com", -900, "EXPIRED", "AMAZON_ISSUED", "fails"),
        ("not-renewed.example.com", 10, "ISSUED", "AMAZON_ISSUED", "fails"),
        ("*.renewed.example.com", 45, "ISSUED", "AMAZON_ISSUED", "passes"),
        ("private.example.com", 5, "ISSUED", "PRIVATE", "fails"),
        ("revoked.example.com", 5, "REVOKED", "AMAZON_ISSUED", "skipped"),
        ("pending.example.com", 5, "PENDING_VALIDATION", "IMPORTED", "skipped"),
        ("failed.example.com", 5, "FAILED", "AMAZON_ISSUED", "skipped"),
        ("timed-out.example.com", 5, "VALIDATION_TIMED_OUT", "AMAZON_ISSUED", "skipped"),
        ("inactive.example.com", 5, "INACTIVE", "AMAZON_ISSUED", "skipped"),
        ("xn--mnchen-3ya.example.com", 5, "ISSUED", "IMPORTED", "fails"),
    ]:
        patch = {"kind": "certificate", "account": truth.cloud.account, "arn": _imported(truth, name)}
        truth.cloud.control("patch", {**patch, "days": days, "status": status, "type": kind})
        truth.judged(name, **{verdict: "expiry"})
    _imported(truth, "hidden.example.com", ABROAD)
    truth.cloud.control("deny", actions=["acm:ListCertificates"], regions=[ABROAD])
    truth.judged(f"All AWS::CertificateManager::Certificate in {ABROAD}", unknown="expiry")
