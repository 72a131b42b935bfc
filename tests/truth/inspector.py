"""Inspector, which is activated for kinds of resources in a region."""

from __future__ import annotations

from tests.truth.account import Truth, holds

ACTIVATED = {
    "us-east-1": ("EC2", "ECR"),
    "eu-west-1": ("EC2", "ECR", "LAMBDA", "LAMBDA_CODE"),
    "eu-west-2": ("EC2",),
    "eu-west-3": ("ECR",),
    "eu-central-1": ("LAMBDA", "LAMBDA_CODE"),
    "ap-south-1": (),
}
DEACTIVATED, DENIED = "eu-north-1", "sa-east-1"
ON_ITS_WAY, HALF_ON_ITS_WAY, SUSPENDED, FAILED = "us-east-2", "us-west-1", "us-west-2", "ca-central-1"


@holds(regions=(*ACTIVATED, DEACTIVATED, DENIED, ON_ITS_WAY, HALF_ON_ITS_WAY, SUSPENDED, FAILED))
def scanning(truth: Truth) -> None:
    """Instances and images have to be scanned both; functions need not be."""
    both = dict.fromkeys((DEACTIVATED, DENIED, ON_ITS_WAY, SUSPENDED), ("EC2", "ECR"))
    for region, kinds in {**ACTIVATED, **both, HALF_ON_ITS_WAY: ("EC2",)}.items():
        if kinds:
            truth.client("inspector2", region).enable(accountIds=[truth.cloud.account], resourceTypes=list(kinds))
    truth.client("inspector2", DEACTIVATED).disable(accountIds=[truth.cloud.account], resourceTypes=["ECR"])
    truth.patch("inspector", region=ON_ITS_WAY, scanned="ecr", status="ENABLING")
    truth.patch("inspector", region=HALF_ON_ITS_WAY, scanned="ec2", status="ENABLING")
    truth.patch("inspector", region=SUSPENDED, scanned="ec2", status="SUSPENDED")
    for region, kinds in {**ACTIVATED, DEACTIVATED: ("EC2",), HALF_ON_ITS_WAY: (), SUSPENDED: ("ECR",)}.items():
        complete = {"EC2", "ECR"} <= {*kinds}
        verdict = {"passes": "enabled"} if complete else {"fails": "enabled"}
        truth.judged(f"AWS::InspectorV2::RegionSettings:{region}", **verdict)
    truth.judged(f"AWS::InspectorV2::RegionSettings:{ON_ITS_WAY}", unknown="enabled")
    truth.patch("inspector", region=FAILED, failed="INTERNAL_ERROR")
    truth.judged(f"unlisted:AWS::InspectorV2::RegionSettings:{FAILED}:0", unknown="enabled")
    truth.cloud.control("deny", actions=["inspector2:BatchGetAccountStatus"], regions=[DENIED])
    truth.judged(f"unlisted:AWS::InspectorV2::RegionSettings:{DENIED}:0", unknown="enabled")
