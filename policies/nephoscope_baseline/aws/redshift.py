"""Rules on Redshift clusters and the parameter groups that they use."""

from __future__ import annotations

from typing import Any

from nephoscope.domain import Fail, NotKnown, Severity, Unknown, View, rule
from nephoscope_aws.access import is_on
from nephoscope_aws.databases import given

CLUSTER = "AWS::Redshift::Cluster"
PARAMETER_GROUP = "AWS::Redshift::ClusterParameterGroup"

GUIDE = "https://docs.aws.amazon.com/redshift/latest/mgmt/"

# What an absent setting means: https://docs.aws.amazon.com/redshift/latest/APIReference/API_CreateCluster.html


def _group(value: Any, family: str = "redshift-1.0") -> dict[str, Any]:
    """An example: a parameter group that sets require_ssl among others."""
    return {
        "ParameterGroupFamily": family,
        "Parameters": [
            {"ParameterName": "enable_user_activity_logging", "ParameterValue": "true"},
            {"ParameterName": "require_ssl", "ParameterValue": value},
        ],
    }


@rule(
    "aws.redshift.public",
    on=CLUSTER,
    severity=Severity.CRITICAL,
    link=GUIDE + "managing-clusters-vpc.html",
    fix="""
        1. Find out who connects from outside, and give them a VPN or a managed VPC endpoint instead.
        2. In the Redshift console, select the cluster, choose Actions, Modify publicly accessible setting, and turn it
           off.
        3. Remove internet ranges from the cluster's security groups too.
    """,
    commands="""
        aws redshift modify-cluster --region={region} --cluster-identifier={name} --no-publicly-accessible
    """,
    remediations=("aws.redshift.keep_private",),
    good=[{"PubliclyAccessible": False}, {"PubliclyAccessible": "false"}, {}],
    bad=[{"PubliclyAccessible": True}, {"PubliclyAccessible": "true"}],
)
def public(cluster: View) -> bool:
    """Redshift cluster is public.

    A data warehouse concentrates a company's data, and its endpoint resolves to a public IP address. One bad security
    group rule then lets strangers try passwords.
    """
    return not is_on(cluster["PubliclyAccessible"])


@rule(
    "aws.redshift.encrypted",
    on=CLUSTER,
    severity=Severity.MEDIUM,
    link=GUIDE + "changing-cluster-encryption.html",
    fix="""
        1. In the Redshift console, select the cluster, choose Properties, Database configurations, Edit, Edit
           encryption, and select a KMS key.
        2. The cluster migrates its data and can be read meanwhile. Delete the unencrypted snapshots afterwards.
    """,
    commands="""
        aws redshift modify-cluster --region={region} --cluster-identifier={name} --encrypted --kms-key-id={KEY_ID}
    """,
    inputs={
        "KEY_ID": "the ID of the KMS key",
    },
    good=[{"Encrypted": True}, {"Encrypted": "true"}, {"NodeType": "ra3.large"}],
    bad=[{"Encrypted": False}, {"Encrypted": None}],
)
def encrypted(cluster: View) -> bool:
    """Redshift cluster is not encrypted at rest.

    Its tables and snapshots can be read by anyone who obtains a copy. With encryption, reading them also requires
    access to the KMS key.
    """
    if "Encrypted" not in cluster:
        if given(cluster, "SnapshotIdentifier"):
            raise NotKnown("Encrypted", Unknown("it depends on the snapshot that the cluster is restored from"))
        return True
    return is_on(cluster["Encrypted"])


@rule(
    "aws.redshift.ssl",
    on=PARAMETER_GROUP,
    severity=Severity.MEDIUM,
    link=GUIDE + "connecting-ssl-support.html",
    fix="""
        1. Make sure that all clients use TLS.
        2. A default parameter group cannot be changed. Create one of the same family.
        3. In the Redshift console, choose Configurations, Workload management, select the group, Parameters, Edit
           parameters, and set require_ssl to true.
        4. Assign a new group to the cluster, and reboot it.
    """,
    commands="""
        aws redshift modify-cluster-parameter-group --region={region} --parameter-group-name={name}
          --parameters=ParameterName=require_ssl,ParameterValue=true

        aws redshift reboot-cluster --region={region} --cluster-identifier={CLUSTER_ID}
    """,
    inputs={
        "CLUSTER_ID": "a cluster that uses the group, to be rebooted",
    },
    remediations=("aws.redshift.require_tls",),
    good=[_group("true"), _group(True), {"ParameterGroupFamily": "redshift-2.0"}],
    bad=[
        _group("false"),
        _group("false", "redshift-2.0"),
        {"ParameterGroupFamily": "redshift-1.0"},
        {"ParameterGroupFamily": "redshift-1.0", "Parameters": [{"ParameterName": "statement_timeout"}]},
    ],
)
def ssl(group: View) -> bool | Fail:
    """Redshift parameter group does not require TLS.

    A client that does not ask for TLS sends queries, results and passwords in plaintext. The cluster can refuse such
    connections, whatever the client's settings.
    """
    held = group["Parameters"]
    for parameter in held if isinstance(held, View) and held.is_list else ():
        if isinstance(parameter, View) and parameter["ParameterName"] == "require_ssl":
            return True if is_on(parameter["ParameterValue"]) else Fail("require_ssl is off", parameter)
    # The second family demands TLS: https://docs.aws.amazon.com/redshift/latest/mgmt/behavior-changes.html
    return group["ParameterGroupFamily"] == "redshift-2.0" or Fail("require_ssl is not set", "Parameters")


@rule(
    "aws.redshift.audit",
    on=CLUSTER,
    severity=Severity.MEDIUM,
    link=GUIDE + "db-auditing.html",
    fix="""
        1. In the Redshift console, select the cluster, choose Properties, Database configurations, Edit, Edit audit
           logging, and turn it on, with CloudWatch Logs or a bucket as destination.
        2. To log queries as well, set enable_user_activity_logging to true in the cluster's parameter group.
    """,
    commands="""
        aws redshift enable-logging --region={region} --cluster-identifier={name} --log-destination-type=cloudwatch
          --log-exports='["connectionlog", "userlog", "useractivitylog"]'
    """,
    remediations=("aws.redshift.enable_audit_logging",),
    good=[
        {"LoggingProperties": {"BucketName": "audit-logs", "S3KeyPrefix": "redshift/"}},
        {"LoggingProperties": {"LogDestinationType": "cloudwatch", "LogExports": ["connectionlog"]}},
    ],
    bad=[{"LoggingProperties": None}, {"LoggingProperties": {}}, {"LoggingProperties": {"S3KeyPrefix": "x"}}, {}],
)
def audit(cluster: View) -> bool | Fail:
    """Redshift audit logging is off.

    After an incident nobody can tell who signed in and what they read. Failed sign-in attempts go unnoticed as well.
    """
    where = cluster["LoggingProperties"]
    if isinstance(where, View) and (where["BucketName"] or where["LogDestinationType"] or where["LogExports"]):
        return True
    return Fail("Audit logging is not enabled", "LoggingProperties")
