"""Getting in: from a Connection to working clients, and in plain words why not."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.credentials import RefreshableCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.parsers import ResponseParserError
from botocore.session import Session

from nephoscope.domain import Connection, ConnectionProblem, Deadline, PlanProblem
from nephoscope_aws.answers import Answer, Unavailable
from nephoscope_aws.api import DENIED, code_of
from nephoscope_aws.clients import ATTEMPTS_TO_CONNECT, ClientCache, home_region, new_session
from nephoscope_aws.settings import RoleArn, parse_role_arn

ROLE_SESSION_SECONDS = 3600
"""How long assumed credentials last before they are renewed: as long as AWS allows when a role assumes a role.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
"""

ROLE_SESSION_NAME = "nephoscope"
"""What the account's CloudTrail shows as the name of the session."""

_PROVIDE = (
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in Nephoscope's environment, run it on a machine with a role, or "
    "name a profile of its AWS configuration. See “AWS credentials” in docs/operating.md."
)

_NO_CREDENTIALS = f"Nephoscope has no AWS credentials of its own that work. {_PROVIDE}"
_REFUSED_KEYS = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "ExpiredTokenException",
        "AuthFailure",
        "InvalidAccessKeyId",
        "IncompleteSignature",
        "MissingAuthenticationToken",
    }
)
_POLICY_TOO_LARGE = frozenset({"PackedPolicyTooLarge", "MalformedPolicyDocument"})


@dataclass(frozen=True, slots=True)
class Connected:
    """A way into an account that works: who we are there, the clients, and the regions that are scanned.

    ``role`` is empty for own credentials.
    """

    account: str
    principal: str
    role: str
    clients: ClientCache
    regions: tuple[str, ...] = ()


def connect(connection: Connection, *, writing: bool = False, policy: str = "") -> Connected:
    """Reach the account, by the role when one is set, and make sure that it is the right account.

    :param writing: by the role for fixes instead of the one for reading.
    :param policy: JSON that limits what the role's session may do, at most 2,048 characters.
    :raises ConnectionProblem: it cannot be reached as described, or is another account.
    :raises PlanProblem: AWS takes ``policy`` to be too large.
    """
    prefix = "write_" if writing else ""
    settings = connection.settings
    arn, profile = settings.get(f"{prefix}role_arn", ""), settings.get("profile", "")
    role = parse_role_arn(f"{prefix}role_arn", arn) if arn else None
    blamed = f"{prefix}role_arn" if role and not profile else "profile"
    if role:
        _same_account(connection, role.account)
    try:
        session = new_session(profile)
        home = home_region(session, role.partition if role else "")
        if role:
            external_id = settings.get(f"{prefix}external_id", "")
            credentials = _assume(session, home, role, external_id, policy, prefix, connection.deadline)
            session = new_session(profile, credentials)
        identity = _identity(session, home, connection.deadline)
    except (ClientError, BotoCoreError, ResponseParserError, Unavailable, ValueError) as error:
        raise _problem(error, blamed, profile) from None
    _same_account(connection, identity["Account"])
    clients = ClientCache(session, home, deadline=connection.deadline)
    return Connected(identity["Account"], identity["Arn"], role.arn if role else "", clients, connection.regions)


def hindrance(settings: Mapping[str, str], deadline: Deadline | None = None) -> str:
    """Say why Nephoscope's own credentials could assume no role at all, and what to do; nothing when they may.

    Whether the machine has a role is asked of it as boto3 does, which takes two seconds at most:
    https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html. A profile can be named later, so
    where there are some and none was chosen, nothing is known to hinder.
    """
    profile = settings.get("profile", "")
    try:
        session = new_session(profile)
        if session.get_credentials() is None:
            could_be_named = session.available_profiles and not profile
            return "" if could_be_named else _NO_CREDENTIALS
        _identity(session, home_region(session, ""), deadline)
    except (ClientError, BotoCoreError, ResponseParserError, Unavailable, ValueError) as error:
        return _problem(error, "profile", profile).message
    except ConnectionProblem as problem:
        return problem.message
    return ""


def own_principal(settings: Mapping[str, str], deadline: Deadline | None = None) -> str:
    """Return the ARN that roles must trust: who Nephoscope's own credentials are. Empty when that cannot be found.

    :raises ConnectionProblem: the deadline passed.
    """
    with suppress(ClientError, BotoCoreError, ResponseParserError, Unavailable, ValueError):
        session = new_session(settings.get("profile", ""))
        clients = ClientCache(session, home_region(session, ""), 1, deadline)
        arn = str(clients.client("sts").get_caller_identity()["Arn"])
        return role_of(arn, clients) if ":assumed-role/" in arn else arn
    return ""


def role_of(session_arn: str, clients: ClientCache) -> str:
    """Return the ARN of the role of an assumed-role session; with its path only when iam:GetRole is allowed."""
    _, partition, _, _, account, rest = session_arn.split(":", 5)
    name = rest.split("/")[1]
    with suppress(ClientError, BotoCoreError, Unavailable):
        return str(clients.client("iam").get_role(RoleName=name)["Role"]["Arn"])
    return f"arn:{partition}:iam::{account}:role/{name}"


def renewing(
    session: Session,
    home: str,
    role: RoleArn,
    external_id: str,
    policy: str,
    *,
    seconds: int = ROLE_SESSION_SECONDS,
    deadline: Deadline | None = None,
) -> RefreshableCredentials:
    """Return a role's credentials, which botocore renews by itself in the last quarter of an hour of their life.

    :param seconds: how long each lasts, 900 to 3600.
    """
    sts = ClientCache(session, home, ATTEMPTS_TO_CONNECT, deadline).client("sts")
    wanted = {"RoleArn": role.arn, "RoleSessionName": ROLE_SESSION_NAME, "DurationSeconds": seconds}
    wanted |= {"ExternalId": external_id} if external_id else {}
    wanted |= {"Policy": policy} if policy else {}

    def renew() -> dict[str, str]:
        try:
            return _as_metadata(sts.assume_role(**wanted))
        except (ClientError, BotoCoreError, Unavailable) as error:
            raise CredentialRetrievalError(
                provider=role.arn, error_msg=code_of(error) or type(error).__name__
            ) from error

    return RefreshableCredentials.create_from_metadata(
        _as_metadata(sts.assume_role(**wanted)), refresh_using=renew, method="assume-role"
    )


def _as_metadata(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return what AssumeRole answered as botocore takes it. Raises Unavailable if that holds no credentials."""
    credentials = Answer("assume_role", Answer("assume_role", dict(answer))["Credentials"])
    expires = credentials["Expiration"]
    if not isinstance(expires, datetime):
        raise Unavailable("assume_role: the Expiration in AWS's answer is not a time")
    return {
        "access_key": credentials["AccessKeyId"],
        "secret_key": credentials["SecretAccessKey"],
        "token": credentials["SessionToken"],
        "expiry_time": expires.isoformat(),
    }


def _assume(
    session: Session,
    home: str,
    role: RoleArn,
    external_id: str,
    policy: str,
    prefix: str,
    deadline: Deadline | None,
) -> RefreshableCredentials:
    try:
        return renewing(session, home, role, external_id, policy, deadline=deadline)
    except ClientError as error:
        if code_of(error) in _POLICY_TOO_LARGE and policy:
            raise PlanProblem(
                "The plan needs more permissions than fit in one session of the role for fixes. "
                "Plan for fewer resources at a time."
            ) from None
        if code_of(error) not in DENIED | {"NoSuchEntity", "ValidationError"}:
            raise
    principal = own_principal({"profile": session.profile or ""}, deadline) or "Nephoscope's own credentials"
    raise ConnectionProblem(
        f"{prefix}role_arn",
        f"AWS does not let Nephoscope assume this role, and does not say which of these is why: the role does not "
        f"exist; or it does not trust {principal}; or it asks for another external ID than the one entered here; or "
        f"{principal} may not call sts:AssumeRole. A role that was just created can need a minute.",
    )


def _identity(session: Session, home: str, deadline: Deadline | None) -> dict[str, str]:
    answer = ClientCache(session, home, ATTEMPTS_TO_CONNECT, deadline).client("sts").get_caller_identity()
    return Answer("get_caller_identity", answer)


def _same_account(connection: Connection, account: str) -> None:
    if connection.account and connection.account != account:
        raise ConnectionProblem(
            "account",
            f"This connection is for account {connection.account}, but these settings lead to account {account}.",
        )


def _problem(error: Exception, field: str, profile: str) -> ConnectionProblem:
    """Say in plain words why AWS could not be reached. Of AWS's own words only the error code is repeated."""
    code = code_of(error)
    if isinstance(error, ProfileNotFound):
        field, message = "profile", f"There is no profile {profile!r} in Nephoscope's AWS configuration."
    elif isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        message = _NO_CREDENTIALS
    elif code in _REFUSED_KEYS:
        message = (
            f"AWS refuses Nephoscope's own credentials ({code}): they are wrong, deleted, switched off or expired. "
            f"{_PROVIDE}"
        )
    elif isinstance(error, Unavailable):
        message = f"What answered is not AWS, or it answered wrongly ({error.message}). Is there a proxy on the way?"
    elif code:
        message = f"AWS answered {code} when Nephoscope tried to connect."
    else:
        message = (
            f"AWS could not be reached ({type(error).__name__}). Check the network, the proxy, the region and "
            "AWS_ENDPOINT_URL of the machine that Nephoscope runs on."
        )
    return ConnectionProblem(field, message)
