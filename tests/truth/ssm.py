"""Systems Manager: which instances it manages, whether their patches are on, and who reads documents."""

from __future__ import annotations

from typing import Any

from tests.truth.account import ABROAD, ALL_THREE, FAR, HOME, Truth, holds

DOCUMENT = '{"schemaVersion": "2.2", "description": "d", "mainSteps": []}'
PARTNER = "210987654321"


def _instance(truth: Truth, state: str = "running", region: str = HOME) -> str:
    """Make an instance and return its id."""
    ec2 = truth.client("ec2", region)
    id: str = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    if state == "stopped":
        ec2.stop_instances(InstanceIds=[id])
    elif state == "terminated":
        ec2.terminate_instances(InstanceIds=[id])
    return id


def _reports(truth: Truth, id: str, ping: str, patches: str | None, region: str = HOME) -> None:
    machine = {"kind": "machine", "account": truth.cloud.account, "region": region, "id": id, "ping": ping}
    truth.cloud.control("patch", {**machine, "patches": patches})


@holds()
def machines(truth: Truth) -> None:
    """Instances by state and agent; in the other region patches are hidden."""
    for state, ping, patches, judged in [
        ("running", "Online", "COMPLIANT", {"passes": "managed"}),
        ("running", "Online", "NON_COMPLIANT", {"passes": "managed"}),
        ("running", "Online", None, {"passes": "managed"}),
        ("running", "ConnectionLost", "COMPLIANT", {"fails": "managed"}),
        ("running", "Inactive", None, {"fails": "managed"}),
        ("running", "", None, {"fails": "managed"}),
        ("stopped", "", None, {"skipped": "managed"}),
        ("stopped", "ConnectionLost", "NON_COMPLIANT", {"skipped": "managed"}),
        ("terminated", "", None, {"skipped": "managed"}),
    ]:
        id = _instance(truth, state)
        truth.judged(f"arn:aws:ec2:{HOME}:{truth.cloud.account}:instance/{id}", **judged)
        if ping:
            _reports(truth, id, ping, patches)
            truth.judged(_machine(truth, id), **_patched(patches))
    for patches in ("COMPLIANT", "NON_COMPLIANT", None):
        id = f"mi-0123456789abcdef{len(str(patches))}"
        _reports(truth, id, "Online", patches)
        truth.judged(_machine(truth, id), **_patched(patches))
    id = _instance(truth, region=ABROAD)
    _reports(truth, id, "Online", "COMPLIANT", ABROAD)
    truth.cloud.control("deny", actions=["ssm:ListResourceComplianceSummaries"], regions=[ABROAD])
    truth.judged(f"arn:aws:ec2:{ABROAD}:{truth.cloud.account}:instance/{id}", passes="managed")
    truth.judged(_machine(truth, id, ABROAD), unknown="patch_compliant")


def _machine(truth: Truth, id: str, region: str = HOME) -> str:
    return f"arn:aws:ssm:{region}:{truth.cloud.account}:managed-instance/{id}"


def _patched(patches: str | None) -> dict[str, Any]:
    verdict = {"COMPLIANT": "passes", "NON_COMPLIANT": "fails"}.get(str(patches), "skipped")
    return {verdict: "patch_compliant"}


@holds()
def machines_hidden(truth: Truth) -> None:
    """Machines that cannot be listed in one region: its instances are unknown, those of the other are not."""
    at_home, abroad, off = _instance(truth), _instance(truth, region=ABROAD), _instance(truth, "stopped", ABROAD)
    _reports(truth, abroad, "Online", "COMPLIANT", ABROAD)
    truth.cloud.control("deny", actions=["ssm:DescribeInstanceInformation"], regions=[ABROAD])
    truth.judged(f"arn:aws:ec2:{HOME}:{truth.cloud.account}:instance/{at_home}", fails="managed")
    truth.judged(f"arn:aws:ec2:{ABROAD}:{truth.cloud.account}:instance/{abroad}", unknown="managed")
    truth.judged(f"arn:aws:ec2:{ABROAD}:{truth.cloud.account}:instance/{off}", skipped="managed")
    truth.judged(f"All AWS::SSM::ManagedInstanceInventory in {ABROAD}", unknown="patch_compliant")


@holds(services=("ec2",))
def not_chosen(truth: Truth) -> None:
    """Where Systems Manager is not scanned nobody can say that it does not manage an instance."""
    id = _instance(truth)
    truth.judged(f"arn:aws:ec2:{HOME}:{truth.cloud.account}:instance/{id}", unknown="managed")


@holds(regions=ALL_THREE)
def documents(truth: Truth) -> None:
    """Documents by who may read them; in the other region that is hidden."""
    for name, shares, verdict in [
        ("own", [], "passes"),
        ("partner", [PARTNER], "passes"),
        ("partners", ["111122223333", PARTNER], "passes"),
        ("public", ["all"], "fails"),
        ("Patch_all.Windows-2", [], "passes"),
    ]:
        ssm = truth.client("ssm")
        ssm.create_document(Name=name, Content=DOCUMENT, DocumentType="Command")
        if shares:
            ssm.modify_document_permission(Name=name, PermissionType="Share", AccountIdsToAdd=shares)
        truth.judged(name, **{verdict: "document_public"})
    ssm.create_document(Name="private-again", Content=DOCUMENT, DocumentType="Command")
    for change in ("AccountIdsToAdd", "AccountIdsToRemove"):
        ssm.modify_document_permission(Name="private-again", PermissionType="Share", **{change: ["all"]})
    truth.judged("private-again", passes="document_public")
    truth.client("ssm", ABROAD).create_document(Name="hidden", Content=DOCUMENT, DocumentType="Command")
    truth.cloud.control("deny", actions=["ssm:DescribeDocumentPermission"], regions=[ABROAD])
    truth.judged("hidden", unknown="document_public")
    truth.cloud.control("deny", actions=["ssm:ListDocuments"], regions=[FAR])
    truth.judged(f"All AWS::SSM::Document in {FAR}", unknown="document_public")
