"""Rules on Lambda functions and their URLs."""

from __future__ import annotations

from datetime import date
from typing import Any

from nephoscope.domain import Fail, NotKnown, ResourceView, Severity, Unknown, View, rule
from nephoscope_aws.access_conditions import pins
from nephoscope_aws.access_policies import open_grants, principals, statements
from nephoscope_aws.plain_secrets import plain_secret
from nephoscope_baseline.aws.lambda_runtimes import DEPRECATED_ON, TABLE_OF

FUNCTION = "AWS::Lambda::Function"
URL = "AWS::Lambda::Url"
S3 = "s3.amazonaws.com"

MAX_SHOWN = 3
"""Variables that a message names."""


def _policy(principal: Any, condition: dict[str, Any] | None = None, action: str = "lambda:InvokeFunction") -> Any:
    """An example: a function whose policy is one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "arn:aws:lambda:::f"}
    return {"Policy": {"Statement": [statement | ({"Condition": condition} if condition else {})]}}


def _environment(variables: dict[str, Any]) -> dict[str, Any]:
    """An example: a function with these environment variables."""
    return {"Environment": {"Variables": variables}}


@rule(
    "aws.lambda.public",
    on=FUNCTION,
    severity=Severity.CRITICAL,
    link="https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html",
    fix="""
        1. In the Lambda console choose the function, then Configuration, Permissions, Resource-based policy statements.
        2. Delete the statement that is named, or replace its principal by the account or role that calls.
        3. A statement for a service (S3 …) needs a source account: choose Edit, and enter it and the source ARN.
        4. By command line: aws lambda get-policy --function-name NAME, then
           aws lambda remove-permission --function-name NAME --statement-id SID, and if it is still needed
           aws lambda add-permission with --source-account and --source-arn
        """,
    good=[
        _policy({"AWS": "arn:aws:iam::123456789012:root"}),
        _policy({"Service": "events.amazonaws.com"}),
        _policy({"Service": S3}, {"StringEquals": {"AWS:SourceAccount": "123456789012"}}),
        _policy("*", {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
        _policy("*", {"ArnLike": {"AWS:SourceArn": "arn:aws:sns:eu-west-1:123456789012:topic"}}),
        {"Policy": None},
        {},
    ],
    bad=[
        _policy("*"),
        _policy({"AWS": "*"}),
        _policy({"Service": S3}),
        _policy({"Service": ["events.amazonaws.com", S3]}, {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::*"}}),
        _policy("*", {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}, "lambda:InvokeFunctionUrl"),
    ],
)
def public(function: View) -> bool | Fail:
    """Lambda function can be invoked by anyone.

    Strangers can run it at your expense, feed it any input, and act with its role through whatever it forgets to check.
    That holds for a grant to S3 without an account, too: anyone can have a bucket that calls.
    """
    policy = function.key("Policy")
    for grant in open_grants(policy):
        return Fail(f"{grant.who} can use this function: the policy allows {grant.principal} {grant.actions}", grant.at)
    for statement in statements(policy, []):
        named = statement.key("Effect") == "Allow" and ("Service", S3) in principals(statement.key("Principal"))
        if named and not pins(statement.key("Condition")):
            return Fail("Any S3 bucket of any account can invoke this function", f"{statement.path}.Principal")
    return True


@rule(
    "aws.lambda.runtime",
    on=FUNCTION,
    severity=Severity.MEDIUM,
    link="https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html",
    fix="""
        1. Find the successor of the runtime in the table of the link, and test the function with it.
        2. In the Lambda console choose the function, then Code, Runtime settings, Edit, choose it and save.
        3. By command line: aws lambda update-function-configuration --function-name NAME --runtime RUNTIME
        4. For functions that come from a template, change Runtime there, or the next deployment takes it back.
        """,
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
    """Lambda function runs on a retired runtime.

    AWS no longer repairs security flaws in it, and gives no support. After some time such a function cannot even be
    changed any more.
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
    return Fail(f"{name} was retired on {since}", "Runtime")


@rule(
    "aws.lambda.url_auth",
    on=URL,
    severity=Severity.HIGH,
    link="https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
    fix="""
        1. Find out who calls the URL. Callers in AWS can sign their requests; a site for everyone is better served by
           CloudFront or API Gateway in front of the function.
        2. In the Lambda console choose the function, then Configuration, Function URL, Edit.
        3. Set Auth type to AWS_IAM and save.
        4. By command line: aws lambda update-function-url-config --function-name NAME --auth-type AWS_IAM
        """,
    good=[{"AuthType": "AWS_IAM", "TargetFunctionArn": "f"}, {"AuthType": "AWS_IAM", "Qualifier": "live"}],
    bad=[{"AuthType": "NONE", "TargetFunctionArn": "f"}, {"AuthType": None}, {}],
)
def url_auth(url: View) -> bool | Fail:
    """Lambda function URL asks nobody who they are.

    Whoever learns or guesses the address can call the function over the internet, as often as they like. Only the
    code itself then decides who may do what.
    """
    return url["AuthType"] == "AWS_IAM" or Fail("Requests need no IAM signature", "AuthType")


@rule(
    "aws.lambda.env_secrets",
    on=FUNCTION,
    severity=Severity.CRITICAL,
    link="https://docs.aws.amazon.com/lambda/latest/dg/with-secrets-manager.html",
    fix="""
        1. Take the secret for known: renew it where it is used.
        2. Put the new one into Secrets Manager: aws secretsmanager create-secret --name NAME --secret-string VALUE
        3. Let the function's role read it, and let the code read it when it starts (the link shows the extension that
           caches it).
        4. Remove the variable: in the Lambda console under Configuration, Environment variables, or by command line
           aws lambda update-function-configuration --function-name NAME --environment file://variables.json
        """,
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
    """Lambda function has a secret in its environment.

    Everyone who may look at the function's configuration reads the secret, and it ends up in templates, logs and
    backups. It cannot be renewed without a deployment.
    """
    variables = function["Environment.Variables"]
    if not isinstance(variables, View):
        return None
    found = {name: what for name in variables.names() if (what := plain_secret(name, variables.key(name)))}
    if not found:
        return True
    words = ", ".join(f"{name[:80]} ({what})" for name, what in list(found.items())[:MAX_SHOWN])
    more = f" and {len(found) - MAX_SHOWN} more" if len(found) > MAX_SHOWN else ""
    return Fail(f"In clear text: {words}{more}", *(f"{variables.path}.{name}" for name in found))
