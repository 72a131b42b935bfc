"""What counts as a secret in clear text among named values: environment variables of functions, builds, containers.

Three definitions that every rule and collector shares:

**A name promises a secret** when its words do (``DB_PASSWORD``, ``githubToken``, ``API_KEY``) and its last word does
not say that it is about one: ``TOKEN_URL``, ``SECRET_ARN`` and ``PASSWORD_MIN_LENGTH`` are no secrets.

**A value is literal** unless it is empty, true or false, or says where the secret is: an ARN, the path of a
parameter, a CloudFormation dynamic reference, an address, or ciphertext of KMS.

**A value gives itself away**, whatever its name, when it has the published form of a credential.

Collectors store values :func:`masked`, so that scanning an account does not copy its secrets; masking keeps what the
definitions need, and rules read raw values of templates and masked ones alike.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

MASK = "********"

ACCESS_KEY_NAMES = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})
"""The variables from which AWS's tools take credentials.
https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html"""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = frozenset(
    {
        "apikey",
        "credential",
        "credentials",
        "passphrase",
        "passwd",
        "password",
        "passwords",
        "privatekey",
        "pwd",
        "secret",
        "secretkey",
        "secrets",
        "token",
        "tokens",
    }
)
_SECRET_PAIRS = frozenset(
    (before, "key") for before in ("access", "api", "auth", "encryption", "license", "private", "secret", "signing")
)
_ABOUT = frozenset(
    {
        "alias",
        "arn",
        "arns",
        "bucket",
        "count",
        "days",
        "enabled",
        "endpoint",
        "expiration",
        "expiry",
        "field",
        "file",
        "format",
        "header",
        "host",
        "hours",
        "id",
        "ids",
        "issuer",
        "length",
        "location",
        "max",
        "min",
        "minutes",
        "mode",
        "name",
        "names",
        "parameter",
        "path",
        "policy",
        "prefix",
        "ref",
        "region",
        "required",
        "rotation",
        "seconds",
        "size",
        "ssm",
        "store",
        "table",
        "timeout",
        "ttl",
        "type",
        "uri",
        "url",
        "version",
    }
)

_REFERENCE = re.compile(
    r"arn:[\w-]+:"  # something in AWS
    r"|/[\w./-]+$"  # a parameter's path, or a file's
    r"|\{\{resolve:"  # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
    r"|(ssm|secretsmanager):"
    r"|AQICA[\w+/=]{40}"  # how ciphertext of a symmetric KMS key begins in base64
    r"|https?://[^@\s]*$"
    r"|(true|false)$",
    re.IGNORECASE,
)

_FORMS = {
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60})"),
    "a Slack token": re.compile(r"\bxox[abprs]-[\w-]{10}"),
    "a Stripe key": re.compile(r"\b[rs]k_live_\w{16}"),
    "a password in a URL": re.compile(r"\w://[^/\s:@]*:[^/\s:@]+@"),
}
"""Credentials by what they look like.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids,
https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github,
https://api.slack.com/authentication/token-types, https://docs.stripe.com/keys"""

_MASKED_FORM = re.compile(rf"{re.escape(MASK)} \((.*)\)")


def promises_secret(name: str) -> bool:
    """Tell whether a variable of this name holds a secret."""
    if name.upper() in ACCESS_KEY_NAMES:
        return True
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _ABOUT:
        return False
    return bool(_SECRET_WORDS & set(words)) or any(pair in _SECRET_PAIRS for pair in pairwise(words))


def is_literal(value: Any) -> bool:
    """Tell whether a value is the thing itself; an object is an expression of a template, and none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    text = str(value).strip()
    return bool(text) and not _REFERENCE.match(text)


def given_away(value: Any) -> str:
    """Return which credential a value is by its form, in words; empty if none."""
    if not isinstance(value, str):
        return ""
    if found := _MASKED_FORM.fullmatch(value):
        return found[1]
    return next((words for words, form in _FORMS.items() if form.search(value)), "")


def plain_secret(name: str, value: Any) -> str:
    """Return in words what secret stands in clear text here; empty if none."""
    if form := given_away(value):
        return form
    return "named like a secret" if promises_secret(name) and is_literal(value) else ""


def masked(value: Any) -> Any:
    """Return what may be stored for a value: references as they are, anything else hidden."""
    if form := given_away(value):
        return f"{MASK} ({form})"
    return MASK if is_literal(value) else value
