"""Functions: who may invoke them, on which runtime, and what their environment holds."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from tests.truth.account import ABROAD, ALL_THREE, FAR, HOME, Truth, holds
from tests.truth.people import PARTNER
from tests.truth.variables import HARMLESS, SECRETS


def _code() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("f.py", "")
    return held.getvalue()


CODE = _code()


def _made(truth: Truth, name: str, region: str = HOME, **settings: Any) -> None:
    role = f"arn:aws:iam::{truth.cloud.account}:role/runs"
    given = {"Runtime": "python3.13", "Handler": "f.f", "Code": {"ZipFile": CODE}, **settings}
    given = {name: each for name, each in given.items() if each}
    truth.client("lambda", region).create_function(FunctionName=name, Role=role, **given)


def _role(truth: Truth) -> None:
    truth.client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument="{}")


OWN = {"SourceAccount": PARTNER}
TOPIC = {"SourceArn": f"arn:aws:sns:eu-west-1:{PARTNER}:news"}
URL = {"Action": "lambda:InvokeFunctionUrl"}

INVOKERS: dict[str, tuple[bool, list[dict[str, Any]]]] = {
    "nobody": (False, []),
    "partner": (False, [{"Principal": PARTNER}]),
    "role": (False, [{"Principal": f"arn:aws:iam::{PARTNER}:role/app"}]),
    "events": (
        False,
        [{"Principal": "events.amazonaws.com", "SourceArn": f"arn:aws:events:eu-west-1:{PARTNER}:rule/r"}],
    ),
    "events-of-anyone": (False, [{"Principal": "events.amazonaws.com"}]),
    "bucket-of-account": (False, [{"Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::b", **OWN}]),
    "bucket": (False, [{"Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::b"}]),
    "any-bucket-of-account": (False, [{"Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::*", **OWN}]),
    "organization": (False, [{"Principal": "*", "PrincipalOrgID": "o-a1b2c3d4e5"}]),
    "anyone-through-topic": (False, [{"Principal": "*", **TOPIC}]),
    "anyone-of-account": (False, [{"Principal": "*", **OWN}]),
    "anyone": (True, [{"Principal": "*"}]),
    "any-bucket": (True, [{"Principal": "s3.amazonaws.com"}]),
    "any-bucket-by-pattern": (True, [{"Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::*"}]),
    "anyone-through-any-topic": (True, [{"Principal": "*", "SourceArn": "arn:aws:sns:*:*:*"}]),
    "url-of-anyone": (True, [{"Principal": "*", "FunctionUrlAuthType": "NONE", **URL}]),
    "url-of-any-login": (True, [{"Principal": "*", "FunctionUrlAuthType": "AWS_IAM", **URL}]),
    "second": (True, [{"Principal": PARTNER}, {"Principal": "events.amazonaws.com"}, {"Principal": "*"}]),
    "second-is-bucket": (True, [{"Principal": PARTNER}, {"Principal": "s3.amazonaws.com"}]),
    "configures": (True, [{"Principal": "*", "Action": "lambda:GetFunction"}]),
}
"""Whether a function is open, and what AddPermission was asked for."""

RUNTIMES = {
    "fails": "python2.7 python3.8 python3.9 python3.10 nodejs nodejs12.x nodejs18.x nodejs20.x java8 go1.x provided"
    " provided.al2 dotnetcore3.1 dotnet6 dotnet8 ruby2.7 ruby3.2",
    "passes": "python3.11 python3.12 python3.13 python3.14 nodejs22.x nodejs24.x java8.al2 java11 java17 java21 java25"
    " provided.al2023 dotnet10 ruby3.3 ruby3.4",
    "unknown": "python4.0 rust1.x",
}
"""Runtimes as of 2026-11-29. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"""


@holds()
def functions(truth: Truth) -> None:
    """One function for each invoker and each runtime; in the other region the policies are hidden."""
    _role(truth)
    for name, (is_open, permissions) in INVOKERS.items():
        _made(truth, name)
        for number, permission in enumerate(permissions):
            asked = {"FunctionName": name, "StatementId": f"s{number}", "Action": "lambda:InvokeFunction"}
            truth.client("lambda").add_permission(**asked | permission)
        verdict = "fails" if is_open else "passes"
        truth.judged(name, **{verdict: "public"})
    for verdict, runtimes in RUNTIMES.items():
        for runtime in runtimes.split():
            name = f"on-{runtime.replace('.', '_')}"
            _made(truth, name, Runtime=runtime)
            truth.judged(name, **{verdict: "runtime"})
    _image(truth)
    _qualified(truth)
    _made(truth, "hidden", ABROAD)
    truth.cloud.control("deny", actions=["lambda:GetPolicy"], regions=[ABROAD])
    truth.judged("hidden", unknown="public", passes="runtime", skipped="env_secrets")


def _qualified(truth: Truth) -> None:
    """Aliases and versions have policies of their own, beside the function's."""
    client = truth.client("lambda")
    for name, qualifier, principal, right in [
        ("alias-of-partner", "live", PARTNER, True),
        ("alias-of-anyone", "live", "*", False),
        ("version-of-anyone", "1", "*", False),
        ("alias-of-any-bucket", "live", "s3.amazonaws.com", False),
    ]:
        _made(truth, name)
        client.publish_version(FunctionName=name)
        client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        asked = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": principal}
        client.add_permission(FunctionName=name, Qualifier=qualifier, **asked)
        truth.judged(name, **{"passes" if right else "fails": "public"})


def _image(truth: Truth) -> None:
    """Images bring their own runtime, whatever their age is."""
    held = f"{truth.cloud.account}.dkr.ecr.{HOME}.amazonaws.com/web:1"
    _made(truth, "image", Runtime="", Handler="", PackageType="Image", Code={"ImageUri": held})
    truth.judged("image", skipped="runtime", passes="public")


@holds()
def environments(truth: Truth) -> None:
    """One function for each variable; some have several, of which one is wrong."""
    _role(truth)
    for verdict, variables in {"fails": SECRETS, "passes": HARMLESS}.items():
        for number, (name, value) in enumerate(variables.items()):
            function = f"{verdict}-{number}-{name}"
            _made(truth, function, Environment={"Variables": {"STAGE": "prod", name: value, "ZONE": "a"}})
            truth.judged(function, **{verdict: "env_secrets"})
    _made(truth, "no-variables", Environment={"Variables": {}})
    _made(truth, "unset")
    _made(truth, "all-harmless", Environment={"Variables": HARMLESS})
    truth.judged("no-variables", skipped="env_secrets")
    truth.judged("unset", skipped="env_secrets")
    truth.judged("all-harmless", passes="env_secrets")


@holds(regions=ALL_THREE)
def urls(truth: Truth) -> None:
    """URLs of functions by who may call them; in the other region they are hidden."""
    _role(truth)
    for name, auth, verdict in [("signed", "AWS_IAM", "passes"), ("unsigned", "NONE", "fails")]:
        _made(truth, name)
        truth.client("lambda").create_function_url_config(FunctionName=name, AuthType=auth)
        truth.judged(f"arn:aws:lambda:{HOME}:{truth.cloud.account}:function:{name}/url", **{verdict: "url_auth"})
    _made(truth, "changed")
    truth.client("lambda").create_function_url_config(FunctionName="changed", AuthType="AWS_IAM")
    truth.client("lambda").update_function_url_config(FunctionName="changed", AuthType="NONE")
    truth.judged(f"arn:aws:lambda:{HOME}:{truth.cloud.account}:function:changed/url", fails="url_auth")
    _made(truth, "without")
    _made(truth, "hidden", ABROAD)
    truth.client("lambda", ABROAD).create_function_url_config(FunctionName="hidden", AuthType="AWS_IAM")
    truth.cloud.control("deny", actions=["lambda:ListFunctionUrlConfigs"], regions=[ABROAD])
    truth.judged(f"All AWS::Lambda::Url in {ABROAD}", unknown="url_auth")
    truth.judged("hidden", passes="public runtime")
    truth.cloud.control("deny", actions=["lambda:ListFunctions"], regions=[FAR])
    truth.judged(f"All AWS::Lambda::Function in {FAR}", unknown="public runtime env_secrets")
    truth.judged(f"All AWS::Lambda::Url in {FAR}", unknown="url_auth")
