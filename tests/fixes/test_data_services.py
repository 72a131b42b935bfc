"""What fixes of Redshift, DynamoDB, EFS and ElastiCache refuse and say."""

from __future__ import annotations

from dataclasses import replace

from tests.fixes.refusals import planned, refused
from tests.fixes.rounds import dynamodb, efs, elasticache, redshift
from tests.fixes.rounds.round import Made

from nephoscope.domain import LiveSession
from nephoscope_aws_simulator.testing import Cloud

AUDIT = ("aws.redshift.enable_audit_logging", "aws.redshift.audit")
PROTECTION = ("aws.dynamodb.enable_deletion_protection", "aws.dynamodb.deletion_protection")
RECOVERY = ("aws.dynamodb.enable_pitr", "aws.dynamodb.pitr")
BACKUPS = ("aws.efs.enable_backups", "aws.efs.backup")
TRANSIT = ("aws.elasticache.accept_tls", "aws.elasticache.transit")


def _set(cloud: Cloud, of: str, id: str, member: str, value: object) -> None:
    """Have a thing be what no API makes it."""
    where = {"account": cloud.account, "region": "us-east-1", "of": of, "id": id}
    cloud.control("patch", {"kind": "status", **where, "member": member, "status": value})


def test_a_warehouse_that_logs_already_or_is_gone_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    made = redshift.cluster(simulator, "logged", PubliclyAccessible=True)
    simulator.client("redshift").enable_logging(ClusterIdentifier="logged", BucketName="logs")
    assert refused(session, *AUDIT, made) == "it is so already."
    gone = replace(made, id=made.id.replace("logged", "gone"), name="gone")
    for fix in (AUDIT, ("aws.redshift.keep_private", "aws.redshift.public")):
        assert refused(session, *fix, gone) == "it does not exist any more."


def test_a_warehouse_that_is_resized_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    made = redshift.cluster(simulator, "resized", PubliclyAccessible=True)
    _set(simulator, "redshift.clusters", "resized", "cluster_status", "resizing")
    said = refused(session, "aws.redshift.keep_private", "aws.redshift.public", made)
    assert said.startswith("it is resizing, and AWS changes it only when it is available.")


def test_a_public_warehouse_gets_its_address_back(simulator: Cloud, session: LiveSession) -> None:
    made = redshift.cluster(simulator, "with-address", PubliclyAccessible=True)
    address = {"ElasticIp": "203.0.113.7", "Status": "active"}
    _set(simulator, "redshift.clusters", "with-address", "elastic_ip_status", address)
    [step] = planned(session, "aws.redshift.keep_private", "aws.redshift.public", made).steps
    assert step.inverse
    assert step.inverse.body["parameters"]["ElasticIp"] == "203.0.113.7"
    assert "ElasticIp" not in step.call.body["parameters"]


def test_a_default_parameter_group_of_redshift_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    redshift.cluster(simulator, "by-default")
    name = "default.redshift-1.0"
    kind = "AWS::Redshift::ClusterParameterGroup"
    made = Made(kind, f"{redshift.ARN}:parametergroup:{name}", name, dict, dict)
    said = refused(session, "aws.redshift.require_tls", "aws.redshift.ssl", made)
    assert said.startswith("AWS’s default parameter groups cannot be changed.")


def test_a_table_that_is_being_changed_or_is_gone_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    made = dynamodb.table(simulator, "changing")
    gone = replace(made, id=made.id.replace("changing", "gone"), name="gone")
    for fix in (PROTECTION, RECOVERY):
        assert refused(session, *fix, gone) == "it does not exist any more."
    assert "cannot be restored to any time before that" in planned(session, *RECOVERY, made).losses[0]
    _set(simulator, "dynamodb.tables", "changing", "status", "UPDATING")
    assert refused(session, *PROTECTION, made).startswith("it is UPDATING, and AWS changes it only when it is ACTIVE.")


def test_a_file_system_that_is_backed_up_or_gone_is_left_out(simulator: Cloud, session: LiveSession) -> None:
    made = efs.system(simulator, "backed-up", "ENABLED")
    assert refused(session, *BACKUPS, made) == "it is so already."
    gone = replace(made, id=f"{made.id[:-4]}0000", properties={"FileSystemId": "fs-0000"})
    assert refused(session, *BACKUPS, gone) == "it does not exist any more."


def test_an_old_redis_and_changes_that_wait_are_left_out(simulator: Cloud, session: LiveSession) -> None:
    made = elasticache.group(simulator, "waiting", Engine="redis")
    _set(simulator, "elasticache.replication_groups", "waiting", "pending_modified_values", {"Resharding": {}})
    assert refused(session, *TRANSIT, made).startswith("other changes wait for its maintenance window (Resharding)")
    _set(simulator, "elasticache.replication_groups", "waiting", "pending_modified_values", None)
    node = simulator.client("elasticache").describe_replication_groups(ReplicationGroupId="waiting")
    [id, *_] = node["ReplicationGroups"][0]["MemberClusters"]
    simulator.client("elasticache").create_cache_cluster(
        CacheClusterId=id, Engine="redis", EngineVersion="6.2.6", CacheNodeType="cache.t3.small", NumCacheNodes=1
    )
    assert refused(session, *TRANSIT, made) == "Redis OSS 6.2.6 cannot turn it on later. Upgrade it to 7 first."
