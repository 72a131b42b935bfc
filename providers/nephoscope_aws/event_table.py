"""Which events of which AWS service are about which of the resources that are collected: the table, no more.

Names of events and members are those of CloudTrail, which writes an API's parameters with a small first letter:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from nephoscope_aws.collectors import (
    account,
    cloudtrail,
    dynamodb,
    ebs,
    ec2,
    ecr,
    ecs,
    eks,
    elb,
    iam_shapes,
    kms,
    lambda_,
    rds,
    rds_shapes,
    s3,
    s3control,
    secretsmanager,
    sns,
    sqs,
    ssm,
    vpc,
)

_ANY = r"[^/:]+"


@dataclass(frozen=True)
class Kind:
    """How events name the resources of one type.

    :param arn: how its ARN is made, with ``{region}``, ``{account}`` and ``{name}``; an ARN like that anywhere in the
        event names one. Beside these it is a regular expression, as is ``name``.
    :param members: members that hold its name, or an ARN that ends with it; in lower case, because services differ.
    :param events: the events that are about it, as a regular expression; any by default.
    :param made: whether the name alone makes the ARN; the id of what is not known is told by an ARN only otherwise.
    :param before: what stands before the name in such a member.
    :param suffix: what an ARN adds to the name.
    """

    service: str
    type: str
    arn: str
    members: tuple[str, ...] = ()
    events: str = ""
    made: bool = True
    name: str = _ANY
    before: str = r"[/:]"
    suffix: str = ""

    def id(self, region: str, account: str, name: str) -> str:
        """Return the id of the one with this name; empty where that does not make it."""
        if not self.made:
            return ""
        return self.arn.format(region=region, account=account, name=self.called(name))

    def pattern(self, region: str, account: str) -> re.Pattern[str] | None:
        return _pattern(self.arn, self.name, region, account) if self.arn else None

    def called(self, text: str) -> str:
        """Return the name in what a member or an ARN says."""
        name = re.split(self.before, text)[-1]
        return re.sub(f"{self.suffix}$", "", name) if self.suffix else name


@lru_cache(maxsize=1_000)
def _pattern(arn: str, name: str, region: str, account: str) -> re.Pattern[str]:
    return re.compile(
        arn.replace("arn:aws:", r"arn:aws[a-z-]*:").format(region=region, account=account, name=f"(?P<name>{name})")
    )


@dataclass(frozen=True)
class Always:
    """What events of these names touch whatever they say: one of its kind by its id, or without one the service."""

    events: str
    service: str
    type: str = ""
    id: str = ""


@dataclass(frozen=True)
class Source:
    """One source of events. An event that is about a kind and names none of it is about the kind's whole service.

    :param ids: whether resources are told by what their ids begin with (:data:`EC2_IDS`).
    :param whole: a service that events of names like ``relevant`` are about as a whole, unless they name something.
    """

    kinds: tuple[Kind, ...] = ()
    always: tuple[Always, ...] = ()
    ids: bool = False
    whole: str = ""
    relevant: str = "$^"


@dataclass(frozen=True)
class Ec2Id:
    service: str
    type: str
    place: str
    events: str
    owner: bool = True


EC2_IDS = {
    "sg": Ec2Id("ec2", ec2.SECURITY_GROUP, "security-group", r"SecurityGroup|Tags$"),
    "i": Ec2Id("ec2", ec2.INSTANCE, "instance", r"Instance|Address$|IamInstanceProfile|NetworkInterface|Tags$"),
    "eni": Ec2Id("ec2", ec2.NETWORK_INTERFACE, "network-interface", r"NetworkInterface|RunInstances|Address|Tags$"),
    "vol": Ec2Id("ebs", ebs.VOLUME, "volume", r"Volume|Tags$"),
    "snap": Ec2Id("ebs", ebs.SNAPSHOT, "snapshot", r"Snapshot|Tags$", owner=False),
    "ami": Ec2Id("ebs", ebs.IMAGE, "image", r"Image|Tags$", owner=False),
    "lt": Ec2Id("ebs", ebs.LAUNCH_TEMPLATE, "launch-template", r"LaunchTemplate"),
    "vpc": Ec2Id("vpc", vpc.VPC, "vpc", r"Vpc$|VpcAttribute|FlowLogs|Tags$"),
    "subnet": Ec2Id("vpc", vpc.SUBNET, "subnet", r"Subnet$|SubnetAttribute|Tags$"),
    "acl": Ec2Id("vpc", vpc.NETWORK_ACL, "network-acl", r"NetworkAcl|Tags$"),
    "eipalloc": Ec2Id("vpc", vpc.EIP, "elastic-ip", r"Address$|AddressToVpc|Tags$"),
    "tgw": Ec2Id("vpc", vpc.TRANSIT_GATEWAY, "transit-gateway", r"TransitGateway$|Tags$"),
}
"""What EC2's ids begin with. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html"""

_ACCOUNT_ID = "arn:aws:iam::{account}:root"


def _whole(service: str, events: str) -> Source:
    return Source(whole=service, relevant=events)


SOURCES: dict[str, Source] = {
    "s3": Source(
        (
            Kind(
                "s3",
                s3.BUCKET,
                "arn:aws:s3:::{name}",
                ("bucketname",),
                r"Bucket(?!.*AccessPoint)|^PutPublicAccessBlock",
            ),
            Kind(
                "s3control",
                s3control.ACCESS_POINT,
                "arn:aws:s3:{region}:{account}:accesspoint/{name}",
                ("name",),
                r"AccessPoint(?!.*(ObjectLambda|MultiRegion))",
            ),
        ),
        (
            Always(r"AccountPublicAccessBlock", "account", account.ACCOUNT, _ACCOUNT_ID),
            Always(r"AccountPublicAccessBlock", "s3"),
        ),
    ),
    "iam": Source(
        (
            Kind(
                "iam",
                iam_shapes.USER,
                "arn:aws:iam::{account}:user/{name}",
                ("username",),
                r"User|LoginProfile|AccessKey|MFADevice|SigningCertificate|ServiceSpecificCredential",
                made=False,
                name=r"\S+",
            ),
            Kind("iam", iam_shapes.ACCESS_KEY, "", ("accesskeyid",), r"AccessKey", made=False),
            Kind(
                "iam",
                iam_shapes.GROUP,
                "arn:aws:iam::{account}:group/{name}",
                ("groupname",),
                r"Group",
                made=False,
                name=r"\S+",
            ),
            Kind(
                "iam",
                iam_shapes.ROLE,
                "arn:aws:iam::{account}:role/{name}",
                ("rolename",),
                r"Role(?!.*Instance)",
                made=False,
                name=r"\S+",
            ),
            Kind(
                "iam",
                iam_shapes.POLICY,
                "arn:aws:iam::{account}:policy/{name}",
                made=False,
                name=r"\S+",
                events=r"Policy",
            ),
            Kind(
                "iam",
                iam_shapes.CERTIFICATE,
                "arn:aws:iam::{account}:server-certificate/{name}",
                ("servercertificatename",),
                r"ServerCertificate",
                made=False,
                name=r"\S+",
            ),
        ),
        (Always(r"AccountPasswordPolicy|AccountAlias|MFADevice|AccessKey$", "account", account.ACCOUNT, _ACCOUNT_ID),),
    ),
    "account": _whole("contacts", r"AlternateContact"),
    "ec2": Source(
        always=(
            Always(r"EbsEncryptionByDefault", "ebs", ebs.REGION_SETTINGS, "arn:aws:ec2:{region}:{account}:settings"),
            Always(
                r"SnapshotBlockPublicAccess",
                "ebs",
                ebs.SNAPSHOT_BLOCK,
                "arn:aws:ec2:{region}:{account}:snapshot-block-public-access",
            ),
            Always(
                r"VpcBlockPublicAccess",
                "vpc",
                vpc.BLOCK_PUBLIC_ACCESS,
                "arn:aws:ec2:{region}:{account}:vpc-block-public-access",
            ),
            Always(r"FlowLogs", "vpc"),
        ),
        ids=True,
        whole="ec2",
        relevant=r"SecurityGroup|NetworkInterface(Attribute|s)?$|Instances$",
    ),
    "cloudtrail": Source(
        (
            Kind(
                "cloudtrail",
                cloudtrail.TRAIL,
                "arn:aws:cloudtrail:{region}:{account}:trail/{name}",
                ("name", "trailname"),
                r"Trail|Logging$|(Event|Insight)Selectors$",
            ),
        )
    ),
    "kms": Source(
        (
            Kind(
                "kms",
                kms.KEY,
                "arn:aws:kms:{region}:{account}:key/{name}",
                ("targetkeyid", "keyid"),
                r"Key(?!Pair)|Alias|ResourcePolicy",
                name=r"[\w-]+",
                before=r"[/:]",
            ),
        )
    ),
    "dynamodb": Source(
        (Kind("dynamodb", dynamodb.TABLE, "arn:aws:dynamodb:{region}:{account}:table/{name}", ("tablename",)),)
    ),
    "elasticfilesystem": Source(
        (
            Kind(
                "efs",
                "AWS::EFS::FileSystem",
                "arn:aws:elasticfilesystem:{region}:{account}:file-system/{name}",
                ("filesystemid",),
                r"FileSystem|BackupPolicy",
            ),
        )
    ),
    "elasticache": Source(
        (
            Kind(
                "elasticache",
                "AWS::ElastiCache::ReplicationGroup",
                "arn:aws:elasticache:{region}:{account}:replicationgroup:{name}",
                ("replicationgroupid",),
                r"ReplicationGroup|ReplicaCount",
            ),
        )
    ),
    "es": Source(
        (
            Kind(
                "opensearch",
                "AWS::OpenSearchService::Domain",
                "arn:aws:es:{region}:{account}:domain/{name}",
                ("domainname",),
                r"Domain|Upgrade",
            ),
        )
    ),
    "dms": Source(
        (
            Kind(
                "dms",
                "AWS::DMS::ReplicationInstance",
                "arn:aws:dms:{region}:{account}:rep:{name}",
                events=r"ReplicationInstance",
            ),
        )
    ),
    "elasticmapreduce": _whole("emr", r"BlockPublicAccess"),
    "sagemaker": Source(
        (
            Kind(
                "sagemaker",
                "AWS::SageMaker::NotebookInstance",
                "arn:aws:sagemaker:{region}:{account}:notebook-instance/{name}",
                ("notebookinstancename",),
                r"NotebookInstance(?!Lifecycle)",
            ),
        )
    ),
    "backup": Source(
        (
            Kind(
                "backup",
                "AWS::Backup::BackupVault",
                "arn:aws:backup:{region}:{account}:backup-vault:{name}",
                ("backupvaultname",),
                r"Vault",
            ),
        )
    ),
    "eks": Source(
        (
            Kind(
                "eks",
                eks.CLUSTER,
                "arn:aws:eks:{region}:{account}:cluster/{name}",
                ("name", "clustername"),
                r"Cluster|EncryptionConfig",
            ),
        )
    ),
    "ecs": Source(
        (
            Kind(
                "ecs",
                ecs.SERVICE,
                "arn:aws:ecs:{region}:{account}:service/(?:[^/:]+/)?{name}",
                ("servicename", "service"),
                r"^(Create|Update|Delete)Service$",
                made=False,
            ),
            Kind(
                "ecs",
                ecs.TASK,
                "arn:aws:ecs:{region}:{account}:task-definition/{name}",
                ("family", "taskdefinition"),
                r"TaskDefinition",
                name=r"[^/:]+(?::\d+)?",
                before=r"/",
                suffix=r":\d+",
            ),
        )
    ),
    "ecr": Source(
        (
            Kind(
                "ecr",
                ecr.REPOSITORY,
                "arn:aws:ecr:{region}:{account}:repository/{name}",
                ("repositoryname",),
                r"Repository|ImageScanningConfiguration|ImageTagMutability",
                name=r"[^:]+",
                before=r"repository/",
            ),
        ),
        (
            Always(
                r"RegistryScanningConfiguration",
                "ecr",
                ecr.SCANNING,
                "arn:aws:ecr:{region}:{account}:registry-scanning-configuration",
            ),
        ),
    ),
    "ssm": Source(
        (
            Kind(
                "ssm",
                ssm.DOCUMENT,
                "arn:aws:ssm:{region}:{account}:document/{name}",
                ("name",),
                r"Document",
                made=False,
            ),
        )
    ),
    "secretsmanager": Source(
        (
            Kind(
                "secretsmanager",
                secretsmanager.SECRET,
                "arn:aws:secretsmanager:{region}:{account}:secret:{name}",
                ("secretid", "name"),
                made=False,
                name=r"[\w/+=.@-]+",
                before=r":secret:",
                suffix=r"-[A-Za-z0-9]{6}",
            ),
        )
    ),
    "sqs": Source(
        (
            # Not read by the address that an event holds: that is where the call would go.
            Kind("sqs", sqs.QUEUE, "arn:aws:sqs:{region}:{account}:{name}", ("queueurl",), made=False),
        )
    ),
    "sns": Source(
        (Kind("sns", sns.TOPIC, "arn:aws:sns:{region}:{account}:{name}", ("topicarn",)),),
        (Always(r"^(Subscribe|Unsubscribe|ConfirmSubscription)$", "cloudwatch"),),
    ),
    "rds": Source(
        (
            # Which engine it is, and by that which type, the name does not tell.
            Kind("rds", "", "", ("dbinstanceidentifier",), r"DBInstance", made=False),
            Kind("rds", "", "", ("dbclusteridentifier",), r"DBCluster(?!Snapshot|Parameter)", made=False),
            Kind("rds", rds_shapes.SNAPSHOT, "", ("dbsnapshotidentifier",), r"DBSnapshot", made=False),
            Kind(
                "rds",
                rds_shapes.CLUSTER_SNAPSHOT,
                "",
                ("dbclustersnapshotidentifier",),
                r"DBClusterSnapshot",
                made=False,
            ),
            Kind("rds", rds.PARAMETER_GROUP, "", ("dbparametergroupname",), r"DBParameterGroup", made=False),
        )
    ),
    "redshift": Source(
        (
            Kind(
                "redshift",
                "AWS::Redshift::Cluster",
                "arn:aws:redshift:{region}:{account}:cluster:{name}",
                ("clusteridentifier",),
                r"Cluster(?!.*(ParameterGroup|Snapshot))|Logging|Iam",
            ),
            Kind(
                "redshift",
                "AWS::Redshift::ClusterParameterGroup",
                "arn:aws:redshift:{region}:{account}:parametergroup:{name}",
                ("parametergroupname",),
                r"ClusterParameterGroup",
            ),
        )
    ),
    "elasticloadbalancing": Source(
        (
            Kind(
                "elb",
                elb.BALANCER,
                "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/{name}",
                made=False,
                name=r"(?:app|net|gwy)/[^:]+",
                events=r"LoadBalancer|SecurityGroups|Subnets|WebAcl|Tags",
            ),
            Kind(
                "elb",
                elb.LISTENER,
                "arn:aws:elasticloadbalancing:{region}:{account}:listener/{name}",
                made=False,
                name=r"[^:]+",
                events=r"Listener",
            ),
            Kind(
                "elb",
                elb.CLASSIC,
                "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/{name}",
                ("loadbalancername",),
            ),
        )
    ),
    "cloudfront": Source(
        (
            Kind(
                "cloudfront",
                "AWS::CloudFront::Distribution",
                "arn:aws:cloudfront::{account}:distribution/{name}",
                ("id",),
                r"Distribution(?!Tenant)",
            ),
        )
    ),
    "apigateway": _whole("apigateway", r"Stage|Route$|Deployment|Api$|Authorizer"),
    "wafv2": Source(
        (
            Kind(
                "waf",
                "AWS::WAFv2::WebACL",
                "arn:aws:wafv2:{region}:{account}:(?:regional|global)/webacl/{name}",
                ("name",),
                r"WebACL$|LoggingConfiguration",
                made=False,
                name=r"[^:]+",
            ),
        )
    ),
    "acm": Source(
        (
            Kind(
                "acm",
                "AWS::CertificateManager::Certificate",
                "arn:aws:acm:{region}:{account}:certificate/{name}",
                events=r"Certificate",
            ),
        )
    ),
    "autoscaling": Source(
        (
            Kind(
                "autoscaling",
                "AWS::AutoScaling::LaunchConfiguration",
                "",
                ("launchconfigurationname",),
                r"LaunchConfiguration$",
                made=False,
            ),
        )
    ),
    "lambda": Source(
        (
            Kind(
                "lambda",
                lambda_.FUNCTION,
                "arn:aws:lambda:{region}:{account}:function:{name}",
                ("functionname",),
                r"^(?!.*Url).*(Function|Permission)",
                name=r"[\w-]+",
                before=r"function:",
            ),
            Kind("lambda", lambda_.URL, "", ("functionname",), r"FunctionUrl", made=False, before=r"function:"),
        )
    ),
    "codebuild": Source(
        (
            Kind(
                "codebuild",
                "AWS::CodeBuild::Project",
                "arn:aws:codebuild:{region}:{account}:project/{name}",
                ("name", "projectname"),
                r"Project|Webhook",
            ),
        )
    ),
    "monitoring": _whole("cloudwatch", r"Alarm"),
    "logs": _whole("logs", r"MetricFilter|DeleteLogGroup"),
    "config": _whole("config", r"ConfigurationRecorder|DeliveryChannel"),
    "guardduty": _whole("guardduty", r"Detector"),
    "securityhub": _whole("securityhub", r"SecurityHub"),
    "macie2": _whole("macie", r"Macie"),
    "inspector2": _whole("inspector", r"^(Enable|Disable)"),
    "access-analyzer": _whole("accessanalyzer", r"Analyzer"),
}
"""By what stands before ``.amazonaws.com`` in an event's source."""
