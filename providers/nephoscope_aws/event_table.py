"""Which events of which AWS service are about which of the resources that are collected: the table, no more.

Names of events and members are those of CloudTrail, which writes an API's parameters with a small first letter:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

from nephoscope_aws.collectors import (
    account,
    cloudtrail,
    ebs,
    ec2,
    ecs,
    eks,
    elb,
    iam_shapes,
    kms,
    lambda_,
    secretsmanager,
    sns,
    sqs,
    ssm,
    vpc,
)
from nephoscope_aws.event_kinds import ACCOUNT_ID, Always, Ec2Id, Kind, Source, whole
from nephoscope_aws.event_table_data import DATA_SOURCES
from nephoscope_aws.network import PREFIX_LIST

EC2_IDS = {
    "sg": Ec2Id("ec2", ec2.SECURITY_GROUP, "security-group", r"SecurityGroup|Tags$"),
    "i": Ec2Id("ec2", ec2.INSTANCE, "instance", r"Instance|Address$|IamInstanceProfile|NetworkInterface|Tags$"),
    "eni": Ec2Id("ec2", ec2.NETWORK_INTERFACE, "network-interface", r"NetworkInterface|RunInstances|Address|Tags$"),
    "pl": Ec2Id("ec2", PREFIX_LIST, "prefix-list", r"ManagedPrefixList|Tags$"),
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

SOURCES: dict[str, Source] = {
    **DATA_SOURCES,
    "iam": Source(
        (
            Kind(
                "iam",
                iam_shapes.USER,
                "arn:{partition}:iam::{account}:user/{name}",
                ("username",),
                r"User|LoginProfile|AccessKey|MFADevice|SigningCertificate|ServiceSpecificCredential",
                made=False,
                name=r"\S+",
            ),
            Kind("iam", iam_shapes.ACCESS_KEY, "", ("accesskeyid",), r"AccessKey", made=False),
            Kind(
                "iam",
                iam_shapes.GROUP,
                "arn:{partition}:iam::{account}:group/{name}",
                ("groupname",),
                r"Group",
                made=False,
                name=r"\S+",
            ),
            Kind(
                "iam",
                iam_shapes.ROLE,
                "arn:{partition}:iam::{account}:role/{name}",
                ("rolename",),
                r"Role(?!.*Instance)",
                made=False,
                name=r"\S+",
            ),
            Kind(
                "iam",
                iam_shapes.POLICY,
                "arn:{partition}:iam::{account}:policy/{name}",
                made=False,
                name=r"\S+",
                events=r"Policy",
            ),
            Kind(
                "iam",
                iam_shapes.CERTIFICATE,
                "arn:{partition}:iam::{account}:server-certificate/{name}",
                ("servercertificatename",),
                r"ServerCertificate",
                made=False,
                name=r"\S+",
            ),
        ),
        (Always(r"AccountPasswordPolicy|AccountAlias|MFADevice|AccessKey$", "account", account.ACCOUNT, ACCOUNT_ID),),
    ),
    "account": whole("contacts", r"AlternateContact"),
    "ec2": Source(
        always=(
            Always(
                r"EbsEncryptionByDefault|ImageBlockPublicAccess|InstanceMetadataDefaults",
                "ebs",
                ebs.REGION_SETTINGS,
                "arn:{partition}:ec2:{region}:{account}:settings",
            ),
            Always(
                r"SnapshotBlockPublicAccess",
                "ebs",
                ebs.SNAPSHOT_BLOCK,
                "arn:{partition}:ec2:{region}:{account}:snapshot-block-public-access",
            ),
            Always(
                r"VpcBlockPublicAccess",
                "vpc",
                vpc.BLOCK_PUBLIC_ACCESS,
                "arn:{partition}:ec2:{region}:{account}:vpc-block-public-access",
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
                "arn:{partition}:cloudtrail:{region}:{account}:trail/{name}",
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
                "arn:{partition}:kms:{region}:{account}:key/{name}",
                ("targetkeyid", "keyid"),
                r"Key(?!Pair)|Alias|ResourcePolicy",
                name=r"[\w-]+",
                before=r"[/:]",
            ),
        )
    ),
    "elasticmapreduce": whole("emr", r"BlockPublicAccess"),
    "eks": Source(
        (
            Kind(
                "eks",
                eks.CLUSTER,
                "arn:{partition}:eks:{region}:{account}:cluster/{name}",
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
                "arn:{partition}:ecs:{region}:{account}:service/(?:[^/:]+/)?{name}",
                ("servicename", "service"),
                r"^(Create|Update|Delete)Service$",
                made=False,
            ),
            Kind(
                "ecs",
                ecs.TASK,
                "arn:{partition}:ecs:{region}:{account}:task-definition/{name}",
                ("family", "taskdefinition"),
                r"TaskDefinition",
                name=r"[^/:]+(?::\d+)?",
                before=r"/",
                suffix=r":\d+",
            ),
        )
    ),
    "ssm": Source(
        (
            Kind(
                "ssm",
                ssm.DOCUMENT,
                "arn:{partition}:ssm:{region}:{account}:document/{name}",
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
                "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}",
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
            Kind("sqs", sqs.QUEUE, "arn:{partition}:sqs:{region}:{account}:{name}", ("queueurl",), made=False),
        )
    ),
    "sns": Source(
        (Kind("sns", sns.TOPIC, "arn:{partition}:sns:{region}:{account}:{name}", ("topicarn",)),),
        (Always(r"^(Subscribe|Unsubscribe|ConfirmSubscription)$", "cloudwatch"),),
    ),
    "elasticloadbalancing": Source(
        (
            Kind(
                "elb",
                elb.BALANCER,
                "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/{name}",
                made=False,
                name=r"(?:app|net|gwy)/[^:]+",
                events=r"LoadBalancer|SecurityGroups|Subnets|WebAcl|Tags",
            ),
            Kind(
                "elb",
                elb.LISTENER,
                "arn:{partition}:elasticloadbalancing:{region}:{account}:listener/{name}",
                made=False,
                name=r"[^:]+",
                events=r"Listener|Rule",
            ),
            Kind(
                "elb",
                elb.CLASSIC,
                "arn:{partition}:elasticloadbalancing:{region}:{account}:loadbalancer/{name}",
                ("loadbalancername",),
            ),
        )
    ),
    "cloudfront": Source(
        (
            Kind(
                "cloudfront",
                "AWS::CloudFront::Distribution",
                "arn:{partition}:cloudfront::{account}:distribution/{name}",
                ("id",),
                r"Distribution(?!Tenant)",
            ),
        )
    ),
    "apigateway": whole("apigateway", r"Stage|Route$|Deployment|Api$|Authorizer"),
    "wafv2": Source(
        (
            Kind(
                "waf",
                "AWS::WAFv2::WebACL",
                "arn:{partition}:wafv2:{region}:{account}:(?:regional|global)/webacl/{name}",
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
                "arn:{partition}:acm:{region}:{account}:certificate/{name}",
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
                "arn:{partition}:lambda:{region}:{account}:function:{name}",
                ("functionname",),
                r"^(?!.*Url).*(Function|Permission|Alias)",
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
                "arn:{partition}:codebuild:{region}:{account}:project/{name}",
                ("name", "projectname"),
                r"Project|Webhook",
            ),
        )
    ),
    "monitoring": whole("cloudwatch", r"Alarm"),
    "logs": whole("logs", r"MetricFilter|DeleteLogGroup|KmsKey"),
    "config": whole("config", r"ConfigurationRecorder|DeliveryChannel"),
    "guardduty": whole("guardduty", r"Detector"),
    "securityhub": whole("securityhub", r"SecurityHub"),
    "macie2": whole("macie", r"Macie"),
    "inspector2": whole("inspector", r"^(Enable|Disable)"),
    "access-analyzer": whole("accessanalyzer", r"Analyzer"),
}
"""By what stands before ``.amazonaws.com`` in an event's source."""
