"""The resource of a call that names it in one parameter: by its ARN or by its name.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from urllib.parse import unquote

from nephoscope_aws_simulator.wire import Call

_NAMED: dict[str, dict[str, str]] = {
    "cloudfront": {"Id": "arn:aws:cloudfront::{account}:distribution/{name}"},
    "dynamodb": {"TableName": "arn:aws:dynamodb:{region}:{account}:table/{name}"},
    "ecr": {"repositoryName": "arn:aws:ecr:{region}:{account}:repository/{name}"},
    "eks": {"name": "arn:aws:eks:{region}:{account}:cluster/{name}"},
    "elasticache": {"ReplicationGroupId": "arn:aws:elasticache:{region}:{account}:replicationgroup:{name}"},
    "elasticfilesystem": {"FileSystemId": "arn:aws:elasticfilesystem:{region}:{account}:file-system/{name}"},
    "elasticloadbalancing": dict.fromkeys(("LoadBalancerArn", "ListenerArn", "RuleArn"), "{name}"),
    "es": {"DomainName": "arn:aws:es:{region}:{account}:domain/{name}"},
    "lambda": {"FunctionName": "arn:aws:lambda:{region}:{account}:function:{name}"},
    "rds": {
        "DBInstanceIdentifier": "arn:aws:rds:{region}:{account}:db:{name}",
        "DBClusterIdentifier": "arn:aws:rds:{region}:{account}:cluster:{name}",
        "DBSnapshotIdentifier": "arn:aws:rds:{region}:{account}:snapshot:{name}",
        "DBClusterSnapshotIdentifier": "arn:aws:rds:{region}:{account}:cluster-snapshot:{name}",
        "DBParameterGroupName": "arn:aws:rds:{region}:{account}:pg:{name}",
        "DBClusterParameterGroupName": "arn:aws:rds:{region}:{account}:cluster-pg:{name}",
    },
    "redshift": {
        "ClusterIdentifier": "arn:aws:redshift:{region}:{account}:cluster:{name}",
        "ParameterGroupName": "arn:aws:redshift:{region}:{account}:parametergroup:{name}",
    },
    "secretsmanager": {"SecretId": ""},
    "sns": {"TopicArn": "arn:aws:sns:{region}:{account}:{name}"},
    "sqs": {"QueueUrl": "arn:aws:sqs:{region}:{account}:{name}"},
}
"""By service: the parameters that name a resource, and the ARN of what each names; empty where that ends at random."""


def named(call: Call, account: str) -> list[str | None]:
    """Return the ARN of what a call names, None where that cannot be told."""
    for parameter, form in _NAMED.get(call.service, {}).items():
        if isinstance(given := call.params.get(parameter), str) and given:
            name = unquote(given)
            if name.startswith("arn:"):
                return [name]
            # The address of a queue ends with its name.
            last = name.rpartition("/")[2] if parameter == "QueueUrl" else name
            return [form.format(region=call.region, account=account, name=last) or None]
    return [None]
