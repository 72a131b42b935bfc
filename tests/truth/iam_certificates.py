"""Server certificates that IAM keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.truth.account import Truth, holds

LEFT = {"long": 400.0, "tomorrow": 1.0, "in-minutes": 0.02, "minutes-ago": -0.02, "yesterday": -1.0, "long-ago": -900.0}
"""Days until a certificate expires."""


@holds(services=("iam",))
def certificates(truth: Truth) -> None:
    """Certificates on each side of their last moment, and one that is not valid yet."""
    key = ec.generate_private_key(ec.SECP256R1())
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain).decode()
    for name, left in LEFT.items():
        body = _certificate(key, -1000, left)
        truth.client("iam").upload_server_certificate(
            ServerCertificateName=name, CertificateBody=body, PrivateKey=private, Path="/cloudfront/web/"
        )
        truth.judged(name, **{"passes" if left > 0 else "fails": "expired_certs"})
    future = _certificate(key, 30, 400)
    truth.client("iam").upload_server_certificate(
        ServerCertificateName="future", CertificateBody=future, PrivateKey=private
    )
    truth.judged("future", passes="expired_certs")


@holds(services=("iam",))
def hidden_certificates(truth: Truth) -> None:
    truth.cloud.control("deny", actions=["iam:ListServerCertificates"])
    truth.judged("unlisted:AWS::IAM::ServerCertificate:global:0", unknown="expired_certs")


def _certificate(key: ec.EllipticCurvePrivateKey, since: float, left: float) -> str:
    """Return a certificate that is valid between these days from now."""
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example.com")]), datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now + timedelta(days=since)).not_valid_after(now + timedelta(days=left))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
