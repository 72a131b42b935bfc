"""Which ``Condition`` of a policy statement pins access to known parties, so that "everyone" is not the world.

The measure is what Amazon S3 publishes as the meaning of "public": access is not public when it is granted only to
fixed values of certain keys
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html). Where that list is
about form and not about effect, effect counts here: an ARN with a wildcard behind a fixed account id, an organization
path below a fixed organization and a role id with any session name let in known parties only, and so do keys made
after that list (organization and account of the caller, of the VPC endpoint, of the source).

What looks like a pin and is none:

- ``...IfExists`` and ``ForAllValues:``: a request without the key passes both, unless ``Null`` demands the key
  (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html).
- the claims of an identity provider that many customers share, unless they name an owner
  (:mod:`nephoscope_aws.identity_providers`).
- ``aws:VpcSourceIp``: private addresses; anyone can make a VPC with the same ones.
- ``sts:ExternalId``: AWS says that it is not a secret
  (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html).
- ``kms:ViaService``, ``aws:ViaAWSService``, ``aws:PrincipalTag/*``, ``aws:Referer``, ``aws:UserAgent``,
  ``aws:SecureTransport``: any account can bring these about.
- negative operators in an Allow: they leave out some, and let in the rest of the world.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any

from nephoscope.domain import NotKnown, View
from nephoscope_aws.identity_providers import SharedProvider, names_owner

WIDEST = {4: 8, 6: 32}
"""The shortest prefix, in bits, of an ``aws:SourceIp`` range that still counts as narrow, by IP version.

S3 calls anything broader public (same page, note on ``aws:SourceIp``). Its exception for RFC 1918 ranges needs no code:
the widest of them is a /8.
"""

_STRING = frozenset({"stringequals", "stringequalsignorecase", "stringlike"})
_ARN = frozenset({"arnequals", "arnlike"})
_ADDRESS = frozenset({"ipaddress"})
_VARIABLES = frozenset({"${aws:resourceaccount}", "${aws:resourceorgid}"})
"""Policy variables that stand for the owner of the resource itself: as good as a fixed value."""

_FREE = re.compile(r"[*?]|\$\{")
_ACCOUNT = re.compile(r"\d{12}")
_OWN_ACCOUNT = re.compile(r":\$\{aws:resourceaccount\}:", re.IGNORECASE)


def texts(value: Any) -> list[str]:
    """Return the texts of a policy element that may be one value or a list; what cannot be a value is left out."""
    return [_text(each) for each in _members(value) if isinstance(each, str | int | float)]


def _members(value: Any) -> list[Any]:
    return list(value) if isinstance(value, View) and value.is_list else [value]


def _text(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def account_of(arn: str) -> str:
    """Return the account id in an ARN, or the id itself; empty when there is none that is fixed."""
    part = arn.split(":", 5)[4] if arn.startswith("arn:") and arn.count(":") >= 5 else arn
    return part if _ACCOUNT.fullmatch(part) else ""


def _fixed(value: str) -> bool:
    return value.lower() in _VARIABLES or bool(value.strip() and not _FREE.search(value))


def _all_fixed(values: Sequence[str], operator: str) -> bool:
    return all(map(_fixed, values))


def _below_fixed(separator: str) -> Callable[[Sequence[str], str], bool]:
    """Make a test for values whose first part is fixed: ``o-1/r-1/*``, ``AROAEXAMPLE:*``."""

    def test(values: Sequence[str], operator: str) -> bool:
        return all(_fixed(value.partition(separator)[0]) for value in values)

    return test


def _arns_pinned(values: Sequence[str], operator: str) -> bool:
    arns = [_OWN_ACCOUNT.sub(":000000000000:", value) for value in values]
    return all(_fixed(arn) or _arn_in_account(arn, operator) or _one_of_a_kind(arn, operator) for arn in arns)


def _arn_in_account(value: str, operator: str) -> bool:
    """A wildcard before the account may swallow colons in a text comparison; ARN operators compare part by part."""
    if "${" in value or not account_of(value):
        return False
    return operator in _ARN or _fixed(":".join(value.split(":")[:5]))


_WITHOUT_ACCOUNT = {
    "apigateway": re.compile(r"/(?:restapis|apis|domainnames)/[^/]+(?:/|\Z)"),
    "route53": re.compile(r"(?:hostedzone|healthcheck)/[^/]+\Z"),
    "s3": re.compile(r"[^/]+(?:/|\Z)"),
}
"""How the resource of an ARN begins that has no account, by service: with a name or id of which there is one.

AWS writes a bucket's ARN as ``arn:aws:s3:*:*:BUCKET`` in its guides: a bucket has one owner in the world.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""


def _one_of_a_kind(value: str, operator: str) -> bool:
    """Tell whether an ARN names a thing of which there is one in the world, whoever owns it."""
    arn, *parts = value.split(":", 5)
    if arn != "arn" or len(parts) < 5 or ":" in parts[4] or (operator not in _ARN and not _fixed(parts[0])):
        return False
    _, service, _, account, resource = parts
    if service == "s3" and account and "/" in resource:
        return False  # an access point: its name is an account's own
    begins = _WITHOUT_ACCOUNT.get(service)
    found = begins.match(resource) if begins else None
    return bool(found and _fixed(found[0]))


def _networks_narrow(values: Sequence[str], operator: str) -> bool:
    try:
        networks = [ip_network(value, strict=False) for value in values]
    except ValueError:
        return False
    four = collapse_addresses(each for each in networks if isinstance(each, IPv4Network))
    six = collapse_addresses(each for each in networks if isinstance(each, IPv6Network))
    # Ranges that touch count as one: all 256 blocks of /8 are the internet.
    return all(each.prefixlen >= WIDEST[4] for each in four) and all(each.prefixlen >= WIDEST[6] for each in six)


@dataclass(frozen=True, slots=True)
class _Pin:
    """A key that can pin: with which operators, and which values."""

    operators: frozenset[str]
    test: Callable[[Sequence[str], str], bool]


_FIXED_KEYS = (
    "aws:principalaccount",
    "aws:principalorgid",
    "aws:principalservicename",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "kms:calleraccount",
    "s3:dataaccesspointaccount",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
)

_PINS: dict[str, _Pin] = {
    **dict.fromkeys(_FIXED_KEYS, _Pin(_STRING | _ARN, _all_fixed)),
    **dict.fromkeys(
        ("aws:principalorgpaths", "aws:sourceorgpaths", "aws:vpceorgpaths"), _Pin(_STRING, _below_fixed("/"))
    ),
    **dict.fromkeys(
        ("aws:principalarn", "aws:sourcearn", "aws:sourcevpcarn", "s3:dataaccesspointarn"),
        _Pin(_STRING | _ARN, _arns_pinned),
    ),
    "aws:userid": _Pin(_STRING, _below_fixed(":")),
    "aws:sourceip": _Pin(_ADDRESS, _networks_narrow),
}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One key under one operator of a Condition. Names are compared without case, as IAM does."""

    quantifier: str
    operator: str
    if_exists: bool
    key: str
    values: Sequence[str]

    def pins(self, operator: str, provider: SharedProvider | None) -> bool:
        pin = _PINS.get(self.key)
        if pin is None:
            return operator in _STRING and names_owner(self.key, self.values, provider)
        return bool(self.values and operator in pin.operators and pin.test(self.values, operator))


def _entries_under(condition: View, name: str) -> Iterator[_Entry]:
    quantifier, _, operator = name.lower().rpartition(":")
    block = condition.key(name)
    if not isinstance(block, View):
        return
    for key in block.names():
        value = block.key(key)
        values = texts(value)
        if len(values) < len(_members(value)):
            values = []  # something in it is no value, so it pins nothing
        yield _Entry(quantifier, operator.removesuffix("ifexists"), operator.endswith("ifexists"), key.lower(), values)


def pins(condition: Any, provider: SharedProvider | None = None) -> bool:
    """Tell whether an Allow with this condition reaches known parties only.

    :param provider: the shared identity provider that the statement trusts, if it is one.

    All parts of a condition must hold, so one that pins is enough; of several values, each must. NotKnown is raised
    when no part that can be read pins and another cannot be read. What is no condition at all pins nothing.
    """
    if not isinstance(condition, View):
        return False
    demanded = _demanded(condition)
    gap: NotKnown | None = None
    for name in condition.names():
        try:
            if any(_entry_pins(entry, demanded, provider) for entry in _entries_under(condition, name)):
                return True
        except NotKnown as problem:
            gap = problem
    if gap:
        raise gap
    return False


def _entry_pins(entry: _Entry, demanded: frozenset[str], provider: SharedProvider | None) -> bool:
    passes_without_key = entry.if_exists or entry.quantifier == "forallvalues"
    return entry.pins(entry.operator, provider) and (not passes_without_key or entry.key in demanded)


def _demanded(condition: View) -> frozenset[str]:
    """The keys that a request must carry: ``"Null": {"aws:PrincipalOrgPaths": "false"}``."""
    names = [name for name in condition.names() if name.lower() == "null"]
    try:
        entries = [entry for name in names for entry in _entries_under(condition, name)]
    except NotKnown:
        return frozenset()
    return frozenset(entry.key for entry in entries if list(entry.values) == ["false"])


def spares_known_only(condition: Any, provider: SharedProvider | None = None) -> bool:
    """Tell whether a Deny with this condition hits the whole world but known parties.

    It does when each part of the condition is the negative of a pin (a request that lacks the key is denied too), or
    exempts AWS's own services as data perimeters do
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_data-perimeters.html). No condition spares no one.
    Anything else narrows the Deny in a way that is not followed here, and counts for nothing.
    """
    if condition is None:
        return True
    if not isinstance(condition, View) or condition.is_list:
        return False
    entries = (entry for name in condition.names() for entry in _entries_or_none(condition, name))
    return all(_entry_spares_known(entry, provider) for entry in entries)


def _entries_or_none(condition: View, name: str) -> list[_Entry]:
    """The entries, or one that spares anybody for an operator that has none, so that nothing malformed is a guard."""
    return list(_entries_under(condition, name)) or [_Entry("", "", False, "", ())]


def _entry_spares_known(entry: _Entry, provider: SharedProvider | None) -> bool:
    if entry.key == "aws:principalisawsservice":
        # Anonymous requests lack this key: without IfExists they would be spared.
        return entry.operator == "bool" and entry.if_exists and list(entry.values) == ["false"]
    if "not" not in entry.operator or entry.quantifier == "foranyvalue":
        return False
    return entry.pins(entry.operator.replace("not", "", 1), provider)


def denies_plain_http(condition: Any) -> bool:
    """Tell whether a Deny with this condition hits every request without TLS: its only key is aws:SecureTransport."""
    if not isinstance(condition, View):
        return False
    entries = [entry for name in condition.names() for entry in _entries_or_none(condition, name)]
    return bool(entries) and all(
        entry.key == "aws:securetransport" and entry.operator == "bool" and list(entry.values) == ["false"]
        for entry in entries
    )


_CALLERS = frozenset({"aws:principalaccount", "aws:principalarn"})


def accounts_in(condition: Any) -> set[str]:
    """Return the account ids that a condition names as callers."""
    if not isinstance(condition, View):
        return set()
    entries = [entry for name in condition.names() for entry in _entries_under(condition, name)]
    return {
        account
        for entry in entries
        if entry.key in _CALLERS and "not" not in entry.operator
        for value in entry.values
        if (account := account_of(value))
    }


def accounts_spared(condition: Any) -> set[str] | None:
    """Return the account ids that a Deny with this condition leaves out; None when it leaves out others, too."""
    if condition is None:
        return set()
    if not isinstance(condition, View) or condition.is_list:
        return None
    entries = [entry for name in condition.names() for entry in _entries_or_none(condition, name)]
    if not all(entry.key in _CALLERS and _entry_spares_known(entry, None) for entry in entries):
        return None
    return {account_of(value) for entry in entries for value in entry.values}
