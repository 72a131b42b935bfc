"""The fewest calls that the rules need, worked out from what an account holds, and beside it what was counted.

:data:`NEEDS` names every call of every collector. A call is needed when a rule reads a property that no call made for
more things at once tells. What is made beyond that has no number here and says why it is made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from aws.builder import REGIONS

Numbers = Mapping[tuple[str, str], int]
"""How many resources there are, by type and region."""


@dataclass(frozen=True)
class Need:
    """How often one operation is needed, and why so often, or why it is made though no rule needs it."""

    asked: str
    """As docs/api-calls.md says it."""
    why: str = ""
    times: int = 0
    """Calls for the whole account."""
    regions: int = 0
    """Calls for each region, where there is at most a page of what it lists."""
    listed: tuple[str, ...] = ()
    """The types that it lists."""
    page: int = 0
    """How many of them come at once."""
    each: tuple[str, ...] = ()
    """The types that it is needed for one by one."""

    def calls(self, numbers: Numbers) -> int:
        """Return how often it is needed where there are these resources."""
        pages = 0
        for region in REGIONS if self.regions else ():
            there = sum(numbers.get((type, region), 0) for type in self.listed)
            pages += max(self.regions, math.ceil(there / self.page) if self.page else 0)
        one_by_one = sum(count for (type, _), count in numbers.items() if type in self.each)
        return self.times + pages + one_by_one


def once(why: str = "", times: int = 1) -> Need:
    return Need("account" if times == 1 else f"account, {times} times", why, times=times)


def region(*listed: str, page: int = 0, times: int = 1, why: str = "") -> Need:
    paged = f", {page:,} at a time" if page else ""
    return Need("region" + (f", {times} times" if times > 1 else "") + paged, why, 0, times, listed, page)


def each(*types: str, why: str) -> Need:
    return Need(" or ".join(type.removeprefix("AWS::").replace("::", " ") for type in types), why, each=types)


def where(what: str, why: str = "") -> Need:
    """Only where there is what an account of the benchmark has not."""
    return Need(what, why)


def extra(asked: str, why: str) -> Need:
    """Made though no rule needs it."""
    return Need(asked, f"No rule needs it: {why}")


BUCKET, KEY, TABLE, TRAIL = "AWS::S3::Bucket", "AWS::KMS::Key", "AWS::DynamoDB::Table", "AWS::CloudTrail::Trail"
FUNCTION, QUEUE, TOPIC = "AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::SNS::Topic"
REPOSITORY, FILE_SYSTEM = "AWS::ECR::Repository", "AWS::EFS::FileSystem"
DATABASES = ("AWS::RDS::DBInstance", "AWS::DocDB::DBInstance", "AWS::Neptune::DBInstance")

_BUCKET = each(BUCKET, why="Each aspect of a bucket is a call of its own; the list tells name, region and date only.")
_KEY = each(KEY, why="KMS tells of one key at a time; ListKeys tells ids only.")
_TRAIL = each(TRAIL, why="Takes one trail; DescribeTrails does not tell it.")
_TABLE = each(TABLE, why="Takes one table; ListTables tells names only.")
_REPORT = once("Shared by the account's and IAM's collectors within a session; each worker of a scan has its own.")

NEEDS: dict[str, Need] = {
    "access-analyzer:ListAnalyzers": region(),
    "account:GetAlternateContact": once(),
    "acm:ListCertificates": region("AWS::CertificateManager::Certificate", page=1000),
    "apigateway:GetApis": region(),
    "apigateway:GetRestApis": region(),
    "apigateway:GetRoutes": where("HTTP or WebSocket API", "Takes one API."),
    "apigateway:GetStages": where("REST or WebSocket API", "Takes one API."),
    "autoscaling:DescribeAutoScalingGroups": where("region with a launch template"),
    "autoscaling:DescribeLaunchConfigurations": region(page=100),
    "backup:ListBackupVaults": region(),
    "backup:ListRecoveryPointsByBackupVault": where("vault", "Takes one vault."),
    "cloudfront:GetDistributionConfig": where("distribution", "The list lacks logging."),
    "cloudfront:ListDistributions": once(),
    "cloudtrail:DescribeTrails": region(),
    "cloudtrail:GetEventSelectors": _TRAIL,
    "cloudtrail:GetTrailStatus": _TRAIL,
    "cloudtrail:ListTags": extra("trail", "the tags of a trail, shown with it."),
    "cloudwatch:DescribeAlarms": region(
        "AWS::CloudWatch::Alarm", page=100, times=2, why="Composite alarms are listed apart: they name others."
    ),
    "codebuild:BatchGetProjects": where("100 projects"),
    "codebuild:ListProjects": region(),
    "config:DescribeConfigurationRecorderStatus": where("region with a recorder"),
    "config:DescribeConfigurationRecorders": region(),
    "dms:DescribeReplicationInstances": region(),
    "dynamodb:DescribeContinuousBackups": _TABLE,
    "dynamodb:DescribeTable": _TABLE,
    "dynamodb:ListTables": region(TABLE, page=100),
    "ec2:DescribeAddresses": region(),
    "ec2:DescribeFlowLogs": region(),
    "ec2:DescribeImages": region(),
    "ec2:DescribeInstances": region("AWS::EC2::Instance", page=1000),
    "ec2:DescribeLaunchTemplateVersions": region(),
    "ec2:DescribeManagedPrefixLists": region(),
    "ec2:DescribeNetworkAcls": region("AWS::EC2::NetworkAcl", page=1000),
    "ec2:DescribeNetworkInterfaces": region("AWS::EC2::NetworkInterface", page=1000),
    "ec2:DescribeSecurityGroups": region("AWS::EC2::SecurityGroup", page=1000),
    "ec2:DescribeSnapshots": region(
        "AWS::EC2::Snapshot",
        page=1000,
        times=2,
        why="Once for the own ones, once for those of them that everyone may restore.",
    ),
    "ec2:DescribeSubnets": region("AWS::EC2::Subnet", page=1000),
    "ec2:DescribeTransitGateways": region(),
    "ec2:DescribeVolumes": region("AWS::EC2::Volume", page=1000),
    "ec2:DescribeVpcBlockPublicAccessOptions": region(),
    "ec2:DescribeVpcs": region("AWS::EC2::VPC", page=1000),
    "ec2:GetEbsEncryptionByDefault": region(),
    "ec2:GetImageBlockPublicAccessState": region(),
    "ec2:GetInstanceMetadataDefaults": region(),
    "ec2:GetManagedPrefixListEntries": where("prefix list that is not AWS's", "Takes one prefix list."),
    "ec2:GetSnapshotBlockPublicAccessState": region(),
    "ecr:DescribeRepositories": region(REPOSITORY, page=1000),
    "ecr:GetRegistryScanningConfiguration": region(why="Where there is a repository."),
    "ecr:GetRepositoryPolicy": each(REPOSITORY, why="Takes one repository."),
    "ecs:DescribeServices": where("10 services of a cluster"),
    "ecs:DescribeTaskDefinition": where("family", "Takes one; there is no call for several."),
    "ecs:DescribeTasks": where("100 tasks of a cluster"),
    "ecs:ListClusters": region(),
    "ecs:ListServices": where("cluster", "Takes one cluster."),
    "ecs:ListTaskDefinitionFamilies": region(),
    "ecs:ListTasks": where("cluster", "Takes one cluster."),
    "eks:DescribeCluster": where("cluster", "Takes one; the list tells names only."),
    "eks:ListClusters": region(),
    "elasticache:DescribeReplicationGroups": region(),
    "elasticfilesystem:DescribeBackupPolicy": each(FILE_SYSTEM, why="Takes one file system."),
    "elasticfilesystem:DescribeFileSystems": region(FILE_SYSTEM, page=100),
    "elasticloadbalancing:DescribeListeners": where("load balancer", "Takes one load balancer."),
    "elasticloadbalancing:DescribeLoadBalancerAttributes": where("load balancer", "Takes one load balancer."),
    "elasticloadbalancing:DescribeLoadBalancers": region(times=2, why="Two APIs: version 2, and classic."),
    "elasticloadbalancing:DescribeRules": where("listener on HTTP", "Takes one listener."),
    "elasticloadbalancing:DescribeTags": extra("20 load balancers", "their tags, shown with them."),
    "elasticmapreduce:GetBlockPublicAccessConfiguration": region(),
    "es:DescribeDomains": where("5 domains"),
    "es:ListDomainNames": region(),
    "guardduty:GetDetector": where("region with a detector"),
    "guardduty:GetFindings": where("50 findings"),
    "guardduty:ListDetectors": region(why="Shared by settings and findings within a session."),
    "guardduty:ListFindings": where("50 findings"),
    "iam:GenerateCredentialReport": _REPORT,
    "iam:GetAccountAuthorizationDetails": once("1,000 users, groups, roles and policies at a time."),
    "iam:GetAccountPasswordPolicy": once(),
    "iam:GetAccountSummary": once(),
    "iam:GetCredentialReport": _REPORT,
    "iam:ListAccessKeys": extra(
        "user with an access key",
        "the key's id, without which nobody finds the key that a "
        "finding is about. The credential report tells age and use, and no id.",
    ),
    "iam:ListAccountAliases": extra("account", "the account's name."),
    "iam:ListRoles": extra("1,000 roles", "description and longest session of roles, shown with them."),
    "iam:ListServerCertificates": once(),
    "iam:ListVirtualMFADevices": once(),
    "inspector2:BatchGetAccountStatus": region(),
    "kms:DescribeKey": _KEY,
    "kms:GetKeyPolicy": _KEY,
    "kms:GetKeyRotationStatus": _KEY,
    "kms:ListAliases": extra("100 aliases", "the names of keys; and it spares a call for each key that AWS manages."),
    "kms:ListKeys": region(KEY, page=1000),
    "kms:ListResourceTags": extra("key", "the tags of a key, shown with it."),
    "lambda:GetPolicy": each(FUNCTION, why="Takes one function."),
    "lambda:ListAliases": each(FUNCTION, why="Takes one function; the list does not tell who has one."),
    "lambda:ListFunctionUrlConfigs": each(FUNCTION, why="Takes one function; the list does not tell who has a URL."),
    "lambda:ListFunctions": region(FUNCTION, page=50, times=2, why="Once more with the published versions."),
    "logs:DescribeDeliveries": where("account with a distribution"),
    "logs:DescribeDeliverySources": where("account with a distribution"),
    "logs:DescribeLogGroups": region("AWS::Logs::LogGroup", page=50),
    "logs:DescribeMetricFilters": region("AWS::Logs::MetricFilter", page=50),
    "macie2:GetMacieSession": region(),
    "rds:DescribeDBClusterParameterGroups": where("region with an RDS cluster"),
    "rds:DescribeDBClusterParameters": where("cluster parameter group in use", "Takes one group."),
    "rds:DescribeDBClusterSnapshotAttributes": where("snapshot that could be public", "Takes one snapshot."),
    "rds:DescribeDBClusterSnapshots": region("AWS::RDS::ClusterSnapshot", page=100),
    "rds:DescribeDBClusters": region("AWS::RDS::DBCluster", page=100),
    "rds:DescribeDBInstances": region(*DATABASES, page=100),
    "rds:DescribeDBParameterGroups": region(why="Where an instance uses one."),
    "rds:DescribeDBParameters": each("AWS::RDS::DBParameterGroup", why="Takes one group."),
    "rds:DescribeDBSnapshotAttributes": where("snapshot that could be public", "Takes one snapshot."),
    "rds:DescribeDBSnapshots": region("AWS::RDS::DBSnapshot", page=100),
    "redshift:DescribeClusterParameterGroups": where("region with a cluster"),
    "redshift:DescribeClusterParameters": where("parameter group in use", "Takes one group."),
    "redshift:DescribeClusters": region(),
    "redshift:DescribeLoggingStatus": where("cluster", "Takes one cluster."),
    "s3:GetBucketAcl": _BUCKET,
    "s3:GetBucketEncryption": _BUCKET,
    "s3:GetBucketLifecycleConfiguration": _BUCKET,
    "s3:GetBucketLocation": where("bucket", "Only of an AWS that lists buckets without their regions."),
    "s3:GetBucketLogging": _BUCKET,
    "s3:GetBucketOwnershipControls": _BUCKET,
    "s3:GetBucketPolicy": _BUCKET,
    "s3:GetBucketTagging": extra("bucket", "the tags of a bucket, shown with it."),
    "s3:GetBucketVersioning": _BUCKET,
    "s3:GetPublicAccessBlock": _BUCKET,
    "s3:ListBuckets": once("1,000 at a time."),
    "s3control:GetAccessPoint": where("access point", "Takes one; the list lacks its public access block."),
    "s3control:GetPublicAccessBlock": once("Shared by the account's and S3's collectors within a session."),
    "s3control:ListAccessPoints": region(),
    "sagemaker:DescribeNotebookInstance": where("notebook instance", "Takes one; the list lacks what rules read."),
    "sagemaker:ListNotebookInstances": region(),
    "secretsmanager:GetResourcePolicy": each("AWS::SecretsManager::Secret", why="Takes one secret."),
    "secretsmanager:ListSecrets": region("AWS::SecretsManager::Secret", page=100),
    "securityhub:DescribeHub": region(),
    "sns:GetTopicAttributes": each(TOPIC, why="Takes one topic; the list tells ARNs only."),
    "sns:ListSubscriptions": where("100 subscriptions, where alarms notify topics"),
    "sns:ListSubscriptionsByTopic": where("topic that an alarm notifies and that has no subscriber of this account"),
    "sns:ListTopics": region(TOPIC, page=100),
    "sqs:GetQueueAttributes": each(QUEUE, why="Takes one queue; the list tells URLs only."),
    "sqs:ListQueues": region(QUEUE, page=1000),
    "ssm:DescribeDocumentPermission": where("own document", "Takes one document."),
    "ssm:DescribeInstanceInformation": region(),
    "ssm:ListDocuments": region(),
    "ssm:ListResourceComplianceSummaries": where("region with a managed machine"),
    "sts:GetCallerIdentity": extra("worker", "makes sure at each opening that this is the right account."),
    "wafv2:ListLoggingConfigurations": where("region with a web ACL"),
    "wafv2:ListWebACLs": Need("region, and CloudFront's", times=1, regions=1),
}

ONLY_AGAIN = frozenset(
    {
        "acm:DescribeCertificate",
        "apigateway:GetStage",
        "apigateway:GetRoute",
        "es:DescribeDomain",
        "iam:GetGroup",
        "iam:GetPolicy",
        "iam:GetServerCertificate",
        "secretsmanager:DescribeSecret",
        "wafv2:GetWebACL",
        "apigateway:GetApi",
        "apigateway:GetRestApi",
        "iam:GetAccessKeyLastUsed",
        "iam:GetLoginProfile",
        "iam:GetRole",
        "iam:ListMFADevices",
        "lambda:GetFunctionConfiguration",
        "lambda:ListVersionsByFunction",
    }
)
"""Calls that read one resource again, after a fix or a click or when a list lost it, and are no part of a scan."""


def fewest(numbers: Numbers) -> dict[str, int]:
    """Return by operation the fewest calls by which the rules can be answered where there are these resources."""
    return {operation: need.calls(numbers) for operation, need in NEEDS.items()}
