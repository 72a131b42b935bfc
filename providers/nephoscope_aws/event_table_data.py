"""The part of the table of events about services that keep data: stores, databases, images and backups."""

from __future__ import annotations

from nephoscope_aws.collectors import account, dynamodb, ecr, rds_groups, rds_shapes, s3, s3control
from nephoscope_aws.event_kinds import ACCOUNT_ID, Always, Kind, Source

DATA_SOURCES: dict[str, Source] = {
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
            Always(r"AccountPublicAccessBlock", "account", account.ACCOUNT, ACCOUNT_ID),
            Always(r"AccountPublicAccessBlock", "s3"),
        ),
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
            Kind(
                "rds",
                rds_groups.CLUSTER_GROUP,
                "",
                ("dbclusterparametergroupname",),
                r"DBClusterParameterGroup",
                made=False,
            ),
            Kind("rds", rds_groups.PARAMETER_GROUP, "", ("dbparametergroupname",), r"DBParameterGroup", made=False),
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
}
