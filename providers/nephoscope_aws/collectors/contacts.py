"""Whom AWS writes to about the account's security.

Calls: 1, whatever the size of the account.
"""

from __future__ import annotations

from collections.abc import Iterator

from nephoscope.domain import ALL_REGIONS, Resource, Service
from nephoscope_aws.api import Api
from nephoscope_aws.collector import Collector
from nephoscope_aws.collectors.shape import PROBLEMS, actions, unreadable

CONTACT = "AWS::Account::AlternateContact"

READS = {("account", "get_alternate_contact"): "account:GetAlternateContact"}

SYNTHETIC = {CONTACT: ("AlternateContactType", "EmailAddress")}
"""CloudFormation cannot set contacts. There is always one of type SECURITY here; its address is null if AWS has none.
The contact's name and telephone number are nobody's business here.
https://docs.aws.amazon.com/accounts/latest/reference/API_AlternateContact.html"""


def collect(api: Api, region: str) -> Iterator[Resource]:
    """Yield the security contact, whether there is one or not."""
    try:
        yield _contact(api)
    except PROBLEMS as problem:
        yield unreadable(api, ALL_REGIONS, CONTACT, problem)


def reread(api: Api, resource: Resource) -> Resource | None:
    """Read the security contact again."""
    return _contact(api)


def _contact(api: Api) -> Resource:
    answer = api.maybe(
        "account", "get_alternate_contact", ("ResourceNotFoundException",), AlternateContactType="SECURITY"
    )
    address = None if answer is None else answer["AlternateContact"]["EmailAddress"]
    properties = {"AlternateContactType": "SECURITY", "EmailAddress": address}
    return Resource(CONTACT, f"{CONTACT}:SECURITY", "Security contact", ALL_REGIONS, api.account, properties)


COLLECTOR = Collector(
    Service("contacts", "Account contacts", (CONTACT,), actions(READS), regional=False),
    READS,
    collect,
    reread,
)
