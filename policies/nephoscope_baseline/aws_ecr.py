"""Rules on private ECR repositories."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, Inventory, ResourceView, Severity, View, rule
from nephoscope.domain.examples import example, resource
from nephoscope_aws.access import is_on
from nephoscope_aws.access_policies import matches, open_grants

REPOSITORY = "AWS::ECR::Repository"
SCANNING = "AWS::ECR::RegistryScanningConfiguration"

BY_ITSELF = ("SCAN_ON_PUSH", "CONTINUOUS_SCAN")
"""Frequencies of a registry's rules at which a pushed image is scanned without anyone asking."""

OWN = {"AWS": "arn:aws:iam::210987654321:root"}


def _registry(filter: str, frequency: str = "SCAN_ON_PUSH", region: str = "eu-west-1") -> Any:
    """An example's neighbour: a registry that scans the repositories of one filter."""
    rules = [{"ScanFrequency": frequency, "RepositoryFilters": [{"Filter": filter, "FilterType": "WILDCARD"}]}]
    return resource(SCANNING, {"ScanType": "ENHANCED", "Rules": rules}, region=region)


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
        1. In the ECR console open Private registry, Features & Settings, Scanning, Edit.
        2. Turn on Scan on push all repositories (basic), or Enhanced scanning, which also finds what becomes known
           about images later.
        3. By command line: aws ecr put-registry-scanning-configuration --scan-type BASIC --rules
           '[{"scanFrequency":"SCAN_ON_PUSH","repositoryFilters":[{"filter":"*","filterType":"WILDCARD"}]}]'
        4. For one repository: aws ecr put-image-scanning-configuration --repository-name NAME
           --image-scanning-configuration scanOnPush=true
        """,
    good=[
        _repository(True),
        _repository("true"),
        example(_repository(False), neighbours=[_registry("*")]),
        example(_repository(False), neighbours=[_registry("team/*", "CONTINUOUS_SCAN")]),
        example(_repository(False), neighbours=[_registry("web")]),
    ],
    bad=[
        _repository(False),
        {"RepositoryName": "web"},
        example(_repository(False), neighbours=[_registry("*", "MANUAL")]),
        example(_repository(False), neighbours=[_registry("other*"), _registry("*", region="us-east-1")]),
        example(_repository(None), neighbours=[resource(SCANNING, {"ScanType": "BASIC", "Rules": [7, {}]})]),
    ],
)
def scan_on_push(repository: ResourceView, inventory: Inventory) -> bool:
    """Images in the repository are not scanned for known flaws.

    Most of an image is other people's software, and new flaws in it become known every day. What nobody scans goes
    into production with them.
    """
    if is_on(repository["ImageScanningConfiguration.ScanOnPush"]):
        return True
    name = repository["RepositoryName"] or repository.name
    return any(_scans(registry, str(name)) for registry in inventory.of(SCANNING, repository.region))


def _scans(registry: View, name: str) -> bool:
    return any(
        entry["ScanFrequency"] in BY_ITSELF
        and any(_covers(each["Filter"], name) for each in _objects(entry["RepositoryFilters"]))
        for entry in _objects(registry["Rules"])
    )


def _covers(filter: Any, name: str) -> bool:
    """Tell whether a filter means a repository: without a wildcard, all whose names contain it.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-enhanced-enabling.html
    """
    if not isinstance(filter, str) or not filter:
        return False
    return matches(filter, name) if "*" in filter else filter in name


def _objects(held: Any) -> list[View]:
    return [each for each in held if isinstance(each, View)] if isinstance(held, View) and held.is_list else []


@rule(
    "aws.ecr.immutable",
    on=REPOSITORY,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html",
    fix="""
        1. Make sure that your builds give each image a tag of its own, for example the commit, and do not move latest.
        2. In the ECR console open the repository, Edit, and set Image tag mutability to Immutable without exclusions.
        3. By command line: aws ecr put-image-tag-mutability --repository-name NAME --image-tag-mutability IMMUTABLE
        """,
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
    """Tags in the repository can be moved to another image.

    What was tested under a tag need not be what runs under it tomorrow. Who can push can put a doctored image in the
    place of a trusted one, and every new container takes it.
    """
    mutability = repository["ImageTagMutability"]
    if mutability == "IMMUTABLE_WITH_EXCLUSION":
        return Fail(
            "Tags are immutable, with exclusions that can still be moved",
            "ImageTagMutability",
            "ImageTagMutabilityExclusionFilters",
        )
    return True if mutability == "IMMUTABLE" else Fail("Any tag can be moved", "ImageTagMutability")


@rule(
    "aws.ecr.public_policy",
    on=REPOSITORY,
    severity=Severity.CRITICAL,
    link="https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html",
    fix="""
        1. In the ECR console open the repository, Permissions, Edit policy JSON.
        2. Replace the wildcard principal by the accounts or roles that pull, or add a condition with your
           aws:PrincipalOrgID.
        3. By command line: aws ecr set-repository-policy --repository-name NAME --policy-text file://policy.json
        4. Treat secrets that were built into the images as leaked. Images meant for everyone belong in ECR Public.
        """,
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
    """Repository is open to every AWS account.

    Strangers can pull your images, with the code and the configuration in them. If the policy allows pushing too, they
    decide what your containers run.
    """
    for grant in open_grants(repository.key("RepositoryPolicyText")):
        return Fail(
            f"{grant.who} can use this repository: the policy allows {grant.principal} {grant.actions}", grant.at
        )
    return True
