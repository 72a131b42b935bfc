"""Rules on what Systems Manager manages and shares."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, Inventory, NotKnown, ResourceView, Severity, View, rule
from nephoscope.domain.examples import example, resource
from nephoscope_aws.access_policies import members

INSTANCE = "AWS::EC2::Instance"
MANAGED = "AWS::SSM::ManagedInstanceInventory"
DOCUMENT = "AWS::SSM::Document"

EVERYONE = "all"
"""How the permission of a document names every AWS account.
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeDocumentPermission.html"""


def _instance(ping: str | None, state: str = "running", id: str = "i-0123456789abcdef0") -> dict[str, Any]:
    """An example: an instance, and a machine that Systems Manager knows with this status of its agent."""
    managed = [resource(MANAGED, {"Observed": {"PingStatus": ping}}, name="i-0123456789abcdef0")] if ping else []
    return example({"InstanceId": id, "Observed": {"State": state}}, neighbours=managed)


@rule(
    "aws.ssm.managed",
    on=INSTANCE,
    severity=Severity.MEDIUM,
    needs=[MANAGED],
    live_only=True,
    link="https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-ec2.html",
    fix="""
        1. Grant the permission to all instances of the region: in the Systems Manager console, choose Fleet Manager,
           Account management, Default Host Management Configuration; or attach AmazonSSMManagedInstanceCore to the
           instance's role.
        2. Install or restart the SSM Agent on the instance. Most AWS images include it.
        3. Make sure that the instance can reach Systems Manager: outbound port 443, or VPC endpoints for ssm,
           ssmmessages and ec2messages.
        4. Check the result: the command below lists the instance.
    """,
    commands="""
        aws ssm describe-instance-information --region={region} --filters=Key=InstanceIds,Values={InstanceId}
    """,
    good=[_instance("Online"), _instance(None, "stopped"), _instance("ConnectionLost", "terminated")],
    bad=[_instance(None), _instance("ConnectionLost"), _instance("Online", id="i-0fedcba9876543210")],
)
def managed(instance: ResourceView, inventory: Inventory) -> bool | Fail | None:
    """EC2 instance is not managed by Systems Manager.

    Nobody sees what is installed on it, and it gets no patches. Administering it takes an open port and a long-lived
    SSH key.
    """
    # An agent can answer from a running machine only, as AWS Config judges it too.
    # https://docs.aws.amazon.com/config/latest/developerguide/ec2-instance-managed-by-systems-manager.html
    if instance["Observed.State"] != "running":
        return None
    machine = inventory.get(MANAGED, instance["InstanceId"], instance.region)
    if machine is None:
        return Fail("The instance has never connected to Systems Manager", "InstanceId")
    ping = machine["Observed.PingStatus"]
    return True if ping == "Online" else Fail(f"The SSM Agent is not online: ping status is {ping}")


@rule(
    "aws.ssm.patch_compliant",
    on=MANAGED,
    severity=Severity.HIGH,
    live_only=True,
    link="https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-compliance-states.html",
    fix="""
        1. See which patches are missing: in the Systems Manager console, choose Patch Manager, Compliance reporting,
           and select the node.
        2. Choose Patch now, operation Scan and install. The node may reboot.
        3. Let a Quick Setup patch policy do this every week.
    """,
    commands="""
        aws ssm send-command --region={region} --document-name=AWS-RunPatchBaseline
          --targets=Key=InstanceIds,Values={name} --parameters=Operation=Install
    """,
    good=[
        {"Observed": {"PatchStatus": "COMPLIANT", "PingStatus": "Online"}},
        {"Observed": {"PatchStatus": None}},
        {"Observed": {"PingStatus": "ConnectionLost", "PatchStatus": None}},
    ],
    bad=[
        {"Observed": {"PatchStatus": "NON_COMPLIANT", "PingStatus": "Online"}},
        {"Observed": {"PatchStatus": "UNSPECIFIED_DATA"}},
    ],
)
def patch_compliant(machine: View) -> bool | Fail | None:
    """Managed node is not patch compliant.

    Attackers exploit a vulnerability within days of its patch. Missing patches are also the first thing that auditors
    ask about.
    """
    status = machine["Observed.PatchStatus"]
    # A machine that was never scanned for patches is not judged, as in Security Hub's SSM.2.
    # https://docs.aws.amazon.com/securityhub/latest/userguide/ssm-controls.html#ssm-2
    if status is None:
        return None
    return True if status == "COMPLIANT" else Fail(f"Patch status is {status}", "Observed.PatchStatus")


@rule(
    "aws.ssm.document_public",
    on=DOCUMENT,
    severity=Severity.CRITICAL,
    live_only=True,
    link="https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-ssm-sharing.html",
    fix="""
        1. In the Systems Manager console, choose Documents, Owned by me, the document, Details, Permissions, Edit.
        2. Select Private, and add the accounts that need it, if any.
        3. Block public sharing for the region, as the second command does.
    """,
    commands="""
        aws ssm modify-document-permission --region={region} --name={name} --permission-type=Share
          --account-ids-to-remove=all
        aws ssm update-service-setting --region={region} --setting-value=Disable
          --setting-id=/ssm/documents/console/public-sharing-permission
    """,
    remediations=("aws.ssm.make_document_private",),
    good=[{"Observed": {"AccountIds": []}}, {"Name": "patch", "Observed": {"AccountIds": ["210987654321"]}}],
    bad=[{"Observed": {"AccountIds": ["all"]}}, {"Observed": {"AccountIds": ["210987654321", "All"]}}],
)
def document_public(document: View) -> bool | Fail:
    """SSM document is public.

    Documents reveal how your instances are set up, and often contain names, addresses and passwords. Copies made by
    strangers cannot be revoked.
    """
    gaps: list[NotKnown] = []
    if any(str(account).lower() == EVERYONE for account in members(document["Observed.AccountIds"], gaps)):
        return Fail("Any AWS account can read this document", "Observed.AccountIds")
    if gaps:
        raise gaps[0]
    return True
