"""The export for Security Hub: findings in AWS's Security Finding Format, as BatchImportFindings takes them."""

from __future__ import annotations

from datetime import datetime
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
    Verdict.FAIL: "FAILED",
    Verdict.UNKNOWN: "NOT_AVAILABLE",
    Verdict.ERROR: "WARNING",
}


def row(finding: ExportedFinding) -> Row:
    """Return a finding as Security Hub takes it, each text cut to what fits there."""
    rule, number = finding.rule, finding.account.number
    about = _resource(finding.resource)
    return {
        "SchemaVersion": SCHEMA,
        "Id": finding.uid[:512],
        "ProductArn": f"arn:{about['Partition']}:securityhub:{about['Region']}:{number}:product/{number}/default",
        "GeneratorId": finding.rule_id,
        "AwsAccountId": number,
        "Types": DETECTION_TYPES if finding.detection else TYPES,
        "CreatedAt": _moment(finding.failing_since or finding.changed_at),
        "UpdatedAt": _moment(finding.changed_at),
        "Severity": {"Label": finding.severity.upper() if finding.severity else "INFORMATIONAL"},
        "Title": finding.title[:256],
        "Description": (finding.message or (rule.why if rule else "") or finding.rule_id)[:1024],
        "Remediation": {"Recommendation": _recommendation(finding)},
        "ProductFields": {
            "nephoscope/version": VERSION,
            "nephoscope/account": finding.account.name,
            "nephoscope/account_condition": finding.account.condition,
        },
        "Resources": [about],
        **({} if finding.detection else {"Compliance": _compliance(finding)}),
        "Workflow": {"Status": finding.status.upper()},
        "RecordState": "ACTIVE",
    }


def _resource(resource: ExportedResource) -> Row:
    cloud = partition(resource.id, resource.region)
    return {
        "Type": RESOURCES.get(resource.type, "Other"),
        "Id": resource.id[:512],
        "Partition": cloud,
        "Region": home_of(cloud) if resource.region == ALL_REGIONS else resource.region,
        **({"Tags": dict(list(resource.tags.items())[:50])} if resource.tags else {}),
    }


def _recommendation(finding: ExportedFinding) -> Row:
    if finding.rule is None:
        return {"Text": finding.title[:512]}
    return {"Text": finding.rule.fix[:512], "Url": finding.rule.link}


def _compliance(finding: ExportedFinding) -> Row:
    controls = [f"{policy} {control}"[:64] for policy, control in finding.controls][:32]
    return {"Status": COMPLIANCE[finding.verdict], **({"RelatedRequirements": controls} if controls else {})}


def _moment(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


ASFF = Export("asff", "ASFF (AWS Security Hub)", row, provider="aws")
