"""Rules on private ECR repositories."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, Inventory, ResourceView, Severity, View, rule
from nephoscope.domain.examples import example, resource
from nephoscope_aws.access import is_on
from nephoscope_aws.access_grants import open_grants
from nephoscope_aws.access_policies import matches, objects

REPOSITORY = "AWS::ECR::Repository"
SCANNING = "AWS::ECR::RegistryScanningConfiguration"

ON_PUSH = "ImageScanningConfiguration.ScanOnPush"

BY_ITSELF = ("SCAN_ON_PUSH", "CONTINUOUS_SCAN")
"""Frequencies of a registry's rules at which a pushed image is scanned without anyone asking."""

OWN = {"AWS": "arn:aws:iam::210987654321:root"}


def _registry(filter: str, frequency: str = "SCAN_ON_PUSH", region: str = "eu-west-1") -> Any:
    """An example's neighbour: a registry that scans the repositories of one filter."""
    rules = [{"ScanFrequency": frequency, "RepositoryFilters": [{"Filter": filter, "FilterType": "WILDCARD"}]}]
    type = "BASIC" if frequency == "MANUAL" else "ENHANCED"
    return resource(SCANNING, {"ScanType": type, "Rules": rules}, region=region)


def _repository(on_push: Any, name: str = "team/web") -> dict[str, Any]:
    return {"RepositoryName": name, "ImageScanningConfiguration": {"ScanOnPush": on_push}}


def _policy(principal: Any, condition: dict[str, Any] | None = None, action: Any = "ecr:BatchGetImage") -> Any:
    """An example: a repository whose policy is one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    return {"RepositoryPolicyText": {"Statement": [statement | ({"Condition": condition} if condition else {})]}}


@rule(
    "aws.ecr.scan_on_push",
    on=REPOSITORY,
    severity=Severity.HIGH,
    needs=[SCANNING],
    link="https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning.html",
    fix="""
        1. In the ECR console, choose Private registry, Features & Settings, Scanning, Edit.
        2. Turn on Scan on push all repositories (basic), or Enhanced scanning, which also finds vulnerabilities
           published after the push.
    """,
    commands="""
        aws ecr put-registry-scanning-configuration --region={region} --scan-type=BASIC
          --rules='[{"scanFrequency": "SCAN_ON_PUSH",
          "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}]'
    """,
    remediations=("aws.ecr.scan_on_push",),
    good=[
        _repository(True),
        _repository("true"),
        example(_repository(False), neighbours=[_registry("*")]),
        example(_repository(False), neighbours=[_registry("team/*", "CONTINUOUS_SCAN")]),
        example(_repository(False), neighbours=[_registry("web")]),
        example(_repository(True), neighbours=[_registry("*", "MANUAL"), _registry("other*", region="us-east-1")]),
    ],
    bad=[
        _repository(False),
        {"RepositoryName": "web"},
        example(_repository(False), neighbours=[_registry("*", "MANUAL")]),
        example(_repository(True), neighbours=[_registry("other*")]),
        example(_repository(False), neighbours=[_registry("other*"), _registry("*", region="us-east-1")]),
        example(_repository(None), neighbours=[resource(SCANNING, {"ScanType": "BASIC", "Rules": [{}]})]),
    ],
)
def scan_on_push(repository: ResourceView, inventory: Inventory) -> bool | Fail:
    """ECR image scanning is off.

    Most of an image is third-party software, and new vulnerabilities in it are published every day. Unscanned images
    carry them into production.
    """
    name = str(repository["RepositoryName"] or repository.name)
    registries = list(inventory.of(SCANNING, repository.region))
    if any(_scans(registry, name) for registry in registries):
        return True
    if not is_on(repository[ON_PUSH]):
        return Fail("Neither the repository nor the registry scans images on push", ON_PUSH)
    # Enhanced scanning leaves out what none of its filters matches, whatever the repository says.
    # https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-filters.html
    if any(registry["ScanType"] == "ENHANCED" for registry in registries):
        return Fail("The registry uses enhanced scanning, and none of its filters matches the repository", ON_PUSH)
    return True


def _scans(registry: View, name: str) -> bool:
    return any(
        entry["ScanFrequency"] in BY_ITSELF
        and any(_covers(each["Filter"], name) for each in objects(entry["RepositoryFilters"]))
        for entry in objects(registry["Rules"])
    )


def _covers(filter: Any, name: str) -> bool:
    """Tell whether a filter means a repository: without a wildcard, all whose names contain it.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-enhanced-enabling.html
    """
    if not isinstance(filter, str) or not filter:
        return False
    return matches(filter, name) if "*" in filter else filter in name


@rule(
    "aws.ecr.immutable",
    on=REPOSITORY,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html",
    fix="""
        1. Make sure that your builds give each image a unique tag, such as the commit, and do not move latest.
        2. In the ECR console, open the repository, choose Edit, and set Image tag mutability to Immutable without
           exclusions.
    """,
    commands="""
        aws ecr put-image-tag-mutability --region={region} --repository-name={name} --image-tag-mutability=IMMUTABLE
    """,
    remediations=("aws.ecr.immutable_tags",),
    good=[{"ImageTagMutability": "IMMUTABLE"}, {"RepositoryName": "web", "ImageTagMutability": "IMMUTABLE"}],
    bad=[
        {"ImageTagMutability": "MUTABLE"},
        {
            "ImageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
            "ImageTagMutabilityExclusionFilters": [
                {"ImageTagMutabilityExclusionFilterType": "WILDCARD", "ImageTagMutabilityExclusionFilterValue": "*"}
            ],
        },
        {"ImageTagMutability": "MUTABLE_WITH_EXCLUSION"},
        {},
    ],
)
def immutable(repository: View) -> bool | Fail:
    """ECR image tags are mutable.

    The image that was tested under a tag may not be the one that runs tomorrow. Anyone who can push can replace a
    trusted image, and every new container will run the replacement.
    """
    mutability = repository["ImageTagMutability"]
    if mutability == "IMMUTABLE_WITH_EXCLUSION":
        return Fail(
            "Tags are immutable, but the exclusion filters leave some mutable",
            "ImageTagMutability",
            "ImageTagMutabilityExclusionFilters",
        )
    return True if mutability == "IMMUTABLE" else Fail("All tags are mutable", "ImageTagMutability")


@rule(
    "aws.ecr.public_policy",
    on=REPOSITORY,
    severity=Severity.CRITICAL,
    link="https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html",
    fix="""
        1. In the ECR console, open the repository and choose Permissions, Edit policy JSON.
        2. Replace the wildcard principal with the accounts or roles that pull images, or add a condition on
           aws:PrincipalOrgID with your organization ID.
        3. Treat secrets built into the images as leaked. Images meant for the public belong in ECR Public.
    """,
    commands="""
        aws ecr set-repository-policy --region={region} --repository-name={name} --policy-text={POLICY_FILE}
    """,
    inputs={
        "POLICY_FILE": "file://policy.json, where policy.json is the complete new policy",
    },
    remediations=("aws.ecr.remove_public_access",),
    good=[
        _policy(OWN),
        _policy("*", {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        _policy({"Service": "lambda.amazonaws.com"}),
        {"RepositoryPolicyText": None},
        {},
    ],
    bad=[
        _policy("*"),
        _policy({"AWS": "*"}, action=["ecr:*"]),
        _policy({"AWS": ["*"]}, {"StringLike": {"aws:PrincipalOrgID": "*"}}),
        {"RepositoryPolicyText": {"Statement": [{"Effect": "Allow", "NotPrincipal": OWN, "Action": "ecr:PutImage"}]}},
    ],
)
def public_policy(repository: View) -> bool | Fail:
    """ECR repository is public.

    Any AWS account can pull your images, with the code and configuration in them. If the policy also allows pushing,
    strangers decide what your containers run.
    """
    for grant in open_grants(repository.key("RepositoryPolicyText")):
        return Fail(f"{grant.who} can use this repository: policy allows {grant.actions}", grant.at)
    return True
