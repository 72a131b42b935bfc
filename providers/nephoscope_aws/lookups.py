"""Whether one thing still exists, asked by its name: for each type the call that AWS answers with an error if not.

A listing with a filter is no such call: nothing tells its empty answer from a wrong one. Types of which AWS has no
other are not in the table (launch configurations, metric filters, backup vaults, whose absence is answered like a
refusal: https://github.com/aws/aws-sdk-js/issues/2625), nor are settings, which are never gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from nephoscope.domain import Resource
from nephoscope_aws.answers import Unread
from nephoscope_aws.api import Api, Denied, code_of, says_missing

_STATES = (
    *("State", "Status", "status", "LifeCycleState", "ReplicationInstanceStatus", "NotebookInstanceStatus"),
    *("DBInstanceStatus", "ClusterStatus", "TableStatus"),
)
_OVER = frozenset(
    {"terminated", "shutting-down", "deregistered", "INACTIVE", "DRAINING"}
    | {"deleting", "Deleting", "DELETING", "deleted", "delete-in-progress", "delete-complete", "final-snapshot"}
)
"""Where things say that are described while they are deleted, and for a while after, that they are, and how.

A Lambda function that is ``Inactive`` is there: https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html; an
ECS service that is ``DRAINING`` was deleted:
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteService.html"""

Item = Mapping[str, Any]


def _whole(answer: Item) -> Iterable[Item]:
    return (answer,)


def _under(*path: str) -> Callable[[Item], Iterable[Item]]:
    """Return what finds the items in lists that are nested in each other."""

    def items(answer: Item) -> Iterable[Item]:
        found: list[Any] = [answer]
        for name in path:
            found = [inner for each in found for inner in each[name]]
        return found

    return items


@dataclass(frozen=True, slots=True)
class Lookup:
    """A declared call that describes one thing; ``items`` are what its answer describes.

    Of one that ``shows_presence`` only an answer says something: what is gone is refused like what is not allowed.
    """

    service: str
    operation: str
    parameters: Callable[[Resource], Mapping[str, Any]]
    items: Callable[[Item], Iterable[Item]] = _whole
    shows_presence: bool = False


def is_gone(api: Api, resource: Resource) -> bool | None:
    """Say whether AWS knows a resource no more; None where it cannot be asked, or does not say. 1 call.

    :raises Denied, Unavailable, ClientError: it could not be asked.
    """
    if (lookup := LOOKUPS.get(resource.type)) is None:
        return None
    parameters = lookup.parameters(resource)
    try:
        answer = api.call(lookup.service, lookup.operation, region=resource.region, **parameters)
    except (ClientError, Denied) as error:
        if lookup.shows_presence:
            return None
        if isinstance(error, Denied):
            raise
        if says_missing(error) or _says_so_in_words(error):
            return True
        raise
    if answer.get("projectsNotFound") or any(each.get("reason") == "MISSING" for each in answer.get("failures", ())):
        return True
    items = list(lookup.items(answer))
    return all(is_over(each) for each in items) if items else None


def _says_so_in_words(error: ClientError) -> bool:
    """Whether it is said by the message: SageMaker and ECS have no code of their own for it."""
    return code_of(error) in ("ValidationException", "ClientException") and any(
        words in str(error) for words in ("RecordNotFound", "Unable to describe task definition")
    )


def is_over(item: Item) -> bool:
    """Say whether a description is of something that was deleted; one whose state could not be read is there."""
    states = [item.get(name) for name in _STATES]
    names = [state.get("Name") if isinstance(state, Mapping) else state for state in states]
    return any(map(_says_so, (item.get("DeletedDate"), item.get("Deleted")))) or any(
        isinstance(name, str) and name in _OVER for name in names
    )


def _says_so(deleted: Any) -> bool:
    return not isinstance(deleted, Unread) and bool(deleted)


# -- How a resource is named ------------------------------------------------------------------------


def _tail(resource: Resource) -> str:
    return resource.id.rpartition("/")[2]


def _by_tail(name: str) -> Callable[[Resource], Mapping[str, Any]]:
    return lambda resource: {name: _tail(resource)}


def _by_tails(name: str) -> Callable[[Resource], Mapping[str, Any]]:
    return lambda resource: {name: [_tail(resource)]}


def _by_name(name: str) -> Callable[[Resource], Mapping[str, Any]]:
    return lambda resource: {name: resource.name}


def _by_arn(name: str) -> Callable[[Resource], Mapping[str, Any]]:
    return lambda resource: {name: resource.id}


def _ec2(operation: str, ids: str, *path: str) -> Lookup:
    return Lookup("ec2", operation, _by_tails(ids), _under(*path))


def _rds(operation: str, name: str, key: str) -> Lookup:
    return Lookup("rds", operation, _by_name(name), _under(key))


def _instance_filter(resource: Resource) -> Mapping[str, Any]:
    return {"Filters": [{"Key": "InstanceIds", "Values": [resource.name]}]}


def _replication_filter(resource: Resource) -> Mapping[str, Any]:
    return {"Filters": [{"Name": "replication-instance-arn", "Values": [resource.id]}]}


def _queue(resource: Resource) -> Mapping[str, Any]:
    url = f"{resource.properties['QueueUrl'].rpartition('/')[0]}/{resource.name}"
    return {"QueueUrl": url, "AttributeNames": ["QueueArn"]}


def _service(resource: Resource) -> Mapping[str, Any]:
    return {"cluster": resource.properties["Cluster"], "services": [resource.id]}


def _web_acl(resource: Resource) -> Mapping[str, Any]:
    scope = "CLOUDFRONT" if ":global/" in resource.id else "REGIONAL"
    return {"Name": resource.name, "Scope": scope, "Id": _tail(resource)}


def _of_api(first: str, *names: str) -> Callable[[Resource], Mapping[str, Any]]:
    """Name what is in an API: ``…/restapis/a1b2c3/stages/prod``."""
    return lambda resource: {first: resource.id.split("/")[2], **{name: _tail(resource) for name in names}}


def _alarms(answer: Item) -> Iterable[Item]:
    """Return the alarms; one that notifies no topic any more is none that would be collected."""
    for each in answer["MetricAlarms"]:
        notifies = any(action.split(":")[2:3] == ["sns"] for action in each.get("AlarmActions", ()))
        yield {**each, "Deleted": not notifies}


# -- The table -------------------------------------------------------------------------------------

_DB_INSTANCE = _rds("describe_db_instances", "DBInstanceIdentifier", "DBInstances")
_DB_CLUSTER = _rds("describe_db_clusters", "DBClusterIdentifier", "DBClusters")

LOOKUPS: Mapping[str, Lookup] = {
    "AWS::ApiGateway::Stage": Lookup("apigateway", "get_stage", _of_api("restApiId", "stageName")),
    "AWS::ApiGatewayV2::Route": Lookup("apigatewayv2", "get_route", _of_api("ApiId", "RouteId")),
    "AWS::ApiGatewayV2::Stage": Lookup("apigatewayv2", "get_stage", _of_api("ApiId", "StageName")),
    "AWS::CertificateManager::Certificate": Lookup("acm", "describe_certificate", _by_arn("CertificateArn")),
    "AWS::CloudFront::Distribution": Lookup("cloudfront", "get_distribution_config", _by_tail("Id")),
    "AWS::CloudTrail::Trail": Lookup("cloudtrail", "get_trail_status", _by_arn("Name")),
    "AWS::CloudWatch::Alarm": Lookup(
        "cloudwatch", "describe_alarms", lambda each: {"AlarmNames": [each.name]}, _alarms
    ),
    "AWS::CloudWatch::CompositeAlarm": Lookup(
        "cloudwatch",
        "describe_alarms",
        lambda each: {"AlarmNames": [each.name], "AlarmTypes": ["CompositeAlarm"]},
        _under("CompositeAlarms"),
    ),
    "AWS::CodeBuild::Project": Lookup(
        "codebuild",
        "batch_get_projects",
        lambda each: {"names": [each.name]},
        _under("projects"),
    ),
    "AWS::DMS::ReplicationInstance": Lookup(
        "dms",
        "describe_replication_instances",
        _replication_filter,
        _under("ReplicationInstances"),
    ),
    "AWS::DocDB::DBCluster": _DB_CLUSTER,
    "AWS::DocDB::DBInstance": _DB_INSTANCE,
    "AWS::DynamoDB::Table": Lookup(
        "dynamodb", "describe_table", _by_name("TableName"), lambda answer: (answer["Table"],)
    ),
    "AWS::EC2::EIP": _ec2("describe_addresses", "AllocationIds", "Addresses"),
    "AWS::EC2::Image": _ec2("describe_images", "ImageIds", "Images"),
    "AWS::EC2::Instance": _ec2("describe_instances", "InstanceIds", "Reservations", "Instances"),
    "AWS::EC2::LaunchTemplate": Lookup(
        "ec2",
        "describe_launch_template_versions",
        lambda each: {"LaunchTemplateId": _tail(each), "Versions": ["$Default"]},
        _under("LaunchTemplateVersions"),
    ),
    "AWS::EC2::NetworkAcl": _ec2("describe_network_acls", "NetworkAclIds", "NetworkAcls"),
    "AWS::EC2::NetworkInterface": _ec2("describe_network_interfaces", "NetworkInterfaceIds", "NetworkInterfaces"),
    "AWS::EC2::PrefixList": _ec2("describe_managed_prefix_lists", "PrefixListIds", "PrefixLists"),
    "AWS::EC2::SecurityGroup": _ec2("describe_security_groups", "GroupIds", "SecurityGroups"),
    "AWS::EC2::Snapshot": _ec2("describe_snapshots", "SnapshotIds", "Snapshots"),
    "AWS::EC2::Subnet": _ec2("describe_subnets", "SubnetIds", "Subnets"),
    "AWS::EC2::TransitGateway": _ec2("describe_transit_gateways", "TransitGatewayIds", "TransitGateways"),
    "AWS::EC2::VPC": _ec2("describe_vpcs", "VpcIds", "Vpcs"),
    "AWS::EC2::Volume": _ec2("describe_volumes", "VolumeIds", "Volumes"),
    "AWS::ECR::Repository": Lookup(
        "ecr",
        "describe_repositories",
        lambda each: {"repositoryNames": [each.name]},
        _under("repositories"),
    ),
    "AWS::ECS::Service": Lookup("ecs", "describe_services", _service, _under("services")),
    "AWS::ECS::TaskDefinition": Lookup("ecs", "describe_task_definition", _by_name("taskDefinition")),
    "AWS::EFS::FileSystem": Lookup(
        "efs",
        "describe_file_systems",
        _by_tail("FileSystemId"),
        _under("FileSystems"),
    ),
    "AWS::EKS::Cluster": Lookup("eks", "describe_cluster", _by_name("name"), lambda answer: (answer["cluster"],)),
    "AWS::ElastiCache::ReplicationGroup": Lookup(
        "elasticache",
        "describe_replication_groups",
        _by_name("ReplicationGroupId"),
        _under("ReplicationGroups"),
    ),
    "AWS::ElasticLoadBalancing::LoadBalancer": Lookup(
        "elb",
        "describe_load_balancers",
        _by_tails("LoadBalancerNames"),
        _under("LoadBalancerDescriptions"),
    ),
    "AWS::ElasticLoadBalancingV2::Listener": Lookup(
        "elbv2",
        "describe_listeners",
        lambda each: {"ListenerArns": [each.id]},
        _under("Listeners"),
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Lookup(
        "elbv2",
        "describe_load_balancers",
        lambda each: {"LoadBalancerArns": [each.id]},
        _under("LoadBalancers"),
    ),
    "AWS::IAM::AWSManagedPolicy": Lookup("iam", "get_policy", _by_arn("PolicyArn")),
    "AWS::IAM::AccessKey": Lookup("iam", "get_access_key_last_used", _by_name("AccessKeyId"), shows_presence=True),
    "AWS::IAM::Group": Lookup("iam", "get_group", _by_name("GroupName")),
    "AWS::IAM::ManagedPolicy": Lookup("iam", "get_policy", _by_arn("PolicyArn")),
    "AWS::IAM::Role": Lookup("iam", "get_role", _by_name("RoleName")),
    "AWS::IAM::ServerCertificate": Lookup("iam", "get_server_certificate", _by_name("ServerCertificateName")),
    "AWS::IAM::User": Lookup("iam", "list_access_keys", _by_name("UserName")),
    "AWS::KMS::Key": Lookup("kms", "describe_key", _by_arn("KeyId")),
    "AWS::Lambda::Function": Lookup("lambda", "get_function_configuration", _by_arn("FunctionName")),
    "AWS::Logs::LogGroup": Lookup("logs", "describe_metric_filters", _by_name("logGroupName")),
    "AWS::Neptune::DBCluster": _DB_CLUSTER,
    "AWS::Neptune::DBInstance": _DB_INSTANCE,
    "AWS::OpenSearchService::Domain": Lookup(
        "opensearch",
        "describe_domain",
        _by_name("DomainName"),
        lambda answer: (answer["DomainStatus"],),
    ),
    "AWS::RDS::ClusterSnapshot": _rds(
        "describe_db_cluster_snapshots",
        "DBClusterSnapshotIdentifier",
        "DBClusterSnapshots",
    ),
    "AWS::RDS::DBCluster": _DB_CLUSTER,
    "AWS::RDS::DBClusterParameterGroup": _rds(
        "describe_db_cluster_parameter_groups", "DBClusterParameterGroupName", "DBClusterParameterGroups"
    ),
    "AWS::RDS::DBInstance": _DB_INSTANCE,
    "AWS::RDS::DBParameterGroup": _rds("describe_db_parameter_groups", "DBParameterGroupName", "DBParameterGroups"),
    "AWS::RDS::DBSnapshot": _rds("describe_db_snapshots", "DBSnapshotIdentifier", "DBSnapshots"),
    "AWS::Redshift::Cluster": Lookup(
        "redshift",
        "describe_clusters",
        _by_name("ClusterIdentifier"),
        _under("Clusters"),
    ),
    "AWS::Redshift::ClusterParameterGroup": Lookup(
        "redshift",
        "describe_cluster_parameter_groups",
        _by_name("ParameterGroupName"),
        _under("ParameterGroups"),
    ),
    "AWS::S3::AccessPoint": Lookup(
        "s3control",
        "get_access_point",
        lambda each: {"AccountId": each.account, "Name": each.name},
    ),
    "AWS::S3::Bucket": Lookup("s3", "get_bucket_location", _by_name("Bucket")),
    "AWS::SNS::Topic": Lookup("sns", "get_topic_attributes", _by_arn("TopicArn")),
    "AWS::SQS::Queue": Lookup("sqs", "get_queue_attributes", _queue),
    "AWS::SSM::Document": Lookup(
        "ssm",
        "describe_document_permission",
        lambda each: {"Name": each.name, "PermissionType": "Share"},
    ),
    "AWS::SSM::ManagedInstanceInventory": Lookup(
        "ssm",
        "describe_instance_information",
        _instance_filter,
        _under("InstanceInformationList"),
    ),
    "AWS::SageMaker::NotebookInstance": Lookup(
        "sagemaker",
        "describe_notebook_instance",
        _by_name("NotebookInstanceName"),
    ),
    "AWS::SecretsManager::Secret": Lookup("secretsmanager", "describe_secret", _by_arn("SecretId")),
    "AWS::WAFv2::WebACL": Lookup("wafv2", "get_web_acl", _web_acl),
}
