"""What counts as a secret in clear text among named values: environment variables of functions, builds, containers.

Three definitions that every rule and collector shares:

**A name promises a secret** when its words do (``DB_PASSWORD``, ``githubToken``, ``API_KEY``, ``PGPASSWORD``), its last
word does not say that it is about one (``TOKEN_URL``, ``SECRET_ARN``), and no word says that it is a switch or a count
(``ALLOW_EMPTY_PASSWORD``, ``MAX_TOKENS``). Some names hold nothing but credentials, whatever their value looks like.

**A value is literal** unless it is empty, a switch (``yes``), a variable that something else fills in (``${VAR}``), or
says where the secret is: an ARN, the path of a parameter or of a file, a dynamic reference of CloudFormation, an
address without a password, or ciphertext.

**A value gives itself away**, whatever its name, when it has the published form of a credential.

Collectors store values :func:`masked`, so that scanning an account does not copy its secrets; masking keeps what the
definitions need, and rules read raw values of templates and masked ones alike.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

MASK = "********"

CREDENTIAL_NAMES = frozenset(
    {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "ECS_ENGINE_AUTH_DATA"}
)
"""The variables from which AWS's tools and agents take credentials.
https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html,
https://docs.aws.amazon.com/securityhub/latest/userguide/ecs-controls.html#ecs-8"""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SECRET = _words("cred creds credential credentials htpasswd passcode pswd pwd secret secrets tokens")
_SECRET_ENDS = ("apikey", "authkey", "passphrase", "passwd", "password", "passwords", "privatekey", "secret", "token")
"""How words end that promise a secret: people write them together with what it is for, as in ``PGPASSWORD``."""
_SECRET_LAST = _words("dbpass pass pat pw userpass")
_SECRET_PAIRS = frozenset(
    (before, "key")
    for before in _words(
        "access account api app application auth encryption hmac jwt license master private secret shared signing ssh"
    )
)
_ABOUT = _words(
    "address age alg algo algorithm alias arn arns attempts audience backend bucket charset claim claims class cookie "
    "count days domain duration email enabled encoder encoding endpoint engine expiration expires expiry field file "
    "format group hasher header hint host hours id ids interval issuer label length level lifetime limit location "
    "manager max method min minutes mode name names parameter path pattern placeholder policy port prefix prompt "
    "provider ref regex region required retries rotation rules scope scopes seconds server service size source ssm "
    "store strategy strength table timeout ttl type uri url user username validity version"
)
"""Last words of names that are about a secret and hold none."""
_NOT = _words("allow has is max min no num per require requires")
"""Words of names that are switches or counts."""

_SWITCH = r"(?:true|false|yes|no|on|off|enabled?|disabled?|none|null|nil|undefined|n/a|[01])"
_VARIABLE = r"(?:\$\{[^}]*\}|\$\([^)]*\)|\{\{.*\}\}|<[\w -]+>|%\w+%)"
"""What something else fills in: a shell, a template, a person who copies an example."""

_REFERENCE = re.compile(
    rf"{_SWITCH}$"
    rf"|{_VARIABLE}$"
    r"|arn:[\w-]+:"  # something in AWS
    r"|/[\w./-]+$"  # a parameter's path, or a file's
    r"|\{\{resolve:"  # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
    r"|(env|file|secretsmanager|ssm|vault):"
    r"|ENC[(\[]"  # ciphertext of Jasypt and SOPS
    r"|AQICA[\w+/=]{40}"  # how ciphertext of a symmetric KMS key begins in base64
    r"|[a-z][\w+.-]*://[^@\s]*$",
    re.IGNORECASE,
)
_UPPER_VARIABLE = re.compile(r"\$[A-Z][A-Z0-9_]*")
_NAME_OF_SECRET = re.compile(r"[a-z][a-z0-9_.-]*(/[a-z0-9_.-]+)+")
"""A secret's name or a key's alias, as ``prod/app/database``."""

_LIKE_A_SECRET_KEY = re.compile(r"(?=.*[A-Z])(?=.*[a-z])(?=.*\d)[A-Za-z0-9/+]{40}")
"""What may be a secret access key of AWS, and begin with a slash as a path does."""

_VALUE = rf"(?!{_SWITCH}(?:[\s;&@\",]|$)|\$[{{(]|\$[A-Z][A-Z0-9_]*\b|<|\{{|%[(s]|\?|:\w|\*+\W)"
"""What stands before a value that is neither a switch nor filled in by something else."""

_FORMS = {
    "an AWS access key": re.compile(
        r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b|(?i:secret_?access_?key)\W{1,4}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])"
    ),
    "a private key": re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----"
        r"|LS0tLS1CRUdJTi(?:BSU0EgUFJJVkFURSBLRVkt|BQUklWQVRFIEtFWS0|BFQyBQUklWQVRFIEtFWS0|BPUEVOU1NIIFBSSVZBVEUgS0VZ)"
    ),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60})"),
    "a GitLab token": re.compile(r"\bglpat-[\w-]{20}"),
    "a Slack token": re.compile(
        r"\bxox[abeoprs]-[\w-]{10}|\bxapp-\d-[\w-]{10}|hooks\.slack\.com/(?:services|workflows)/T\w+/\w+/\w+"
    ),
    "a Stripe key": re.compile(r"\b[rs]k_(?:live|test)_\w{16}|\bwhsec_\w{24}"),
    "a Google API key": re.compile(r"\bAIza[\w-]{35}"),
    "an npm token": re.compile(r"\bnpm_[A-Za-z0-9]{36}"),
    "a SendGrid key": re.compile(r"\bSG\.[\w-]{16,32}\.[\w-]{16,64}"),
    "a JSON web token": re.compile(r"\beyJ[\w-]{10,400}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "a password in a URL": re.compile(rf"\w://[^/\s:@]*:{_VALUE}[^/\s@?#]+@"),
    "a password in a connection string": re.compile(
        rf"(?:^|[\s;?&])[\w. -]{{0,40}}(?:password|passwd|pwd|(?:account|access)key)\s?=\s?{_VALUE}[^\s;&]",
        re.IGNORECASE,
    ),
    "a password in JSON": re.compile(
        rf'"[\w.-]{{0,40}}(?:passw(?:or)?d|(?:api|private|access)_?key|client_?secret|(?:access|auth)_?token)"\s?:\s?'
        rf'"{_VALUE}(?!arn:|/)[^"]',
        re.IGNORECASE,
    ),
}
"""Credentials by what they look like.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids,
https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github,
https://api.slack.com/authentication/token-types, https://docs.stripe.com/keys"""

_MASKED_FORM = re.compile(rf"{re.escape(MASK)} \((.*)\)")


def promises_secret(name: str) -> bool:
    """Tell whether a variable of this name holds a secret."""
    if name.upper() in CREDENTIAL_NAMES:
        return True
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _ABOUT or _NOT & {*words}:
        return False
    said = bool(_SECRET & {*words}) or any(word.endswith(_SECRET_ENDS) for word in words)
    return said or words[-1] in _SECRET_LAST or any(pair in _SECRET_PAIRS for pair in pairwise(words))


def is_literal(value: Any) -> bool:
    """Tell whether a value is the thing itself; an object is an expression of a template, and none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    text = str(value).strip()
    if _LIKE_A_SECRET_KEY.fullmatch(text):
        return True
    elsewhere = _REFERENCE.match(text) or _UPPER_VARIABLE.fullmatch(text) or _NAME_OF_SECRET.fullmatch(text)
    return bool(text) and not elsewhere


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
    if name.upper() in CREDENTIAL_NAMES and isinstance(value, str) and value.strip():
        return "AWS credentials"
    return "named like a secret" if promises_secret(name) and is_literal(value) else ""


def masked(value: Any) -> Any:
    """Return what may be stored for a value: references as they are, anything else hidden."""
    if form := given_away(value):
        return f"{MASK} ({form})"
    return MASK if is_literal(value) else value
