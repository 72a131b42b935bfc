"""IAM roles, customer managed policies and server certificates."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from nephoscope_aws_simulator.company.cloud import Cloud, odd, tag_list

_AWS = "arn:aws:iam::aws:policy/"
_PARTNER, _VENDOR = "555566667777", "444455556666"
DELIVERY_ROLE = "cloudtrail-to-cloudwatch"


def _statement(action: Any, resource: Any = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _trust(principal: Any, action: str = "sts:AssumeRole", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    return _document(statement | ({"Condition": condition} if condition else {}))


def _service(name: str) -> dict[str, Any]:
    return _trust({"Service": f"{name}.amazonaws.com"})


POLICIES: dict[str, dict[str, Any]] = {
    "northwind-break-glass": _document(_statement("*")),
    "northwind-storage-admin": _document(_statement("s3:*")),
    "northwind-warehouse-read": _document(
        _statement(["s3:GetObject", "s3:ListBucket"], "arn:aws:s3:::northwind-warehouse-telemetry*")
    ),
    "northwind-deploy": _document(
        _statement(["lambda:UpdateFunctionCode", "ecs:UpdateService"]), _statement("iam:PassRole")
    ),
    "northwind-deny-outside-eu": _document(
        {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}
        | {"Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}}
    ),
}


@dataclass(frozen=True)
class Role:
    """One role; `used_days=None`: never used."""

    name: str
    trust: dict[str, Any]
    description: str = ""
    attached: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    inline: dict[str, dict[str, Any]] = field(default_factory=dict)
    age_days: int = 400
    used_days: int | None = 1


ROLES = (
    Role("data-exchange-partner", _trust({"AWS": "*"}), "Carriers fetch manifests", own=("northwind-storage-admin",)),
    Role(
        "vendor-monitoring",
        _trust({"AWS": f"arn:aws:iam::{_VENDOR}:root"}),
        "No external id",
        (_AWS + "SecurityAudit",),
    ),
    Role(
        "vendor-backup",
        _trust({"AWS": f"arn:aws:iam::{_PARTNER}:root"}, StringEquals={"sts:ExternalId": "nw-7f3a91"}),
        "Backups by a vendor",
        (_AWS + "AWSBackupFullAccess",),
    ),
    Role(
        "ci-terraform",
        _trust({"AWS": "arn:aws:iam::123456789012:root"}),
        "Builds it all",
        (_AWS + "AdministratorAccess",),
    ),
    Role(
        "github-deploy",
        _trust(
            {"Federated": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
            "sts:AssumeRoleWithWebIdentity",
            StringEquals={"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
        ),
        "Any repository may assume this",
        own=("northwind-deploy",),
    ),
    Role("webshop-ec2", _service("ec2"), "Instances of the webshop", (_AWS + "AmazonSSMManagedInstanceCore",)),
    Role("legacy-ftp-ec2", _service("ec2"), odd("Old file transfer"), (_AWS + "AmazonS3FullAccess",), age_days=1900),
    Role("order-events", _service("lambda"), "Order events", own=("northwind-break-glass",)),
    Role("label-printer", _service("lambda"), "Labels", inline={"all": _document(_statement("*"))}),
    Role("ecs-task-execution", _service("ecs-tasks"), "", (_AWS + "service-role/AmazonECSTaskExecutionRolePolicy",)),
    Role("rds-monitoring", _service("monitoring.rds"), "", (_AWS + "service-role/AmazonRDSEnhancedMonitoringRole",)),
    Role("flow-logs", _service("vpc-flow-logs"), inline={"write": _document(_statement("logs:PutLogEvents"))}),
    Role(DELIVERY_ROLE, _service("cloudtrail"), inline={"write": _document(_statement("logs:PutLogEvents"))}),
    Role(
        "support-access",
        _trust({"AWS": "arn:aws:iam::123456789012:root"}),
        "",
        (_AWS + "AWSSupportAccess",),
        used_days=60,
    ),
    Role(
        "glue-etl-2021",
        _service("glue"),
        "Unused",
        (_AWS + "service-role/AWSGlueServiceRole",),
        age_days=1300,
        used_days=420,
    ),
)


def create_role(
    iam: Any,
    name: str,
    trust_policy: dict[str, Any],
    managed_policy_arns: list[str],
    inline_policies: dict[str, dict[str, Any]],
    description: str = "",
    tags: dict[str, str] | None = None,
) -> str:
    """A role with all its policies; the result is its ARN."""
    arn: str = iam.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(trust_policy),
        Description=description,
        Tags=tag_list(**tags or {}),
    )["Role"]["Arn"]
    for policy_arn in managed_policy_arns:
        iam.attach_role_policy(RoleName=name, PolicyArn=policy_arn)
    for policy_name, document in inline_policies.items():
        iam.put_role_policy(RoleName=name, PolicyName=policy_name, PolicyDocument=json.dumps(document))
    return arn


def make_roles(cloud: Cloud) -> str:
    """Policies, then roles; the result is the ARN of the role that delivers the trail's events."""
    iam = cloud.client("iam")

    def make_policy(name: str) -> tuple[str, str]:
        document = json.dumps(POLICIES[name])
        made = iam.create_policy(PolicyName=name, PolicyDocument=document, Tags=tag_list(Team="platform"))
        return name, made["Policy"]["Arn"]

    arns = dict(cloud.each(make_policy, POLICIES))

    def make_role(role: Role) -> str:
        attached = [*role.attached, *(arns[name] for name in role.own)]
        tags = {"Team": "platform", "Owner": "platform@northwind.example"}
        arn = create_role(iam, role.name, role.trust, attached, role.inline, role.description, tags)
        if role.trust == _service("ec2"):
            iam.create_instance_profile(InstanceProfileName=role.name)
            iam.add_role_to_instance_profile(InstanceProfileName=role.name, RoleName=role.name)
        cloud.patch([{"kind": "role", "name": role.name, "age_days": role.age_days, "used_days": role.used_days}])
        return arn

    made = cloud.each(make_role, ROLES)
    cloud.made("AWS::IAM::ManagedPolicy", len(POLICIES))
    cloud.made("AWS::IAM::Role", len(ROLES))
    return next(arn for arn in made if arn.endswith(f"/{DELIVERY_ROLE}"))


# name -> days until it expires
CERTIFICATES = {"northwind-shop-2026": 280, "northwind-legacy-vpn": -95}


def _certificate(name: str, days_left: int) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name}.northwind.example")])
    end = datetime.now(UTC) + timedelta(days=days_left)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=397))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), private.decode()


def make_certificates(cloud: Cloud) -> None:
    """One that is valid, one that is long expired."""
    for name, days_left in CERTIFICATES.items():
        body, key = _certificate(name, days_left)
        cloud.client("iam").upload_server_certificate(ServerCertificateName=name, CertificateBody=body, PrivateKey=key)
    cloud.made("AWS::IAM::ServerCertificate", len(CERTIFICATES))
