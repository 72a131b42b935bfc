"""One module per service. A new one is a module that ends with COLLECTOR, and its name here."""

from __future__ import annotations

from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors import (
    accessanalyzer,
    account,
    acm,
    apigateway,
    autoscaling,
    backup,
    cloudfront,
    cloudtrail,
    cloudwatch,
    codebuild,
    config,
    contacts,
    dms,
    dynamodb,
    ebs,
    ec2,
    ecr,
    ecs,
    efs,
    eks,
    elasticache,
    elb,
    emr,
    guardduty,
    iam,
    inspector,
    kms,
    lambda_,
    logs,
    macie,
    opensearch,
    rds,
    redshift,
    s3,
    s3control,
    sagemaker,
    secretsmanager,
    securityhub,
    sns,
    sqs,
    ssm,
    vpc,
    waf,
)

ALL: dict[str, Collector] = {
    module.COLLECTOR.service.id: module.COLLECTOR
    for module in (
        account, iam, s3, s3control, ec2, vpc, ebs, cloudtrail, kms, dynamodb, efs, elasticache, opensearch,
        dms, emr, sagemaker, backup,
        eks, ecs, ecr, ssm, secretsmanager, sqs, sns,
        rds, redshift,
        contacts, logs, cloudwatch, config, guardduty, securityhub, macie, inspector, accessanalyzer,
        elb, cloudfront, apigateway, waf, acm, autoscaling, lambda_, codebuild,
    )
}  # fmt: skip
"""Every collector by the id of its service, in the order in which services are listed and planned."""
