"""Rules on Lambda functions and their URLs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import Any

from nephoscope.domain import Fail, NotKnown, ResourceView, Severity, Unknown, View, rule
from nephoscope_aws.access_conditions import pins
from nephoscope_aws.access_grants import open_grants
from nephoscope_aws.access_policies import members, principals, statements
from nephoscope_aws.plain_secrets import plain_secret
from nephoscope_baseline.aws.lambda_runtimes import DEPRECATED_ON, TABLE_OF

FUNCTION = "AWS::Lambda::Function"
URL = "AWS::Lambda::Url"
S3 = "s3.amazonaws.com"

MAX_SHOWN = 3
"""Variables that a message names."""

MAX_NAME = 128
"""Characters of an alias's name: Lambda allows no more."""


def _policy(principal: Any, condition: dict[str, Any] | None = None, action: str = "lambda:InvokeFunction") -> Any:
    """An example: a function whose policy is one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "arn:aws:lambda:::f"}
    return {"Policy": {"Statement": [statement | ({"Condition": condition} if condition else {})]}}


def _qualified(kind: str, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """An example: a function without a policy, and one of its aliases or versions that has one."""
    return {"Policy": None, "Observed": {"Qualifiers": [{"Kind": kind, "Name": name, **given}]}}


def _environment(variables: dict[str, Any]) -> dict[str, Any]:
    """An example: a function with these environment variables."""
    return {"Environment": {"Variables": variables}}


@rule(
    "aws.lambda.public",
    on=FUNCTION,
    severity=Severity.CRITICAL,
    link="https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html",
    fix="""
        1. In the Lambda console, choose the function, then Configuration, Permissions, Resource-based policy
           statements.
        2. For an alias or a version, choose it under Aliases or Versions first; the commands below then take its name
           as --qualifier.
        3. Delete the statement named in the finding, or replace its principal with the account or role that invokes the
           function.
        4. A statement for a service (such as S3) needs a source account: choose Edit, and enter it and the source ARN.
    """,
    commands="""
        aws lambda get-policy --region={region} --function-name={name}

        aws lambda remove-permission --region={region} --function-name={name} --statement-id={STATEMENT_ID}
    """,
    inputs={
        "STATEMENT_ID": "the Sid of the statement, which the first command lists",
    },
    remediations=("aws.lambda.remove_public_access",),
    good=[
        _policy({"AWS": "arn:aws:iam::123456789012:root"}),
        _policy({"Service": "events.amazonaws.com"}),
        _policy({"Service": S3}, {"StringEquals": {"AWS:SourceAccount": "123456789012"}}),
        _policy({"Service": S3}, {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:*:*:uploads"}}),
        _policy("*", {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        _policy("*", {"ArnLike": {"AWS:SourceArn": "arn:aws:sns:eu-west-1:123456789012:topic"}}),
        {"Policy": None, "Observed": {"Qualifiers": []}},
        _qualified("alias", "live", _policy({"Service": "events.amazonaws.com"})),
        {},
    ],
    bad=[
        _policy("*"),
        _policy({"AWS": "*"}),
        _policy({"Service": S3}),
        _policy({"Service": ["events.amazonaws.com", S3]}, {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::*"}}),
        _policy("*", {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}, "lambda:InvokeFunctionUrl"),
        _qualified("alias", "live", _policy("*")),
        _qualified("version", "3", _policy({"Service": S3})),
    ],
)
def public(function: ResourceView) -> bool | Fail:
    """Lambda function is public.

    Strangers can run it at your expense, feed it any input, and act with its role through any check that it misses. Its
    aliases and versions have policies of their own. A grant to S3 without a source account counts too: anyone can have
    a bucket that invokes it.
    """
    gaps: list[NotKnown] = []
    for name, own, read in _policies(function, gaps):
        try:
            policy = read()
            for grant in open_grants(policy, own=own):
                return Fail(f"{grant.who} can use {name}: policy allows {grant.actions}", grant.at)
            if at := _any_bucket(policy):
                return Fail(f"Any S3 bucket in any account can invoke {name}", at)
        except NotKnown as gap:
            gaps.append(gap)
    if gaps:
        raise gaps[0]
    return True


def _policies(function: ResourceView, gaps: list[NotKnown]) -> Iterator[tuple[str, str, Callable[[], Any]]]:
    """The function, its aliases and versions, each in words, its ARN, and its policy."""
    yield "this function", function.id, partial(function.key, "Policy")
    try:
        found = function["Observed.Qualifiers"]
    except NotKnown as gap:
        gaps.append(gap)
        return
    for each in members(found, gaps):
        if isinstance(each, View):
            try:
                name, kind = str(each.key("Name")), each.key("Kind")
            except NotKnown as gap:
                gaps.append(gap)
                continue
            yield f"{kind} '{name[:MAX_NAME]}' of this function", f"{function.id}:{name}", partial(each.key, "Policy")


def _any_bucket(policy: Any) -> str:
    """The path of a principal by which every bucket can invoke what has this policy; empty when there is none."""
    for statement in statements(policy, []):
        named = statement.key("Effect") == "Allow" and ("Service", S3) in principals(statement.key("Principal"))
        if named and not pins(statement.key("Condition")):
            return f"{statement.path}.Principal"
    return ""


@rule(
    "aws.lambda.runtime",
    on=FUNCTION,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
    fix="""
        1. Find the successor of the runtime in the table of the linked guide, and test the function with it.
        2. In the Lambda console, choose the function, then Code, Runtime settings, Edit, select it and save.
        3. For functions deployed from a template, change Runtime there, or the next deployment reverts it.
    """,
    commands="""
        aws lambda update-function-configuration --region={region} --function-name={name} --runtime={NEW_RUNTIME}
    """,
    inputs={
        "NEW_RUNTIME": "the successor of the runtime, such as python3.13",
    },
    good=[
        {"Runtime": "python3.13", "PackageType": "Zip"},
        {"Runtime": "provided.al2023"},
        {"Runtime": None, "PackageType": "Image"},
        {"Runtime": "custom"},
    ],
    bad=[
        {"Runtime": "python3.9", "PackageType": "Zip"},
        {"Runtime": "nodejs18.x"},
        {"Runtime": "go1.x"},
        {"Runtime": "java8"},
    ],
)
def runtime(function: ResourceView) -> bool | Fail | None:
    """Lambda function uses a deprecated runtime.

    AWS no longer patches or supports the runtime. Later it also blocks updates to the function.
    """
    name = function["Runtime"]
    # Images bring their own runtime; customer managed ones are an ARN or "custom", and their publisher's to retire.
    if not isinstance(name, str) or name == "custom" or name.startswith("arn:"):
        return None
    if name not in DEPRECATED_ON:
        raise NotKnown("Runtime", Unknown(f"{name[:80]} is not in AWS's table of {TABLE_OF}"))
    since = DEPRECATED_ON[name]
    if function.now.date() < date.fromisoformat(since):
        return True
    return Fail(f"{name} was deprecated on {since}", "Runtime")


@rule(
    "aws.lambda.url_auth",
    on=URL,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
    fix="""
        1. Find out who calls the URL. Callers in AWS can sign their requests; put CloudFront or API Gateway in front of
           a public site.
        2. In the Lambda console, choose the function, then Configuration, Function URL, Edit.
        3. Set Auth type to AWS_IAM and save.
    """,
    commands="""
        aws lambda update-function-url-config --region={region} --function-name={TargetFunctionArn} --auth-type=AWS_IAM
    """,
    remediations=("aws.lambda.require_url_auth",),
    good=[{"AuthType": "AWS_IAM", "TargetFunctionArn": "f"}, {"AuthType": "AWS_IAM", "Qualifier": "live"}],
    bad=[{"AuthType": "NONE", "TargetFunctionArn": "f"}, {"AuthType": None}, {}],
)
def url_auth(url: View) -> bool | Fail:
    """Lambda function URL requires no authentication.

    Anyone who learns or guesses the URL can invoke the function over the internet, as often as they like. Only the code
    itself then decides who can do what.
    """
    return url["AuthType"] == "AWS_IAM" or Fail("Auth type is not AWS_IAM", "AuthType")


@rule(
    "aws.lambda.env_secrets",
    on=FUNCTION,
    severity=Severity.CRITICAL,
    link="https://docs.aws.amazon.com/lambda/latest/dg/with-secrets-manager.html",
    fix="""
        1. Treat the secret as leaked: rotate it at its source.
        2. Store the new one in Secrets Manager.
        3. Allow the function's role to read it, and let the code fetch it at startup (the linked guide shows the
           extension that caches it).
        4. Remove the variable: in the Lambda console, choose Configuration, Environment variables, Edit.
    """,
    commands="""
        aws secretsmanager create-secret --region={region} --name={SECRET_NAME} --secret-string={SECRET_FILE}

        aws lambda update-function-configuration --region={region} --function-name={name} --environment={VARIABLES_FILE}
    """,
    inputs={
        "SECRET_NAME": "the name of the new secret",
        "SECRET_FILE": "file://secret.txt, where secret.txt has its value",
        "VARIABLES_FILE": "file://variables.json, where variables.json has all Variables that remain",
    },
    good=[
        _environment({"STAGE": "prod", "TOKEN_URL": "https://login.example.com/token", "PASSWORD_MIN_LENGTH": "12"}),
        _environment({"DB_PASSWORD": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-a1b2c3"}),
        _environment({"API_KEY": "/app/api-key", "SECRET": "", "GITHUB_TOKEN": "{{resolve:secretsmanager:github}}"}),
        _environment({"DB_PASSWORD": {"Ref": "Password"}}),
        {"Environment": None},
        {},
    ],
    bad=[
        _environment({"DB_PASSWORD": "correct horse"}),
        _environment({"DB_PASSWORD": "********"}),
        _environment({"SETTINGS": "key=AKIAIOSFODNN7EXAMPLE"}),
        _environment({"DATABASE": "postgres://app:hunter2@db.example.com/app"}),
        _environment({"STAGE": "prod", "apiKey": "a1b2c3", "clientSecret": "d4e5f6"}),
    ],
)
def env_secrets(function: View) -> bool | Fail | None:
    """Lambda environment contains credentials.

    Anyone who can view the function's configuration can read them, and they end up in templates, logs and backups. They
    cannot be rotated without a deployment.
    """
    variables = function.object_at("Environment.Variables")
    if variables is None:
        return None
    found, gaps = _plain_secrets(variables)
    if not found:
        if gaps:
            raise gaps[0]
        return True
    words = ", ".join(f"{name[:80]} ({what})" for name, what in list(found.items())[:MAX_SHOWN])
    more = f" and {len(found) - MAX_SHOWN} more" if len(found) > MAX_SHOWN else ""
    return Fail(f"In plaintext: {words}{more}", *(f"{variables.path}.{name}" for name in found))


def _plain_secrets(variables: View) -> tuple[dict[str, str], list[NotKnown]]:
    """Return which variables hold what secret, and what hides the value of others."""
    found: dict[str, str] = {}
    gaps: list[NotKnown] = []
    for name in variables.names():
        try:
            if what := plain_secret(name, variables.key(name)):
                found[name] = what
        except NotKnown as gap:
            gaps.append(gap)
    return found, gaps
