"""Rules on what instances are made of: disks, snapshots, images, and launch templates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nephoscope.domain import Fail, Inventory, NotKnown, Resource, ResourceView, Severity, View, rule
from nephoscope.domain.examples import example, resource
from nephoscope_aws.access import is_on
from nephoscope_aws.access_policies import all_right, members

SNAPSHOT_BLOCK = "AWS::EC2::SnapshotBlockPublicAccess"
LAUNCH_TEMPLATE = "AWS::EC2::LaunchTemplate"
TEMPLATE_LINK = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/manage-launch-template-versions.html"

_IN_USE = "Version {}, which an Auto Scaling group uses,"

TOKENS = {"MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled"}}
NO_TOKENS = {"MetadataOptions": {"HttpTokens": "optional"}}
PRIVATE = {"NetworkInterfaces": [{"DeviceIndex": 0, "AssociatePublicIpAddress": False}]}
PUBLIC = {"NetworkInterfaces": [{"DeviceIndex": 0}, {"DeviceIndex": 1, "AssociatePublicIpAddress": True}]}


def _template(
    data: dict[str, Any], latest: dict[str, Any] | None = None, in_use: dict[str, Any] | None = None
) -> dict[str, Any]:
    """An example: a launch template with the data of its default version, of the latest one, and of one in use."""
    version = {"VersionNumber": 7, "LaunchTemplateData": latest} if latest is not None else None
    used = [{"VersionNumber": 3, "LaunchTemplateData": in_use}] if in_use is not None else []
    return {"LaunchTemplateData": data, "Observed": {"LatestVersion": version, "VersionsInUse": used}}


def _versions(template: View, gaps: list[NotKnown]) -> Iterator[tuple[str, View]]:
    """What a launch template may launch: each version in words, and what holds its data.

    Who launches from it without naming a version gets the default one, the only one that AWS Config judges
    (https://docs.aws.amazon.com/config/latest/developerguide/ec2-launch-template-imdsv2-check.html). Auto Scaling
    groups may follow the latest one instead, or stay with one in between. A template of CloudFormation describes just
    one. What cannot be read goes to ``gaps``.
    """
    yield "The default version", template
    for words, name in (("The latest version, {},", "LatestVersion"), (_IN_USE, "VersionsInUse")):
        try:
            found = template[f"Observed.{name}"]
        except NotKnown as gap:
            gaps.append(gap)
            continue
        for each in members(found, gaps) if isinstance(found, View) and found.is_list else (found,):
            if isinstance(each, View):
                yield words.format(_number(each)), each


def _number(version: View) -> str:
    try:
        return str(version["VersionNumber"])
    except NotKnown:
        return "?"


def _no_version(template: View, wrong: Callable[[View], bool], what: str, at: str) -> bool | Fail:
    """Fail for the first version that is certainly wrong, which outweighs another that could not be read."""
    gaps: list[NotKnown] = []
    for words, version in _versions(template, gaps):
        try:
            if wrong(version):
                return Fail(f"{words} {what}", _path(version, at))
        except NotKnown as gap:
            gaps.append(gap)
    if gaps:
        raise gaps[0]
    return True


def _path(version: View, name: str) -> str:
    return f"{version.path}.LaunchTemplateData.{name}".removeprefix(".")


@rule(
    "aws.ec2.lt_imdsv2",
    on=LAUNCH_TEMPLATE,
    severity=Severity.MEDIUM,
    link=TEMPLATE_LINK,
    fix="""
        1. In the EC2 console, choose Launch Templates, select the template, then Actions, Modify template.
        2. Under Advanced details, set Metadata version to V2 only (token required), and create the version.
        3. Choose Actions, Set default version, and select the new version.
    """,
    commands="""
        NEW_VERSION=aws ec2 create-launch-template-version --region={region} --launch-template-id={LaunchTemplateId}
          --source-version={DefaultVersionNumber}
          --launch-template-data='{"MetadataOptions": {"HttpTokens": "required"}}'
          --query=LaunchTemplateVersion.VersionNumber --output=text
        aws ec2 modify-launch-template --region={region} --launch-template-id={LaunchTemplateId}
          --default-version={NEW_VERSION}
    """,
    good=[
        _template(TOKENS),
        _template(TOKENS, TOKENS, TOKENS),
        {"LaunchTemplateData": {"MetadataOptions": {"HttpEndpoint": "disabled"}}},
    ],
    bad=[
        _template(NO_TOKENS),
        _template({"MetadataOptions": None}),
        _template(TOKENS, NO_TOKENS),
        _template(TOKENS, TOKENS, NO_TOKENS),
        {"LaunchTemplateData": {"ImageId": "ami-0a1b2c3d"}},
    ],
)
def lt_imdsv2(template: View) -> bool | Fail:
    """Launch template allows IMDSv1.

    IMDSv1 answers any request, so a server-side request forgery (SSRF) flaw in an application exposes the instance
    role's credentials. IMDSv2 requires a session token that such a request cannot obtain.
    """
    return _no_version(template, _needs_no_tokens, "does not require IMDSv2", "MetadataOptions")


def _needs_no_tokens(version: View) -> bool:
    options = version["LaunchTemplateData.MetadataOptions"]
    if not isinstance(options, View):
        return True
    return bool(options["HttpEndpoint"] != "disabled" and options["HttpTokens"] != "required")


@rule(
    "aws.ec2.lt_public_ip",
    on=LAUNCH_TEMPLATE,
    severity=Severity.HIGH,
    link=TEMPLATE_LINK,
    fix="""
        1. In the EC2 console, choose Launch Templates, select the template, then Actions, Modify template.
        2. Under Network settings, Advanced network configuration, set Auto-assign public IP to Disable for each
           interface, create the version, and choose Actions, Set default version.
    """,
    commands="""
        NEW_VERSION=aws ec2 create-launch-template-version --region={region} --launch-template-id={LaunchTemplateId}
          --source-version={DefaultVersionNumber} --launch-template-data={TEMPLATE_FILE}
          --query=LaunchTemplateVersion.VersionNumber --output=text
        aws ec2 modify-launch-template --region={region} --launch-template-id={LaunchTemplateId}
          --default-version={NEW_VERSION}
    """,
    inputs={
        "TEMPLATE_FILE": "file://template.json: all NetworkInterfaces, with AssociatePublicIpAddress false",
    },
    good=[
        _template(PRIVATE),
        _template(PRIVATE, None, PRIVATE),
        _template({"NetworkInterfaces": None}, {"NetworkInterfaces": []}),
        {"LaunchTemplateData": {"NetworkInterfaces": [{"AssociatePublicIpAddress": "false"}]}},
    ],
    bad=[
        _template(PUBLIC),
        _template(PRIVATE, PUBLIC),
        _template(PRIVATE, None, PUBLIC),
        {"LaunchTemplateData": {"NetworkInterfaces": [{"AssociatePublicIpAddress": "true"}]}},
    ],
)
def lt_public_ip(template: View) -> bool | Fail:
    """Launch template assigns public IP addresses.

    Every instance launched from it is one bad security group rule away from the internet. An Auto Scaling group
    multiplies the mistake.
    """
    return _no_version(template, _assigns_address, "assigns a public IP address", "NetworkInterfaces")


def _assigns_address(version: View) -> bool:
    return isinstance(all_right(version["LaunchTemplateData.NetworkInterfaces"], _is_private), Fail)


def _is_private(interface: View) -> bool | Fail:
    return not is_on(interface["AssociatePublicIpAddress"]) or Fail("", interface)


@rule(
    "aws.ec2.volume_encrypted",
    on="AWS::EC2::Volume",
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html",
    fix="""
        1. A volume cannot be encrypted in place. In the EC2 console, create a snapshot of it.
        2. Create a volume from the snapshot with Encrypt this volume selected, in the same Availability Zone.
        3. Stop the instance, detach the old volume, and attach the new one under the same device name.
    """,
    commands="""
        SNAPSHOT_ID=aws ec2 create-snapshot --region={region} --volume-id={VolumeId} --query=SnapshotId --output=text
        aws ec2 wait snapshot-completed --region={region} --snapshot-ids={SNAPSHOT_ID}
        aws ec2 create-volume --region={region} --snapshot-id={SNAPSHOT_ID} --encrypted
          --availability-zone={AvailabilityZone}
    """,
    good=[
        {"Encrypted": True, "Observed": {"State": "in-use", "InstanceIds": ["i-0a1b2c3d"]}},
        {"Encrypted": False, "Observed": {"State": "available", "InstanceIds": []}},
        {"Encrypted": "true", "Size": 8},
    ],
    bad=[
        {"Encrypted": False, "Observed": {"State": "in-use", "InstanceIds": ["i-0a1b2c3d"]}},
        {"Encrypted": "false"},
        {"Size": 8, "AvailabilityZone": "eu-west-1a"},
    ],
)
def volume_encrypted(volume: View) -> bool | None:
    """EBS volume is not encrypted at rest.

    Its snapshots are unencrypted too, and one call can share them with any account or make them public. With your own
    KMS key, a copy is worthless without access to the key.
    """
    # Security Hub's EC2.3 judges attached volumes; a template does not say whether one will be.
    if volume.get("Observed.State", "in-use") != "in-use":
        return None
    return is_on(volume["Encrypted"])


def _snapshot(public: bool, block: str, region: str = "eu-west-1") -> dict[str, Any]:
    """An example: a snapshot, and how its own or another region blocks public access."""
    neighbours: list[Resource] = [resource(SNAPSHOT_BLOCK, {"State": block}, region=region)]
    return example({"SnapshotId": "snap-0a1b2c3d", "Observed": {"Public": public}}, neighbours=neighbours)


@rule(
    "aws.ec2.snapshot_public",
    on="AWS::EC2::Snapshot",
    severity=Severity.CRITICAL,
    needs=[SNAPSHOT_BLOCK],
    live_only=True,
    link="https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html",
    fix="""
        1. In the EC2 console, choose Snapshots, select the snapshot, then Actions, Modify permissions, Private.
        2. Treat its contents as leaked: change the passwords and keys in it. Copies made by others remain.
    """,
    commands="""
        aws ec2 modify-snapshot-attribute --region={region} --snapshot-id={SnapshotId}
          --attribute=createVolumePermission --operation-type=remove --group-names=all
    """,
    remediations=("aws.ec2.make_snapshot_private",),
    good=[
        {"SnapshotId": "snap-0a1b2c3d", "Observed": {"Public": False}},
        _snapshot(public=False, block="unblocked"),
        _snapshot(public=True, block="block-all-sharing"),
    ],
    bad=[
        {"SnapshotId": "snap-0a1b2c3d", "Observed": {"Public": True}},
        {"Encrypted": False, "Observed": {}},
        _snapshot(public=True, block="block-new-sharing"),
        _snapshot(public=True, block="block-all-sharing", region="us-east-1"),
    ],
)
def snapshot_public(snapshot: ResourceView, inventory: Inventory) -> bool | Fail:
    """EBS snapshot is public.

    Any AWS account can create a volume from it and read every file. Public snapshots are constantly searched for
    credentials and customer data.
    """
    try:
        private = snapshot["Observed.Public"] is False
    except NotKnown:
        if _blocks_all_sharing(snapshot, inventory):
            return True
        raise
    if private or _blocks_all_sharing(snapshot, inventory):
        return True
    return Fail("Any AWS account can create volumes from it", "Observed.Public")


def _blocks_all_sharing(snapshot: ResourceView, inventory: Inventory) -> bool:
    """Tell whether the region keeps the setting of a public snapshot but treats it as private.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableSnapshotBlockPublicAccess.html
    """
    return any(block["State"] == "block-all-sharing" for block in inventory.of(SNAPSHOT_BLOCK, snapshot.region))


@rule(
    "aws.ec2.snapshot_encrypted",
    on="AWS::EC2::Snapshot",
    severity=Severity.MEDIUM,
    live_only=True,
    link="https://docs.aws.amazon.com/ebs/latest/userguide/how-ebs-encryption-works.html",
    fix="""
        1. A snapshot cannot be encrypted in place. In the EC2 console, choose Snapshots, select it, then Actions, Copy
           snapshot.
        2. Select Encrypt this snapshot, choose a KMS key, and copy.
        3. Once the copy is complete and no AMI uses the original, delete the original.
    """,
    commands="""
        COPY_ID=aws ec2 copy-snapshot --region={region} --source-region={region} --source-snapshot-id={SnapshotId}
          --encrypted --query=SnapshotId --output=text
        aws ec2 wait snapshot-completed --region={region} --snapshot-ids={COPY_ID}
    """,
    good=[
        {"SnapshotId": "snap-0a1b2c3d", "Encrypted": True, "KmsKeyId": None},
        {"SnapshotId": "snap-0a1b2c3d", "Encrypted": "true", "StorageTier": "archive"},
    ],
    bad=[
        {"SnapshotId": "snap-0a1b2c3d", "Encrypted": False},
        {"SnapshotId": "snap-0a1b2c3d", "Encrypted": "false", "KmsKeyId": "alias/aws/ebs"},
        {"SnapshotId": "snap-0a1b2c3d", "Encrypted": None, "Observed": {"Public": False}},
        {"Encrypted": ["true"]},
        {"KmsKeyId": "0a1b2c3d"},
    ],
)
def snapshot_encrypted(snapshot: View) -> bool | Fail:
    """EBS snapshot is not encrypted at rest.

    Anyone it is shared with, by mistake or by an attacker, can read the whole disk. A copy of an encrypted snapshot is
    worthless without access to its KMS key.
    """
    return is_on(snapshot["Encrypted"]) or Fail("The snapshot is not encrypted", "Encrypted")


@rule(
    "aws.ec2.ami_public",
    on="AWS::EC2::Image",
    severity=Severity.CRITICAL,
    live_only=True,
    link="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharingamis-intro.html",
    fix="""
        1. In the EC2 console, choose AMIs, select the image, then Actions, Edit AMI permissions, Private, and save.
        2. Treat its contents as leaked: change the passwords and keys in it.
        3. Keep it from happening again: block public sharing of new images, as the second command does.
    """,
    commands="""
        aws ec2 modify-image-attribute --region={region} --image-id={ImageId} --launch-permission='Remove=[{Group=all}]'
        aws ec2 enable-image-block-public-access --region={region} --image-block-public-access-state=block-new-sharing
    """,
    remediations=("aws.ec2.make_ami_private",),
    good=[{"ImageId": "ami-0a1b2c3d", "Public": False}, {"Name": "base", "Public": False}],
    bad=[{"ImageId": "ami-0a1b2c3d", "Public": True}, {"Name": "base", "Public": None}],
)
def ami_public(image: View) -> bool | Fail:
    """AMI is public.

    Any AWS account can launch it and read everything on its volumes: software, keys, shell history. A single setting
    makes an AMI public, without any warning.
    """
    if image["Public"] is False:
        return True
    return Fail("Any AWS account can launch it", "Public")
