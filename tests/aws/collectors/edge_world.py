"""The account at the edge: one right and one wrong thing of each type, said to be so by their names."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.aws.collectors.world import ACCOUNT, REGION

from nephoscope_aws_simulator.testing import Simulator

HOME = "us-east-1"
NOW = datetime.now(UTC)
LOGS = f"arn:aws:logs:us-east-1:{ACCOUNT}:delivery-destination:logs"
CERTIFICATE = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/1a2b3c4d"
PASSWORD = "correct horse battery"


def seed(simulator: Simulator) -> None:
    for part in (
        seed_elb,
        seed_classic,
        seed_cloudfront,
        seed_rest,
        seed_http_and_websocket,
        seed_waf,
        seed_acm,
        seed_autoscaling,
        seed_lambda,
        seed_codebuild,
    ):
        part(simulator)


def seed_elb(simulator: Simulator) -> None:
    ec2, elb = simulator.client("ec2", REGION), simulator.client("elbv2", REGION)
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"][:2]]
    for name in ("right", "wrong"):
        arn = elb.create_load_balancer(Name=name, Subnets=subnets, Tags=[{"Key": "kind", "Value": name}])[
            "LoadBalancers"
        ][0]["LoadBalancerArn"]
        target = elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=_vpc(ec2))["TargetGroups"][0]
        forward = {"Type": "forward", "TargetGroupArn": target["TargetGroupArn"]}
        redirect = {
            "Type": "redirect",
            "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
        }
        right = name == "right"
        elb.create_listener(
            LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=[redirect if right else forward]
        )
        if right:
            holey = elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=8080, DefaultActions=[redirect])
            elb.create_rule(
                ListenerArn=holey["Listeners"][0]["ListenerArn"],
                Priority=7,
                Conditions=[{"Field": "path-pattern", "Values": ["/api/*"]}],
                Actions=[forward],
            )
        policy = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06" if right else "ELBSecurityPolicy-2016-08"
        certificate = f"arn:aws:iam::{ACCOUNT}:server-certificate/site"
        elb.create_listener(
            LoadBalancerArn=arn,
            Protocol="HTTPS",
            Port=443,
            DefaultActions=[forward],
            SslPolicy=policy,
            Certificates=[{"CertificateArn": certificate}],
        )
        if right:
            keys = ("routing.http.drop_invalid_header_fields.enabled", "deletion_protection.enabled")
            elb.modify_load_balancer_attributes(
                LoadBalancerArn=arn,
                Attributes=[
                    {"Key": "access_logs.s3.enabled", "Value": "true"},
                    {"Key": "access_logs.s3.bucket", "Value": "logs"},
                    *({"Key": key, "Value": "true"} for key in keys),
                ],
            )
    elb.create_load_balancer(Name="net", Subnets=subnets, Type="network")


def _vpc(ec2: Any) -> str:
    return str(ec2.describe_vpcs()["Vpcs"][0]["VpcId"])


def seed_classic(simulator: Simulator) -> None:
    elb = simulator.client("elb", REGION)
    for name in ("classic-right", "classic-wrong"):
        elb.create_load_balancer(
            LoadBalancerName=name,
            AvailabilityZones=[f"{REGION}a"],
            Tags=[{"Key": "kind", "Value": name}],
            Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}],
        )
        elb.modify_load_balancer_attributes(
            LoadBalancerName=name,
            LoadBalancerAttributes={
                "AccessLog": {"Enabled": name == "classic-right", "S3BucketName": "logs", "EmitInterval": 60}
            },
        )


def seed_cloudfront(simulator: Simulator) -> None:
    cloudfront, logs = simulator.client("cloudfront"), simulator.client("logs", HOME)
    _distribution(cloudfront, "right", "redirect-to-https", ["TLSv1.2"], "E2QWRUHAPOMQZL", logging=True, acl="acl-1")
    _distribution(cloudfront, "wrong", "allow-all", ["SSLv3", "TLSv1"], "", logging=False, acl="")
    arn = _distribution(cloudfront, "delivered", "https-only", ["TLSv1.2"], "", logging=False, acl="")
    logs.put_delivery_source(name="site", resourceArn=arn, logType="ACCESS_LOGS")
    logs.put_delivery_destination(
        name="logs", deliveryDestinationConfiguration={"destinationResourceArn": "arn:aws:s3:::logs"}
    )
    logs.create_delivery(deliverySourceName="site", deliveryDestinationArn=LOGS)


def _distribution(
    cloudfront: Any, name: str, viewers: str, protocols: list[str], control: str, *, logging: bool, acl: str
) -> str:
    behavior = {
        "ViewerProtocolPolicy": viewers,
        "MinTTL": 0,
        "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
    }
    custom = {
        "HTTPPort": 80,
        "HTTPSPort": 443,
        "OriginProtocolPolicy": "http-only" if name == "wrong" else "https-only",
        "OriginSslProtocols": {"Quantity": len(protocols), "Items": protocols},
    }
    secret = {"Quantity": 1, "Items": [{"HeaderName": "x-shared", "HeaderValue": PASSWORD}]}
    origins = [
        {
            "Id": "bucket",
            "DomainName": f"{name}.s3.{REGION}.amazonaws.com",
            "OriginAccessControlId": control,
            "S3OriginConfig": {"OriginAccessIdentity": ""},
        },
        {"Id": "server", "DomainName": "www.example.com", "CustomOriginConfig": custom, "CustomHeaders": secret},
    ]
    created = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": name,
            "Comment": name,
            "Enabled": True,
            "WebACLId": acl,
            "Aliases": {"Quantity": 1, "Items": [f"{name}.example.com"]},
            "Origins": {"Quantity": 2, "Items": origins},
            "DefaultCacheBehavior": {"TargetOriginId": "bucket", **behavior},
            "ViewerCertificate": {}
            if name == "wrong"
            else {"ACMCertificateArn": CERTIFICATE, "CloudFrontDefaultCertificate": False},
            "Logging": {
                "Enabled": logging,
                "IncludeCookies": False,
                "Bucket": "logs.s3.amazonaws.com" if logging else "",
                "Prefix": "",
            },
        }
    )
    return str(created["Distribution"]["ARN"])


def seed_rest(simulator: Simulator) -> None:
    client = simulator.client("apigateway", REGION)
    api = client.create_rest_api(name="shop")["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    client.put_method(restApiId=api, resourceId=root, httpMethod="GET", authorizationType="NONE")
    client.put_integration(restApiId=api, resourceId=root, httpMethod="GET", type="MOCK")
    deployment = client.create_deployment(restApiId=api)["id"]
    for name in ("right", "wrong"):
        client.create_stage(restApiId=api, stageName=name, deploymentId=deployment, tags={"kind": name})
    client.update_stage(
        restApiId=api,
        stageName="right",
        patchOperations=[{"op": "replace", "path": "/*/*/logging/loglevel", "value": "ERROR"}],
    )


def seed_http_and_websocket(simulator: Simulator) -> None:
    client = simulator.client("apigatewayv2", REGION)
    http = client.create_api(Name="web", ProtocolType="HTTP")["ApiId"]
    client.create_stage(ApiId=http, StageName="live")
    client.create_route(ApiId=http, RouteKey="GET /right", AuthorizationType="AWS_IAM")
    client.create_route(ApiId=http, RouteKey="GET /wrong")
    socket = client.create_api(Name="chat", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action")[
        "ApiId"
    ]
    client.create_stage(ApiId=socket, StageName="right", DefaultRouteSettings={"LoggingLevel": "INFO"})
    client.create_stage(ApiId=socket, StageName="wrong")
    client.create_route(ApiId=socket, RouteKey="$connect", AuthorizationType="NONE")
    client.create_route(ApiId=socket, RouteKey="send", AuthorizationType="NONE")


def seed_waf(simulator: Simulator) -> None:
    for region, scope, suffix in ((REGION, "REGIONAL", ""), (HOME, "CLOUDFRONT", "-global")):
        client = simulator.client("wafv2", region)
        for name in (f"right{suffix}", f"wrong{suffix}"):
            metrics = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}
            arn = client.create_web_acl(
                Name=name, Scope=scope, DefaultAction={"Allow": {}}, Description="guards", VisibilityConfig=metrics
            )["Summary"]["ARN"]
            if name.startswith("right"):
                destination = f"arn:aws:firehose:{region}:{ACCOUNT}:deliverystream/aws-waf-logs-site"
                client.put_logging_configuration(
                    LoggingConfiguration={"ResourceArn": arn, "LogDestinationConfigs": [destination]}
                )


def seed_acm(simulator: Simulator) -> None:
    acm = simulator.client("acm", REGION)
    for name, days in (("right.example.com", 300), ("wrong.example.com", 10)):
        certificate, key = _certificate(name, days)
        acm.import_certificate(Certificate=certificate, PrivateKey=key)


def _certificate(name: str, days: int) -> tuple[bytes, bytes]:
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=days))
    signed = builder.serial_number(days).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    return signed.public_bytes(pem), key.private_bytes(
        pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def seed_autoscaling(simulator: Simulator) -> None:
    client = simulator.client("autoscaling", REGION)
    for name in ("right", "wrong"):
        client.create_launch_configuration(
            LaunchConfigurationName=name,
            ImageId="ami-12c6146b",
            InstanceType="t3.micro",
            SecurityGroups=["sg-1"],
            AssociatePublicIpAddress=name == "wrong",
            UserData=PASSWORD,
            MetadataOptions={"HttpTokens": "required" if name == "right" else "optional"},
        )


def seed_lambda(simulator: Simulator) -> None:
    role = simulator.client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    client = simulator.client("lambda", REGION)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("f.py", "")
    for name, runtime, variables in (
        ("right", "python3.14", {"STAGE": "prod"}),
        ("wrong", "python3.8", {"DB_PASSWORD": PASSWORD}),
    ):
        client.create_function(
            FunctionName=name,
            Runtime=runtime,
            Role=role,
            Handler="f.f",
            Code={"ZipFile": code.getvalue()},
            Environment={"Variables": variables},
        )
        client.create_function_url_config(FunctionName=name, AuthType="AWS_IAM" if name == "right" else "NONE")
    client.add_permission(
        FunctionName="right",
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceAccount=ACCOUNT,
    )
    client.add_permission(FunctionName="wrong", StatementId="s", Action="lambda:InvokeFunction", Principal="*")
    client.create_function(
        FunctionName="bare", Runtime="custom", Role=role, Handler="f.f", Code={"ZipFile": code.getvalue()}
    )


def seed_codebuild(simulator: Simulator) -> None:
    client = simulator.client("codebuild", REGION)
    for name, type in (("right", "SECRETS_MANAGER"), ("wrong", "PLAINTEXT")):
        client.create_project(
            name=name,
            source={"type": "S3", "location": "bucket/path"},
            artifacts={"type": "NO_ARTIFACTS"},
            serviceRole=f"arn:aws:iam::{ACCOUNT}:role/service-role/build",
            tags=[{"key": "kind", "value": name}],
            environment={
                "type": "LINUX_CONTAINER",
                "image": "image",
                "computeType": "BUILD_GENERAL1_SMALL",
                "environmentVariables": [{"name": "AWS_SECRET_ACCESS_KEY", "value": PASSWORD, "type": type}],
            },
        )
