"""Findings and alerts in the forms that other tools read: OCSF, ASFF and CSV. One row at a time, however many."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from nephoscope import __version__, domain
from nephoscope.alerts.models import DETECTED, Alert, Finding, VerdictChoice
from nephoscope.plugins import registry
from nephoscope.policies.queries import Answers, catalogue

Row = dict[str, Any]

# https://schema.ocsf.io/1.5.0/classes/compliance_finding and, for detections, /detection_finding
OCSF_VERSION = "1.5.0"
OCSF_EVENT = {"category_uid": 2, "category_name": "Findings", "activity_id": 1, "activity_name": "Create"}
OCSF_CLASS = {**OCSF_EVENT, "class_uid": 2003, "class_name": "Compliance Finding", "type_uid": 200301}
OCSF_DETECTION = {**OCSF_EVENT, "class_uid": 2004, "class_name": "Detection Finding", "type_uid": 200401}
OCSF_SEVERITY = {"low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"), "critical": (5, "Critical")}
OCSF_COMPLIANCE = {"pass": (1, "Pass"), "fail": (3, "Fail")}
OCSF_STATUS = {"NEW": (1, "New"), "SUPPRESSED": (3, "Suppressed"), "RESOLVED": (4, "Resolved")}

# https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html
ASFF_SCHEMA = "2018-10-08"
# https://docs.aws.amazon.com/securityhub/latest/userguide/asff-type-taxonomy.html
ASFF_TYPES = ["Software and Configuration Checks/Industry and Regulatory Standards"]
ASFF_DETECTION_TYPES = ["Unusual Behaviors"]
# https://docs.aws.amazon.com/securityhub/latest/userguide/asff-resources.html: what is not there is Other.
ASFF_RESOURCES = {
    "AWS::ApiGateway::Stage": "AwsApiGatewayStage",
    "AWS::ApiGatewayV2::Stage": "AwsApiGatewayV2Stage",
    "AWS::AutoScaling::LaunchConfiguration": "AwsAutoScalingLaunchConfiguration",
    "AWS::Backup::BackupVault": "AwsBackupBackupVault",
    "AWS::CertificateManager::Certificate": "AwsCertificateManagerCertificate",
    "AWS::CloudFront::Distribution": "AwsCloudFrontDistribution",
    "AWS::CloudTrail::Trail": "AwsCloudTrailTrail",
    "AWS::CloudWatch::Alarm": "AwsCloudWatchAlarm",
    "AWS::CodeBuild::Project": "AwsCodeBuildProject",
    "AWS::DMS::ReplicationInstance": "AwsDmsReplicationInstance",
    "AWS::DynamoDB::Table": "AwsDynamoDbTable",
    "AWS::EC2::EIP": "AwsEc2Eip",
    "AWS::EC2::Instance": "AwsEc2Instance",
    "AWS::EC2::LaunchTemplate": "AwsEc2LaunchTemplate",
    "AWS::EC2::NetworkAcl": "AwsEc2NetworkAcl",
    "AWS::EC2::NetworkInterface": "AwsEc2NetworkInterface",
    "AWS::EC2::SecurityGroup": "AwsEc2SecurityGroup",
    "AWS::EC2::Subnet": "AwsEc2Subnet",
    "AWS::EC2::TransitGateway": "AwsEc2TransitGateway",
    "AWS::EC2::VPC": "AwsEc2Vpc",
    "AWS::EC2::Volume": "AwsEc2Volume",
    "AWS::ECR::Repository": "AwsEcrRepository",
    "AWS::ECS::Cluster": "AwsEcsCluster",
    "AWS::ECS::Service": "AwsEcsService",
    "AWS::ECS::TaskDefinition": "AwsEcsTaskDefinition",
    "AWS::EKS::Cluster": "AwsEksCluster",
    "AWS::ElasticLoadBalancing::LoadBalancer": "AwsElbLoadBalancer",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "AwsElbv2LoadBalancer",
    "AWS::GuardDuty::Detector": "AwsGuardDutyDetector",
    "AWS::IAM::AccessKey": "AwsIamAccessKey",
    "AWS::IAM::Group": "AwsIamGroup",
    "AWS::IAM::ManagedPolicy": "AwsIamPolicy",
    "AWS::IAM::Role": "AwsIamRole",
    "AWS::IAM::User": "AwsIamUser",
    "AWS::KMS::Key": "AwsKmsKey",
    "AWS::Lambda::Function": "AwsLambdaFunction",
    "AWS::OpenSearchService::Domain": "AwsOpenSearchServiceDomain",
    "AWS::RDS::DBCluster": "AwsRdsDbCluster",
    "AWS::RDS::DBInstance": "AwsRdsDbInstance",
    "AWS::RDS::DBSnapshot": "AwsRdsDbSnapshot",
    "AWS::Redshift::Cluster": "AwsRedshiftCluster",
    "AWS::S3::AccessPoint": "AwsS3AccessPoint",
    "AWS::S3::Bucket": "AwsS3Bucket",
    "AWS::SNS::Topic": "AwsSnsTopic",
    "AWS::SQS::Queue": "AwsSqsQueue",
    "AWS::SageMaker::NotebookInstance": "AwsSageMakerNotebookInstance",
    "AWS::SecretsManager::Secret": "AwsSecretsManagerSecret",
    "AWS::WAFv2::WebACL": "AwsWafv2WebAcl",
}
ASFF_COMPLIANCE = {"pass": "PASSED", "fail": "FAILED", "unknown": "NOT_AVAILABLE", "error": "WARNING"}


def findings_of(rows: QuerySet[Finding]) -> QuerySet[Finding]:
    """Return the rows with what an output needs, and without the resources' properties."""
    rows = rows.select_related("resource", "account", "suppression", "alert")
    return rows.defer("resource__properties").order_by("pk")


def as_json(rows: QuerySet[Finding], form: str) -> Iterator[str]:
    """Yield a JSON array of findings in one of :data:`FORMS`, member by member."""
    make, answers = FORMS[form], catalogue().answers
    yield "["
    for position, row in enumerate(findings_of(rows).iterator(chunk_size=500)):
        yield ("," if position else "") + "\n" + json.dumps(make(row, answers), ensure_ascii=False)
    yield "\n]\n"


def _rule(row: Finding) -> domain.Rule | None:
    return registry().rules.get(row.rule_id)


def _detection(row: Finding) -> Alert | None:
    """The alert of a detection, which has no rule to take title and severity from."""
    return row.alert if row.rule_id in DETECTED else None


def _title(row: Finding) -> str:
    known = _rule(row) or _detection(row)
    return known.title if known else row.rule_id


def _severity(row: Finding) -> str:
    """That of the alert, which somebody may have set; a rule that finds nothing wrong has its own."""
    known = row.alert or _rule(row)
    return str(known.severity) if known else ""


def _controls(rule_id: str, answers: Answers) -> list[tuple[str, str]]:
    """The policies and control numbers that a rule answers."""
    return [(policy.name, control.id) for policy, control in answers.get(rule_id, ())]


def _uid(row: Finding) -> str:
    return f"nephoscope/{row.account.number}/{row.rule_id}/{row.resource.resource_id}"


def _moment(value: datetime) -> str:
    return value.astimezone(timezone.get_default_timezone()).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _status(row: Finding) -> str:
    """How far a finding was dealt with. One that is not known is not resolved."""
    if row.suppression_id:
        return "SUPPRESSED"
    return "RESOLVED" if row.verdict == VerdictChoice.PASS and not row.failing_since else "NEW"


def _about(row: Finding) -> tuple[str, str, str]:
    """The id, name and type of the resource: a detection's is the one that it names, and not the detection."""
    resource, named = row.resource, detection.details if (detection := _detection(row)) else {}
    id, type = named.get("resource_id") or resource.resource_id, named.get("resource_type") or resource.type
    return id, resource.name, type


def _partition(row: Finding) -> str:
    parts = _about(row)[0].split(":")
    return parts[1] if len(parts) > 2 and parts[0] == "arn" else "aws"


def ocsf(row: Finding, answers: Answers) -> Row:
    """A finding as an OCSF compliance finding, or detection finding for a detection."""
    rule, detection, now = _rule(row), _detection(row), row.changed_at
    uid, name, type = _about(row)
    severity_id, severity = OCSF_SEVERITY.get(_severity(row), (0, "Unknown"))
    status_id, status = OCSF_STATUS[_status(row)]
    return {
        **(OCSF_DETECTION if detection else OCSF_CLASS),
        "time": int(now.timestamp() * 1000),
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "message": row.message,
        "metadata": {
            "version": OCSF_VERSION,
            "profiles": ["cloud"],
            "product": {"name": "Nephoscope", "vendor_name": "Nephoscope", "version": __version__},
        },
        "finding_info": {
            "uid": _uid(row),
            "title": _title(row),
            "desc": rule.why if rule else row.message,
            "types": [
                detection.details.get("facts", {}).get("Finding type", row.rule_id) if detection else row.rule_id
            ],
            "modified_time": int(now.timestamp() * 1000),
            **({"first_seen_time": int(row.failing_since.timestamp() * 1000)} if row.failing_since else {}),
        },
        **({} if detection else {"compliance": _ocsf_compliance(row, answers)}),
        "remediation": _ocsf_remediation(rule, detection),
        "resources": [
            {
                "uid": uid,
                "name": name,
                "type": type,
                "region": row.resource.region,
                "cloud_partition": _partition(row),
                "labels": [f"{key}:{value}" for key, value in row.resource.tags.items()],
            }
        ],
        "cloud": {
            "provider": row.account.provider.upper(),
            "region": row.resource.region,
            "account": {"uid": row.account.number, "name": row.account.name},
        },
        "unmapped": {"evidence": row.evidence},
    }


def _ocsf_compliance(row: Finding, answers: Answers) -> Row:
    verdict_id, verdict = OCSF_COMPLIANCE.get(row.verdict, (0, "Unknown"))
    controls = _controls(row.rule_id, answers)
    return {
        "control": row.rule_id,
        "standards": sorted({framework for framework, _control in controls}) or ["Nephoscope"],
        "requirements": [f"{framework} {control}" for framework, control in controls],
        "status_id": verdict_id,
        "status": verdict,
        **({"status_detail": f"missing permission: {row.permission}"} if row.permission else {}),
    }


def _ocsf_remediation(rule: domain.Rule | None, detection: Alert | None) -> Row:
    link = rule.link if rule else detection.details.get("guide", "") if detection else ""
    return {"desc": rule.fix if rule else "See the references.", "references": [link] if link else []}


def asff(row: Finding, answers: Answers) -> Row:
    """A finding in AWS's Security Finding Format, as Security Hub's BatchImportFindings takes it."""
    rule, detection, resource = _rule(row), _detection(row), row.resource
    id, _name, type = _about(row)
    region = "us-east-1" if resource.region == domain.ALL_REGIONS else resource.region
    partition, number = _partition(row), row.account.number
    recommendation = {"Text": rule.fix[:512], "Url": rule.link} if rule else {"Text": _title(row)[:512]}
    controls = [f"{framework} {control}"[:64] for framework, control in _controls(row.rule_id, answers)]
    return {
        "SchemaVersion": ASFF_SCHEMA,
        "Id": _uid(row)[:512],
        "ProductArn": f"arn:{partition}:securityhub:{region}:{number}:product/{number}/default",
        "GeneratorId": row.rule_id,
        "AwsAccountId": number,
        "Types": ASFF_DETECTION_TYPES if detection else ASFF_TYPES,
        "CreatedAt": _moment(row.failing_since or row.changed_at),
        "UpdatedAt": _moment(row.changed_at),
        "Severity": {"Label": _severity(row).upper() or "INFORMATIONAL"},
        "Title": _title(row)[:256],
        "Description": (row.message or (rule.why if rule else "") or row.rule_id)[:1024],
        "Remediation": {"Recommendation": recommendation},
        "ProductFields": {"nephoscope/version": __version__, "nephoscope/account": row.account.name},
        "Resources": [
            {
                "Type": ASFF_RESOURCES.get(type, "Other"),
                "Id": id[:512],
                "Partition": partition,
                "Region": region,
                **({"Tags": dict(list(resource.tags.items())[:50])} if resource.tags else {}),
            }
        ],
        **(
            {}
            if detection
            else {
                "Compliance": {
                    "Status": ASFF_COMPLIANCE[row.verdict],
                    **({"RelatedRequirements": controls[:32]} if controls else {}),
                }
            }
        ),
        "Workflow": {"Status": _status(row)},
        "RecordState": "ACTIVE",
    }


FORMS: dict[str, Callable[[Finding, Answers], Row]] = {"ocsf": ocsf, "asff": asff}

COLUMNS = (
    "id",
    "severity",
    "title",
    "rule",
    "kind",
    "account",
    "number",
    "state",
    "affected",
    "suppressed",
    "open since",
    "last seen",
    "resolved",
)


def as_csv(alerts: Iterable[Alert]) -> Iterator[str]:
    """Yield alerts as lines of CSV, a heading first."""
    yield line(COLUMNS)
    for alert in alerts:
        moments = [_moment(each) if each else "" for each in (alert.opened_at, alert.last_seen, alert.resolved_at)]
        yield line(
            [
                str(alert),
                alert.severity,
                alert.title,
                alert.key,
                alert.kind,
                alert.account.name,
                alert.account.number,
                alert.state,
                alert.affected,
                alert.suppressed,
                *moments,
            ]
        )


def line(cells: Iterable[Any]) -> str:
    """Return a line of CSV that no spreadsheet takes for a formula."""
    written = io.StringIO()
    csv.writer(written).writerow([_harmless(cell) for cell in cells])
    return written.getvalue()


def _harmless(cell: Any) -> Any:
    """A spreadsheet runs a text that begins like a formula; names come from the cloud, so such a one gets a quote."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
