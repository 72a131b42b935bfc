"""The export for Security Hub: findings in AWS's Security Finding Format, as BatchImportFindings takes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from nephoscope.domain import ALL_REGIONS, VERSION, Export, ExportedFinding, ExportedResource, Verdict
from nephoscope_aws.names import home_of, partition

Row = dict[str, Any]

# https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html
SCHEMA = "2018-10-08"
# https://docs.aws.amazon.com/securityhub/latest/userguide/asff-type-taxonomy.html
TYPES = ["Software and Configuration Checks/Industry and Regulatory Standards"]
DETECTION_TYPES = ["Unusual Behaviors"]
# https://docs.aws.amazon.com/securityhub/latest/userguide/asff-resources.html: what is not there is Other.
RESOURCES = {
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
COMPLIANCE = {
    Verdict.PASS: "PASSED",
    Verdict.NOT_APPLICABLE: "NOT_AVAILABLE",
    Verdict.FAIL: "FAILED",
    Verdict.UNKNOWN: "NOT_AVAILABLE",
    Verdict.ERROR: "WARNING",
}


# What Security Hub names its partitions; one that it has no name for is left out.
PARTITIONS = {
    "aws": "aws",
    "aws-cn": "aws-cn",
    "aws-us-gov": "aws-us-gov",
    "aws-iso": "aws-us-iso",
    "aws-iso-b": "aws-us-iso-b",
}
LONGEST_ID = 512
MOST_TAGS = 50
_BROKEN = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
"""What makes Security Hub refuse a text, or breaks its line."""


def row(finding: ExportedFinding) -> Row:
    """Return a finding as Security Hub takes it: no text is empty, and each is cut to what fits there.

    https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html
    """
    rule, number = finding.rule, finding.account.number
    cloud, about = partition(finding.resource.id, finding.resource.region), _resource(finding.resource)
    return {
        "SchemaVersion": SCHEMA,
        "Id": _id(finding.uid),
        "ProductArn": f"arn:{cloud}:securityhub:{about['Region']}:{number}:product/{number}/default",
        "GeneratorId": _text(512, finding.rule_id),
        "AwsAccountId": number,
        "Types": DETECTION_TYPES if finding.detection else TYPES,
        "CreatedAt": _moment(finding.failing_since or finding.changed_at),
        "UpdatedAt": _moment(max(finding.changed_at, finding.failing_since or finding.changed_at)),
        "Severity": {"Label": finding.severity.upper() if finding.severity else "INFORMATIONAL"},
        "Title": _text(256, finding.title, finding.rule_id),
        "Description": _text(1024, finding.message, rule.why if rule else "", finding.rule_id),
        "Remediation": {"Recommendation": _recommendation(finding)},
        "ProductFields": _fields(
            {
                "nephoscope/version": VERSION,
                "nephoscope/account": finding.account.name,
                "nephoscope/account_condition": finding.account.condition,
            },
            2048,
        ),
        "Resources": [about],
        **({} if finding.detection else {"Compliance": _compliance(finding)}),
        "Workflow": {"Status": finding.status.upper()},
        "RecordState": "ACTIVE",
    }


def _resource(resource: ExportedResource) -> Row:
    cloud = partition(resource.id, resource.region)
    anywhere = resource.region == ALL_REGIONS or not resource.region.strip()
    tags = dict(list(_fields(resource.tags, 256).items())[:MOST_TAGS])
    return {
        "Type": RESOURCES.get(resource.type, "Other"),
        "Id": _id(resource.id),
        **({"Partition": PARTITIONS[cloud]} if cloud in PARTITIONS else {}),
        "Region": home_of(cloud) if anywhere else resource.region[:16],
        **({"Tags": tags} if tags else {}),
    }


def _recommendation(finding: ExportedFinding) -> Row:
    rule = finding.rule
    link = rule.link if rule else finding.detection.guide if finding.detection else ""
    text = _text(512, rule.fix if rule else "", finding.title, finding.rule_id)
    return {"Text": text, **({"Url": _text(2048, link)} if link.strip() else {})}


def _compliance(finding: ExportedFinding) -> Row:
    controls = [_text(64, f"{policy} {control}") for policy, control in finding.controls][:32]
    return {"Status": COMPLIANCE[finding.verdict], **({"RelatedRequirements": controls} if controls else {})}


def _text(longest: int, *texts: str) -> str:
    """Return the first text that says something, on one line."""
    lines = (_BROKEN.sub(" ", each).strip() for each in texts)
    return next((each for each in lines if each), "-")[:longest].strip()


def _fields(values: Mapping[str, str], longest: int) -> dict[str, str]:
    """Return pairs of texts without those of which one is empty, for which Security Hub refuses a finding."""
    pairs = ((_BROKEN.sub(" ", name).strip(), _BROKEN.sub(" ", value).strip()) for name, value in values.items())
    return {name[:128].strip(): value[:longest].strip() for name, value in pairs if name and value}


def _id(id: str) -> str:
    """Return an id that fits; one that is too long ends with its digest, so that it stays one of its own."""
    id = _BROKEN.sub(" ", id).strip()
    if len(id) <= LONGEST_ID:
        return id or "-"
    return f"{id[: LONGEST_ID - 65]}-{sha256(id.encode()).hexdigest()}"


def _moment(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


ASFF = Export("asff", "ASFF (AWS Security Hub)", row, provider="aws")
