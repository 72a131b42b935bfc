"""GuardDuty's findings: what happened in an account, as opposed to how it is configured.

Calls per region: 1 (shared with the collector of detectors); where there is a detector, 1 per 50 findings that stand,
1 more per 50 of those that are new since the last reading, and 1 per 50 whose content is fetched. A first reading does
without the second of these.

Whether archiving moves ``updatedAt`` is not documented, hence both listings: the one since the cursor says what was
updated, the one of all that are not archived says what no longer stands and what stands again.
https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ListFindings.html
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from nephoscope.domain import Detection, DetectionCleared, Kind, Resource, Service, Severity
from nephoscope_aws.answers import Unavailable
from nephoscope_aws.api import Api
from nephoscope_aws.collectors.guardduty import detectors
from nephoscope_aws.collectors.shape import PROBLEMS, actions, moment, unreadable

FINDING = "AWS::GuardDuty::Finding"
"""What a stored finding is; CloudFormation has no such type. Its properties are those of the API."""

READS = {
    ("guardduty", "list_detectors"): "guardduty:ListDetectors",
    ("guardduty", "list_findings"): "guardduty:ListFindings",
    ("guardduty", "get_findings"): "guardduty:GetFindings",
}

SOURCE = "GuardDuty"
ARCHIVE = "aws.guardduty.archive"
"""The remediation that archives a finding."""
CONTAIN = "aws.iam.contain"
"""The remediation that takes all rights from the user or role that a finding names."""

SERVICE = Service("guardduty_findings", "GuardDuty findings", (FINDING,), actions(READS), detections=True)

BATCH = 50
"""Findings that GetFindings returns at most: https://docs.aws.amazon.com/guardduty/latest/APIReference/API_GetFindings.html"""

SEVERITIES = ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM))
"""From where a severity counts as what; below is low.

https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html
"""

GUIDE = "https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-types-active.html"
"""What each type of finding means and what to do about it."""

_CONSOLES = {"aws": "aws.amazon.com", "aws-cn": "amazonaws.cn", "aws-us-gov": "amazonaws-us-gov.com"}

_NAMES = (
    ("InstanceDetails", "AWS::EC2::Instance", "InstanceId"),
    ("S3BucketDetails", "AWS::S3::Bucket", "Name"),
    ("EksClusterDetails", "AWS::EKS::Cluster", "Name"),
    ("EcsClusterDetails", "AWS::ECS::Cluster", "Name"),
    ("LambdaDetails", "AWS::Lambda::Function", "FunctionName"),
    ("RdsDbInstanceDetails", "AWS::RDS::DBInstance", "DbInstanceIdentifier"),
    ("AccessKeyDetails", "AWS::IAM::User", "UserName"),
)
"""Where a finding says which resource it is about, most telling first: an instance's finding names its key as well."""

_ARNS = ("Arn", "FunctionArn", "DbInstanceArn")


def severity(value: Any) -> Severity:
    """Return what GuardDuty's number from 0 to 10 means; one that is not a number is taken for medium."""
    if not isinstance(value, int | float):
        return Severity.MEDIUM
    return next((severity for least, severity in SEVERITIES if value >= least), Severity.LOW)


def read(
    api: Api, region: str, since: datetime | None, known: Collection[str]
) -> Iterator[Detection | DetectionCleared | Resource]:
    """Yield what stands and is new, changed or not ``known``, and what is known and no longer stands as cleared."""
    try:
        for detector in detectors(api, region):
            yield from _of_detector(api, region, detector, since, known)
            return
    except PROBLEMS as problem:
        yield unreadable(api, region, FINDING, problem)
        return
    for key in known:
        yield DetectionCleared(Kind.THREAT, key)


def _of_detector(
    api: Api, region: str, detector: str, since: datetime | None, known: Collection[str]
) -> Iterator[Detection | DetectionCleared]:
    changed = list(_ids(api, region, detector, since))
    standing = set(_ids(api, region, detector) if since else changed)
    unseen = (id for id in standing if _key(region, id) not in known)
    wanted = iter(dict.fromkeys([*changed, *unseen]))
    batches = iter(lambda: list(islice(wanted, BATCH)), [])
    for findings in api.map(lambda ids: _get_all(api, region, detector, ids), batches):
        yield from (detection(region, each) for each in findings)
    for key in known:
        if key.rpartition("/")[2] not in standing:
            yield DetectionCleared(Kind.THREAT, key)


def _ids(api: Api, region: str, detector: str, since: datetime | None = None) -> Iterator[str]:
    criterion: dict[str, Any] = {"service.archived": {"Equals": ["false"]}}
    if since:
        criterion["updatedAt"] = {"GreaterThanOrEqual": int(since.timestamp() * 1000)}
    return api.pages(
        "guardduty",
        "list_findings",
        "FindingIds",
        region=region,
        DetectorId=detector,
        FindingCriteria={"Criterion": criterion},
        SortCriteria={"AttributeName": "updatedAt", "OrderBy": "ASC"},
    )


def _get(api: Api, region: str, detector: str, ids: list[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.call(
        "guardduty", "get_findings", region=region, DetectorId=detector, FindingIds=ids
    )["Findings"]
    return found


def _get_all(api: Api, region: str, detector: str, ids: list[str]) -> list[dict[str, Any]]:
    """Return findings that were just listed; Unavailable if the answer lacks some, for then it is not believed."""
    found = _get(api, region, detector, ids)
    if lacking := set(ids) - {each["Id"] for each in found}:
        raise Unavailable(f"get_findings: AWS's answer lacks {len(lacking)} of {len(ids)} findings")
    return found


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read a stored finding again; None when it was archived or is gone. 1 call."""
    detector, id = resource.properties["Service"]["DetectorId"], resource.properties["Id"]
    for finding in _get(api, resource.region, detector, [id]):
        if not finding.get("Service", {}).get("Archived"):
            details = _plain(finding)
            return Resource(FINDING, resource.id, resource.name, resource.region, api.account, details)
    return None


def detection(region: str, finding: Mapping[str, Any]) -> Detection:
    """Return a finding of the API as the platform knows it. No type of finding is known here by its name."""
    service = finding.get("Service", {})
    type, id, name = _resource(finding)
    updated = _time(finding["UpdatedAt"])
    return Detection(
        kind=Kind.THREAT,
        source=SOURCE,
        key=_key(region, finding["Id"]),
        region=region,
        severity=severity(finding.get("Severity")),
        title=finding.get("Title") or finding["Type"],
        description=finding.get("Description") or "",
        resource_id=id,
        resource_type=type,
        resource_name=name,
        first_seen=_time(service.get("EventFirstSeen") or finding["CreatedAt"]),
        last_seen=_time(service.get("EventLastSeen") or finding["UpdatedAt"]),
        updated=updated,
        count=service.get("Count", 1),
        link=_link(finding, region),
        guide=GUIDE,
        facts={
            "Finding type": finding["Type"],
            "Severity in GuardDuty": str(finding.get("Severity", "")),
            "Resource": " ".join(part for part in (type, id or name) if part),
            **_credentials(finding.get("Resource", {})),
            **_action(service.get("Action", {})),
        },
        details=_plain(finding),
        archived=bool(service.get("Archived")),
        sample=_is_sample(finding),
        type=finding["Type"],
    )


IDENTITIES = {"IAMUser": "User", "AssumedRole": "Role", "Role": "Role"}
"""Which kind of identity of IAM a finding's UserType means.

https://docs.aws.amazon.com/guardduty/latest/APIReference/API_AccessKeyDetails.html
"""


def identity(finding: Resource) -> tuple[str, str] | None:
    """Return the kind, User or Role, and the name of the identity whose credentials a stored finding names, if any.

    An administrator account is told of the findings of its members, whose identities are none of its own.
    https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_accounts.html
    """
    if finding.properties.get("AccountId", finding.account) != finding.account:
        return None
    about = access_key(finding)
    kind, name = IDENTITIES.get(str(about.get("UserType"))), about.get("UserName")
    return (kind, name) if kind and isinstance(name, str) and name else None


def access_key(finding: Resource) -> Mapping[str, Any]:
    """Return what a stored finding says of the credentials that were used."""
    about = finding.properties.get("Resource")
    details = about.get("AccessKeyDetails") if isinstance(about, dict) else None
    return details if isinstance(details, dict) else {}


def _key(region: str, id: str) -> str:
    return f"{region}/{id}"


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _link(finding: Mapping[str, Any], region: str) -> str:
    host = _CONSOLES.get(finding.get("Partition") or "aws", _CONSOLES["aws"])
    return (
        f"https://{region}.console.{host}/guardduty/home?region={region}#/findings?macros=current&fId={finding['Id']}"
    )


def _resource(finding: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return the type, id and name of what the finding is about; at least GuardDuty's word for its kind."""
    about = finding.get("Resource", {})
    for member, type, naming in _NAMES:
        details = about.get(member) or {}
        if isinstance(details, list):  # buckets
            details = details[0]
        if name := details.get(naming):
            id = next((details[each] for each in _ARNS if details.get(each)), "")
            return type, id or _instance(finding, name) if type == "AWS::EC2::Instance" else id or name, name
    return "", "", about.get("ResourceType") or finding["Type"]


def _instance(finding: Mapping[str, Any], id: str) -> str:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html"""
    return f"arn:{finding.get('Partition') or 'aws'}:ec2:{finding['Region']}:{finding['AccountId']}:instance/{id}"


def _credentials(about: Mapping[str, Any]) -> dict[str, str]:
    """Return whose credentials were used: an instance's finding names its role as well."""
    details = about.get("AccessKeyDetails") or {}
    name, kind = details.get("UserName"), details.get("UserType")
    return {"Credentials of": f"{name} ({kind})" if kind else str(name)} if name else {}


def _action(action: Mapping[str, Any]) -> dict[str, str]:
    """Return what the finding says was done, and from where."""
    facts = {"Action": action.get("ActionType", "")}
    for details in action.values():
        if not isinstance(details, dict):
            continue
        remote = details.get("RemoteIpDetails") or {}
        facts["API call"] = " ".join(details[each] for each in ("ServiceName", "Api") if details.get(each))
        facts["Domain"] = details.get("Domain", "")
        facts["Remote address"] = remote.get("IpAddressV4") or remote.get("IpAddressV6") or ""
        facts["Remote country"] = (remote.get("Country") or {}).get("CountryName", "")
        facts["Remote network"] = (remote.get("Organization") or {}).get("AsnOrg", "")
    return {label: value for label, value in facts.items() if value}


def _is_sample(finding: Mapping[str, Any]) -> bool:
    """https://docs.aws.amazon.com/guardduty/latest/ug/sample_findings.html: titles begin with [SAMPLE]."""
    if (finding.get("Title") or "").startswith("[SAMPLE]"):
        return True
    additional = (finding.get("Service") or {}).get("AdditionalInfo") or {}
    try:
        more = json.loads(additional.get("Value") or "{}")
    except (TypeError, ValueError):
        return False
    return isinstance(more, dict) and more.get("sample") is True


def _plain(finding: Mapping[str, Any]) -> dict[str, Any]:
    """Return the finding as JSON has it; boto3 makes some of its times datetimes."""
    plain: dict[str, Any] = json.loads(json.dumps(finding, default=moment))
    return plain
