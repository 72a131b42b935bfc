"""IAM and STS."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import Any

from cryptography import x509

from nephoscope_aws_simulator.accounts import account_of, administrator_arn
from nephoscope_aws_simulator.corrections.credential_report import credential_report
from nephoscope_aws_simulator.corrections.patching import extend, replace
from nephoscope_aws_simulator.world import World, ago


def apply(world: World) -> None:
    """Root user, bulk reads, certificates, who the caller is."""
    _root_user(world)
    _bulk_reads(world)
    _server_certificates()
    _password_policy()
    _callers()


def _root_user(world: World) -> None:
    import moto.iam.models as models

    def summary_map(summary: Any) -> dict[str, Any]:
        root = world.root(summary._iam_backend.account_id)
        return {
            **original(summary),
            "AccountMFAEnabled": int(root.mfa),
            "AccountAccessKeysPresent": int(root.access_key),
            "AccountPasswordPresent": int(root.password),
            "AccountSigningCertificatesPresent": 0,
        }

    original = vars(models.AccountSummary)["summary_map"].fget
    replace(models.AccountSummary, "summary_map")(property(summary_map))

    @extend(models.IAMBackend, "list_virtual_mfa_devices")
    def list_virtual_mfa_devices(
        moto: Any, self: Any, assignment_status: str, marker: str | None, max_items: int
    ) -> tuple[list[Any], str | None]:
        """A virtual device of root is in the list, and that is how one knows that it is no hardware device:
        https://docs.aws.amazon.com/securityhub/latest/userguide/iam-controls.html#iam-6
        """
        devices, following = moto(self, assignment_status, marker, max_items)
        root = world.root(self.account_id)
        if root.mfa and root.virtual_mfa and not marker and assignment_status != "Unassigned":
            device: Any = models.VirtualMfaDevice(self.account_id, self.region_name, "/root-account-mfa-device")
            device.enable_date = root.created
            arn = f"arn:aws:iam::{self.account_id}:root"
            device.user = SimpleNamespace(id=self.account_id, arn=arn, create_date=root.created)
            devices = [device, *devices]
        return devices, following


def _bulk_reads(world: World) -> None:
    import moto.iam.models as models
    from moto.core.responses import ActionResult, EmptyResult
    from moto.iam.exceptions import ReportNotPresentException
    from moto.iam.responses import IamResponse

    @extend(models.IAMBackend, "get_account_authorization_details")
    def get_account_authorization_details(moto: Any, self: Any, policy_filter: list[str]) -> dict[str, Any]:
        """AWS's own policies are listed when they are in use, not all 1,500 of them:
        https://github.com/joshlarsen/aws-recon/issues/21
        """
        details: dict[str, Any] = moto(self, policy_filter)
        holders = [*self.users.values(), *self.roles.values()]
        bounding = [getattr(each, "permissions_boundary_arn", None) for each in holders]
        for policy in details["managed_policies"]:
            policy.permissions_boundary_usage_count = bounding.count(policy.arn)
        details["managed_policies"] = [
            policy
            for policy in details["managed_policies"]
            if policy.attachment_count or policy.arn in bounding or not isinstance(policy, models.AWSManagedPolicy)
        ]
        bounds = [role.permissions_boundary_arn for role in self.roles.values()]
        for policy in details["managed_policies"]:
            policy.permissions_boundary_usage_count = bounds.count(policy.arn)
        return details

    # moto knows boundaries of roles only
    replace(models.User, "permissions_boundary")(models.Role.permissions_boundary)
    replace(models.User, "permissions_boundary_arn")(None)

    @replace(IamResponse, "put_user_permissions_boundary")
    def put_user_permissions_boundary(self: Any) -> Any:
        user = self.backend.get_user(self._get_param("UserName"))
        user.permissions_boundary_arn = self._get_param("PermissionsBoundary")
        return EmptyResult()

    @replace(IamResponse, "delete_user_permissions_boundary")
    def delete_user_permissions_boundary(self: Any) -> Any:
        self.backend.get_user(self._get_param("UserName")).permissions_boundary_arn = None
        return EmptyResult()

    # moto's answer lacks both: its serializer looks for attributes of these names
    replace(models.ManagedPolicy, "policy_name")(property(lambda policy: policy.name))
    replace(models.ManagedPolicy, "policy_id")(property(lambda policy: policy.id))

    @replace(IamResponse, "get_credential_report")
    def get_credential_report(self: Any) -> Any:
        if not self.backend.report_generated():
            raise ReportNotPresentException("Credential report not present")
        report = credential_report(self.backend, world.root(self.backend.account_id))
        return ActionResult({"Content": report, "ReportFormat": "text/csv", "GeneratedTime": ago(0)})


def _server_certificates() -> None:
    """moto answers the same dates for every certificate; AWS answers the certificate's own."""
    from moto.core.responses import ActionResult
    from moto.iam.models import Certificate
    from moto.iam.responses import IamResponse

    def metadata(certificate: Any) -> dict[str, Any]:
        parsed = x509.load_pem_x509_certificate(certificate.cert_body.encode())
        return {
            "ServerCertificateName": certificate.cert_name,
            "ServerCertificateId": certificate.server_certificate_id,
            "Path": certificate.path,
            "Arn": certificate.arn,
            "UploadDate": certificate.upload_date,
            "Expiration": parsed.not_valid_after_utc.replace(tzinfo=None),
        }

    @extend(Certificate, "__init__")
    def remember_upload(moto: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        moto(self, *args, **kwargs)
        self.upload_date = ago(0)
        self.server_certificate_id = "ASCA" + hashlib.sha256(self.cert_body.encode()).hexdigest()[:17].upper()

    @replace(IamResponse, "upload_server_certificate")
    def upload_server_certificate(self: Any) -> Any:
        names = ("ServerCertificateName", "CertificateBody", "PrivateKey")
        certificate = self.backend.upload_server_certificate(
            *(self._get_param(name) for name in names),
            cert_chain=self._get_param("CertificateChain"),
            path=self._get_param("Path"),
        )
        return ActionResult({"ServerCertificateMetadata": metadata(certificate)})

    @replace(IamResponse, "list_server_certificates")
    def list_server_certificates(self: Any) -> Any:
        found = [metadata(certificate) for certificate in self.backend.list_server_certificates()]
        return ActionResult({"ServerCertificateMetadataList": found, "IsTruncated": False})

    @replace(IamResponse, "get_server_certificate")
    def get_server_certificate(self: Any) -> Any:
        certificate = self.backend.get_server_certificate(self._get_param("ServerCertificateName"))
        answer = {"ServerCertificateMetadata": metadata(certificate), "CertificateBody": certificate.cert_body}
        if certificate.cert_chain:
            answer["CertificateChain"] = certificate.cert_chain
        return ActionResult({"ServerCertificate": answer})


def _password_policy() -> None:
    """ "ExpirePasswords is false when MaxPasswordAge is not present": it is then left out, moto answers 0.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_PasswordPolicy.html
    """
    from moto.iam.models import AccountPasswordPolicy

    @extend(AccountPasswordPolicy, "__init__")
    def without_age(moto: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        moto(self, *args, **kwargs)
        self.max_password_age = self.max_password_age or None


def _callers() -> None:
    """An administrator's key belongs to an account and names a user, also when IAM has never heard of it."""
    import moto.iam.models as models
    from moto.sts.models import STSBackend

    replace(models, "get_account_id_from")(account_of)

    @extend(STSBackend, "get_caller_identity")
    def get_caller_identity(moto: Any, self: Any, access_key_id: str, region: str) -> tuple[str, str, str]:
        identity: tuple[str, str, str] = moto(self, access_key_id, region)
        if identity[1].endswith(":user/moto"):
            return "AIDASIMULATORADMIN000", administrator_arn(self.account_id), self.account_id
        return identity
