"""The plugin ``baseline``: rules on what clouds should look like, and the frameworks that they answer."""

from __future__ import annotations

from pathlib import Path

from nephoscope.domain import Framework, Rule, rules_in
from nephoscope.hookspecs import hookimpl
from nephoscope_baseline import (
    aws_accessanalyzer,
    aws_account,
    aws_acm,
    aws_apigateway,
    aws_autoscaling,
    aws_backup,
    aws_cloudfront,
    aws_cloudtrail,
    aws_cloudwatch,
    aws_codebuild,
    aws_config,
    aws_dms,
    aws_docdb,
    aws_dynamodb,
    aws_ec2,
    aws_ec2_network,
    aws_ec2_storage,
    aws_ecr,
    aws_ecs,
    aws_efs,
    aws_eks,
    aws_elasticache,
    aws_elb,
    aws_emr,
    aws_guardduty,
    aws_iam,
    aws_inspector,
    aws_kms,
    aws_lambda,
    aws_macie,
    aws_neptune,
    aws_opensearch,
    aws_rds,
    aws_rds_clusters,
    aws_redshift,
    aws_s3,
    aws_sagemaker,
    aws_secretsmanager,
    aws_securityhub,
    aws_sns,
    aws_sqs,
    aws_ssm,
    aws_waf,
)
from nephoscope_baseline.frameworks import load


@hookimpl
def register_rules() -> list[Rule]:
    return rules_in(
        aws_iam,
        aws_s3,
        aws_ec2,
        aws_ec2_network,
        aws_ec2_storage,
        aws_cloudtrail,
        aws_kms,
        aws_dynamodb,
        aws_efs,
        aws_elasticache,
        aws_opensearch,
        aws_dms,
        aws_emr,
        aws_sagemaker,
        aws_backup,
        aws_eks,
        aws_ecs,
        aws_ecr,
        aws_ssm,
        aws_secretsmanager,
        aws_sqs,
        aws_sns,
        aws_rds,
        aws_rds_clusters,
        aws_docdb,
        aws_neptune,
        aws_redshift,
        aws_account,
        aws_cloudwatch,
        aws_config,
        aws_guardduty,
        aws_securityhub,
        aws_macie,
        aws_inspector,
        aws_accessanalyzer,
        aws_elb,
        aws_cloudfront,
        aws_apigateway,
        aws_waf,
        aws_acm,
        aws_autoscaling,
        aws_lambda,
        aws_codebuild,
    )


@hookimpl
def register_frameworks() -> list[Framework]:
    return load(Path(__file__).with_name("frameworks"))
